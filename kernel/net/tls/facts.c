/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection in the words of the macros; what the certificate says is certificate.c's matter.
 */
#include "kernel/net/tls/certificate.h"
#include "kernel/net/tls/client.h"
#include "kernel/net/tls/dane.h"
#include "kernel/net/tls/internal.h"

#include <openssl/x509v3.h>

/* RFC 6125: the name that was asked for, among the alternative ones, else the common name.  An address has none. */
static bool is_of_host(const struct net_tls *tls)
{
	X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
	const char *name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);

	return name != NULL && certificate != NULL && X509_check_host(certificate, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* Of alternative names only: RFC 8461 section 4.2 knows no common name. */
static bool has_name(const struct net_tls *tls)
{
	const unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	const char *name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);

	return name != NULL && X509_check_host(SSL_get0_peer_certificate(tls->ssl), name, 0, flags, NULL) == 1;
}

static struct pr_str webpki(const struct net_tls *tls)
{
	if (SSL_get0_peer_certificate(tls->ssl) == NULL || SSL_version(tls->ssl) < TLS1_2_VERSION)
		return PR_STR("validation-failure");
	switch (SSL_get_verify_result(tls->ssl)) {
	case X509_V_OK:
		return has_name(tls) ? PR_STR("OK") : PR_STR("certificate-host-mismatch");
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return PR_STR("certificate-expired");
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED:
		return PR_STR("certificate-not-trusted");
	default:
		return PR_STR("validation-failure");
	}
}

static void describe_certificate(const struct net_tls *tls, struct pr_arena *arena, struct net_tls_facts *facts)
{
	struct net_tls_certificate names;

	if (!net_tls_certificate(tls, arena, &names))
		return;
	facts->cert_host = is_of_host(tls) ? PR_STR("OK") : PR_STR("FAIL");
	facts->cert_subject = names.subject;
	facts->cert_issuer = names.issuer;
	facts->cn_subject = names.cn_subject;
	facts->cn_issuer = names.cn_issuer;
	facts->cert_altnames = names.other_names;
	facts->cert_md5 = names.md5;
	facts->cert_fp = names.fingerprint;
}

void net_tls_describe(const struct net_tls *tls, struct pr_arena *arena, struct net_tls_facts *facts_out)
{
	int algorithm_bits = 0;
	int bits = SSL_get_cipher_bits(tls->ssl, &algorithm_bits);

	*facts_out = (struct net_tls_facts){
	    .verify = pr_str(net_tls_verified(tls)),
	    .verify_message = pr_arena_copy(arena, pr_str(net_tls_verified_why(tls))),
	    .version = pr_arena_copy(arena, pr_str(SSL_get_version(tls->ssl))),
	    .cipher = pr_arena_copy(arena, pr_str(SSL_get_cipher_name(tls->ssl))),
	    .cipher_bits = pr_arena_printf(arena, "%d", bits),
	    .alg_bits = pr_arena_printf(arena, "%d", algorithm_bits),
	    .webpki = webpki(tls),
	};
	if (tls->has_dane)
		facts_out->verify = net_tls_dane_is_met(tls) ? PR_STR("TRUSTED") : PR_STR("DANE_FAIL");
	describe_certificate(tls, arena, facts_out);
}
