/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Giving messages out: one lock, a list in the order of arrival, an epoch per claim.
 * A body that is being read holds a reference, so it outlives the finish() of its message.
 */
#include "debugstore.h"

#include <string.h>

static struct message **find(struct debugstore *store, struct pr_str id)
{
	struct message **place = &store->messages;

	while (*place != NULL && !pr_str_equal(pr_str((*place)->id), id))
		place = &(*place)->next;
	return place;
}

static void fill_entry(struct pr_call *call, const struct message *message, struct pr_entry *entry)
{
	const struct pr_envelope *envelope = message->envelope;

	*entry = (struct pr_entry){
	    .size = sizeof *entry,
	    .id = pr_arena_copy(call->arena, envelope->id),
	    .queue = PR_STR("memory"),
	    .created = envelope->created,
	    .last_try = envelope->last_try,
	    .tries = envelope->tries,
	    .priority = envelope->priority,
	    .body_size = envelope->body_size,
	    .state = message->held != 0 ? PR_ENTRY_QUARANTINED : message->epoch != 0 ? PR_ENTRY_CLAIMED : PR_ENTRY_READY,
	    .flags = envelope->flags,
	};
}

void debugstore_next_end(struct pr_call *call, void **cursor)
{
	(void)call;
	pr_free(*cursor);
	*cursor = NULL;
}

/* The cursor is the number of the last message shown: what is removed meanwhile does not disturb it. */
enum pr_status debugstore_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out)
{
	struct debugstore *store = call->instance;

	if (!debugstore_may(call, PR_STORE_DELIVERY | PR_STORE_READ, "list the queue"))
		return PR_MISUSE;
	if (*cursor == NULL)
		*cursor = pr_alloc(sizeof(uint64_t));
	uint64_t *last = *cursor;
	const struct message *found = NULL;
	pthread_mutex_lock(&store->lock);
	for (const struct message *message = store->messages; message != NULL; message = message->next)
		if (message->number > *last && (found == NULL || message->number < found->number))
			found = message;
	if (found != NULL) {
		*last = found->number;
		fill_entry(call, found, entry_out);
	}
	pthread_mutex_unlock(&store->lock);
	if (found != NULL)
		return PR_OK;
	debugstore_next_end(call, cursor);
	return PR_NOTFOUND;
}

enum pr_status debugstore_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	struct debugstore *store = call->instance;
	struct pr_envelope *envelope = NULL;

	if (!debugstore_may(call, PR_STORE_DELIVERY | PR_STORE_READ, "look at a message"))
		return PR_MISUSE;
	pthread_mutex_lock(&store->lock);
	const struct message *message = *find(store, id);
	if (message != NULL) {
		envelope = pr_envelope_copy(message->envelope, call->arena);
		fill_entry(call, message, entry_out);
	}
	pthread_mutex_unlock(&store->lock);
	if (message == NULL)
		return PR_NOTFOUND;
	*envelope_out = envelope;
	return envelope != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the envelope does not fit");
}

/* delivering ------------------------------------------------------------ */

enum pr_status debugstore_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	struct debugstore *store = call->instance;
	enum pr_status status = PR_OK;

	if (!debugstore_may(call, PR_STORE_DELIVERY, "claim a message"))
		return PR_MISUSE;
	pthread_mutex_lock(&store->lock);
	struct message *message = *find(store, id);
	if (message == NULL)
		status = PR_NOTFOUND;
	else if (message->epoch != 0 || message->held != 0)
		status = pr_fail(call, PR_TEMPFAIL, message->held != 0 ? "held" : "claimed by somebody else");
	struct pr_envelope *envelope = status == PR_OK ? pr_envelope_copy(message->envelope, call->arena) : NULL;
	if (status == PR_OK && envelope == NULL)
		status = pr_fail(call, PR_TEMPFAIL, "the envelope does not fit");
	if (status == PR_OK) {
		message->epoch = ++store->last_epoch;
		message->references++;
		*claim_out = (struct pr_claim){sizeof *claim_out, envelope->id, message->epoch, message, envelope, 0};
	}
	pthread_mutex_unlock(&store->lock);
	return status;
}

