/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header is kept as it came, and the fields are places in it; a line is judged as soon as the byte is there that
 * decides (a colon, or something no field name holds), so a message without a header is never taken for a large one.
 * Values are scanned with memchr only.
 */
#include "kernel/mail/header.h"

#include <string.h>

#define BYTES_WHEN_UNLIMITED ((size_t)8 << 20)
#define NAME_LONGEST 998 /* RFC 5322 section 2.1.1: no line is longer */

enum place { LINE_START, IN_NAME, BEHIND_NAME, IN_VALUE, IN_FROM_LINE, OVER };

struct header_reader {
	struct pr_text raw;   /* the fields, as they came */
	struct pr_text line;  /* the line being judged */
	size_t field_begin;   /* of the last field in raw */
	enum place place;
	bool any_line, any_field, too_large, built;
	struct pr_str rest;
	struct pr_header *fields;
	size_t count;
};

struct header_reader *header_reader_new(size_t max_bytes)
{
	struct header_reader *reader = pr_alloc(sizeof *reader);

	pr_text_init(&reader->raw, max_bytes > 0 ? max_bytes : BYTES_WHEN_UNLIMITED);
	/* the name under judgement, with the blanks behind it */
	pr_text_init(&reader->line, 2 * (NAME_LONGEST + 2));
	return reader;
}

void header_reader_free(struct header_reader *reader)
{
	if (reader == NULL)
		return;
	pr_text_fini(&reader->raw);
	pr_text_fini(&reader->line);
	pr_free(reader->fields);
	pr_free(reader);
}

