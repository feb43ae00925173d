/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule engine "routes": lists and classic tables, no rewriting language.
 *
 * A recipient goes through canonical() (what is the local part, what is the domain, is there a route or a %-hack to take off), then -
 * when the domain is ours - through virtusertable and to the local mailer; otherwise through mailertable, the smart host, or
 * straight to the domain.  A client's right to name it is settled in check.c and relay.c, with the access table.
 *
 * Tables are the maps named by options.  A table that is not declared answers PR_NOTFOUND; one that cannot answer stops everything
 * with PR_TEMPFAIL, so mail waits.
 */
#ifndef MODULES_RULES_ROUTES_H
#define MODULES_RULES_ROUTES_H

#include "names.h"

#include <postrider/address.h>
#include <postrider/host.h>
#include <postrider/rules.h>

struct routes {
	/* options */
	struct pr_list local_domains, relay_domains, virtual_domains, relay_clients;
	struct pr_list relay_authenticated, relay_mechanisms;
	struct pr_str local_host_names, relay_domains_file;
	struct pr_str smart_host, local_mailer, remote_mailer, relay_mailer;
	struct pr_list remote_names;
	struct pr_str access, virtusertable, mailertable, genericstable, domaintable;
	struct pr_list aliases;
	struct pr_str masquerade_as, luser_relay;
	struct pr_list masquerade_domains, masquerade_exceptions, exposed_users, generics_domains;
	uint32_t masquerade_envelope, masquerade_entire_domain, generics_entire_domain, all_masquerade, always_add_domain;
	uint32_t accept_unresolvable_domains, accept_unqualified_senders, blocklist_recipients, relay_based_on_mx, accept_null_mx_senders;
	/* made of them by open() */
	struct names local, relay, virtuals, masquerade, exceptions, exposed, generics;
	struct networks clients;
};

/* Of one thread: where the steps go while explain() runs, else NULL. */
struct routes_steps;
struct routes_thread {
	struct routes_steps *steps;
};

/* An address taken apart. */
struct canonical {
	struct pr_str local;  /* as written, quotes kept */
	struct pr_str domain; /* lower case, no final dot; empty: unqualified or ours */
	struct pr_str shown;  /* the domain as written */
	uint32_t is_local;    /* the domain is ours, or there is none */
	uint32_t was_stripped; /* a %-hack, a bang path or a quoted address stood behind a domain of ours */
};

/* A refusal: what the client is told. */
struct refusal {
	uint32_t code; /* 0: none */
	struct pr_str enhanced;
	struct pr_str text;
};

/* table.c: PR_NOTFOUND also when no such map is declared. */
enum pr_status routes_lookup(struct pr_call *call, struct pr_str map, struct pr_str key, struct pr_str *value_out);
/* "%0".."%3" and "%%" in a value. */
struct pr_str routes_fill(struct pr_call *call, struct pr_str value, const struct pr_str *args, size_t count);
/* "5.7.0:550 text", "nouser 550 text" or "text": what follows "error:" */
void routes_parse_error(struct pr_str value, struct refusal *refusal_out);
/* "550 text" or "text": the last step of the above */
void routes_parse_text(struct pr_str text, struct refusal *refusal_out);
struct pr_str routes_own_name(struct pr_call *call); /* $j */

/* canonical.c */
enum pr_status routes_canonical(struct pr_call *call, struct pr_str address, struct canonical *canonical_out,
                                struct refusal *refusal_out);
/* The same for an address that is only shown: split at its @, nothing peeled off but a route. */
enum pr_status routes_split(struct pr_call *call, struct pr_str address, struct canonical *canonical_out, struct refusal *refusal_out);
bool routes_is_local_domain(struct pr_call *call, struct pr_str domain);
struct pr_str routes_unquote(struct pr_call *call, struct pr_str local);