/* The lock is held when the answer is not NULL. */
static struct message *holder(struct pr_call *call, const struct pr_claim *claim)
{
	struct debugstore *store = call->instance;
	struct message *message = claim->context;

	pthread_mutex_lock(&store->lock);
	if (message != NULL && message->epoch == claim->epoch && claim->epoch != 0 && *find(store, claim->id) == message)
		return message;
	pthread_mutex_unlock(&store->lock);
	pr_fail(call, PR_PERMFAIL, "the claim of %.*s is no longer valid", PR_PRINT(claim->id));
	return NULL;
}

/* Ends a claim whose holder() was found. */
static void end_claim(struct debugstore *store, struct pr_claim *claim, struct message *message)
{
	message->epoch = 0;
	claim->epoch = 0;
	claim->context = NULL;
	debugstore_unreference(message);
	pthread_mutex_unlock(&store->lock);
}

static enum pr_status replace_envelope(struct pr_call *call, struct message *message, const struct pr_envelope *envelope)
{
	struct pr_arena fresh;

	pr_arena_init(&fresh, ENVELOPE_MOST);
	struct pr_envelope *copy = pr_envelope_copy(envelope, &fresh);
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

enum pr_status debugstore_renew(struct pr_call *call, struct pr_claim *claim)
{
	struct debugstore *store = call->instance;

	if (holder(call, claim) == NULL)
		return PR_PERMFAIL;
	pthread_mutex_unlock(&store->lock);
	return PR_OK;
}

enum pr_status debugstore_update(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	struct debugstore *store = call->instance;
	struct message *message = holder(call, claim);

	if (message == NULL)
		return PR_PERMFAIL;
	enum pr_status status = replace_envelope(call, message, envelope);
	pthread_mutex_unlock(&store->lock);
	return status;
}

static void unlink_message(struct debugstore *store, struct message **place)
{
	struct message *message = *place;

	*place = message->next;
	store->count--;
	debugstore_unreference(message);
}

enum pr_status debugstore_finish(struct pr_call *call, struct pr_claim *claim)
{
	struct debugstore *store = call->instance;
	struct message *message = holder(call, claim);

	if (message == NULL)
		return PR_PERMFAIL;
	unlink_message(store, find(store, claim->id));
	end_claim(store, claim, message);
	return PR_OK;
}

enum pr_status debugstore_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	struct debugstore *store = call->instance;
	struct message *message = holder(call, claim);

	if (message == NULL)
		return PR_PERMFAIL;
	enum pr_status status = replace_envelope(call, message, envelope);
	end_claim(store, claim, message);
	return status;
}

void debugstore_release(struct pr_call *call, struct pr_claim *claim)
{
	struct message *message = holder(call, claim);

	if (message != NULL)
		end_claim(call->instance, claim, message);
}

struct reader {
	struct message *message;
	size_t at;
};

static enum pr_status body_read(struct pr_body *open, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct reader *reader = open->context;
	struct pr_str left = pr_str_slice(pr_text_str(&reader->message->body), reader->at, SIZE_MAX);

	(void)call;
	*length_out = left.len < room ? left.len : room;
	if (*length_out > 0)
		memcpy(buffer, left.data, *length_out);
	reader->at += *length_out;
	return PR_OK;
}

static enum pr_status body_rewind(struct pr_body *open, struct pr_call *call)
{
	struct reader *reader = open->context;

	(void)call;
	reader->at = 0;
	return PR_OK;
}

enum pr_status debugstore_body_open(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out)
{
	struct debugstore *store = call->instance;
	struct message *message = holder(call, claim);

	if (message == NULL)
		return PR_PERMFAIL;
	message->references++;
	pthread_mutex_unlock(&store->lock);
	struct reader *reader = pr_alloc(sizeof *reader);
	reader->message = message;
	*body_out = (struct pr_body){sizeof *body_out, (int64_t)message->body.len, reader, body_read, body_rewind};
	return PR_OK;
}

