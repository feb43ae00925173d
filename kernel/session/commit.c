/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hands the parts to the store and turns the results into the one answer that counts.  The store may answer in any
 * thread and at any time: a counter says who was last, and only then is the session run again.
 */
#include "kernel/session/transaction.h"

#include "kernel/log/log.h"
#include "kernel/queue/queue.h"
#include "kernel/session/filters.h"
#include "kernel/session/report.h"

#include <stdio.h>
#include <string.h>

static void note(struct part *part, enum pr_commit result, struct pr_str reason)
{
	size_t len = reason.len < REASON_MAX - 1 ? reason.len : REASON_MAX - 1;

	part->result = result;
	if (len > 0)
		memcpy(part->reason, reason.data, len);
	part->reason[len] = '\0';
}

/* Called by the store, in any thread, maybe before store_commit() returns. */
static void done(void *context, enum pr_commit result, struct pr_str reason)
{
	struct part *part = context;
	struct session *session = part->transaction->session;

	note(part, result, reason);
	if (atomic_fetch_sub(&part->transaction->outstanding, 1) == 1)
		loop_post(session->receiver->loop, &session->task, LOOP_COMMIT);
}

bool transaction_commit(struct transaction *transaction, struct module_scope *scope)
{
	atomic_store(&transaction->outstanding, (uint32_t)transaction->part_count + 1);
	for (size_t i = 0; i < transaction->part_count; i++) {
		struct part *part = &transaction->parts[i];
		void *store = part->store;
		part->store = NULL; /* the store's, whatever happens now */
		if (part->recipient_count == 0) { /* a filter has removed them all */
			store_abort(scope, store);
			note(part, PR_COMMIT_DURABLE, PR_NONE);
			atomic_fetch_sub(&transaction->outstanding, 1);
			continue;
		}
		if (store_commit(scope, store, part->envelope, done, part) == PR_OK)
			continue;
		note(part, PR_COMMIT_REFUSED, scope->reason);
		atomic_fetch_sub(&transaction->outstanding, 1);
	}
	return atomic_fetch_sub(&transaction->outstanding, 1) == 1;
}

/* The worst of the parts: one of them unknown or refused, and the client must keep the message. */
static const struct part *worst(const struct transaction *transaction)
{
	const struct part *found = &transaction->parts[0];

	for (size_t i = 0; i < transaction->part_count; i++)
		if (transaction->parts[i].result != PR_COMMIT_DURABLE)
			found = &transaction->parts[i];
	return found;
}

/* Stores say it in these words (store.h): sendmail's own. */
static bool is_full(const struct part *part)
{
	return strstr(part->reason, "Insufficient disk space") != NULL;
}

static void answer_failure(const struct part *part, struct smtp_answer *answer)
{
	answer->verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"),
	                                      .text = PR_STR("Message not accepted: queue file error; try again later")};
	if (part->result == PR_COMMIT_REFUSED && is_full(part))
		answer->verdict = (struct pr_verdict){.action = PR_DEFER, .code = 452, .enhanced = PR_STR("4.4.5"),
		                                      .text = PR_STR("Insufficient disk space; try again later")};
}

void transaction_committed(struct session *session, struct bench *bench)
{
	struct transaction *transaction = session->transaction;
	const struct part *part = worst(transaction);
	struct smtp_answer answer = {.verdict = {.action = PR_CONTINUE}};

	if (part->result != PR_COMMIT_DURABLE) {
		log_line(LOGP_ERR, part->id.data, "SYSERR: message is not accepted (%s): %s",
		    part->result == PR_COMMIT_REFUSED ? "refused" : "durability unknown", part->reason);
		answer_failure(part, &answer);
		report_rejected(session, bench, "collect", PR_NONE, &answer.verdict);
	}
	for (size_t i = 0; i < transaction->part_count; i++) {
		if (transaction->parts[i].result != PR_COMMIT_DURABLE || transaction->parts[i].recipient_count == 0)
			continue;
		report_received(session, bench, &transaction->parts[i]);
		if (transaction->quarantine.data == NULL)
			queue_wake_with(session->receiver->role->wake, transaction->parts[i].envelope, session->receiver->options->queue_sort_order);
	}
	answer.id = pr_arena_copy(&bench->arena, part->id);
	if (answer.verdict.action == PR_CONTINUE)
		atomic_fetch_add(&session->receiver->counts.messages, 1);
	transaction_drop(session, bench);
	smtp_machine_answer(session->machine, &answer);
	pr_arena_reset(&bench->arena);
}
