/* SPDX-License-Identifier: BSD-2-Clause
 *
 * STARTTLS: from plain text to TLS on the same connection; or TLS from its first byte, where the listener has modifier s.
 */
#ifndef KERNEL_SESSION_TLS_START_H
#define KERNEL_SESSION_TLS_START_H

#include "kernel/session/session.h"

/* The session is in its handshake from now on, for Timeout.starttls at most. */
void tls_begin(struct session *session);
/* That was too long. */
void tls_timed_out(const struct session *session);
/* Begins or continues the handshake; NET_DONE when the machine has been told. */
enum net_result tls_start(struct session *session, struct bench *bench);

#endif
