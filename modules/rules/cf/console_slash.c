/* SPDX-License-Identifier: BSD-2-Clause
 *
 * /parse, /try, /tryflags, /map, /mx, /canon: a table of commands.
 */
#include "console.h"
#include "crack.h"
#include "judge.h"

#include <postrider/mapflags.h>

#include <arpa/inet.h>
#include <string.h>

#define CANON_MAX 255u

enum { HEADER = 1, SENDER = 2 };

static const char *flag_words(const struct cf *cf, char separator, char buffer[32])
{
	pr_print(buffer, 32, "%s%c%s", cf->try_flags & HEADER ? "header" : "envelope", separator,
	         cf->try_flags & SENDER ? "sender" : "recipient");
	return buffer;
}

static struct pr_str first_word(struct pr_str *rest)
{
	size_t end = 0;

	while (end < rest->len && rest->data[end] != ' ' && rest->data[end] != '\t')
		end++;
	struct pr_str word = pr_str_slice(*rest, 0, end);
	*rest = pr_str_trim(pr_str_slice(*rest, end, rest->len));
	return word;
}

/* /parse ---------------------------------------------------------------- */

static void show_frame(struct cf_run *run, struct pr_str text)
{
	struct pr_text frame;

	pr_text_init(&frame, CF_CODE_MAX);
	cf_crack(text, !run->cf->colon_ok, run->cf->must_quote, &frame);
	pr_text_add_c(run->trace, "Cracked address = ");
	cf_frame_print(pr_text_str(&frame), PR_STR("$g"), run->trace);
	pr_text_add_byte(run->trace, '\n');
	pr_text_fini(&frame);
}

/* The set that gives a recipient its queue group. */
static void ask_group(struct cf_run *run, const struct cf_address *address)
{
	uint16_t set = cf_set_find(run->cf, PR_STR("queuegroup"));
	struct cf_tokens tokens = {0};
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .flags = CF_SCAN_COMMENTS,
		.text = address->user };

	if (set == 0 || run->cf->sets[set - 1].count == 0 || address->user.len == 0 || address->is_refused)
		return;
	if (address->mailer == NULL && !cf_address_is_temporary(address))
		return; /* the text of a temporary error is taken for a user */
	if (cf_scan_shown(run, &scan, &tokens))
		cf_rewrite(run, (uint16_t)(set - 1), &tokens);
	cf_tokens_fini(&tokens);
}

static void parse(struct cf_run *run, struct pr_str text)
{
	struct cf_address address;
	char buffer[32];

	show_frame(run, text);
	pr_text_addf(run->trace, "Parsing %s address\n", flag_words(run->cf, ' ', buffer));
	if (!cf_parse(run, text, !(run->cf->try_flags & SENDER), &address)) {
		pr_text_add_c(run->trace, "Cannot parse\n");
		return;
	}
	if (run->cf->try_flags == 0) /* a recipient of the envelope */
		ask_group(run, &address);
	if (address.is_deferred) {
		run->about = text;
		cf_run_say(run, true, PR_STR("Transient parse error -- message queued for future delivery"));
	}
	pr_text_addf(run->trace, "mailer %.*s", PR_PRINT(address.mailer == NULL ? PR_STR("*error*") : address.mailer->name));
	if (address.host.len > 0)
		pr_text_addf(run->trace, ", host %.*s", PR_PRINT(address.host));
	pr_text_addf(run->trace, ", user %.*s\n", PR_PRINT(address.user));
}

/* /try ------------------------------------------------------------------ */

static void try_mailer(struct cf_run *run, struct pr_str rest)
{
	static const uint32_t forms[] = { PR_REWRITE_ENVELOPE_RECIPIENT, PR_REWRITE_HEADER_RECIPIENT, PR_REWRITE_ENVELOPE_SENDER,
		PR_REWRITE_HEADER_SENDER };
	struct pr_str name = first_word(&rest), result;
	char buffer[32];

	if (rest.len == 0) {
		pr_text_add_c(run->trace, "Usage: /try mailer address\n");
		return;
	}
	const struct cf_mailer *mailer = cf_mailer_find(run->cf, name);
	if (mailer == NULL) {
		pr_text_addf(run->trace, "Unknown mailer %.*s\n", PR_PRINT(name));
		return;
	}
	pr_text_addf(run->trace, "Trying %s address %.*s for mailer %.*s\n", flag_words(run->cf, ' ', buffer), PR_PRINT(rest), PR_PRINT(name));
	int status = cf_remote(run, rest, mailer, forms[run->cf->try_flags], false, &result);
	pr_text_addf(run->trace, "Rcode = %d, addr = %.*s\n", status, PR_PRINT(result));
}

static void try_flags(struct cf_run *run, struct pr_str letters)
{
	for (size_t i = 0; i < letters.len; i++) {
		switch (letters.data[i] | 0x20) {
		case 'h': run->cf->try_flags |= HEADER; break;
		case 'e': run->cf->try_flags &= ~(uint32_t)HEADER; break;
		case 's': run->cf->try_flags |= SENDER; break;
		case 'r': run->cf->try_flags &= ~(uint32_t)SENDER; break;
		default: break;
		}
	}
	cf_console_type(run);
}

