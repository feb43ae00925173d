/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of kernel/module share: instances, and a call in progress.
 *
 *   status = module_enter(&frame, scope, instance, session);
 *   if (status == PR_OK)
 *       status = module_leave(&frame, ops->lookup(&frame.call, ...));
 *
 * A frame stands on the C stack of the calling thread; frames of one thread are linked, so that a crash handler
 * can name the module and a serialised module that calls itself is noticed instead of hanging.
 */
#ifndef KERNEL_MODULE_INTERNAL_H
#define KERNEL_MODULE_INTERNAL_H

#include "kernel/module/module.h"

#include <pthread.h>

struct module_instance {
	struct module_set *set;
	const struct config_instance *config;
	const struct pr_module *module;
	void *memory;      /* instance_size bytes */
	size_t index;      /* in the set */
	pthread_mutex_t mutex; /* for modules that are not PR_CONCURRENT */
	bool is_open;
	bool has_declared; /* a rule engine that was asked, and is to be closed for that alone */
	bool is_unfit;     /* its check() failed, and it is left out */
	bool is_preparing; /* its own check(), open() or close() runs */
	char label[160];   /* "maps/hash instance access" */
};

struct module_set {
	const struct config *config;
	struct pr_arena arena; /* option strings of instances */
	struct module_instance *instances;
	size_t count;
	struct module_services services;
	void (*watch)(void *context, uint32_t what, struct pr_str text); /* NULL: nobody watches */
	void *watch_context;
	struct module_instance *rules; /* the one engine and the one store, or NULL */
	struct module_instance *store;
	struct pr_host host;
	struct net_tls_client *tls; /* peer.c; NULL: there is none in this process */
};

struct module_thread {
	struct module_set *set;
	void **memories; /* by instance index; a marker when thread_size is 0 */
	void (*about_to_wait)(void *context); /* or NULL */
	void *waits_context;
};

struct module_frame {
	struct pr_call call;
	struct module_scope *scope;
	struct module_instance *instance;
	struct module_frame *outer;
	void *edit_context;
};

enum pr_status module_enter(struct module_frame *frame, struct module_scope *scope, struct module_instance *instance, void *session);
enum pr_status module_leave(struct module_frame *frame, enum pr_status status);
void module_leave_void(struct module_frame *frame);
enum pr_status module_scope_fail(struct module_scope *scope, enum pr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline struct module_scope *module_call_scope(const struct pr_call *call)
{
	return ((struct module_frame *)call->kernel)->scope;
}

/* Is the function there?  A table of an older minor version is shorter than ours. */
#define MODULE_HAS(ops, field) ((ops)->size >= offsetof(__typeof__(*(ops)), field) + sizeof(ops)->field && (ops)->field != NULL)

/* set.c: finds the module and fills its options; false, with a sentence in `errors`. */
bool module_load(struct module_instance *instance, struct pr_text *errors);
/* check() or open() within the scope, where the reason is; an absent function is content. */
enum pr_status module_run_hook(struct module_scope *scope, struct module_instance *instance, enum pr_status (*hook)(struct pr_call *));
/* close() of what is open, or has declared something; the instance is not to be entered any more. */
void module_run_close(struct module_scope *scope, struct module_instance *instance);

/* ask.c */
enum pr_status module_map_ask(struct pr_call *call, struct pr_str class_name, struct pr_str name, struct pr_str arguments, struct pr_str key,
    struct pr_str *value_out);

/* peer.c */
enum pr_status host_dane_find(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out);
enum pr_status host_tls_start_with(struct pr_call *call, int32_t socket, const struct pr_tls_wish *wish, int64_t milliseconds, struct pr_tls **tls_out);
enum pr_status host_tls_start(struct pr_call *call, int32_t socket, struct pr_str name, int64_t milliseconds, struct pr_tls **tls_out);
int64_t host_tls_read(struct pr_tls *tls, void *buffer, size_t room);
int64_t host_tls_write(struct pr_tls *tls, const void *data, size_t len);
void host_tls_end(struct pr_tls *tls);
void host_talks_to(struct pr_call *call, const struct pr_peer *peer);
bool module_peer_macro(const struct pr_peer *peer, struct pr_str name, struct pr_str *value_out); /* false: it is none of these */
void module_tls_close(struct module_set *set);

void host_init(struct pr_host *host);
void host_refresh(struct module_set *set); /* after a change of set->watch or set->services: what is not there is NULL in the table */

#endif
