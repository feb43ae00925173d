/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Driving authentication modules: one function per step.  An absent function is said with the module's label, because a
 * site may have several of them.
 */
#include "kernel/module/internal.h"

static enum pr_status enter(struct module_frame *frame, struct module_scope *scope, struct module_instance *auth, bool has, const char *what)
{
	if (!has)
		return module_scope_fail(scope, PR_MISUSE, "%s has no %s", auth->label, what);
	return module_enter(frame, scope, auth, NULL);
}

enum pr_status auth_mechanisms(struct module_scope *scope, struct module_instance *auth, bool tls, struct pr_list *names_out)
{
	const struct pr_auth_ops *ops = auth->module->ops;
	struct module_frame frame;
	struct pr_list names = {NULL, 0};
	enum pr_status status = enter(&frame, scope, auth, MODULE_HAS(ops, mechanisms), "mechanisms");

	if (status == PR_OK)
		status = module_leave(&frame, ops->mechanisms(&frame.call, tls, &names));
	if (status == PR_OK)
		*names_out = names;
	return status;
}

enum pr_status auth_server_step(struct module_scope *scope, struct module_instance *auth, struct pr_auth_step *step)
{
	const struct pr_auth_ops *ops = auth->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, auth, MODULE_HAS(ops, server_step), "server side");

	return status == PR_OK ? module_leave(&frame, ops->server_step(&frame.call, step)) : status;
}

enum pr_status auth_client_step(struct module_scope *scope, struct module_instance *auth, struct pr_auth_step *step)
{
	const struct pr_auth_ops *ops = auth->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, auth, MODULE_HAS(ops, client_step), "client side");

	return status == PR_OK ? module_leave(&frame, ops->client_step(&frame.call, step)) : status;
}
