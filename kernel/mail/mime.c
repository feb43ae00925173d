/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Line by line through the tree of parts, with the boundaries around on a stack.  Looking and writing take the same way, so that the n-th choice
 * made is the n-th one needed; only what is written differs.  A line without end is handled in pieces of MIME_LINE, as one is
 * kept back only at the end of a piece.
 */
#include "kernel/mail/mime.h"

#include "kernel/mail/mime_decode.h"
#include "kernel/mail/mime_encode.h"
#include "kernel/mail/mime_limit.h"
#include "kernel/mail/mime_part.h"
#include "kernel/mail/mime_type.h"

#include <string.h>

#define MIME_LINE 2047             /* sendmail's */
#define MIME_NESTING 20            /* parts in parts; deeper ones are not looked into */
#define CHOICES_MAX ((size_t)1 << 20) /* parts of which a choice is kept: what is beyond goes into base64 */
#define HEAD_MAX ((size_t)4096)
#define SAMPLE 4096                /* bytes after which a part that is a quarter of eight bits is not counted further */

enum place { IN_COMMENT, IN_HEADER, IN_LEAF };
enum choice { AS_IT_IS, IN_QUOTED, IN_BASE64, COUNTED };

struct level { /* one multipart that is open */
	char boundary[MIME_BOUNDARY_MAX + 1];
	size_t length;
	uint32_t nesting;
	bool is_digest, is_never;
};

struct mime {
	const struct mime_settings *settings;
	enum mime_form form;
	const struct pr_header *fields; /* of the message */
	size_t count;
	struct pr_text head, line;
	bool is_looking, goes_on, open_line, is_outer, has_empty_line;
	struct level *levels[MIME_NESTING];
	size_t depth;
	uint32_t nesting;
	enum place place;
	struct mime_part part;
	bool in_digest, is_never, in_message; /* of the header that is gathered */
	/* the leaf */
	enum choice choice;
	uint64_t size, high;
	bool is_counted_out, leaf_quoted, leaf_binary;
	struct mime_encoder encoder;
	struct mime_decoder decoder;
	unsigned char *choices;
	size_t choice_count, choice_room, choice_at;
};

static bool is_verbatim(const struct mime *mime)
{
	return mime->form != MIME_TO_SEVEN;
}

static void put(struct mime *mime, struct pr_str text, struct pr_text *out)
{
	if (mime->is_looking || text.len == 0)
		return;
	pr_text_add_str(out, text);
	mime->open_line = text.data[text.len - 1] != '\n';
}

