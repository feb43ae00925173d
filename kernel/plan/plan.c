/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Puts in, takes and puts back messages; between fresh ones, those of a queue run and those in line the turn changes with every take.
 * Messages without a destination are limited only while many stand in line, because looking at one costs a claim that is wasted
 * when it turns out to go where no room is.
 */
#include "kernel/plan/internal.h"

#define LINE_IS_LONG 16    /* in line anywhere: from here on few look for more */
#define MOST_DISCOVERING 2
#define DUE_AT_ONCE 256    /* entries moved from the heap by one take */

struct plan *plan_new(const struct plan_limits *limits)
{
	struct plan *plan = pr_alloc(sizeof *plan);

	plan->limits = *limits;
	plan->group_count = 1;
	for (size_t i = 0; i < PLAN_GROUPS_MAX; i++)
		plan->groups[i].ready.by_order = true;
	return plan;
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	plan_destinations_free(plan);
	plan_turns_free(plan);
	while (plan->slabs != NULL) {
		struct plan_slab *next = plan->slabs->next;
		pr_free(plan->slabs);
		plan->slabs = next;
	}
	for (size_t i = 0; i < PLAN_GROUPS_MAX; i++)
		pr_free(plan->groups[i].ready.at);
	pr_free(plan->buckets);
	pr_free(plan->waiting.at);
	pr_free(plan);
}

void plan_set_group(struct plan *plan, uint8_t number, uint32_t runners, const struct plan_retry *retry)
{
	if (number >= PLAN_GROUPS_MAX)
		return;
	plan->groups[number].most = runners;
	plan->groups[number].retry = *retry;
	if (plan->group_count <= number)
		plan->group_count = (size_t)number + 1;
}

uint32_t plan_source(struct pr_str sender)
{
	uint64_t hash = pr_str_hash_nocase(sender);
	uint32_t source = (uint32_t)(hash ^ (hash >> 32));

	return source != 0 ? source : 1;
}

static struct plan_group *group_of(struct plan *plan, const struct plan_entry *entry)
{
	return &plan->groups[entry->group < plan->group_count ? entry->group : 0];
}

static void run_end(struct plan *plan, struct plan_entry *entry)
{
	if (!entry->runner)
		return;
	entry->runner = false;
	group_of(plan, entry)->runners--;
	plan->runners--;
}

void plan_regroup(struct plan *plan, struct plan_entry *entry, uint8_t group)
{
	if (entry->runner)
		group_of(plan, entry)->runners--;
	entry->group = group;
	if (entry->runner)
		group_of(plan, entry)->runners++;
}

bool plan_knows(const struct plan *plan, struct pr_str id)
{
	return plan_entry_find(plan, id) != NULL;
}

static void wait_until(struct plan *plan, struct plan_entry *entry, int64_t due)
{
	entry->due = due;
	entry->state = PLAN_WAITING;
	plan_heap_push(&plan->waiting, entry);
}

static void make_ready(struct plan *plan, struct plan_entry *entry)
{
	entry->state = PLAN_READY;
	plan_heap_push(&group_of(plan, entry)->ready, entry);
	plan->ready_count++;
}

static struct plan_entry *put_new(struct plan *plan, const struct plan_item *item)
{
	struct plan_entry *entry = plan_entry_new(plan, item->id);

	if (entry == NULL)
		return NULL;
	entry->order = item->order;
	entry->source = item->source;
	entry->group = item->group;
	entry->eager = item->eager;
	entry->run = (uint16_t)(plan->run - 1);
	return entry;
}

/* A scan may know more than the wake-up did. */
static void learn(struct plan_entry *entry, const struct plan_item *item)
{
	if (entry->state != PLAN_WAITING)
		return;
	if (entry->group == PLAN_GROUP_UNKNOWN)
		entry->group = item->group;
	if (item->order != 0)
		entry->order = item->order;
	if (entry->source == 0)
		entry->source = item->source;
}

bool plan_learn(struct plan *plan, const struct plan_item *item)
{
	struct plan_entry *entry = plan_entry_find(plan, item->id);

	if (entry != NULL)
		learn(entry, item);
	return entry != NULL;
}

bool plan_put(struct plan *plan, const struct plan_item *item)
{
	struct plan_entry *entry = plan_entry_find(plan, item->id);

	if (entry == NULL) {
		entry = put_new(plan, item);
		if (entry == NULL)
			return false;
		if (item->due > 0) {
			wait_until(plan, entry, item->due);
		} else {
			entry->state = PLAN_FRESH;
			plan_line_push(plan, &plan->fresh, entry);
		}
		return true;
	}
	learn(entry, item);
	entry->eager = entry->eager || item->eager;
	if (entry->state == PLAN_WAITING && item->due < entry->due) {
		plan_heap_remove(&plan->waiting, entry);
		wait_until(plan, entry, item->due);
	} else if (entry->state == PLAN_TAKEN) {
		entry->again = true;
	}
	return true;
}

bool plan_add(struct plan *plan, struct pr_str id, int64_t due)
{
	struct plan_item item = {.id = id, .due = due, .group = PLAN_GROUP_UNKNOWN};

	return plan_put(plan, &item);
}

bool plan_run_put(struct plan *plan, const struct plan_item *item, int64_t now)
{
	const struct plan_entry *entry = plan_entry_find(plan, item->id);
	struct plan_item due = *item;

	if (entry != NULL && entry->run == plan->run)
		return true;
	due.due = now;
	return plan_put(plan, &due);
}

