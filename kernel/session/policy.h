/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the rule engine says about a connection, an address, a message.
 */
#ifndef KERNEL_SESSION_POLICY_H
#define KERNEL_SESSION_POLICY_H

#include "kernel/session/session.h"

/* Asks the rules; false when refused, then code, enhanced and text of the verdict are all filled.  DISCARD and QUARANTINE are
 * noted in the transaction or the session and count as yes.  An engine that cannot answer is a 451. */
bool policy_check(struct session *session, struct bench *bench, struct module_scope *scope, enum pr_check check,
                  const struct pr_list *arguments, struct pr_verdict *verdict);
/* Fills what a refusal left out. */
void policy_complete(struct pr_verdict *verdict);
/* Takes DISCARD and QUARANTINE to where they are remembered. */
void policy_remember(struct session *session, const struct pr_verdict *verdict);

#endif
