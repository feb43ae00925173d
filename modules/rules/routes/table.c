/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all tables share: asking one that may not be declared, filling in %1, and reading the refusals that administrators
 * write as values.  Refusals are read as sendmail reads its error mailer, measured on the real one.
 */
#include "routes.h"

#include <string.h>

enum pr_status routes_lookup(struct pr_call *call, struct pr_str map, struct pr_str key, struct pr_str *value_out)
{
	if (map.len == 0 || key.data == NULL || !call->host->map_exists(call, map))
		return PR_NOTFOUND;
	int64_t began = routes_step_clock(call);
	enum pr_status status = call->host->map_lookup(call, map, key, NULL, value_out);
	if (status == PR_OK)
		*value_out = pr_str_trim(*value_out);
	routes_step_map(call, map, key, status, *value_out, began);
	return status == PR_OK || status == PR_NOTFOUND ? status : PR_TEMPFAIL; /* the reason is in the call */
}

struct pr_str routes_own_name(struct pr_call *call)
{
	struct pr_str name = call->host->macro(call, PR_STR("j"));

	if (name.len == 0)
		name = call->host->option(call, PR_STR("HostName"));
	return name.len > 0 ? name : PR_STR("localhost");
}

struct pr_str routes_fill(struct pr_call *call, struct pr_str value, const struct pr_str *args, size_t count)
{
	struct pr_text text;

	pr_text_init(&text, 4096);
	for (size_t i = 0; i < value.len; i++) {
		char next = i + 1 < value.len ? value.data[i + 1] : '\0';
		if (value.data[i] != '%' || !(next == '%' || (next >= '0' && next <= '9'))) {
			pr_text_add_byte(&text, value.data[i]);
			continue;
		}
		i++;
		if (next == '%')
			pr_text_add_byte(&text, '%');
		else if ((size_t)(next - '0') < count)
			pr_text_add_str(&text, args[next - '0']);
	}
	struct pr_str filled = text.overflow ? PR_NONE : pr_arena_copy(call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return filled;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* "550 " or "450 " in front */
static bool has_code(struct pr_str text)
{
	return text.len >= 4 && (text.data[0] == '4' || text.data[0] == '5') && is_digit(text.data[1]) && is_digit(text.data[2]) &&
	       text.data[3] == ' ';
}

/* Length of "5.7.1" in front, 0 when there is none. */
static size_t enhanced_length(struct pr_str text)
{
	size_t i = 0;

	if (text.len < 5 || (text.data[0] != '2' && text.data[0] != '4' && text.data[0] != '5'))
		return 0;
	for (int part = 0; part < 3; part++) {
		size_t start = i;
		while (i < text.len && is_digit(text.data[i]))
			i++;
		if (i == start || i - start > 3)
			return 0;
		if (part < 2 && (i >= text.len || text.data[i++] != '.'))
			return 0;
	}
	return i;
}

static struct pr_str unquoted(struct pr_str text)
{
	text = pr_str_trim(text);
	return text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"' ? pr_str_slice(text, 1, text.len - 1) : text;
}

void routes_parse_text(struct pr_str text, struct refusal *refusal_out)
{
	struct pr_str enhanced = refusal_out->enhanced;

	text = unquoted(text);
	if (!has_code(text)) { /* without a code the class of a status given beside it does not count either */
		*refusal_out = (struct refusal){ .code = 553, .enhanced = PR_STR("5.3.0"), .text = text };
		return;
	}
	uint32_t code = (uint32_t)((text.data[0] - '0') * 100 + (text.data[1] - '0') * 10 + (text.data[2] - '0'));
	text = pr_str_trim(pr_str_slice(text, 4, text.len));
	size_t length = enhanced_length(text);
	if (length > 0 && (length == text.len || text.data[length] == ' ')) {
		enhanced = pr_str_slice(text, 0, length);
		text = pr_str_trim(pr_str_slice(text, length, text.len));
	}
	if (enhanced.len == 0 || enhanced.data[0] != (char)('0' + code / 100))
		enhanced = code >= 500 ? PR_STR("5.0.0") : PR_STR("4.0.0");
	*refusal_out = (struct refusal){ .code = code, .enhanced = enhanced, .text = text };
}

/* "nohost 550 text": sendmail's names of exit codes, where a reply follows.  Without one the word is part of the text. */
static struct pr_str without_exit_name(struct pr_str value)
{
	static const char *const names[] = { "usage", "nouser", "nohost", "unavailable", "software", "tempfail", "protocol", "config" };
	size_t blank = pr_str_find(value, ' ');
	struct pr_str rest = pr_str_trim(pr_str_slice(value, blank, value.len));

	for (size_t i = 0; has_code(rest) && i < sizeof names / sizeof *names; i++)
		if (pr_str_equal_nocase(pr_str_slice(value, 0, blank), pr_str(names[i])))
			return rest;
	return value;
}

void routes_parse_error(struct pr_str value, struct refusal *refusal_out)
{
	*refusal_out = (struct refusal){0};
	value = without_exit_name(unquoted(value));
	size_t length = enhanced_length(value);
	if (length > 0 && length < value.len && value.data[length] == ':') {
		refusal_out->enhanced = pr_str_slice(value, 0, length);
		value = pr_str_slice(value, length + 1, value.len);
	}
	routes_parse_text(value, refusal_out);
}
