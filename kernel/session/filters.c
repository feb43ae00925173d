/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One loop for all hooks: who is still interested, what it says, what that means.  The hooks themselves are a table of
 * one-line adapters.
 */
#include "kernel/session/filters.h"

#include "kernel/log/log.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"
#include "kernel/session/statistics.h"
#include "kernel/session/transaction.h"

typedef enum pr_status ask(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
                           struct transaction *transaction, struct pr_verdict *verdict);

static enum pr_status ask_connect(struct module_scope *scope, struct module_session *filter,
    const struct filter_subject *subject, struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)transaction;
	return filter_connect(scope, filter, subject->client, verdict);
}

static enum pr_status ask_helo(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
    struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)transaction;
	return filter_helo(scope, filter, subject->text, verdict);
}

static enum pr_status ask_mail(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
    struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)transaction;
	return filter_mail(scope, filter, subject->text, subject->parameters, verdict);
}

static enum pr_status ask_rcpt(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
    struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)transaction;
	return filter_rcpt(scope, filter, subject->text, subject->parameters, verdict);
}

static enum pr_status ask_data(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
    struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)subject;
	(void)transaction;
	return filter_data(scope, filter, verdict);
}

static enum pr_status ask_header(struct module_scope *scope, struct module_session *filter,
    const struct filter_subject *subject, struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)transaction;
	return filter_header(scope, filter, subject->header, verdict);
}

static enum pr_status ask_eoh(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
    struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)subject;
	(void)transaction;
	return filter_eoh(scope, filter, verdict);
}

static enum pr_status ask_body(struct module_scope *scope, struct module_session *filter, const struct filter_subject *subject,
    struct transaction *transaction, struct pr_verdict *verdict)
{
	(void)transaction;
	return filter_body(scope, filter, subject->text.data, subject->text.len, verdict);
}

static enum pr_status ask_message(struct module_scope *scope, struct module_session *filter,
    const struct filter_subject *subject, struct transaction *transaction, struct pr_verdict *verdict)
{
	return filter_message(scope, filter, subject->envelope, &transaction_edits, transaction, verdict);
}

static const struct {
	ask *ask;
	const char *name;
	bool connection; /* ACCEPT is about the connection, not the message */
} hooks[] = {
    [FILTER_CONNECT] = {ask_connect, "connect", true}, [FILTER_HELO] = {ask_helo, "helo", true},
    [FILTER_MAIL] = {ask_mail, "from", false},         [FILTER_RCPT] = {ask_rcpt, "to", false},
    [FILTER_DATA] = {ask_data, "data", false},         [FILTER_HEADER] = {ask_header, "header", false},
    [FILTER_EOH] = {ask_eoh, "eoh", false},            [FILTER_BODY] = {ask_body, "body", false},
    [FILTER_MESSAGE] = {ask_message, "message", false},
};

/* The sessions of all filters, made at the first question. */
static bool filters_open(struct session *session)
{
	size_t count = session->receiver->filter_count;

	if (session->filters != NULL)
		return true;
	struct module_session *filters = pr_alloc(count * sizeof *filters);
	for (size_t i = 0; i < count; i++) {
		if (module_session_init(&filters[i], module_at(session->receiver->modules, PR_KIND_FILTER, i)))
			continue;
		while (i-- > 0)
			module_session_fini(&filters[i]);
		pr_free(filters);
		return false;
	}
	session->filters = filters;
	return true;
}

static void failed(struct session *session, struct module_scope *scope, size_t index, struct pr_verdict *verdict)
{
	const struct module_instance *instance = session->filters[index].instance;
	struct pr_str policy = module_config(instance)->on_failure;

	report_failure(session, module_name(instance).data, scope->reason);
	*verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.2"),
	                               .text = PR_STR("Please try again later")};
	if (pr_str_equal(policy, PR_STR("accept"))) {
		*verdict = (struct pr_verdict){.action = PR_CONTINUE};
		session->filters_done |= UINT64_C(1) << index;
	} else if (pr_str_equal(policy, PR_STR("reject"))) {
		*verdict = (struct pr_verdict){.action = PR_REJECT, .code = 550, .enhanced = PR_STR("5.7.1"),
		                               .text = PR_STR("Command rejected")};
	}
}

