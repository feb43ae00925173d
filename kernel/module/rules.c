/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the rule engine.  An engine without a function is an engine without an opinion, and every question goes in by one door.
 */
#include "kernel/module/internal.h"

#include <string.h>

#define FUNCTION(name) offsetof(struct pr_rules_ops, name)

static struct module_instance *engine(struct module_scope *scope)
{
	return scope->thread->set->rules;
}

/* The engine's memory of this session, made at its first question. */
static void *session_of(struct module_scope *scope, struct module_instance *instance)
{
	if (scope->rules == NULL)
		return NULL;
	if (scope->rules->instance == NULL)
		module_session_init(scope->rules, instance);
	return scope->rules->memory;
}

/* MODULE_HAS for a function that is known by its place in the table. */
static bool has(const struct pr_rules_ops *ops, size_t function)
{
	void (*found)(void) = NULL;

	if (ops->size >= function + sizeof found)
		memcpy(&found, (const char *)ops + function, sizeof found);
	return found != NULL;
}

static const struct pr_rules_ops *enter_with(struct module_frame *frame, struct module_scope *scope, size_t function, bool with_session,
    enum pr_status *status)
{
	struct module_instance *instance = engine(scope);

	if (instance == NULL || !has(instance->module->ops, function))
		return NULL;
	*status = module_enter(frame, scope, instance, with_session ? session_of(scope, instance) : NULL);
	return *status == PR_OK ? instance->module->ops : NULL;
}

/* The functions of the engine, inside of it until module_leave.  NULL: *status says why it could not be entered, or what it
 * said before when there is no engine, or none with this function. */
static const struct pr_rules_ops *enter(struct module_frame *frame, struct module_scope *scope, size_t function, enum pr_status *status)
{
	return enter_with(frame, scope, function, true, status);
}

/* For what an engine must have. */
static enum pr_status lacks(struct module_scope *scope, enum pr_status status, const char *what)
{
	const struct module_instance *instance = engine(scope);

	if (status != PR_NOTFOUND)
		return status;
	if (instance == NULL)
		return module_scope_fail(scope, PR_MISUSE, "no rule engine is declared");
	return module_scope_fail(scope, PR_MISUSE, "%s %s", instance->label, what);
}

void rules_transaction_close(struct module_scope *scope)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	if (scope->rules == NULL || scope->rules->instance == NULL)
		return;
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(transaction_close), &status);
	if (ops != NULL) {
		ops->transaction_close(&frame.call);
		module_leave_void(&frame);
	}
}

void rules_session_close(struct module_scope *scope)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL || scope->rules == NULL || scope->rules->instance == NULL)
		return;
	enum pr_status status = PR_NOTFOUND;
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(session_close), &status);
	if (ops != NULL) {
		ops->session_close(&frame.call);
		module_leave_void(&frame);
	}
	module_session_fini(scope->rules);
}

bool rules_take_any_address(const struct module_set *set)
{
	return set->rules != NULL && (set->rules->module->flags & PR_ANY_ADDRESS) != 0;
}

enum pr_status rules_resolve(struct module_scope *scope, struct pr_str address, struct pr_str sender, struct pr_route *route_out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	*route_out = (struct pr_route){.size = sizeof *route_out};
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(resolve), &status);
	if (ops == NULL)
		return lacks(scope, status, "has no resolve");
	return module_leave(&frame, ops->resolve(&frame.call, address, sender, route_out));
}

enum pr_status rules_rewrite(struct module_scope *scope, enum pr_rewrite which, struct pr_str mailer, struct pr_str address,
    struct pr_str *address_out)
{
	struct module_frame frame;
	struct pr_str result = PR_NONE;
	enum pr_status status = PR_OK;

	*address_out = address;
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(rewrite), &status);
	if (ops == NULL)
		return status;
	status = module_leave(&frame, ops->rewrite(&frame.call, which, mailer, address, &result));
	if (status == PR_OK && result.data != NULL)
		*address_out = result;
	return status;
}