/* /map /mx /canon ------------------------------------------------------- */

int cf_map_nothing(struct pr_str class_name)
{
	static const struct {
		const char *name;
		int status;
	} classes[] = { { "null", CF_NOHOST }, { "text", CF_NOHOST }, { "sequence", CF_NOHOST }, { "switch", CF_NOHOST }, { "bestmx", CF_NOHOST },
		{ "dns", CF_NOHOST }, { "host", CF_NOHOST }, { "user", CF_NOUSER }, { "arpa", CF_DATAERR } };

	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (pr_str_equal_nocase(class_name, pr_str(classes[i].name)))
			return classes[i].status;
	return CF_OK;
}

static bool is_alias(struct cf_run *run, struct pr_str name)
{
	const struct pr_dns_record *records;
	size_t count = 0;

	return pr_dns_records(run->call, name, 5 /* CNAME */, &records, &count) == PR_OK && count > 0;
}

static int bestmx_nothing(struct cf_run *run, struct pr_str name)
{
	const struct pr_mx *hosts = NULL;
	size_t count = 0;

	if (is_alias(run, name))
		return CF_OK;
	if (run->call->host->dns_mx(run->call, name, &hosts, &count) == PR_OK && count == 1 && hosts[0].name.len == 0)
		return CF_UNAVAILABLE; /* a null MX */
	return CF_NOHOST;
}

/* The question comes before what was said meanwhile, from `at` on. */
static void show_lookup(struct cf_run *run, size_t at, struct pr_str name, struct pr_str key)
{
	struct pr_str said = pr_arena_copy(run->call->arena, pr_str_slice(pr_text_str(run->trace), at, run->trace->len));

	pr_text_cut(run->trace, at);
	pr_text_addf(run->trace, "map_lookup: %.*s (%.*s) ", PR_PRINT(name), PR_PRINT(key));
	pr_text_add_str(run->trace, said);
}

static void map(struct cf_run *run, struct pr_str rest)
{
	size_t end = 0;
	struct pr_str value = PR_NONE;
	struct pr_list none = { NULL, 0 };

	while (end < rest.len && rest.data[end] != ' ' && rest.data[end] != '\t')
		end++;
	struct pr_str name = pr_str_slice(rest, 0, end);
	rest = pr_str_slice(rest, end + 1, rest.len); /* one blank parts them: others are the key's */
	if (rest.len == 0) {
		pr_text_add_c(run->trace, "No key specified\n");
		return;
	}
	const struct cf_map *known = cf_map_find(run->cf, name);
	const struct pr_host *host = run->call->host;
	if (known == NULL || (!cf_judge_has_class(known->class_name) && !host->map_exists(run->call, known->name))) {
		pr_text_addf(run->trace, "Map named \"%.*s\" not found\n", PR_PRINT(name));
		return;
	}
	if (known->kind == CF_MAP_OTHER && !host->map_exists(run->call, known->name)) {
		pr_text_addf(run->trace, "Map named \"%.*s\" not open\n", PR_PRINT(name));
		return;
	}
	size_t before = run->trace->len;
	bool was_told = known->is_told;
	int status = cf_map_lookup(run, known->name, known, rest, &none, &value);
	if (value.data == NULL && pr_str_equal(run->call->reason, PR_STR(PR_MAP_ABSENT))) {
		pr_text_addf(run->trace, "Map named \"%.*s\" not open\n", PR_PRINT(name));
		return;
	}
	show_lookup(run, was_told == known->is_told ? before : run->trace->len, name, rest);
	if (value.data == NULL && status == CF_OK)
		status = pr_str_equal(known->class_name, PR_STR("bestmx")) ? bestmx_nothing(run, rest) : cf_map_nothing(known->class_name);
	if (value.data == NULL || status == CF_TEMPFAIL) /* what -T makes of it is for rules */
		pr_text_addf(run->trace, "no match (%d)\n", status);
	else
		pr_text_addf(run->trace, "returns %.*s (%d)\n", PR_PRINT(value), status);
}

