/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One message from claim to end.  When a destination of it is full, the claimed job stands in line there and the thread
 * goes on with another message; whoever makes room takes it up again where it stopped.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/queue/queue.h"

#define BUSY_SECONDS 60 /* longest wait for somebody else's claim */
#define BUSY_TRIES 6    /* after 1, 2, 4, 8, 16 and 32 seconds */

struct job *job_new(struct courier *courier)
{
	struct job *job = pr_alloc(sizeof *job);

	job->courier = courier;
	pr_arena_init(&job->arena, JOB_ARENA_MAX);
	return job;
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	pr_arena_fini(&job->arena);
	pr_free(job);
}

static void job_reset(struct job *job)
{
	struct pr_arena arena = job->arena;
	struct courier *courier = job->courier;

	pr_arena_reset(&arena);
	*job = (struct job){.courier = courier, .arena = arena};
}

void job_adopt(struct job *job, struct worker *worker)
{
	module_scope_init(&job->scope, worker->thread, &job->arena);
	job->scope.macro = courier_macro;
	job->scope.macro_context = job;
}

void job_release(struct job *job)
{
	lease_end(job);
	courier_index_running(job, false);
	store_release(&job->scope, &job->claim);
}

/* Somebody else's claim is looked at again: soon at first, he may be about to hand over.  After a minute it is said aloud: a queue that cannot be
 * read looks the same. */
static int64_t busy_delay(struct plan_entry *entry, struct pr_str reason)
{
	bool still = entry->busy < BUSY_TRIES;
	int64_t delay = still ? (int64_t)1 << entry->busy : BUSY_SECONDS;

	entry->busy += still;
	if (still && entry->busy == BUSY_TRIES)
		log_line(LOGP_NOTICE, entry->id, "cannot be taken for a minute now: %.*s", PR_PRINT(reason));
	else
		log_at(19, LOGP_DEBUG, entry->id, "locked: %.*s", PR_PRINT(reason));
	return delay;
}

static void entry_retry(struct courier *courier, struct plan_entry *entry, int64_t due)
{
	pthread_mutex_lock(&courier->lock);
	plan_retry(courier->plan, entry, due);
	pthread_mutex_unlock(&courier->lock);
}

static void entry_forget(struct courier *courier, struct plan_entry *entry)
{
	pthread_mutex_lock(&courier->lock);
	plan_forget(courier->plan, entry);
	pthread_mutex_unlock(&courier->lock);
}

/* -qQ and -qL try what is set aside where it lies; what was released meanwhile is like any other. */
static enum pr_status claim_where_it_is(struct job *job, struct plan_entry *entry)
{
	if (job->turn.aside) {
		enum pr_status status = store_claim_aside(&job->scope, pr_str(entry->id), &job->claim);
		if (status != PR_NOTFOUND)
			return status;
		pthread_mutex_lock(&job->courier->lock);
		entry->aside = false;
		pthread_mutex_unlock(&job->courier->lock);
		job->turn.aside = false;
	}
	return store_claim(&job->scope, pr_str(entry->id), &job->claim);
}

static void stay_aside(struct job *job, struct plan_entry *entry)
{
	log_line(LOGP_WARNING, entry->id, "stays set aside: %.*s", PR_PRINT(job->scope.reason));
	entry_forget(job->courier, entry);
}

/* Above QueueLA a message is only queued: the next run of its kind looks again. */
static void wait_for_load(struct job *job, struct plan_entry *entry)
{
	verbose_skipped(job, entry);
	log_at(9, LOGP_INFO, entry->id, "stat=queued: load average too high, pri=%lld", (long long)job->claim.envelope->priority);
	job->entry = entry;
	job->envelope = job->claim.envelope;
	job_find_group(job);
	int64_t due = job_next_look(job);
	store_release(&job->scope, &job->claim);
	words_say(job->courier, pr_str(entry->id), QUEUE_WORD_QUEUED);
	if (job->turn.aside)
		entry_forget(job->courier, entry);
	else
		entry_retry(job->courier, entry, due);
	job->entry = NULL;
}

/* Submitted with -odq: nobody tries it before a queue run, however we heard of it. */
static bool waits_for_run(const struct job *job)
{
	struct pr_str mode = pr_envelope_macro(job->envelope, PR_STR("deliveryMode"));

	return !job->is_run && (pr_str_equal(mode, PR_STR("q")) || pr_str_equal(mode, PR_STR("d")));
}

