/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Driving filters: one function per hook, all of the same shape.  A hook that is absent has no opinion.
 */
#include "kernel/module/internal.h"

/* The shape: verdict cleared, entered if the hook is there, left with its status. */
#define FILTER_HOOK(name, ...) \
	const struct pr_filter_ops *ops = session->instance->module->ops; \
	struct module_frame frame; \
	*verdict = (struct pr_verdict){.action = PR_CONTINUE}; \
	if (!MODULE_HAS(ops, name)) \
		return PR_OK; \
	enum pr_status status = module_enter(&frame, scope, session->instance, session->memory); \
	return status != PR_OK ? status : module_leave(&frame, ops->name(&frame.call, __VA_ARGS__))

enum pr_status filter_connect(struct module_scope *scope, struct module_session *session, const struct pr_client *client, struct pr_verdict *verdict)
{
	FILTER_HOOK(connect, client, verdict);
}

enum pr_status filter_helo(struct module_scope *scope, struct module_session *session, struct pr_str name, struct pr_verdict *verdict)
{
	FILTER_HOOK(helo, name, verdict);
}

enum pr_status filter_mail(struct module_scope *scope, struct module_session *session, struct pr_str sender, const struct pr_list *parameters, struct pr_verdict *verdict)
{
	FILTER_HOOK(mail, sender, parameters, verdict);
}

enum pr_status filter_rcpt(struct module_scope *scope, struct module_session *session, struct pr_str rcpt, const struct pr_list *parameters, struct pr_verdict *verdict)
{
	FILTER_HOOK(rcpt, rcpt, parameters, verdict);
}

enum pr_status filter_data(struct module_scope *scope, struct module_session *session, struct pr_verdict *verdict)
{
	FILTER_HOOK(data, verdict);
}

enum pr_status filter_header(struct module_scope *scope, struct module_session *session, const struct pr_header *header, struct pr_verdict *verdict)
{
	FILTER_HOOK(header, header, verdict);
}

enum pr_status filter_eoh(struct module_scope *scope, struct module_session *session, struct pr_verdict *verdict)
{
	FILTER_HOOK(eoh, verdict);
}

enum pr_status filter_body(struct module_scope *scope, struct module_session *session, const void *data, size_t len, struct pr_verdict *verdict)
{
	FILTER_HOOK(body, data, len, verdict);
}

enum pr_status filter_message(struct module_scope *scope, struct module_session *session, const struct pr_envelope *envelope,
    const struct pr_filter_edit *edit, void *edit_context, struct pr_verdict *verdict)
{
	const struct pr_filter_ops *ops = session->instance->module->ops;
	struct module_frame frame;

	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	if (!MODULE_HAS(ops, message))
		return PR_OK;
	enum pr_status status = module_enter(&frame, scope, session->instance, session->memory);
	if (status != PR_OK)
		return status;
	frame.edit_context = edit_context;
	return module_leave(&frame, ops->message(&frame.call, envelope, edit, verdict));
}

void *filter_edit_context(const struct pr_call *call)
{
	return ((const struct module_frame *)call->kernel)->edit_context;
}

void filter_abort(struct module_scope *scope, struct module_session *session)
{
	const struct pr_filter_ops *ops = session->instance->module->ops;
	struct module_frame frame;

	if (MODULE_HAS(ops, abort) && module_enter(&frame, scope, session->instance, session->memory) == PR_OK) {
		ops->abort(&frame.call);
		module_leave_void(&frame);
	}
}

void filter_close(struct module_scope *scope, struct module_session *session)
{
	const struct pr_filter_ops *ops = session->instance->module->ops;
	struct module_frame frame;

	if (MODULE_HAS(ops, close) && module_enter(&frame, scope, session->instance, session->memory) == PR_OK) {
		ops->close(&frame.call);
		module_leave_void(&frame);
	}
}
