/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Driving the store: one function per operation, all of the same shape.
 */
#include "kernel/module/internal.h"

static struct module_instance *the_store(struct module_scope *scope)
{
	return scope->thread->set->store;
}

static enum pr_status absent(struct module_scope *scope, const char *what)
{
	return module_scope_fail(scope, PR_MISUSE, "the store does not offer %s", what);
}

/* The shape: entered if the operation is there, left with its status. */
#define STORE_CALL(name, ...) \
	struct module_instance *store = the_store(scope); \
	const struct pr_store_ops *ops = store == NULL ? NULL : store->module->ops; \
	struct module_frame frame; \
	if (ops == NULL || !MODULE_HAS(ops, name)) \
		return absent(scope, #name); \
	enum pr_status status = module_enter(&frame, scope, store, NULL); \
	return status != PR_OK ? status : module_leave(&frame, ops->name(__VA_ARGS__))

#define STORE_CALL_VOID(name, ...) \
	struct module_instance *store = the_store(scope); \
	const struct pr_store_ops *ops = store == NULL ? NULL : store->module->ops; \
	struct module_frame frame; \
	if (ops == NULL || !MODULE_HAS(ops, name) || module_enter(&frame, scope, store, NULL) != PR_OK) \
		return; \
	ops->name(__VA_ARGS__); \
	module_leave_void(&frame)

static enum pr_status set_role(struct module_scope *scope, uint32_t role)
{
	STORE_CALL(role, &frame.call, role);
}

bool store_role(struct module_scope *scope, uint32_t role)
{
	return set_role(scope, role) == PR_OK;
}

enum pr_status store_begin(struct module_scope *scope, void **transaction_out, struct pr_str *id_out)
{
	STORE_CALL(begin, &frame.call, transaction_out, id_out);
}

enum pr_status store_begin_in(struct module_scope *scope, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out)
{
	struct module_instance *instance = the_store(scope);
	const struct pr_store_ops *given = instance == NULL ? NULL : instance->module->ops;

	/* a store without queue groups has one queue for all */
	if (given != NULL && !MODULE_HAS(given, begin_in))
		return store_begin(scope, transaction_out, id_out);
	STORE_CALL(begin_in, &frame.call, intake, transaction_out, id_out);
}

bool store_has_groups(struct module_scope *scope)
{
	const struct module_instance *store = the_store(scope);
	const struct pr_store_ops *ops = store == NULL ? NULL : store->module->ops;

	return ops != NULL && MODULE_HAS(ops, begin_in);
}

enum pr_status store_body(struct module_scope *scope, void *transaction, const void *data, size_t len)
{
	STORE_CALL(body, &frame.call, transaction, data, len);
}

enum pr_status store_commit(struct module_scope *scope, void *transaction, const struct pr_envelope *envelope,
    pr_commit_done *done, void *context)
{
	STORE_CALL(commit, &frame.call, transaction, envelope, done, context);
}

enum pr_status store_secure(struct module_scope *scope, void *transaction, pr_commit_done *done, void *context)
{
	STORE_CALL(secure, &frame.call, transaction, done, context);
}

void store_forget(struct module_scope *scope, void *transaction)
{
	STORE_CALL_VOID(forget, &frame.call, transaction);
}

enum pr_status store_next(struct module_scope *scope, void **cursor, struct pr_entry *entry_out)
{
	STORE_CALL(next, &frame.call, cursor, entry_out);
}

enum pr_status store_peek(struct module_scope *scope, struct pr_str id, struct pr_envelope **envelope_out,
    struct pr_entry *entry_out)
{
	STORE_CALL(peek, &frame.call, id, envelope_out, entry_out);
}

enum pr_status store_claim(struct module_scope *scope, struct pr_str id, struct pr_claim *claim_out)
{
	STORE_CALL(claim, &frame.call, id, claim_out);
}

enum pr_status store_claim_aside(struct module_scope *scope, struct pr_str id, struct pr_claim *claim_out)
{
	STORE_CALL(claim_aside, &frame.call, id, claim_out);
}

enum pr_status store_body_open(struct module_scope *scope, struct pr_claim *claim, struct pr_body *body_out)
{
	STORE_CALL(body_open, &frame.call, claim, body_out);
}

enum pr_status store_renew(struct module_scope *scope, struct pr_claim *claim)
{
	STORE_CALL(renew, &frame.call, claim);
}

enum pr_status store_update(struct module_scope *scope, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	STORE_CALL(update, &frame.call, claim, envelope);
}

enum pr_status store_finish(struct module_scope *scope, struct pr_claim *claim)
{
	STORE_CALL(finish, &frame.call, claim);
}

enum pr_status store_defer(struct module_scope *scope, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	STORE_CALL(defer, &frame.call, claim, envelope);
}

enum pr_status store_hold(struct module_scope *scope, struct pr_str id, struct pr_str reason)
{
	STORE_CALL(hold, &frame.call, id, reason);
}

enum pr_status store_unhold(struct module_scope *scope, struct pr_str id)
{
	STORE_CALL(unhold, &frame.call, id);
}

enum pr_status store_requeue(struct module_scope *scope, struct pr_str id)
{
	STORE_CALL(requeue, &frame.call, id);
}

enum pr_status store_remove(struct module_scope *scope, struct pr_str id)
{
	STORE_CALL(remove, &frame.call, id);
}

enum pr_status store_health(struct module_scope *scope, struct pr_store_health *health_out)
{
	STORE_CALL(health, &frame.call, health_out);
}

enum pr_status store_drain(struct module_scope *scope)
{
	STORE_CALL(drain, &frame.call);
}

enum pr_status store_wait_ready(struct module_scope *scope, struct pr_list *ids_out)
{
	STORE_CALL(wait_ready, &frame.call, ids_out);
}

enum pr_status store_quarantine(struct module_scope *scope, struct pr_str id, struct pr_str reason)
{
	STORE_CALL(quarantine, &frame.call, id, reason);
}

enum pr_status store_edit(struct module_scope *scope, struct pr_str id, const struct pr_edit *edit)
{
	STORE_CALL(edit, &frame.call, id, edit);
}

enum pr_status store_query(struct module_scope *scope, const struct pr_query *query, void **cursor, struct pr_entry *entry_out)
{
	STORE_CALL(query, &frame.call, query, cursor, entry_out);
}

enum pr_status store_handover(struct module_scope *scope)
{
	STORE_CALL(handover, &frame.call);
}

/* A store that reads twice: what is unreadable the second time is so, what is gone is passed over. */
static enum pr_status next_and_peek(struct module_scope *scope, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	enum pr_status status, peeked;

	do {
		*entry_out = (struct pr_entry){.size = sizeof *entry_out};
		*envelope_out = NULL;
		status = store_next(scope, cursor, entry_out);
		if (status != PR_OK)
			return status;
		peeked = store_peek(scope, entry_out->id, envelope_out, NULL);
		if (peeked != PR_OK)
			*envelope_out = NULL;
	} while (peeked == PR_NOTFOUND);
	return PR_OK;
}

enum pr_status store_list(struct module_scope *scope, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	struct module_instance *instance = the_store(scope);
	const struct pr_store_ops *given = instance == NULL ? NULL : instance->module->ops;

	if (given != NULL && !MODULE_HAS(given, list))
		return next_and_peek(scope, cursor, entry_out, envelope_out);
	STORE_CALL(list, &frame.call, cursor, entry_out, envelope_out);
}

void store_abort(struct module_scope *scope, void *transaction)
{
	STORE_CALL_VOID(abort, &frame.call, transaction);
}

void store_next_end(struct module_scope *scope, void **cursor)
{
	STORE_CALL_VOID(next_end, &frame.call, cursor);
}

void store_body_close(struct module_scope *scope, struct pr_body *body)
{
	STORE_CALL_VOID(body_close, &frame.call, body);
}

void store_release(struct module_scope *scope, struct pr_claim *claim)
{
	STORE_CALL_VOID(release, &frame.call, claim);
}

enum pr_status body_read(struct module_scope *scope, struct pr_body *body, void *buffer, size_t room, size_t *length_out)
{
	struct module_frame frame;
	enum pr_status status = module_enter(&frame, scope, the_store(scope), NULL);

	return status != PR_OK ? status : module_leave(&frame, body->read(body, &frame.call, buffer, room, length_out));
}

enum pr_status body_rewind(struct module_scope *scope, struct pr_body *body)
{
	struct module_frame frame;
	enum pr_status status = module_enter(&frame, scope, the_store(scope), NULL);

	return status != PR_OK ? status : module_leave(&frame, body->rewind(body, &frame.call));
}
