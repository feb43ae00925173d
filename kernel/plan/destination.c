/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Destinations: how many deliveries run there, who stands in line, and until when it counts as dead.
 * Only destinations with a line are in the ring, and one without room leaves it until a delivery ends; so a
 * turn costs the same with one destination or a hundred thousand.
 */
#include "kernel/plan/internal.h"

#include <string.h>

static uint64_t hash_of(struct pr_str mailer, struct pr_str host)
{
	return pr_str_hash_nocase(host) * 31 + pr_str_hash_nocase(mailer);
}

static void grow(struct plan *plan)
{
	size_t count = plan->destination_bucket_count == 0 ? 64 : plan->destination_bucket_count * 2;

	pr_free(plan->destination_buckets);
	plan->destination_buckets = pr_alloc(count * sizeof *plan->destination_buckets);
	plan->destination_bucket_count = count;
	for (struct plan_destination *at = plan->all; at != NULL; at = at->all_next) {
		struct plan_destination **bucket = &plan->destination_buckets[at->hash & (count - 1)];
		at->hash_next = *bucket;
		*bucket = at;
	}
}

static void destination_free(struct plan *plan, struct plan_destination *destination)
{
	struct plan_destination **link = &plan->destination_buckets[destination->hash & (plan->destination_bucket_count - 1)];

	while (*link != destination)
		link = &(*link)->hash_next;
	*link = destination->hash_next;
	if (destination->all_previous != NULL)
		destination->all_previous->all_next = destination->all_next;
	else
		plan->all = destination->all_next;
	if (destination->all_next != NULL)
		destination->all_next->all_previous = destination->all_previous;
	plan->destination_count--;
	pr_free(destination->mailer);
	pr_free(destination->host);
	pr_free(destination->reason);
	pr_free(destination);
}

static bool is_idle(const struct plan_destination *destination, int64_t now)
{
	return destination->running == 0 && destination->line.count == 0 && destination->slot == NULL && !destination->in_ring &&
	       destination->dead_until <= now;
}

/* The table is full: what is idle goes.  Amortised, since half the table is new by the next time. */
static void sweep(struct plan *plan, int64_t now)
{
	for (struct plan_destination *at = plan->all, *next; at != NULL; at = next) {
		next = at->all_next;
		if (is_idle(at, now) && at->last_used < now)
			destination_free(plan, at);
	}
	if (plan->destination_count > plan->limits.destinations / 2)
		plan->limits.destinations *= 2; /* all in use: they are bounded by the deliveries running */
}

struct plan_destination *plan_destination(struct plan *plan, struct pr_str mailer, struct pr_str host, int64_t now)
{
	uint64_t hash = hash_of(mailer, host);

	if (plan->destination_count >= plan->destination_bucket_count)
		grow(plan);
	struct plan_destination *at = plan->destination_buckets[hash & (plan->destination_bucket_count - 1)];
	for (; at != NULL; at = at->hash_next)
		if (at->hash == hash && pr_str_equal_nocase(pr_str(at->host), host) && pr_str_equal(pr_str(at->mailer), mailer))
			break;
	if (at == NULL) {
		if (plan->destination_count >= plan->limits.destinations)
			sweep(plan, now);
		at = pr_alloc(sizeof *at);
		at->mailer = pr_copy_str(mailer);
		at->host = pr_copy_str(host);
		at->hash = hash;
		at->all_next = plan->all;
		if (plan->all != NULL)
			plan->all->all_previous = at;
		plan->all = at;
		struct plan_destination **bucket = &plan->destination_buckets[hash & (plan->destination_bucket_count - 1)];
		at->hash_next = *bucket;
		*bucket = at;
		plan->destination_count++;
	}
	at->last_used = now;
	return at;
}

void plan_ring_add(struct plan *plan, struct plan_destination *destination)
{
	if (destination->in_ring || destination->line.count == 0)
		return;
	destination->in_ring = 1;
	destination->ring_next = NULL;
	if (plan->ring_last != NULL)
		plan->ring_last->ring_next = destination;
	else
		plan->ring_first = destination;
	plan->ring_last = destination;
}

