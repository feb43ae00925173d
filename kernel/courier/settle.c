/* SPDX-License-Identifier: BSD-2-Clause
 *
 * After the deliveries: results into the envelope, notices into the queue, then the message is finished or put back.
 * A notice is safely queued before its recipient leaves the original, so a crash in between makes a second notice and never
 * none; when it cannot be queued, the recipient stays, marked as failed, and the next try sends it.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/mail/dsn.h"
#include "kernel/queue/queue.h"

#include <postrider/address.h>

#define UNSETTLED_SECONDS 5

static bool is_of(const struct job *job, const struct parcel *parcel, const struct group *group)
{
	if (group == NULL)
		return parcel->group == 0;
	return parcel->group == (uint32_t)(group - job->groups) + 1;
}

/* One line, as the queue file holds it. */
static struct pr_str status_line(struct job *job, struct pr_str reply)
{
	struct pr_str copy = pr_arena_copy(&job->arena, reply.len > 0 ? reply : PR_STR(""));

	for (size_t i = 0; i < copy.len; i++) {
		char *byte = (char *)(uintptr_t)&copy.data[i]; /* our own copy */
		if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
			*byte = ' ';
	}
	return copy.len > 900 ? pr_str_slice(copy, 0, 900) : copy;
}

/* As sendmail's M lines say it, and mailq shows: "Deferred: 451 4.2.1 busy". */
static struct pr_str deferred_line(struct job *job, struct pr_str reply)
{
	if (reply.len == 0 || pr_str_has_prefix_nocase(reply, PR_STR("Deferred")))
		return status_line(job, reply);
	return status_line(job, pr_arena_printf(&job->arena, "Deferred: %.*s", PR_PRINT(reply)));
}

static bool is_held(const struct job *job, const struct parcel *parcel)
{
	return parcel->group != 0 && job->groups[parcel->group - 1].held;
}

/* Who waits for a queue run keeps what was said of him before. */
static void note_line(struct job *job, struct parcel *parcel)
{
	if (is_held(job, parcel))
		return;
	if (parcel->status == PR_OK || parcel->status == PR_PERMFAIL)
		parcel->recipient->status = status_line(job, parcel->reply);
	else
		parcel->recipient->status = deferred_line(job, parcel->reply);
}

static void note_result(struct job *job, struct parcel *parcel)
{
	struct pr_recipient *recipient = parcel->recipient;
	struct courier_counters *counters = &job->courier->counters;

	note_line(job, parcel);
	recipient->enhanced = parcel_enhanced(parcel);
	recipient->remote = parcel->remote;
	by_note(job, parcel);
	switch (parcel->status) {
	case PR_OK:
		recipient->state = PR_RECIPIENT_DELIVERED;
		counters->sent++;
		break;
	case PR_PERMFAIL:
		recipient->state = PR_RECIPIENT_FAILED;
		counters->failed++;
		break;
	default:
		recipient->state = PR_RECIPIENT_DEFERRED;
		counters->deferred++;
		break;
	}
}

void job_note_results(struct job *job, struct group *group)
{
	for (size_t i = 0; i < job->parcel_count; i++)
		if (is_of(job, &job->parcels[i], group) && job->parcels[i].status != PR_MISUSE)
			note_result(job, &job->parcels[i]);
}

static size_t count_state(const struct job *job, enum pr_recipient_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < job->envelope->recipient_count; i++)
		count += job->envelope->recipients[i].state == state;
	return count;
}

int64_t job_next_due(const struct job *job)
{
	const struct pr_envelope *envelope = job->envelope;
	int64_t wall = courier_wall();
	struct plan_tried tried = {.created = envelope != NULL ? envelope->created : wall, .last_try = wall,
	                           .tries = envelope != NULL && envelope->tries > 0 ? envelope->tries : 1};

	return plan_retry_due(groups_retry(job->courier, job->entry->group), &tried, wall, courier_now());
}

int64_t job_next_look(const struct job *job)
{
	const struct plan_retry *retry = groups_retry(job->courier, job->entry->group);

	return retry->runs ? plan_retry_run(retry, courier_now() + 1) : job_next_due(job);
}

static bool is_expired(struct job *job, int64_t limit)
{
	const struct pr_envelope *envelope = job->envelope;
	int64_t wall = courier_wall(), age = courier_age(job->courier, envelope->created);
	struct plan_tried tried = {.created = wall - age, .last_try = envelope->last_try, .tries = envelope->tries};

	return plan_is_expired(groups_retry(job->courier, job->entry->group), &tried, limit, wall);
}

