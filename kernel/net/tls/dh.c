/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DHParameters, with sendmail's values: a file, a size, or none.
 * A size is taken from the groups of RFC 3526 and 7919 that fit the key of the certificate, so nothing is computed at the start.
 */
#include "kernel/net/tls/file.h"
#include "kernel/net/tls/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static bool load(SSL_CTX *ssl, const char *path, struct pr_text *why)
{
	int missing;
	BIO *file = net_tls_file_read(path, &missing);
	EVP_PKEY *parameters = file != NULL ? PEM_read_bio_Parameters_ex(file, NULL, NULL, NULL) : NULL;
	bool good = parameters != NULL && (EVP_PKEY_is_a(parameters, "DH") || EVP_PKEY_is_a(parameters, "DHX")) && SSL_CTX_set0_tmp_dh_pkey(ssl, parameters) == 1;

	if (!good) {
		unsigned long error = ERR_get_error();
		if (file == NULL)
			pr_text_addf(why, "%s: %s", path, strerror(missing));
		else if (error != 0)
			net_tls_explain(error, path, why);
		else
			pr_text_addf(why, "%s: these are no parameters of Diffie-Hellman", path);
		EVP_PKEY_free(parameters);
	}
	BIO_free(file);
	return good;
}

bool net_tls_set_dh(SSL_CTX *ssl, struct pr_str value, struct pr_text *why)
{
	static const char known[] = "iI125";

	if (value.len == 0 || (value.len == 1 && pr_str_find(PR_STR(known), value.data[0]) < sizeof known - 1)) {
		SSL_CTX_set_dh_auto(ssl, 1);
		return true;
	}
	if (pr_str_equal_nocase(value, PR_STR("none")))
		return true;
	pr_text_add_c(why, "DHParameters: ");
	if (value.data[0] != '/') {
		pr_text_addf(why, "%.*s is none of i, 2, none and the path of a file", PR_PRINT(value));
		return false;
	}
	if (!load(ssl, value.data, why))
		return false;
	pr_text_clear(why);
	return true;
}
