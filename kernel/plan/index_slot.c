/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where rows are kept: blocks of slots, a list of those with room, and a hash from ids to slots.
 */
#include "kernel/plan/index_internal.h"

#include <string.h>

static struct row *row_at(const struct plan_index *index, uint32_t slot)
{
	return index->blocks[slot / BLOCK]->rows[slot % BLOCK];
}

uint32_t index_slot_hash(struct pr_str id)
{
	uint64_t hash = pr_str_hash_nocase(id);

	return (uint32_t)(hash ^ (hash >> 32));
}

struct row *index_slot_find(const struct plan_index *index, struct pr_str id)
{
	uint32_t hash = index_slot_hash(id);
	uint32_t slot = index->bucket_count == 0 ? NONE : index->buckets[hash & (index->bucket_count - 1)];

	while (slot != NONE) {
		struct row *row = row_at(index, slot);
		if (row->hash == hash && pr_str_equal(index_row_id(row), id))
			return row;
		slot = row->next;
	}
	return NULL;
}

void index_slot_link(struct plan_index *index, struct row *row)
{
	uint32_t *bucket = &index->buckets[row->hash & (index->bucket_count - 1)];

	row->next = *bucket;
	*bucket = row->slot;
}

void index_slot_unlink(struct plan_index *index, const struct row *row)
{
	uint32_t *link = &index->buckets[row->hash & (index->bucket_count - 1)];

	while (*link != row->slot)
		link = &row_at(index, *link)->next;
	*link = row->next;
}

void index_slot_resize(struct plan_index *index)
{
	size_t count = index->bucket_count;

	if (index->count >= count)
		count = count == 0 ? 256 : 2 * count;
	else if (count > 256 && index->count < count / 16)
		count /= 4;
	if (count == index->bucket_count)
		return;
	pr_free(index->buckets);
	index->buckets = pr_alloc(count * sizeof *index->buckets);
	index->bucket_count = count;
	memset(index->buckets, 0xff, count * sizeof *index->buckets);
	for (size_t i = 0; i < index->block_count; i++)
		for (size_t k = 0; index->blocks[i] != NULL && k < BLOCK; k++)
			if (index->blocks[i]->rows[k] != NULL)
				index_slot_link(index, index->blocks[i]->rows[k]);
}

static struct block *new_block(struct plan_index *index)
{
	size_t at = 0;

	while (at < index->block_count && index->blocks[at] != NULL)
		at++;
	if (at == index->block_count) {
		index->blocks = pr_resize(index->blocks, (at + 1) * sizeof *index->blocks);
		index->block_count++;
	}
	struct block *block = pr_alloc(sizeof *block);
	block->number = (uint32_t)at;
	index->blocks[at] = block;
	return block;
}

static void list_roomy(struct plan_index *index, struct block *block)
{
	if (block->listed)
		return;
	block->listed = true;
	block->next = index->roomy;
	index->roomy = block;
}

uint32_t index_slot_take(struct plan_index *index)
{
	if (index->roomy == NULL)
		list_roomy(index, new_block(index));
	struct block *block = index->roomy;
	/* a block fills from the front, so while a queue only grows this is one step */
	uint32_t at = block->used < BLOCK && block->rows[block->used] == NULL ? block->used : 0;
	while (block->rows[at] != NULL)
		at++;
	if (++block->used == BLOCK) {
		index->roomy = block->next;
		block->listed = false;
	}
	return block->number * BLOCK + at;
}

static void unlist(struct plan_index *index, const struct block *block)
{
	struct block **link = &index->roomy;

	while (*link != block)
		link = &(*link)->next;
	*link = block->next;
}

void index_slot_give(struct plan_index *index, uint32_t slot)
{
	struct block *block = index->blocks[slot / BLOCK];

	block->rows[slot % BLOCK] = NULL;
	list_roomy(index, block);
	if (--block->used > 0 || (index->roomy == block && block->next == NULL))
		return;
	unlist(index, block);
	index->blocks[block->number] = NULL;
	pr_free(block);
}

void index_slot_set(struct plan_index *index, struct row *row)
{
	index->blocks[row->slot / BLOCK]->rows[row->slot % BLOCK] = row;
}

struct row *index_slot_next(const struct plan_index *index, uint32_t *cursor)
{
	while (*cursor / BLOCK < index->block_count) {
		const struct block *block = index->blocks[*cursor / BLOCK];
		if (block == NULL) {
			*cursor = (*cursor / BLOCK + 1) * BLOCK;
			continue;
		}
		struct row *row = block->rows[*cursor % BLOCK];
		(*cursor)++;
		if (row != NULL)
			return row;
	}
	return NULL;
}
