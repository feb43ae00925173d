/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SHA, HMAC and PBKDF2 by OpenSSL's libcrypto, in the few calls that SCRAM needs.
 */
#include "map.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const EVP_MD *method(enum hash_kind kind)
{
	return kind == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
}

size_t hash_size(enum hash_kind kind)
{
	return kind == HASH_SHA1 ? 20 : 32;
}

bool hash_of(enum hash_kind kind, const void *bytes, size_t length, unsigned char *out)
{
	return EVP_Digest(bytes, length, out, NULL, method(kind), NULL) == 1;
}

bool hash_keyed(enum hash_kind kind, const void *key, size_t key_length, struct pr_str text, unsigned char *out)
{
	unsigned int size = 0;

	return HMAC(method(kind), key, (int)key_length, (const unsigned char *)text.data, text.len, out, &size) != NULL;
}

bool hash_password(enum hash_kind kind, struct pr_str password, struct pr_str salt, uint32_t iterations, unsigned char *out)
{
	return PKCS5_PBKDF2_HMAC(password.data, (int)password.len, (const unsigned char *)salt.data, (int)salt.len, (int)iterations, method(kind),
	           (int)hash_size(kind), out) == 1;
}

bool hash_is_equal(const unsigned char *a, const unsigned char *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}

bool hash_random(unsigned char *out, size_t length)
{
	return RAND_bytes(out, (int)length) == 1;
}

bool hash_keys(enum hash_kind kind, const unsigned char *salted, unsigned char *stored_out, unsigned char *server_out)
{
	unsigned char client[HASH_MAX];
	size_t size = hash_size(kind);
	bool good = hash_keyed(kind, salted, size, PR_STR("Client Key"), client) && hash_of(kind, client, size, stored_out) &&
	            hash_keyed(kind, salted, size, PR_STR("Server Key"), server_out);

	OPENSSL_cleanse(client, sizeof client);
	return good;
}
