/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host that we trust speaks for others.
 *
 *   XCLIENT    the client is somebody else from now on.  What was found out and decided about the one before is forgotten; rules, filters and
 *              limits see a new connection, and CONNECT is asked again.  The host keeps its right to say it, for that is the connection's.
 *   XFORWARD   the next message came from there: the log says so, and nothing else changes
 */
#ifndef KERNEL_SESSION_INTRODUCE_H
#define KERNEL_SESSION_INTRODUCE_H

#include "kernel/session/session.h"

/* Who the client is has been found out: may it speak for others? */
void introduce_settings(struct session *session);
/* ", xforward=..." when something was said. */
void forwarded_print(const struct session *session, struct pr_text *line);
/* The transaction is over. */
void forwarded_forget(struct session *session);

#endif
