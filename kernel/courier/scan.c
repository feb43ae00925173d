/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Goes through the store at the start and now and then, and tells the plan what it did not know.
 * A thread of its own, because a large queue takes long to read and wake-ups must not wait for it; the pause between
 * two scans grows with what a scan costs.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <postrider/address.h>

#include <string.h>
#include <time.h>

#define PAUSE_SECONDS 60
#define PAUSE_FACTOR 20
#define BATCH 256
#define SCAN_ARENA (40u << 20) /* more than the largest envelope a store reads */

/* Read entries on their way to the plan: the lock is taken once for all of them. */
struct batch {
	size_t count;
	bool all_due;  /* a run: all but what is too young */
	bool runs[BATCH];
	struct plan_item items[BATCH];
	char ids[BATCH][PLAN_ID_MAX + 1];
};

int64_t courier_order(const struct courier *courier, const struct plan_facts *facts)
{
	struct plan_facts all = *facts;

	all.seed = courier->sort == PLAN_BY_CHANCE ? courier_now() : 0;
	return plan_sort_key(courier->sort, &all);
}

static struct plan_tried tried_of(const struct pr_entry *entry)
{
	return (struct plan_tried){.created = entry->created, .last_try = entry->last_try, .tries = entry->tries};
}

/* In the plan's time; 0: it is new. */
static int64_t due_of(const struct courier *courier, const struct pr_entry *entry, uint8_t group)
{
	const struct plan_tried tried = tried_of(entry);
	const struct plan_retry *retry = groups_retry(courier, group);
	int64_t wall = courier_wall(), now = courier_now();

	if (entry->tries == 0)
		return courier_fresh_due(courier, group);
	/* the first run is now, however long the reading takes */
	if (retry->runs && !courier->scanned_once && !plan_retry_is_young(retry, &tried, wall))
		return now;
	int64_t due = plan_retry_due(retry, &tried, wall, now);
	return due <= now ? now : due;
}

bool scan_is_young(const struct courier *courier, const struct pr_entry *entry, uint8_t group)
{
	const struct plan_tried tried = tried_of(entry);

	return plan_retry_is_young(groups_retry(courier, group), &tried, courier_wall());
}

static void note_entry(const struct courier *courier, struct batch *batch, const struct pr_entry *entry)
{
	struct plan_item *item = &batch->items[batch->count];
	char *id = batch->ids[batch->count];
	struct plan_facts facts = {.id = entry->id, .recipient = pr_address_inner(entry->recipient), .priority = entry->priority,
	                           .created = entry->created, .last_try = entry->last_try};

	/* what we deliver ourselves the plan knows; what another process delivers is ours when that leaves */
	if ((entry->state != PR_ENTRY_READY && entry->state != PR_ENTRY_CLAIMED) || entry->id.len > PLAN_ID_MAX)
		return;
	memcpy(id, entry->id.data, entry->id.len);
	*item = (struct plan_item){.id = {id, entry->id.len}, .order = courier_order(courier, &facts), .group = groups_find(courier, entry->queue)};
	item->source = entry->sender.len > 0 ? plan_source(entry->sender) : 0;
	item->due = due_of(courier, entry, item->group);
	batch->runs[batch->count] = batch->all_due && !scan_is_young(courier, entry, item->group);
	batch->count++;
}

static bool hand_in(struct courier *courier, struct batch *batch)
{
	int64_t now = courier_now();
	bool due = false;

	pthread_mutex_lock(&courier->lock);
	for (size_t i = 0; i < batch->count; i++) {
		const struct plan_item *item = &batch->items[i];
		if (batch->runs[i])
			plan_run_put(courier->plan, item, now);
		else if (!plan_learn(courier->plan, item))
			plan_put(courier->plan, item);
		due = due || batch->runs[i] || item->due <= now;
	}
	batch->count = 0;
	if (due)
		courier_kick(courier);
	bool leave = courier->draining;
	pthread_mutex_unlock(&courier->lock);
	return !leave;
}

/* A message that was being delivered when it was read may be gone since, and its row would stay: the plan is not told of it. */
static void look_again(struct courier *courier, struct module_scope *scope, struct pr_str id)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *envelope = NULL;

	if (store_peek(scope, id, &envelope, &entry) == PR_NOTFOUND)
		courier_index_gone(courier, id);
}

