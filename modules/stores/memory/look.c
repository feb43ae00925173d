/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking at the queue: entries, cursors and queries.
 * A cursor is known to its queue, so that a message which is removed moves it on; a scan costs nothing per step.
 */
#include "memory.h"

#include <string.h>

static bool is_open(const struct pr_recipient *recipient)
{
	return recipient->state == PR_RECIPIENT_WAITING || recipient->state == PR_RECIPIENT_DEFERRED;
}

static void fill_entry(struct pr_call *call, struct memory_message *message, struct pr_entry *entry)
{
	const struct pr_envelope *envelope = message->envelope;

	*entry = (struct pr_entry){
		.size = sizeof *entry,
		.id = pr_arena_copy(call->arena, envelope->id),
		.queue = pr_arena_copy(call->arena, message->queue),
		.created = envelope->created,
		.last_try = envelope->last_try,
		.tries = envelope->tries,
		.priority = envelope->priority,
		.body_size = envelope->body_size,
		.state = memory_is_claimed(message) ? PR_ENTRY_CLAIMED : message->state,
		.flags = envelope->flags,
		.sender = pr_arena_copy(call->arena, envelope->sender),
		.message = pr_arena_copy(call->arena, envelope->message),
	};
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (is_open(&envelope->recipients[i]) && entry->recipients++ == 0)
			entry->recipient = pr_arena_copy(call->arena, envelope->recipients[i].address);
}

/* queries --------------------------------------------------------------- */

static bool contains(struct pr_str text, struct pr_str wanted)
{
	if (wanted.data == NULL)
		return true;
	for (size_t i = 0; i + wanted.len <= text.len; i++)
		if (pr_str_equal_nocase(pr_str_slice(text, i, i + wanted.len), wanted))
			return true;
	return false;
}

static bool has_domain(struct pr_str address, struct pr_str wanted)
{
	size_t at = pr_str_find_last(address, '@'), end = address.len;

	if (wanted.data == NULL)
		return true;
	if (end > 0 && address.data[end - 1] == '>')
		end--;
	return at < address.len && pr_str_equal_nocase(pr_str_slice(address, at + 1, end), wanted);
}

/* One recipient must meet all that is said of recipients. */
static bool has_recipient(const struct pr_envelope *envelope, const struct pr_query *query)
{
	if (query->recipient.data == NULL && query->domain.data == NULL)
		return true;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (is_open(&envelope->recipients[i]) && contains(envelope->recipients[i].address, query->recipient) &&
		    has_domain(envelope->recipients[i].address, query->domain))
			return true;
	return false;
}

static bool has_reason(const struct pr_envelope *envelope, struct pr_str wanted)
{
	if (contains(envelope->message, wanted) || contains(envelope->quarantine, wanted))
		return true;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (is_open(&envelope->recipients[i]) && contains(envelope->recipients[i].status, wanted))
			return true;
	return false;
}

static bool is_between(int64_t value, int64_t least, int64_t most)
{
	return (least == 0 || value >= least) && (most == 0 || value <= most);
}

static bool matches(struct memory_message *message, const struct pr_query *query)
{
	const struct pr_envelope *envelope = message->envelope;
	uint32_t state = memory_is_claimed(message) ? PR_ENTRY_CLAIMED : message->state;

	return (query->queue.data == NULL || pr_str_equal_nocase(message->queue, query->queue)) && contains(envelope->id, query->id) &&
	       contains(envelope->sender, query->sender) && has_recipient(envelope, query) && has_reason(envelope, query->reason) &&
	       is_between(envelope->created, query->created_from, query->created_before == 0 ? 0 : query->created_before - 1) &&
	       is_between(envelope->body_size, query->size_from, query->size_to) &&
	       (query->states == 0 || (query->states & 1u << state) != 0);
}

/* cursors --------------------------------------------------------------- */

static struct memory_cursor *new_cursor(struct memory_queue *queue)
{
	struct memory_cursor *cursor = pr_alloc(sizeof *cursor);

	cursor->at = queue->first;
	cursor->next = queue->cursors;
	queue->cursors = cursor;
	return cursor;
}

static void free_cursor(struct memory_queue *queue, void **cursor)
{
	struct memory_cursor **at = &queue->cursors;

	while (*at != *cursor)
		at = &(*at)->next;
	*at = (*at)->next;
	pr_free(*cursor);
	*cursor = NULL;
}

void memory_next_end(struct pr_call *call, void **cursor)
{
	struct memory_queue *queue = memory_of(call)->queue;

	if (*cursor == NULL)
		return;
	pthread_mutex_lock(&queue->lock);
	free_cursor(queue, cursor);
	pthread_mutex_unlock(&queue->lock);
}

enum pr_status memory_query(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out)
{
	struct memory_queue *queue = memory_of(call)->queue;
	enum pr_status status = memory_may(call, PR_STORE_DELIVERY | PR_STORE_READ, "list the queue");
	struct memory_message *message;

	if (status != PR_OK)
		return status;
	pthread_mutex_lock(&queue->lock);
	struct memory_cursor *place = *cursor == NULL ? new_cursor(queue) : *cursor;
	*cursor = place;
	for (message = place->at; message != NULL && query != NULL && !matches(message, query);)
		message = message->next;
	if (message != NULL) {
		fill_entry(call, message, entry_out);
		place->at = message->next;
	} else {
		free_cursor(queue, cursor);
		status = PR_NOTFOUND;
	}
	pthread_mutex_unlock(&queue->lock);
	return status;
}

enum pr_status memory_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out)
{
	return memory_query(call, NULL, cursor, entry_out);
}

enum pr_status memory_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	struct memory_queue *queue = memory_of(call)->queue;
	enum pr_status status = memory_may(call, PR_STORE_DELIVERY | PR_STORE_READ, "look at a message");
	struct pr_envelope *envelope = NULL;
	struct memory_message *message;

	if (status != PR_OK)
		return status;
	pthread_mutex_lock(&queue->lock);
	message = memory_find(queue, id);
	if (message != NULL) {
		envelope = pr_envelope_copy(message->envelope, call->arena);
		fill_entry(call, message, entry_out);
	}
	pthread_mutex_unlock(&queue->lock);
	if (message == NULL)
		return PR_NOTFOUND;
	if (envelope == NULL)
		return pr_fail(call, PR_TEMPFAIL, "the envelope does not fit");
	*envelope_out = envelope;
	return PR_OK;
}
