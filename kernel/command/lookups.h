/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an expansion asks of this machine when a command follows an address: mailers, accounts, :include: files.  The answers are the
 * receiver's, so that what a command says is what a message would meet.
 */
#ifndef KERNEL_COMMAND_LOOKUPS_H
#define KERNEL_COMMAND_LOOKUPS_H

#include "kernel/command/modes.h"

bool lookup_mailer_flag(struct tool *tool, struct pr_str mailer, char flag);
/* PR_OK, PR_NOTFOUND, PR_TEMPFAIL */
enum pr_status lookup_account(struct pr_str name);
/* The contents of an :include: file that only its owner can have written; what is given lives in `arena`. */
enum pr_status lookup_include(const struct options *options, struct pr_arena *arena, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out);
/* The account that owns it. */
enum pr_status lookup_include_owner(struct pr_arena *arena, struct pr_str path, struct pr_str *user_out);

#endif