static bool is_number(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* [192.0.2.1] or [IPv6:2001:db8::1] */
static bool is_literal(struct pr_str name)
{
	char text[INET6_ADDRSTRLEN + 1];
	bool is_new = pr_str_has_prefix_nocase(name, PR_STR("[IPv6:"));

	if (name.len < 3 || name.data[0] != '[' || name.data[name.len - 1] != ']')
		return false;
	name = pr_str_slice(name, is_new ? 6 : 1, name.len - 1);
	pr_print(text, sizeof text, "%.*s", PR_PRINT(name));
	return is_number(text);
}

/* A host without MX that has an address is its own; a number is no name. */
static bool is_host(struct cf_run *run, struct pr_str name)
{
	struct pr_list addresses = { NULL, 0 };
	char text[INET6_ADDRSTRLEN + 1];

	pr_print(text, sizeof text, "%.*s", PR_PRINT(name));
	return !is_number(text) && run->call->host->dns_addresses(run->call, name, &addresses) == PR_OK && addresses.count > 0;
}

static void show_hosts(struct cf_run *run, struct pr_str name, const struct pr_mx *hosts, size_t count)
{
	pr_text_addf(run->trace, "getmxrr(%.*s) returns %zu value(s):\n", PR_PRINT(name), count);
	for (size_t i = 0; i < count; i++)
		pr_text_addf(run->trace, "\t%.*s%s\n", PR_PRINT(hosts[i].name), hosts[i].name.data[0] == '[' ? "" : ".");
}

static void show_host(struct cf_run *run, struct pr_str name, struct pr_str host)
{
	const struct pr_mx itself = { .name = host };

	show_hosts(run, name, &itself, host.len > 0);
}

static struct pr_str without_dot(struct pr_str name)
{
	return name.len > 1 && name.data[name.len - 1] == '.' ? pr_str_slice(name, 0, name.len - 1) : name;
}

/* What the map of $[ $] makes of a name, without a word when it cannot be known; absent: it does not find it. */
static struct pr_str canonical(struct cf_run *run, struct pr_str name)
{
	struct pr_str value = PR_NONE;
	struct pr_list none = { NULL, 0 };
	struct cf_run quiet = *run;

	quiet.trace = NULL;
	cf_map_lookup(&quiet, PR_STR("host"), cf_map_find(run->cf, PR_STR("host")), name, &none, &value);
	return value.data == NULL ? PR_NONE : without_dot(value);
}

static bool has_brackets(struct pr_str name)
{
	return name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']';
}

/* A name in brackets is asked for its address only; an old-fashioned number ("[127.1]") is one. */
static void mx_of_brackets(struct cf_run *run, struct pr_str name)
{
	struct in_addr number;
	char text[INET6_ADDRSTRLEN + 1];
	struct pr_str inner = pr_str_slice(name, 1, name.len - 1);

	pr_print(text, sizeof text, "%.*s", PR_PRINT(inner));
	show_host(run, name, is_literal(name) || inet_aton(text, &number) != 0 ? name : canonical(run, inner));
}

static void mx(struct cf_run *run, struct pr_str name)
{
	const struct pr_mx *hosts = NULL;
	size_t count = 0;

	if (has_brackets(name)) {
		mx_of_brackets(run, name);
		return;
	}
	struct pr_str full = without_dot(name), found = pr_str_find(name, '.') == name.len ? canonical(run, name) : PR_NONE;
	full = found.data == NULL ? full : found;
	enum pr_status status = run->call->host->dns_mx(run->call, full, &hosts, &count);
	if (status == PR_OK && count == 1 && hosts[0].name.len == 0)
		pr_text_addf(run->trace, "getmxrr(%.*s) returns null MX (See RFC7505)\n", PR_PRINT(name));
	else if (status == PR_OK)
		show_hosts(run, name, hosts, count);
	else if (is_alias(run, full))
		show_hosts(run, name, NULL, 0);
	else if (status == PR_NOTFOUND)
		show_host(run, name, found.data != NULL || is_host(run, full) ? full : PR_NONE);
	else
		pr_text_addf(run->trace, "getmxrr(%.*s) returns -1 value(s):\n", PR_PRINT(name));
}

/* A literal is as it is. */
static void canon(struct cf_run *run, struct pr_str name)
{
	if (name.len > CANON_MAX) {
		pr_text_add_c(run->trace, "Name too long\n");
		return;
	}
	struct pr_str value = name.data[0] != '[' ? canonical(run, name) : PR_NONE;
	if (value.data == NULL)
		value = pr_str_equal(name, PR_STR(".")) ? PR_STR("") : without_dot(name);
	pr_text_addf(run->trace, "getcanonname(%.*s) returns %.*s\n", PR_PRINT(name), PR_PRINT(value));
}

/* ----------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *usage; /* what it says without an argument; NULL: it does without */
	void (*run)(struct cf_run *run, struct pr_str rest);
} commands[] = {
	{ "/parse", "Usage: /parse address\n", parse },
	{ "/try", "Usage: /try mailer address\n", try_mailer },
	{ "/tryflags", "Usage: /tryflags [Hh|Ee][Ss|Rr]\n", try_flags },
	{ "/map", "Usage: /map mapname key\n", map },
	{ "/mx", "Usage: /mx address\n", mx },
	{ "/canon", "Usage: /canon address\n", canon },
};

void cf_console_slash(struct cf_run *run, struct pr_str line)
{
	struct pr_str rest = line, name;

	while (rest.len > 0 && (rest.data[rest.len - 1] == ' ' || rest.data[rest.len - 1] == '\t'))
		rest.len--;
	name = first_word(&rest);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (!pr_str_equal_nocase(name, pr_str(commands[i].name)))
			continue;
		if (rest.len == 0)
			pr_text_add_c(run->trace, commands[i].usage);
		else
			commands[i].run(run, rest);
		return;
	}
	if (name.len < 2)
		pr_text_add_c(run->trace, "Usage: /[canon|map|mx|parse|try|tryflags]\n");
	else
		pr_text_addf(run->trace, "Unknown \"/\" command %.*s\n", PR_PRINT(name));
}
