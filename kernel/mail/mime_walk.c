/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Line by line through the tree of parts, with the boundaries around on a stack.  A line is kept back only at the end of a piece.
 */
#include "kernel/mail/mime_internal.h"

#include "kernel/mail/mime_limit.h"

#include <string.h>

static void begin_header(struct mime *mime, bool in_digest, bool is_never, bool in_message)
{
	mime_part_begin(&mime->part);
	mime->place = MIME_IN_HEADER;
	mime->in_digest = in_digest;
	mime->is_never = is_never;
	mime->in_message = in_message;
}

static void push(struct mime *mime, const struct mime_type *type, bool is_never)
{
	struct mime_level *level = pr_alloc(sizeof *level);

	memcpy(level->boundary, type->boundary, type->boundary_length);
	level->length = type->boundary_length;
	level->is_digest = pr_str_equal_nocase(pr_str(type->subtype), PR_STR("digest"));
	level->is_never = is_never;
	level->nesting = mime->nesting;
	mime->levels[mime->depth++] = level;
}

/* What follows the header that these fields are. */
void mime_begin_entity(struct mime *mime, const struct pr_header *fields, size_t field_count, bool in_digest, bool is_never, struct pr_text *out)
{
	const struct mime_settings *settings = mime->settings;
	struct mime_type type;

	mime_type_read(fields, field_count, in_digest, &type);
	bool is_message = pr_str_equal_nocase(pr_str(type.type), PR_STR("message"));
	is_never = is_never || mime_type_is_in(&type, &settings->never) || (type.encoding[0] != '\0' && !mime_word_is_in(type.encoding, &settings->encodable)) ||
	    (is_message && !mime_word_is_in(type.subtype, &settings->messages));
	bool is_open = mime->nesting < MIME_NESTING && (!is_never || mime_is_verbatim(mime));
	mime->nesting++;
	if (is_open && pr_str_equal_nocase(pr_str(type.type), PR_STR("multipart")) && type.boundary_length > 0) {
		push(mime, &type, is_never);
		mime_end_header(mime, out);
		mime->place = MIME_IN_COMMENT;
	} else if (is_open && is_message && !is_never) {
		mime_end_header(mime, out);
		begin_header(mime, false, is_never, true);
	} else {
		bool is_opaque = pr_str_equal_nocase(pr_str(type.type), PR_STR("multipart")) || is_message;
		mime_begin_leaf(mime, &type, is_never || is_opaque, out);
	}
}

static bool is_long(const struct mime *mime, const struct pr_header *field)
{
	return mime_limit_is_passed(mime->settings->header_max, mime->settings->field_max, field->name, field->value);
}

static void put_field(struct mime *mime, const struct pr_header *field, struct pr_text *out)
{
	const struct mime_settings *settings = mime->settings;

	if (mime->is_looking || (!mime_is_verbatim(mime) && pr_str_equal_nocase(field->name, PR_STR("Content-Transfer-Encoding"))))
		return;
	mime_put(mime, field->name, out);
	mime_put(mime, PR_STR(":"), out);
	if (is_long(mime, field))
		mime_limit_print(settings->header_max, settings->field_max, field->name, field->value, out);
	else
		mime_put(mime, field->value, out);
	mime_put(mime, PR_STR("\n"), out);
}

static void put_fields(struct mime *mime, struct pr_text *out)
{
	const struct mime_part *part = &mime->part;
	bool changes = !mime_is_verbatim(mime);

	for (size_t i = 0; i < part->count && !changes; i++)
		changes = is_long(mime, &part->fields[i]);
	if (!changes)
		mime_put(mime, pr_text_str(&part->raw), out);
	for (size_t i = 0; i < part->count && changes; i++)
		put_field(mime, &part->fields[i], out);
}

/* The header of a part is over; was it by an empty line? */
static void finish_header(struct mime *mime, bool has_empty_line, struct pr_text *out)
{
	struct mime_part *part = &mime->part;

	mime->has_empty_line = has_empty_line;
	mime_part_read(part);
	put_fields(mime, out);
	if (mime->in_message && !mime_is_verbatim(mime) && mime_field(part->fields, part->count, PR_STR("MIME-Version")) == NULL)
		mime_putf(mime, out, "MIME-Version: 1.0\n");
	mime_begin_entity(mime, part->fields, part->count, mime->in_digest, mime->is_never, out);
}

static void feed_line(struct mime *mime, struct pr_str line, bool begins, struct pr_text *out);

static void header_line(struct mime *mime, struct pr_str line, bool begins, struct pr_text *out)
{
	switch (mime_part_add(&mime->part, line, begins)) {
	case MIME_PART_MORE:
		break;
	case MIME_PART_OVER:
		finish_header(mime, true, out);
		break;
	case MIME_PART_BODY:
		finish_header(mime, false, out);
		feed_line(mime, line, begins, out);
		break;
	case MIME_PART_LARGE:
		mime_put(mime, pr_text_str(&mime->part.raw), out);
		mime_put(mime, line, out);
		mime->place = MIME_IN_LEAF;
		mime->choice = MIME_CHOICE_AS_IT_IS;
		break;
	}
}

