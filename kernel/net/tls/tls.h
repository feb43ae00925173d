/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One TLS connection over a socket: what server.h has accepted, or client.h has connected; OpenSSL ends in this folder.
 *
 * OpenSSL reads from the descriptor itself only after net_tls_accept(): what the client sent in plain text behind its STARTTLS must have been
 * thrown away by then (CVE-2011-0411).
 */
#ifndef KERNEL_NET_TLS_TLS_H
#define KERNEL_NET_TLS_TLS_H

#include "kernel/net/stream.h"

/* As the options say it; empty: the library's own.  Checked before they get here is nothing of it. */
struct net_tls_words {
	struct pr_str ciphers; /* CipherList, to TLS 1.2 */
	struct pr_str suites;  /* CipherSuites, of TLS 1.3 */
	struct pr_str options; /* ServerSSLOptions or ClientSSLOptions: "+SSL_OP_NO_TICKET -SSL_OP_TLSEXT_PADDING" */
};

void net_tls_free(struct net_tls *tls);
/* What became of files that may have been replaced; server.h, client.h. */
enum net_tls_look { NET_TLS_SAME, NET_TLS_RENEWED, NET_TLS_BROKEN };

/* NET_DONE when secured; NET_AGAIN with *wants. */
enum net_result net_tls_handshake(struct net_tls *tls, uint32_t *wants);
enum net_result net_tls_read(struct net_tls *tls, void *buffer, size_t room, size_t *length_out, uint32_t *wants);
enum net_result net_tls_write(struct net_tls *tls, const void *data, size_t len, size_t *length_out, uint32_t *wants);
void net_tls_shutdown(struct net_tls *tls);
/* Decrypted bytes that wait inside: the descriptor will not become readable for them. */
bool net_tls_has_input(const struct net_tls *tls);
/* "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256 bits that are secret of 256 */
const char *net_tls_version(const struct net_tls *tls);
const char *net_tls_cipher(const struct net_tls *tls, int *bits_out, int *algorithm_bits_out);
/* Why the last call answered NET_BROKEN. */
void net_tls_reason(const struct net_tls *tls, struct pr_text *why);

#endif
