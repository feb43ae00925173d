/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AUTH as a client (RFC 4954): who we are for a next host that wants to know.
 *
 *   offered? --authinfo, DefaultAuthInfo--> nobody: go on without
 *      |                                    somebody --> a mechanism both know --AUTH--> 235: known
 *      |                                                                                5xx: the next mechanism; none: go on without
 *      '                                                                                4xx, or none was possible: later
 *
 * Mechanisms that need no library - a certificate, a token - are done here (auth_own.c, auth_token.c) and come first; which one of the others, and its steps,
 * is Cyrus SASL's business (auth_sasl.c; auth_none.c where it is not built in).  A password never goes over a connection
 * without TLS as it is, unless the entry itself names the mechanism that does so, a token never; and they are never shown to who watches.
 */
#ifndef MODULES_MAILERS_SMTP_AUTH_H
#define MODULES_MAILERS_SMTP_AUTH_H

#include "smtp.h"

#include <postrider/base64.h>

#define AUTH_STEP_MAX 12000 /* bytes of a step, in base64 (RFC 4954 4) */

struct auth_identity {
	struct pr_str user;       /* whose mail it is (authorization), or empty */
	struct pr_str name;       /* who asks (authentication) */
	struct pr_str password;
	struct pr_str realm;
	struct pr_str mechanisms; /* the only ones for this host, or empty */
	struct pr_str token;      /* where the token comes from, see auth_token.c; or empty */
	bool is_named;            /* the entry itself says whose mail it is */
};

enum auth_answer { AUTH_KNOWN, AUTH_REFUSED, AUTH_LATER, AUTH_LOST };

/* One mechanism: what is said first (absent: nothing), and what to each challenge. */
struct auth_exchange {
	struct pr_str mechanism, initial;
	bool (*step)(void *context, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out);
	void *context;
};

/* auth.c */
enum auth_answer auth_converse(struct smtp_run *run, const struct auth_exchange *exchange);

/* auth_own.c: EXTERNAL, OAUTHBEARER and XOAUTH2, by their names; false: it is none of them. */
bool auth_is_own(struct pr_str mechanism);
bool auth_needs_token(struct pr_str mechanism);
enum auth_answer auth_own(struct smtp_run *run, const struct auth_identity *identity, struct pr_str mechanism);

/* auth_token.c.  `refused`: a token that the server did not want, so another one is needed; or absent.  PR_TEMPFAIL with the reason in the call. */
enum pr_status auth_token_get(struct smtp_run *run, struct pr_str source, struct pr_str refused, struct pr_str *token_out);
bool auth_token_is_source(struct pr_str source);

/* auth_info.c.  PR_NOTFOUND: we are nobody there; PR_TEMPFAIL: it could not be found out. */
enum pr_status auth_info_find(struct smtp_run *run, struct auth_identity *identity_out);
/* The words `"U:joe" "P=c2VjcmV0"`; false: they name nobody. */
bool auth_info_parse(struct pr_call *call, struct pr_str text, struct auth_identity *identity_out);
/* What may be tried on this connection, words with blanks between them. */
struct pr_str auth_mechanisms(struct smtp_run *run, const struct auth_identity *identity);

/* auth_sasl.c: one conversation about one name. */
struct auth_dialogue;
bool auth_open(struct pr_call *call);
/* NULL: there is none.  `bits`: of the cipher below. */
struct auth_dialogue *auth_dialogue_new(struct pr_call *call, const struct smtp_session *session, const struct auth_identity *identity, uint32_t bits);
void auth_dialogue_free(struct auth_dialogue *dialogue);
/* Chooses of the words; the initial response may be absent.  False: none of them can be done. */
bool auth_dialogue_start(struct auth_dialogue *dialogue, struct pr_call *call, struct pr_str mechanisms, struct pr_str *mechanism_out, struct pr_str *bytes_out);
bool auth_dialogue_step(struct auth_dialogue *dialogue, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out);

#endif
