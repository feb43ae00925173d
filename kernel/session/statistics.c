/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Atomic additions, and one question to the rules for each message: where would mail to its sender go?  The answer is kept with the
 * transaction, and nothing is asked when nobody counts.
 */
#include "kernel/session/statistics.h"

#include <postrider/address.h>

void session_statistics_open(struct receiver *receiver)
{
	if (receiver->options->status_file.len == 0)
		return;
	receiver->counters = counters_map(receiver->role->statistics);
	statistics_names_of(receiver->config, &receiver->names);
}

/* The null sender is the local one's, as sendmail has it.  Whatever cannot be answered has no row. */
static int find_row(const struct session *session, struct module_scope *scope)
{
	struct pr_str sender = pr_address_inner(session->transaction->sender), reason = scope->reason;
	struct pr_route route = {.size = sizeof route};

	if (sender.len == 0)
		return statistics_number(&session->receiver->names, PR_STR("local"));
	enum pr_status status = rules_resolve(scope, sender, PR_STR(""), &route);
	scope->reason = reason; /* the caller's: this question is not about the message */
	return status == PR_OK ? statistics_number(&session->receiver->names, route.mailer) : STATISTICS_NO_MAILER;
}

static int row_of(struct session *session, struct module_scope *scope)
{
	struct transaction *transaction = session->transaction;

	if (transaction == NULL)
		return STATISTICS_NO_MAILER;
	if (!transaction->row_known)
		transaction->row = (int8_t)find_row(session, scope);
	transaction->row_known = 1;
	return transaction->row;
}

/* sendmail counts the connections that were refused something, not the refusals: who tries a thousand recipients is one. */
static bool is_first(struct session *session, uint32_t action)
{
	struct transaction *transaction = session->transaction;

	if (action == PR_REJECT || action == PR_DEFER) {
		bool first = session->refusal_counted == 0;
		session->refusal_counted = 1;
		return first;
	}
	if (transaction == NULL) /* at connect, once */
		return true;
	bool first = (transaction->verdicts_counted >> action & 1) == 0;
	transaction->verdicts_counted |= (uint8_t)(1u << action);
	return first;
}

void session_count_verdict(struct session *session, struct module_scope *scope, const struct pr_verdict *verdict)
{
	static const enum statistics_kind kinds[] = {[PR_REJECT] = MESSAGES_REJECTED, [PR_DEFER] = MESSAGES_REJECTED,
	                                             [PR_DISCARD] = MESSAGES_DISCARDED, [PR_QUARANTINE] = MESSAGES_QUARANTINED};
	struct statistics_counters *counters = session->receiver->counters;
	bool counts = verdict->action < sizeof kinds / sizeof kinds[0] && kinds[verdict->action] != 0;

	if (counters == NULL || !counts || !is_first(session, verdict->action))
		return;
	counters_message(counters, kinds[verdict->action], row_of(session, scope), 0);
	if (verdict->action != PR_QUARANTINE)
		counters_connection(counters, CONNECTION_REJECTED);
}

void session_count_message(struct session *session, struct module_scope *scope)
{
	struct statistics_counters *counters = session->receiver->counters;

	if (counters != NULL)
		counters_message(counters, MESSAGES_FROM, row_of(session, scope), session->transaction->size);
}