static bool is_name_byte(char byte)
{
	return byte > ' ' && byte < 0x7f && byte != ':';
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Bytes of a field.  The one that passes the maximum goes out as a whole, so that what remains does not depend on the cuts. */
static void keep(struct header_reader *reader, const char *data, size_t len)
{
	if (reader->too_large || pr_text_add(&reader->raw, data, len))
		return;
	reader->too_large = true;
	pr_text_cut(&reader->raw, reader->field_begin);
}

/* The line under judgement is no field: it is body, or the envelope line of a mailbox file, which some programs send along. */
static void line_is_body(struct header_reader *reader)
{
	if (!reader->any_line && pr_str_equal(pr_str_slice(pr_text_str(&reader->line), 0, 5), PR_STR("From "))) {
		pr_text_clear(&reader->line);
		reader->place = IN_FROM_LINE;
		return;
	}
	reader->place = OVER;
	reader->rest = pr_text_str(&reader->line);
}

static void line_is_field(struct header_reader *reader)
{
	reader->any_field = true;
	reader->field_begin = reader->raw.len;
	keep(reader, reader->line.data, reader->line.len);
	pr_text_clear(&reader->line);
	reader->place = IN_VALUE;
}

/* Judges one byte; true when it was taken. */
static bool judge(struct header_reader *reader, char byte)
{
	if (reader->place == LINE_START && byte == '\n') {
		reader->place = OVER;
		return true;
	}
	if (reader->place == LINE_START && is_blank(byte) && reader->any_field) {
		reader->place = IN_VALUE;
		return false;
	}
	bool in_name = reader->place != BEHIND_NAME;
	bool has_name = reader->line.len > 0;
	if (in_name && is_name_byte(byte) && reader->line.len < NAME_LONGEST) {
		reader->place = IN_NAME;
	} else if (has_name && is_blank(byte) && reader->line.len < 2 * NAME_LONGEST) {
		reader->place = BEHIND_NAME;
	} else if (has_name && byte == ':') {
		pr_text_add_byte(&reader->line, byte);
		line_is_field(reader);
		return true;
	} else {
		line_is_body(reader);
		return false;
	}
	pr_text_add_byte(&reader->line, byte);
	return true;
}

/* What surely belongs to the name, or the one byte that must be judged. */
static size_t take_name(struct header_reader *reader, const char *data, size_t len)
{
	size_t run = 0, most = reader->line.len < NAME_LONGEST ? NAME_LONGEST - reader->line.len : 0;

	while (run < len && run < most && is_name_byte(data[run]))
		run++;
	if (run == 0)
		return judge(reader, data[0]);
	pr_text_add(&reader->line, data, run);
	return run;
}

/* Takes up to and with the end of the line. */
static size_t take_line(struct header_reader *reader, const char *data, size_t len)
{
	const char *newline = memchr(data, '\n', len);
	size_t taken = newline != NULL ? (size_t)(newline - data) + 1 : len;

	if (reader->place == IN_VALUE)
		keep(reader, data, taken);
	if (newline != NULL) {
		reader->place = LINE_START;
		reader->any_line = true;
	}
	return taken;
}

size_t header_reader_input(struct header_reader *reader, const char *data, size_t len, bool *done_out)
{
	size_t taken = 0;

	while (taken < len && reader->place != OVER) {
		if (reader->place == IN_VALUE || reader->place == IN_FROM_LINE)
			taken += take_line(reader, data + taken, len - taken);
		else if (reader->place == IN_NAME)
			taken += take_name(reader, data + taken, len - taken);
		else
			taken += judge(reader, data[taken]);
	}
	*done_out = reader->place == OVER;
	return taken;
}

void header_reader_end(struct header_reader *reader)
{
	/* a last line without LF: a name without colon is body, a value is whole */
	if (reader->place == IN_NAME || reader->place == BEHIND_NAME)
		line_is_body(reader);
	reader->place = OVER;
}

bool header_reader_too_large(const struct header_reader *reader)
{
	return reader->too_large;
}

struct pr_str header_reader_rest(const struct header_reader *reader)
{
	return reader->rest.len > 0 ? reader->rest : PR_NONE;
}

/* The end of the field that begins at `begin`: behind the LF that no blank follows. */
static size_t field_end(struct pr_str raw, size_t begin)
{
	size_t at = begin;

	while (at < raw.len) {
		const char *newline = memchr(raw.data + at, '\n', raw.len - at);
		if (newline == NULL)
			return raw.len;
		at = (size_t)(newline - raw.data) + 1;
		if (at < raw.len && !is_blank(raw.data[at]))
			return at;
	}
	return raw.len;
}

/* Cuts one field; its colon and its last LF become NUL, so that both pieces end as C strings. */
static void cut_field(char *data, size_t len, struct pr_header *field)
{
	char *colon = memchr(data, ':', len);
	size_t name_len = (size_t)(colon - data);
	size_t end = len;

	while (name_len > 0 && is_blank(data[name_len - 1]))
		name_len--;
	if (end > 0 && data[end - 1] == '\n')
		data[--end] = '\0';
	*colon = '\0';
	data[name_len] = '\0';
	field->name = (struct pr_str){data, name_len};
	field->value = (struct pr_str){colon + 1, len == 0 ? 0 : (size_t)(data + end - (colon + 1))};
	field->condition = PR_STR("");
}

static size_t count_fields(struct pr_str raw)
{
	size_t count = 0;

	for (size_t at = 0; at < raw.len; at = field_end(raw, at))
		count++;
	return count;
}

static void build(struct header_reader *reader)
{
	struct pr_str raw = pr_text_str(&reader->raw);

	reader->built = true;
	reader->count = 0;
	size_t most = count_fields(raw);
	if (most == 0)
		return;
	reader->fields = pr_alloc(most * sizeof *reader->fields);
	for (size_t at = 0, end; at < raw.len; at = end) {
		end = field_end(raw, at);
		if (memchr(raw.data + at, ':', end - at) != NULL)
			cut_field(reader->raw.data + at, end - at, &reader->fields[reader->count++]);
	}
}

const struct pr_header *header_reader_fields(const struct header_reader *reader, size_t *count_out)
{
	/* built when first asked for: until then raw may move */
	if (!reader->built)
		build((struct header_reader *)(uintptr_t)reader);
	*count_out = reader->count;
	return reader->fields;
}
