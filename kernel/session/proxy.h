/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A listener behind proxies (`proxy` in its group): who connects must be one of them, and must say first whose connection he brings
 * (kernel/smtp/proxy_header.h).
 *
 *   is accepted --> not one of them: 421
 *               '-> the session is parked --> a header: the client's address is what it says, and he is greeted
 *                                         '-> none within ten seconds, something else, too long: closed, with a line in the log
 *
 * From then on everything - rules, filters, limits for each client, the log - is about that client.  The header comes before TLS.
 */
#ifndef KERNEL_SESSION_PROXY_H
#define KERNEL_SESSION_PROXY_H

#include "kernel/net/peer.h"
#include "kernel/session/session.h"

/* True: nobody this listener serves; the log knows. */
bool proxy_refuses(const struct listener *listener, const struct net_peer *peer);

/* A session that was accepted waits for its header, if the listener is of that kind. */
void proxy_begin(struct session *session);
enum proxy_progress { PROXY_WAITS, PROXY_KNOWN, PROXY_GONE };
/* When it runs. */
enum proxy_progress proxy_go_on(struct session *session, struct bench *bench, uint32_t events);

#endif
