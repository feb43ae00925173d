/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many deliveries a destination has room for, and whose turn it is in the ring of those with a line.
 * Only destinations with a line are in the ring, and one without room leaves it until a delivery ends; so a
 * turn costs the same with one destination or a hundred thousand.
 */
#include "kernel/plan/internal.h"

#define FIRST_ROOM 2
#define SLOW_SECONDS 3 /* nothing began or ended for so long: threads hang there */

static void list_push(struct plan_list *list, struct plan_destination *destination)
{
	destination->listed = true;
	destination->ring_next = NULL;
	if (list->last != NULL)
		list->last->ring_next = destination;
	else
		list->first = destination;
	list->last = destination;
}

static struct plan_destination *list_pop(struct plan_list *list)
{
	struct plan_destination *first = list->first;

	if (first == NULL)
		return NULL;
	list->first = first->ring_next;
	if (list->first == NULL)
		list->last = NULL;
	first->listed = false;
	return first;
}

void plan_ring_add(struct plan *plan, struct plan_destination *destination)
{
	if (!destination->listed && destination->line.count > 0)
		list_push(&plan->ring, destination);
}

/* Rare events only: each held one is looked at once. */
static void let_all_try(struct plan *plan)
{
	struct plan_destination *destination;

	while ((destination = list_pop(&plan->held)) != NULL)
		list_push(&plan->ring, destination);
}

static void let_one_try(struct plan *plan)
{
	struct plan_destination *destination = list_pop(&plan->held);

	if (destination != NULL)
		list_push(&plan->ring, destination);
}

/* The unproven have three quarters of the threads, and one for each that hangs. */
static bool is_shared_out(const struct plan *plan)
{
	uint32_t threads = plan->limits.threads;

	return threads > 0 && plan->unproven >= threads - (threads + 3) / 4 + plan->hanging;
}

/* The first delivery to a host that may be well comes before the second to one that may not. */
static bool is_crowded(const struct plan *plan)
{
	return plan->limits.threads > 0 && plan->unproven >= (plan->limits.threads + 3) / 4 + plan->hanging;
}

bool plan_has_room(const struct plan *plan, const struct plan_destination *destination)
{
	if (destination->running >= destination->room)
		return false;
	if (destination->proven)
		return true;
	return !is_shared_out(plan) && (destination->running == 0 || !is_crowded(plan));
}

void plan_room_init(const struct plan *plan, struct plan_destination *destination)
{
	bool single = plan->limits.single_thread && destination->host[0] != '\0';

	destination->most = single ? 1 : plan->limits.per_destination;
	destination->room = destination->most < FIRST_ROOM ? destination->most : FIRST_ROOM;
}

void plan_destination_limit(const struct plan *plan, struct plan_destination *destination, uint32_t most)
{
	bool single = plan->limits.single_thread && destination->host[0] != '\0';

	if (most == 0 || single)
		return;
	destination->most = most;
	if (destination->room > most)
		destination->room = most;
}

void plan_room_take(struct plan *plan, struct plan_destination *destination, int64_t now)
{
	if (destination->running++ == 0) {
		destination->active_previous = NULL;
		destination->active_next = plan->active;
		if (plan->active != NULL)
			plan->active->active_previous = destination;
		plan->active = destination;
	}
	destination->quiet_since = now;
	plan->unproven += !destination->proven;
}

static void room_end(struct plan *plan, struct plan_destination *destination)
{
	plan->unproven -= !destination->proven;
	if (--destination->running > 0)
		return;
	if (destination->active_previous != NULL)
		destination->active_previous->active_next = destination->active_next;
	else
		plan->active = destination->active_next;
	if (destination->active_next != NULL)
		destination->active_next->active_previous = destination->active_previous;
}

static void set_proven(struct plan *plan, struct plan_destination *destination, bool proven)
{
	if (destination->proven == proven)
		return;
	destination->proven = proven;
	plan->unproven = proven ? plan->unproven - destination->running : plan->unproven + destination->running;
	let_all_try(plan);
}

/* A queue run asks anew. */
static int64_t next_run(const struct plan *plan, int64_t now)
{
	int64_t next = PLAN_NEVER;

	for (size_t i = 0; i < plan->group_count; i++) {
		int64_t run = plan_retry_run(&plan->groups[i].retry, now + 1);
		next = run < next ? run : next;
	}
	return next;
}

