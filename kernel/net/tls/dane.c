/* SPDX-License-Identifier: BSD-2-Clause
 *
 * OpenSSL does the comparing; which names a certificate may have is said here (RFC 7672 3.2.2), and that with usage 3 they are no matter (3.1.1).
 * That a chain was accepted is not enough: our callback lets every chain pass, so the record that matched is asked for.
 */
#include "kernel/net/tls/dane.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

bool net_tls_dane_prepare(SSL_CTX *ssl, struct pr_text *why)
{
	if (SSL_CTX_dane_enable(ssl) > 0) {
		SSL_CTX_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
		return true;
	}
	net_tls_explain(ERR_get_error(), "DANE", why);
	return false;
}

static bool add_names(SSL *ssl, const struct pr_list *names)
{
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].len > 0 && SSL_add1_host(ssl, names->items[i].data) != 1)
			return false;
	return true;
}

bool net_tls_dane_apply(struct net_tls *tls, const struct pr_tls_wish *wish, struct pr_text *why)
{
	const struct pr_dane *dane = wish->dane;
	size_t usable = 0;

	/* this is the name that is sent along, too (RFC 7672 8.1) */
	if (SSL_dane_enable(tls->ssl, dane->base.data) <= 0 || !add_names(tls->ssl, &wish->names)) {
		net_tls_explain(ERR_get_error(), "DANE", why);
		return false;
	}
	for (size_t i = 0; i < dane->count; i++) {
		const struct pr_tlsa *record = &dane->records[i];
		int result = SSL_dane_tlsa_add(tls->ssl, (uint8_t)record->usage, (uint8_t)record->selector, (uint8_t)record->matching,
		    (const unsigned char *)record->data.data, record->data.len);
		usable += result > 0;
	}
	ERR_clear_error();
	tls->has_dane = true;
	if (usable == 0)
		pr_text_add_c(why, "DANE: the library can read none of the TLSA records");
	return usable > 0;
}

bool net_tls_dane_is_met(const struct net_tls *tls)
{
	return SSL_get_verify_result(tls->ssl) == X509_V_OK && SSL_get0_peer_certificate(tls->ssl) != NULL && SSL_get0_dane_authority(tls->ssl, NULL, NULL) >= 0;
}
