/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Destinations: a hash by mailer and host, from which the idle ones go when it is full.
 * What is dead, cached, running or in line stays, so nothing learned about a host in trouble is lost.
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
	return destination->running == 0 && destination->line.count == 0 && destination->slot == NULL && !destination->listed &&
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
		plan_room_init(plan, at);
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
		struct plan_entry *entry = plan_line_take(plan, at);
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
