/* SPDX-License-Identifier: BSD-2-Clause
 *
 * greet_pause: the client waits for its greeting, and must not talk before it.
 *
 *   CONNECT is answered with yes --> the 220 is written, and kept --> the session is parked
 *                                                                     |  time is over, or the client has closed: the 220
 *                                                                     |  it talks: 554, and no mail from it
 *
 * No thread waits with it.  The time is the rule engine's ("greet_pause" in rules.h), five minutes at most, for a client need not wait longer for a
 * 220 (RFC 5321 section 4.5.3.2.1).  It is never shorter than that, and up to a second longer: the wheel has slots of a second.
 */
#ifndef KERNEL_SESSION_PAUSE_H
#define KERNEL_SESSION_PAUSE_H

#include "kernel/session/session.h"

/* After CONNECT was answered with yes: how long?  0: not at all. */
void pause_ask(struct session *session, struct module_scope *scope);
/* The machine has written its greeting.  True: the session is to be parked. */
bool pause_begins(struct session *session, struct bench *bench);
/* After an event.  True: wait on. */
bool pause_goes_on(struct session *session, struct bench *bench, uint32_t events);

#endif
