/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates with their chains and keys: one pair, or one for each kind of key.
 * A chain that the file lacks is built here from the authorities we know; the library would build it again in every handshake.
 */
#include "kernel/net/tls/file.h"
#include "kernel/net/tls/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define KINDS_MAX 8

/* There is nobody to type one. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

/* Whatever comes behind the first certificate is the way up to an authority. */
static bool use_chain(SSL_CTX *ssl, BIO *text)
{
	X509 *own = PEM_read_bio_X509_AUX(text, NULL, no_pass_phrase, NULL), *above;
	bool good = own != NULL && SSL_CTX_use_certificate(ssl, own) == 1 && SSL_CTX_clear_chain_certs(ssl) == 1;

	X509_free(own);
	while (good && (above = PEM_read_bio_X509(text, NULL, no_pass_phrase, NULL)) != NULL) {
		good = SSL_CTX_add0_chain_cert(ssl, above) == 1;
		if (!good)
			X509_free(above);
	}
	if (!good || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error(); /* the end of the file */
	return true;
}

static bool use_key(SSL_CTX *ssl, BIO *text)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, no_pass_phrase, NULL);
	bool good = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1;

	EVP_PKEY_free(key);
	return good;
}

static bool use_file(SSL_CTX *ssl, const char *path, bool (*use)(SSL_CTX *, BIO *), struct pr_text *why)
{
	int error;
	BIO *text = net_tls_file_read(path, &error);

	if (text == NULL) {
		pr_text_addf(why, "%s: %s", path, strerror(error));
		return false;
	}
	bool good = use(ssl, text);
	if (!good)
		net_tls_explain(ERR_get_error(), path, why);
	BIO_free(text);
	return good;
}

bool net_tls_load_pair(SSL_CTX *ssl, struct pr_str cert_file, struct pr_str key_file, struct pr_text *why)
{
	if (!use_file(ssl, cert_file.data, use_chain, why) || !use_file(ssl, key_file.data, use_key, why))
		return false;
	if (SSL_CTX_check_private_key(ssl) != 1) {
		pr_text_addf(why, "%s: the key does not belong to the certificate in %s", key_file.data, cert_file.data);
		return false;
	}
	return true;
}

static void complete_chain(SSL_CTX *ssl)
{
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(ssl, &chain);
	if (sk_X509_num(chain) <= 0)
		(void)SSL_CTX_build_cert_chain(ssl, SSL_BUILD_CHAIN_FLAG_NO_ROOT | SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR | SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR);
	ERR_clear_error();
}

/* A second one for the same kind of key would take the place of the first. */
static bool is_new_kind(SSL_CTX *ssl, int kinds[KINDS_MAX], size_t count, struct pr_str file, struct pr_text *why)
{
	int kind = EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(ssl));

	for (size_t i = 0; i < count; i++)
		if (kinds[i] == kind) {
			pr_text_addf(why, "%.*s: there is a certificate for this kind of key (%s) before it", PR_PRINT(file), OBJ_nid2sn(kind));
			return false;
		}
	kinds[count] = kind;
	return true;
}

static bool next_file(struct pr_str *rest, char **file_out)
{
	struct pr_str file;

	if (rest->len == 0 || !pr_str_next(rest, ',', &file))
		return false;
	*file_out = pr_copy_str(pr_str_trim(file));
	return true;
}

bool net_tls_load_pairs(SSL_CTX *ssl, struct pr_str certs, struct pr_str keys, struct pr_text *why)
{
	int kinds[KINDS_MAX];
	size_t count = 0;
	bool good = true;

	while (good) {
		char *cert = NULL, *key = NULL;
		bool has_cert = next_file(&certs, &cert), has_key = next_file(&keys, &key);
		if (!has_cert && !has_key)
			break;
		if (has_cert != has_key || count == KINDS_MAX)
			pr_text_addf(why, "%s: there are not as many keys as certificates", has_cert ? cert : key);
		good = has_cert && has_key && count < KINDS_MAX && net_tls_load_pair(ssl, pr_str(cert), pr_str(key), why) &&
		       is_new_kind(ssl, kinds, count, pr_str(cert), why);
		if (good)
			complete_chain(ssl);
		count++;
		pr_free(cert);
		pr_free(key);
	}
	SSL_CTX_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
	return good && count > 0;
}
