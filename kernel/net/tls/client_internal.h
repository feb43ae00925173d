/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The client's context, for the two files that are about it.
 */
#ifndef KERNEL_NET_TLS_CLIENT_INTERNAL_H
#define KERNEL_NET_TLS_CLIENT_INTERNAL_H

#include "kernel/net/tls/client.h"
#include "kernel/net/tls/internal.h"

struct net_tls_client {
	SSL_CTX *ssl;
	const EVP_MD *digest; /* for fingerprints, or NULL */
};

#endif
