/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of the equates of M, Q and X lines, as far as sendmail looks at them while it reads.
 */
#include "judge.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What may not be empty in a mailer. */
static const struct {
	char letter;
	const char *what;
} needed[] = {
	{ 'C', "charset" }, { 'D', "working directory" }, { 'E', "end-of-line string" }, { 'Q', "queue" }, { 'U', "user name" },
	{ '/', "root directory" },
};

static bool is_group(const struct cf *cf, struct pr_str name)
{
	if (pr_str_equal_nocase(name, PR_STR("mqueue")))
		return true;
	for (size_t i = 0; i < cf->declared_count; i++)
		if (cf->declared[i].kind == PR_DECLARED_QUEUE_GROUP && pr_str_equal_nocase(cf->declared[i].name, name))
			return true;
	return false;
}

/* A number as atoi() has it, never below nothing. */
static struct pr_str number(struct cf *cf, struct pr_str value)
{
	char *copy = pr_copy_str(value);
	long parsed = strtol(copy, NULL, 10);

	pr_free(copy);
	return pr_arena_printf(&cf->arena, "%ld", parsed < 0 ? 0 : parsed > INT32_MAX ? INT32_MAX : parsed);
}

struct pr_str cf_judge_mailer(struct cf *cf, struct pr_str mailer, char letter, struct pr_str value)
{
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (needed[i].letter == letter && value.len == 0) {
			cf_complain(cf, "mailer %.*s: null %s", PR_PRINT(mailer), needed[i].what);
			return PR_NONE;
		}
	if (letter == 'W')
		return cf_judge_time(cf, value, 's');
	if (strchr("LMmr", letter) != NULL)
		return number(cf, value);
	if (letter == 'U')
		return cf_judge_user(cf, "mailer U= flag", value, true) ? value : PR_NONE;
	if (letter != 'Q' || is_group(cf, value))
		return value;
	cf_complain(cf, "mailer %.*s: unknown queue %.*s", PR_PRINT(mailer), PR_PRINT(value));
	return PR_NONE;
}

struct pr_str cf_judge_group(struct cf *cf, struct pr_str group, char letter, struct pr_str value)
{
	if (letter == 'P' && value.len == 0) {
		cf_complain(cf, "queue %.*s: empty path name", PR_PRINT(group));
		return PR_NONE;
	}
	if (letter == 'I')
		return cf_judge_time(cf, value, 'm');
	return strchr("RJNr", letter) != NULL ? number(cf, value) : value;
}

static bool has_option(const struct cf *cf, const char *name)
{
	for (size_t i = 0; i < cf->declared_count; i++)
		if (cf->declared[i].kind == PR_DECLARED_OPTION && pr_str_equal(cf->declared[i].name, pr_str(name)))
			return true;
	return false;
}

bool cf_judge_group_place(struct cf *cf, bool has_path)
{
	if (has_path || has_option(cf, "QueueDirectory"))
		return true;
	cf_complain(cf, "QueueDir must be defined before queue groups");
	return false;
}

/* filters --------------------------------------------------------------- */

static bool is_host(struct pr_str name, int family)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char *copy = pr_copy_str(name);
	bool good = getaddrinfo(copy, NULL, &hints, &found) == 0;

	pr_free(copy);
	if (found != NULL)
		freeaddrinfo(found);
	return good;
}

static bool is_port(struct pr_str name)
{
	uint64_t port;
	char *copy = pr_copy_str(name);
	bool good = pr_str_number(name, 65535, &port) || getservbyname(copy, "tcp") != NULL;

	pr_free(copy);
	return good;
}

/* port@host */
static bool judge_address(struct cf *cf, struct pr_str filter, struct pr_str address, int family)
{
	size_t at = pr_str_find(address, '@');
	struct pr_str port = pr_str_slice(address, 0, at), host = pr_str_slice(address, at + 1, address.len);

	if (at == address.len)
		cf_complain(cf, "X%.*s: bad address %.*s (expected port@host)", PR_PRINT(filter), PR_PRINT(address));
	else if (!is_port(port))
		cf_complain(cf, "X%.*s: unknown port name %.*s", PR_PRINT(filter), PR_PRINT(port));
	else if (host.data[0] != '[' && !is_host(host, family))
		cf_complain(cf, "X%.*s: Unknown host name %.*s", PR_PRINT(filter), PR_PRINT(host));
	else
		return true;
	return false;
}

static bool judge_socket(struct cf *cf, struct pr_str filter, struct pr_str value)
{
	size_t colon = pr_str_find(value, ':');
	struct pr_str type = pr_str_slice(value, 0, colon), rest = pr_str_slice(value, colon + 1, value.len);

	if (colon == value.len || pr_str_equal_nocase(type, PR_STR("unix")) || pr_str_equal_nocase(type, PR_STR("local")))
		return true;
	if (pr_str_equal_nocase(type, PR_STR("inet")))
		return judge_address(cf, filter, rest, AF_INET);
	if (pr_str_equal_nocase(type, PR_STR("inet6")))
		return judge_address(cf, filter, rest, AF_INET6);
	cf_complain_system(cf, EPROTONOSUPPORT, "X%.*s: unknown socket type %.*s", PR_PRINT(filter), PR_PRINT(type));
	return false;
}

/* S:30s;R:30s: for each letter a time.  In words of the milter module, all in seconds. */
static struct pr_str judge_times(struct cf *cf, struct pr_str filter, struct pr_str value)
{
	struct pr_str item, result;
	struct pr_text kept;

	pr_text_init(&kept, value.len * 12 + 1);
	while (value.len > 0 && pr_str_next(&value, ';', &item)) {
		item = pr_str_trim(item);
		size_t colon = pr_str_find(item, ':');
		if (item.len == 0)
			continue;
		if (colon == item.len) {
			cf_complain(cf, "X%.*s, T=: `:' expected", PR_PRINT(filter));
		} else if (strchr("CSRE", item.data[0]) == NULL) {
			cf_complain(cf, "X%.*s: unknown filter timeout %c", PR_PRINT(filter), item.data[0]);
		} else {
			struct pr_str time = cf_judge_time(cf, pr_str_trim(pr_str_slice(item, colon + 1, item.len)), 's');
			pr_text_addf(&kept, "%s%c:%.*s", kept.len > 0 ? ";" : "", item.data[0], PR_PRINT(time));
		}
	}
	result = pr_arena_copy(&cf->arena, pr_text_str(&kept));
	pr_text_fini(&kept);
	return result.len > 0 ? result : PR_NONE;
}

struct pr_str cf_judge_filter(struct cf *cf, struct pr_str filter, char letter, struct pr_str value)
{
	if (letter == 'S' && value.len > 0 && !judge_socket(cf, filter, value))
		return PR_NONE;
	return letter == 'T' ? judge_times(cf, filter, value) : value;
}
