/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One block of records and one array of slots.
 * The slot holds half of the hash, so that most keys that are not there are told without touching a record.
 */
#include "memory.h"

#include <stdatomic.h>
#include <string.h>

struct record { /* followed by key and value */
	uint32_t key_len;
	uint32_t value_len;
	uint32_t nul;
	uint32_t hash;
};

struct slot {
	uint32_t hash;
	uint32_t place; /* in units of 8 bytes, plus one; 0: free */
};

#define UNIT 8u
#define BLOCK_MAX ((size_t)UINT32_MAX * UNIT / 2)

struct memory {
	atomic_uint references;
	char *block;
	size_t used, room, count;
	struct slot *slots;
	size_t mask;
};

struct memory *memory_new(void)
{
	struct memory *table = pr_alloc(sizeof *table);

	atomic_init(&table->references, 1);
	return table;
}

struct memory *memory_hold(struct memory *table)
{
	atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
	return table;
}

void memory_release(struct memory *table)
{
	if (table == NULL || atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) != 1)
		return;
	pr_free(table->block);
	pr_free(table->slots);
	pr_free(table);
}

/* Eight bytes a step; the ends of short keys are read once. */
static uint32_t hash_of(struct pr_str key)
{
	uint64_t sum = 0x9e3779b97f4a7c15u ^ key.len, word;
	const char *at = key.data;
	size_t left = key.len;

	for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
		memcpy(&word, at, sizeof word);
		sum = (sum ^ word) * 0xff51afd7ed558ccdu;
		sum ^= sum >> 32;
	}
	word = 0;
	if (left > 0)
		memcpy(&word, at, left);
	sum = (sum ^ word) * 0xc4ceb9fe1a85ec53u;
	sum ^= sum >> 29;
	return (uint32_t)(sum ^ (sum >> 32));
}

static struct pr_str without_nul(struct pr_str text)
{
	if (text.len > 0 && text.data[text.len - 1] == '\0')
		text.len--;
	return text;
}

static bool make_room(struct memory *table, size_t size)
{
	if (size > BLOCK_MAX || table->used > BLOCK_MAX - size)
		return false;
	if (table->used + size <= table->room)
		return true;
	while (table->room < table->used + size)
		table->room = table->room == 0 ? 65536 : table->room * 2;
	table->block = pr_resize(table->block, table->room);
	return true;
}

bool memory_add(struct memory *table, struct pr_str key, struct pr_str value)
{
	bool nul = key.len > 0 && key.data[key.len - 1] == '\0';

	key = without_nul(key);
	if (nul)
		value = without_nul(value);
	size_t size = (sizeof(struct record) + key.len + value.len + UNIT - 1) / UNIT * UNIT;
	if (key.len > UINT32_MAX / 4 || value.len > UINT32_MAX / 4 || !make_room(table, size))
		return false;
	struct record record = { (uint32_t)key.len, (uint32_t)value.len, nul, hash_of(key) };
	char *at = table->block + table->used;
	memcpy(at, &record, sizeof record);
	if (key.len > 0)
		memcpy(at + sizeof record, key.data, key.len);
	if (value.len > 0)
		memcpy(at + sizeof record + key.len, value.data, value.len);
	table->used += size;
	table->count++;
	return true;
}

static const struct record *record_at(const struct memory *table, size_t place)
{
	return (const struct record *)(const void *)(table->block + place);
}

static size_t size_of(const struct record *record)
{
	return (sizeof *record + record->key_len + record->value_len + UNIT - 1) / UNIT * UNIT;
}

static struct pr_str key_of(const struct record *record)
{
	return (struct pr_str){ (const char *)(record + 1), record->key_len };
}

static struct pr_str value_of(const struct record *record)
{
	return (struct pr_str){ (const char *)(record + 1) + record->key_len, record->value_len };
}

void memory_seal(struct memory *table)
{
	size_t slots = 16;

	while (slots < table->count * 2)
		slots *= 2;
	table->slots = pr_alloc(slots * sizeof *table->slots);
	table->mask = slots - 1;
	for (size_t place = 0; place < table->used;) {
		const struct record *record = record_at(table, place);
		size_t at = record->hash & table->mask;
		while (table->slots[at].place != 0)
			at = (at + 1) & table->mask;
		table->slots[at] = (struct slot){ record->hash, (uint32_t)(place / UNIT) + 1 };
		place += size_of(record);
	}
}

/* Equal keys stand in the order in which they were added, so the first that fits counts. */
bool memory_find(const struct memory *table, struct pr_str key, bool plain, bool nul, struct pr_str *value_out)
{
	uint32_t hash = hash_of(key);
	const struct record *second = NULL;

	for (size_t at = hash & table->mask; table->slots[at].place != 0; at = (at + 1) & table->mask) {
		if (table->slots[at].hash != hash)
			continue;
		const struct record *record = record_at(table, (size_t)(table->slots[at].place - 1) * UNIT);
		if (record->key_len != key.len || memcmp(record + 1, key.data, key.len) != 0)
			continue;
		if (!record->nul && plain) {
			*value_out = value_of(record);
			return true;
		}
		if (record->nul && nul && second == NULL)
			second = record;
	}
	if (second != NULL)
		*value_out = value_of(second);
	return second != NULL;
}

bool memory_next(const struct memory *table, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	if (*cursor >= table->used)
		return false;
	const struct record *record = record_at(table, (size_t)*cursor);
	*key_out = key_of(record);
	*value_out = value_of(record);
	*cursor += size_of(record);
	return true;
}