static void give_up_on(struct parcel *parcel, struct pr_str enhanced)
{
	struct pr_recipient *recipient = parcel->recipient;

	if (recipient->state != PR_RECIPIENT_DEFERRED && recipient->state != PR_RECIPIENT_WAITING)
		return;
	recipient->state = PR_RECIPIENT_FAILED;
	recipient->enhanced = enhanced;
}

static struct pr_str expired_text(struct job *job, int64_t limit)
{
	if (limit == 0)
		return PR_STR("Message could not be delivered at its first try");
	return pr_arena_printf(&job->arena, "Message could not be delivered for %.*s", PR_PRINT(dsn_interval(&job->arena, limit)));
}

static void give_up_on_old(struct job *job)
{
	int64_t limit = job_return_after(job);
	bool some = false;

	if (by_gives_up(job)) {
		for (size_t i = 0; i < job->parcel_count; i++)
			give_up_on(&job->parcels[i], PR_STR("5.4.7"));
		return;
	}
	if (!is_expired(job, limit))
		return;
	for (size_t i = 0; i < job->parcel_count; i++) {
		struct parcel *parcel = &job->parcels[i];
		if (limit == 0 && is_held(job, parcel))
			continue; /* it was not tried */
		give_up_on(parcel, PR_STR("4.4.7")); /* delivery time expired; what the host said is the diagnostic code */
		some = true;
	}
	if (!some)
		return;
	job->envelope->message = expired_text(job, limit);
	job->expired = limit > 0;
	log_at(7, LOGP_INFO, job->entry->id, "%.*s", PR_PRINT(job->envelope->message));
}

/* FAILED recipients whose notice is queued are done with, and no success to be told of. */
static void drop_failed(struct job *job)
{
	for (size_t i = 0; i < job->envelope->recipient_count; i++) {
		struct pr_recipient *recipient = &job->envelope->recipients[i];

		if (recipient->state != PR_RECIPIENT_FAILED)
			continue;
		recipient->state = PR_RECIPIENT_DELIVERED;
		recipient->flags = (recipient->flags & ~PR_RECIPIENT_NOTIFY_SUCCESS) | PR_RECIPIENT_NOTIFY;
	}
}

/* Of a connection that ended where a reply was due the control file says which way, as sendmail's; log and notices say what it meant. */
static struct pr_str queue_line(struct job *job, struct pr_str status)
{
	struct pr_str reset = PR_STR("Deferred: Connection reset by ");

	if (!pr_str_has_prefix_nocase(status, reset))
		return status;
	return pr_arena_printf(&job->arena, "reply: read error from %.*s", PR_PRINT(pr_str_slice(status, reset.len, status.len)));
}

static void note_reason(struct job *job)
{
	for (size_t i = 0; i < job->envelope->recipient_count; i++) {
		struct pr_recipient *recipient = &job->envelope->recipients[i];

		if (recipient->state != PR_RECIPIENT_DEFERRED || recipient->status.len == 0)
			continue;
		recipient->status = queue_line(job, recipient->status);
		job->envelope->message = recipient->status;
	}
}

static void set_order(struct job *job)
{
	const struct pr_envelope *envelope = job->envelope;
	struct plan_facts facts = {.id = job->claim.id, .priority = envelope->priority, .created = envelope->created,
	                           .last_try = envelope->last_try};

	for (size_t i = 0; i < envelope->recipient_count && facts.recipient.len == 0; i++)
		if (envelope->recipients[i].state != PR_RECIPIENT_DELIVERED)
			facts.recipient = pr_address_inner(envelope->recipients[i].address);
	job->entry->order = courier_order(job->courier, &facts);
}

/* What waits because HoldExpensive wants it to was not tried, as in sendmail: the next run takes it, however young it is. */
static bool was_tried(const struct job *job)
{
	bool some_held = false;

	for (size_t i = 0; i < job->parcel_count; i++) {
		const struct parcel *parcel = &job->parcels[i];

		if (parcel->recipient->state == PR_RECIPIENT_DELIVERED)
			continue;
		if (!is_held(job, parcel))
			return true;
		some_held = true;
	}
	return !some_held;
}

/* Letting go of the claim now would deliver again what was delivered. */
static bool stay(struct job *job, enum job_end end)
{
	struct courier *courier = job->courier;

	lease_goes_on(job);
	words_say(courier, pr_str(job->entry->id), QUEUE_WORD_QUEUED);
	pthread_mutex_lock(&courier->lock);
	bool aside = job->entry->aside; /* what was set aside is still tried where it lies */
	job->unsettled = end;
	unsettled_put(job);
	plan_retry(courier->plan, job->entry, courier_now() + UNSETTLED_SECONDS);
	job->entry->aside = aside;
	pthread_mutex_unlock(&courier->lock);
	return false;
}

