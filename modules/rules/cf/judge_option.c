/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options whose values are looked at while they are read: a table of names with the function for each.
 */
#include "judge.h"

#include <postrider/file.h>
#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

static bool starts_with_digit(struct pr_str text)
{
	return text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9';
}

static bool is_user(struct pr_str name)
{
	char *copy = pr_copy_str(name);
	bool found = starts_with_digit(name) || getpwnam(copy) != NULL;

	pr_free(copy);
	return found;
}

static bool is_group(struct pr_str name)
{
	char *copy = pr_copy_str(name);
	bool found = starts_with_digit(name) || getgrnam(copy) != NULL;

	pr_free(copy);
	return found;
}

bool cf_judge_user(struct cf *cf, const char *what, struct pr_str value, bool has_group)
{
	size_t end = 0;

	while (end < value.len && (!has_group || strchr(":./", value.data[end]) == NULL))
		end++;
	struct pr_str user = pr_str_slice(value, 0, end), group = pr_str_trim(pr_str_slice(value, end + 1, value.len));
	if (!is_user(user)) {
		cf_complain(cf, "readcf: %s: unknown user %.*s", what, PR_PRINT(user));
		return false;
	}
	if (group.len > 0 && !is_group(group)) {
		cf_complain(cf, "readcf: %s: unknown group %.*s", what, PR_PRINT(group));
		return false;
	}
	return true;
}

static struct pr_str default_user(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_user(cf, "option u", value, true) ? value : PR_NONE;
}

static struct pr_str run_as_user(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_user(cf, "option RunAsUser", value, true) ? value : PR_NONE;
}

static struct pr_str trusted_user(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_user(cf, "option TrustedUser", value, false) ? value : PR_NONE;
}

static struct pr_str delivery_mode(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	cf->delivery_mode = value.len > 0 ? value.data[0] : 'i';
	if (strchr("ibqd", cf->delivery_mode) != NULL)
		return value;
	cf_complain(cf, "Unknown delivery mode %c", value.data[0]);
	cf->fatal = CF_USAGE;
	return PR_NONE;
}

static struct pr_str eight_bit_mode(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	if (value.len > 0 && strchr("smp", value.data[0]) != NULL)
		return value;
	cf_complain(cf, "Unknown 8-bit mode %.*s", PR_PRINT(pr_str_slice(value, 0, 1)));
	cf->fatal = CF_USAGE;
	return PR_NONE;
}

static struct pr_str no_recipient_action(struct cf *cf, const char *name, struct pr_str value)
{
	static const char *const words[] = { "none", "add-to", "add-apparently-to", "add-to-undisclosed", "add-bcc" };

	(void)name;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal_nocase(pr_str(words[i]), value))
			return value;
	cf_complain(cf, "Invalid NoRecipientAction: %.*s", PR_PRINT(value));
	return PR_NONE;
}

/* The first letter is enough, as a word begins with it. */
static struct pr_str queue_sort_order(struct cf *cf, const char *name, struct pr_str value)
{
	static const char letters[] = "hpftrmns";
	static const char *const words[] = { "host", "priority", "filename", "time", "random", "modification", "none", "random" };
	const char *found = value.len == 0 ? NULL : strchr(letters, value.data[0] | 0x20);

	(void)name;
	if (found != NULL)
		return pr_str(words[found - letters]);
	cf_complain(cf, "Invalid queue sort order \"%.*s\"", PR_PRINT(value));
	return PR_NONE;
}

static struct pr_str connect_only_to(struct cf *cf, const char *name, struct pr_str value)
{
	struct in6_addr address;
	char *copy = pr_copy_str(pr_str_has_prefix_nocase(value, PR_STR("ipv6:")) ? pr_str_slice(value, 5, value.len) : value);
	bool is_address = inet_pton(AF_INET, copy, &address) == 1 || inet_pton(AF_INET6, copy, &address) == 1;

