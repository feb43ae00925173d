/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TLS as a server: the certificates and everything else that connections have in common.
 *
 * A receiver has one net_tls_server, made of the options when it starts.  Every second it says net_tls_server_look(); when files were replaced on
 * disk, what new connections are made of is made anew, while running ones keep what they began with:
 *
 *     server ---> context 1: certificates, names, trust <--- connections from before
 *        '------> context 2 <--- connections from now on          files that cannot be used: context 1 stays, and why is told once
 *
 * A client that names a host (SNI, RFC 6066 3) is shown that host's certificate, every other one the default.  Where there are certificates for
 * several kinds of key, the client's abilities decide; ECDSA goes before RSA, which costs ten times as much.
 *
 * Nothing of a session is kept here: it comes back by a ticket (tickets.h).  Data that a client sends before its handshake is over (early data,
 * RFC 8446 2.3) is never taken, for it could be sent again by others.
 */
#ifndef KERNEL_NET_TLS_SERVER_H
#define KERNEL_NET_TLS_SERVER_H

#include "kernel/config/config.h"
#include "kernel/net/tls/tickets.h"
#include "kernel/net/tls/tls.h"

struct net_tls_server;

struct net_tls_server_settings {
	struct pr_str cert_file, key_file;  /* ServerCertFile, ServerKeyFile: one each, or lists with commas */
	struct pr_str ca_file, ca_path;     /* CACertFile, CACertPath: with one of them clients are asked for a certificate */
	struct pr_str crl_file, crl_path;   /* CRLFile, CRLPath */
	struct pr_str dh_parameters;        /* DHParameters */
	struct pr_str fingerprint;          /* CertFingerprintAlgorithm */
	bool asks_nothing;                  /* TLSSrvOptions V */
	struct net_tls_words words;
	const struct config_certificate *identities; /* for the names that clients ask for */
	size_t identity_count;
};

/* From the configuration, to which they point from then on.  False: TLS is not wanted, there is no certificate. */
bool net_tls_server_settings(const struct config *config, struct net_tls_server_settings *settings_out);
/* True, and "FILE:LINE: why": there is no ServerCertFile, and something that needs one. */
bool net_tls_server_lacks(const struct config *config, struct pr_text *why);
/* The strings must live as long as the server, and so must `tickets` (NULL: no session comes back).  NULL and a sentence in `why` that names the
 * option. */
struct net_tls_server *net_tls_server_new(const struct net_tls_server_settings *settings, struct net_tickets *tickets, struct pr_text *why);
void net_tls_server_free(struct net_tls_server *server);

/* To be called about every second, by one thread.  BROKEN: files were replaced and cannot be used, `why` says it; what was, stays. */
enum net_tls_look net_tls_server_look(struct net_tls_server *server, int64_t now, struct pr_text *why);

/* A connection; the handshake comes next.  Any thread.  NULL: out of memory. */
struct net_tls *net_tls_accept(struct net_tls_server *server, int fd);

#endif
