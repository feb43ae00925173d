/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A row is one piece of memory: counters, then id, sender and recipients one after the other; what is shared is a number.
 * Slots are a directory of blocks of pointers, so they never move; the hash holds slot numbers, half the size of pointers.
 */
#include "kernel/plan/index.h"

#include "kernel/plan/intern.h"

#include <string.h>

#define BLOCK 1024
#define NONE UINT32_MAX
#define PART_MAX UINT16_MAX
#define RECIPIENT_HEAD 6 /* number of the status, length of the address */

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

static struct row *row_at(const struct plan_index *index, uint32_t slot)
{
	return index->blocks[slot / BLOCK]->rows[slot % BLOCK];
}

static struct pr_str id_of(const struct row *row)
{
	return (struct pr_str){row->bytes, row->id};
}

static uint32_t hash_of(struct pr_str id)
{
	uint64_t hash = pr_str_hash_nocase(id);

	return (uint32_t)(hash ^ (hash >> 32));
}

static struct row *find(const struct plan_index *index, struct pr_str id)
{
	uint32_t hash = hash_of(id);
	uint32_t slot = index->bucket_count == 0 ? NONE : index->buckets[hash & (index->bucket_count - 1)];

	while (slot != NONE) {
		struct row *row = row_at(index, slot);
		if (row->hash == hash && pr_str_equal(id_of(row), id))
			return row;
		slot = row->next;
	}
	return NULL;
}

static void link_in(struct plan_index *index, struct row *row)
{
	uint32_t *bucket = &index->buckets[row->hash & (index->bucket_count - 1)];

	row->next = *bucket;
	*bucket = row->slot;
}

static void link_out(struct plan_index *index, const struct row *row)
{
	uint32_t *link = &index->buckets[row->hash & (index->bucket_count - 1)];

	while (*link != row->slot)
		link = &row_at(index, *link)->next;
	*link = row->next;
}

/* Twice as many when full, a quarter when nearly empty: what a drained queue needed is not kept. */
static void resize_buckets(struct plan_index *index)
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
				link_in(index, index->blocks[i]->rows[k]);
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

static uint32_t take_slot(struct plan_index *index)
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

static void give_slot(struct plan_index *index, uint32_t slot)
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

static void drop_shared(struct plan_index *index, const struct row *row)
{
	const char *at = row->bytes + row->id + row->sender, *end = at + row->packed;
	uint32_t status;
	uint16_t length;

	intern_drop(&index->shared, row->directory);
	intern_drop(&index->shared, row->body_type);
	intern_drop(&index->shared, row->message);
	intern_drop(&index->shared, row->quarantine);
	while (at < end) {
		memcpy(&status, at, sizeof status);
		memcpy(&length, at + sizeof status, sizeof length);
		intern_drop(&index->shared, status);
		at += RECIPIENT_HEAD + length;
	}
}

static size_t cut(struct pr_str text)
{
	return text.len < PART_MAX ? text.len : PART_MAX;
}

static size_t packed_size(const struct plan_index_row *facts)
{
	size_t size = 0;

	for (size_t i = 0; facts->list != NULL && i < facts->recipients; i++)
		size += RECIPIENT_HEAD + cut(facts->list[i].address);
	return size < NONE ? size : 0;
}

static void pack(struct plan_index *index, const struct plan_index_row *facts, char *at)
{
	for (size_t i = 0; i < facts->recipients; i++) {
		uint32_t status = intern_take(&index->shared, facts->list[i].status);
		uint16_t length = (uint16_t)cut(facts->list[i].address);
		memcpy(at, &status, sizeof status);
		memcpy(at + sizeof status, &length, sizeof length);
		if (length > 0)
			memcpy(at + RECIPIENT_HEAD, facts->list[i].address.data, length);
		at += RECIPIENT_HEAD + length;
	}
}

static struct row *make_row(struct plan_index *index, const struct plan_index_row *facts)
{
	size_t packed = packed_size(facts), sender = cut(facts->sender);
	struct row *row = pr_alloc(sizeof *row + facts->id.len + sender + packed);

	row->id = (uint8_t)facts->id.len;
	row->sender = (uint16_t)sender;
	row->packed = (uint32_t)packed;
	memcpy(row->bytes, facts->id.data, facts->id.len);
	if (sender > 0)
		memcpy(row->bytes + row->id, facts->sender.data, sender);
	if (packed > 0)
		pack(index, facts, row->bytes + row->id + sender);
	row->directory = intern_take(&index->shared, facts->directory);
	row->body_type = intern_take(&index->shared, facts->body_type);
	row->message = intern_take(&index->shared, facts->message);
	row->quarantine = intern_take(&index->shared, facts->quarantine);
	row->recipients = facts->recipients;
	row->flags = facts->flags;
	row->tries = facts->tries < 0 ? 0 : facts->tries < UINT32_MAX ? (uint32_t)facts->tries : UINT32_MAX;
	row->state = (uint8_t)facts->state;
	row->running = facts->running;
	row->complete = facts->complete;
	row->unreadable = facts->unreadable;
	row->size = facts->size;
	row->created = facts->created;
	row->last_try = facts->last_try;
	row->priority = facts->priority;
	return row;
}

