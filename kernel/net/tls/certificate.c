/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The library checks the chain and we let every handshake go on: a client whose certificate is not trusted is one like those without.
 * Names are a stranger's text, so whatever a rule, a log line or a header could take for syntax is written +XX.
 */
#include "kernel/net/tls/certificate.h"

#include "kernel/net/tls/internal.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define OTHER_NAMES_MOST 8192 /* bytes */
#define OTHER_NAMES_COUNT 200
#define NAME_MOST 255 /* bytes of a common name that are looked at */

int net_tls_let_go_on(int good, X509_STORE_CTX *store)
{
	(void)good;
	(void)store;
	return 1;
}

bool net_tls_ask_clients(SSL_CTX *ssl, const struct net_tls_authorities *trust, struct pr_text *why)
{
	STACK_OF(X509_NAME) *names = NULL;

	if (trust->ca_file.len > 0) {
		names = SSL_load_client_CA_file(trust->ca_file.data);
		if (names == NULL) {
			pr_text_add_c(why, "CACertFile: ");
			net_tls_explain(ERR_get_error(), trust->ca_file.data, why);
			return false;
		}
		SSL_CTX_set_client_CA_list(ssl, names);
	}
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, net_tls_let_go_on);
	return true;
}

void net_tls_ask_nothing(struct net_tls *tls)
{
	SSL_set_verify(tls->ssl, SSL_VERIFY_NONE, NULL);
}

const char *net_tls_verified(const struct net_tls *tls)
{
	if (SSL_get_verify_mode(tls->ssl) == SSL_VERIFY_NONE)
		return "NOT";
	if (SSL_get0_peer_certificate(tls->ssl) == NULL)
		return "NO";
	return SSL_get_verify_result(tls->ssl) == X509_V_OK ? "OK" : "FAIL";
}

const char *net_tls_verified_why(const struct net_tls *tls)
{
	return X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl));
}

static bool is_plain(unsigned char byte)
{
	return byte > ' ' && byte < 0x7f && strchr("+()<>\"\\", byte) == NULL;
}

static struct pr_str encode(struct pr_arena *arena, struct pr_str text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = pr_arena_alloc(arena, 3 * text.len + 1);
	size_t len = 0;

	for (size_t i = 0; out != NULL && i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		if (is_plain(byte)) {
			out[len++] = (char)byte;
			continue;
		}
		out[len++] = '+';
		out[len++] = digits[byte >> 4];
		out[len++] = digits[byte & 15];
	}
	return out != NULL ? (struct pr_str){out, len} : PR_NONE;
}

static struct pr_str whole(struct pr_arena *arena, const X509_NAME *name)
{
	char *text = X509_NAME_oneline(name, NULL, 0);
	struct pr_str result = text != NULL ? encode(arena, pr_str(text)) : PR_NONE;

	OPENSSL_free(text);
	return result;
}

/* A name that cannot be trusted to mean what it shows has sendmail's word in its place. */
static struct pr_str common(struct pr_arena *arena, const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *value = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)) : NULL;

	if (value == NULL)
		return PR_STR("BadCertificateUnknown");
	struct pr_str text = {(const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
	if (text.len > NAME_MOST)
		return PR_STR("BadCertificateTooLong");
	if (pr_str_find(text, '\0') < text.len)
		return PR_STR("BadCertificateContainsNUL");
	return encode(arena, text);
}

bool net_tls_find_digest(struct pr_str name, const EVP_MD **digest_out, struct pr_text *why)
{
	*digest_out = name.len > 0 ? EVP_get_digestbyname(name.data) : NULL;
	if (name.len == 0 || *digest_out != NULL)
		return true;
	pr_text_addf(why, "CertFingerprintAlgorithm: %.*s is no digest that this library knows", PR_PRINT(name));
	return false;
}

static struct pr_str digest(struct pr_arena *arena, const X509 *certificate, const EVP_MD *kind)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	struct pr_text text;

	if (X509_digest(certificate, kind, bytes, &length) != 1)
		return PR_NONE;
	pr_text_init(&text, 3 * EVP_MAX_MD_SIZE);
	for (unsigned int i = 0; i < length; i++)
		pr_text_addf(&text, "%s%02X", i > 0 ? ":" : "", bytes[i]);
	struct pr_str result = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}

/* Names of hosts alone; the text is a list of words, so a name with a blank in it is written with +20. */
static struct pr_str other_names(struct pr_arena *arena, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	struct pr_text text;

	pr_text_init(&text, OTHER_NAMES_MOST);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < OTHER_NAMES_COUNT; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS || ASN1_STRING_length(name->d.dNSName) < 1 || ASN1_STRING_length(name->d.dNSName) > NAME_MOST)
			continue;
		struct pr_str one = {(const char *)ASN1_STRING_get0_data(name->d.dNSName), (size_t)ASN1_STRING_length(name->d.dNSName)};
		pr_text_addf(&text, "%s%.*s", text.len > 0 ? " " : "", PR_PRINT(encode(arena, one)));
	}
	struct pr_str result = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	GENERAL_NAMES_free(names);
	return result;
}

bool net_tls_certificate(const struct net_tls *tls, struct pr_arena *arena, struct net_tls_certificate *certificate_out)
{
	const X509 *certificate = SSL_get0_peer_certificate(tls->ssl);

	if (certificate == NULL)
		return false;
	const X509_NAME *subject = X509_get_subject_name(certificate), *issuer = X509_get_issuer_name(certificate);
	*certificate_out = (struct net_tls_certificate){.subject = whole(arena, subject), .issuer = whole(arena, issuer),
	    .cn_subject = common(arena, subject), .cn_issuer = common(arena, issuer), .other_names = other_names(arena, certificate)};
	*(tls->digest == NULL ? &certificate_out->md5 : &certificate_out->fingerprint) =
	    digest(arena, certificate, tls->digest == NULL ? EVP_md5() : tls->digest);
	return true;
}
