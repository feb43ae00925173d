/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DATA and the bytes after it.  Header bytes are parsed as they come and kept; body bytes go straight to the store and the
 * filters.  What is refused on the way is remembered and said after the dot, for SMTP has no earlier place.
 */
#include "kernel/session/ask.h"

#include "kernel/session/filters.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"
#include "kernel/session/transaction.h"

/* Asked once a second: what no longer fits within it is refused by the store itself, with the same 452. */
bool ask_room(struct ask *ask)
{
	struct pr_store_health health = {.size = sizeof health, .can_accept = 1};
	struct receiver *receiver = ask->session->receiver;
	int64_t now = session_now();

	if (atomic_load_explicit(&receiver->room_seen, memory_order_relaxed) == now)
		return true;
	enum pr_status status = store_health(ask->scope, &health);
	if (status == PR_OK && health.can_accept != 0) {
		report_room(ask->session);
		atomic_store_explicit(&receiver->room_seen, now, memory_order_relaxed);
		return true;
	}
	report_no_room(ask->session, status == PR_OK ? health.text : ask->scope->reason);
	if (status == PR_OK)
		ask_refuse(ask, PR_DEFER, 452, "4.4.5", "Insufficient disk space; try again later");
	else
		ask_refuse(ask, PR_DEFER, 451, "4.3.0", "Queue is not available; try again later");
	return false;
}

void ask_data(struct ask *ask)
{
	struct session *session = ask->session;
	struct transaction *transaction = session->transaction;
	struct filter_subject subject = {.hook = FILTER_DATA};

	if (transaction == NULL || transaction->expansion == NULL) {
		ask_refuse(ask, PR_REJECT, 503, "5.0.0", "Need RCPT (recipient)");
		return;
	}
	struct pr_str number = pr_arena_printf(&ask->bench->arena, "%llu", (unsigned long long)transaction->recipients);
	struct pr_list arguments = {&number, 1};
	if (!ask_rules(ask, PR_CHECK_DATA, &arguments))
		return;
	if (!filters_ask(session, ask->bench, ask->scope, &subject, &ask->answer->verdict))
		return;
	if (!ask_room(ask))
		return;
	if (parts_begin(transaction, ask->scope) != PR_OK) {
		report_failure(session, "queue", ask->scope->reason);
		ask_refuse(ask, PR_DEFER, 451, "4.3.0", "Queue is not available; try again later");
		return;
	}
	transaction->reader = header_reader_new((size_t)session->receiver->options->max_headers_length);
}

static void store_failed(struct ask *ask, struct transaction *transaction, enum pr_status status)
{
	struct pr_verdict verdict = {.action = PR_DEFER, .code = 452, .enhanced = PR_STR("4.4.5"),
	                             .text = PR_STR("Insufficient disk space; try again later")};

	if (status != PR_TEMPFAIL)
		verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"),
		                              .text = PR_STR("Queue file error; try again later")};
	report_not_written(ask->session, ask->scope->reason);
	parts_abort(transaction, ask->scope);
	transaction_refuse(transaction, &verdict);
}

static void filter_says_no(struct ask *ask, struct transaction *transaction, const struct pr_verdict *verdict)
{
	transaction_refuse(transaction, verdict);
	parts_abort(transaction, ask->scope); /* nothing of it will be needed: give the disk back early */
}

static void body_bytes(struct ask *ask, struct transaction *transaction, struct pr_str data)
{
	struct filter_subject subject = {.hook = FILTER_BODY, .text = data};
	struct pr_verdict verdict;

	if (data.len == 0 || transaction->refusal.action != PR_CONTINUE)
		return;
	if (!transaction->discard) {
		enum pr_status status = parts_body(transaction, ask->scope, data);
		if (status != PR_OK) {
			store_failed(ask, transaction, status);
			return;
		}
	}
	if (!filters_ask(ask->session, ask->bench, ask->scope, &subject, &verdict))
		filter_says_no(ask, transaction, &verdict);
}

/* As rules say no, after the dot; each set is asked whatever the ones before have said, and the last word counts. */
static void rules_say_no(struct ask *ask, struct transaction *transaction, const struct pr_verdict *verdict)
{
	transaction->refusal.action = PR_CONTINUE;
	transaction->refused_by_rules = 1;
	filter_says_no(ask, transaction, verdict);
}

/* The rules' checks of fields and of the whole header, whose size is that of its lines and of the empty one, if there is one. */
static void rules_take_header(struct ask *ask, struct transaction *transaction, const struct pr_header *fields, size_t count)
{
	struct session *session = ask->session;
	struct pr_verdict verdict;
	size_t size = ask->question->ask == SMTP_ASK_BODY;

	if (session->user.data != NULL) /* mail of this host's own users is theirs */
		return;
	for (size_t i = 0; i < count; i++) {
		struct pr_str pair[2] = {fields[i].name, fields[i].value};
		struct pr_list arguments = {pair, 2};
		size += fields[i].name.len + fields[i].value.len + 2;
		verdict = (struct pr_verdict){.action = PR_CONTINUE};
		if (!policy_check(session, ask->bench, ask->scope, PR_CHECK_HEADER, &arguments, &verdict))
			rules_say_no(ask, transaction, &verdict);
	}
	struct pr_str numbers[2] = {pr_arena_printf(&ask->bench->arena, "%zu", count), pr_arena_printf(&ask->bench->arena, "%zu", size)};
	struct pr_list arguments = {numbers, 2};
	verdict = (struct pr_verdict){.action = PR_CONTINUE};
	if (!policy_check(session, ask->bench, ask->scope, PR_CHECK_EOH, &arguments, &verdict))
		rules_say_no(ask, transaction, &verdict);
}

/* The header is complete: the rules and the filters see each field, then its end. */
void ask_header_over(struct ask *ask, struct transaction *transaction)
{
	struct filter_subject end = {.hook = FILTER_EOH};
	struct pr_verdict verdict;
	size_t count = 0;
	const struct pr_header *fields = header_reader_fields(transaction->reader, &count);

	transaction->header_done = 1;
	if (!header_reader_too_large(transaction->reader))
		rules_take_header(ask, transaction, fields, count);
	if (transaction->refusal.action != PR_CONTINUE)
		return;
	if (ask->session->receiver->filter_count > 0 && !header_reader_too_large(transaction->reader)) {
		bool go_on = true;
		for (size_t i = 0; i < count && go_on; i++) {
			struct filter_subject one = {.hook = FILTER_HEADER, .header = &fields[i]};
			go_on = filters_ask(ask->session, ask->bench, ask->scope, &one, &verdict);
		}
		if (!go_on || !filters_ask(ask->session, ask->bench, ask->scope, &end, &verdict))
			filter_says_no(ask, transaction, &verdict);
	}
	body_bytes(ask, transaction, header_reader_rest(transaction->reader));
}

void ask_body(struct ask *ask)
{
	struct transaction *transaction = ask->session->transaction;
	struct pr_str data = ask->question->data;

	if (transaction == NULL || transaction->reader == NULL)
		return;
	if (!transaction->header_done) {
		bool over = false;
		size_t taken = header_reader_input(transaction->reader, data.data, data.len, &over);
		data = pr_str_slice(data, taken, data.len);
		if (over)
			ask_header_over(ask, transaction);
		else
			return;
	}
	body_bytes(ask, transaction, data);
}
