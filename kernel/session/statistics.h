/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the receiver counts for mailstats, at sendmail's moments: a connection when its session begins, a message at its dot whatever
 * is said then, the first refusal of a connection by a rule or filter, and for each message once that it is discarded or held.
 * The row is the mailer that would bring mail to the sender; there is none before MAIL.
 */
#ifndef KERNEL_SESSION_STATISTICS_H
#define KERNEL_SESSION_STATISTICS_H

#include "kernel/session/transaction.h"

/* After the modules are open; nothing is counted without StatusFile. */
void session_statistics_open(struct receiver *receiver);
/* A rule or filter said REJECT, DEFER, DISCARD or QUARANTINE; anything else counts as nothing. */
void session_count_verdict(struct session *session, struct module_scope *scope, const struct pr_verdict *verdict);
/* All of it has come. */
void session_count_message(struct session *session, struct module_scope *scope);

#endif
