/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the connections of a server have in common until its files are replaced: made as a whole, counted, and never changed.
 */
#ifndef KERNEL_NET_TLS_SERVER_CONTEXT_H
#define KERNEL_NET_TLS_SERVER_CONTEXT_H

#include "kernel/net/tls/internal.h"
#include "kernel/net/tls/server.h"

#include <stdatomic.h>

struct net_tls_context {
	_Atomic uint32_t users; /* the server, and each connection */
	SSL_CTX *ssl;           /* of who names nobody, or somebody else */
	const struct config_certificate *identities;
	SSL_CTX **named;        /* of each identity */
	size_t count;
};

/* With one user.  `trust_sign` says which files the trust comes from: tickets are good only where it is the same.  NULL and a sentence in `why`. */
struct net_tls_context *net_tls_context_new(const struct net_tls_server_settings *settings, struct net_tickets *tickets, uint64_t trust_sign,
                                            struct pr_text *why);
struct net_tls_context *net_tls_context_hold(struct net_tls_context *context);
void net_tls_context_release(struct net_tls_context *context);

#endif
