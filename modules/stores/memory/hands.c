/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's hands.  Each takes the message like a courier does, so it never works on one that is being delivered.
 */
#include "memory.h"

#include <string.h>

/* The message with the lock held; NULL without it and with the reason in *status. */
static struct memory_message *grip(struct pr_call *call, struct pr_str id, enum pr_status *status)
{
	struct memory_queue *queue = memory_of(call)->queue;
	struct memory_message *message;

	*status = memory_may(call, PR_STORE_DELIVERY, "change the queue");
	if (*status != PR_OK)
		return NULL;
	pthread_mutex_lock(&queue->lock);
	message = memory_find(queue, id);
	if (message != NULL && !memory_is_claimed(message))
		return message;
	*status = message == NULL ? PR_NOTFOUND : pr_fail(call, PR_TEMPFAIL, "%s is being delivered right now", message->id);
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

static enum pr_status let_go(struct pr_call *call, enum pr_status status)
{
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
	return status;
}

static enum pr_status set_state(struct pr_call *call, struct pr_str id, uint32_t state, struct pr_str reason)
{
	enum pr_status status;
	struct memory_message *message = grip(call, id, &status);
	struct pr_envelope changed;

	if (message == NULL)
		return status;
	changed = *message->envelope;
	changed.quarantine = state != PR_ENTRY_READY && reason.data == NULL ? PR_STR("") : reason;
	status = memory_replace(call, message, &changed);
	if (status == PR_OK)
		message->state = state;
	if (status == PR_OK && state == PR_ENTRY_READY)
		memory_hint(message);
	return let_go(call, status);
}

enum pr_status memory_hold(struct pr_call *call, struct pr_str id, struct pr_str reason)
{
	return set_state(call, id, PR_ENTRY_HELD, reason);
}

enum pr_status memory_quarantine(struct pr_call *call, struct pr_str id, struct pr_str reason)
{
	return set_state(call, id, PR_ENTRY_QUARANTINED, reason);
}

enum pr_status memory_unhold(struct pr_call *call, struct pr_str id)
{
	return set_state(call, id, PR_ENTRY_READY, PR_NONE);
}

enum pr_status memory_requeue(struct pr_call *call, struct pr_str id)
{
	enum pr_status status;
	struct memory_message *message = grip(call, id, &status);

	if (message == NULL)
		return status;
	message->envelope->last_try = 0;
	message->envelope->tries = 0;
	memory_hint(message);
	return let_go(call, PR_OK);
}

enum pr_status memory_remove(struct pr_call *call, struct pr_str id)
{
	enum pr_status status;
	struct memory_message *message = grip(call, id, &status);

	if (message == NULL)
		return status;
	memory_unlink(message);
	return let_go(call, PR_OK);
}

/* edit ------------------------------------------------------------------ */

static size_t index_of(const struct pr_recipient *recipients, size_t count, struct pr_str address)
{
	size_t i = 0;

	while (i < count && !pr_str_equal(recipients[i].address, address))
		i++;
	return i;
}

static enum pr_status remove_recipients(struct pr_call *call, struct pr_envelope *envelope, const struct pr_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t at = index_of(envelope->recipients, envelope->recipient_count, list->items[i]);

		if (at == envelope->recipient_count)
			return pr_fail(call, PR_NOTFOUND, "%.*s is no recipient of %.*s", PR_PRINT(list->items[i]), PR_PRINT(envelope->id));
		memmove(&envelope->recipients[at], &envelope->recipients[at + 1],
		        (envelope->recipient_count - at - 1) * sizeof *envelope->recipients);
		envelope->recipient_count--;
	}
	return PR_OK;
}

/* One that is there already does not get the message twice. */
static void add_recipients(struct pr_envelope *envelope, const struct pr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (index_of(envelope->recipients, envelope->recipient_count, list->items[i]) == envelope->recipient_count)
			envelope->recipients[envelope->recipient_count++] =
			    (struct pr_recipient){ .address = list->items[i], .flags = PR_RECIPIENT_PRIMARY };
}

static enum pr_status apply(struct pr_call *call, struct memory_message *message, const struct pr_edit *edit)
{
	struct pr_envelope changed = *message->envelope;
	enum pr_status status;

	changed.recipients = pr_arena_alloc(call->arena, (changed.recipient_count + edit->add.count) * sizeof *changed.recipients);
	if (changed.recipients == NULL)
		return pr_fail(call, PR_TEMPFAIL, "the envelope does not fit");
	memcpy(changed.recipients, message->envelope->recipients, changed.recipient_count * sizeof *changed.recipients);
	if (edit->sender.data != NULL)
		changed.sender = edit->sender;
	status = remove_recipients(call, &changed, &edit->remove);
	if (status != PR_OK)
		return status;
	add_recipients(&changed, &edit->add);
	if (changed.recipient_count == 0)
		return pr_fail(call, PR_MISUSE, "no recipient would be left: remove the message instead");
	return memory_replace(call, message, &changed);
}

enum pr_status memory_edit(struct pr_call *call, struct pr_str id, const struct pr_edit *edit)
{
	enum pr_status status;
	struct memory_message *message = grip(call, id, &status);

	if (message == NULL)
		return status;
	status = apply(call, message, edit);
	if (status == PR_OK)
		memory_hint(message);
	return let_go(call, status);
}
