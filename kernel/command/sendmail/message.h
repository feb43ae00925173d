/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The message as it comes from a program's standard input.
 *
 * Bytes go in as they are read; LF, CR LF and a lone CR all end a line, a lone dot ends the message unless told
 * otherwise.  The header is kept apart (bounded), the body goes to a spool that holds little memory and the rest in
 * an unlinked file, so 1 GB on stdin costs disk, not memory.  Nothing in a header can become a line of the envelope,
 * because the envelope is written from parsed addresses only.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_MESSAGE_H
#define KERNEL_COMMAND_SENDMAIL_MESSAGE_H

#include <postrider/arena.h>

#define MESSAGE_HEADER_MAX (4u << 20) /* the daemon has its own, smaller limit; this one keeps memory flat */
#define MESSAGE_MEMORY_MAX (256u << 10)

/* A body: what is in memory comes first, then the file. */
struct spool {
	struct pr_text memory;
	int fd; /* -1: all is in memory */
	uint64_t in_file;
};

struct message {
	struct pr_text header; /* complete fields with LF line ends, without the empty line */
	struct spool body;
	/* while reading */
	struct pr_text line; /* header line so far */
	bool ignore_dots;
	bool header_done;
	bool ended;        /* the lone dot was seen */
	bool after_return; /* the byte before was a CR */
	bool line_start;   /* the next byte begins a line */
	bool dot_line;     /* the line so far is one dot at a start that a real line end made */
	bool first_line;
};

void message_init(struct message *message, bool ignore_dots);
void message_fini(struct message *message);
/* 0, or EX_DATAERR (header too large), EX_IOERR, EX_TEMPFAIL (no room for the body) with the reason in `error`. */
int message_input(struct message *message, const char *data, size_t len, struct pr_text *error);
int message_end(struct message *message, struct pr_text *error);
/* All of a descriptor up to its end or the dot. */
int message_read(struct message *message, int fd, struct pr_text *error);

/* Calls `write` with the body in pieces; false when it said so or the spool cannot be read. */
typedef bool spool_write(void *context, const char *data, size_t len);
bool spool_replay(const struct spool *spool, spool_write *write, void *context);
uint64_t spool_size(const struct spool *spool);

/* What the header says; *rest walks on.  The value is unfolded into the arena, nothing else. */
bool message_field(
    const struct message *message, struct pr_str *rest, struct pr_str *name_out, struct pr_str *value_out);
bool message_has_field(const struct message *message, struct pr_str name);
/* -t: Bcc goes; a Bcc that was the only recipient field stays behind empty (RFC 5322 3.6.3). */
void message_drop_bcc(struct message *message);

#endif