	(void)name;
	pr_free(copy);
	if (is_address)
		return value;
	cf_complain(cf, "readcf: option ConnectOnlyTo: invalid IP address %.*s", PR_PRINT(value));
	return PR_NONE;
}

#define HEADERS_LEAST 16384

static struct pr_str max_headers_length(struct cf *cf, const char *name, struct pr_str value)
{
	char *copy = pr_copy_str(value);
	long number = strtol(copy, NULL, 10);

	(void)name;
	pr_free(copy);
	if (number > 0 && number < HEADERS_LEAST)
		cf_remark(cf, "Warning: MaxHeadersLength: headers length limit set lower than %d", HEADERS_LEAST);
	return value;
}

/* "most of a field/most of a parameter" */
static struct pr_str max_mime_length(struct cf *cf, const char *name, struct pr_str value)
{
	char *copy = pr_copy_str(value), *rest = NULL;
	long header = strtol(copy, &rest, 10), field = *rest == '/' ? strtol(rest + 1, NULL, 10) : header / 2;

	(void)name;
	pr_free(copy);
	if (header > 0 && header < 128)
		cf_remark(cf, "Warning: MaxMimeHeaderLength: header length limit set lower than 128");
	if (field > 0 && field < 40)
		cf_remark(cf, "Warning: MaxMimeHeaderLength: field length limit set lower than 40");
	return pr_arena_printf(&cf->arena, "%ld/%ld", header > 0 ? header : 0, field > 0 ? field : 0);
}

static struct pr_str single_thread(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	cf->wants_host_status = value.len == 0 || strchr("TtYy1", value.data[0]) != NULL;
	return value;
}

static struct pr_str host_status(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	cf->has_host_status = value.len > 0;
	return value;
}

static struct pr_str mailbox_database(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	cf->mailbox_database = value;
	return value;
}

/* Words that are one letter each; another one is only remarked upon. */
static struct pr_str letters(struct cf *cf, const char *name, struct pr_str value)
{
	const char *known = strcmp(name, "AuthOptions") == 0 ? "Aacdfmpy" : "VC";
	struct pr_str rest = value, word;

	while (rest.len > 0) {
		size_t end = strcspn(rest.data, ", \t");
		word = pr_str_slice(rest, 0, end);
		rest = pr_str_slice(rest, end + 1, rest.len);
		if (word.len > 0 && strchr(known, word.data[0]) == NULL)
			cf_remark(cf, "Warning: Option: %s unknown parameter '%c'", name, word.data[0]);
	}
	return value;
}

static struct pr_str super_safe(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	cf->is_interactive_safe = value.len > 0 && (value.data[0] | 0x20) == 'i';
	return value;
}

static struct pr_str privacy(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_privacy(cf, value);
}

static struct pr_str blame(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	cf->safe_class |= pr_safe_flags(PR_SAFE_CLASS, value);
	return cf_judge_blame(cf, value);
}

static struct pr_str resolver(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_resolver(cf, value);
}

static struct pr_str tls_options(struct cf *cf, const char *name, struct pr_str value)
{
	return cf_judge_tls(cf, name, value);
}

static struct pr_str ports(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_ports(cf, value);
}

static struct pr_str alias_files(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	value = cf_judge_aliases(cf, value);
	return value.len > 0 ? value : PR_NONE;
}

static struct pr_str minutes(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_time(cf, value, 'm');
}

static struct pr_str seconds(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_time(cf, value, 's');
}

/* The one time that may be below zero: not offered. */
static struct pr_str deliver_by(struct cf *cf, const char *name, struct pr_str value)
{
	struct pr_str judged = seconds(cf, name, value);

	return value.len > 0 && value.data[0] == '-' ? PR_STR("-1") : judged;
}

static struct pr_str hours(struct cf *cf, const char *name, struct pr_str value)
{
	(void)name;
	return cf_judge_time(cf, value, 'h');
}

