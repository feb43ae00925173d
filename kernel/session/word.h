/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DeliveryMode i: a client that waits for the first delivery of its message.
 *
 *   the dot --> stored --> word_wake() --> the session is parked, watching a socket
 *                                             |  the courier: delivered / still queued, for each part
 *                                             |  its death: the end of the socket
 *                                             |  Timeout.datafinal, a minute at most; or we leave
 *                                             v
 *                                          word_is_over() --> the answer
 *
 * The thread that ran the session does something else meanwhile.  The answer is the same whatever the courier said - what cannot be
 * delivered is in the queue, or its bounce is - but with SuperSafe=interactive what was not delivered is made durable first.
 * Nobody else asks for words: other modes pay nothing for this.
 */
#ifndef KERNEL_SESSION_WORD_H
#define KERNEL_SESSION_WORD_H

#include "kernel/session/transaction.h"

bool word_is_wanted(const struct transaction *transaction);
/* Wakes the courier for each part that is stored; true: with `ask`, and words will come or their end will. */
bool word_wake(struct transaction *transaction, bool ask);
/* False: wait on. */
bool word_is_over(struct session *session, uint32_t events);
void word_close(struct transaction *transaction);

#endif
