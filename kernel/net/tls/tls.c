/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A thin skin around OpenSSL: results in our words, errors as one sentence per thread.
 * A server without renegotiation and without TLS below 1.2; unless options say otherwise, the library's own list of ciphers, which
 * Debian maintains better than we could.
 */
#include "kernel/net/tls/internal.h"

#include <errno.h>
#include <openssl/err.h>

void net_tls_explain(unsigned long error, const char *what, struct pr_text *why)
{
	char sentence[200];

	ERR_error_string_n(error, sentence, sizeof sentence);
	pr_text_addf(why, "%s: %s", what, sentence);
}

bool net_tls_load_pair(SSL_CTX *ssl, struct pr_str cert_file, struct pr_str key_file, struct pr_text *why)
{
	if (SSL_CTX_use_certificate_chain_file(ssl, cert_file.data) != 1) {
		net_tls_explain(ERR_get_error(), cert_file.data, why);
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(ssl, key_file.data, SSL_FILETYPE_PEM) != 1) {
		net_tls_explain(ERR_get_error(), key_file.data, why);
		return false;
	}
	if (SSL_CTX_check_private_key(ssl) != 1) {
		pr_text_addf(why, "%s: the key does not belong to the certificate in %s", key_file.data, cert_file.data);
		return false;
	}
	return true;
}

struct net_tls_context *net_tls_context_new(struct pr_str cert_file, struct pr_str key_file, const struct net_tls_words *words, struct pr_text *why)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());

	if (ssl == NULL) {
		net_tls_explain(ERR_get_error(), "TLS", why);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* An idle session must stay small: buffers go back when nothing is in flight. */
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"postrider", 9);
	if (!net_tls_load_pair(ssl, cert_file, key_file, why) || !net_tls_apply_words(ssl, words, why)) {
		SSL_CTX_free(ssl);
		return NULL;
	}
	struct net_tls_context *context = pr_alloc(sizeof *context);
	context->ssl = ssl;
	return context;
}

void net_tls_context_free(struct net_tls_context *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->ssl);
	pr_free(context);
}

struct net_tls *net_tls_new(struct net_tls_context *context, int fd)
{
	SSL *ssl = SSL_new(context->ssl);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	struct net_tls *tls = pr_alloc(sizeof *tls);
	tls->ssl = ssl;
	return tls;
}

void net_tls_free(struct net_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	pr_free(tls);
}

static enum net_result result_of(struct net_tls *tls, int result, uint32_t *wants)
{
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*wants = NET_WANT_READ;
		return NET_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*wants = NET_WANT_WRITE;
		return NET_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return NET_CLOSED;
	default:
		tls->error = ERR_peek_last_error();
		if (errno == 0)
			errno = EPROTO;
		return NET_BROKEN;
	}
}

enum net_result net_tls_handshake(struct net_tls *tls, uint32_t *wants)
{
	ERR_clear_error();
	errno = 0;
	int result = SSL_do_handshake(tls->ssl);
	return result == 1 ? NET_DONE : result_of(tls, result, wants);
}

enum net_result net_tls_read(struct net_tls *tls, void *buffer, size_t room, size_t *length_out, uint32_t *wants)
{
	ERR_clear_error();
	errno = 0;
	int result = SSL_read_ex(tls->ssl, buffer, room, length_out);
	return result == 1 ? NET_DONE : result_of(tls, result, wants);
}

enum net_result net_tls_write(struct net_tls *tls, const void *data, size_t len, size_t *length_out, uint32_t *wants)
{
	ERR_clear_error();
	errno = 0;
	int result = SSL_write_ex(tls->ssl, data, len, length_out);
	return result == 1 ? NET_DONE : result_of(tls, result, wants);
}

void net_tls_shutdown(struct net_tls *tls)
{
	ERR_clear_error();
	if (SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl);
}

bool net_tls_has_input(const struct net_tls *tls)
{
	return tls != NULL && SSL_pending(tls->ssl) > 0;
}

const char *net_tls_version(const struct net_tls *tls)
{
	return SSL_get_version(tls->ssl);
}

const char *net_tls_cipher(const struct net_tls *tls, int *bits_out, int *algorithm_bits_out)
{
	*bits_out = SSL_get_cipher_bits(tls->ssl, algorithm_bits_out);
	return SSL_get_cipher_name(tls->ssl);
}

void net_tls_reason(const struct net_tls *tls, struct pr_text *why)
{
	if (tls->error != 0)
		net_tls_explain(tls->error, "TLS", why);
	else
		pr_text_add_c(why, "the connection broke");
}
