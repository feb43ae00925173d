/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One broken promise each, chosen by the option `wrong`.
 */
#include "tests/modules/debugstore.h"

#include <string.h>

bool debugstore_wrong_parse(struct debugstore *store)
{
	static const char *const words[] = {
		[WRONG_NOTHING] = "nothing", [WRONG_EPOCH] = "epoch", [WRONG_EXCLUSIVE] = "exclusive", [WRONG_ABORT] = "abort",
		[WRONG_BODY] = "body",       [WRONG_TWICE] = "twice", [WRONG_DEFER] = "defer",         [WRONG_SCAN] = "scan",
		[WRONG_ROLE] = "role",       [WRONG_HOLD] = "hold",   [WRONG_EDIT] = "edit",           [WRONG_QUERY] = "query",
	};

	for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal(store->wrong, pr_str(words[i]))) {
			store->breaking = i;
			return true;
		}
	return false;
}

static bool breaks(const struct pr_call *call, enum debugstore_wrong wrong)
{
	return debugstore_of(call)->breaking == (uint32_t)wrong;
}

enum pr_status debugstore_body(struct pr_call *call, void *transaction, const void *data, size_t len)
{
	const char *nul = breaks(call, WRONG_BODY) ? memchr(data, '\0', len) : NULL;

	return memory_body(call, transaction, data, nul == NULL ? len : (size_t)(nul - (const char *)data));
}

static void ignore(void *context, enum pr_commit result, struct pr_str reason)
{
	(void)context;
	(void)result;
	(void)reason;
}

void debugstore_abort(struct pr_call *call, void *transaction)
{
	struct pr_recipient recipient = { .address = PR_STR("<a@b>") };
	struct pr_envelope envelope = { .size = sizeof envelope, .sender = PR_STR("<>"), .recipients = &recipient, .recipient_count = 1 };

	if (breaks(call, WRONG_ABORT))
		memory_commit(call, transaction, &envelope, ignore, NULL);
	else
		memory_abort(call, transaction);
}

/* Ends a claim or a hold behind the back of who relies on it. */
static void loosen(struct pr_call *call, struct pr_str id)
{
	struct memory_queue *queue = memory_of(call)->queue;

	pthread_mutex_lock(&queue->lock);
	struct memory_message *message = memory_find(queue, id);
	if (message != NULL && breaks(call, WRONG_EXCLUSIVE))
		message->epoch = 0;
	if (message != NULL && breaks(call, WRONG_HOLD))
		message->state = PR_ENTRY_READY;
	pthread_mutex_unlock(&queue->lock);
}

enum pr_status debugstore_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	uint32_t role = memory_of(call)->role;

	if (breaks(call, WRONG_ROLE))
		memory_of(call)->role |= PR_STORE_DELIVERY;
	loosen(call, id);
	enum pr_status status = memory_claim(call, id, claim_out);
	memory_of(call)->role = role;
	return status;
}

enum pr_status debugstore_finish(struct pr_call *call, struct pr_claim *claim)
{
	struct memory_queue *queue = memory_of(call)->queue;

	pthread_mutex_lock(&queue->lock);
	struct memory_message *message = memory_find(queue, claim->id);
	if (message != NULL && breaks(call, WRONG_EPOCH))
		claim->epoch = message->epoch;
	pthread_mutex_unlock(&queue->lock);
	return memory_finish(call, claim);
}

enum pr_status debugstore_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	struct pr_envelope *copy = pr_envelope_copy(envelope, call->arena);

	for (size_t i = 0; breaks(call, WRONG_DEFER) && i < copy->recipient_count; i++)
		copy->recipients[i].state = PR_RECIPIENT_WAITING;
	return memory_defer(call, claim, copy);
}

enum pr_status debugstore_remove(struct pr_call *call, struct pr_str id)
{
	struct memory_queue *queue = memory_of(call)->queue;

	pthread_mutex_lock(&queue->lock);
	for (struct memory_cursor *cursor = queue->cursors; breaks(call, WRONG_SCAN) && cursor != NULL; cursor = cursor->next)
		cursor->at = NULL;
	pthread_mutex_unlock(&queue->lock);
	return memory_remove(call, id);
}

enum pr_status debugstore_edit(struct pr_call *call, struct pr_str id, const struct pr_edit *edit)
{
	struct pr_edit half = { .size = sizeof half, .sender = edit->sender, .add = edit->add };

	if (breaks(call, WRONG_EDIT))
		memory_edit(call, id, &half);
	return memory_edit(call, id, edit);
}

enum pr_status debugstore_query(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out)
{
	struct pr_query one = { .size = sizeof one, .sender = query->sender };

	return memory_query(call, breaks(call, WRONG_QUERY) ? &one : query, cursor, entry_out);
}