/* Claimed in vain. */
static void job_leave(struct job *job)
{
	job_release(job);
	words_say(job->courier, job->claim.id, QUEUE_WORD_QUEUED);
}

/* False: not ours now, and the plan knows. */
static bool job_claim(struct job *job, struct plan_entry *entry)
{
	struct courier *courier = job->courier;
	enum pr_status status;

	if (job->turn.barred) {
		entry->busy += entry->busy == 0; /* it comes back, and as no queue run */
		words_say(courier, pr_str(entry->id), QUEUE_WORD_QUEUED);
		entry_retry(courier, entry, courier_now() + BUSY_SECONDS / 4);
		return false;
	}
	job->claim = (struct pr_claim){.size = sizeof job->claim};
	status = claim_where_it_is(job, entry);
	if (status == PR_OK && load_is_too_high(courier, job->claim.envelope->priority)) {
		wait_for_load(job, entry);
		return false;
	}
	verbose_turn(job, entry, status == PR_TEMPFAIL && !job->turn.aside);
	if (job->turn.aside && status != PR_OK) {
		stay_aside(job, entry);
		return false;
	}
	switch (status) {
	case PR_OK:
		break;
	case PR_NOTFOUND: {
		struct pr_str id = pr_arena_copy(&job->arena, pr_str(entry->id));

		entry_forget(courier, entry);
		courier_index_gone(courier, id);
		words_say(courier, id, QUEUE_WORD_QUEUED);
		return false;
	}
	case PR_PERMFAIL:
		log_line(LOGP_ERR, entry->id, "Losing %.*s", PR_PRINT(job->scope.reason));
		words_say(courier, pr_str(entry->id), QUEUE_WORD_QUEUED);
		courier_index_gone(courier, pr_str(entry->id));
		entry_forget(courier, entry);
		return false;
	default:
		entry_retry(courier, entry, courier_now() + busy_delay(entry, job->scope.reason));
		return false;
	}
	job->entry = entry;
	courier_index_running(job, true);
	job->envelope = job->claim.envelope;
	/* a first try after somebody else's claim is still no queue run */
	job->is_run = job->envelope->tries > 0 || courier->role->queue_now || (job->turn.runner && entry->busy == 0) || job->turn.urgent;
	entry->busy = 0;
	entry->source = plan_source(job->envelope->sender);
	lease_begin(job);
	if (job->envelope->quarantine.len > 0 && !job->turn.aside) {
		job_leave(job);
		entry_forget(courier, entry);
		return false;
	}
	if (!waits_for_run(job))
		return true;
	job_leave(job);
	entry_retry(courier, entry, courier_fresh_due_in(courier, entry->group, 'q'));
	return false;
}

/* A group that may not go now, or need not be tried. */
static bool answered_without_trying(struct job *job, struct group *group)
{
	if (group->instance == NULL) {
		struct pr_str why = pr_arena_printf(&job->arena, "Deferred: mailer %.*s is not configured", PR_PRINT(group->mailer));
		group_fail(job, group, PR_TEMPFAIL, PR_STR("4.3.5"), why);
		return true;
	}
	if (job->courier->options->hold_expensive && !job->is_run && !job->turn.eager && module_mailer_has_flag(group->instance, 'e')) {
		group->held = true;
		group_fail(job, group, PR_TEMPFAIL, PR_STR("4.0.0"), PR_STR("queued"));
		return true;
	}
	return false;
}

/* Results that are in are made to last before the next risk is taken. */
static void record(struct job *job)
{
	job->unrecorded = store_update(&job->scope, &job->claim, job->envelope) != PR_OK;
	if (job->unrecorded)
		log_line(LOGP_WARNING, job->entry->id, "cannot record results: %.*s", PR_PRINT(job->scope.reason));
}

static bool has_more(const struct job *job)
{
	for (size_t i = 0; i < job->group_count; i++)
		if (!job->groups[i].done)
			return true;
	return false;
}

static uint32_t connections_of(const struct group *group)
{
	int64_t most = group->instance != NULL ? module_config(group->instance)->connections : 0;

	return most > 0 && most < UINT32_MAX ? (uint32_t)most : 0;
}

/* One group as far as it goes; PLAN_FULL: it must stand in line. */
static enum plan_answer run_group(struct job *job, struct group *group)
{
	struct courier *courier = job->courier;
	struct pr_str dead = PR_NONE, reply = PR_NONE;

