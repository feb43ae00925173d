/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection in the words of the macros; what the certificate says is certificate.c's matter.
 */
#include "kernel/net/tls/certificate.h"
#include "kernel/net/tls/client_internal.h"

#include <openssl/x509.h>

#define DIGEST_TEXT (EVP_MAX_MD_SIZE * 3 + 1)

static struct pr_str digest_of(struct pr_arena *arena, X509 *certificate, const EVP_MD *digest)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	char text[DIGEST_TEXT] = "";
	unsigned int length = 0;
	size_t at = 0;

	if (digest == NULL || X509_digest(certificate, digest, bytes, &length) != 1)
		return PR_NONE;
	for (unsigned int i = 0; i < length; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, i > 0 ? ":%02X" : "%02X", bytes[i]);
	return pr_arena_copy(arena, pr_str(text));
}

static void describe_certificate(const struct net_tls_client *client, const struct net_tls *tls, X509 *certificate, struct pr_arena *arena, struct net_tls_facts *facts)
{
	struct net_tls_certificate names;

	if (!net_tls_certificate(tls, arena, &names))
		return;
	facts->cert_subject = names.subject;
	facts->cert_issuer = names.issuer;
	facts->cn_subject = names.cn_subject;
	facts->cn_issuer = names.cn_issuer;
	if (client->digest == NULL)
		facts->cert_md5 = names.md5;
	facts->cert_fp = digest_of(arena, certificate, client->digest);
}

void net_tls_describe(const struct net_tls_client *client, const struct net_tls *tls, struct pr_arena *arena, struct net_tls_facts *facts_out)
{
	X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
	long verified = SSL_get_verify_result(tls->ssl);
	int algorithm_bits = 0;
	int bits = SSL_get_cipher_bits(tls->ssl, &algorithm_bits);

	*facts_out = (struct net_tls_facts){
	    .verify = certificate == NULL ? PR_STR("NO") : verified == X509_V_OK ? PR_STR("OK") : PR_STR("FAIL"),
	    .verify_message = pr_arena_copy(arena, pr_str(X509_verify_cert_error_string(verified))),
	    .version = pr_arena_copy(arena, pr_str(SSL_get_version(tls->ssl))),
	    .cipher = pr_arena_copy(arena, pr_str(SSL_get_cipher_name(tls->ssl))),
	    .cipher_bits = pr_arena_printf(arena, "%d", bits),
	    .alg_bits = pr_arena_printf(arena, "%d", algorithm_bits),
	};
	if (certificate != NULL)
		describe_certificate(client, tls, certificate, arena, facts_out);
	X509_free(certificate);
}
