/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Holds the context that new connections get, and makes another one when its files were replaced.
 * The lock is held to count a user and to swap a pointer, never while files are read.
 */
#include "kernel/net/tls/server.h"

#include "kernel/net/tls/server_context.h"
#include "kernel/net/tls/watch.h"

#include <openssl/err.h>
#include <pthread.h>

struct net_tls_server {
	struct net_tls_server_settings settings;
	struct net_tickets *tickets;
	const EVP_MD *digest;
	struct net_watch all, trust;
	pthread_mutex_t lock;
	struct net_tls_context *context;
};

static void watch_files(struct net_tls_server *server)
{
	const struct net_tls_server_settings *settings = &server->settings;
	const struct pr_str trust[] = {settings->ca_file, settings->ca_path, settings->crl_file, settings->crl_path};

	net_watch_init(&server->all);
	net_watch_init(&server->trust);
	for (size_t i = 0; i < sizeof trust / sizeof trust[0]; i++) {
		net_watch_add(&server->trust, trust[i]);
		net_watch_add(&server->all, trust[i]);
	}
	net_watch_add(&server->all, settings->cert_file);
	net_watch_add(&server->all, settings->key_file);
	if (settings->dh_parameters.len > 0 && settings->dh_parameters.data[0] == '/')
		net_watch_add(&server->all, settings->dh_parameters);
	for (size_t i = 0; i < settings->identity_count; i++) {
		net_watch_add(&server->all, settings->identities[i].cert);
		net_watch_add(&server->all, settings->identities[i].key);
	}
	net_watch_begin(&server->all);
}

static struct net_tls_context *make(struct net_tls_server *server, struct pr_text *why)
{
	return net_tls_context_new(&server->settings, server->tickets, net_watch_sign(&server->trust), why);
}

struct net_tls_server *net_tls_server_new(const struct net_tls_server_settings *settings, struct net_tickets *tickets, struct pr_text *why)
{
	const EVP_MD *digest;

	if (!net_tls_find_digest(settings->fingerprint, &digest, why))
		return NULL;
	struct net_tls_server *server = pr_alloc(sizeof *server);
	server->settings = *settings;
	server->tickets = tickets;
	server->digest = digest;
	pthread_mutex_init(&server->lock, NULL);
	watch_files(server);
	server->context = make(server, why);
	if (server->context != NULL)
		return server;
	net_tls_server_free(server);
	return NULL;
}

void net_tls_server_free(struct net_tls_server *server)
{
	if (server == NULL)
		return;
	net_tls_context_release(server->context);
	net_watch_fini(&server->all);
	net_watch_fini(&server->trust);
	pthread_mutex_destroy(&server->lock);
	pr_free(server);
}

enum net_tls_look net_tls_server_look(struct net_tls_server *server, int64_t now, struct pr_text *why)
{
	net_tls_tend_tickets(server->tickets);
	if (!net_watch_changed(&server->all, now))
		return NET_TLS_SAME;
	struct net_tls_context *context = make(server, why);
	if (context == NULL)
		return NET_TLS_BROKEN;
	pthread_mutex_lock(&server->lock);
	struct net_tls_context *before = server->context;
	server->context = context;
	pthread_mutex_unlock(&server->lock);
	net_tls_context_release(before);
	return NET_TLS_RENEWED;
}

static struct net_tls_context *current(struct net_tls_server *server)
{
	pthread_mutex_lock(&server->lock);
	struct net_tls_context *context = net_tls_context_hold(server->context);
	pthread_mutex_unlock(&server->lock);
	return context;
}

struct net_tls *net_tls_accept(struct net_tls_server *server, int fd)
{
	struct net_tls_context *context = current(server);
	SSL *ssl = SSL_new(context->ssl);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		net_tls_context_release(context);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	struct net_tls *tls = pr_alloc(sizeof *tls);
	tls->ssl = ssl;
	tls->context = context;
	tls->digest = server->digest;
	return tls;
}
