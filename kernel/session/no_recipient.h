/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NoRecipientAction: what is said in a header that names no recipient.
 */
#ifndef KERNEL_SESSION_NO_RECIPIENT_H
#define KERNEL_SESSION_NO_RECIPIENT_H

#include "kernel/mail/header.h"
#include "kernel/session/transaction.h"

/* Sets `last` of the facts; false: the arena is full. */
bool no_recipient_fill(struct transaction *transaction, const struct part *part, struct header_facts *facts);

#endif