static bool wants_none(const struct session *session, size_t index)
{
	uint64_t done = session->filters_done;

	if (session->transaction != NULL)
		done |= session->transaction->filters_done;
	return (done >> index & 1) != 0;
}

static void not_again(struct session *session, size_t index, enum filter_hook hook)
{
	if (hooks[hook].connection || session->transaction == NULL)
		session->filters_done |= UINT64_C(1) << index;
	else
		session->transaction->filters_done |= UINT64_C(1) << index;
}

static void refusal(struct pr_verdict *verdict)
{
	if (verdict->text.data == NULL && verdict->action == PR_REJECT)
		verdict->text = PR_STR("Command rejected");
	if (verdict->enhanced.data == NULL && verdict->action == PR_DEFER)
		verdict->enhanced = PR_STR("4.3.2");
	policy_complete(verdict);
}

static bool ask_one(struct session *session, struct module_scope *scope, size_t index, const struct filter_subject *subject,
    struct pr_verdict *verdict)
{
	if (hooks[subject->hook].ask(scope, &session->filters[index], subject, session->transaction, verdict) != PR_OK)
		return false;
	if (verdict->action <= PR_QUARANTINE)
		return true;
	scope->reason = pr_arena_printf(scope->arena, "verdict %u is no action", verdict->action);
	return false;
}

bool filters_ask(struct session *session, struct bench *bench, struct module_scope *scope,
    const struct filter_subject *subject, struct pr_verdict *verdict)
{
	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	if (session->receiver->filter_count == 0)
		return true;
	if (!filters_open(session)) {
		*verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.2")};
		policy_complete(verdict);
		return false;
	}
	for (size_t i = 0; i < session->receiver->filter_count; i++) {
		if (wants_none(session, i))
			continue;
		if (!ask_one(session, scope, i, subject, verdict))
			failed(session, scope, i, verdict);
		if (verdict->action == PR_CONTINUE)
			continue;
		if (verdict->action == PR_REJECT || verdict->action == PR_DEFER)
			refusal(verdict);
		session_count_verdict(session, scope, verdict);
		if (verdict->action != PR_ACCEPT)
			report_filter(session, bench, module_name(session->filters[i].instance), hooks[subject->hook].name,
			    subject->hook == FILTER_BODY ? PR_NONE : subject->text, verdict);
		if (verdict->action == PR_REJECT || verdict->action == PR_DEFER)
			return false;
		if (verdict->action == PR_ACCEPT)
			not_again(session, i, subject->hook);
		policy_remember(session, verdict);
	}
	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	return true;
}

void filters_abort(struct session *session, struct module_scope *scope)
{
	for (size_t i = 0; session->filters != NULL && i < session->receiver->filter_count; i++)
		filter_abort(scope, &session->filters[i]);
}

void filters_close(struct session *session, struct bench *bench)
{
	struct module_scope scope;

	session_scope(session, bench, &scope);
	rules_session_close(&scope);
	if (session->filters == NULL)
		return;
	for (size_t i = 0; i < session->receiver->filter_count; i++) {
		filter_close(&scope, &session->filters[i]);
		module_session_fini(&session->filters[i]);
	}
	pr_free(session->filters);
	session->filters = NULL;
}

static bool is_named(const struct pr_list *names, struct pr_str name)
{
	for (size_t i = 0; i < names->count; i++)
		if (pr_str_equal(names->items[i], name))
			return true;
	return false;
}

uint64_t filters_off(const struct receiver *receiver, const struct config_listener *declared)
{
	uint64_t off = 0;

	if (declared == NULL || !declared->has_filters)
		return 0;
	for (size_t i = 0; i < receiver->filter_count; i++)
		if (!is_named(&declared->filters, module_name(module_at(receiver->modules, PR_KIND_FILTER, i))))
			off |= UINT64_C(1) << i;
	return off;
}
