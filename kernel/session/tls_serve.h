/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The receiver's certificates: opened at the start, looked at every second, and exchanged when their files were.
 */
#ifndef KERNEL_SESSION_TLS_SERVE_H
#define KERNEL_SESSION_TLS_SERVE_H

#include "kernel/session/session.h"

/* After admit_start(), which has the memory where the keys of tickets are.  False and a sentence in `why`. */
bool tls_serve_open(struct receiver *receiver, struct pr_text *why);
/* By the thread that keeps time. */
void tls_serve_tend(struct receiver *receiver);

#endif
