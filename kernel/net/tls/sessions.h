/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions of TLS that next hosts gave us, for the next connection to the same one (RFC 5077; RFC 8446 section 2.2): it costs no signature and no
 * certificates then.
 *
 *     connect to (name, address) --take--> a session, or none --handshake--> what the host gives for the next time --put-->
 *
 * A session is used once, so that nobody on the way can tell that two connections are ours (RFC 8446 appendix C.4).  What a session says of a certificate was
 * found out when it began: so it is soon too old, sooner where the certificate was not believed, never older than the certificate, and all
 * of them are forgotten when our own files are replaced.  Where TLSA records judge, none is used: each connection is compared with them.
 */
#ifndef KERNEL_NET_TLS_SESSIONS_H
#define KERNEL_NET_TLS_SESSIONS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define NET_TLS_SESSIONS 256        /* kept at once, for all hosts */
#define NET_TLS_SESSIONS_OF_HOST 8
#define NET_TLS_SESSION_SECONDS 3600
#define NET_TLS_SESSION_DOUBT_SECONDS 240 /* of a certificate that was not believed: it may be mended, and no message is tried again earlier */
#define NET_TLS_SESSION_KEY 400     /* "mx1.example.org 192.0.2.1 25" and NUL */

struct net_tls_kept_session {
	char *key;
	SSL_SESSION *session;
	int64_t since;       /* seconds of the monotonic clock: when the certificate was looked at, sessions ago maybe */
	bool is_believed;    /* the certificate */
};

struct net_tls_sessions {
	pthread_mutex_t lock;
	uint32_t generation; /* of the files */
	size_t count;        /* the newest is the last */
	struct net_tls_kept_session kept[NET_TLS_SESSIONS];
};

void net_tls_sessions_init(struct net_tls_sessions *sessions);
void net_tls_sessions_fini(struct net_tls_sessions *sessions);
/* Files were replaced: what was learned with the old ones does not count any more. */
void net_tls_sessions_forget(struct net_tls_sessions *sessions);
uint32_t net_tls_sessions_generation(struct net_tls_sessions *sessions);
/* The newest of this host, its session now the caller's, without a key; false: none. */
bool net_tls_sessions_take(struct net_tls_sessions *sessions, const char *key, int64_t now, struct net_tls_kept_session *kept_out);
/* Takes the session over when it is kept: true.  `generation`: of when its connection began. */
bool net_tls_sessions_put(struct net_tls_sessions *sessions, const char *key, uint32_t generation, const struct net_tls_kept_session *kept);

#endif
