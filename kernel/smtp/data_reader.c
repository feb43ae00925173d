/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines are found with memchr and copied whole, in one row as long as nothing about them is special; only then the first bytes of a line
 * and a CR at the end of a chunk are looked at one by one.  What cannot end or split a line (a CR inside, NUL, 8-bit bytes) is looked
 * for later, once per buffer, because three scans of one long buffer are cheaper than three questions per byte.
 */
#include "kernel/smtp/data_reader.h"

#include <postrider/text.h>
#include <string.h>

#define FIRST_ROOM 8192

struct data_reader *data_reader_new(void)
{
	struct data_reader *reader = pr_alloc(sizeof *reader);

	reader->in_header = true;
	return reader;
}

struct data_reader *data_reader_new_counted(void)
{
	struct data_reader *reader = data_reader_new();

	reader->counted = true;
	return reader;
}

void data_reader_free(struct data_reader *reader)
{
	if (reader == NULL)
		return;
	pr_free(reader->buffer);
	pr_free(reader);
}

void data_reader_empty(struct data_reader *reader)
{
	reader->len = 0;
}

void data_reader_rest(struct data_reader *reader)
{
	if (reader->len > 0)
		return;
	pr_free(reader->buffer);
	reader->buffer = NULL;
	reader->room = 0;
}

/* Bytes of `len` for which there is room now. */
static size_t make_room(struct data_reader *reader, size_t len)
{
	while (reader->room - reader->len < len && reader->room < DATA_READER_ROOM) {
		reader->room = reader->room == 0 ? FIRST_ROOM : reader->room * 2;
		reader->buffer = pr_resize(reader->buffer, reader->room);
	}
	size_t free_room = reader->room - reader->len;
	return len < free_room ? len : free_room;
}

static size_t add(struct data_reader *reader, const char *data, size_t len)
{
	size_t added = make_room(reader, len);

	if (added > 0)
		memcpy(reader->buffer + reader->len, data, added);
	reader->len += added;
	reader->total += added;
	return added;
}

/* A line ended with CR LF; its LF goes into the buffer.  DATA_MORE: it is there. */
static enum data_event end_line(struct data_reader *reader)
{
	bool was_empty = reader->total == reader->line_begin;

	if (add(reader, "\n", 1) == 0)
		return DATA_FULL;
	reader->state = DATA_LINE_START;
	reader->line_begin = reader->total;
	if (!reader->in_header || !was_empty)
		return DATA_MORE;
	reader->in_header = false;
	return DATA_HEADER_END;
}

/* A LF without its CR; a bare CR before it was there first. */
static enum data_event bare_lf(const struct data_reader *reader)
{
	return data_reader_inspect(reader).bare_cr ? DATA_BARE_CR : DATA_BARE_LF;
}

/* Takes bytes of a line up to its end or the end of what is there. */
static enum data_event in_line(struct data_reader *reader, const char *data, size_t len, size_t *taken)
{
	const char *newline = memchr(data, '\n', len);
	size_t text = newline != NULL ? (size_t)(newline - data) : len;

	bool ends_with_cr = text > 0 && data[text - 1] == '\r';
	text -= ends_with_cr;
	size_t added = add(reader, data, text);
	*taken = added;
	if (added < text)
		return DATA_FULL;
	if (ends_with_cr) {
		reader->state = DATA_LINE_CR;
		++*taken;
	}
	if (newline == NULL)
		return DATA_MORE;
	if (!ends_with_cr)
		return bare_lf(reader);
	enum data_event event = end_line(reader);
	*taken += event != DATA_FULL;
	return event;
}

