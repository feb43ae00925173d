/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What may stand in a line of a control file: addresses, text for people, numbers, xtext.
 */
#include "qf_reader.h"

#include <postrider/address.h>

bool qf_has_control(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < ' ' || c == 0x7f)
			return true;
	}
	return false;
}

bool qf_has_line_end(struct pr_str text)
{
	return pr_str_find(text, '\0') != text.len || pr_str_find(text, '\n') != text.len || pr_str_find(text, '\r') != text.len;
}

bool qf_take_exact(struct reader *r, struct pr_str value, struct pr_str *out)
{
	if (qf_has_control(value) || value.len > SPOOL_LINE_MAX)
		return false;
	*out = pr_arena_copy(r->call->arena, value);
	return out->data != NULL;
}

bool qf_take_shown(struct reader *r, struct pr_str value, struct pr_str *out)
{
	if (qf_has_line_end(value) || value.len > SPOOL_LINE_MAX)
		return false;
	*out = pr_arena_copy(r->call->arena, value);
	return out->data != NULL;
}

bool qf_take_number(struct pr_str value, int64_t *out)
{
	bool negative = value.len > 0 && value.data[0] == '-';
	uint64_t number;

	if (!pr_str_number(pr_str_slice(value, negative ? 1 : 0, value.len), INT64_MAX, &number))
		return false;
	*out = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

bool qf_take_xtext(struct reader *r, struct pr_str value, struct pr_str *out)
{
	/* what is no good xtext is kept as it stands */
	if (qf_has_control(value))
		return false;
	return (pr_xtext_decode(value, r->call->arena, out) && !qf_has_control(*out)) || qf_take_exact(r, value, out);
}

bool qf_next_field(struct reader *r, struct pr_str *rest, struct pr_str *out)
{
	struct pr_str piece;

	if (!pr_str_next(rest, ' ', &piece) || piece.len == 0)
		return false;
	if (pr_str_equal(piece, PR_STR("-"))) {
		*out = PR_NONE;
		return true;
	}
	return piece.data[0] == '=' && pr_xtext_decode(pr_str_slice(piece, 1, piece.len), r->call->arena, out) &&
	       !qf_has_line_end(*out);
}

bool qf_next_number(struct pr_str *rest, uint64_t max, uint32_t *out)
{
	struct pr_str piece;
	uint64_t number;

	if (!pr_str_next(rest, ' ', &piece) || !pr_str_number(piece, max, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}
