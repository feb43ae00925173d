/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a session.
 */
#ifndef KERNEL_SESSION_CLOSE_H
#define KERNEL_SESSION_CLOSE_H

#include "kernel/session/session.h"

/* Gives back everything the session holds, and the session itself. */
void session_close(struct session *session, struct bench *bench);

#endif
