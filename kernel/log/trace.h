/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The transcript of -X: what is heard and said in every conversation of this process, a line for each line.
 *
 *     470100007 <<< EHLO client.example        from the other side
 *     470100007 >>> 250-mail.example.org ...   to it
 *     470200001 === CONNECT mx1.example.org.   a conversation that we begin
 *     470100007 <<< [EOF]
 *
 * The number tells conversations apart; sendmail writes the number of its process there, of which it has one for each.  Bytes that are not printable
 * ASCII are escaped, and a line longer than TRACE_LINE bytes is several.  What could be a password is the caller's to leave out.
 */
#ifndef KERNEL_LOG_TRACE_H
#define KERNEL_LOG_TRACE_H

#include <postrider/text.h>

#define TRACE_LINE 2048

enum trace_side { TRACE_HEARD, TRACE_SAID, TRACE_SIDES };

/* One conversation: begun lines of both sides. */
struct trace {
	unsigned long number;
	size_t len[TRACE_SIDES];
	char text[TRACE_SIDES][TRACE_LINE];
};

/* Before any thread writes: the descriptor, open for append and not closed here; -1: nothing is written. */
void trace_start(int fd);
bool trace_is_on(void);
/* A number of its own: that of the process, and five digits. */
void trace_init(struct trace *trace);
/* Bytes as they came and went; lines end with LF. */
void trace_bytes(struct trace *trace, enum trace_side side, struct pr_str bytes);
/* A whole line; what was begun on that side is ended first. */
void trace_line(struct trace *trace, enum trace_side side, struct pr_str line);
/* "CONNECT mx1.example.org." */
void trace_event(struct trace *trace, struct pr_str text);

#endif
