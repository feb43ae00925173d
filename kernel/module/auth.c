/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Driving authentication modules: one function per step.  An absent function is said with the module's label, because a
 * site may have several of them.
 */
#include "kernel/module/internal.h"

static enum pr_status enter(struct module_frame *frame, struct module_scope *scope, const struct module_session *auth, bool has, const char *what)
{
	if (!has)
		return module_scope_fail(scope, PR_MISUSE, "%s has no %s", auth->instance->label, what);
	return module_enter(frame, scope, auth->instance, auth->memory);
}

enum pr_status auth_mechanisms(struct module_scope *scope, struct module_instance *auth, uint32_t flags, struct pr_list *names_out)
{
	const struct pr_auth_ops *ops = auth->module->ops;
	struct module_session outside = {auth, NULL};
	struct module_frame frame;
	struct pr_list names = {NULL, 0};
	enum pr_status status = enter(&frame, scope, &outside, MODULE_HAS(ops, mechanisms), "mechanisms");

	if (status == PR_OK)
		status = module_leave(&frame, ops->mechanisms(&frame.call, flags, &names));
	if (status == PR_OK)
		*names_out = names;
	return status;
}

enum pr_status auth_server_step(struct module_scope *scope, struct module_session *exchange, struct pr_auth_step *step)
{
	const struct pr_auth_ops *ops = exchange->instance->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, exchange, MODULE_HAS(ops, server_step), "server side");

	return status == PR_OK ? module_leave(&frame, ops->server_step(&frame.call, step)) : status;
}

void auth_server_end(struct module_scope *scope, struct module_session *exchange)
{
	const struct pr_auth_ops *ops = exchange->instance->module->ops;
	struct module_frame frame;

	if (MODULE_HAS(ops, server_end) && module_enter(&frame, scope, exchange->instance, exchange->memory) == PR_OK) {
		ops->server_end(&frame.call);
		module_leave_void(&frame);
	}
	module_session_fini(exchange);
}

enum pr_status auth_client_step(struct module_scope *scope, struct module_session *exchange, struct pr_auth_step *step)
{
	const struct pr_auth_ops *ops = exchange->instance->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, exchange, MODULE_HAS(ops, client_step), "client side");

	return status == PR_OK ? module_leave(&frame, ops->client_step(&frame.call, step)) : status;
}