static struct plan_destination *ring_pop(struct plan *plan)
{
	struct plan_destination *first = plan->ring_first;

	if (first == NULL)
		return NULL;
	plan->ring_first = first->ring_next;
	if (plan->ring_first == NULL)
		plan->ring_last = NULL;
	first->in_ring = 0;
	return first;
}

static struct plan_entry *line_take(struct plan *plan, struct plan_destination *destination)
{
	struct plan_entry *entry = plan_line_pop(&destination->line);

	plan->in_line--;
	plan->parked -= entry->job != NULL;
	return entry;
}

struct plan_entry *plan_ring_take(struct plan *plan, int64_t now)
{
	struct plan_destination *destination;

	while ((destination = ring_pop(plan)) != NULL) {
		bool dead = destination->dead_until > now;
		if (destination->line.count == 0 || (!dead && destination->running >= plan->limits.per_destination))
			continue; /* back in the ring when somebody leaves */
		struct plan_entry *entry = line_take(plan, destination);
		if (!dead) {
			destination->running++;
			entry->kept = 1;
		}
		plan_ring_add(plan, destination);
		return entry;
	}
	return NULL;
}

enum plan_answer plan_enter(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, int64_t now,
                            struct pr_str *reason_out)
{
	if (entry->discovering)
		plan->discovering--;
	entry->discovering = 0;
	if (destination->dead_until > now) {
		*reason_out = pr_str(destination->reason);
		return PLAN_DEAD;
	}
	if (entry->kept) {
		entry->kept = 0;
		if (entry->destination == destination)
			return PLAN_GO;
		plan_leave(plan, entry->destination, PLAN_NEUTRAL, PR_NONE, now);
	}
	if (destination->running >= plan->limits.per_destination)
		return PLAN_FULL;
	destination->running++;
	return PLAN_GO;
}

void plan_leave(struct plan *plan, struct plan_destination *destination, enum plan_outcome outcome, struct pr_str reason, int64_t now)
{
	destination->running--;
	if (outcome == PLAN_UNREACHABLE && plan->limits.host_status > 0) {
		destination->dead_until = now + plan->limits.host_status;
		pr_free(destination->reason);
		destination->reason = pr_copy_str(reason.data != NULL ? reason : PR_STR(""));
	} else if (outcome == PLAN_SERVED) {
		destination->dead_until = 0;
	}
	plan_ring_add(plan, destination);
}

bool plan_may_park(const struct plan *plan)
{
	return plan->parked < plan->limits.parked;
}

void plan_wait(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, void *job)
{
	if (entry->kept) {
		entry->kept = 0;
		plan_leave(plan, entry->destination, PLAN_NEUTRAL, PR_NONE, 0);
	}
	if (entry->discovering)
		plan->discovering--;
	entry->discovering = 0;
	entry->state = PLAN_IN_LINE;
	entry->destination = destination;
	entry->job = job;
	plan_line_push(&destination->line, entry);
	plan->in_line++;
	plan->parked += job != NULL;
	/* room may have come up since plan_enter said FULL */
	if (destination->running < plan->limits.per_destination)
		plan_ring_add(plan, destination);
}

void **plan_destination_slot(struct plan_destination *destination)
{
	return &destination->slot;
}

struct plan_destination *plan_destination_next(struct plan *plan, struct plan_destination *destination)
{
	return destination == NULL ? plan->all : destination->all_next;
}

struct plan_entry *plan_unpark(struct plan *plan)
{
	for (struct plan_destination *at = plan->all; at != NULL; at = at->all_next) {
		if (at->line.count == 0)
			continue;
		struct plan_entry *entry = line_take(plan, at);
		entry->state = PLAN_TAKEN;
		return entry;
	}
	return NULL;
}

void plan_destinations_free(struct plan *plan)
{
	while (plan->all != NULL)
		destination_free(plan, plan->all);
	pr_free(plan->destination_buckets);
}
