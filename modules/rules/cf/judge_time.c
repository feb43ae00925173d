/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times: numbers with units in a row, each option with a unit of its own for a bare number.  A letter that is no unit is told, and is no error:
 * sendmail runs on with it.
 */
#include "judge.h"

#include <inttypes.h>
#include <string.h>

#define SECONDS_MAX ((int64_t)INT32_MAX)

static int64_t seconds_of(char unit)
{
	static const char letters[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	const char *found = unit == '\0' ? NULL : strchr(letters, unit);

	return found == NULL ? 0 : seconds[found - letters];
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* One number with its unit off the front of *rest. */
static int64_t take(struct cf *cf, struct pr_str *rest, char unit)
{
	int64_t number = 0;
	size_t i = 0;

	for (; i < rest->len && rest->data[i] >= '0' && rest->data[i] <= '9'; i++)
		number = number > SECONDS_MAX ? SECONDS_MAX : number * 10 + (rest->data[i] - '0');
	if (i < rest->len) {
		char letter = rest->data[i++];
		if (seconds_of(lower(letter)) == 0)
			cf_note(cf, "Invalid time unit `%c'", letter);
		unit = seconds_of(lower(letter)) == 0 ? 's' : lower(letter);
	}
	*rest = pr_str_slice(*rest, i, rest->len);
	return number > SECONDS_MAX / seconds_of(unit) ? SECONDS_MAX : number * seconds_of(unit);
}

struct pr_str cf_judge_time(struct cf *cf, struct pr_str value, char unit)
{
	int64_t total = 0;

	if (pr_str_equal_nocase(value, PR_STR("now")))
		return PR_STR("0");
	if (value.len > 0 && value.data[0] == '-')
		value = pr_str_slice(value, 1, value.len);
	while (value.len > 0) {
		total += take(cf, &value, unit);
		total = total > SECONDS_MAX ? SECONDS_MAX : total;
	}
	return pr_arena_printf(&cf->arena, "%" PRId64 "s", total);
}

/* sendmail reads some of them twice, and tells twice what is wrong. */
static const struct {
	const char *name;
	char unit;
	uint8_t readings;
} timeouts[] = {
	{ "aconnect", 'm', 1 }, { "auth", 'm', 1 }, { "command", 'm', 1 }, { "connect", 'm', 1 }, { "control", 'm', 1 },
	{ "datablock", 'm', 1 }, { "datafinal", 'm', 1 }, { "datainit", 'm', 1 }, { "fileopen", 'm', 1 }, { "helo", 'm', 1 },
	{ "hoststatus", 'm', 1 }, { "iconnect", 'm', 1 }, { "ident", 's', 1 }, { "initial", 'm', 1 }, { "lhlo", 'm', 1 },
	{ "mail", 'm', 1 }, { "misc", 'm', 1 }, { "queuereturn", 'd', 2 }, { "queuereturn.dsn", 'd', 2 },
	{ "queuereturn.non-urgent", 'd', 2 }, { "queuereturn.normal", 'd', 2 }, { "queuereturn.urgent", 'd', 2 }, { "queuewarn", 'h', 2 },
	{ "queuewarn.dsn", 'h', 2 }, { "queuewarn.non-urgent", 'h', 2 }, { "queuewarn.normal", 'h', 2 }, { "queuewarn.urgent", 'h', 2 },
	{ "quit", 'm', 1 }, { "rcpt", 'm', 1 }, { "resolver.retrans", 's', 2 }, { "resolver.retrans.first", 's', 2 },
	{ "resolver.retrans.normal", 's', 2 }, { "resolver.retry", 's', 1 }, { "resolver.retry.first", 's', 1 },
	{ "resolver.retry.normal", 's', 1 }, { "rset", 'm', 1 }, { "starttls", 'm', 1 },
};

struct pr_str cf_judge_timeout(struct cf *cf, struct pr_str name, struct pr_str value)
{
	struct pr_str result = PR_NONE;

	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		if (!pr_str_equal_nocase(pr_str(timeouts[i].name), name))
			continue;
		for (uint8_t j = 0; j < timeouts[i].readings; j++)
			result = cf_judge_time(cf, value, timeouts[i].unit);
		return result;
	}
	cf_complain(cf, "settimeout: invalid timeout %.*s", PR_PRINT(name));
	return PR_NONE;
}