/* RETURN/WARN */
static struct pr_str queue_timeout(struct cf *cf, const char *name, struct pr_str value)
{
	size_t slash = pr_str_find(value, '/');
	struct pr_str until = cf_judge_timeout(cf, PR_STR("queuereturn"), pr_str_trim(pr_str_slice(value, 0, slash)));

	(void)name;
	if (slash == value.len)
		return until;
	struct pr_str warning = cf_judge_timeout(cf, PR_STR("queuewarn"), pr_str_trim(pr_str_slice(value, slash + 1, value.len)));
	return pr_arena_printf(&cf->arena, "%.*s/%.*s", PR_PRINT(until), PR_PRINT(warning));
}

static const struct {
	const char *name;
	struct pr_str (*judge)(struct cf *cf, const char *name, struct pr_str value);
} rows[] = {
	{ "AliasFile", alias_files }, { "AliasWait", minutes }, { "AuthOptions", letters }, { "ClientPortOptions", ports }, { "ClientSSLOptions", tls_options },
	{ "ConnectOnlyTo", connect_only_to }, { "ConnectionCacheTimeout", minutes }, { "ConnectionRateWindowSize", seconds },
	{ "DaemonPortOptions", ports }, { "DefaultUser", default_user }, { "DeliverByMin", deliver_by }, { "DeliveryMode", delivery_mode },
	{ "DialDelay", seconds }, { "DontBlameSendmail", blame }, { "EightBitMode", eight_bit_mode }, { "HostStatusDirectory", host_status },
	{ "MailboxDatabase", mailbox_database }, { "MaxHeadersLength", max_headers_length }, { "MaxMimeHeaderLength", max_mime_length }, { "MaxQueueAge", minutes },
	{ "MinQueueAge", minutes }, { "NoRecipientAction", no_recipient_action }, { "PrivacyOptions", privacy },
	{ "QueueSortOrder", queue_sort_order }, { "QueueTimeout", queue_timeout }, { "RejectLogInterval", hours },
	{ "ResolverOptions", resolver }, { "RunAsUser", run_as_user }, { "ServerSSLOptions", tls_options },
	{ "SingleThreadDelivery", single_thread }, { "SuperSafe", super_safe }, { "TLSSrvOptions", letters }, { "Timeout", minutes },
	{ "TrustedUser", trusted_user },
};

struct pr_str cf_judge_option(struct cf *cf, const char *name, struct pr_str value)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].judge(cf, name, value);
	return value;
}

bool cf_judge_milter(struct cf *cf, struct pr_str name)
{
	static const char *const names[] = { "LogLevel", "macros.connect", "macros.helo", "macros.envfrom", "macros.envrcpt", "macros.data",
		"macros.eoh", "macros.eom" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (pr_str_equal_nocase(pr_str(names[i]), name))
			return true;
	if (name.len == 0)
		cf_complain(cf, "milter_set_option: invalid Milter option, must specify suboption");
	else
		cf_complain(cf, "milter_set_option: invalid Milter option %.*s", PR_PRINT(name));
	return false;
}

void cf_judge_whole(struct cf *cf)
{
	struct pr_str database = cf->mailbox_database;

	if (cf->is_interactive_safe && cf->delivery_mode != 'i')
		cf_remark(cf, "WARNING: SuperSafe=interactive should only be used with\n         DeliveryMode=interactive");
	if (cf->wants_host_status && !cf->has_host_status)
		cf_remark(cf, "Warning: HostStatusDirectory required for SingleThreadDelivery");
	if (database.data == NULL || pr_str_equal_nocase(database, PR_STR("pw")) || pr_str_equal_nocase(database, PR_STR("ldap")))
		return;
	cf_remark(cf, "Can't initialize mailbox database \"%.*s\": Service unavailable", PR_PRINT(database));
	cf_fail(cf, CF_UNAVAILABLE);
	cf->status = CF_UNAVAILABLE; /* the last word */
}
