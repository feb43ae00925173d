/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor.  The file is read when the engine is asked what it declares, at the latest by check(); after open() the tables are only read.
 */
#include "console.h"
#include "hooks.h"

static void read_once(struct pr_call *call)
{
	struct cf *cf = call->instance;

	if (!cf->is_read) {
		pr_arena_init(&cf->arena, (size_t)256 << 20);
		pr_text_init(&cf->messages, (size_t)1 << 20);
		cf_read(cf, call);
	}
}

/* All that was said of the file, however long it is. */
static enum pr_status tell(struct pr_call *call, enum pr_status status)
{
	const struct cf *cf = call->instance;

	call->reason = pr_arena_copy(call->arena, pr_str_trim(pr_text_str(&cf->messages)));
	return status;
}

static enum pr_status declare(struct pr_call *call, const struct pr_declared **declared_out, size_t *count_out)
{
	const struct cf *cf = call->instance;

	read_once(call);
	*declared_out = cf->declared;
	*count_out = cf->declared_count;
	if (cf->fatal != 0)
		return tell(call, PR_MISUSE);
	if (cf->errors == 0 && cf->messages.len > 0) /* remarks, which refuse nothing */
		return tell(call, PR_OK);
	return PR_OK;
}

static uint32_t exit_status(struct pr_call *call)
{
	const struct cf *cf = call->instance;

	return cf->fatal != 0 ? cf->fatal : cf->status;
}

static enum pr_status check(struct pr_call *call)
{
	const struct cf *cf = call->instance;

	read_once(call);
	if (cf->errors == 0)
		return PR_OK;
	return tell(call, PR_MISUSE);
}

static enum pr_status open_engine(struct pr_call *call)
{
	struct cf *cf = call->instance;

	read_once(call);
	if (!cf->dont_probe)
		cf_probe_interfaces(cf);
	cf->names.is_sealed = true;
	return PR_OK;
}

static void close_engine(struct pr_call *call)
{
	cf_symbols_fini(call->instance);
}

static void thread_close(struct pr_call *call)
{
	cf_thread_fini(call->thread);
}

static void session_close(struct pr_call *call)
{
	struct cf_session *session = call->session;

	if (session == NULL)
		return;
	cf_overlay_fini(&session->connection);
	cf_overlay_fini(&session->transaction);
}

static const struct pr_option options[] = {
	PR_OPTION(struct cf, file, "file", PR_OPTION_PATH, PR_OPTION_REQUIRED, NULL, "the sendmail.cf"),
	PR_OPTION_END
};

static const struct pr_rules_ops ops = { .size = sizeof ops, .resolve = cf_resolve_op, .rewrite = cf_rewrite_op, .check = cf_check_op,
	.headers = cf_headers_op, .queue_group = cf_queue_group_op, .feature = cf_feature_op, .explain = cf_explain_op, .expand = cf_expand_op, .local = cf_local_op,
	.console = cf_console, .declare = declare, .exit_status = exit_status, .session_close = session_close, .transaction_close = cf_transaction_close };

PR_MODULE(cf) = { PR_MODULE_HEAD(PR_KIND_RULES), .flags = PR_CONCURRENT | PR_ANY_ADDRESS, .instance_size = sizeof(struct cf),
	.thread_size = sizeof(struct cf_thread), .session_size = sizeof(struct cf_session), .name = "cf", .version = "1.0", .summary = "the rules of a sendmail.cf", .options = options,
	.check = check, .open = open_engine, .close = close_engine, .thread_close = thread_close, .ops = &ops };
