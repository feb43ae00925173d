/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One SSL_CTX for the default certificates and one for each identity, all made alike; the host that a client names chooses.
 * Everything that could cost something per connection - reading files, building chains - happens here once.
 */
#include "kernel/net/tls/server_context.h"

#include "kernel/net/tls/certificate.h"

#include <openssl/err.h>
#include <string.h>

/* What all of one context are made of. */
struct making {
	const struct net_tls_server_settings *settings;
	struct net_tickets *tickets;
	uint64_t trust_sign;
	struct pr_text *why;
};

/* The library keeps of the trust in a ticket nothing but its result, so where the trust has changed there must be a new handshake. */
static void set_session_id(SSL_CTX *ssl, uint64_t trust_sign)
{
	unsigned char id[16] = "postride";

	memcpy(id + 8, &trust_sign, sizeof trust_sign);
	SSL_CTX_set_session_id_context(ssl, id, sizeof id);
}

static void set_habits(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	/* An idle session must stay small: buffers go back when nothing is in flight. */
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1); /* head and body of a record in one call of the system */
	SSL_CTX_set_max_early_data(ssl, 0);
	SSL_CTX_set_recv_max_early_data(ssl, 0);
}

static bool asks(const struct net_tls_server_settings *settings)
{
	return !settings->asks_nothing && (settings->ca_file.len > 0 || settings->ca_path.len > 0);
}

static bool load_trust(SSL_CTX *ssl, const struct net_tls_server_settings *settings, struct pr_text *why)
{
	const struct net_tls_authorities trust = {settings->ca_file, settings->ca_path, settings->crl_file, settings->crl_path};

	return !asks(settings) || (net_tls_load_trust(ssl, &trust, why) && net_tls_ask_clients(ssl, &trust, why));
}

/* A list of authorities may be as large as the world's, so it is there once. */
static bool set_trust(SSL_CTX *ssl, const struct making *making, const SSL_CTX *like)
{
	if (like == NULL)
		return load_trust(ssl, making->settings, making->why);
	STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(like);
	SSL_CTX_set1_cert_store(ssl, SSL_CTX_get_cert_store(like));
	if (names != NULL)
		SSL_CTX_set_client_CA_list(ssl, SSL_dup_CA_list(names));
	return true;
}

static bool load_own(SSL_CTX *ssl, struct pr_str cert, struct pr_str key, const char *whose, struct pr_text *why)
{
	pr_text_add_c(why, whose);
	if (!net_tls_load_pairs(ssl, cert, key, why))
		return false;
	pr_text_clear(why);
	return true;
}

/* `like`: an identity's is as the default's is, but for the certificates; NULL: this is the default's. */
static SSL_CTX *new_ssl(const struct making *making, const SSL_CTX *like, const char *whose, struct pr_str cert, struct pr_str key)
{
	const struct net_tls_server_settings *settings = making->settings;
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());

	if (ssl == NULL) {
		net_tls_explain(ERR_get_error(), "TLS", making->why);
		return NULL;
	}
	set_habits(ssl);
	set_session_id(ssl, making->trust_sign);
	net_tls_use_tickets(ssl, making->tickets);
	/* the words may lower the level of security that certificates are held against, so they come first */
	if (net_tls_apply_words(ssl, &settings->words, making->why) && net_tls_set_dh(ssl, settings->dh_parameters, making->why) &&
	    set_trust(ssl, making, like) && load_own(ssl, cert, key, whose, making->why))
		return ssl;
	SSL_CTX_free(ssl);
	return NULL;
}

static bool fits(struct pr_str pattern, struct pr_str name)
{
	size_t dot = pr_str_find(name, '.');

	if (pr_str_equal_nocase(pattern, name))
		return true;
	return pattern.len > 2 && pattern.data[0] == '*' && dot > 0 && pr_str_equal_nocase(pr_str_slice(pattern, 1, pattern.len), pr_str_slice(name, dot, name.len));
}

static SSL_CTX *find(const struct net_tls_context *context, struct pr_str name)
{
	for (size_t i = 0; i < context->count; i++)
		for (size_t j = 0; j < context->identities[i].names.count; j++)
			if (fits(context->identities[i].names.items[j], name))
				return context->named[i];
	return NULL;
}

/* A name that is nobody's is no reason to talk to nobody: many clients name what their DNS said, and few look at the certificate. */
static int choose(SSL *ssl, int *alert, void *argument)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *chosen = name != NULL ? find(argument, pr_str(name)) : NULL;

	(void)alert;
	if (chosen == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_SSL_CTX(ssl, chosen);
	return SSL_TLSEXT_ERR_OK;
}

static bool add_identities(struct net_tls_context *context, const struct making *making)
{
	const struct net_tls_server_settings *settings = making->settings;

	context->named = pr_alloc((settings->identity_count + 1) * sizeof(SSL_CTX *));
	context->identities = settings->identities;
	for (; context->count < settings->identity_count; context->count++) {
		const struct config_certificate *one = &settings->identities[context->count];
		char whose[300];
		(void)pr_print(whose, sizeof whose, "certificate of %.*s: ", PR_PRINT(one->names.items[0]));
		context->named[context->count] = new_ssl(making, context->ssl, whose, one->cert, one->key);
		if (context->named[context->count] == NULL)
			return false;
	}
	SSL_CTX_set_tlsext_servername_callback(context->ssl, choose);
	SSL_CTX_set_tlsext_servername_arg(context->ssl, context);
	return true;
}

struct net_tls_context *net_tls_context_new(const struct net_tls_server_settings *settings, struct net_tickets *tickets, uint64_t trust_sign,
                                            struct pr_text *why)
{
	const struct making making = {settings, tickets, trust_sign, why};

	ERR_clear_error();
	SSL_CTX *ssl = new_ssl(&making, NULL, "ServerCertFile: ", settings->cert_file, settings->key_file);
	if (ssl == NULL)
		return NULL;
	struct net_tls_context *context = pr_alloc(sizeof *context);
	context->users = 1;
	context->ssl = ssl;
	if (settings->identity_count == 0 || add_identities(context, &making))
		return context;
	net_tls_context_release(context);
	return NULL;
}

struct net_tls_context *net_tls_context_hold(struct net_tls_context *context)
{
	atomic_fetch_add(&context->users, 1);
	return context;
}

void net_tls_context_release(struct net_tls_context *context)
{
	if (context == NULL || atomic_fetch_sub(&context->users, 1) != 1)
		return;
	for (size_t i = 0; i < context->count; i++)
		SSL_CTX_free(context->named[i]);
	pr_free(context->named);
	SSL_CTX_free(context->ssl);
	pr_free(context);
}
