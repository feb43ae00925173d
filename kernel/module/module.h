/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Loading modules and calling them.
 *
 * A process opens one module_set: all instances its roles need, each checked, opened and ready.
 * A worker thread owns one module_thread.  A call in progress is a module_call: it gives the module its arena,
 * instance, thread and session memory, serialises when the module is not PR_CONCURRENT, and notes which module is on
 * the stack so that a crash names it.
 *
 * The typed functions below (map_lookup, mailer_deliver ...) are the only way to reach a module.
 * None of them logs; the reason stands in the scope.
 */
#ifndef KERNEL_MODULE_MODULE_H
#define KERNEL_MODULE_MODULE_H

#include "kernel/config/config.h"
#include "kernel/mail/mime.h"
#include "kernel/mail/shape.h"
#include <postrider/auth.h>
#include <postrider/filter.h>
#include <postrider/host.h>
#include <postrider/mailer.h>
#include <postrider/map.h>
#include <postrider/module.h>
#include <postrider/rules.h>
#include <postrider/store.h>

struct module_set;
struct module_instance;
struct module_thread;

enum module_role {
	MODULE_ROLE_CHECK = 1,
	MODULE_ROLE_RECEIVER = 2,
	MODULE_ROLE_COURIER = 4,
	MODULE_ROLE_TOOL = 8,
	/* and for commands */
	MODULE_ONLY_STORE = 16, /* the queue can be reached when a map or filter is broken */
	MODULE_NO_STORE = 32,   /* before there is a queue, and for those who may not enter it */
	MODULE_LENIENT = 64     /* what cannot be used is left out and told: -bt, -bv */
};

/* How the kernel's services reach outside: set by the process that owns the set (NULL: not available here). */
struct module_services {
	enum pr_status (*local_deliver)(void *context, struct pr_call *call, struct pr_local_delivery *delivery);
	void *context;
	/* what is remembered of hosts; `owner` is the macro_context of the scope */
	bool (*host_is_dead)(void *context, void *owner, struct pr_str host, struct pr_str *reason_out);
	void (*host_failed)(void *context, void *owner, struct pr_str host, struct pr_str reason);
	/* NULL: nobody keeps them */
	void (*tls_result)(void *context, const struct pr_tls_result *result);
};

/* Loads, checks and opens every instance the roles need.  With MODULE_ROLE_CHECK: check() only, nothing opened.  What the rule engine's own
 * configuration declares is put into `config` first.
 * NULL and one sentence per culprit in `errors`; with MODULE_LENIENT a set, and the sentences nevertheless. */
struct module_set *module_set_open(struct config *config, uint32_t roles, struct pr_text *errors);
/* Only that: for commands that look at options and open nothing.  A set that is opened later finds it done.  False: not all of it could be
 * understood, a sentence each. */
bool module_declare(struct config *config, struct pr_text *errors);
void module_set_close(struct module_set *set);
/* Who, besides root, may own module files and the folders above them; default: the process's own user.  Roles started by
 * a root master say module_trust(0). */
void module_trust(uint32_t uid);
void module_set_services(struct module_set *set, const struct module_services *services);
/* Before any thread calls a module: `watch` is told what mailers say and hear (enum pr_progress).  Never called otherwise. */
void module_set_watch(struct module_set *set, void (*watch)(void *context, uint32_t what, struct pr_str text), void *context);
/* For a process whose mailers are clients of TLS, before any of them is called.  False, and a sentence that names the option: it cannot be as it was asked. */
bool module_tls_open(struct module_set *set, struct pr_text *why);
bool module_tls_check(const struct options *options, struct pr_text *why); /* only that */
const struct config *module_set_config(const struct module_set *set);

/* By kind and name; NULL when not declared. */
struct module_instance *module_find(struct module_set *set, enum pr_kind kind, struct pr_str name);
/* The n-th instance of a kind in the order of the configuration; NULL past the end. */
struct module_instance *module_at(struct module_set *set, enum pr_kind kind, size_t index);
const struct config_instance *module_config(const struct module_instance *instance);
struct pr_str module_name(const struct module_instance *instance);
/* mailers: effective F= letters */
struct pr_str module_mailer_flags(const struct module_instance *mailer);
bool module_mailer_has_flag(const struct module_instance *mailer, char flag);
/* What its lines look like. */
struct shape module_mailer_shape(const struct module_instance *mailer);
const struct options *module_mailer_options(const struct module_instance *mailer); /* of the configuration it stands in */

