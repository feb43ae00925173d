/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The client's context and its handshake.
 * Verification runs and its result is kept, but it never ends the handshake: mail that is encrypted for somebody we cannot name is still better
 * off than mail in the clear, and the rules see the result.  Which protocol versions are good enough the system's openssl.cnf says.
 */
#include "kernel/net/tls/client.h"

#include "kernel/net/tls/client_internal.h"
#include "kernel/net/tls/dane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static bool load_own(SSL_CTX *ssl, const struct net_tls_trust *trust, struct pr_text *why)
{
	if (trust->cert_file.len == 0 && trust->key_file.len == 0)
		return true;
	if (trust->cert_file.len == 0 || trust->key_file.len == 0) {
		pr_text_add_c(why, "ClientCertFile and ClientKeyFile must be given together");
		return false;
	}
	pr_text_add_c(why, "ClientCertFile: ");
	if (!net_tls_load_pairs(ssl, trust->cert_file, trust->key_file, why))
		return false;
	pr_text_clear(why);
	return true;
}

static SSL_CTX *new_ssl(const struct net_tls_trust *trust, struct pr_text *why)
{
	const struct net_tls_authorities authorities = {trust->ca_file, trust->ca_path, trust->crl_file, trust->crl_path};
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());

	if (ssl == NULL) {
		net_tls_explain(ERR_get_error(), "TLS", why);
		return NULL;
	}
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, net_tls_let_go_on);
	net_tls_resume_prepare(ssl);
	if (net_tls_dane_prepare(ssl, why) && net_tls_apply_words(ssl, &trust->words, why) && net_tls_load_trust(ssl, &authorities, why) && load_own(ssl, trust, why))
		return ssl;
	SSL_CTX_free(ssl);
	return NULL;
}

static void watch_files(struct net_tls_client *client)
{
	const struct net_tls_trust *trust = &client->trust;
	const struct pr_str files[] = {trust->cert_file, trust->key_file, trust->ca_file, trust->ca_path, trust->crl_file, trust->crl_path};

	net_watch_init(&client->watch);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		net_watch_add(&client->watch, files[i]);
	net_watch_begin(&client->watch);
}

struct net_tls_client *net_tls_client_new(const struct net_tls_trust *trust, struct pr_text *why)
{
	const EVP_MD *digest = NULL;

	ERR_clear_error();
	if (!net_tls_find_digest(trust->fingerprint, &digest, why))
		return NULL;
	struct net_tls_client *client = pr_alloc(sizeof *client);
	client->trust = *trust;
	client->digest = digest;
	pthread_mutex_init(&client->lock, NULL);
	pthread_mutex_init(&client->looking, NULL);
	net_tls_sessions_init(&client->sessions);
	watch_files(client);
	client->ssl = new_ssl(trust, why);
	if (client->ssl != NULL)
		return client;
	net_tls_client_free(client);
	return NULL;
}

void net_tls_client_free(struct net_tls_client *client)
{
	if (client == NULL)
		return;
	SSL_CTX_free(client->ssl);
	net_tls_sessions_fini(&client->sessions);
	net_watch_fini(&client->watch);
	pthread_mutex_destroy(&client->looking);
	pthread_mutex_destroy(&client->lock);
	pr_free(client);
}

static enum net_tls_look look(struct net_tls_client *client, int64_t now, struct pr_text *why)
{
	if (!net_watch_changed(&client->watch, now))
		return NET_TLS_SAME;
	ERR_clear_error();
	SSL_CTX *ssl = new_ssl(&client->trust, why);
	if (ssl == NULL)
		return NET_TLS_BROKEN;
	pthread_mutex_lock(&client->lock);
	SSL_CTX *before = client->ssl;
	client->ssl = ssl;
	pthread_mutex_unlock(&client->lock);
	net_tls_sessions_forget(&client->sessions);
	SSL_CTX_free(before); /* connections have it as long as they need it */
	return NET_TLS_RENEWED;
}

enum net_tls_look net_tls_client_look(struct net_tls_client *client, int64_t now, struct pr_text *why)
{
	if (pthread_mutex_trylock(&client->looking) != 0)
		return NET_TLS_SAME; /* somebody does */
	enum net_tls_look result = look(client, now, why);
	pthread_mutex_unlock(&client->looking);
	return result;
}

/* SNI is for names only (RFC 6066 3). */
static bool is_name(struct pr_str name)
{
	unsigned char ignored[sizeof(struct in6_addr)];

	return name.len > 0 && name.len < 254 && name.data[0] != '[' && name.data[0] != '/' && inet_pton(AF_INET, name.data, ignored) != 1 &&
	       inet_pton(AF_INET6, name.data, ignored) != 1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct net_tls *prepare(struct net_tls_client *client, int fd, struct pr_str name)
{
	pthread_mutex_lock(&client->lock);
	SSL *ssl = SSL_new(client->ssl);
	pthread_mutex_unlock(&client->lock);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || (is_name(name) && SSL_set_tlsext_host_name(ssl, name.data) != 1)) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	struct net_tls *tls = pr_alloc(sizeof *tls);
	tls->ssl = ssl;
	tls->digest = client->digest;
	return tls;
}

static struct net_tls *shake_hands(struct net_tls *tls, int64_t end, struct pr_text *why)
{
	enum net_result result;
	uint32_t wants;

	do /* the socket's own timeout makes it AGAIN now and then */
		result = net_tls_handshake(tls, &wants);
	while (result == NET_AGAIN && now_ms() < end);
	if (result == NET_DONE) {
		net_tls_resume_done(tls);
		return tls;
	}
	if (result == NET_AGAIN)
		pr_text_add_c(why, "it took too long");
	else
		net_tls_reason(tls, why);
	net_tls_free(tls);
	return NULL;
}

struct net_tls *net_tls_connect_with(struct net_tls_client *client, int fd, const struct pr_tls_wish *wish, int64_t milliseconds, struct pr_text *why)
{
	bool has_records = wish->dane != NULL && wish->dane->state == PR_DANE_VERIFY;
	int64_t end = now_ms() + milliseconds;

	ERR_clear_error();
	struct net_tls *tls = prepare(client, fd, has_records ? PR_NONE : wish->name);
	if (tls == NULL) {
		net_tls_explain(ERR_get_error(), "TLS", why);
		return NULL;
	}
	if (!has_records)
		net_tls_resume_begin(client, tls, fd, wish->name);
	if (!has_records || net_tls_dane_apply(tls, wish, why))
		return shake_hands(tls, end, why);
	net_tls_free(tls);
	return NULL;
}

struct net_tls *net_tls_connect(struct net_tls_client *client, int fd, struct pr_str name, int64_t milliseconds, struct pr_text *why)
{
	return net_tls_connect_with(client, fd, &(struct pr_tls_wish){.size = sizeof(struct pr_tls_wish), .name = name}, milliseconds, why);
}
