/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking messages in: a transaction is the message itself, which commit puts at the end of the queue.
 * Memory is counted while it comes in, so that a body without end meets the limit before the machine does.
 */
#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FULL "Insufficient disk space: store memory "

/* The group's name as the options have it; PR_NONE when it is not known. */
static struct pr_str find_group(const struct memory *memory, struct pr_str wanted)
{
	for (size_t i = 0; wanted.len > 0 && i < memory->groups.count; i++)
		if (pr_str_equal_nocase(memory->groups.items[i], wanted))
			return memory->groups.items[i];
	return wanted.len == 0 ? memory->groups.items[0] : PR_NONE;
}

static struct memory_message *new_message(struct memory *memory, struct pr_str group)
{
	struct memory_message *message = pr_alloc(sizeof *message);
	struct memory_queue *queue = memory->queue;
	uint64_t number;

	pthread_mutex_lock(&queue->lock);
	number = ++queue->last_number;
	pthread_mutex_unlock(&queue->lock);
	message->references = 1;
	message->home = queue;
	pr_arena_init(&message->arena, MEMORY_ENVELOPE_MOST);
	pr_text_init(&message->body, (size_t)memory->size);
	snprintf(message->group, sizeof message->group, "%.*s", PR_PRINT(group));
	message->queue = pr_str(message->group);
	snprintf(message->id, sizeof message->id, "M%08llX%06llX", (unsigned long long)queue->born & 0xffffffffu, (unsigned long long)number);
	return message;
}

enum pr_status memory_begin_in(struct pr_call *call, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out)
{
	struct memory *memory = memory_of(call);
	enum pr_status status = memory_may(call, PR_STORE_INTAKE, "begin a message");
	struct pr_str group = find_group(memory, intake == NULL ? PR_NONE : intake->queue);
	struct memory_message *message;

	if (status != PR_OK)
		return status;
	if (group.data == NULL)
		return pr_fail(call, PR_NOTFOUND, "no queue group %.*s", PR_PRINT(intake->queue));
	if (intake != NULL && intake->expected > memory->size)
		return pr_fail(call, PR_TEMPFAIL, FULL "never has room for %lld bytes", (long long)intake->expected);
	message = new_message(memory, group);
	*transaction_out = message;
	*id_out = pr_arena_copy(call->arena, pr_str(message->id));
	return PR_OK;
}

enum pr_status memory_begin(struct pr_call *call, void **transaction_out, struct pr_str *id_out)
{
	return memory_begin_in(call, NULL, transaction_out, id_out);
}

/* Counts so many bytes more for the message; false when they are too many. */
static bool charge(struct memory *memory, struct memory_message *message, size_t len)
{
	struct memory_queue *queue = memory->queue;
	bool fits;

	pthread_mutex_lock(&queue->lock);
	fits = queue->bytes <= (size_t)memory->size && len <= (size_t)memory->size - queue->bytes;
	if (fits) {
		queue->bytes += len;
		message->charged += len;
	}
	pthread_mutex_unlock(&queue->lock);
	return fits;
}

enum pr_status memory_body(struct pr_call *call, void *transaction, const void *data, size_t len)
{
	struct memory_message *message = transaction;

	if (charge(memory_of(call), message, len) && pr_text_add(&message->body, data, len))
		return PR_OK;
	return pr_fail(call, PR_TEMPFAIL, FULL "has no room for the body");
}

void memory_abort(struct pr_call *call, void *transaction)
{
	struct memory_message *message = transaction;
	struct memory_queue *queue = memory_of(call)->queue;

	pthread_mutex_lock(&queue->lock);
	memory_unreference(message);
	pthread_mutex_unlock(&queue->lock);
}