struct module_thread *module_thread_new(struct module_set *set);
void module_thread_free(struct module_thread *thread);
/* `about_to_wait` is called in this thread before a call of a module that may wait for others: a filter, an authentication, a map that does not
 * say PR_PROMPT, an instance that another thread is in. */
void module_thread_set_wait(struct module_thread *thread, void (*about_to_wait)(void *context), void *context);
struct module_set *module_thread_set(const struct module_thread *thread); /* the set it belongs to */

/* The form in which a mailer gets its message: kernel/courier/body.h. */
struct module_content {
	/* The next host offers this (PR_OFFERS_...): header and body change as they must.  *form_out: PR_CONTENT_... */
	enum pr_status (*fit)(struct module_content *content, struct pr_call *call, uint32_t offers, uint32_t *form_out);
	void *context;
	struct mime_settings settings;
	const struct mime *mime; /* NULL: as it is */
	bool strip_high;         /* whatever still has the eighth bit loses it */
};

/* The surroundings of calls: one per SMTP session or delivery, on its owner's stack or heap. */
struct module_scope {
	struct module_thread *thread;
	struct pr_arena *arena;
	struct pr_str reason;      /* of the last failing call */
	int64_t deadline_ms;       /* for the next calls, 0 none */
	struct pr_str (*macro)(void *context, struct pr_str name); /* may be NULL */
	void *macro_context;
	struct pr_str mailer;      /* set while a mailer runs: whose header_print is meant */
	struct pr_str host;
	const struct pr_delivery *deliveries; /* what that mailer is to deliver */
	size_t delivery_count;
	struct pr_str *commands;   /* beside them: the commands that were answered; from the arena, or NULL */
	const struct pr_peer *peer; /* the next host, while a mailer talks to it */
	struct module_content *content; /* of the message that is delivered; NULL: as it lies in the queue */
	struct module_session *rules; /* what the rule engine keeps of this SMTP session; NULL: nothing is kept */
};
void module_scope_init(struct module_scope *scope, struct module_thread *thread, struct pr_arena *arena);

/* A session of a mailer or filter: the module's session memory. */
struct module_session {
	struct module_instance *instance;
	void *memory;
};
bool module_session_init(struct module_session *session, struct module_instance *instance);
void module_session_fini(struct module_session *session); /* memory only; call the kind's close first */

/* maps */
enum pr_status map_lookup(struct module_scope *scope, struct pr_str map, struct pr_str key, const struct pr_list *args,
                          struct pr_str *value_out);
bool map_exists(struct module_set *set, struct pr_str map);
/* Rebuilding, in one thread: begin, store/remove ..., commit.  What was not committed is gone with the thread. */
enum pr_status map_begin(struct module_scope *scope, struct module_instance *map);
enum pr_status map_store(struct module_scope *scope, struct module_instance *map, struct pr_str key, struct pr_str value);
enum pr_status map_remove(struct module_scope *scope, struct module_instance *map, struct pr_str key);
enum pr_status map_commit(struct module_scope *scope, struct module_instance *map);
/* *cursor 0 at first; PR_NOTFOUND at the end. */
enum pr_status map_next(struct module_scope *scope, struct module_instance *map, uint64_t *cursor, struct pr_str *key_out,
                        struct pr_str *value_out);
enum pr_status map_owner(struct module_scope *scope, struct module_instance *map, uint32_t *uid_out);