static void putf(struct mime *mime, struct pr_text *out, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void putf(struct mime *mime, struct pr_text *out, const char *format, ...)
{
	va_list args;

	if (mime->is_looking)
		return;
	va_start(args, format);
	pr_text_addv(out, format, args);
	va_end(args);
	mime->open_line = false;
}

/* The empty line; that of the message itself is the printer's, and one that is missing is none of ours unless we wrote the header. */
static void end_header(struct mime *mime, struct pr_text *out)
{
	if (!mime->is_outer && (mime->has_empty_line || !is_verbatim(mime)))
		put(mime, PR_STR("\n"), out);
	mime->is_outer = false;
}

/* ---- leaves ---- */

static enum choice choose(const struct mime *mime)
{
	if (mime->leaf_binary && mime->high > 0 && !mime->leaf_quoted)
		return IN_BASE64;
	if (mime->high == 0)
		return AS_IT_IS;
	return mime->size / 8 < mime->high && !mime->leaf_quoted ? IN_BASE64 : IN_QUOTED;
}

static void note_choice(struct mime *mime)
{
	if (mime->choice_count == CHOICES_MAX)
		return;
	if (mime->choice_count == mime->choice_room) {
		mime->choice_room = mime->choice_room > 0 ? 2 * mime->choice_room : 64;
		mime->choices = pr_resize(mime->choices, mime->choice_room);
	}
	mime->choices[mime->choice_count++] = (unsigned char)choose(mime);
}

static enum choice next_choice(struct mime *mime)
{
	return mime->choice_at < mime->choice_count ? (enum choice)mime->choices[mime->choice_at++] : IN_BASE64;
}

static void begin_leaf(struct mime *mime, const struct mime_type *type, bool is_never, struct pr_text *out)
{
	const struct mime_settings *settings = mime->settings;

	mime->place = IN_LEAF;
	mime->size = mime->high = 0;
	mime->is_counted_out = false;
	mime->leaf_quoted = mime_type_is_in(type, &settings->quoted);
	mime->leaf_binary = pr_str_equal_nocase(pr_str(type->encoding), PR_STR("binary"));
	mime->choice = is_never || is_verbatim(mime) ? AS_IT_IS : mime->is_looking ? COUNTED : next_choice(mime);
	if (mime->choice == AS_IT_IS) {
		if (type->encoding[0] != '\0' && !is_verbatim(mime))
			putf(mime, out, "Content-Transfer-Encoding: %s\n", type->encoding);
	} else if (mime->choice != COUNTED) {
		bool quoted = mime->choice == IN_QUOTED;
		const char *word = quoted ? "quoted-printable" : "base64";
		putf(mime, out, "Content-Transfer-Encoding: %s\nX-MIME-Autoconverted: from 8bit to %s by %.*s id %.*s\n", word, word,
		    PR_PRINT(settings->host_name), PR_PRINT(settings->id));
		mime_encoder_begin(&mime->encoder, quoted ? MIME_QUOTED : MIME_BASE64, settings->quote_from, settings->ebcdic);
	}
	end_header(mime, out);
}

static void count(struct mime *mime, struct pr_str text)
{
	if (mime->is_counted_out)
		return;
	mime->size += text.len;
	for (size_t i = 0; i < text.len; i++)
		mime->high += (unsigned char)text.data[i] >> 7;
	mime->is_counted_out = mime->size >= SAMPLE && mime->high > mime->size / 4;
}

static void leaf_line(struct mime *mime, struct pr_str text, struct pr_text *out)
{
	if (mime->choice == COUNTED)
		count(mime, text);
	else if (mime->choice == AS_IT_IS)
		put(mime, text, out);
	else
		mime_encoder_add(&mime->encoder, text, out);
}

static void end_leaf(struct mime *mime, bool at_boundary, struct pr_text *out)
{
	if (mime->place != IN_LEAF)
		return;
	if (mime->choice == COUNTED)
		note_choice(mime);
	else if (mime->choice != AS_IT_IS)
		mime_encoder_end(&mime->encoder, at_boundary, mime->depth > 0, out);
	if (mime->choice != AS_IT_IS)
		mime->open_line = false;
}

/* ---- entities ---- */

static void begin_header(struct mime *mime, bool in_digest, bool is_never, bool in_message)
{
	mime_part_begin(&mime->part);
	mime->place = IN_HEADER;
	mime->in_digest = in_digest;
	mime->is_never = is_never;
	mime->in_message = in_message;
}

static void push(struct mime *mime, const struct mime_type *type, bool is_never)
{
	struct level *level = pr_alloc(sizeof *level);

	memcpy(level->boundary, type->boundary, type->boundary_length);
	level->length = type->boundary_length;
	level->is_digest = pr_str_equal_nocase(pr_str(type->subtype), PR_STR("digest"));
	level->is_never = is_never;
	level->nesting = mime->nesting;
	mime->levels[mime->depth++] = level;
}

/* What follows the header that these fields are. */
static void begin_entity(struct mime *mime, const struct pr_header *fields, size_t field_count, bool in_digest, bool is_never, struct pr_text *out)
{
	const struct mime_settings *settings = mime->settings;
	struct mime_type type;

	mime_type_read(fields, field_count, in_digest, &type);
	bool is_message = pr_str_equal_nocase(pr_str(type.type), PR_STR("message"));
	is_never = is_never || mime_type_is_in(&type, &settings->never) || (type.encoding[0] != '\0' && !mime_word_is_in(type.encoding, &settings->encodable)) ||
	    (is_message && !mime_word_is_in(type.subtype, &settings->messages));
	bool is_open = mime->nesting < MIME_NESTING && (!is_never || is_verbatim(mime));
	mime->nesting++;
	if (is_open && pr_str_equal_nocase(pr_str(type.type), PR_STR("multipart")) && type.boundary_length > 0) {
		push(mime, &type, is_never);
		end_header(mime, out);
		mime->place = IN_COMMENT;
	} else if (is_open && is_message && !is_never) {
		end_header(mime, out);
		begin_header(mime, false, is_never, true);
	} else {
		bool is_opaque = pr_str_equal_nocase(pr_str(type.type), PR_STR("multipart")) || is_message;
		begin_leaf(mime, &type, is_never || is_opaque, out);
	}
}

static bool is_long(const struct mime *mime, const struct pr_header *field)
{
	return mime_limit_is_passed(mime->settings->header_max, mime->settings->field_max, field->name, field->value);
}

static void put_field(struct mime *mime, const struct pr_header *field, struct pr_text *out)
{
	const struct mime_settings *settings = mime->settings;

	if (mime->is_looking || (!is_verbatim(mime) && pr_str_equal_nocase(field->name, PR_STR("Content-Transfer-Encoding"))))
		return;
	put(mime, field->name, out);
	put(mime, PR_STR(":"), out);
	if (is_long(mime, field))
		mime_limit_print(settings->header_max, settings->field_max, field->name, field->value, out);
	else
		put(mime, field->value, out);
	put(mime, PR_STR("\n"), out);
}

static void put_fields(struct mime *mime, struct pr_text *out)
{
	const struct mime_part *part = &mime->part;
	bool changes = !is_verbatim(mime);

	for (size_t i = 0; i < part->count && !changes; i++)
		changes = is_long(mime, &part->fields[i]);
	if (!changes)
		put(mime, pr_text_str(&part->raw), out);
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
	if (mime->in_message && !is_verbatim(mime) && mime_field(part->fields, part->count, PR_STR("MIME-Version")) == NULL)
		putf(mime, out, "MIME-Version: 1.0\n");
	begin_entity(mime, part->fields, part->count, mime->in_digest, mime->is_never, out);
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
		put(mime, pr_text_str(&mime->part.raw), out);
		put(mime, line, out);
		mime->place = IN_LEAF;
		mime->choice = AS_IT_IS;
		break;
	}
}