/* `what` could not be done.  True: it may be possible in a moment. */
static bool may_pass(const struct job *job, enum pr_status status, const char *what)
{
	bool passing = status == PR_TEMPFAIL;

	if (job->unsettled == JOB_RUNS || !passing)
		log_line(LOGP_ERR, job->entry->id, "cannot %s: %.*s%s", what, PR_PRINT(job->scope.reason),
		         passing ? "; what became of it is kept in memory until that is possible" : "");
	return passing;
}

static void prepare_to_wait(struct job *job)
{
	struct pr_envelope *envelope = job->envelope;

	note_reason(job);
	envelope->tries += was_tried(job);
	envelope->last_try = courier_wall();
	if (job->is_run) /* as in sendmail, where a message grows older by each run that reads it */
		envelope->priority += job->courier->options->retry_factor;
	job_find_group(job);
	set_order(job);
}

static bool put_back(struct job *job)
{
	struct courier *courier = job->courier;

	if (job->unsettled == JOB_RUNS)
		prepare_to_wait(job);
	lease_end(job);
	enum pr_status status = store_defer(&job->scope, &job->claim, job->envelope);
	if (status == PR_OK) {
		unsettled_say_written(job);
	} else {
		if (may_pass(job, status, "put back"))
			return stay(job, JOB_DEFERS);
		store_release(&job->scope, &job->claim);
	}
	courier_index_waits(job);
	words_say(courier, pr_str(job->entry->id), QUEUE_WORD_QUEUED);
	int64_t due = job->envelope->tries > 0 ? job_next_due(job) : job_next_look(job); /* what was only held is not kept back by its age */
	pthread_mutex_lock(&courier->lock);
	if (job->entry->aside && !job->entry->again)
		plan_forget(courier->plan, job->entry);
	else
		plan_retry(courier->plan, job->entry, due);
	pthread_mutex_unlock(&courier->lock);
	return true;
}

static bool finish(struct job *job)
{
	struct courier *courier = job->courier;
	lease_end(job);
	enum pr_status status = store_finish(&job->scope, &job->claim);

	if (status == PR_OK) {
		unsettled_say_written(job);
	} else {
		/* delivered but still in the queue: recorded as such, if that can be done, and removed at the next try */
		bool passing = may_pass(job, status, "remove"), recorded = store_update(&job->scope, &job->claim, job->envelope) == PR_OK;
		if (!recorded && passing)
			return stay(job, JOB_FINISHES);
		if (!recorded)
			log_line(LOGP_ERR, job->entry->id, "cannot record results: %.*s", PR_PRINT(job->scope.reason));
		store_release(&job->scope, &job->claim);
	}
	log_at(11, LOGP_INFO, job->entry->id, "done; delay=%lld, ntries=%lld", (long long)(courier_wall() - job->envelope->created),
	       (long long)job->envelope->tries + 1);
	struct pr_str id = pr_arena_copy(&job->arena, pr_str(job->entry->id));
	if (status != PR_OK)
		courier_index_running(job, false);
	int64_t due = job_next_due(job);
	pthread_mutex_lock(&courier->lock);
	if (status == PR_OK || status == PR_PERMFAIL)
		plan_forget(courier->plan, job->entry);
	else
		plan_retry(courier->plan, job->entry, due);
	pthread_mutex_unlock(&courier->lock);
	/* After the plan: a scan that read it before that has put its row by now, or makes an entry that finds nothing to claim. */
	if (status == PR_OK)
		courier_index_gone(courier, id);
	words_say(courier, id, status == PR_OK ? QUEUE_WORD_DELIVERED : QUEUE_WORD_QUEUED);
	return true;
}

bool job_settle_again(struct job *job)
{
	return job->unsettled == JOB_FINISHES ? finish(job) : put_back(job);
}

bool job_settle(struct job *job)
{
	give_up_on_old(job);
	bool noticed = true;
	if (count_state(job, PR_RECIPIENT_FAILED) > 0) {
		noticed = notice_failure(job) == PR_OK;
		if (noticed)
			drop_failed(job);
		else
			log_line(LOGP_ERR, job->entry->id, "cannot queue a bounce: %.*s", PR_PRINT(job->scope.reason));
	}
	if (notice_success(job) != PR_OK)
		log_line(LOGP_WARNING, job->entry->id, "cannot queue a success notice: %.*s", PR_PRINT(job->scope.reason));
	if (noticed && count_state(job, PR_RECIPIENT_DELIVERED) == job->envelope->recipient_count)
		return finish(job);
	if (notice_delay(job) != PR_OK)
		log_line(LOGP_WARNING, job->entry->id, "cannot queue a warning: %.*s", PR_PRINT(job->scope.reason));
	return put_back(job);
}
