/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The local submission socket: the client is a user of this machine, known by SO_PEERCRED.
 *
 * The master, which feeds files of the drop directory, speaks for the owner of the file: its first line is "XDROP uid".
 * From anybody else that line is a bad command like any other.
 */
#ifndef KERNEL_SESSION_SUBMISSION_H
#define KERNEL_SESSION_SUBMISSION_H

#include "kernel/session/session.h"

enum submission_first {
	SUBMISSION_PASS,  /* not ours: the machine gets it */
	SUBMISSION_TAKEN, /* it was XDROP: taken off, answered */
	SUBMISSION_MORE   /* cannot be told yet */
};

/* Looks at the first line of a submission session; cheap afterwards. */
enum submission_first submission_first_line(struct session *session, struct pr_str *rest);
/* Fills session->user from session->uid. */
void submission_identify(struct session *session);
/* Full name of the account for From:, or PR_NONE. */
struct pr_str submission_full_name(const struct session *session, struct pr_arena *arena);
/* "<joe>" gets the host name; null senders and full addresses stay. */
struct pr_str submission_qualify(const struct session *session, struct pr_str address, struct pr_arena *arena);
/* "host: joe set sender to x using -f", or PR_NONE when the user may be that sender. */
struct pr_str submission_warning(const struct session *session, struct pr_str sender, struct pr_arena *arena);

#endif