	if (answered_without_trying(job, group)) {
		report_group(job, group, 0);
		job_note_results(job, group);
		return PLAN_GO;
	}
	pthread_mutex_lock(&courier->lock);
	group->destination = plan_destination(courier->plan, group->mailer, group->host, courier_now());
	plan_destination_limit(courier->plan, group->destination, connections_of(group));
	enum plan_answer answer = plan_enter(courier->plan, job->entry, group->destination, courier_now(), &dead);
	if (answer == PLAN_DEAD)
		dead = pr_arena_copy(&job->arena, dead);
	pthread_mutex_unlock(&courier->lock);
	if (answer == PLAN_FULL)
		return answer;
	int64_t began = courier_now();
	job->hosts_told = false;
	/* another process may have found it dead; this one learns nothing from that */
	bool tried = answer == PLAN_GO && !host_record_is_dead(job, group, &dead);
	if (tried)
		verbose_connecting(job, group);
	if (tried)
		group_deliver(job, group);
	else
		group_fail(job, group, PR_TEMPFAIL, PR_STR("4.4.1"), dead);
	int64_t took = courier_now() - began;
	report_group(job, group, took);
	verbose_results(job, group);
	job_note_results(job, group);
	if (answer == PLAN_GO) {
		enum plan_outcome outcome = tried ? courier_judge(job, group, &reply) : PLAN_NEUTRAL;
		host_record_write(job, group, outcome, reply);
		courier_note_host(courier, group, outcome, reply);
	}
	group->destination = NULL;
	return answer;
}

/* In line at the first destination that had no room: with the claim while there is room for claims, or as long as results stand in it alone. */
static bool stand_in_line(struct job *job, struct group *group)
{
	struct courier *courier = job->courier;
	bool parked;

	if (job->group_count > 1)
		record(job);
	pthread_mutex_lock(&courier->lock);
	parked = (plan_may_park(courier->plan) && !courier->draining) || job->unrecorded;
	pthread_mutex_unlock(&courier->lock);
	if (!parked)
		job_release(job);
	struct plan_entry *entry = job->entry;
	struct pr_str mailer = group->mailer, host = group->host;
	pthread_mutex_lock(&courier->lock);
	struct plan_destination *destination = plan_destination(courier->plan, mailer, host, courier_now());
	plan_wait(courier->plan, entry, destination, parked ? job : NULL);
	pthread_mutex_unlock(&courier->lock);
	return !parked;
}

static bool run_groups(struct job *job)
{
	struct group *full = NULL;

	for (size_t i = 0; i < job->group_count; i++) {
		struct group *group = &job->groups[i];
		if (group->done)
			continue;
		if (run_group(job, group) == PLAN_FULL) {
			full = full != NULL ? full : group;
			continue;
		}
		group->done = true;
		if (has_more(job))
			record(job);
	}
	if (full != NULL)
		return stand_in_line(job, full);
	return job_settle(job);
}

bool job_run(struct job *job, struct worker *worker, struct plan_entry *entry)
{
	job_adopt(job, worker);
	if (job->entry == NULL) { /* else it was in line */
		if (!job_claim(job, entry)) {
			job_reset(job);
			return true;
		}
		if (job_route(job) != PR_OK) {
			log_line(LOGP_ERR, entry->id, "cannot route: %.*s", PR_PRINT(job->scope.reason));
			job_release(job);
			words_say(job->courier, pr_str(entry->id), QUEUE_WORD_QUEUED);
			entry_retry(job->courier, entry, job_next_look(job));
			job_reset(job);
			return true;
		}
		/* what the rules answered */
		report_group(job, NULL, 0);
		verbose_results(job, NULL);
		job_note_results(job, NULL);
	}
	if (!(job->unsettled != JOB_RUNS ? job_settle_again(job) : run_groups(job)))
		return false;
	job_reset(job);
	return true;
}

void job_give_up(struct job *job, struct worker *worker)
{
	job_adopt(job, worker);
	if (job->unrecorded)
		record(job);
	if (job->unrecorded) {
		pthread_mutex_lock(&job->courier->lock);
		job->unsettled = JOB_DEFERS;
		unsettled_put(job);
		pthread_mutex_unlock(&job->courier->lock);
		return;
	}
	job_release(job);
	job_free(job);
}