void debugstore_body_close(struct pr_call *call, struct pr_body *open)
{
	struct debugstore *store = call->instance;
	struct reader *reader = open->context;

	if (reader == NULL)
		return;
	pthread_mutex_lock(&store->lock);
	debugstore_unreference(reader->message);
	pthread_mutex_unlock(&store->lock);
	pr_free(reader);
	open->context = NULL;
}

/* the operator's hands -------------------------------------------------- */

/* The message, with the lock held; NULL, without, when it is not there or claimed. */
static struct message **grip(struct pr_call *call, struct pr_str id, enum pr_status *status)
{
	struct debugstore *store = call->instance;

	*status = PR_MISUSE;
	if (!debugstore_may(call, PR_STORE_DELIVERY, "change the queue"))
		return NULL;
	pthread_mutex_lock(&store->lock);
	struct message **place = find(store, id);
	if (*place != NULL && (*place)->epoch == 0) {
		*status = PR_OK;
		return place;
	}
	*status = *place == NULL ? PR_NOTFOUND : pr_fail(call, PR_TEMPFAIL, "claimed by somebody");
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* Held with a reason, or not held with PR_NONE. */
static enum pr_status set_held(struct pr_call *call, struct pr_str id, bool held, struct pr_str reason)
{
	struct debugstore *store = call->instance;
	enum pr_status status;
	struct message **place = grip(call, id, &status);

	if (place == NULL)
		return status;
	struct message *message = *place;
	struct pr_envelope changed = *message->envelope;
	changed.quarantine = held && reason.data == NULL ? PR_STR("") : reason;
	status = replace_envelope(call, message, &changed);
	if (status == PR_OK)
		message->held = held;
	pthread_mutex_unlock(&store->lock);
	return status;
}

enum pr_status debugstore_hold(struct pr_call *call, struct pr_str id, struct pr_str reason)
{
	return set_held(call, id, true, reason);
}

enum pr_status debugstore_unhold(struct pr_call *call, struct pr_str id)
{
	return set_held(call, id, false, PR_NONE);
}

enum pr_status debugstore_requeue(struct pr_call *call, struct pr_str id)
{
	struct debugstore *store = call->instance;
	enum pr_status status;
	struct message **place = grip(call, id, &status);

	if (place == NULL)
		return status;
	(*place)->envelope->last_try = 0;
	(*place)->envelope->tries = 0;
	pthread_mutex_unlock(&store->lock);
	return PR_OK;
}

enum pr_status debugstore_remove(struct pr_call *call, struct pr_str id)
{
	struct debugstore *store = call->instance;
	enum pr_status status;
	struct message **place = grip(call, id, &status);

	if (place == NULL)
		return status;
	unlink_message(store, place);
	pthread_mutex_unlock(&store->lock);
	return PR_OK;
}

enum pr_status debugstore_health(struct pr_call *call, struct pr_store_health *health_out)
{
	struct debugstore *store = call->instance;

	pthread_mutex_lock(&store->lock);
	*health_out = (struct pr_store_health){
	    .size = sizeof *health_out,
	    .messages = (int64_t)store->count,
	    .bytes_free = INT64_MAX,
	    .files_free = store->most - (int64_t)store->count,
	    .can_accept = store->count < (uint64_t)store->most,
	    .text = store->count < (uint64_t)store->most ? PR_NONE : PR_STR("the store is full"),
	};
	pthread_mutex_unlock(&store->lock);
	return PR_OK;
}

enum pr_status debugstore_drain(struct pr_call *call)
{
	struct debugstore *store = call->instance;

	pthread_mutex_lock(&store->lock);
	while (store->late > 0)
		pthread_cond_wait(&store->quiet, &store->lock);
	pthread_mutex_unlock(&store->lock);
	return PR_OK;
}
