/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Adds, takes and puts back messages; between fresh ones and those in line the turn changes with every take.
 * Fresh messages are limited only while many stand in line, because looking at one costs a claim that is wasted when
 * it turns out to go where no room is.
 */
#include "kernel/plan/internal.h"

#define LINE_IS_LONG 16    /* in line anywhere: from here on few look for more */
#define MOST_DISCOVERING 2
#define DUE_AT_ONCE 256    /* entries moved from the heap by one take */

struct plan *plan_new(const struct plan_limits *limits)
{
	struct plan *plan = pr_alloc(sizeof *plan);

	plan->limits = *limits;
	return plan;
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	plan_destinations_free(plan);
	while (plan->slabs != NULL) {
		struct plan_slab *next = plan->slabs->next;
		pr_free(plan->slabs);
		plan->slabs = next;
	}
	pr_free(plan->buckets);
	pr_free(plan->heap);
	pr_free(plan);
}

bool plan_knows(const struct plan *plan, struct pr_str id)
{
	return plan_entry_find(plan, id) != NULL;
}

bool plan_add(struct plan *plan, struct pr_str id, int64_t due)
{
	struct plan_entry *entry = plan_entry_find(plan, id);

	if (entry == NULL) {
		entry = plan_entry_new(plan, id);
		if (entry == NULL)
			return false;
		entry->due = due;
		plan_heap_push(plan, entry);
	} else if (entry->state == PLAN_WAITING && due < entry->due) {
		plan_heap_remove(plan, entry);
		entry->due = due;
		plan_heap_push(plan, entry);
	} else if (entry->state == PLAN_TAKEN) {
		entry->again = 1;
	}
	return true;
}

static void move_due(struct plan *plan, int64_t now)
{
	for (int i = 0; i < DUE_AT_ONCE && plan->heap_count > 0 && plan->heap[0]->due <= now; i++) {
		struct plan_entry *entry = plan->heap[0];
		plan_heap_remove(plan, entry);
		entry->state = PLAN_FRESH;
		plan_line_push(&plan->fresh, entry);
	}
}

static bool may_discover(const struct plan *plan)
{
	return plan->in_line < LINE_IS_LONG || plan->discovering < MOST_DISCOVERING;
}

static struct plan_entry *take_fresh(struct plan *plan)
{
	if (!may_discover(plan))
		return NULL;
	struct plan_entry *entry = plan_line_pop(&plan->fresh);
	if (entry == NULL)
		return NULL;
	entry->discovering = 1;
	plan->discovering++;
	return entry;
}

struct plan_entry *plan_take(struct plan *plan, int64_t now)
{
	struct plan_entry *entry;

	if (plan->fresh.count < DUE_AT_ONCE)
		move_due(plan, now);
	plan->fresh_turn = !plan->fresh_turn;
	entry = plan->fresh_turn ? take_fresh(plan) : plan_ring_take(plan, now);
	if (entry == NULL)
		entry = plan->fresh_turn ? plan_ring_take(plan, now) : take_fresh(plan);
	if (entry != NULL)
		entry->state = PLAN_TAKEN;
	return entry;
}

int64_t plan_next_due(const struct plan *plan)
{
	if (plan->ring_first != NULL || (plan->fresh.count > 0 && may_discover(plan)))
		return 0;
	return plan->heap_count > 0 ? plan->heap[0]->due : PLAN_NEVER;
}

/* It is no longer the caller's: whatever was kept for it is given back. */
static void settle(struct plan *plan, struct plan_entry *entry)
{
	if (entry->discovering)
		plan->discovering--;
	entry->discovering = 0;
	if (entry->kept) {
		entry->kept = 0;
		plan_leave(plan, entry->destination, PLAN_NEUTRAL, PR_NONE, 0);
	}
	entry->destination = NULL;
	entry->job = NULL;
}

void plan_retry(struct plan *plan, struct plan_entry *entry, int64_t due)
{
	settle(plan, entry);
	entry->due = entry->again ? 0 : due;
	entry->again = 0;
	plan_heap_push(plan, entry);
}

void plan_forget(struct plan *plan, struct plan_entry *entry)
{
	settle(plan, entry);
	plan_entry_free(plan, entry);
}

void plan_run_all(struct plan *plan, int64_t now)
{
	/* all equal is a heap, too */
	for (size_t i = 0; i < plan->heap_count; i++)
		plan->heap[i]->due = now;
	for (struct plan_destination *at = plan->all; at != NULL; at = at->all_next)
		at->dead_until = 0;
}

void plan_count(const struct plan *plan, int64_t now, struct plan_counts *counts_out)
{
	struct plan_counts counts = {.entries = plan->entry_count, .waiting = plan->heap_count, .fresh = plan->fresh.count,
	                             .in_line = plan->in_line, .parked = plan->parked, .destinations = plan->destination_count};

	for (const struct plan_destination *at = plan->all; at != NULL; at = at->all_next) {
		counts.running += at->running;
		counts.dead += at->dead_until > now;
	}
	*counts_out = counts;
}
