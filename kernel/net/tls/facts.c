/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection in the words of the macros.
 * Names in certificates are a stranger's: whatever could be taken for syntax by a rule, a log line or a header is written +XX, as sendmail does it, and a
 * name that cannot be trusted to mean what it shows has a word in its place.
 */
#include "kernel/net/tls/client_internal.h"

#include <openssl/x509.h>

#include <string.h>

#define DIGEST_TEXT (EVP_MAX_MD_SIZE * 3 + 1)
#define NAME_MOST 255 /* bytes of a common name that are looked at */

static bool is_plain(unsigned char byte)
{
	return byte > ' ' && byte < 0x7f && strchr("+()<>\"\\", byte) == NULL;
}

static struct pr_str encode(struct pr_arena *arena, struct pr_str text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = pr_arena_alloc(arena, text.len * 3 + 1);
	size_t length = 0;

	if (out == NULL)
		return PR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		if (is_plain(byte)) {
			out[length++] = (char)byte;
			continue;
		}
		out[length++] = '+';
		out[length++] = digits[byte >> 4];
		out[length++] = digits[byte & 15];
	}
	out[length] = '\0';
	return (struct pr_str){out, length};
}

/* "/C=AQ/O=Test/CN=mx.example.org" */
static struct pr_str whole_name(struct pr_arena *arena, X509_NAME *name)
{
	char *text = name != NULL ? X509_NAME_oneline(name, NULL, 0) : NULL;
	struct pr_str result = text != NULL ? encode(arena, pr_str(text)) : PR_NONE;

	OPENSSL_free(text);
	return result;
}

static struct pr_str common_name(struct pr_arena *arena, X509_NAME *name)
{
	int at = name != NULL ? X509_NAME_get_index_by_NID(name, NID_commonName, -1) : -1;
	const ASN1_STRING *value = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)) : NULL;

	if (value == NULL)
		return PR_STR("BadCertificateUnknown");
	struct pr_str text = {(const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
	if (text.len > NAME_MOST)
		return PR_STR("BadCertificateTooLong");
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		return PR_STR("BadCertificateContainsNUL");
	return encode(arena, text);
}

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

static void describe_certificate(const struct net_tls_client *client, X509 *certificate, struct pr_arena *arena, struct net_tls_facts *facts)
{
	X509_NAME *subject = X509_get_subject_name(certificate), *issuer = X509_get_issuer_name(certificate);

	facts->cert_subject = whole_name(arena, subject);
	facts->cert_issuer = whole_name(arena, issuer);
	facts->cn_subject = common_name(arena, subject);
	facts->cn_issuer = common_name(arena, issuer);
	if (client->digest == NULL)
		facts->cert_md5 = digest_of(arena, certificate, EVP_md5());
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
		describe_certificate(client, certificate, arena, facts_out);
	X509_free(certificate);
}