/* A CR was taken before; this is the byte behind it. */
static enum data_event after_cr(struct data_reader *reader, char byte, size_t *taken)
{
	if (byte == '\n' && reader->state == DATA_DOT_CR) {
		*taken = 1;
		return DATA_DOT;
	}
	if (byte == '\n') {
		enum data_event event = end_line(reader);
		*taken = event != DATA_FULL;
		return event;
	}
	/* a bare CR: kept, so that the one who looks through the buffer finds it */
	if (add(reader, "\r", 1) == 0)
		return DATA_FULL;
	reader->state = DATA_IN_LINE;
	return DATA_MORE;
}

static enum data_event step(struct data_reader *reader, const char *data, size_t len, size_t *taken)
{
	switch (reader->state) {
	case DATA_LINE_START:
		*taken = data[0] == '.' && !reader->counted;
		reader->state = *taken > 0 ? DATA_AFTER_DOT : DATA_IN_LINE;
		return DATA_MORE;
	case DATA_AFTER_DOT:
		if (data[0] == '\n')
			return bare_lf(reader);
		*taken = data[0] == '\r';
		reader->state = data[0] == '\r' ? DATA_DOT_CR : DATA_IN_LINE;
		return DATA_MORE;
	case DATA_DOT_CR:
	case DATA_LINE_CR:
		return after_cr(reader, data[0], taken);
	case DATA_IN_LINE:
		break;
	}
	return in_line(reader, data, len, taken);
}

/* Lines of the body that are there from their beginning to CR LF, and fit; whatever else there is, is left to step(). */
static size_t take_lines(struct data_reader *reader, const char *data, size_t len)
{
	const char *at = data, *end = data + len;

	if (reader->in_header || reader->state != DATA_LINE_START || make_room(reader, len) == 0)
		return 0;
	char *out = reader->buffer + reader->len, *first = out, *full = reader->buffer + reader->room;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL || newline == at || newline[-1] != '\r')
			break;
		const char *from = at + (*at == '.' && !reader->counted);
		size_t text = (size_t)(newline - from) - 1;
		if ((from > at && text == 0) || text >= (size_t)(full - out))
			break;
		memcpy(out, from, text);
		out[text] = '\n';
		out += text + 1;
		at = newline + 1;
	}
	reader->len += (size_t)(out - first);
	reader->total += (size_t)(out - first);
	reader->line_begin = reader->total;
	return (size_t)(at - data);
}

size_t data_reader_input(struct data_reader *reader, const char *data, size_t len, enum data_event *event_out)
{
	enum data_event event = DATA_MORE;
	size_t done = 0;

	while (event == DATA_MORE && done < len) {
		size_t taken = take_lines(reader, data + done, len - done);
		done += taken;
		if (done == len)
			break;
		event = step(reader, data + done, len - done, &taken);
		done += taken;
	}
	*event_out = event;
	return done;
}

enum data_event data_reader_finish(struct data_reader *reader)
{
	if (reader->state == DATA_LINE_CR)
		return DATA_BARE_CR;
	return reader->total == reader->line_begin ? DATA_MORE : end_line(reader);
}

/* Four words at a time: mail is mostly 7-bit, so the whole buffer is read to find nothing. */
static bool has_high_bit(const char *data, size_t len)
{
	uint64_t words[4], high[4] = {0};
	size_t i = 0;

	for (; i + sizeof words <= len; i += sizeof words) {
		memcpy(words, data + i, sizeof words);
		for (size_t k = 0; k < 4; k++)
			high[k] |= words[k];
	}
	for (; i < len; i++)
		high[0] |= (unsigned char)data[i];
	return ((high[0] | high[1] | high[2] | high[3]) & UINT64_C(0x8080808080808080)) != 0;
}

struct data_findings data_reader_inspect(const struct data_reader *reader)
{
	struct data_findings found = {false, false, false};

	if (reader->len == 0)
		return found;
	found.bare_cr = memchr(reader->buffer, '\r', reader->len) != NULL;
	found.nul = memchr(reader->buffer, '\0', reader->len) != NULL;
	found.eight_bit = has_high_bit(reader->buffer, reader->len);
	return found;
}
