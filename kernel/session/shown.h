/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A session in the transcript of -X (kernel/log/trace.h).  Nothing of it exists while nobody wants one.
 *
 * Lines stand in the order in which the machine takes and makes them; of what a client says in AUTH only the mechanism is shown.
 */
#ifndef KERNEL_SESSION_SHOWN_H
#define KERNEL_SESSION_SHOWN_H

#include "kernel/session/session.h"

/* What the machine was reading when it took some bytes. */
enum shown_kind { SHOWN_COMMAND, SHOWN_SECRET, SHOWN_DATA };

void shown_begin(struct session *session);
void shown_end(struct session *session);  /* the client is gone, or we leave him */
enum shown_kind shown_kind(const struct session *session);
void shown_heard(struct session *session, struct pr_str bytes, enum shown_kind kind);
void shown_said(struct session *session); /* what the machine has made since the last time */
void shown_sent(struct session *session); /* some of that has left */

#endif
