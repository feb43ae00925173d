/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is done with the index: add, change, mark, remove, walk, sweep.  How a row looks and where it lies is index_internal.h's.
 */
#include "kernel/plan/index_internal.h"

struct plan_index *plan_index_new(size_t most)
{
	struct plan_index *index = pr_alloc(sizeof *index);

	index->most = most < NONE ? most : NONE - 1;
	intern_init(&index->shared);
	return index;
}

void plan_index_free(struct plan_index *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < index->block_count; i++) {
		for (size_t k = 0; index->blocks[i] != NULL && k < BLOCK; k++)
			pr_free(index->blocks[i]->rows[k]);
		pr_free(index->blocks[i]);
	}
	pr_free(index->blocks);
	pr_free(index->buckets);
	intern_fini(&index->shared);
	pr_free(index);
}

size_t plan_index_count(const struct plan_index *index)
{
	return index->count;
}

size_t plan_index_incomplete(const struct plan_index *index)
{
	return index->incomplete;
}

static bool insert(struct plan_index *index, const struct plan_index_row *facts, uint16_t scan)
{
	if (index->count >= index->most || facts->id.len == 0 || facts->id.len > PLAN_INDEX_ID_MAX)
		return false;
	index_slot_resize(index);
	struct row *row = index_row_make(index, facts);
	row->hash = index_slot_hash(facts->id);
	row->seen = scan;
	row->slot = index_slot_take(index);
	index_slot_set(index, row);
	index_slot_link(index, row);
	index->count++;
	index->incomplete += !row->complete;
	return true;
}

static void replace(struct plan_index *index, struct row *old, const struct plan_index_row *facts, uint16_t scan)
{
	struct row *row = index_row_make(index, facts);

	if (row->directory == 0) {
		row->directory = old->directory;
		old->directory = 0;
	}
	row->running = old->running;
	row->hash = old->hash;
	row->slot = old->slot;
	row->seen = scan;
	index_slot_unlink(index, old);
	index_slot_set(index, row);
	index_slot_link(index, row);
	index->incomplete += (size_t)!row->complete - (size_t)!old->complete;
	index_row_drop(index, old);
	pr_free(old);
}

bool plan_index_touch(struct plan_index *index, struct pr_str id, uint16_t scan)
{
	struct row *row = index_slot_find(index, id);
	struct plan_index_row bare = {.id = id};

	if (row == NULL)
		return insert(index, &bare, scan);
	row->seen = scan;
	return true;
}

bool plan_index_put(struct plan_index *index, const struct plan_index_row *facts, uint16_t scan)
{
	struct row *row = index_slot_find(index, facts->id);

	if (row == NULL)
		return insert(index, facts, scan);
	replace(index, row, facts, scan);
	return true;
}

void plan_index_run(struct plan_index *index, struct pr_str id, bool running)
{
	struct row *row = index_slot_find(index, id);

	if (row != NULL)
		row->running = running;
}

static void remove_row(struct plan_index *index, struct row *row)
{
	index_slot_unlink(index, row);
	index->count--;
	index->incomplete -= !row->complete;
	index_slot_give(index, row->slot);
	index_row_drop(index, row);
	pr_free(row);
	if (index->count < index->bucket_count / 16)
		index_slot_resize(index);
}

void plan_index_remove(struct plan_index *index, struct pr_str id)
{
	struct row *row = index_slot_find(index, id);

	if (row != NULL)
		remove_row(index, row);
}

bool plan_index_find(const struct plan_index *index, struct pr_str id, struct plan_index_row *row_out)
{
	const struct row *row = index_slot_find(index, id);

	if (row != NULL)
		index_row_show(index, row, row_out);
	return row != NULL;
}

bool plan_index_next(const struct plan_index *index, uint32_t *cursor, struct plan_index_row *row_out)
{
	const struct row *row = index_slot_next(index, cursor);

	if (row != NULL)
		index_row_show(index, row, row_out);
	return row != NULL;
}

bool plan_index_missed(const struct plan_index *index, uint32_t *cursor, uint16_t scan, struct pr_str *id_out)
{
	const struct row *row;

	while ((row = index_slot_next(index, cursor)) != NULL)
		if (!row->running && row->seen != scan) {
			*id_out = index_row_id(row);
			return true;
		}
	return false;
}

void plan_index_sweep(struct plan_index *index, uint16_t scan)
{
	uint32_t cursor = 0;
	struct row *row;

	while ((row = index_slot_next(index, &cursor)) != NULL)
		if (!row->running && row->seen != scan && row->seen != (uint16_t)(scan - 1))
			remove_row(index, row);
}
