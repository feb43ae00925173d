/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan from inside: entries (entry.c), destinations (destination.c) and turns (plan.c).
 */
#ifndef KERNEL_PLAN_INTERNAL_H
#define KERNEL_PLAN_INTERNAL_H

#include "kernel/plan/plan.h"

enum plan_state { PLAN_WAITING = 1, PLAN_FRESH, PLAN_IN_LINE, PLAN_TAKEN };

struct plan_line {
	struct plan_entry *first, *last;
	size_t count;
};

struct plan_destination {
	char *mailer, *host;
	uint64_t hash;
	struct plan_destination *hash_next;
	struct plan_destination *all_next, *all_previous;
	struct plan_destination *ring_next;
	struct plan_line line;
	uint32_t running; /* kept places included */
	uint32_t in_ring;
	int64_t dead_until, last_used;
	char *reason;
	void *slot;
};

struct plan_slab {
	struct plan_slab *next;
	struct plan_entry entries[512];
};

struct plan {
	struct plan_limits limits;
	/* entries */
	struct plan_entry **buckets;
	size_t bucket_count, entry_count;
	struct plan_slab *slabs;
	struct plan_entry *unused;
	struct plan_entry **heap;
	size_t heap_count, heap_room;
	struct plan_line fresh;
	size_t in_line, parked, discovering;
	bool fresh_turn;
	/* destinations */
	struct plan_destination **destination_buckets;
	size_t destination_bucket_count, destination_count;
	struct plan_destination *all;
	struct plan_destination *ring_first, *ring_last; /* with a line, and perhaps room */
};

/* entry.c */
struct plan_entry *plan_entry_find(const struct plan *plan, struct pr_str id);
struct plan_entry *plan_entry_new(struct plan *plan, struct pr_str id);
void plan_entry_free(struct plan *plan, struct plan_entry *entry);
void plan_heap_push(struct plan *plan, struct plan_entry *entry);
void plan_heap_remove(struct plan *plan, struct plan_entry *entry);
void plan_line_push(struct plan_line *line, struct plan_entry *entry);
struct plan_entry *plan_line_pop(struct plan_line *line);

/* destination.c */
struct plan_entry *plan_ring_take(struct plan *plan, int64_t now);
void plan_ring_add(struct plan *plan, struct plan_destination *destination);
void plan_destinations_free(struct plan *plan);

#endif
