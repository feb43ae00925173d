/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of this folder share: a context, a connection, and OpenSSL's errors in a sentence.
 */
#ifndef KERNEL_NET_TLS_INTERNAL_H
#define KERNEL_NET_TLS_INTERNAL_H

#include "kernel/net/tls/tls.h"

#include <openssl/ssl.h>
#include <postrider/arena.h>

struct net_tls_context {
	SSL_CTX *ssl;
};

struct net_tls {
	SSL *ssl;
	unsigned long error;
	bool has_dane; /* TLSA records judge who is there */
};

void net_tls_explain(unsigned long error, const char *what, struct pr_text *why);
/* Certificate with its chain, key, and that they belong together. */
bool net_tls_load_pair(SSL_CTX *ssl, struct pr_str cert_file, struct pr_str key_file, struct pr_text *why);
/* certificate.c.  CACertFile and CACertPath, one of which may be absent; false and a sentence that names the option. */
bool net_tls_load_authorities(SSL_CTX *ssl, struct pr_str file, struct pr_str path, struct pr_text *why);
/* For SSL_CTX_set_verify: whatever was wrong, the handshake goes on, and SSL_get_verify_result() remembers it. */
int net_tls_let_go_on(int good, X509_STORE_CTX *store);
/* Hexadecimal with colons; absent: it cannot be made. */
struct pr_str net_tls_digest(struct pr_arena *arena, const X509 *certificate, const EVP_MD *digest);
/* words.c: false and a sentence that names the option. */
bool net_tls_apply_words(SSL_CTX *ssl, const struct net_tls_words *words, struct pr_text *why);

#endif
