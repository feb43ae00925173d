/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries: memory in slabs, a hash by id, a heap by due time, and lines.
 * Slabs and an intrusive hash keep the cost of a message fixed and known; a million of them is a normal day.
 */
#include "kernel/plan/internal.h"

#include <string.h>

static size_t bucket_of(const struct plan *plan, struct pr_str id)
{
	return (size_t)pr_str_hash_nocase(id) & (plan->bucket_count - 1);
}

struct plan_entry *plan_entry_find(const struct plan *plan, struct pr_str id)
{
	if (plan->bucket_count == 0)
		return NULL;
	struct plan_entry *entry = plan->buckets[bucket_of(plan, id)];
	/* queue ids differ in case: the hash folds, the comparison does not */
	while (entry != NULL && !pr_str_equal(pr_str(entry->id), id))
		entry = entry->hash_next;
	return entry;
}

static void grow_buckets(struct plan *plan)
{
	size_t old_count = plan->bucket_count, count = old_count == 0 ? 256 : old_count * 2;
	struct plan_entry **old = plan->buckets;

	plan->buckets = pr_alloc(count * sizeof *plan->buckets);
	plan->bucket_count = count;
	for (size_t i = 0; i < old_count; i++) {
		for (struct plan_entry *entry = old[i], *next; entry != NULL; entry = next) {
			next = entry->hash_next;
			size_t bucket = bucket_of(plan, pr_str(entry->id));
			entry->hash_next = plan->buckets[bucket];
			plan->buckets[bucket] = entry;
		}
	}
	pr_free(old);
}

static void grow_slabs(struct plan *plan)
{
	struct plan_slab *slab = pr_alloc(sizeof *slab);

	slab->next = plan->slabs;
	plan->slabs = slab;
	for (size_t i = 0; i < sizeof slab->entries / sizeof slab->entries[0]; i++) {
		slab->entries[i].next = plan->unused;
		plan->unused = &slab->entries[i];
	}
}

struct plan_entry *plan_entry_new(struct plan *plan, struct pr_str id)
{
	if (id.len == 0 || id.len > PLAN_ID_MAX || plan->entry_count >= plan->limits.entries)
		return NULL;
	if (plan->entry_count >= plan->bucket_count)
		grow_buckets(plan);
	if (plan->unused == NULL)
		grow_slabs(plan);
	struct plan_entry *entry = plan->unused;
	plan->unused = entry->next;
	memset(entry, 0, sizeof *entry);
	memcpy(entry->id, id.data, id.len);
	size_t bucket = bucket_of(plan, id);
	entry->hash_next = plan->buckets[bucket];
	plan->buckets[bucket] = entry;
	plan->entry_count++;
	return entry;
}

void plan_entry_free(struct plan *plan, struct plan_entry *entry)
{
	struct plan_entry **link = &plan->buckets[bucket_of(plan, pr_str(entry->id))];

	while (*link != entry)
		link = &(*link)->hash_next;
	*link = entry->hash_next;
	entry->next = plan->unused;
	plan->unused = entry;
	plan->entry_count--;
}

static void place(struct plan *plan, struct plan_entry *entry, size_t index)
{
	plan->heap[index] = entry;
	entry->heap_index = (uint32_t)index;
}

static void sift_up(struct plan *plan, struct plan_entry *entry, size_t index)
{
	while (index > 0 && plan->heap[(index - 1) / 2]->due > entry->due) {
		place(plan, plan->heap[(index - 1) / 2], index);
		index = (index - 1) / 2;
	}
	place(plan, entry, index);
}

static void sift_down(struct plan *plan, struct plan_entry *entry, size_t index)
{
	for (;;) {
		size_t child = index * 2 + 1;
		if (child + 1 < plan->heap_count && plan->heap[child + 1]->due < plan->heap[child]->due)
			child++;
		if (child >= plan->heap_count || plan->heap[child]->due >= entry->due)
			break;
		place(plan, plan->heap[child], index);
		index = child;
	}
	place(plan, entry, index);
}

void plan_heap_push(struct plan *plan, struct plan_entry *entry)
{
	if (plan->heap_count == plan->heap_room) {
		plan->heap_room = plan->heap_room == 0 ? 256 : plan->heap_room * 2;
		plan->heap = pr_resize(plan->heap, plan->heap_room * sizeof *plan->heap);
	}
	entry->state = PLAN_WAITING;
	sift_up(plan, entry, plan->heap_count++);
}

void plan_heap_remove(struct plan *plan, struct plan_entry *entry)
{
	size_t index = entry->heap_index;
	struct plan_entry *last = plan->heap[--plan->heap_count];

	if (last == entry)
		return;
	if (index > 0 && plan->heap[(index - 1) / 2]->due > last->due)
		sift_up(plan, last, index);
	else
		sift_down(plan, last, index);
}

void plan_line_push(struct plan_line *line, struct plan_entry *entry)
{
	entry->next = NULL;
	if (line->last != NULL)
		line->last->next = entry;
	else
		line->first = entry;
	line->last = entry;
	line->count++;
}

struct plan_entry *plan_line_pop(struct plan_line *line)
{
	struct plan_entry *entry = line->first;

	if (entry == NULL)
		return NULL;
	line->first = entry->next;
	if (line->first == NULL)
		line->last = NULL;
	line->count--;
	entry->next = NULL;
	return entry;
}
