/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One way to ask the rules for every hook, so that no answer is interpreted in two places.  An engine that fails says
 * nothing about the client: the client may come again.
 */
#include "kernel/session/policy.h"

#include "kernel/session/report.h"
#include "kernel/session/statistics.h"
#include "kernel/session/transaction.h"

static const char *const rulesets[] = {
    [PR_CHECK_RELAY] = "check_relay", [PR_CHECK_HELO] = "check_helo", [PR_CHECK_MAIL] = "check_mail",
    [PR_CHECK_RCPT] = "check_rcpt",   [PR_CHECK_DATA] = "check_data", [PR_CHECK_ETRN] = "check_etrn",
    [PR_CHECK_VRFY] = "check_vrfy",   [PR_CHECK_EXPN] = "check_expn", [PR_CHECK_EOH] = "check_eoh",
    [PR_CHECK_EOM] = "check_eom",     [PR_CHECK_COMPAT] = "check_compat", [PR_CHECK_HEADER] = "check_header",
    [PR_CHECK_TLS_CLIENT] = "tls_client",
};

void policy_complete(struct pr_verdict *verdict)
{
	bool defer = verdict->action == PR_DEFER;

	if (verdict->code < 400 || verdict->code > 599)
		verdict->code = defer ? 451 : 550;
	if (verdict->enhanced.data == NULL)
		verdict->enhanced = verdict->code < 500 ? PR_STR("4.7.1") : PR_STR("5.7.1");
	if (verdict->text.data == NULL)
		verdict->text = defer ? PR_STR("Please try again later") : PR_STR("Access denied");
}

void policy_remember(struct session *session, const struct pr_verdict *verdict)
{
	struct transaction *transaction = session->transaction;

	if (verdict->action == PR_DISCARD && transaction != NULL)
		transaction->discard = 1;
	else if (verdict->action == PR_DISCARD)
		session->discard = 1;
	if (verdict->action != PR_QUARANTINE)
		return;
	struct pr_str reason = verdict->text.data != NULL ? pr_str_slice(verdict->text, 0, 256) : PR_STR("quarantined");
	if (transaction != NULL && transaction->quarantine.data == NULL)
		transaction->quarantine = pr_arena_copy(&transaction->arena, reason);
	else if (transaction == NULL && session->quarantine.data == NULL)
		session->quarantine = (struct pr_str){pr_copy_str(reason), reason.len};
}

static void keep_context(struct session *session, struct pr_client *client, struct pr_check_context *context)
{
	session_describe(session, client);
	*context = (struct pr_check_context){.size = sizeof *context, .client = client};
	if (session->transaction != NULL)
		context->sender = session->transaction->sender;
	if (session->stream.tls != NULL)
		context->tls_verify = PR_STR("NO");
}

/* Questions about addresses are not mail that was refused. */
static bool is_counted(enum pr_check check)
{
	return check != PR_CHECK_VRFY && check != PR_CHECK_EXPN && check != PR_CHECK_ETRN;
}

bool policy_check(struct session *session, struct bench *bench, struct module_scope *scope, enum pr_check check,
    const struct pr_list *arguments, struct pr_verdict *verdict)
{
	struct pr_check_context context;
	struct pr_client client;
	struct pr_str argument = arguments->count > 0 ? arguments->items[0] : PR_NONE;

	keep_context(session, &client, &context);
	enum pr_status status = rules_check(scope, check, &context, arguments, verdict);
	if (status != PR_OK && status != PR_NOTFOUND) {
		report_failure(session, rulesets[check], scope->reason);
		*verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"),
		                               .text = PR_STR("Temporary system failure. Please try again later.")};
		return false;
	}
	if (is_counted(check))
		session_count_verdict(session, scope, verdict);
	if (verdict->action == PR_DISCARD || verdict->action == PR_QUARANTINE) {
		report_rejected(session, bench, rulesets[check], argument, verdict);
		policy_remember(session, verdict);
	}
	if (verdict->action != PR_REJECT && verdict->action != PR_DEFER)
		return true;
	policy_complete(verdict);
	report_rejected(session, bench, rulesets[check], argument, verdict);
	return false;
}
