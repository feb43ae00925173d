/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the receiver counts for mailstats, at sendmail's moments: a connection when its session begins, a refusal when a rule or filter
 * says no, a message when it is taken or thrown away.  The row is the mailer that would bring mail to the sender; there is none before MAIL.
 */
#ifndef KERNEL_SESSION_STATISTICS_H
#define KERNEL_SESSION_STATISTICS_H

#include "kernel/session/transaction.h"

/* After the modules are open; nothing is counted without StatusFile. */
void session_statistics_open(struct receiver *receiver);
/* A rule or filter said REJECT, DEFER, DISCARD or QUARANTINE; anything else is not counted. */
void session_count_verdict(struct session *session, struct module_scope *scope, const struct pr_verdict *verdict);
/* Taken, or taken to be thrown away. */
void session_count_message(struct session *session, struct module_scope *scope);

#endif
