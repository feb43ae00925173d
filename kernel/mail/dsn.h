/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Delivery status notifications (RFC 3461-3464) in the form sendmail gives them.
 */
#ifndef KERNEL_MAIL_DSN_H
#define KERNEL_MAIL_DSN_H

#include <postrider/envelope.h>

/* What a host that took a message with BY= could not promise, or was asked to be told (RFC 2852). */
enum dsn_by { DSN_BY_NOTHING = 0, DSN_BY_NOTIFY = 1, DSN_BY_TRACE = 2 };
enum dsn_kind { DSN_FAILURE = 1, DSN_DELAY = 2, DSN_SUCCESS = 3, DSN_POSTMASTER = 4 };

/* What the last try said of a recipient, beside the one line that the queue keeps. */
struct dsn_word {
	struct pr_str command;   /* the SMTP command that was answered, or absent */
	struct pr_str reply;     /* all its lines (LF), of a program the reason and what it printed; absent: the recipient's status */
	struct pr_str user;      /* of a local mailbox: its name; absent: the address says it */
	struct pr_str types;     /* "DNS/RFC822/X-Unix", of the mailer: what hosts, addresses and diagnostics are called; absent: by RFC 3464 */
	uint32_t code;           /* of a reply without codes, as that of a program; 0: none */
	struct pr_str closing;   /* the reply is a set's: it names the recipient itself, this line follows it, and nobody is quoted; else absent */
	bool silent;             /* nothing was tried: the transcript has no line of it */
	enum dsn_by by;          /* of a success: why it is told */
	bool local;              /* no host was asked: a mailbox, a program, or our own rules */
};

struct dsn_facts {
	enum dsn_kind kind;
	struct pr_str id;        /* queue id of the notice */
	struct pr_str host_name; /* $j */
	struct pr_str to;        /* as the header shall show it: "<joe@example.org>", the sender of the original, or DoubleBounceAddress */
	struct pr_str error_header; /* ErrorHeader: stands in front of the text, LF line ends; empty: nothing */
	int64_t now;
	int32_t zone;
	int64_t return_after;    /* Timeout.queuereturn, seconds */
	int64_t warn_after;      /* Timeout.queuewarn, seconds */
	size_t body_limit;       /* most bytes of the original body to return; 0: header only */
	const struct dsn_word *words; /* beside the original's recipients; NULL: nothing more is known */
	bool plain;              /* SendMimeErrors is off: one text, as before RFC 3464 */
	bool expired;            /* it failed because return_after is over */
	bool late;               /* it failed, or is delayed, because the time of its BY= is over */
};

/* A message from "<>" gets no notification (PR_MISUSE), so nothing can bounce for ever; the caller decides whether a bounce
 * that cannot be delivered becomes a DSN_POSTMASTER to DoubleBounceAddress, or is dropped.  All text from outside is cut to one visible line.
 * The body returned is the whole original up to body_limit, or its header alone for DSN_SUCCESS, RET=HDRS and body_limit 0.
 * A recipient that is DELIVERED counts as relayed with `remote` and as delivered to a mailbox without, one that is DEFERRED as delayed, every
 * other one as `kind` says: a failure may tell of success too.  `status` is the reason shown.
 *
 * Builds envelope (sender "<>", one recipient) and header in the arena, and writes the complete body (LF line ends) by `write` in pieces.
 * `recipients` of the original that are reported: those whose index bit... all with report[i] true. */
typedef enum pr_status dsn_write(void *context, const void *data, size_t len);
typedef enum pr_status dsn_read(void *context, void *buffer, size_t room, size_t *length_out); /* original body */
enum pr_status dsn_build(const struct dsn_facts *facts, const struct pr_envelope *original, const bool *report,
                         dsn_read *read, void *read_context, dsn_write *write, void *write_context,
                         struct pr_arena *arena, struct pr_envelope **envelope_out);

/* "1 hour", "5 days", "1 day 12 hours" */
struct pr_str dsn_interval(struct pr_arena *arena, int64_t seconds);

#endif
