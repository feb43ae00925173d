/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A command whose turn has not come (SMTP_ASK_WAIT): the session is parked in its timer, no thread waits with it.  It is never shorter than
 * asked for, and up to a second longer, for the wheel has slots of a second.  When the receiver leaves, it is over.
 *
 * Who has to wait because of what he does and closes his side is done with: nobody keeps a session for hours by saying a thousand commands in one
 * breath.  While only the machine is busy, what such a client has said is still answered.
 */
#ifndef KERNEL_SESSION_SLOW_H
#define KERNEL_SESSION_SLOW_H

#include "kernel/session/session.h"

/* Seconds that each command waits now (DelayLA). */
uint32_t slow_of_load(const struct session *session);
/* The open question is WAIT.  True: the session is to be parked. */
bool slow_begins(struct session *session, struct bench *bench);
/* After an event.  True: wait on; otherwise the question is answered. */
bool slow_goes_on(struct session *session, uint32_t events);

#endif
