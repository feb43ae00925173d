/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index from inside: rows (index_row.c), where they are kept and found (index_slot.c), what is done with them (index.c).
 *
 * A row is one piece of memory: counters, then id, sender and recipients one after the other; what is shared is a number.
 * Slots are a directory of blocks of pointers, so they never move; the hash holds slot numbers, half the size of pointers.
 */
#ifndef KERNEL_PLAN_INDEX_INTERNAL_H
#define KERNEL_PLAN_INDEX_INTERNAL_H

#include "kernel/plan/index.h"
#include "kernel/plan/intern.h"

#define BLOCK 1024
#define NONE UINT32_MAX

struct row {
	uint32_t slot, next, hash;
	uint32_t directory, body_type, message, quarantine; /* shared */
	uint32_t recipients, flags, tries, packed;          /* packed: bytes of recipients */
	uint16_t sender, seen;
	uint8_t id, state;
	bool running : 1, complete : 1, unreadable : 1;
	int64_t size, created, last_try, priority;
	char bytes[];
};

struct block {
	uint32_t used, number;
	struct block *next; /* with room */
	bool listed;
	struct row *rows[BLOCK];
};

struct plan_index {
	size_t most, count, incomplete, block_count;
	struct block **blocks;  /* NULL: given back */
	struct block *roomy;    /* blocks with free slots */
	uint32_t *buckets;
	size_t bucket_count;
	struct intern shared;
};

/* index_row.c */
struct row *index_row_make(struct plan_index *index, const struct plan_index_row *facts);
void index_row_drop(struct plan_index *index, const struct row *row); /* the shared strings of it; the memory is the caller's */
void index_row_show(const struct plan_index *index, const struct row *row, struct plan_index_row *out);
struct pr_str index_row_id(const struct row *row);
/* index_slot.c */
uint32_t index_slot_hash(struct pr_str id);
struct row *index_slot_find(const struct plan_index *index, struct pr_str id);
struct row *index_slot_next(const struct plan_index *index, uint32_t *cursor); /* from there on; NULL at the end */
void index_slot_link(struct plan_index *index, struct row *row);
void index_slot_unlink(struct plan_index *index, const struct row *row);
/* Twice as many buckets when full, a quarter when nearly empty: what a drained queue needed is not kept. */
void index_slot_resize(struct plan_index *index);
uint32_t index_slot_take(struct plan_index *index);
void index_slot_give(struct plan_index *index, uint32_t slot);
void index_slot_set(struct plan_index *index, struct row *row);

#endif