static void put_boundary(struct mime *mime, const struct mime_level *level, const char *mark, struct pr_text *out)
{
	if (mime->open_line)
		mime_put(mime, PR_STR("\n"), out);
	mime_putf(mime, out, "--%.*s%s\n", (int)level->length, level->boundary, mark);
}

void mime_pop(struct mime *mime)
{
	mime->depth--;
	mime->nesting = mime->levels[mime->depth]->nesting;
	pr_free(mime->levels[mime->depth]);
}

/* Closes what was left open inside of this many levels. */
static void close_down_to(struct mime *mime, size_t depth, struct pr_text *out)
{
	while (mime->depth > depth) {
		if (!mime_is_verbatim(mime))
			put_boundary(mime, mime->levels[mime->depth - 1], "--", out);
		mime_pop(mime);
	}
}

/* The number of levels that are open behind this line, the one that it belongs to among them; 0: it is no boundary. */
static size_t find_boundary(const struct mime *mime, struct pr_str line, bool *is_last_out)
{
	if (mime->depth == 0 || line.len < 3 || line.data[0] != '-' || line.data[1] != '-')
		return 0;
	while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t' || line.data[line.len - 1] == '\n'))
		line.len--;
	for (size_t i = mime->depth; i-- > 0;) {
		const struct mime_level *level = mime->levels[i];
		struct pr_str rest = pr_str_slice(line, 2 + level->length, line.len);
		if (line.len < 2 + level->length || memcmp(line.data + 2, level->boundary, level->length) != 0)
			continue;
		*is_last_out = pr_str_equal(rest, PR_STR("--"));
		if (rest.len == 0 || *is_last_out)
			return i + 1;
	}
	return 0;
}

static void at_boundary(struct mime *mime, size_t depth, bool is_last, struct pr_str line, struct pr_text *out)
{
	mime_end_leaf(mime, true, out);
	close_down_to(mime, depth, out);
	const struct mime_level *level = mime->levels[depth - 1];
	if (mime_is_verbatim(mime))
		mime_put(mime, line, out);
	else
		put_boundary(mime, level, is_last ? "--" : "", out);
	mime->place = MIME_IN_COMMENT;
	if (is_last) {
		mime_pop(mime);
		return;
	}
	mime->nesting = level->nesting;
	begin_header(mime, level->is_digest, level->is_never, false);
}

static void feed_line(struct mime *mime, struct pr_str line, bool begins, struct pr_text *out)
{
	bool is_last = false;
	size_t depth = begins ? find_boundary(mime, line, &is_last) : 0;

	if (depth > 0) {
		if (mime->place == MIME_IN_HEADER)
			finish_header(mime, false, out);
		/* which may have opened a multipart of the same boundary: then it is that one's */
		depth = find_boundary(mime, line, &is_last);
		at_boundary(mime, depth, is_last, line, out);
	} else if (mime->place == MIME_IN_HEADER) {
		header_line(mime, line, begins, out);
	} else if (mime->place == MIME_IN_LEAF) {
		mime_leaf_line(mime, line, out);
	} else {
		mime_put(mime, line, out);
	}
}

static void take_line(struct mime *mime, struct pr_str line, struct pr_text *out)
{
	bool begins = !mime->goes_on;

	mime->goes_on = line.data[line.len - 1] != '\n';
	feed_line(mime, line, begins, out);
}

/* What came before belongs to the front of this piece. */
static struct pr_str fill_line(struct mime *mime, struct pr_str piece, struct pr_text *out)
{
	size_t room = MIME_LINE - mime->line.len, end = pr_str_find(piece, '\n');
	size_t take = end < piece.len ? end + 1 : end;

	take = take < room ? take : room;
	pr_text_add(&mime->line, piece.data, take);
	if (mime->line.len == MIME_LINE || mime->line.data[mime->line.len - 1] == '\n') {
		take_line(mime, pr_text_str(&mime->line), out);
		pr_text_clear(&mime->line);
	}
	return pr_str_slice(piece, take, piece.len);
}

void mime_walk(struct mime *mime, struct pr_str piece, struct pr_text *out)
{
	while (piece.len > 0) {
		size_t length = pr_str_find(piece, '\n') + 1;
		if (mime->line.len > 0 || (length > piece.len && piece.len < MIME_LINE)) {
			piece = fill_line(mime, piece, out);
			continue;
		}
		length = length < MIME_LINE ? length : MIME_LINE;
		take_line(mime, pr_str_slice(piece, 0, length), out);
		piece = pr_str_slice(piece, length, piece.len);
	}
}

void mime_end_walk(struct mime *mime, struct pr_text *out)
{
	if (mime->line.len > 0)
		take_line(mime, pr_text_str(&mime->line), out);
	pr_text_clear(&mime->line);
	while (mime->place == MIME_IN_HEADER)
		finish_header(mime, false, out);
	mime_end_leaf(mime, false, out);
	close_down_to(mime, 0, out);
}
