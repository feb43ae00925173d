/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Birth and death of a transaction.  All its memory is one arena and one expansion, so forgetting it is two calls.
 */
#include "kernel/session/transaction.h"

#include "kernel/session/filters.h"
#include "kernel/session/introduce.h"
#include "kernel/session/word.h"

#define ARENA_MAX (64u * 1024 * 1024)

struct transaction *transaction_new(struct session *session)
{
	struct transaction *transaction = pr_alloc(sizeof *transaction);

	transaction->session = session;
	transaction->since = session_now();
	transaction->word_fd = -1;
	pr_arena_init(&transaction->arena, ARENA_MAX);
	return transaction;
}

void transaction_drop(struct session *session, struct bench *bench)
{
	struct transaction *transaction = session->transaction;
	struct module_scope scope;

	if (transaction == NULL)
		return;
	session_scope(session, bench, &scope);
	parts_abort(transaction, &scope);
	parts_forget(transaction, &scope);
	word_close(transaction);
	rules_transaction_close(&scope);
	session->transaction = NULL;
	atomic_fetch_sub_explicit(&session->receiver->open, 1, memory_order_relaxed);
	forwarded_forget(session);
	header_reader_free(transaction->reader);
	expansion_free(transaction->expansion);
	pr_arena_fini(&transaction->arena);
	pr_free(transaction);
}

void transaction_refuse(struct transaction *transaction, const struct pr_verdict *verdict)
{
	if (transaction->refusal.action != PR_CONTINUE)
		return;
	transaction->refusal = *verdict;
	transaction->refusal.enhanced = pr_arena_copy(&transaction->arena, verdict->enhanced);
	transaction->refusal.text = pr_arena_copy(&transaction->arena, verdict->text);
}

const char *transaction_log_id(const struct session *session)
{
	const struct transaction *transaction = session->transaction;

	return transaction != NULL && transaction->part_count > 0 ? transaction->parts[0].id.data : "NOQUEUE";
}
