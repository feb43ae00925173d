/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a rule set says with `$#error $@ 5.7.1 $: "550 text"`: a code, an enhanced code and a text, each of which may be missing and follows
 * from the others then.
 */
#include "hooks.h"

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

/* Without a code of its own a text is "553 5.3.0", whatever stands behind $@.  With one, the enhanced code is the text's own, else the
 * one behind $@, else what the code says. */
void cf_error_of(struct cf_run *run, const struct cf_address *address, uint32_t *code_out, struct pr_str *enhanced_out, struct pr_str *text_out)
{
	struct pr_arena *arena = run->call->arena;
	struct pr_str text = address->text;

	if (!has_code(text)) {
		*code_out = 553;
		*enhanced_out = PR_STR("5.3.0");
		*text_out = text;
		return;
	}
	uint32_t code = (uint32_t)(text.data[0] - '0') * 100 + (uint32_t)(text.data[1] - '0') * 10 + (uint32_t)(text.data[2] - '0');
	text = pr_str_trim(pr_str_slice(text, 4, text.len));
	size_t length = enhanced_length(text);
	struct pr_str enhanced = code / 100 == 4 ? PR_STR("4.0.0") : PR_STR("5.0.0");
	if (length > 0) {
		enhanced = pr_arena_copy(arena, pr_str_slice(text, 0, length));
		text = pr_str_trim(pr_str_slice(text, length, text.len));
	} else if (enhanced_length(address->code) > 0) {
		enhanced = address->code;
	}
	*code_out = code;
	*enhanced_out = enhanced;
	*text_out = text;
}
