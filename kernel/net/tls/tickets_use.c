/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Session tickets as the library asks for them: each is encrypted and signed with a key of tickets.h, and nothing is kept here of a session.
 * A ticket of an older key is still good and is answered with a new one.
 */
#include "kernel/net/tls/internal.h"
#include "kernel/net/tls/tickets.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#define IV_BYTES 16

static int64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec + 1; /* 0 is no time */
}

static bool set_mac(EVP_MAC_CTX *mac, struct net_ticket_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal(struct net_tickets *tickets, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct net_ticket_key key;

	if (!net_tickets_newest(tickets, now_seconds(), &key))
		return 0; /* the handshake goes on without a ticket */
	bool good = RAND_bytes(iv, IV_BYTES) == 1 && EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 && set_mac(mac, &key);
	memcpy(name, key.name, sizeof key.name);
	explicit_bzero(&key, sizeof key);
	return good ? 1 : -1;
}

static int unseal(struct net_tickets *tickets, const unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct net_ticket_key key;
	bool fresh;

	if (!net_tickets_find(tickets, name, now_seconds(), &key, &fresh))
		return 0; /* a full handshake */
	bool good = set_mac(mac, &key) && EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1;
	explicit_bzero(&key, sizeof key);
	return !good ? -1 : fresh ? 1 : 2;
}

static int ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int makes)
{
	struct net_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	return makes ? seal(tickets, name, iv, cipher, mac) : unseal(tickets, name, iv, cipher, mac);
}

void net_tls_use_tickets(SSL_CTX *ssl, struct net_tickets *tickets)
{
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* 20,000 sessions of other people are nothing to keep */
	SSL_CTX_set_num_tickets(ssl, 1);                         /* one connection after the other is what mail does */
	SSL_CTX_set_timeout(ssl, 2 * NET_TICKET_SECONDS);
	if (tickets == NULL) {
		SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ssl, 0);
		return;
	}
	SSL_CTX_set_app_data(ssl, (char *)tickets);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, ticket);
}

void net_tls_tend_tickets(struct net_tickets *tickets)
{
	if (tickets != NULL)
		net_tickets_tend(tickets, now_seconds());
}