/* The plan's entry becomes due, and who takes it finds nothing to claim. */
static void drop_missing(struct courier *courier, struct pr_str id)
{
	const struct plan_item item = {.id = id, .due = courier_now(), .group = PLAN_GROUP_UNKNOWN};

	courier_index_gone(courier, id);
	pthread_mutex_lock(&courier->lock);
	if (plan_knows(courier->plan, id)) {
		plan_put(courier->plan, &item);
		courier_kick(courier);
	}
	pthread_mutex_unlock(&courier->lock);
}

/* What this scan has not met is asked for by name: the operator may have deleted it, or it was on its way from one form into another. */
static void look_for_missed(struct courier *courier, struct module_scope *scope)
{
	char ids[BATCH][PLAN_INDEX_ID_MAX + 1];
	uint32_t cursor = 0;
	size_t count;

	while ((count = courier_index_missed(courier, &cursor, ids, BATCH)) > 0 && !courier_is_leaving(courier))
		for (size_t i = 0; i < count; i++) {
			struct pr_entry entry = {.size = sizeof entry};
			struct pr_envelope *envelope = NULL;
			if (store_peek(scope, pr_str(ids[i]), &envelope, &entry) == PR_NOTFOUND)
				drop_missing(courier, pr_str(ids[i]));
			pr_arena_reset(scope->arena);
		}
}

static enum pr_status read_all(struct courier *courier, struct module_scope *scope, struct module_thread *thread, struct batch *batch)
{
	struct pr_arena *arena = scope->arena;
	struct pr_envelope *envelope;
	struct pr_entry entry;
	void *cursor = NULL;

	for (;;) {
		module_scope_init(scope, thread, arena);
		entry = (struct pr_entry){.size = sizeof entry};
		enum pr_status status = store_list(scope, &cursor, &entry, &envelope);
		if (status != PR_OK)
			return status;
		courier_index_scanned(courier, &entry, envelope, arena);
		note_entry(courier, batch, &entry);
		if (entry.state == PR_ENTRY_CLAIMED)
			look_again(courier, scope, entry.id);
		if (batch->count == BATCH && !hand_in(courier, batch)) {
			store_next_end(scope, &cursor);
			return PR_OK;
		}
		pr_arena_reset(arena);
	}
}

void scan_once(struct courier *courier, struct module_thread *thread, bool all_due)
{
	struct batch *batch = pr_alloc(sizeof *batch);
	struct pr_arena arena;
	struct module_scope scope;

	batch->all_due = all_due;
	pr_arena_init(&arena, SCAN_ARENA);
	module_scope_init(&scope, thread, &arena);
	courier_index_scan(courier);
	enum pr_status status = read_all(courier, &scope, thread, batch);
	if (status == PR_NOTFOUND) {
		look_for_missed(courier, &scope);
		courier_index_scan_ends(courier);
	}
	hand_in(courier, batch);
	if (status != PR_OK && status != PR_NOTFOUND)
		log_line(LOGP_ERR, NULL, "cannot read the queue: %.*s", PR_PRINT(scope.reason));
	pr_arena_fini(&arena);
	pr_free(batch);
}

/* With the lock held. */
static void pause_scan(struct courier *courier, int64_t seconds)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	while (!courier->draining && !courier->scan_wanted)
		if (pthread_cond_timedwait(&courier->scan, &courier->lock, &end) != 0)
			break;
}

void *scan_main(void *argument)
{
	struct courier *courier = argument;
	struct module_thread *thread = module_thread_new(courier->set);

	pthread_mutex_lock(&courier->lock);
	while (!courier->draining) {
		bool all_due = courier->run_all;
		courier->run_all = courier->scan_wanted = false;
		courier->scan_counts = all_due || !courier->scanned_once;
		pthread_mutex_unlock(&courier->lock);
		int64_t began = courier_now();
		scan_once(courier, thread, all_due);
		int64_t took = courier_now() - began;
		pthread_mutex_lock(&courier->lock);
		courier->scanned_once = true;
		courier->scan_counts = false;
		int64_t seconds = courier->retry.interval > 0 && courier->retry.interval < PAUSE_SECONDS ? courier->retry.interval : PAUSE_SECONDS;
		pause_scan(courier, seconds > took * PAUSE_FACTOR ? seconds : took * PAUSE_FACTOR);
	}
	pthread_mutex_unlock(&courier->lock);
	module_thread_free(thread);
	courier_service_ends(courier);
	return NULL;
}
