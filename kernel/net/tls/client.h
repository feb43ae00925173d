/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TLS as a client, over a socket that blocks.
 *
 * A courier has one net_tls_client, made of the options when it starts.  Each connection that heard 220 to its STARTTLS goes through
 * net_tls_connect(), is used with net_tls_read() and net_tls_write() like a server's, and is described once, for the rules: who is there, and
 * could that be verified?  Nothing is refused here - whether "FAIL" is good enough is a question of policy.
 */
#ifndef KERNEL_NET_TLS_CLIENT_H
#define KERNEL_NET_TLS_CLIENT_H

#include "kernel/net/tls/tls.h"

#include <postrider/arena.h>
#include <postrider/host.h>

struct net_tls_client;

struct net_tls_trust {
	struct pr_str cert_file, key_file; /* ClientCertFile, ClientKeyFile: what we show when asked; both or none */
	struct pr_str ca_file, ca_path;    /* CACertFile, CACertPath: whom we believe; none: nobody */
	struct pr_str crl_file, crl_path;  /* CRLFile, CRLPath: whom not any more */
	struct pr_str fingerprint;         /* CertFingerprintAlgorithm; empty: none is made */
	struct net_tls_words words;
};

/* The strings must live as long as it does.  NULL and a sentence in `why` that names the option. */
struct net_tls_client *net_tls_client_new(const struct net_tls_trust *trust, struct pr_text *why);
void net_tls_client_free(struct net_tls_client *client);

/* To be called now and then, by any thread: when files were replaced, new connections get what is in them.  BROKEN: they cannot be used, and what
 * was there stays. */
enum net_tls_look net_tls_client_look(struct net_tls_client *client, int64_t now, struct pr_text *why);

/* The handshake, in at most so many milliseconds.  NULL and the reason: the connection is of no use any more. */
struct net_tls *net_tls_connect(struct net_tls_client *client, int fd, struct pr_str name, int64_t milliseconds, struct pr_text *why);

/* The same for who knows more of the other side than its name (SNI): pr_host.tls_start_with. */
struct net_tls *net_tls_connect_with(struct net_tls_client *client, int fd, const struct pr_tls_wish *wish, int64_t milliseconds, struct pr_text *why);

/* Who is at the other end: the words that the rules see.  In the arena; certificates' own words are printable, see facts.c. */
struct net_tls_facts {
	struct pr_str verify;         /* OK: by an authority we believe; FAIL: not; NO: there is no certificate; with TLSA records TRUSTED or DANE_FAIL */
	struct pr_str verify_message; /* "ok", "certificate has expired" */
	struct pr_str cert_host;      /* OK: the certificate is of the host that was called; FAIL; absent without one */
	struct pr_str webpki;         /* OK: TLS 1.2 or later, an authority we believe, and the name that was sent along among the alternative ones
	                                 (RFC 8461 section 4.2); else how RFC 8460 section 4.3 calls what is wrong */
	struct pr_str version, cipher, cipher_bits, alg_bits;
	struct pr_str cert_subject, cert_issuer, cn_subject, cn_issuer, cert_altnames, cert_md5, cert_fp; /* absent without a certificate; md5 only when no
	                                                                                       fingerprint is asked for */
};
/* The host remembered an earlier connection: nothing but keys was exchanged. */
bool net_tls_is_resumed(const struct net_tls *tls);
void net_tls_describe(const struct net_tls *tls, struct pr_arena *arena, struct net_tls_facts *facts_out);

#endif
