/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The helper: a process that already is the mailbox's owner, and delivers.
 *
 *   postrider --role helper --channel 3 --user joe --home /home/joe --shell /bin/sh --rights mailbox \
 *             --mailbox maildir:/home/joe/Maildir
 *
 * The master says on the command line what this helper may do; the courier, on descriptor 3, only chooses
 * among that (kernel/net/helper_protocol.h):
 *
 *   rights mailbox   PR_LOCAL_MBOX and PR_LOCAL_MAILDIR, into exactly the paths given with --mailbox; PR_LOCAL_PROGRAM and PR_LOCAL_DIALOGUE, exactly the command
 *                    lines given with --program "PATH WORD ..." (words in xtext, one with a '$' is whatever the mailer puts in)
 *   rights default   PR_LOCAL_PROGRAM, PR_LOCAL_DIALOGUE and PR_LOCAL_FILE: this is DefaultUser
 *   rights all       both; not started as root, there is only one user
 *
 * For root only `mailbox` is ever given, and it runs no program.  A helper that is idle leaves when the courier closes its end.
 */
#ifndef KERNEL_HELPER_HELPER_H
#define KERNEL_HELPER_HELPER_H

#include "kernel/net/helper_protocol.h"

#define HELPER_MAILBOXES_MAX 8
#define HELPER_PROGRAMS_MAX 24

struct helper_rights {
	const char *user;
	const char *home;
	const char *shell;
	bool mailbox;  /* mbox and Maildir */
	bool anything; /* programs and files */
	const char *mailboxes[HELPER_MAILBOXES_MAX]; /* "mbox:/var/mail/joe" */
	size_t mailbox_count;
	const char *programs[HELPER_PROGRAMS_MAX]; /* "PATH ROOT WORD WORD", as in the master's table */
	size_t program_count;
	int channel; /* its hang-up ends a program that runs; 0 for none */
};

/* argv as main got it; the exit status of the process. */
int helper_main(int argc, char **argv);

/* program_rights.c: is this one of the programs on the command line, with the root directory named there, and is its file in safe hands? */
bool helper_may_run(const struct helper_rights *rights, const struct helper_request *request, struct pr_text *why);
/* May this be done?  Else one sentence.  `path_out` is the absolute path with "~/" replaced. */
bool helper_may(const struct helper_rights *rights, const struct helper_request *request, struct pr_text *path_out,
                struct pr_text *why);

#endif
