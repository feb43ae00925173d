/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The conversation that hands a message over: MAIL, RCPT, DATA, dot.
 *
 * Spoken with the daemon over its submission socket, or written into the drop directory for a daemon that is not
 * there (BSMTP: the same lines without the answers).  The kernel tells the daemon who we are, so no name is claimed.
 *
 * Always true: a recipient counts as sent only after the daemon's 250 to the dot; whatever ends otherwise is still
 * RECIPIENT_WAITING (not refused for good) and the caller finds another place for it.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_DIALOGUE_H
#define KERNEL_COMMAND_SENDMAIL_DIALOGUE_H

#include "kernel/command/sendmail/recipients.h"
#include "kernel/command/sendmail/traced.h"

#include <stdio.h>

struct submission {
	struct message *message;
	struct recipients *recipients;
	struct pr_str sender;       /* without brackets, may be empty */
	const char *body;           /* "7BIT", "8BITMIME" or NULL */
	const char *notify;         /* of -N or NULL */
	const char *ret;            /* of -R or NULL */
	const char *envelope_id;    /* of -V, xtext, or NULL */
	char delivery_mode;         /* of -od: i b q d; v: of -v; 0: the daemon's own */
	bool verbose;               /* show the conversation on stdout */
	const char *place;          /* where the daemon is asked, for -v */
	struct traced trace;        /* -X */
	int exit_status;            /* the worst refusal so far, EX_OK */
	struct pr_text *complaints; /* one line per refusal, for stderr */
};

/* False: nobody answers there (the reason in errno), nothing was said. */
bool dialogue_connect(const char *path, int *fd_out);
/* Offers all waiting recipients, in as many transactions as the daemon wants. */
void dialogue_run(struct submission *submission, int fd);

/* Writes the dialogue for the waiting recipients into a new file of the directory, durable before it has its name.
 * False with a sentence in `error`. */
bool drop_write(const struct submission *submission, const char *directory, struct pr_text *error);
/* Appends the message to ~/dead.letter; false when that fails too. */
bool dead_letter_write(const struct submission *submission, const char *home, struct pr_text *error);

/* told.c: nothing unless verbose; which recipients are meant, their fates say */
void told_connecting(const struct submission *submission);
void told_deferred(const struct submission *submission, int error);
void told_sent(const struct submission *submission, struct pr_str reply); /* before those taken become sent */
void told_closing(const struct submission *submission);

/* Shared by both: buffered lines and data with CR LF and stuffed dots. */
struct outlet {
	int fd;
	bool failed;
	bool line_start;
	bool plain; /* dead.letter: LF, no stuffing, From_ quoted by the caller */
	struct pr_text buffer;
};
void outlet_init(struct outlet *outlet, int fd);
bool outlet_fini(struct outlet *outlet); /* flushes; false if anything failed */
void outlet_line(struct outlet *outlet, struct pr_str line);
void outlet_message(struct outlet *outlet, const struct message *message);
bool outlet_flush(struct outlet *outlet);
/* mode: of this transaction, 0 to say nothing of it */
void dialogue_mail_line(const struct submission *submission, char mode, struct pr_text *out);
void dialogue_rcpt_line(const struct submission *submission, struct pr_str address, struct pr_text *out);

/* sysexits.h's number for a reply, by its enhanced code (RFC 3463) */
int dialogue_exit_status(struct pr_str reply);

#endif