/* What an envelope takes, roughly: what its texts and tables have. */
static size_t weight(const struct pr_envelope *envelope)
{
	size_t bytes = sizeof *envelope + sizeof(struct memory_message);

	for (size_t i = 0; i < envelope->header_count; i++)
		bytes += sizeof envelope->headers[i] + envelope->headers[i].name.len + envelope->headers[i].value.len;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		bytes += sizeof envelope->recipients[i] + envelope->recipients[i].address.len + envelope->recipients[i].original.len;
	for (size_t i = 0; i < envelope->macro_count; i++)
		bytes += sizeof envelope->macros[i] + envelope->macros[i].name.len + envelope->macros[i].value.len;
	return bytes;
}

/* Puts it at the end; PR_TEMPFAIL when there is no place or nobody who would ever deliver it. */
static enum pr_status insert(struct pr_call *call, struct memory_message *message)
{
	struct memory *memory = memory_of(call);
	struct memory_queue *queue = memory->queue;
	enum pr_status status = PR_OK;

	pthread_mutex_lock(&queue->lock);
	if (queue->couriers == 0)
		status = pr_fail(call, PR_TEMPFAIL, "no courier in this process: store memory needs --single");
	else if (queue->count >= (size_t)memory->messages)
		status = pr_fail(call, PR_TEMPFAIL, FULL "has %lld messages, as many as it may", (long long)memory->messages);
	else
		memory_append(queue, message);
	if (status == PR_OK && message->state == PR_ENTRY_READY)
		memory_hint(message);
	pthread_mutex_unlock(&queue->lock);
	return status;
}

enum pr_status memory_commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope, pr_commit_done *done,
                             void *context)
{
	struct memory_message *message = transaction;
	enum pr_status status = charge(memory_of(call), message, weight(envelope)) ? PR_OK : PR_TEMPFAIL;

	if (status != PR_OK)
		pr_fail(call, status, FULL "has no room for the envelope");
	else
		status = memory_replace(call, message, envelope);
	if (status == PR_OK) {
		if (message->envelope->created == 0)
			message->envelope->created = time(NULL);
		message->state = envelope->quarantine.data != NULL ? PR_ENTRY_QUARANTINED : PR_ENTRY_READY;
		status = insert(call, message);
	}
	if (status != PR_OK) {
		memory_abort(call, message);
		return status;
	}
	done(context, PR_COMMIT_DURABLE, PR_NONE);
	return PR_OK;
}

/* The hints this instance has not seen, in the call's arena. */
static enum pr_status take_hints(struct pr_call *call, struct pr_list *ids_out)
{
	struct memory *memory = memory_of(call);
	struct memory_queue *queue = memory->queue;
	uint64_t from = memory->hints_seen;
	struct pr_str *ids;
	size_t count = 0;

	if (queue->hinted - from > MEMORY_HINTS)
		from = queue->hinted - MEMORY_HINTS;
	ids = pr_arena_alloc(call->arena, (size_t)(queue->hinted - from) * sizeof *ids);
	if (ids == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the ids");
	for (; from < queue->hinted; from++)
		ids[count++] = pr_arena_copy(call->arena, pr_str(queue->hints[from % MEMORY_HINTS]));
	memory->hints_seen = queue->hinted;
	*ids_out = (struct pr_list){ ids, count };
	return PR_OK;
}

enum pr_status memory_wait_ready(struct pr_call *call, struct pr_list *ids_out)
{
	struct memory *memory = memory_of(call);
	struct memory_queue *queue = memory->queue;
	int64_t until = memory_now() + pr_call_remaining(call, INT64_C(3600000));
	struct timespec moment = { .tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000 * 1000000) };
	enum pr_status status = memory_may(call, PR_STORE_DELIVERY, "wait for messages");
	int error = 0;

	if (status != PR_OK)
		return status;
	pthread_mutex_lock(&queue->lock);
	while (queue->hinted == memory->hints_seen && error == 0)
		error = pthread_cond_timedwait(&queue->ready, &queue->lock, &moment);
	status = queue->hinted == memory->hints_seen ? PR_NOTFOUND : take_hints(call, ids_out);
	pthread_mutex_unlock(&queue->lock);
	return status;
}
