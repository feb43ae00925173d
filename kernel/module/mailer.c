/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Driving mailers.  While a mailer runs, the scope knows which one, so that header_print rewrites for it.
 */
#include "kernel/module/internal.h"

#include <string.h>

struct pr_str module_mailer_flags(const struct module_instance *mailer)
{
	const struct pr_mailer_ops *ops = mailer->module->ops;

	if (mailer->config->flags.data != NULL)
		return mailer->config->flags;
	return ops->default_flags == NULL ? PR_STR("") : pr_str(ops->default_flags);
}

bool module_mailer_has_flag(const struct module_instance *mailer, char flag)
{
	struct pr_str flags = module_mailer_flags(mailer);

	return memchr(flags.data, flag, flags.len) != NULL;
}

struct shape module_mailer_shape(const struct module_instance *mailer)
{
	const struct config_instance *config = mailer->config;

	return (struct shape){.line_limit = config->line_limit, .end_of_line = config->end_of_line, .quote_from = config->quote_from != 0,
	    .hide_dots = config->hide_dots != 0, .strip_nul = config->strip_nul != 0, .blank_end = config->blank_end != 0};
}

const struct options *module_mailer_options(const struct module_instance *mailer)
{
	return &mailer->set->config->options;
}

static const struct pr_mailer_ops *mailer_ops(const struct module_session *session)
{
	return session->instance->module->ops;
}

enum pr_status mailer_open(struct module_scope *scope, struct module_session *session, const struct pr_destination *destination)
{
	const struct pr_mailer_ops *ops = mailer_ops(session);
	struct module_frame frame;

	if (!MODULE_HAS(ops, session_open))
		return PR_OK;
	enum pr_status status = module_enter(&frame, scope, session->instance, session->memory);
	if (status == PR_OK)
		status = module_leave(&frame, ops->session_open(&frame.call, destination));
	return status;
}

enum pr_status mailer_deliver(struct module_scope *scope, struct module_session *session, const struct pr_destination *destination,
    const struct pr_envelope *envelope, struct pr_body *body, struct pr_delivery *deliveries, size_t count)
{
	const struct pr_mailer_ops *ops = mailer_ops(session);
	struct module_frame frame;

	if (!MODULE_HAS(ops, deliver))
		return module_scope_fail(scope, PR_MISUSE, "%s has no deliver", session->instance->label);
	for (size_t i = 0; i < count; i++)
		deliveries[i].status = PR_MISUSE;
	scope->mailer = module_name(session->instance);
	scope->host = destination->host;
	scope->deliveries = deliveries;
	scope->delivery_count = count;
	scope->commands = pr_arena_alloc(scope->arena, (count + 1) * sizeof *scope->commands);
	enum pr_status status = module_enter(&frame, scope, session->instance, session->memory);
	if (status == PR_OK)
		status = module_leave(&frame, ops->deliver(&frame.call, destination, envelope, body, deliveries, count));
	scope->peer = NULL;
	scope->deliveries = NULL; /* what was said of them stays until the next delivery */
	scope->delivery_count = 0;
	if (status == PR_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		if (deliveries[i].status == PR_MISUSE) {
			deliveries[i].status = status;
			deliveries[i].reply = scope->reason;
		}
	return status;
}

bool mailer_alive(struct module_scope *scope, struct module_session *session)
{
	const struct pr_mailer_ops *ops = mailer_ops(session);
	struct module_frame frame;
	bool alive = false;

	if (MODULE_HAS(ops, alive) && module_enter(&frame, scope, session->instance, session->memory) == PR_OK) {
		alive = ops->alive(&frame.call);
		module_leave_void(&frame);
	}
	return alive;
}

void mailer_close(struct module_scope *scope, struct module_session *session)
{
	const struct pr_mailer_ops *ops = mailer_ops(session);
	struct module_frame frame;

	if (MODULE_HAS(ops, session_close) && module_enter(&frame, scope, session->instance, session->memory) == PR_OK) {
		ops->session_close(&frame.call);
		module_leave_void(&frame);
	}
}
