/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor of the memory store and its life.
 * It says DURABLE as soon as a message is in memory, because that is as durable as anything gets here: whoever chooses it wants speed or
 * a trial and knows that a restart forgets all mail.
 */
#include "memory.h"

#include <string.h>

const struct pr_option memory_options[] = {
	PR_OPTION(struct memory, name, "name", PR_OPTION_STRING, 0, "memory", "instances of one name in one process share a queue"),
	PR_OPTION(struct memory, groups, "groups", PR_OPTION_LIST, 0, "mqueue", "queue groups it knows; the first is for mail that names none"),
	PR_OPTION(struct memory, messages, "messages", PR_OPTION_INT, 0, "100000", "most messages"),
	PR_OPTION(struct memory, size, "size", PR_OPTION_SIZE, 0, "256M", "most memory for bodies and envelopes"),
	PR_OPTION(struct memory, lease, "lease", PR_OPTION_TIME, 0, "0", "a claim that is not renewed for so long is free again; 0: it lasts"),
	PR_OPTION_END
};

enum pr_status memory_check(struct pr_call *call)
{
	struct memory *memory = memory_of(call);

	if (memory->name.len == 0)
		return pr_fail(call, PR_MISUSE, "name must not be empty");
	if (memory->messages < 0)
		return pr_fail(call, PR_MISUSE, "messages must not be negative");
	if (memory->size <= 0)
		return pr_fail(call, PR_MISUSE, "size must be more than 0");
	if (memory->lease < 0 || memory->lease > 86400)
		return pr_fail(call, PR_MISUSE, "lease must be between 0 and 1d");
	if (memory->groups.count == 0)
		return pr_fail(call, PR_MISUSE, "groups must name at least one queue group");
	for (size_t i = 0; i < memory->groups.count; i++)
		if (memory->groups.items[i].len == 0 || memory->groups.items[i].len >= sizeof((struct memory_message *)0)->group)
			return pr_fail(call, PR_MISUSE, "groups: a name has between 1 and 63 bytes");
	return PR_OK;
}

enum pr_status memory_open(struct pr_call *call)
{
	struct memory *memory = memory_of(call);

	memory->queue = memory_queue_join(memory->name);
	return PR_OK;
}

static void set_courier(struct memory *memory, uint32_t role)
{
	bool was = (memory->role & PR_STORE_DELIVERY) != 0, is = (role & PR_STORE_DELIVERY) != 0;

	pthread_mutex_lock(&memory->queue->lock);
	memory->queue->couriers = memory->queue->couriers + is - was;
	pthread_mutex_unlock(&memory->queue->lock);
	memory->role = role;
}

/* A claim lasts no longer than who has it. */
static void drop_claims(const struct memory *memory)
{
	pthread_mutex_lock(&memory->queue->lock);
	for (struct memory_message *message = memory->queue->first; message != NULL; message = message->next)
		if (message->epoch != 0 && message->holder == memory) {
			message->epoch = 0;
			memory_hint(message);
		}
	pthread_mutex_unlock(&memory->queue->lock);
}

void memory_close(struct pr_call *call)
{
	struct memory *memory = memory_of(call);

	if (memory->queue == NULL)
		return;
	drop_claims(memory);
	set_courier(memory, 0);
	memory_queue_leave(memory->queue);
	memory->queue = NULL;
}

enum pr_status memory_role(struct pr_call *call, uint32_t role)
{
	if (role == 0 || (role & ~(PR_STORE_INTAKE | PR_STORE_DELIVERY | PR_STORE_READ)) != 0)
		return pr_fail(call, PR_MISUSE, "role %u is not known", (unsigned int)role);
	set_courier(memory_of(call), role);
	return PR_OK;
}

enum pr_status memory_may(struct pr_call *call, uint32_t wanted, const char *doing)
{
	return (memory_of(call)->role & wanted) != 0 ? PR_OK : pr_fail(call, PR_MISUSE, "this role may not %s", doing);
}

enum pr_status memory_handover(struct pr_call *call)
{
	enum pr_status status = memory_may(call, PR_STORE_DELIVERY, "hand over");

	if (status != PR_OK)
		return status;
	pthread_mutex_lock(&memory_of(call)->queue->lock);
	memory_of(call)->handed_over = 1;
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
	return PR_OK;
}

static struct pr_str why_not(const struct memory *memory)
{
	if (memory->queue->couriers == 0)
		return PR_STR("no courier in this process: store memory needs --single");
	if (memory->queue->count >= (size_t)memory->messages)
		return PR_STR("Insufficient disk space: store memory has as many messages as it may");
	return memory->queue->bytes >= (size_t)memory->size ? PR_STR("Insufficient disk space: store memory is full") : PR_NONE;
}

enum pr_status memory_health(struct pr_call *call, struct pr_store_health *health_out)
{
	const struct memory *memory = memory_of(call);
	struct memory_queue *queue = memory->queue;

	pthread_mutex_lock(&queue->lock);
	struct pr_str text = why_not(memory);
	*health_out = (struct pr_store_health){
		.size = sizeof *health_out,
		.messages = (int64_t)queue->count,
		.bytes_free = memory->size - (int64_t)queue->bytes,
		.files_free = memory->messages - (int64_t)queue->count,
		.can_accept = text.data == NULL,
		.text = text,
	};
	pthread_mutex_unlock(&queue->lock);
	return PR_OK;
}
