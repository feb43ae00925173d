/* SPDX-License-Identifier: BSD-2-Clause
 *
 * STARTTLS: from plain text to TLS on the same connection.
 */
#ifndef KERNEL_SESSION_TLS_START_H
#define KERNEL_SESSION_TLS_START_H

#include "kernel/session/session.h"

/* Begins or continues the handshake; NET_DONE when the machine has been told. */
enum net_result tls_start(struct session *session, struct bench *bench);

#endif
