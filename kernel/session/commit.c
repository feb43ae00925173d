/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hands the parts to the store and turns the results into the one answer that counts.  The store may answer in any
 * thread and at any time: a counter says who was last, and only then is the session run again.  In DeliveryMode i the word of the
 * first delivery comes in between (word.h).
 */
#include "kernel/session/transaction.h"

#include "kernel/log/log.h"
#include "kernel/session/filters.h"
#include "kernel/session/report.h"
#include "kernel/session/word.h"

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
		part->late = store; /* if it says so */
		if (store_commit(scope, store, part->envelope, done, part) == PR_OK)
			continue;
		note(part, PR_COMMIT_REFUSED, scope->reason);
		atomic_fetch_sub(&transaction->outstanding, 1);
	}
	return atomic_fetch_sub(&transaction->outstanding, 1) == 1;
}

/* What was only written is made durable; true when that is done already. */
static bool secure(struct transaction *transaction, struct module_scope *scope)
{
	transaction->stage = TRANSACTION_SECURING;
	atomic_store(&transaction->outstanding, (uint32_t)transaction->part_count + 1);
	for (size_t i = 0; i < transaction->part_count; i++) {
		struct part *part = &transaction->parts[i];
		void *late = part->late;
		part->late = NULL;
		if (late != NULL && store_secure(scope, late, done, part) == PR_OK)
			continue;
		if (late != NULL)
			note(part, PR_COMMIT_UNKNOWN, scope->reason);
		atomic_fetch_sub(&transaction->outstanding, 1);
	}
	return atomic_fetch_sub(&transaction->outstanding, 1) == 1;
}

static bool is_refused(const struct part *part)
{
	return part->result != PR_COMMIT_DURABLE && part->result != PR_COMMIT_WRITTEN;
}

/* The worst of the parts: one of them unknown or refused, and the client must keep the message. */
static const struct part *worst(const struct transaction *transaction)
{
	const struct part *found = &transaction->parts[0];

	for (size_t i = 0; i < transaction->part_count; i++)
		if (is_refused(&transaction->parts[i]))
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

static void end(struct session *session, struct bench *bench, const struct smtp_answer *answer)
{
	if (answer->verdict.action == PR_CONTINUE)
		atomic_fetch_add(&session->receiver->counts.messages, 1);
	transaction_drop(session, bench);
	smtp_machine_answer(session->machine, answer);
	pr_arena_reset(&bench->arena);
}

/* The store has spoken of every part for the last time. */
static void say_result(struct session *session, struct bench *bench)
{
	const struct transaction *transaction = session->transaction;
	const struct part *part = worst(transaction);
	struct smtp_answer answer = {.verdict = {.action = PR_CONTINUE}};

	if (is_refused(part) && part->result == PR_COMMIT_REFUSED && is_full(part)) {
		report_not_written(session, pr_str(part->reason));
	} else if (is_refused(part)) {
		log_line(LOGP_ERR, part->id.data, "SYSERR: message is not accepted (%s): %s",
		    part->result == PR_COMMIT_REFUSED ? "refused" : "durability unknown", part->reason);
	}
	if (is_refused(part)) {
		answer_failure(part, &answer);
		report_rejected(session, bench, "collect", PR_NONE, &answer.verdict);
	}
	answer.id = pr_arena_copy(&bench->arena, part->id);
	end(session, bench, &answer);
}

static bool has_late(const struct transaction *transaction)
{
	for (size_t i = 0; i < transaction->part_count; i++)
		if (transaction->parts[i].late != NULL)
			return true;
	return false;
}

/* Nobody waits for deliveries any more: all that is only written becomes durable.  False: not yet. */
static bool settle(struct session *session, struct bench *bench)
{
	struct transaction *transaction = session->transaction;
	struct module_scope scope;

	session_scope(session, bench, &scope);
	if (has_late(transaction) && !secure(transaction, &scope))
		return false;
	say_result(session, bench);
	return true;
}

/* True: all of it is where it shall be, or on its way there. */
static bool stored(struct session *session, struct bench *bench)
{
	struct transaction *transaction = session->transaction;
	bool refused = is_refused(worst(transaction));

	for (size_t i = 0; i < transaction->part_count; i++) {
		struct part *part = &transaction->parts[i];
		if (part->result != PR_COMMIT_WRITTEN)
			part->late = NULL;
		if (!is_refused(part) && part->recipient_count > 0)
			report_received(session, bench, part);
	}
	if (word_wake(transaction, !refused)) {
		transaction->stage = TRANSACTION_AWAITING;
		pr_arena_reset(&bench->arena);
		return false;
	}
	if (!refused)
		return settle(session, bench);
	say_result(session, bench); /* what is only written was promised to nobody */
	return true;
}

bool transaction_committed(struct session *session, struct bench *bench)
{
	if (session->transaction->stage == TRANSACTION_STORING)
		return stored(session, bench);
	say_result(session, bench);
	return true;
}

static bool delivered(struct session *session, struct bench *bench)
{
	struct transaction *transaction = session->transaction;
	bool whole = transaction->words_delivered == transaction->words_due;

	word_close(transaction);
	if (!whole)
		return settle(session, bench);
	say_result(session, bench);
	return true;
}

bool transaction_goes_on(struct session *session, struct bench *bench, uint32_t events)
{
	if (session->transaction->stage == TRANSACTION_AWAITING)
		return word_is_over(session, events) && delivered(session, bench);
	return (events & LOOP_COMMIT) != 0 && transaction_committed(session, bench);
}