enum pr_status rules_check(struct module_scope *scope, enum pr_check check, const struct pr_check_context *context,
    const struct pr_list *arguments, struct pr_verdict *verdict)
{
	struct module_frame frame;
	enum pr_status status = PR_OK;

	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(check), &status);
	return ops == NULL ? status : module_leave(&frame, ops->check(&frame.call, check, context, arguments, verdict));
}

enum pr_status rules_headers(struct module_scope *scope, const struct pr_header **headers_out, size_t *count_out)
{
	struct module_frame frame;
	enum pr_status status = PR_OK;

	*headers_out = NULL;
	*count_out = 0;
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(headers), &status);
	return ops == NULL ? status : module_leave(&frame, ops->headers(&frame.call, headers_out, count_out));
}

enum pr_status rules_console(struct module_scope *scope, struct pr_str line, struct pr_text *out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(console), &status);
	return ops == NULL ? lacks(scope, status, "has no console") : module_leave(&frame, ops->console(&frame.call, line, out));
}

uint32_t rules_exit_status(struct module_scope *scope)
{
	struct module_frame frame;
	enum pr_status status = PR_OK;

	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(exit_status), &status);
	if (ops == NULL)
		return 0;
	uint32_t number = ops->exit_status(&frame.call);
	module_leave_void(&frame);
	return number;
}

enum pr_status rules_queue_group(struct module_scope *scope, struct pr_str address, struct pr_str *group_out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(queue_group), &status);
	return ops == NULL ? status : module_leave(&frame, ops->queue_group(&frame.call, address, group_out));
}

enum pr_status rules_feature(struct module_scope *scope, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(feature), &status);
	return ops == NULL ? status : module_leave(&frame, ops->feature(&frame.call, name, arguments, value_out));
}

enum pr_status rules_explain(struct module_scope *scope, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
    const struct pr_step **steps_out, size_t *count_out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	*route_out = (struct pr_route){.size = sizeof *route_out};
	*count_out = 0;
	/* without the memory of a session: every answer stands alone */
	const struct pr_rules_ops *ops = enter_with(&frame, scope, FUNCTION(explain), false, &status);
	if (ops == NULL)
		return lacks(scope, status, "cannot explain what it does");
	return module_leave(&frame, ops->explain(&frame.call, address, sender, most, route_out, steps_out, count_out));
}

enum pr_status rules_expand(struct module_scope *scope, struct pr_str text, struct pr_str *text_out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(expand), &status);
	return ops == NULL ? status : module_leave(&frame, ops->expand(&frame.call, text, text_out));
}

enum pr_status rules_local(struct module_scope *scope, struct pr_str mailer, struct pr_str host, struct pr_str user,
    struct pr_route *route_out)
{
	struct module_frame frame;
	enum pr_status status = PR_NOTFOUND;

	*route_out = (struct pr_route){.size = sizeof *route_out};
	const struct pr_rules_ops *ops = enter(&frame, scope, FUNCTION(local), &status);
	if (ops == NULL)
		return status;
	return module_leave(&frame, ops->local(&frame.call, mailer, host, user, route_out));
}

#define MOVES_MAX 10

/* A local user with F=5 may be elsewhere: the rules are asked until they have nothing to add. */
static enum pr_status follow(struct module_scope *scope, struct pr_route *route)
{
	for (int moves = 0; moves < MOVES_MAX && (route->flags & PR_ROUTE_FINAL) == 0; moves++) {
		const struct module_instance *mailer = module_find(module_thread_set(scope->thread), PR_KIND_MAILER, route->mailer);
		struct pr_route next = {.size = sizeof next};
		if (mailer == NULL || !module_mailer_has_flag(mailer, '5'))
			return PR_OK;
		enum pr_status status = rules_local(scope, route->mailer, route->host, route->user, &next);
		if (status == PR_NOTFOUND)
			return PR_OK;
		*route = next;
		if (status != PR_OK)
			return status;
	}
	return PR_OK;
}

enum pr_status rules_destination(struct module_scope *scope, struct pr_str address, struct pr_str sender, struct pr_route *route_out)
{
	enum pr_status status = rules_resolve(scope, address, sender, route_out);

	return status == PR_OK ? follow(scope, route_out) : status;
}
