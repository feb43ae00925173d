/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes between 354 and the dot (RFC 5321 section 4.5.2): CR LF becomes LF, a leading dot is taken off, and
 * only CR LF "." CR LF ends it.
 *
 * The reader fills one buffer and stops when it is full, at the end of the header and at the dot; its owner then
 * takes the bytes and empties it.  Where it stops depends on the bytes only, never on how they were cut, and a
 * bare CR or LF is reported no later than the buffer it stands in.
 *
 * With BDAT (RFC 3030) the end is known beforehand: a counted reader knows no dot, and its owner says when it is over.
 */
#ifndef KERNEL_SMTP_DATA_READER_H
#define KERNEL_SMTP_DATA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATA_READER_ROOM 65536

enum data_event {
	DATA_MORE,       /* everything taken */
	DATA_FULL,       /* the buffer must be emptied first */
	DATA_HEADER_END, /* the empty line behind the header was taken */
	DATA_DOT,        /* the end */
	DATA_BARE_LF,
	DATA_BARE_CR
};

enum data_state { DATA_LINE_START, DATA_AFTER_DOT, DATA_DOT_CR, DATA_IN_LINE, DATA_LINE_CR };

struct data_reader {
	char *buffer;
	size_t len, room;
	uint64_t total;      /* bytes given out, and those in the buffer */
	uint64_t line_begin; /* total at the beginning of this line */
	enum data_state state;
	bool in_header;      /* no empty line yet */
	bool counted;        /* a dot is a byte like any other */
};

struct data_reader *data_reader_new(void);
struct data_reader *data_reader_new_counted(void);
void data_reader_free(struct data_reader *reader);
/* Bytes taken; fewer than len only with an event other than DATA_MORE. */
size_t data_reader_input(struct data_reader *reader, const char *data, size_t len, enum data_event *event_out);
/* Looks through the buffer: a CR (always bare there), NUL, bytes over 127. */
struct data_findings {
	bool bare_cr, nul, eight_bit;
};
struct data_findings data_reader_inspect(const struct data_reader *reader);
void data_reader_empty(struct data_reader *reader);
/* An empty buffer is given back until more comes. */
void data_reader_rest(struct data_reader *reader);
/* The end of a counted message: a last line without its end is given one.  DATA_MORE, DATA_FULL (again, when it is emptied) or DATA_BARE_CR. */
enum data_event data_reader_finish(struct data_reader *reader);

#endif