/* rules (the one engine of the set) */
/* The engine reads addresses itself: PR_ANY_ADDRESS. */
bool rules_take_any_address(const struct module_set *set);
enum pr_status rules_resolve(struct module_scope *scope, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
enum pr_status rules_rewrite(struct module_scope *scope, enum pr_rewrite which, struct pr_str mailer, struct pr_str address,
                             struct pr_str *address_out);
enum pr_status rules_check(struct module_scope *scope, enum pr_check check, const struct pr_check_context *context,
                           const struct pr_list *arguments, struct pr_verdict *verdict);

/* The engine's own header templates; none when it leaves them to the kernel. */
enum pr_status rules_headers(struct module_scope *scope, const struct pr_header **headers_out, size_t *count_out);
/* PR_NOTFOUND: the engine has no opinion. */
enum pr_status rules_queue_group(struct module_scope *scope, struct pr_str address, struct pr_str *group_out);
/* Where a recipient's message lies; absent: in the default group, or there are no groups.  Addresses without <>. */
struct pr_str module_queue_group(struct module_scope *scope, struct pr_str address, struct pr_str sender);
/* A question of sendmail's name ("greet_pause") that is answered with a value; PR_NOTFOUND: the engine has no opinion. */
enum pr_status rules_feature(struct module_scope *scope, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out);
/* rules_resolve with the steps that led there; PR_MISUSE: the engine cannot explain itself. */
enum pr_status rules_explain(struct module_scope *scope, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
    const struct pr_step **steps_out, size_t *count_out);
/* Where mail for an address that is no alias any more really goes: rules_resolve, then rules_local until it has nothing to add. */
enum pr_status rules_destination(struct module_scope *scope, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
/* What becomes of a user of a mailer with F=5 who is no alias; PR_NOTFOUND: what it was. */
enum pr_status rules_local(struct module_scope *scope, struct pr_str mailer, struct pr_str host, struct pr_str user,
    struct pr_route *route_out);
/* A text with macros; PR_NOTFOUND: the engine knows no macros, and the kernel's own few are meant. */
enum pr_status rules_expand(struct module_scope *scope, struct pr_str text, struct pr_str *text_out);
/* A transaction of the session is over: what the engine kept of it goes. */
void rules_transaction_close(struct module_scope *scope);
/* The SMTP session is over: what the engine kept of it goes. */
void rules_session_close(struct module_scope *scope);
/* One line of -bt; PR_NOTFOUND ends it, PR_MISUSE: the engine has no console. */
enum pr_status rules_console(struct module_scope *scope, struct pr_str line, struct pr_text *out);
/* A sysexit that a program is to end with: how the engine's own file was, and what its console met; 0: all is well. */
uint32_t rules_exit_status(struct module_scope *scope);

/* mailers; session->instance says which */
enum pr_status mailer_open(struct module_scope *scope, struct module_session *session, const struct pr_destination *destination);
enum pr_status mailer_deliver(struct module_scope *scope, struct module_session *session, const struct pr_destination *destination,
                              const struct pr_envelope *envelope, struct pr_body *body, struct pr_delivery *deliveries, size_t count);
bool mailer_alive(struct module_scope *scope, struct module_session *session); /* false: not re-usable */
void mailer_close(struct module_scope *scope, struct module_session *session);

/* filters; `hook` calls skip absent functions (continue) */
enum pr_status filter_connect(struct module_scope *, struct module_session *, const struct pr_client *, struct pr_verdict *);
enum pr_status filter_helo(struct module_scope *, struct module_session *, struct pr_str name, struct pr_verdict *);
enum pr_status filter_mail(struct module_scope *, struct module_session *, struct pr_str sender, const struct pr_list *, struct pr_verdict *);
enum pr_status filter_rcpt(struct module_scope *, struct module_session *, struct pr_str rcpt, const struct pr_list *, struct pr_verdict *);
enum pr_status filter_data(struct module_scope *, struct module_session *, struct pr_verdict *);
enum pr_status filter_header(struct module_scope *, struct module_session *, const struct pr_header *, struct pr_verdict *);
enum pr_status filter_eoh(struct module_scope *, struct module_session *, struct pr_verdict *);
enum pr_status filter_body(struct module_scope *, struct module_session *, const void *data, size_t len, struct pr_verdict *);
enum pr_status filter_message(struct module_scope *, struct module_session *, const struct pr_envelope *,
                              const struct pr_filter_edit *, void *edit_context, struct pr_verdict *);
void filter_abort(struct module_scope *, struct module_session *);
void filter_close(struct module_scope *, struct module_session *);
/* Inside an edit function: what was given to filter_message as edit_context. */
void *filter_edit_context(const struct pr_call *call);

/* store (the one store of the set) */
bool store_role(struct module_scope *scope, uint32_t role);
enum pr_status store_begin(struct module_scope *scope, void **transaction_out, struct pr_str *id_out);
/* begin() of a store that has no begin_in. */
enum pr_status store_begin_in(struct module_scope *scope, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out);
enum pr_status store_body(struct module_scope *scope, void *transaction, const void *data, size_t len);
enum pr_status store_commit(struct module_scope *scope, void *transaction, const struct pr_envelope *envelope,
                            pr_commit_done *done, void *context);
void store_abort(struct module_scope *scope, void *transaction);
/* The two ends of a transaction that was PR_COMMIT_WRITTEN. */
enum pr_status store_secure(struct module_scope *scope, void *transaction, pr_commit_done *done, void *context);
void store_forget(struct module_scope *scope, void *transaction);
enum pr_status store_next(struct module_scope *scope, void **cursor, struct pr_entry *entry_out);
void store_next_end(struct module_scope *scope, void **cursor);
enum pr_status store_peek(struct module_scope *scope, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out);
enum pr_status store_claim(struct module_scope *scope, struct pr_str id, struct pr_claim *claim_out);
enum pr_status store_claim_aside(struct module_scope *scope, struct pr_str id, struct pr_claim *claim_out);
enum pr_status store_body_open(struct module_scope *scope, struct pr_claim *claim, struct pr_body *body_out);
void store_body_close(struct module_scope *scope, struct pr_body *body);
enum pr_status store_renew(struct module_scope *scope, struct pr_claim *claim);
enum pr_status store_update(struct module_scope *scope, struct pr_claim *claim, const struct pr_envelope *envelope);
enum pr_status store_finish(struct module_scope *scope, struct pr_claim *claim);
enum pr_status store_defer(struct module_scope *scope, struct pr_claim *claim, const struct pr_envelope *envelope);
void store_release(struct module_scope *scope, struct pr_claim *claim);
enum pr_status store_hold(struct module_scope *scope, struct pr_str id, struct pr_str reason);
enum pr_status store_unhold(struct module_scope *scope, struct pr_str id);
enum pr_status store_requeue(struct module_scope *scope, struct pr_str id);
enum pr_status store_remove(struct module_scope *scope, struct pr_str id);
enum pr_status store_health(struct module_scope *scope, struct pr_store_health *health_out);
enum pr_status store_drain(struct module_scope *scope);
bool store_has_groups(struct module_scope *scope); /* does it know begin_in()? */
/* Since ABI 1.1; PR_MISUSE: the store has none. */
enum pr_status store_wait_ready(struct module_scope *scope, struct pr_list *ids_out);
enum pr_status store_quarantine(struct module_scope *scope, struct pr_str id, struct pr_str reason);
enum pr_status store_edit(struct module_scope *scope, struct pr_str id, const struct pr_edit *edit);
enum pr_status store_query(struct module_scope *scope, const struct pr_query *query, void **cursor, struct pr_entry *entry_out);
enum pr_status store_handover(struct module_scope *scope);
/* next and peek in one, whatever the store offers; an envelope that cannot be read is NULL */
enum pr_status store_list(struct module_scope *scope, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out);

/* auth; the instances by module_at(set, PR_KIND_AUTH, n).  PR_NOTFOUND of a step: wrong credentials. */
enum pr_status auth_mechanisms(struct module_scope *scope, struct module_instance *auth, uint32_t flags, struct pr_list *names_out);
/* An exchange is a module_session from its first step to auth_server_end(), which frees its memory too. */
enum pr_status auth_server_step(struct module_scope *scope, struct module_session *exchange, struct pr_auth_step *step);
void auth_server_end(struct module_scope *scope, struct module_session *exchange);
enum pr_status auth_client_step(struct module_scope *scope, struct module_session *exchange, struct pr_auth_step *step);

/* "maps/hash instance access" while a module runs in this thread, the path of one that is being loaded, else NULL; async-signal-safe. */
const char *module_on_stack(void);
/* Reading a body within a scope (the call a pr_body needs). */
enum pr_status body_read(struct module_scope *scope, struct pr_body *body, void *buffer, size_t room, size_t *length_out);
enum pr_status body_rewind(struct module_scope *scope, struct pr_body *body);

#endif
