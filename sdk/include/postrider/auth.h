/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Authentication: is this who it claims to be?  Mechanisms and steps, for the server and the client side (RFC 4954, RFC 4422).
 *
 * A client says EHLO.  The kernel asks each declared module mechanisms(), in their order, and offers those together that
 * AuthMechanisms allows.  The client says AUTH SCRAM-SHA-256: the first module that has this mechanism gets it.
 *
 *     AUTH PLAIN AGpvZQBzZWNyZXQ=   server_step(input "\0joe\0secret")   done, name "joe"        235
 *     AUTH CRAM-MD5                 server_step(input absent)            output "<1.2@host>"     334 PDEuMkBob3N0Pg==
 *     am9lIDFlZm...                 server_step(input "joe 1ef...")      done, name "joe"        235
 *     *                             server_end()                                                 501
 *
 * Base64 is the kernel's business, and so is what the client is told.  call->session is session_size bytes, zeroed, that live for one exchange:
 * from the first step until server_end(), which is called once for each exchange whatever its end was, a lost connection among them.
 *
 * A wrong password and a user that nobody knows are the same answer (PR_NOTFOUND, 535), at the same speed; that the passwords could not be
 * looked at is another one (PR_TEMPFAIL, 454).  The reason goes to the log and never to the client; it must not hold what the client sent
 * as a secret.  What is known of the connection the module asks by its macros: client_addr, client_port, client_name, if_addr, cipher_bits,
 * verify, cert_subject; AuthRealm and the like by option().
 */
#ifndef POSTRIDER_AUTH_H
#define POSTRIDER_AUTH_H

#include "module.h"

/* What is wanted of a mechanism here; the letters are those of AuthOptions. */
enum pr_auth_flag {
	PR_AUTH_TLS = 1,              /* the connection is encrypted: a password may go over it as it is */
	PR_AUTH_NO_PLAINTEXT = 2,     /* p: else it may not */
	PR_AUTH_NO_ACTIVE = 4,        /* a: none that an attack on the exchange itself (not by trying words) breaks */
	PR_AUTH_NO_DICTIONARY = 8,    /* d: none that one who listens can break by trying words */
	PR_AUTH_FORWARD_SECRECY = 16, /* f: what is learned of one session does not help with the next */
	PR_AUTH_CREDENTIALS = 32,     /* c: the client's credentials are passed on */
	PR_AUTH_MUTUAL = 64,          /* m: the server proves itself too */
	PR_AUTH_NO_ANONYMOUS = 128    /* y */
};

/* What a mechanism is, for pr_auth_is_wanted(). */
enum pr_auth_property {
	PR_AUTH_IS_PLAINTEXT = 1,      /* sends the password as it is */
	PR_AUTH_IS_ACTIVE = 2,         /* an active attack breaks it */
	PR_AUTH_IS_DICTIONARY = 4,     /* who listens can try words */
	PR_AUTH_HAS_FORWARD_SECRECY = 8,
	PR_AUTH_HAS_CREDENTIALS = 16,
	PR_AUTH_IS_MUTUAL = 32,
	PR_AUTH_IS_ANONYMOUS = 64
};

/* May a mechanism with these properties be offered where these flags are wanted? */
bool pr_auth_is_wanted(uint32_t flags, uint32_t properties);

struct pr_auth_step {
	size_t size;
	struct pr_str mechanism; /* in */
	struct pr_str input;     /* in: decoded bytes from the other side; absent at the first step without initial response */
	struct pr_str output;    /* out: bytes for the other side, to be encoded by the kernel; a server that is done has none */
	uint32_t done;           /* out: 1 when the exchange is over */
	uint32_t strength;       /* out: security layer bits; none is asked for, so 0 */
	struct pr_str name;      /* out when done: authenticated as */
	struct pr_str realm;
	/* since 1.4 */
	struct pr_str author;    /* out when done: on whose behalf, when that is somebody else; else absent */
	uint32_t flags;          /* in: enum pr_auth_flag */
	uint32_t reserved;
};

struct pr_auth_ops {
	size_t size;
	/* What may be offered now, capital letters; `flags` are enum pr_auth_flag.  PR_TEMPFAIL: it could not be found out. */
	enum pr_status (*mechanisms)(struct pr_call *call, uint32_t flags, struct pr_list *names_out);
	/* PR_OK: go on or done; PR_NOTFOUND: wrong credentials (535); PR_TEMPFAIL: could not check (454).  After anything but PR_OK the exchange is over. */
	enum pr_status (*server_step)(struct pr_call *call, struct pr_auth_step *step);
	enum pr_status (*client_step)(struct pr_call *call, struct pr_auth_step *step);
	/* Since 1.4.  The exchange is over; NULL: there is nothing to be given back. */
	void (*server_end)(struct pr_call *call);
};

#endif