/* ---- boundaries ---- */

static void put_boundary(struct mime *mime, const struct level *level, const char *mark, struct pr_text *out)
{
	if (mime->open_line)
		put(mime, PR_STR("\n"), out);
	putf(mime, out, "--%.*s%s\n", (int)level->length, level->boundary, mark);
}

static void pop(struct mime *mime)
{
	mime->depth--;
	mime->nesting = mime->levels[mime->depth]->nesting;
	pr_free(mime->levels[mime->depth]);
}

/* Closes what was left open inside of this many levels. */
static void close_down_to(struct mime *mime, size_t depth, struct pr_text *out)
{
	while (mime->depth > depth) {
		if (!is_verbatim(mime))
			put_boundary(mime, mime->levels[mime->depth - 1], "--", out);
		pop(mime);
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
		const struct level *level = mime->levels[i];
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
	end_leaf(mime, true, out);
	close_down_to(mime, depth, out);
	const struct level *level = mime->levels[depth - 1];
	if (is_verbatim(mime))
		put(mime, line, out);
	else
		put_boundary(mime, level, is_last ? "--" : "", out);
	mime->place = IN_COMMENT;
	if (is_last) {
		pop(mime);
		return;
	}
	mime->nesting = level->nesting;
	begin_header(mime, level->is_digest, level->is_never, false);
}

/* ---- lines ---- */

static void feed_line(struct mime *mime, struct pr_str line, bool begins, struct pr_text *out)
{
	bool is_last = false;
	size_t depth = begins ? find_boundary(mime, line, &is_last) : 0;

	if (depth > 0) {
		if (mime->place == IN_HEADER)
			finish_header(mime, false, out);
		/* which may have opened a multipart of the same boundary: then it is that one's */
		depth = find_boundary(mime, line, &is_last);
		at_boundary(mime, depth, is_last, line, out);
	} else if (mime->place == IN_HEADER) {
		header_line(mime, line, begins, out);
	} else if (mime->place == IN_LEAF) {
		leaf_line(mime, line, out);
	} else {
		put(mime, line, out);
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

static void walk(struct mime *mime, struct pr_str piece, struct pr_text *out)
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

static void end_walk(struct mime *mime, struct pr_text *out)
{
	if (mime->line.len > 0)
		take_line(mime, pr_text_str(&mime->line), out);
	pr_text_clear(&mime->line);
	while (mime->place == IN_HEADER)
		finish_header(mime, false, out);
	end_leaf(mime, false, out);
	close_down_to(mime, 0, out);
}

/* ---- the message ---- */

static bool has_field(const struct mime *mime, struct pr_str name)
{
	return mime_field(mime->fields, mime->count, name) != NULL;
}

static void print_labels(struct mime *mime)
{
	if (!has_field(mime, PR_STR("MIME-Version")))
		pr_text_add_c(&mime->head, "MIME-Version: 1.0\n");
	if (!has_field(mime, PR_STR("Content-Type")))
		pr_text_addf(&mime->head, "Content-Type: text/plain; charset=%.*s\n", PR_PRINT(mime->settings->charset));
	if (mime->form == MIME_LABELLED && !has_field(mime, PR_STR("Content-Transfer-Encoding")))
		pr_text_add_c(&mime->head, "Content-Transfer-Encoding: 8bit\n");
}

static struct pr_str encoding_of(const struct pr_header *fields, size_t count)
{
	const struct pr_header *field = mime_field(fields, count, PR_STR("Content-Transfer-Encoding"));

	return field != NULL ? pr_str_trim(field->value) : PR_STR("");
}

static void begin_decoding(struct mime *mime)
{
	struct pr_str encoding = encoding_of(mime->fields, mime->count);

	pr_text_addf(&mime->head, "Content-Transfer-Encoding: 8bit\nX-MIME-Autoconverted: from %.*s to 8bit by %.*s id %.*s\n", PR_PRINT(encoding),
	    PR_PRINT(mime->settings->host_name), PR_PRINT(mime->settings->id));
	mime_decoder_fini(&mime->decoder);
	mime_decoder_init(&mime->decoder, pr_str_equal_nocase(encoding, PR_STR("base64")));
}

/* From its front; what belongs to the header is told again. */
static void begin_message(struct mime *mime)
{
	while (mime->depth > 0)
		pop(mime);
	pr_text_clear(&mime->head);
	pr_text_clear(&mime->line);
	mime->goes_on = mime->open_line = false;
	mime->nesting = 0;
	mime->choice_at = 0;
	mime->is_outer = true;
	if (mime->form == MIME_TO_EIGHT) {
		begin_decoding(mime);
		return;
	}
	if (mime->form != MIME_CHECKED)
		print_labels(mime);
	begin_entity(mime, mime->fields, mime->count, false, false, &mime->head);
}

struct mime *mime_new(const struct mime_settings *settings, enum mime_form form, const struct pr_header *fields, size_t count)
{
	struct mime *mime = pr_alloc(sizeof *mime);

	mime->settings = settings;
	mime->form = form;
	mime->fields = fields;
	mime->count = count;
	mime->is_looking = form == MIME_TO_SEVEN;
	pr_text_init(&mime->head, HEAD_MAX);
	pr_text_init(&mime->line, MIME_LINE);
	mime_part_init(&mime->part);
	mime_decoder_init(&mime->decoder, false);
	begin_message(mime);
	return mime;
}

void mime_free(struct mime *mime)
{
	if (mime == NULL)
		return;
	while (mime->depth > 0)
		pop(mime);
	mime_part_fini(&mime->part);
	mime_decoder_fini(&mime->decoder);
	pr_text_fini(&mime->head);
	pr_text_fini(&mime->line);
	pr_free(mime->choices);
	pr_free(mime);
}

bool mime_must_look(const struct mime *mime)
{
	return mime->is_looking;
}

void mime_look(struct mime *mime, struct pr_str piece)
{
	walk(mime, piece, NULL);
}

void mime_looked(struct mime *mime)
{
	end_walk(mime, NULL);
	mime->is_looking = false;
	begin_message(mime);
}

bool mime_omits(const struct mime *mime, struct pr_str name)
{
	return (mime->form == MIME_TO_SEVEN || mime->form == MIME_TO_EIGHT) && pr_str_equal_nocase(name, PR_STR("Content-Transfer-Encoding"));
}

struct pr_str mime_head(const struct mime *mime)
{
	return pr_text_str(&mime->head);
}

void mime_feed(struct mime *mime, struct pr_str piece, struct pr_text *out)
{
	size_t before = out->len;

	if (mime->form != MIME_TO_EIGHT) {
		walk(mime, piece, out);
		return;
	}
	mime_decoder_add(&mime->decoder, piece, out);
	if (out->len > before)
		mime->open_line = out->data[out->len - 1] != '\n';
}

/* Decoded text ends with a line end, and where there was one it gets another: sendmail's way. */
void mime_finish(struct mime *mime, struct pr_text *out)
{
	if (mime->form != MIME_TO_EIGHT) {
		end_walk(mime, out);
		return;
	}
	mime_decoder_end(&mime->decoder, out);
	pr_text_add_byte(out, '\n');
}

void mime_rewind(struct mime *mime)
{
	begin_message(mime);
}

bool mime_is_encoded_text(const struct pr_header *fields, size_t count)
{
	const struct pr_header *type = mime_field(fields, count, PR_STR("Content-Type"));
	struct pr_str encoding = encoding_of(fields, count), text = type != NULL ? pr_str_trim(type->value) : PR_STR("");

	if (!pr_str_equal_nocase(encoding, PR_STR("quoted-printable")) && !pr_str_equal_nocase(encoding, PR_STR("base64")))
		return false;
	return pr_str_has_prefix_nocase(text, PR_STR("text/plain")) && (text.len == 10 || text.data[10] == ' ' || text.data[10] == ';');
}

bool mime_has_parts(const struct pr_header *fields, size_t count)
{
	struct mime_type type;

	if (mime_field(fields, count, PR_STR("Content-Type")) == NULL)
		return false;
	mime_type_read(fields, count, false, &type);
	return pr_str_equal_nocase(pr_str(type.type), PR_STR("multipart")) || pr_str_equal_nocase(pr_str(type.type), PR_STR("message"));
}
