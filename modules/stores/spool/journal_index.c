/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of the journal still needs somebody, by queue id and, for each segment, by age.
 * The table grows with what the journal holds, which is bounded by the journal's size.
 */
#include "spool.h"

#include <string.h>

#define BUCKETS_FIRST 1024

static size_t bucket_of(const struct journal_reader *reader, const char *id)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * 0x100000001b3u;
	return (size_t)(hash ^ (hash >> 32)) & (reader->bucket_count - 1);
}

struct journal_entry *journal_find(const struct journal_reader *reader, const char *id)
{
	struct journal_entry *entry = reader->bucket_count == 0 ? NULL : reader->buckets[bucket_of(reader, id)];

	while (entry != NULL && strcmp(entry->id, id) != 0)
		entry = entry->hash_next;
	return entry;
}

static void hash_in(struct journal_reader *reader, struct journal_entry *entry)
{
	struct journal_entry **bucket = &reader->buckets[bucket_of(reader, entry->id)];

	entry->hash_next = *bucket;
	*bucket = entry;
}

static void grow(struct journal_reader *reader)
{
	struct journal_entry **old = reader->buckets;
	size_t old_count = reader->bucket_count;

	reader->bucket_count = old_count == 0 ? BUCKETS_FIRST : 2 * old_count;
	reader->buckets = pr_alloc(reader->bucket_count * sizeof *reader->buckets);
	for (size_t i = 0; i < old_count; i++)
		for (struct journal_entry *entry = old[i], *next; entry != NULL; entry = next) {
			next = entry->hash_next;
			hash_in(reader, entry);
		}
	pr_free(old);
}

void journal_insert(struct journal_reader *reader, struct journal_entry *entry)
{
	struct journal_segment *segment = &reader->segments[entry->segment];

	if (reader->count >= reader->bucket_count)
		grow(reader);
	hash_in(reader, entry);
	reader->count++;
	entry->previous = segment->last;
	if (segment->last != NULL)
		segment->last->next = entry;
	else
		segment->first = entry;
	segment->last = entry;
}

static void take_out(struct journal_reader *reader, struct journal_entry *entry)
{
	struct journal_segment *segment = &reader->segments[entry->segment];
	struct journal_entry **link = &reader->buckets[bucket_of(reader, entry->id)];

	while (*link != entry)
		link = &(*link)->hash_next;
	*link = entry->hash_next;
	reader->count--;
	if (entry->previous != NULL)
		entry->previous->next = entry->next;
	else
		segment->first = entry->next;
	if (entry->next != NULL)
		entry->next->previous = entry->previous;
	else
		segment->last = entry->previous;
}

uint32_t journal_mark_value(uint64_t generation, uint32_t index)
{
	uint64_t hash = (generation * 0x9e3779b97f4a7c15u) ^ ((uint64_t)index * 0xc2b2ae3d27d4eb4fu);

	hash ^= hash >> 29;
	return (uint32_t)(hash ^ (hash >> 32)) | 1u;
}

uint32_t journal_claim_value(uint64_t generation, uint32_t index)
{
	return journal_mark_value(generation, index) ^ 0x80000000u;
}

uint32_t *journal_mark_place(struct journal_segment *segment, uint32_t index)
{
	return (uint32_t *)(void *)((char *)segment->done + JOURNAL_HEAD) + index;
}

void journal_set_state(struct journal_reader *reader, struct journal_entry *entry, enum journal_state state)
{
	struct journal_segment *segment = &reader->segments[entry->segment];
	bool claimed = state == JOURNAL_CLAIMED;

	/* FILING says nothing new: what was claimed stays so until it is a file, which has a lock */
	if (state != JOURNAL_FILING && claimed != (entry->state == JOURNAL_CLAIMED))
		*journal_mark_place(segment, entry->index) = claimed ? journal_claim_value(segment->generation, entry->index) : 0;
	entry->state = (uint8_t)state;
}

void journal_mark(struct journal_reader *reader, struct journal_entry *entry)
{
	struct journal_segment *segment = &reader->segments[entry->segment];

	*journal_mark_place(segment, entry->index) = journal_mark_value(segment->generation, entry->index);
	segment->dirty = true;
	take_out(reader, entry);
	pr_free(entry);
}

void journal_index_fini(struct journal_reader *reader)
{
	for (size_t i = 0; i < reader->bucket_count; i++)
		for (struct journal_entry *entry = reader->buckets[i], *next; entry != NULL; entry = next) {
			next = entry->hash_next;
			pr_free(entry);
		}
	pr_free(reader->buckets);
	reader->buckets = NULL;
	reader->bucket_count = reader->count = 0;
}
