/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash by content over an array by number; free numbers are chained and used again.
 * Counting is not locked: the table belongs to one index and shares its lock.
 */
#include "kernel/plan/intern.h"

#include <string.h>

struct intern_entry {
	uint32_t references, next, hash, length;
	char bytes[];
};

void intern_init(struct intern *table)
{
	*table = (struct intern){.entries = NULL};
}

void intern_fini(struct intern *table)
{
	for (size_t i = 0; i < table->room; i++)
		pr_free(table->entries[i]);
	pr_free(table->entries);
	pr_free(table->next_unused);
	pr_free(table->buckets);
	*table = (struct intern){.entries = NULL};
}

static uint32_t hash_of(struct pr_str text)
{
	uint64_t hash = pr_str_hash_nocase(text);

	return (uint32_t)(hash ^ (hash >> 32));
}

static void link_in(struct intern *table, uint32_t number)
{
	struct intern_entry *entry = table->entries[number - 1];
	uint32_t *bucket = &table->buckets[entry->hash & (table->bucket_count - 1)];

	entry->next = *bucket;
	*bucket = number;
}

static void grow(struct intern *table)
{
	size_t room = table->room == 0 ? 64 : 2 * table->room;

	table->entries = pr_resize(table->entries, room * sizeof *table->entries);
	table->next_unused = pr_resize(table->next_unused, room * sizeof *table->next_unused);
	for (size_t i = room; i > table->room; i--) {
		table->entries[i - 1] = NULL;
		table->next_unused[i - 1] = table->unused;
		table->unused = (uint32_t)i;
	}
	pr_free(table->buckets);
	table->bucket_count = room;
	table->buckets = pr_alloc(room * sizeof *table->buckets);
	for (size_t i = 0; i < table->room; i++)
		link_in(table, (uint32_t)i + 1);
	table->room = room;
}

static uint32_t find(const struct intern *table, struct pr_str text, uint32_t hash)
{
	uint32_t number = table->bucket_count == 0 ? 0 : table->buckets[hash & (table->bucket_count - 1)];

	while (number != 0 && (table->entries[number - 1]->hash != hash || !pr_str_equal(intern_text(table, number), text)))
		number = table->entries[number - 1]->next;
	return number;
}

uint32_t intern_take(struct intern *table, struct pr_str text)
{
	if (text.data == NULL)
		return 0;
	if (text.len > INTERN_LENGTH_MAX)
		text.len = INTERN_LENGTH_MAX;
	uint32_t hash = hash_of(text), number = find(table, text, hash);
	if (number == 0) {
		if (table->unused == 0)
			grow(table);
		number = table->unused;
		table->unused = table->next_unused[number - 1];
		struct intern_entry *entry = pr_alloc(sizeof *entry + text.len);
		entry->hash = hash;
		entry->length = (uint32_t)text.len;
		memcpy(entry->bytes, text.data, text.len);
		table->entries[number - 1] = entry;
		table->count++;
		link_in(table, number);
	}
	table->entries[number - 1]->references++;
	return number;
}

void intern_drop(struct intern *table, uint32_t number)
{
	if (number == 0 || --table->entries[number - 1]->references > 0)
		return;
	struct intern_entry *entry = table->entries[number - 1];
	uint32_t *link = &table->buckets[entry->hash & (table->bucket_count - 1)];
	while (*link != number)
		link = &table->entries[*link - 1]->next;
	*link = entry->next;
	pr_free(entry);
	table->entries[number - 1] = NULL;
	table->next_unused[number - 1] = table->unused;
	table->unused = number;
	table->count--;
}

struct pr_str intern_text(const struct intern *table, uint32_t number)
{
	if (number == 0)
		return PR_NONE;
	return (struct pr_str){table->entries[number - 1]->bytes, table->entries[number - 1]->length};
}