bool plan_urge(struct plan *plan, const struct plan_item *item)
{
	if (!plan_put(plan, item))
		return false;
	struct plan_entry *entry = plan_entry_find(plan, item->id);
	entry->urgent = true;
	entry->aside = item->aside;
	entry->patient = item->patient;
	return true;
}

static void move_due(struct plan *plan, int64_t now)
{
	for (int i = 0; i < DUE_AT_ONCE && plan->waiting.count > 0 && plan->waiting.at[0]->due <= now; i++) {
		struct plan_entry *entry = plan->waiting.at[0];
		plan_heap_remove(&plan->waiting, entry);
		make_ready(plan, entry);
	}
}

static bool may_discover(const struct plan *plan)
{
	return plan->in_line < LINE_IS_LONG || plan->discovering < MOST_DISCOVERING;
}

static bool may_run(const struct plan *plan, const struct plan_group *group)
{
	return group->ready.count > 0 && (group->most == 0 || group->runners < group->most) &&
	       (plan->limits.runners == 0 || plan->runners < plan->limits.runners);
}

static struct plan_entry *discover(struct plan *plan, struct plan_entry *entry)
{
	if (entry == NULL)
		return NULL;
	entry->discovering = true;
	plan->discovering++;
	return entry;
}

static struct plan_entry *take_fresh(struct plan *plan, int64_t now)
{
	(void)now;
	return may_discover(plan) ? discover(plan, plan_line_pop(plan, &plan->fresh)) : NULL;
}

static struct plan_entry *take_ready(struct plan *plan, int64_t now)
{
	(void)now;
	if (plan->ready_count == 0 || !may_discover(plan))
		return NULL;
	for (size_t i = 0; i < plan->group_count; i++) {
		struct plan_group *group = &plan->groups[plan->group_turn++ % plan->group_count];
		if (!may_run(plan, group))
			continue;
		struct plan_entry *entry = group->ready.at[0];
		plan_heap_remove(&group->ready, entry);
		plan->ready_count--;
		group->runners++;
		plan->runners++;
		entry->runner = true;
		return discover(plan, entry);
	}
	return NULL;
}

struct plan_entry *plan_take(struct plan *plan, int64_t now)
{
	static struct plan_entry *(*const ways[])(struct plan *, int64_t) = {take_fresh, plan_ring_take, take_ready};
	struct plan_entry *entry = NULL;

	move_due(plan, now);
	plan->turn++;
	for (uint32_t i = 0; i < 3 && entry == NULL; i++)
		entry = ways[(plan->turn + i) % 3](plan, now);
	if (entry != NULL) {
		entry->state = PLAN_TAKEN;
		entry->run = plan->run;
	}
	return entry;
}

static bool is_any_ready(const struct plan *plan)
{
	for (size_t i = 0; plan->ready_count > 0 && i < plan->group_count; i++)
		if (may_run(plan, &plan->groups[i]))
			return true;
	return false;
}

int64_t plan_next_due(const struct plan *plan)
{
	if (plan->ring.first != NULL || ((plan->fresh.count > 0 || is_any_ready(plan)) && may_discover(plan)))
		return 0;
	return plan->waiting.count > 0 ? plan->waiting.at[0]->due : PLAN_NEVER;
}

/* It is no longer the caller's. */
static void settle(struct plan *plan, struct plan_entry *entry)
{
	plan_give_back(plan, entry, 0);
	run_end(plan, entry);
	entry->destination = NULL;
	entry->job = NULL;
}

void plan_retry(struct plan *plan, struct plan_entry *entry, int64_t due)
{
	settle(plan, entry);
	entry->urgent = entry->urgent && entry->again;
	entry->aside = entry->aside && entry->again;
	wait_until(plan, entry, entry->again ? 0 : due);
	entry->again = false;
}

void plan_forget(struct plan *plan, struct plan_entry *entry)
{
	settle(plan, entry);
	plan_entry_free(plan, entry);
}

void plan_run_begin(struct plan *plan)
{
	plan->run++;
	for (struct plan_destination *at = plan->all; at != NULL; at = at->all_next)
		at->dead_until = 0;
}

void plan_run_all(struct plan *plan, int64_t now)
{
	plan_run_begin(plan);
	/* where groups have limits, one whose group nobody has told yet waits for the reading, which does */
	for (size_t i = 0; i < plan->waiting.count; i++)
		if (plan->group_count < 2 || plan->waiting.at[i]->group != PLAN_GROUP_UNKNOWN)
			plan->waiting.at[i]->due = now;
	if (plan->group_count > 1) /* else all are equal, which is a heap, too */
		plan_heap_rebuild(&plan->waiting);
}

void plan_count(const struct plan *plan, int64_t now, struct plan_counts *counts_out)
{
	struct plan_counts counts = {.entries = plan->entry_count, .waiting = plan->waiting.count,
	                             .fresh = plan->fresh.count + plan->ready_count, .in_line = plan->in_line,
	                             .parked = plan->parked, .destinations = plan->destination_count};

	for (const struct plan_destination *at = plan->all; at != NULL; at = at->all_next) {
		counts.running += at->running;
		counts.dead += at->dead_until > now;
	}
	*counts_out = counts;
}
