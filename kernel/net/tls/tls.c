/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A thin skin around OpenSSL: results in our words, errors as one sentence per thread.
 * It knows of no side: what a connection may do was settled when its context was made.
 */
#include "kernel/net/tls/server_context.h"

#include <errno.h>
#include <openssl/err.h>

void net_tls_explain(unsigned long error, const char *what, struct pr_text *why)
{
	char sentence[200];

	ERR_error_string_n(error, sentence, sizeof sentence);
	pr_text_addf(why, "%s: %s", what, sentence);
}

void net_tls_free(struct net_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	net_tls_context_release(tls->context);
	pr_free(tls->recall);
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
	return tls != NULL && SSL_has_pending(tls->ssl) == 1;
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
