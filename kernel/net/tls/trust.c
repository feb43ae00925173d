/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whom a context believes, and whom not any more: the same options for both sides.
 * The sentence names the option, because a file may be named by several.
 */
#include "kernel/net/tls/internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>

static bool load_authorities(SSL_CTX *ssl, const struct net_tls_authorities *trust, struct pr_text *why)
{
	if (trust->ca_file.len > 0 && SSL_CTX_load_verify_file(ssl, trust->ca_file.data) != 1) {
		pr_text_add_c(why, "CACertFile: ");
		net_tls_explain(ERR_get_error(), trust->ca_file.data, why);
		return false;
	}
	if (trust->ca_path.len > 0 && SSL_CTX_load_verify_dir(ssl, trust->ca_path.data) != 1) {
		pr_text_add_c(why, "CACertPath: ");
		net_tls_explain(ERR_get_error(), trust->ca_path.data, why);
		return false;
	}
	return true;
}

static bool load_revoked(SSL_CTX *ssl, const struct net_tls_authorities *trust, struct pr_text *why)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);

	if (trust->crl_file.len == 0 && trust->crl_path.len == 0)
		return true;
	if (trust->crl_file.len > 0) {
		X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
		if (lookup == NULL || X509_load_crl_file(lookup, trust->crl_file.data, X509_FILETYPE_PEM) < 1) {
			pr_text_add_c(why, "CRLFile: ");
			net_tls_explain(ERR_get_error(), trust->crl_file.data, why);
			return false;
		}
	}
	if (trust->crl_path.len > 0 && X509_STORE_load_path(store, trust->crl_path.data) != 1) {
		pr_text_add_c(why, "CRLPath: ");
		net_tls_explain(ERR_get_error(), trust->crl_path.data, why);
		return false;
	}
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return true;
}

bool net_tls_load_trust(SSL_CTX *ssl, const struct net_tls_authorities *trust, struct pr_text *why)
{
	ERR_clear_error();
	return load_authorities(ssl, trust, why) && load_revoked(ssl, trust, why);
}
