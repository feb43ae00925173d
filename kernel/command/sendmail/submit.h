/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two ways in that need no more than a socket: submission (-bm, -t) and SMTP on standard input (-bs).
 *
 *   stdin --> message --> daemon's socket --(nobody there, or "not now")--> drop directory --(even that)-->
 * ~/dead.letter
 *
 * Exit status 0 means: the daemon has it durably, or it lies durably in the drop directory.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_SUBMIT_H
#define KERNEL_COMMAND_SENDMAIL_SUBMIT_H

#include "kernel/command/sendmail/arguments.h"

int submit_main(const struct arguments *arguments);
int proxy_main(const struct arguments *arguments);

/* overrides.c.  "MaxHopCount" of "MaxHopCount=3". */
struct pr_str override_name(struct pr_str override);
/* False with sendmail's sentence: one of -O or -o names no option.  A submission may name all that sendmail has. */
bool overrides_check(const struct arguments *arguments, struct pr_text *error);

#endif
