/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan from inside: entries (entry.c), heaps (heap.c), lines with turns (line.c), destinations (destination.c), their rooms and
 * the ring (room.c), and what is taken next (plan.c).
 */
#ifndef KERNEL_PLAN_INTERNAL_H
#define KERNEL_PLAN_INTERNAL_H

#include "kernel/plan/plan.h"

enum plan_state { PLAN_WAITING = 1, PLAN_READY, PLAN_FRESH, PLAN_IN_LINE, PLAN_TAKEN };

struct plan_heap {
	struct plan_entry **at;
	size_t count, room;
	bool by_order; /* else by due time */
};

/* What one sender has in one line. */
struct plan_turn {
	struct plan_line *line;
	uint32_t source;
	struct plan_entry *first, *last;
	struct plan_turn *next, *hash_next;
};

struct plan_line {
	struct plan_turn *first, *last;
	size_t count; /* entries */
};

struct plan_turns {
	struct plan_turn **buckets;
	size_t bucket_count, count;
	struct plan_turn *unused;
};

struct plan_destination {
	char *mailer, *host;
	uint64_t hash;
	struct plan_destination *hash_next;
	struct plan_destination *all_next, *all_previous;
	struct plan_destination *active_next, *active_previous; /* while something runs there */
	struct plan_destination *ring_next;
	struct plan_line line;
	uint32_t running; /* kept places included */
	uint32_t room, most; /* how many may run now, and at best */
	bool listed;      /* in the ring or among the held */
	bool proven;      /* it lives: something went well there, and nothing is overdue */
	int64_t dead_until, last_used;
	int64_t quiet_since; /* nothing has begun or ended since, while something runs */
	char *reason;
	void *slot;
};

struct plan_list {
	struct plan_destination *first, *last;
};

struct plan_slab {
	struct plan_slab *next;
	struct plan_entry entries[512];
};

struct plan_group {
	struct plan_heap ready;
	uint32_t runners, most;
	struct plan_retry retry;
};

struct plan {
	struct plan_limits limits;
	/* entries */
	struct plan_entry **buckets;
	size_t bucket_count, entry_count;
	struct plan_slab *slabs;
	struct plan_entry *unused;
	struct plan_heap waiting;
	struct plan_line fresh;
	struct plan_turns turns;
	struct plan_group groups[PLAN_GROUPS_MAX];
	size_t group_count, ready_count, in_line, parked, discovering;
	uint32_t runners;
	uint32_t turn, group_turn;
	uint16_t run;
	/* destinations */
	struct plan_destination **destination_buckets;
	size_t destination_bucket_count, destination_count;
	struct plan_destination *all, *active;
	struct plan_list ring; /* with a line, and perhaps room */
	struct plan_list held; /* with room, but the unproven have their share */
	uint32_t unproven;     /* running at destinations that are not proven */
	uint32_t hanging;      /* threads that plan_tick found in silence */
};

/* entry.c */
struct plan_entry *plan_entry_find(const struct plan *plan, struct pr_str id);
struct plan_entry *plan_entry_new(struct plan *plan, struct pr_str id);
void plan_entry_free(struct plan *plan, struct plan_entry *entry);

/* heap.c */
void plan_heap_push(struct plan_heap *heap, struct plan_entry *entry);
void plan_heap_remove(struct plan_heap *heap, struct plan_entry *entry);
void plan_heap_rebuild(struct plan_heap *heap); /* after many entries were changed where they stand */

/* line.c: first in first out within a sender, one from each sender in turn */
void plan_line_push(struct plan *plan, struct plan_line *line, struct plan_entry *entry);
struct plan_entry *plan_line_pop(struct plan *plan, struct plan_line *line);
void plan_turns_free(struct plan *plan);

/* destination.c */
void plan_destinations_free(struct plan *plan);

/* room.c */
bool plan_has_room(const struct plan *plan, const struct plan_destination *destination);
void plan_room_init(const struct plan *plan, struct plan_destination *destination);
void plan_room_take(struct plan *plan, struct plan_destination *destination, int64_t now);
void plan_ring_add(struct plan *plan, struct plan_destination *destination);
struct plan_entry *plan_ring_take(struct plan *plan, int64_t now);
struct plan_entry *plan_line_take(struct plan *plan, struct plan_destination *destination);
/* The entry is about to stand elsewhere or nowhere: what was kept for it is given back. */
void plan_give_back(struct plan *plan, struct plan_entry *entry, int64_t now);

#endif