static void set_slot(struct plan_index *index, struct row *row)
{
	index->blocks[row->slot / BLOCK]->rows[row->slot % BLOCK] = row;
}

static bool insert(struct plan_index *index, const struct plan_index_row *facts, uint16_t scan)
{
	if (index->count >= index->most || facts->id.len == 0 || facts->id.len > PLAN_INDEX_ID_MAX)
		return false;
	resize_buckets(index);
	struct row *row = make_row(index, facts);
	row->hash = hash_of(facts->id);
	row->seen = scan;
	row->slot = take_slot(index);
	set_slot(index, row);
	link_in(index, row);
	index->count++;
	index->incomplete += !row->complete;
	return true;
}

static void replace(struct plan_index *index, struct row *old, const struct plan_index_row *facts, uint16_t scan)
{
	struct row *row = make_row(index, facts);

	if (row->directory == 0) {
		row->directory = old->directory;
		old->directory = 0;
	}
	row->running = old->running;
	row->hash = old->hash;
	row->slot = old->slot;
	row->seen = scan;
	link_out(index, old);
	set_slot(index, row);
	link_in(index, row);
	index->incomplete += (size_t)!row->complete - (size_t)!old->complete;
	drop_shared(index, old);
	pr_free(old);
}

bool plan_index_touch(struct plan_index *index, struct pr_str id, uint16_t scan)
{
	struct row *row = find(index, id);
	struct plan_index_row bare = {.id = id};

	if (row == NULL)
		return insert(index, &bare, scan);
	row->seen = scan;
	return true;
}

bool plan_index_put(struct plan_index *index, const struct plan_index_row *facts, uint16_t scan)
{
	struct row *row = find(index, facts->id);

	if (row == NULL)
		return insert(index, facts, scan);
	replace(index, row, facts, scan);
	return true;
}

void plan_index_run(struct plan_index *index, struct pr_str id, bool running)
{
	struct row *row = find(index, id);

	if (row != NULL)
		row->running = running;
}

static void remove_row(struct plan_index *index, struct row *row)
{
	link_out(index, row);
	index->count--;
	index->incomplete -= !row->complete;
	give_slot(index, row->slot);
	drop_shared(index, row);
	pr_free(row);
	if (index->count < index->bucket_count / 16)
		resize_buckets(index);
}

void plan_index_remove(struct plan_index *index, struct pr_str id)
{
	struct row *row = find(index, id);

	if (row != NULL)
		remove_row(index, row);
}

static void show(const struct plan_index *index, const struct row *row, struct plan_index_row *out)
{
	const char *sender = row->bytes + row->id;

	*out = (struct plan_index_row){
	    .id = id_of(row), .sender = {row->sender > 0 ? sender : NULL, row->sender}, .packed = {sender + row->sender, row->packed},
	    .directory = intern_text(&index->shared, row->directory), .body_type = intern_text(&index->shared, row->body_type),
	    .message = intern_text(&index->shared, row->message), .quarantine = intern_text(&index->shared, row->quarantine),
	    .size = row->size, .created = row->created, .last_try = row->last_try, .tries = row->tries, .priority = row->priority,
	    .flags = row->flags, .state = row->state, .recipients = row->recipients, .running = row->running,
	    .complete = row->complete, .unreadable = row->unreadable};
}

bool plan_index_find(const struct plan_index *index, struct pr_str id, struct plan_index_row *row_out)
{
	const struct row *row = find(index, id);

	if (row != NULL)
		show(index, row, row_out);
	return row != NULL;
}

static struct row *row_from(const struct plan_index *index, uint32_t *cursor)
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

bool plan_index_next(const struct plan_index *index, uint32_t *cursor, struct plan_index_row *row_out)
{
	const struct row *row = row_from(index, cursor);

	if (row != NULL)
		show(index, row, row_out);
	return row != NULL;
}

bool plan_index_recipient(const struct plan_index *index, const struct plan_index_row *row, size_t *at,
                          struct plan_index_recipient *recipient_out)
{
	uint32_t status;
	uint16_t length;

	if (*at + RECIPIENT_HEAD > row->packed.len)
		return false;
	memcpy(&status, row->packed.data + *at, sizeof status);
	memcpy(&length, row->packed.data + *at + sizeof status, sizeof length);
	recipient_out->address = (struct pr_str){row->packed.data + *at + RECIPIENT_HEAD, length};
	recipient_out->status = intern_text(&index->shared, status);
	*at += RECIPIENT_HEAD + (size_t)length;
	return true;
}

void plan_index_sweep(struct plan_index *index, uint16_t scan)
{
	uint32_t cursor = 0;
	struct row *row;

	while ((row = row_from(index, &cursor)) != NULL)
		if (!row->running && row->seen != scan && row->seen != (uint16_t)(scan - 1))
			remove_row(index, row);
}
