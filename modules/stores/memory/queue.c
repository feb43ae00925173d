/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queues of this process, one for each name: a list in the order of arrival with a hash table beside it.
 * The table of queues is the one thing here that is the process's and not an instance's: with --single the two instances that
 * must meet know nothing of each other but the name.
 */
#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t queues_lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory_queue *queues;

int64_t memory_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct memory_queue *new_queue(struct pr_str name)
{
	struct memory_queue *queue = pr_alloc(sizeof *queue);
	pthread_condattr_t monotonic;

	queue->name = pr_copy_str(name);
	queue->born = time(NULL);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->ready, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return queue;
}

struct memory_queue *memory_queue_join(struct pr_str name)
{
	struct memory_queue *queue;

	pthread_mutex_lock(&queues_lock);
	for (queue = queues; queue != NULL && !pr_str_equal(pr_str(queue->name), name);)
		queue = queue->next;
	if (queue == NULL) {
		queue = new_queue(name);
		queue->next = queues;
		queues = queue;
	}
	queue->references++;
	pthread_mutex_unlock(&queues_lock);
	return queue;
}

static void free_queue(struct memory_queue *queue)
{
	while (queue->first != NULL)
		memory_unlink(queue->first);
	pthread_cond_destroy(&queue->ready);
	pthread_mutex_destroy(&queue->lock);
	pr_free(queue->name);
	pr_free(queue);
}

void memory_queue_leave(struct memory_queue *queue)
{
	struct memory_queue **at = &queues;

	pthread_mutex_lock(&queues_lock);
	if (--queue->references == 0) {
		while (*at != queue)
			at = &(*at)->next;
		*at = queue->next;
		free_queue(queue);
	}
	pthread_mutex_unlock(&queues_lock);
}

static struct memory_message **bucket_of(struct memory_queue *queue, struct pr_str id)
{
	return &queue->buckets[pr_str_hash_nocase(id) % MEMORY_BUCKETS];
}

struct memory_message *memory_find(struct memory_queue *queue, struct pr_str id)
{
	struct memory_message *message = *bucket_of(queue, id);

	while (message != NULL && !pr_str_equal(pr_str(message->id), id))
		message = message->beside;
	return message;
}

void memory_append(struct memory_queue *queue, struct memory_message *message)
{
	struct memory_message **bucket = bucket_of(queue, pr_str(message->id));

	message->beside = *bucket;
	*bucket = message;
	message->previous = queue->last;
	if (queue->last == NULL)
		queue->first = message;
	else
		queue->last->next = message;
	queue->last = message;
	queue->count++;
}

void memory_unlink(struct memory_message *message)
{
	struct memory_queue *queue = message->home;
	struct memory_message **at = bucket_of(queue, pr_str(message->id));

	for (struct memory_cursor *cursor = queue->cursors; cursor != NULL; cursor = cursor->next)
		if (cursor->at == message)
			cursor->at = message->next;
	while (*at != message)
		at = &(*at)->beside;
	*at = message->beside;
	*(message->previous == NULL ? &queue->first : &message->previous->next) = message->next;
	*(message->next == NULL ? &queue->last : &message->next->previous) = message->previous;
	queue->count--;
	memory_unreference(message);
}

void memory_unreference(struct memory_message *message)
{
	if (--message->references > 0)
		return;
	message->home->bytes -= message->charged;
	pr_arena_fini(&message->arena);
	pr_text_fini(&message->body);
	pr_free(message);
}

void memory_hint(struct memory_message *message)
{
	struct memory_queue *queue = message->home;

	memcpy(queue->hints[queue->hinted++ % MEMORY_HINTS], message->id, sizeof message->id);
	pthread_cond_broadcast(&queue->ready);
}

bool memory_is_claimed(struct memory_message *message)
{
	if (message->epoch != 0 && message->expires != 0 && memory_now() >= message->expires)
		message->epoch = 0;
	return message->epoch != 0;
}

enum pr_status memory_replace(struct pr_call *call, struct memory_message *message, const struct pr_envelope *envelope)
{
	struct pr_arena fresh;
	struct pr_envelope *copy;

	if (!memory_is_sane(envelope))
		return pr_fail(call, PR_PERMFAIL, "no recipient, an empty address, or a line end or NUL in the envelope");
	pr_arena_init(&fresh, MEMORY_ENVELOPE_MOST);
	copy = pr_envelope_copy(envelope, &fresh);
	if (copy == NULL) {
		pr_arena_fini(&fresh);
		return pr_fail(call, PR_TEMPFAIL, "the envelope is too long for memory");
	}
	pr_arena_fini(&message->arena);
	message->arena = fresh;
	message->envelope = copy;
	copy->id = pr_str(message->id);
	copy->body_size = (int64_t)message->body.len;
	return PR_OK;
}