static void note_unreachable(struct plan *plan, struct plan_destination *destination, struct pr_str reason, int64_t now)
{
	destination->room = 1; /* one probe at a time, until one goes well */
	set_proven(plan, destination, false);
	if (plan->limits.host_status <= 0)
		return;
	int64_t until = now + plan->limits.host_status, run = next_run(plan, now);
	destination->dead_until = until < run ? until : run;
	pr_free(destination->reason);
	destination->reason = pr_copy_str(reason.data != NULL ? reason : PR_STR(""));
	let_all_try(plan); /* its own line is to be told */
}

void plan_leave(struct plan *plan, struct plan_destination *destination, enum plan_outcome outcome, struct pr_str reason, int64_t now)
{
	room_end(plan, destination);
	if (now > 0)
		destination->quiet_since = now;
	switch (outcome) {
	case PLAN_SERVED:
		destination->dead_until = 0;
		destination->room += destination->room < destination->most;
		set_proven(plan, destination, true);
		break;
	case PLAN_PUSHED_BACK:
		destination->room = destination->room > 1 ? destination->room / 2 : 1;
		break;
	case PLAN_UNREACHABLE:
		note_unreachable(plan, destination, reason, now);
		break;
	case PLAN_NEUTRAL:
		break;
	}
	if (plan->held.first != NULL)
		let_one_try(plan);
	plan_ring_add(plan, destination);
}

uint32_t plan_tick(struct plan *plan, int64_t now)
{
	uint32_t hanging = 0;

	for (struct plan_destination *at = plan->active; at != NULL; at = at->active_next) {
		if (now - at->quiet_since < SLOW_SECONDS)
			continue;
		hanging += at->running;
		set_proven(plan, at, false);
	}
	plan->hanging = hanging;
	let_all_try(plan);
	return hanging;
}

struct plan_entry *plan_line_take(struct plan *plan, struct plan_destination *destination)
{
	struct plan_entry *entry = plan_line_pop(plan, &destination->line);

	plan->in_line--;
	plan->parked -= entry->job != NULL;
	return entry;
}

struct plan_entry *plan_ring_take(struct plan *plan, int64_t now)
{
	struct plan_destination *destination;

	while ((destination = list_pop(&plan->ring)) != NULL) {
		bool dead = destination->dead_until > now;
		if (destination->line.count == 0 || (!dead && destination->running >= destination->room))
			continue; /* back in the ring when somebody leaves */
		if (!dead && !plan_has_room(plan, destination)) {
			list_push(&plan->held, destination);
			continue;
		}
		struct plan_entry *entry = plan_line_take(plan, destination);
		if (!dead) {
			plan_room_take(plan, destination, now);
			entry->kept = true;
		}
		plan_ring_add(plan, destination);
		return entry;
	}
	return NULL;
}

void plan_give_back(struct plan *plan, struct plan_entry *entry, int64_t now)
{
	if (entry->discovering)
		plan->discovering--;
	entry->discovering = false;
	if (entry->kept) {
		entry->kept = false;
		plan_leave(plan, entry->destination, PLAN_NEUTRAL, PR_NONE, now);
	}
}

enum plan_answer plan_enter(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, int64_t now,
                            struct pr_str *reason_out)
{
	bool kept_here = entry->kept && entry->destination == destination;

	if (destination->dead_until > now && (!entry->urgent || entry->patient)) {
		plan_give_back(plan, entry, now);
		*reason_out = pr_str(destination->reason);
		return PLAN_DEAD;
	}
	if (kept_here)
		entry->kept = false; /* it is used now */
	plan_give_back(plan, entry, now);
	if (kept_here)
		return PLAN_GO;
	if (!plan_has_room(plan, destination))
		return PLAN_FULL;
	plan_room_take(plan, destination, now);
	return PLAN_GO;
}

bool plan_may_park(const struct plan *plan)
{
	return plan->parked < plan->limits.parked;
}

void plan_wait(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, void *job)
{
	plan_give_back(plan, entry, 0);
	entry->state = PLAN_IN_LINE;
	entry->destination = destination;
	entry->job = job;
	plan_line_push(plan, &destination->line, entry);
	plan->in_line++;
	plan->parked += job != NULL;
	/* room may have come up since plan_enter said FULL */
	if (destination->running < destination->room)
		plan_ring_add(plan, destination);
}
