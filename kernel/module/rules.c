/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the rule engine.  An engine without a function is an engine without an opinion.
 */
#include "kernel/module/internal.h"

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

void rules_session_close(struct module_scope *scope)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL || scope->rules == NULL || scope->rules->instance == NULL)
		return;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (MODULE_HAS(ops, session_close) && module_enter(&frame, scope, instance, scope->rules->memory) == PR_OK) {
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
	struct module_instance *instance = engine(scope);
	struct module_frame frame;
	struct pr_route route = {.size = sizeof route};

	if (instance == NULL)
		return module_scope_fail(scope, PR_MISUSE, "no rule engine is declared");
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, resolve))
		return module_scope_fail(scope, PR_MISUSE, "%s has no resolve", instance->label);
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	if (status == PR_OK)
		status = module_leave(&frame, ops->resolve(&frame.call, address, sender, &route));
	*route_out = route;
	return status;
}

enum pr_status rules_rewrite(struct module_scope *scope, enum pr_rewrite which, struct pr_str mailer, struct pr_str address,
    struct pr_str *address_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;
	struct pr_str result = PR_NONE;

	*address_out = address;
	if (instance == NULL)
		return PR_OK;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, rewrite))
		return PR_OK;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	if (status == PR_OK)
		status = module_leave(&frame, ops->rewrite(&frame.call, which, mailer, address, &result));
	if (status == PR_OK && result.data != NULL)
		*address_out = result;
	return status;
}

enum pr_status rules_check(struct module_scope *scope, enum pr_check check, const struct pr_check_context *context,
    const struct pr_list *arguments, struct pr_verdict *verdict)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	if (instance == NULL)
		return PR_OK;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, check))
		return PR_OK;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	if (status == PR_OK)
		status = module_leave(&frame, ops->check(&frame.call, check, context, arguments, verdict));
	return status;
}

enum pr_status rules_headers(struct module_scope *scope, const struct pr_header **headers_out, size_t *count_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	*headers_out = NULL;
	*count_out = 0;
	if (instance == NULL)
		return PR_OK;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, headers))
		return PR_OK;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	return status == PR_OK ? module_leave(&frame, ops->headers(&frame.call, headers_out, count_out)) : status;
}

enum pr_status rules_console(struct module_scope *scope, struct pr_str line, struct pr_text *out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL)
		return module_scope_fail(scope, PR_MISUSE, "no rule engine is declared");
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, console))
		return module_scope_fail(scope, PR_MISUSE, "%s has no console", instance->label);
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	return status == PR_OK ? module_leave(&frame, ops->console(&frame.call, line, out)) : status;
}

uint32_t rules_exit_status(struct module_scope *scope)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL)
		return 0;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, exit_status) || module_enter(&frame, scope, instance, session_of(scope, instance)) != PR_OK)
		return 0;
	uint32_t status = ops->exit_status(&frame.call);
	module_leave_void(&frame);
	return status;
}

enum pr_status rules_queue_group(struct module_scope *scope, struct pr_str address, struct pr_str *group_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL)
		return PR_NOTFOUND;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, queue_group))
		return PR_NOTFOUND;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	return status != PR_OK ? status : module_leave(&frame, ops->queue_group(&frame.call, address, group_out));
}

enum pr_status rules_feature(struct module_scope *scope, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL)
		return PR_NOTFOUND;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, feature))
		return PR_NOTFOUND;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	return status != PR_OK ? status : module_leave(&frame, ops->feature(&frame.call, name, arguments, value_out));
}

enum pr_status rules_explain(struct module_scope *scope, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
    const struct pr_step **steps_out, size_t *count_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;
	struct pr_route route = {.size = sizeof route};

	*count_out = 0;
	if (instance == NULL)
		return module_scope_fail(scope, PR_MISUSE, "no rule engine is declared");
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, explain))
		return module_scope_fail(scope, PR_MISUSE, "%s cannot explain what it does", instance->label);
	enum pr_status status = module_enter(&frame, scope, instance, NULL);
	if (status == PR_OK)
		status = module_leave(&frame, ops->explain(&frame.call, address, sender, most, &route, steps_out, count_out));
	*route_out = route;
	return status;
}

enum pr_status rules_expand(struct module_scope *scope, struct pr_str text, struct pr_str *text_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;

	if (instance == NULL)
		return PR_NOTFOUND;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, expand))
		return PR_NOTFOUND;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	return status != PR_OK ? status : module_leave(&frame, ops->expand(&frame.call, text, text_out));
}

enum pr_status rules_local(struct module_scope *scope, struct pr_str mailer, struct pr_str host, struct pr_str user,
    struct pr_route *route_out)
{
	struct module_instance *instance = engine(scope);
	struct module_frame frame;
	struct pr_route route = {.size = sizeof route};

	if (instance == NULL)
		return PR_NOTFOUND;
	const struct pr_rules_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, local))
		return PR_NOTFOUND;
	enum pr_status status = module_enter(&frame, scope, instance, session_of(scope, instance));
	if (status == PR_OK)
		status = module_leave(&frame, ops->local(&frame.call, mailer, host, user, &route));
	*route_out = route;
	return status;
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
