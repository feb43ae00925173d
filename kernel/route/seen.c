/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A chained hash table whose entries also hang on one list in the order they came.  The list makes undoing a pop per
 * entry: the newest entry is always the head of its bucket, unless the table has grown, which keeps that order.
 */
#include "kernel/route/seen.h"

#include <string.h>

static uint64_t hash_bytes(struct pr_str key)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * 1099511628211u;
	return hash;
}

void seen_fini(struct seen *seen)
{
	seen_undo(seen, 0);
	pr_free(seen->buckets);
	*seen = (struct seen){0};
}

struct seen_entry *seen_find(const struct seen *seen, struct pr_str key)
{
	if (seen->bucket_count == 0)
		return NULL;
	uint64_t hash = hash_bytes(key);
	struct seen_entry *entry = seen->buckets[hash & (seen->bucket_count - 1)];
	while (entry != NULL && !(entry->hash == hash && entry->length == key.len && memcmp(entry->key, key.data, key.len) == 0))
		entry = entry->next;
	return entry;
}

/* Rebuilds the buckets from the oldest to the newest entry, so that the newest stand in front again. */
static void grow(struct seen *seen)
{
	size_t room = seen->bucket_count == 0 ? 64 : seen->bucket_count * 2;
	struct seen_entry **tails;

	pr_free(seen->buckets);
	seen->buckets = pr_alloc(room * sizeof *seen->buckets);
	seen->bucket_count = room;
	tails = pr_alloc(room * sizeof *tails);
	/* newest to oldest, each put behind the last of its bucket */
	for (struct seen_entry *entry = seen->newest; entry != NULL; entry = entry->older) {
		size_t slot = entry->hash & (room - 1);
		entry->next = NULL;
		if (tails[slot] == NULL)
			seen->buckets[slot] = entry;
		else
			tails[slot]->next = entry;
		tails[slot] = entry;
	}
	pr_free(tails);
}

struct seen_entry *seen_add(struct seen *seen, struct pr_str key)
{
	if (seen->count >= seen->bucket_count)
		grow(seen);
	struct seen_entry *entry = pr_alloc(sizeof *entry + key.len + 1);
	entry->hash = hash_bytes(key);
	entry->serial = seen->count++;
	entry->length = (uint32_t)key.len;
	memcpy(entry->key, key.data, key.len);
	struct seen_entry **bucket = &seen->buckets[entry->hash & (seen->bucket_count - 1)];
	entry->next = *bucket;
	*bucket = entry;
	entry->older = seen->newest;
	seen->newest = entry;
	return entry;
}

void seen_undo(struct seen *seen, size_t count)
{
	while (seen->count > count) {
		struct seen_entry *entry = seen->newest;
		seen->buckets[entry->hash & (seen->bucket_count - 1)] = entry->next;
		seen->newest = entry->older;
		seen->count--;
		pr_free(entry);
	}
}
