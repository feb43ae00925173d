/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The client's context, for the files that are about it.
 */
#ifndef KERNEL_NET_TLS_CLIENT_INTERNAL_H
#define KERNEL_NET_TLS_CLIENT_INTERNAL_H

#include "kernel/net/tls/client.h"
#include "kernel/net/tls/internal.h"
#include "kernel/net/tls/sessions.h"
#include "kernel/net/tls/watch.h"

#include <pthread.h>

struct net_tls_client {
	struct net_tls_trust trust;
	pthread_mutex_t looking; /* the watch */
	struct net_watch watch;
	pthread_mutex_t lock;    /* the context */
	SSL_CTX *ssl;
	const EVP_MD *digest; /* for fingerprints, or NULL */
	struct net_tls_sessions sessions;
};

/* resume.c: the sessions of one connection. */
void net_tls_resume_prepare(SSL_CTX *ssl);
/* Before the handshake: the connection begins with a session of this host, if there is one. */
void net_tls_resume_begin(struct net_tls_client *client, struct net_tls *tls, int fd, struct pr_str name);
/* After it. */
void net_tls_resume_done(struct net_tls *tls);

#endif