/* resolve.c, virtual.c, mailertable.c, luser.c */
enum pr_status routes_resolve(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
/* PR_OK with the new address; PR_NOTFOUND: no entry; PR_PERMFAIL/PR_TEMPFAIL with the refusal. */
enum pr_status routes_virtual(struct pr_call *call, const struct canonical *address, struct pr_str *address_out,
                              struct refusal *refusal_out);
enum pr_status routes_mailertable(struct pr_call *call, const struct canonical *address, struct pr_route *route_out,
                                  struct refusal *refusal_out);
/* "mailer:host", "mailer:user@host", "local:user", "[host]", "host", "error:..." */
enum pr_status routes_triple(struct pr_call *call, struct pr_str value, const struct canonical *address,
                             struct pr_route *route_out, struct refusal *refusal_out);
/* The mailer that such a value names, as routes_triple would choose it; absent: none ("error:", or nothing at all). */
struct pr_str routes_triple_mailer(const struct routes *routes, struct pr_str value);
enum pr_status routes_luser(struct pr_call *call, const struct canonical *address, struct pr_route *route_out,
                            struct refusal *refusal_out);

/* access.c: PR_OK with a value (never SKIP), PR_NOTFOUND, PR_TEMPFAIL. */
bool access_has_table(struct pr_call *call); /* asked first for access_server and access_mailbox: without one nobody needs to make a key */
enum pr_status access_address(struct pr_call *call, const char *tag, struct pr_str local, struct pr_str domain, struct pr_str *value_out);
enum pr_status access_domain(struct pr_call *call, const char *tag, struct pr_str domain, struct pr_str *value_out);
enum pr_status access_network(struct pr_call *call, const char *tag, struct pr_str address, struct pr_str *value_out);
/* Only with the tag in front, and at last the tag alone: of a next host by name, parents and address; of a recipient by address and domain. */
enum pr_status access_server(struct pr_call *call, const char *tag, struct pr_str name, struct pr_str address, struct pr_str *value_out);
enum pr_status access_mailbox(struct pr_call *call, const char *tag, struct pr_str local, struct pr_str domain, struct pr_str *value_out);
bool access_is_accept(struct pr_str value); /* OK or RELAY */
bool access_is_relay(struct pr_str value);
/* Fills the verdict of a value that is not OK, RELAY or SKIP; `denied` is what REJECT says. */
void access_verdict(struct pr_call *call, struct pr_str value, const struct refusal *denied, struct pr_verdict *verdict);

/* check.c, sender.c, relay.c */
enum pr_status routes_check(struct pr_call *call, uint32_t check, const struct pr_check_context *context,
                            const struct pr_list *arguments, struct pr_verdict *verdict);
enum pr_status routes_check_sender(struct pr_call *call, const struct pr_check_context *context, struct pr_str sender,
                                   struct pr_verdict *verdict);
enum pr_status routes_check_recipient(struct pr_call *call, const struct pr_check_context *context, struct pr_str recipient,
                                      struct pr_verdict *verdict);
enum pr_status routes_reject(struct pr_verdict *verdict, uint32_t code, const char *enhanced, struct pr_str text);
enum pr_status routes_refuse(const struct refusal *refusal, struct pr_verdict *verdict);

/* login.c: may who has authenticated himself relay; is AUTH= of MAIL to be believed? */
bool routes_login_relays(struct pr_call *call, const struct pr_check_context *context);
enum pr_status routes_check_author(struct pr_call *call, const struct pr_check_context *context, struct pr_str author, struct pr_verdict *verdict);

/* server.c: what mailers ask about next hosts */
enum pr_status routes_check_server(struct pr_call *call, uint32_t check, struct pr_str argument, struct pr_verdict *verdict);
enum pr_status routes_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out);
/* requirement.c: is a connection with this result of verification what the value of the table asks for?  Value absent: nothing is asked. */
void routes_judge_tls(struct pr_call *call, struct pr_str verify, struct pr_str value, struct pr_verdict *verdict);

/* certificate.c: may the owner of the certificate that the client has shown relay?  PR_OK, PR_NOTFOUND, PR_TEMPFAIL */
enum pr_status routes_certificate_relays(struct pr_call *call);
/* TLS_Clt:, after the handshake and at MAIL */
enum pr_status routes_check_client_tls(struct pr_call *call, const struct pr_client *client, struct pr_str verify, struct pr_verdict *verdict);

/* masquerade.c, generics.c */
enum pr_status routes_rewrite(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address,
                              struct pr_str *address_out);
enum pr_status routes_generics(struct pr_call *call, struct pr_str local, struct pr_str domain, bool is_local, struct pr_str *address_out);

/* explain.c: notes for who asks why.  Cheap when nobody does. */
enum pr_status routes_explain(struct pr_call *call, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
                              const struct pr_step **steps_out, size_t *count_out);
int64_t routes_step_clock(struct pr_call *call);
void routes_step_begin(struct pr_call *call, const char *name, struct pr_str address);
void routes_step_end(struct pr_call *call, const char *name, struct pr_str address, int64_t began);
/* An option - a list or a single value - decided: what it was about, and what came of it. */
void routes_step_list(struct pr_call *call, const char *option, struct pr_str before, struct pr_str after);
void routes_step_map(struct pr_call *call, struct pr_str map, struct pr_str key, enum pr_status status, struct pr_str value, int64_t began);

/* console.c */
enum pr_status routes_console(struct pr_call *call, struct pr_str line, struct pr_text *out);

#endif
