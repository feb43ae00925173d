/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The dot: everything that may still refuse the message, in sendmail's order, then the store.  From the moment it is handed
 * to the store nothing but the store's word decides the answer.
 */
#include "kernel/session/ask.h"

#include "kernel/session/filters.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"
#include "kernel/session/statistics.h"
#include "kernel/session/transaction.h"

static bool too_many_hops(struct ask *ask, struct transaction *transaction)
{
	int64_t most = ask->session->receiver->options->max_hop_count;

	transaction->hops = header_hops(transaction->fields, transaction->field_count);
	if (most <= 0 || transaction->hops <= (uint64_t)most)
		return false;
	struct pr_str text = pr_arena_printf(&ask->bench->arena, "Too many hops %u (%lld max): from %.*s via %.*s, to %.*s",
	    transaction->hops, (long long)most, PR_PRINT(transaction->sender), PR_PRINT(ask->session->name),
	    PR_PRINT(transaction->parts[0].recipients[0].address));
	ask->answer->verdict =
	    (struct pr_verdict){.action = PR_REJECT, .code = 554, .enhanced = PR_STR("5.4.6"), .text = text};
	return true;
}

/* EightBitMode=strict: who sends eight bits must say so, in MAIL or in the header (RFC 6152 section 3). */
static bool is_unlabelled(struct ask *ask, struct transaction *transaction)
{
	bool strict = ask->session->receiver->options->eight_bit_mode.data[0] == 's';

	if (!strict || !ask->question->eight_bit || pr_str_equal(transaction->body_type, PR_STR("8BITMIME")))
		return false;
	for (size_t i = 0; i < transaction->field_count; i++)
		if (pr_str_equal_nocase(transaction->fields[i].name, PR_STR("MIME-Version")))
			return false;
	ask_refuse(ask, PR_REJECT, 554, "5.6.1", "Eight bit data not allowed");
	return true;
}

/* Everything that may still refuse the message; true when it may be stored. */
static bool may_store(struct ask *ask, struct transaction *transaction)
{
	struct pr_str numbers[2];
	struct pr_list arguments = {numbers, 1};

	if (header_reader_too_large(transaction->reader)) {
		struct pr_str text = pr_arena_printf(&ask->bench->arena, "Headers too large (%lld max)",
		    (long long)ask->session->receiver->options->max_headers_length);
		ask_refuse(ask, PR_REJECT, 552, "5.6.0", text.data);
		return false;
	}
	if (transaction->refusal.action != PR_CONTINUE && !transaction->refused_by_rules) {
		ask->answer->verdict = transaction->refusal;
		return false;
	}
	if (!edits_start(transaction)) {
		ask_refuse(ask, PR_DEFER, 451, "4.3.0", "Too much memory for one message");
		return false;
	}
	if (too_many_hops(ask, transaction) || is_unlabelled(ask, transaction))
		return false;
	numbers[0] = pr_arena_printf(&ask->bench->arena, "%llu", (unsigned long long)transaction->size);
	if (!ask_rules(ask, PR_CHECK_EOM, &arguments)) {
		transaction->refused_by_rules = 1;
		return false;
	}
	if (transaction->refused_by_rules) {
		ask->answer->verdict = transaction->refusal;
		ask->answer->stays = true;
		return false;
	}
	if (ask->session->receiver->filter_count == 0 || transaction->discard)
		return true;
	if (envelope_complete(transaction, ask->scope) != PR_OK)
		return true; /* said again, and answered, when it is completed for the store */
	struct filter_subject subject = {.hook = FILTER_MESSAGE, .envelope = transaction->parts[0].envelope};
	transaction->scope = ask->scope;
	bool accepted = filters_ask(ask->session, ask->bench, ask->scope, &subject, &ask->answer->verdict);
	transaction->scope = NULL;
	if (accepted && transaction->refusal.action != PR_CONTINUE) {
		ask->answer->verdict = transaction->refusal;
		return false;
	}
	return accepted;
}

enum ask_end ask_end(struct ask *ask)
{
	struct transaction *transaction = ask->session->transaction;

	if (transaction == NULL || transaction->reader == NULL) {
		ask_refuse(ask, PR_REJECT, 503, "5.0.0", "Need MAIL command");
		return END_ANSWERED;
	}
	transaction->size = ask->question->size;
	session_count_message(ask->session, ask->scope);
	if (ask->question->eight_bit)
		transaction->flags |= PR_ENVELOPE_EIGHT_BIT;
	if (!transaction->header_done) {
		header_reader_end(transaction->reader);
		ask_header_over(ask, transaction);
	}
	if (!may_store(ask, transaction)) {
		report_nothing(ask->session, ask->bench);
		if (!transaction->refused_by_rules)
			report_rejected(ask->session, ask->bench, "collect", PR_NONE, &ask->answer->verdict);
		return END_ANSWERED;
	}
	if (transaction->discard) {
		struct pr_verdict discard = {.action = PR_DISCARD};
		report_rejected(ask->session, ask->bench, "collect", PR_NONE, &discard);
		ask->answer->id = transaction->parts[0].id;
		return END_ANSWERED;
	}
	if (envelope_complete(transaction, ask->scope) != PR_OK) {
		report_failure(ask->session, "message", ask->scope->reason);
		ask_refuse(ask, PR_DEFER, 451, "4.3.0", "Message cannot be completed; try again later");
		return END_ANSWERED;
	}
	return transaction_commit(transaction, ask->scope) ? END_STORED : END_WAITING;
}
