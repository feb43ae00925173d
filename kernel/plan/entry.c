/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries: memory in slabs and a hash by id.
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
	if (plan->entry_count >= 2 * plan->bucket_count)
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
