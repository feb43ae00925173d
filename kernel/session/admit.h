/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is let in, and who is counted.  Limits hold for all receivers together (kernel/net/traffic.h), also while an old one drains.
 *
 *   somebody knocks   admit_now         ConnectionRateThrottle: later; he waits in the socket's queue
 *   is accepted       admit_connection  RefuseLA, MaxDaemonChildren: 421
 *   says who he is    admit_client      MaxSessionsPerClient: 421; ${client_connections}, ${client_rate}, ${total_rate}
 *   is gone           admit_end
 *
 * The programs of this machine that submit mail are no connections from outside: load and throttle are not for them.
 */
#ifndef KERNEL_SESSION_ADMIT_H
#define KERNEL_SESSION_ADMIT_H

#include "kernel/session/session.h"

/* Opens the table, or one of this process alone; false with a reason. */
bool admit_start(struct receiver *receiver, struct pr_text *why);
/* The client is somebody else from now on: admit_client() is asked again. */
void admit_leave(struct session *session);
/* May the next one be accepted in this second? */
bool admit_now(struct listener *listener);
/* NULL: it is counted, and ends with admit_none() or as a session with admit_end().  Otherwise the text of the 421. */
const char *admit_connection(const struct listener *listener);
void admit_none(struct receiver *receiver);
/* False: this client has enough. */
bool admit_client(struct session *session);
void admit_end(struct session *session);

#endif
