/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A client's connection and the sessions of its host: one is taken before the handshake, what the host gives is put there when it comes - with TLS 1.3
 * behind the handshake, in the midst of replies.
 * The host is the name that was sent along and the address and port that were connected: behind one name there may be machines that know nothing of each other.
 */
#include "kernel/net/tls/client_internal.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

struct net_tls_recall {
	struct net_tls_sessions *sessions;
	uint32_t generation;
	int64_t since;
	char key[NET_TLS_SESSION_KEY];
};

static int64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec;
}

/* OpenSSL hands a reference over with 1, and keeps it with 0. */
static int take_new(SSL *ssl, SSL_SESSION *session)
{
	const struct net_tls *tls = SSL_get_app_data(ssl);

	if (tls == NULL || tls->recall == NULL)
		return 0;
	const struct net_tls_kept_session kept = {.session = session, .since = tls->recall->since, .is_believed = SSL_get_verify_result(ssl) == X509_V_OK};
	return net_tls_sessions_put(tls->recall->sessions, tls->recall->key, tls->recall->generation, &kept) ? 1 : 0;
}

void net_tls_resume_prepare(SSL_CTX *ssl)
{
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl, take_new);
}

/* False: it is no host of a network, or its name is endless. */
static bool make_key(int fd, struct pr_str name, char *key, size_t room)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} peer;
	socklen_t length = sizeof peer;
	char address[64], port[16];

	if (getpeername(fd, &peer.any, &length) != 0 || (peer.any.sa_family != AF_INET && peer.any.sa_family != AF_INET6))
		return false;
	if (getnameinfo(&peer.any, length, address, sizeof address, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	int written = snprintf(key, room, "%.*s %s %s", PR_PRINT(name), address, port);
	return written > 0 && (size_t)written < room;
}

void net_tls_resume_begin(struct net_tls_client *client, struct net_tls *tls, int fd, struct pr_str name)
{
	struct net_tls_kept_session kept;
	struct net_tls_recall *recall = pr_alloc(sizeof *recall);

	if (!make_key(fd, name, recall->key, sizeof recall->key)) {
		pr_free(recall);
		return;
	}
	recall->sessions = &client->sessions;
	recall->generation = net_tls_sessions_generation(&client->sessions);
	recall->since = now_seconds();
	tls->recall = recall;
	SSL_set_app_data(tls->ssl, tls);
	if (!net_tls_sessions_take(&client->sessions, recall->key, recall->since, &kept))
		return;
	if (SSL_set_session(tls->ssl, kept.session) == 1)
		recall->since = kept.since;
	SSL_SESSION_free(kept.session);
}

/* The certificate was looked at just now, unless the session went on.  Up to TLS 1.2 a session that went on may do so again, and the host says nothing new. */
void net_tls_resume_done(struct net_tls *tls)
{
	struct net_tls_recall *recall = tls->recall;

	if (recall == NULL)
		return;
	if (!net_tls_is_resumed(tls)) {
		recall->since = now_seconds();
		return;
	}
	if (SSL_version(tls->ssl) >= TLS1_3_VERSION)
		return;
	SSL_SESSION *session = SSL_get1_session(tls->ssl);
	if (session != NULL && take_new(tls->ssl, session) == 0)
		SSL_SESSION_free(session);
}

bool net_tls_is_resumed(const struct net_tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}
