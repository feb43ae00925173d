/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One way to ask the rules for every hook, so that no answer is interpreted in two places.  An engine that fails says
 * nothing about the client: the client may come again.
 */
#include "kernel/session/policy.h"

#include "kernel/net/tls/certificate.h"
#include "kernel/session/auth.h"
#include "kernel/session/report.h"
#include "kernel/session/statistics.h"
#include "kernel/session/transaction.h"

static const char *const rulesets[] = {
    [PR_CHECK_RELAY] = "check_relay", [PR_CHECK_HELO] = "check_helo", [PR_CHECK_MAIL] = "check_mail",
    [PR_CHECK_RCPT] = "check_rcpt",   [PR_CHECK_DATA] = "check_data", [PR_CHECK_ETRN] = "check_etrn",
    [PR_CHECK_VRFY] = "check_vrfy",   [PR_CHECK_EXPN] = "check_expn", [PR_CHECK_EOH] = "check_eoh",
    [PR_CHECK_EOM] = "check_eom",     [PR_CHECK_COMPAT] = "check_compat", [PR_CHECK_HEADER] = "check_header",
    [PR_CHECK_TLS_CLIENT] = "tls_client", [PR_CHECK_TRUST_AUTH] = "trust_auth",
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
	if (transaction != NULL) /* the last word counts, as in sendmail */
		transaction->quarantine = pr_arena_copy(&transaction->arena, reason);
	else if (session->quarantine.data == NULL)
		session->quarantine = (struct pr_str){pr_copy_str(reason), reason.len};
}

static void keep_context(struct session *session, struct pr_client *client, struct pr_str *set, struct pr_check_context *context)
{
	session_describe(session, client);
	*context = (struct pr_check_context){.size = sizeof *context, .client = client, .set_out = set};
	if (session->transaction != NULL)
		context->sender = session->transaction->sender;
	context->auth_name = auth_name(session);
	if (session->stream.tls != NULL)
		context->tls_verify = pr_str(net_tls_verified(session->stream.tls));
}

/* Questions about addresses are not mail that was refused. */
static bool is_counted(enum pr_check check)
{
	return check != PR_CHECK_VRFY && check != PR_CHECK_EXPN && check != PR_CHECK_ETRN && check != PR_CHECK_TRUST_AUTH;
}

/* The arguments that the log names: of a field its value, for the set has the name. */
static struct pr_list shown_of(enum pr_check check, const struct pr_list *arguments)
{
	bool is_field = check == PR_CHECK_HEADER && arguments->count > 1;

	return is_field ? (struct pr_list){arguments->items + 1, 1} : *arguments;
}

bool policy_check(struct session *session, struct bench *bench, struct module_scope *scope, enum pr_check check,
    const struct pr_list *arguments, struct pr_verdict *verdict)
{
	struct pr_check_context context;
	struct pr_client client;
	struct pr_str set = pr_str(rulesets[check]);
	struct pr_list shown = shown_of(check, arguments);

	keep_context(session, &client, &set, &context);
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
		report_rejected_by(session, bench, set, &shown, verdict);
		policy_remember(session, verdict);
	}
	if (verdict->action != PR_REJECT && verdict->action != PR_DEFER)
		return true;
	policy_complete(verdict);
	report_rejected_by(session, bench, set, &shown, verdict);
	return false;
}
