/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of this folder share: a connection, what contexts are made of, and OpenSSL's errors in a sentence.
 */
#ifndef KERNEL_NET_TLS_INTERNAL_H
#define KERNEL_NET_TLS_INTERNAL_H

#include "kernel/net/tls/tls.h"

#include <openssl/ssl.h>

struct net_tls_context;
struct net_tickets;

struct net_tls {
	SSL *ssl;
	unsigned long error;
	const EVP_MD *digest;            /* for fingerprints, or NULL */
	struct net_tls_context *context; /* a server's, held; else NULL */
	bool has_dane;                   /* TLSA records judge who is there */
	struct net_tls_recall *recall;   /* a client's: where its sessions are kept; or NULL: nowhere */
};

/* Whom we believe, and whom not any more; each may be empty. */
struct net_tls_authorities {
	struct pr_str ca_file, ca_path, crl_file, crl_path;
};

void net_tls_explain(unsigned long error, const char *what, struct pr_text *why);
/* Certificate with its chain, key, and that they belong together. */
bool net_tls_load_pair(SSL_CTX *ssl, struct pr_str cert_file, struct pr_str key_file, struct pr_text *why);
/* Lists with commas, pair by pair, each for another kind of key.  Chains are complete as far as they can be, and it is never tried again. */
bool net_tls_load_pairs(SSL_CTX *ssl, struct pr_str certs, struct pr_str keys, struct pr_text *why);
/* These four: false and a sentence that names the option. */
bool net_tls_apply_words(SSL_CTX *ssl, const struct net_tls_words *words, struct pr_text *why);
bool net_tls_load_trust(SSL_CTX *ssl, const struct net_tls_authorities *trust, struct pr_text *why);
bool net_tls_set_dh(SSL_CTX *ssl, struct pr_str value, struct pr_text *why);
bool net_tls_find_digest(struct pr_str name, const EVP_MD **digest_out, struct pr_text *why);
/* For SSL_CTX_set_verify: whatever was wrong, the handshake goes on, and SSL_get_verify_result() remembers it. */
int net_tls_let_go_on(int good, X509_STORE_CTX *store);
/* A server's connections ask for a certificate, let every handshake go on, and say whose signature would do. */
bool net_tls_ask_clients(SSL_CTX *ssl, const struct net_tls_authorities *trust, struct pr_text *why);
/* tickets_use.c; NULL: no session comes back. */
void net_tls_use_tickets(SSL_CTX *ssl, struct net_tickets *tickets);
void net_tls_tend_tickets(struct net_tickets *tickets);

#endif
