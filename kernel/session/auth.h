/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Authentication of a client: what is offered to it, the exchange that goes on, and who it is when that went well.
 *
 * What is offered is made at connect and again when TLS is on: the mechanisms of all auth modules in their order, as far as
 * AuthMechanisms and AuthOptions allow, and nothing at all where M=A of the listener or srv_features say so.
 */
#ifndef KERNEL_SESSION_AUTH_H
#define KERNEL_SESSION_AUTH_H

#include "kernel/session/session.h"

/* Of one session; there is none before AUTH could be offered. */
struct session_auth {
	struct pr_str offered;          /* "PLAIN LOGIN"; owned, or absent */
	struct module_session exchange; /* instance NULL: none goes on */
	struct pr_str mechanism;        /* of the exchange, and of who is known; owned, as all below */
	struct pr_str name;             /* absent: nobody is known */
	uint32_t strength;
	uint32_t failures;              /* wrong words of this session; failures.h */
};

/* PR_AUTH_...: what AuthOptions, srv_features and TLS make of mechanisms now. */
uint32_t auth_flags(const struct session *session);
/* auth_offer.c: fills the settings of the machine. */
void auth_offer(struct session *session, struct module_scope *scope);
void auth_offers_open(struct receiver *receiver); /* when its modules are open */
void auth_offers_close(struct receiver *receiver);
/* Nobody is known any more, and nothing goes on. */
void auth_forget(struct session *session, struct bench *bench);
void auth_close(struct session *session, struct bench *bench); /* the session ends */
void auth_end(struct session *session, struct bench *bench); /* the exchange, if one goes on */
void auth_take(struct pr_str *place, struct pr_str value);   /* an owned string takes the place of another */
bool auth_is_known(const struct session *session);
/* Who is known, or absent. */
struct pr_str auth_name(const struct session *session);
/* A name for rules and the log: xtext (RFC 3461 section 4), and a few bytes more, as in sendmail. */
struct pr_str auth_encoded(struct pr_arena *arena, struct pr_str name);
/* AUTH= of MAIL as the client wrote it: may it be passed on?  Else it is "<>" for the next host. */
bool auth_is_trusted(struct session *session, struct bench *bench, struct module_scope *scope, struct pr_str author);

#endif
