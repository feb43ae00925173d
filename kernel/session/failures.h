/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Failed AUTH, counted over all connections of a client.
 *
 * Who guesses passwords hangs up after each few and comes again, so what one session counts does not slow him.  Here a wrong word counts for
 * TRAFFIC_FAILURES_WINDOW seconds under the client's address (an IPv6 client's network of 64 bits) in the table that all receivers share, and the
 * machine makes the next AUTH wait (smtp/slow.c).  Who is let in at last has only mistyped: what his session counted is taken back.
 */
#ifndef KERNEL_SESSION_FAILURES_H
#define KERNEL_SESSION_FAILURES_H

#include "kernel/session/session.h"

void failures_look(struct session *session); /* fills settings.auth_failures, where AUTH may come */
void failures_note(struct session *session);
void failures_forgive(struct session *session);

#endif
