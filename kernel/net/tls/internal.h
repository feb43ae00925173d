/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of this folder share: a context, a connection, and OpenSSL's errors in a sentence.
 */
#ifndef KERNEL_NET_TLS_INTERNAL_H
#define KERNEL_NET_TLS_INTERNAL_H

#include "kernel/net/tls/tls.h"

#include <openssl/ssl.h>

struct net_tls_context {
	SSL_CTX *ssl;
};

struct net_tls {
	SSL *ssl;
	unsigned long error;
};

void net_tls_explain(unsigned long error, const char *what, struct pr_text *why);

#endif
