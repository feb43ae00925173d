/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A handshake that TLSA records judge (RFC 7672 3): the certificate, or the authority above it, must be one of those the zone names.
 * Like any other verification it ends no handshake; the word for it is TRUSTED or DANE_FAIL.
 */
#ifndef KERNEL_NET_TLS_DANE_H
#define KERNEL_NET_TLS_DANE_H

#include "kernel/net/tls/internal.h"

#include <postrider/host.h>

/* Once for a context. */
bool net_tls_dane_prepare(SSL_CTX *ssl, struct pr_text *why);
/* Before the handshake; wish->dane has records.  False: none of them could be used, and why. */
bool net_tls_dane_apply(struct net_tls *tls, const struct pr_tls_wish *wish, struct pr_text *why);
bool net_tls_dane_is_met(const struct net_tls *tls);

#endif
