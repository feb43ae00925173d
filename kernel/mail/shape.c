/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Line by line: what stands at its beginning is looked at once, the rest is counted.  Most mail passes untouched, so a piece without a long line is
 * found out by searching for line ends only, and is not copied.
 */
#include "kernel/mail/shape.h"

#include <string.h>

static const char from[] = "From ";
#define FROM_LENGTH (sizeof from - 1)

bool shape_is_plain(const struct shape *shape)
{
	return shape->line_limit <= 0 && shape->end_of_line.len == 0 && !shape->quote_from && !shape->hide_dots && !shape->strip_nul && !shape->blank_end;
}

void shaper_init(struct shaper *shaper, const struct shape *shape)
{
	*shaper = (struct shaper){ .shape = *shape };
	if (shaper->shape.line_limit > 0 && shaper->shape.line_limit < 4)
		shaper->shape.line_limit = 4; /* "!" and a blank, and something between */
}

static void end_line(struct shaper *shaper, struct pr_text *out)
{
	if (shaper->shape.end_of_line.len > 0)
		pr_text_add_str(out, shaper->shape.end_of_line);
	else
		pr_text_add_byte(out, '\n');
}

/* Goes on in a new line that is part of the old one. */
static void cut_line(struct shaper *shaper, char next, struct pr_text *out)
{
	pr_text_add_byte(out, '!');
	end_line(shaper, out);
	pr_text_add_byte(out, ' ');
	pr_text_add_byte(out, next);
	shaper->column = 2;
}

static void put(struct shaper *shaper, struct pr_str text, struct pr_text *out)
{
	size_t limit = (size_t)shaper->shape.line_limit;

	if (limit == 0) {
		pr_text_add_str(out, text);
		return;
	}
	if (shaper->has_held && text.len > 0) {
		shaper->has_held = false;
		cut_line(shaper, shaper->held, out);
	}
	while (text.len > 0) {
		size_t room = limit - 1 - shaper->column, take = text.len < room ? text.len : room;
		pr_text_add(out, text.data, take);
		shaper->column += take;
		text = pr_str_slice(text, take, text.len);
		if (text.len == 1) {
			shaper->held = text.data[0];
			shaper->has_held = true;
			return;
		}
		if (text.len > 1) {
			cut_line(shaper, text.data[0], out);
			text = pr_str_slice(text, 1, text.len);
		}
	}
}

static void put_without_nul(struct shaper *shaper, struct pr_str text, struct pr_text *out)
{
	while (text.len > 0) {
		size_t end = shaper->shape.strip_nul ? pr_str_find(text, '\0') : text.len;
		put(shaper, pr_str_slice(text, 0, end), out);
		text = pr_str_slice(text, end + 1, text.len);
	}
}

/* What was kept back at the beginning of the line is no "From ", or is one. */
static void release(struct shaper *shaper, struct pr_text *out)
{
	size_t matched = shaper->matched;

	shaper->matched = 0;
	shaper->in_line = shaper->in_line || matched > 0;
	if (matched == FROM_LENGTH)
		put(shaper, PR_STR(">"), out);
	put(shaper, (struct pr_str){ from, matched }, out);
}

/* Takes from *text what belongs to the beginning of a line. */
static void begin_line(struct shaper *shaper, struct pr_str *text, struct pr_text *out)
{
	if (shaper->in_line || text->len == 0)
		return;
	if (shaper->shape.hide_dots && text->data[0] == '.') /* which does not count */
		pr_text_add_byte(out, '.');
	while (shaper->shape.quote_from && text->len > 0 && shaper->matched < FROM_LENGTH && text->data[0] == from[shaper->matched]) {
		shaper->matched++;
		*text = pr_str_slice(*text, 1, text->len);
	}
	if (text->len > 0 || shaper->matched == FROM_LENGTH || !shaper->shape.quote_from)
		release(shaper, out);
	shaper->in_line = shaper->in_line || text->len > 0;
}

static void finish_line(struct shaper *shaper, struct pr_text *out)
{
	shaper->was_blank = !shaper->in_line && shaper->matched == 0;
	release(shaper, out);
	if (shaper->has_held)
		pr_text_add_byte(out, shaper->held);
	shaper->has_held = shaper->in_line = false;
	shaper->column = 0;
	end_line(shaper, out);
}

void shaper_feed(struct shaper *shaper, struct pr_str piece, struct pr_text *out)
{
	while (piece.len > 0) {
		size_t end = pr_str_find(piece, '\n');
		bool ends = end < piece.len;
		struct pr_str text = pr_str_slice(piece, 0, end);
		begin_line(shaper, &text, out);
		put_without_nul(shaper, text, out);
		if (ends)
			finish_line(shaper, out);
		piece = pr_str_slice(piece, end + ends, piece.len);
	}
}

/* Only the limit is of no matter to most mail; all else changes too much to be worth a look. */
bool shaper_passes(struct shaper *shaper, struct pr_str piece)
{
	const struct shape *shape = &shaper->shape;
	size_t limit = (size_t)shape->line_limit, column = shaper->column;
	const char *at = piece.data, *end = piece.data + piece.len, *newline;

	if (shape->end_of_line.len > 0 || shape->quote_from || shape->hide_dots || shape->strip_nul || shaper->has_held || piece.len == 0)
		return false;
	while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (limit > 0 && column + (size_t)(newline - at) > limit)
			return false;
		shaper->was_blank = newline == at && column == 0; /* told anew when the piece is fed after all */
		column = 0;
		at = newline + 1;
	}
	column += (size_t)(end - at);
	if (limit > 0 && column >= limit)
		return false;
	shaper->column = column;
	shaper->in_line = column > 0;
	return true;
}

void shaper_finish(struct shaper *shaper, struct pr_text *out)
{
	bool is_open;

	release(shaper, out);
	if (shaper->has_held)
		pr_text_add_byte(out, shaper->held);
	shaper->has_held = false;
	is_open = shaper->in_line;
	if (is_open && (shaper->shape.end_of_line.len > 0 || shaper->shape.blank_end)) {
		end_line(shaper, out);
		shaper->was_blank = false;
	}
	if (shaper->shape.blank_end && !shaper->was_blank)
		end_line(shaper, out);
	shaper->in_line = false;
	shaper->column = 0;
}
