/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Certificates of clients, as sendmail treats them: one is asked for, none is demanded, and what it is worth the rules decide.
 *
 *     a server that knows an authority --> its connections ask   --net_tls_ask_nothing()--> this one does not
 *     a handshake later: net_tls_verified(), and net_tls_certificate() for the names
 */
#ifndef KERNEL_NET_TLS_CERTIFICATE_H
#define KERNEL_NET_TLS_CERTIFICATE_H

#include "kernel/net/tls/tls.h"

#include <postrider/arena.h>

/* Names as sendmail puts them into macros: what could be taken for syntax is written +XX.  The digest is hexadecimal with colons. */
struct net_tls_certificate {
	struct pr_str subject, issuer; /* "/C=AQ/O=Test/CN=joe" */
	struct pr_str cn_subject, cn_issuer;
	struct pr_str md5, fingerprint; /* one of them: with CertFingerprintAlgorithm it is not MD5 */
	struct pr_str other_names;      /* alternative names of hosts, with blanks between */
};

/* Before the handshake: this client is not asked. */
void net_tls_ask_nothing(struct net_tls *tls);
/* ${verify}: "OK", "FAIL", "NO" (it has none), "NOT" (it was not asked). */
const char *net_tls_verified(const struct net_tls *tls);
/* "ok", "unable to get local issuer certificate" */
const char *net_tls_verified_why(const struct net_tls *tls);
/* False: there is none. */
bool net_tls_certificate(const struct net_tls *tls, struct pr_arena *arena, struct net_tls_certificate *certificate_out);

#endif
