/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Claims.  One is found by id and epoch, never through a pointer of the caller's, so a stale one finds nothing.
 */
#include "memory.h"

#include <string.h>

static void begin_claim(struct memory *memory, struct memory_message *message, struct pr_claim *claim)
{
	message->epoch = ++memory->queue->last_epoch;
	message->holder = memory;
	message->expires = memory->lease == 0 ? 0 : memory_now() + memory->lease * 1000;
	claim->epoch = message->epoch;
	claim->lease_ms = memory->lease * 1000;
}

static enum pr_status may_be_claimed(struct pr_call *call, struct memory_message *message, bool aside)
{
	if (memory_of(call)->handed_over != 0)
		return pr_fail(call, PR_TEMPFAIL, "the queue has been handed over");
	if (message == NULL)
		return PR_NOTFOUND;
	if (memory_is_claimed(message))
		return pr_fail(call, PR_TEMPFAIL, "%s is claimed by somebody else", message->id);
	if (aside)
		return message->state == PR_ENTRY_READY ? PR_NOTFOUND : PR_OK;
	return message->state == PR_ENTRY_READY ? PR_OK : pr_fail(call, PR_TEMPFAIL, "%s is held", message->id);
}

static enum pr_status claim_one(struct pr_call *call, struct pr_str id, bool aside, struct pr_claim *claim_out)
{
	struct memory *memory = memory_of(call);
	struct pr_claim claim = { .size = sizeof claim };
	enum pr_status status = memory_may(call, PR_STORE_DELIVERY, "claim a message");
	struct memory_message *message;

	if (status != PR_OK)
		return status;
	pthread_mutex_lock(&memory->queue->lock);
	message = memory_find(memory->queue, id);
	status = may_be_claimed(call, message, aside);
	if (status == PR_OK && (claim.envelope = pr_envelope_copy(message->envelope, call->arena)) == NULL)
		status = pr_fail(call, PR_TEMPFAIL, "the envelope does not fit");
	if (status == PR_OK) {
		claim.id = claim.envelope->id;
		begin_claim(memory, message, &claim);
		*claim_out = claim;
	}
	pthread_mutex_unlock(&memory->queue->lock);
	return status;
}

enum pr_status memory_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	return claim_one(call, id, false, claim_out);
}

enum pr_status memory_claim_aside(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	return claim_one(call, id, true, claim_out);
}

/* The message with the lock held, or NULL without it. */
static struct memory_message *lock_claimed(struct pr_call *call, const struct pr_claim *claim)
{
	struct memory *memory = memory_of(call);
	struct memory_message *message;

	pthread_mutex_lock(&memory->queue->lock);
	message = memory_find(memory->queue, claim->id);
	if (message != NULL && memory_is_claimed(message) && message->epoch == claim->epoch && message->holder == memory)
		return message;
	pthread_mutex_unlock(&memory->queue->lock);
	pr_fail(call, PR_PERMFAIL, "%.*s is not claimed with this epoch", PR_PRINT(claim->id));
	return NULL;
}

enum pr_status memory_renew(struct pr_call *call, struct pr_claim *claim)
{
	struct memory *memory = memory_of(call);
	struct memory_message *message = lock_claimed(call, claim);

	if (message == NULL)
		return PR_PERMFAIL;
	message->expires = memory->lease == 0 ? 0 : memory_now() + memory->lease * 1000;
	claim->lease_ms = memory->lease * 1000;
	pthread_mutex_unlock(&memory->queue->lock);
	return PR_OK;
}

enum pr_status memory_update(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	struct memory_message *message = lock_claimed(call, claim);
	enum pr_status status;

	if (message == NULL)
		return PR_PERMFAIL;
	status = memory_replace(call, message, envelope);
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
	return status;
}

enum pr_status memory_finish(struct pr_call *call, struct pr_claim *claim)
{
	struct memory_message *message = lock_claimed(call, claim);

	if (message == NULL)
		return PR_PERMFAIL;
	memory_unlink(message);
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
	return PR_OK;
}

enum pr_status memory_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope)
{
	struct memory_message *message = lock_claimed(call, claim);
	enum pr_status status;

	if (message == NULL)
		return PR_PERMFAIL;
	status = memory_replace(call, message, envelope);
	if (status == PR_OK)
		message->epoch = 0;
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
	return status;
}

void memory_release(struct pr_call *call, struct pr_claim *claim)
{
	struct memory_message *message = lock_claimed(call, claim);

	if (message == NULL)
		return;
	message->epoch = 0;
	memory_hint(message);
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
}

/* bodies ---------------------------------------------------------------- */

struct reader {
	struct memory_message *message;
	size_t at;
};

/* Without the lock: a body does not change after its commit. */
static enum pr_status read_body(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct reader *reader = body->context;
	size_t left = reader->message->body.len - reader->at;

	(void)call;
	*length_out = left < room ? left : room;
	if (*length_out > 0)
		memcpy(buffer, reader->message->body.data + reader->at, *length_out);
	reader->at += *length_out;
	return PR_OK;
}

static enum pr_status rewind_body(struct pr_body *body, struct pr_call *call)
{
	struct reader *reader = body->context;

	(void)call;
	reader->at = 0;
	return PR_OK;
}

enum pr_status memory_body_open(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out)
{
	struct memory_message *message = lock_claimed(call, claim);
	struct reader *reader;

	if (message == NULL)
		return PR_PERMFAIL;
	message->references++;
	pthread_mutex_unlock(&memory_of(call)->queue->lock);
	reader = pr_alloc(sizeof *reader);
	reader->message = message;
	*body_out = (struct pr_body){ sizeof *body_out, (int64_t)message->body.len, reader, read_body, rewind_body };
	return PR_OK;
}

void memory_body_close(struct pr_call *call, struct pr_body *body)
{
	struct memory_queue *queue = memory_of(call)->queue;
	struct reader *reader = body->context;

	if (reader == NULL)
		return;
	pthread_mutex_lock(&queue->lock);
	memory_unreference(reader->message);
	pthread_mutex_unlock(&queue->lock);
	pr_free(reader);
	body->context = NULL;
}
