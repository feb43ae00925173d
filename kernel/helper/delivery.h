/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The four deliveries of a helper; each runs as the user already and says why it failed.
 *
 * PR_TEMPFAIL: the message waits (locked, no space, a directory that is not there).  PR_PERMFAIL: it bounces (a link, a FIFO, somebody
 * else's file).  Whatever happens, the file that was there is as it was before, or has the whole message.
 */
#ifndef KERNEL_HELPER_DELIVERY_H
#define KERNEL_HELPER_DELIVERY_H

#include "kernel/helper/helper.h"

struct message {
	int fd;           /* memfd: header, then body, LF line ends */
	uint64_t size;
	uint64_t header_size;
	uint32_t flags;   /* HELPER_QUOTE_FROM */
};

/* Size of the descriptor taken; header_size must be inside. */
bool message_open(int fd, uint64_t header_size, uint32_t flags, struct message *message_out);
/* Copies the message to `fd`, body lines that begin with "From " quoted when `quote`; *last_out: its final bytes were "\n".  False with errno. */
bool message_copy(const struct message *message, int fd, bool quote, bool *newline_out);

/* append.c: open safely, lock, append, fsync, or cut back */
struct append {
	const char *path;
	bool dot_lock;      /* PATH.lock too, where the directory allows */
	bool strict;        /* the directories above must be trustworthy */
	bool blank_line;    /* mbox: an empty line after the message */
	bool quote;         /* "From " in the body */
	unsigned int lock_seconds;
};
enum pr_status append_message(const struct append *append, const struct message *message, struct pr_text *why);

enum pr_status mbox_deliver(const char *path, const struct message *message, struct pr_text *why);
enum pr_status file_deliver(const char *path, const struct message *message, struct pr_text *why);
enum pr_status maildir_deliver(const char *path, const struct message *message, struct pr_text *why);
enum pr_status program_run(const struct helper_rights *rights, const struct helper_request *request,
                           const struct message *message, struct helper_reply *reply, struct pr_text *output,
                           struct pr_text *why);

/* dialogue.c: *fd_out is the other end of the program's standard input and output; watch() comes back when it has ended. */
struct dialogue;
enum pr_status dialogue_start(const struct helper_rights *rights, const struct helper_request *request, struct dialogue **dialogue_out, int *fd_out,
                              struct pr_text *why);
void dialogue_watch(struct dialogue *dialogue);

/* "cannot WHAT PATH: strerror"; PR_TEMPFAIL for anything that may pass. */
enum pr_status delivery_fail(struct pr_text *why, const char *what, const char *path);
int64_t delivery_now_ms(void); /* monotonic */

#endif
