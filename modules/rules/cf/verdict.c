/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a rule set says with `$#error $@ 5.7.1 $: "550 text"`: a code, an enhanced code and a text, each of which may be missing and follows
 * from the others then.
 */
#include "hooks.h"

#include <stdio.h>

static const struct {
	const char *name;
	int status;
	uint32_t code;
	const char *enhanced;
} words[] = {
	{ "usage", CF_USAGE, 553, "5.5.4" },         { "nouser", CF_NOUSER, 550, "5.1.1" },
	{ "nohost", CF_NOHOST, 553, "5.1.2" },       { "unavailable", CF_UNAVAILABLE, 553, "5.7.1" },
	{ "software", CF_SOFTWARE, 553, "5.3.0" },   { "tempfail", CF_TEMPFAIL, 451, "4.0.0" },
	{ "protocol", CF_PROTOCOL, 553, "5.5.0" },   { "config", CF_CONFIG, 553, "5.3.5" },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_code(struct pr_str text)
{
	return text.len >= 4 && text.data[0] >= '2' && text.data[0] <= '5' && is_digit(text.data[1]) && is_digit(text.data[2]) &&
	       text.data[3] == ' ';
}

/* "5.7.1" at the front of text: its length, or 0. */
static size_t enhanced_length(struct pr_str text)
{
	size_t at = 0, dots = 0, digits = 0;

	for (; at < text.len && (is_digit(text.data[at]) || text.data[at] == '.'); at++) {
		if (text.data[at] == '.' && digits == 0)
			return 0;
		dots += text.data[at] == '.';
		digits = text.data[at] == '.' ? 0 : digits + 1;
	}
	return dots == 2 && digits > 0 && (at == text.len || text.data[at] == ' ') ? at : 0;
}

void cf_error_of(struct cf_run *run, const struct cf_address *address, uint32_t *code_out, struct pr_str *enhanced_out, struct pr_str *text_out)
{
	struct pr_str text = address->text, enhanced = PR_NONE;
	uint32_t code = 0;

	if (has_code(text)) {
		code = (uint32_t)(text.data[0] - '0') * 100 + (uint32_t)(text.data[1] - '0') * 10 + (uint32_t)(text.data[2] - '0');
		text = pr_str_trim(pr_str_slice(text, 4, text.len));
	}
	size_t length = enhanced_length(text);
	if (length > 0) {
		enhanced = pr_arena_copy(run->call->arena, pr_str_slice(text, 0, length));
		text = pr_str_trim(pr_str_slice(text, length, text.len));
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!pr_str_equal_nocase(address->code, pr_str(words[i].name)))
			continue;
		code = code == 0 ? words[i].code : code;
		enhanced = enhanced.data == NULL ? pr_str(words[i].enhanced) : enhanced;
	}
	if (enhanced_length(address->code) > 0)
		enhanced = enhanced.data == NULL ? address->code : enhanced;
	if (code == 0)
		code = enhanced.len > 0 && enhanced.data[0] == '4' ? 451 : 553;
	*code_out = code;
	*enhanced_out = enhanced.data == NULL ? (code / 100 == 4 ? PR_STR("4.0.0") : PR_STR("5.0.0")) : enhanced;
	*text_out = text;
}
