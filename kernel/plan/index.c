/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One allocation for each message, numbers first and texts behind them; slots that a walk can count through; a hash of slot numbers.
 * Emptied slots are used again, so an index that breathes stays as large as its largest breath.
 */
#include "kernel/plan/index.h"

#include <string.h>

#define NONE UINT32_MAX

struct shared_text {
	char *text;
	uint32_t references, next; /* in its bucket, or free */
};

struct index_entry {
	int64_t created, last_try, tries, priority, size;
	uint32_t round, next; /* in its bucket */
	uint32_t queue, body_type, message; /* shared texts */
	uint32_t recipients;  /* bytes, with their NULs */
	uint16_t flags, sender;
	uint8_t state, id;
	char text[];          /* id, sender, recipients */
};

struct queue_index {
	struct index_entry **slots;
	uint32_t *buckets, *unused;
	uint32_t slot_count, slot_room, unused_count, bucket_count;
	size_t count;
	struct shared_text *texts;
	uint32_t *text_buckets;
	uint32_t text_count, text_room, text_unused, text_bucket_count;
};

struct queue_index *index_new(void)
{
	struct queue_index *index = pr_alloc(sizeof *index);

	index->text_unused = NONE;
	return index;
}

void index_free(struct queue_index *index)
{
	if (index == NULL)
		return;
	for (uint32_t i = 0; i < index->slot_count; i++)
		pr_free(index->slots[i]);
	for (uint32_t i = 0; i < index->text_count; i++)
		pr_free(index->texts[i].text);
	pr_free(index->slots);
	pr_free(index->buckets);
	pr_free(index->unused);
	pr_free(index->texts);
	pr_free(index->text_buckets);
	pr_free(index);
}

static uint32_t hash_of(struct pr_str text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
	return (uint32_t)(hash ^ (hash >> 32));
}

static uint32_t *new_buckets(uint32_t count)
{
	uint32_t *buckets = pr_alloc(count * sizeof *buckets);

	memset(buckets, 0xff, count * sizeof *buckets);
	return buckets;
}

/* shared texts ------------------------------------------------------------ */

static void grow_texts(struct queue_index *index)
{
	index->text_bucket_count = index->text_bucket_count == 0 ? 64 : 2 * index->text_bucket_count;
	pr_free(index->text_buckets);
	index->text_buckets = new_buckets(index->text_bucket_count);
	for (uint32_t i = 0; i < index->text_count; i++) {
		struct shared_text *text = &index->texts[i];
		if (text->text == NULL)
			continue;
		uint32_t *bucket = &index->text_buckets[hash_of(pr_str(text->text)) & (index->text_bucket_count - 1)];
		text->next = *bucket;
		*bucket = i;
	}
}

static uint32_t new_text(struct queue_index *index)
{
	uint32_t number = index->text_unused;

	if (number != NONE) {
		index->text_unused = index->texts[number].next;
		return number;
	}
	if (index->text_count == index->text_room) {
		index->text_room = index->text_room == 0 ? 64 : 2 * index->text_room;
		index->texts = pr_resize(index->texts, index->text_room * sizeof *index->texts);
	}
	return index->text_count++;
}

static uint32_t share(struct queue_index *index, struct pr_str text)
{
	if (text.len == 0)
		return NONE;
	if (index->text_count >= index->text_bucket_count)
		grow_texts(index);
	uint32_t *bucket = &index->text_buckets[hash_of(text) & (index->text_bucket_count - 1)];
	for (uint32_t at = *bucket; at != NONE; at = index->texts[at].next)
		if (pr_str_equal(pr_str(index->texts[at].text), text)) {
			index->texts[at].references++;
			return at;
		}
	uint32_t number = new_text(index);
	index->texts[number] = (struct shared_text){pr_copy_str(text), 1, *bucket};
	*bucket = number;
	return number;
}

static void unshare(struct queue_index *index, uint32_t number)
{
	if (number == NONE || --index->texts[number].references > 0)
		return;
	struct shared_text *text = &index->texts[number];
	uint32_t *link = &index->text_buckets[hash_of(pr_str(text->text)) & (index->text_bucket_count - 1)];
	while (*link != number)
		link = &index->texts[*link].next;
	*link = text->next;
	pr_free(text->text);
	text->text = NULL;
	text->next = index->text_unused;
	index->text_unused = number;
}

static struct pr_str shared(const struct queue_index *index, uint32_t number)
{
	return number == NONE ? PR_NONE : pr_str(index->texts[number].text);
}

/* entries ----------------------------------------------------------------- */

static struct pr_str id_of(const struct index_entry *entry)
{
	return (struct pr_str){entry->text, entry->id};
}

static uint32_t *bucket_of(const struct queue_index *index, struct pr_str id)
{
	return &index->buckets[hash_of(id) & (index->bucket_count - 1)];
}

static uint32_t find(const struct queue_index *index, struct pr_str id)
{
	uint32_t at = index->bucket_count == 0 ? NONE : *bucket_of(index, id);

	while (at != NONE && !pr_str_equal(id_of(index->slots[at]), id))
		at = index->slots[at]->next;
	return at;
}

static void grow_buckets(struct queue_index *index)
{
	index->bucket_count = index->bucket_count == 0 ? 256 : 2 * index->bucket_count;
	pr_free(index->buckets);
	index->buckets = new_buckets(index->bucket_count);
	for (uint32_t i = 0; i < index->slot_count; i++) {
		if (index->slots[i] == NULL)
			continue;
		uint32_t *bucket = bucket_of(index, id_of(index->slots[i]));
		index->slots[i]->next = *bucket;
		*bucket = i;
	}
}

static uint32_t new_slot(struct queue_index *index)
{
	if (index->unused_count > 0)
		return index->unused[--index->unused_count];
	if (index->slot_count == index->slot_room) {
		index->slot_room = index->slot_room == 0 ? 256 : 2 * index->slot_room;
		index->slots = pr_resize(index->slots, index->slot_room * sizeof *index->slots);
		index->unused = pr_resize(index->unused, index->slot_room * sizeof *index->unused);
	}
	return index->slot_count++;
}

static void entry_free(struct queue_index *index, struct index_entry *entry)
{
	unshare(index, entry->queue);
	unshare(index, entry->body_type);
	unshare(index, entry->message);
	pr_free(entry);
}

static struct index_entry *entry_new(struct queue_index *index, const struct index_row *row, uint32_t round)
{
	struct pr_str sender = pr_str_slice(row->sender, 0, UINT16_MAX);
	struct index_entry *entry = pr_resize(NULL, sizeof *entry + row->id.len + sender.len + row->recipients.len);
	char *at = entry->text;

	*entry = (struct index_entry){.created = row->created, .last_try = row->last_try, .tries = row->tries, .priority = row->priority,
	                              .size = row->size, .round = round, .queue = share(index, row->queue),
	                              .body_type = share(index, row->body_type), .message = share(index, row->message),
	                              .recipients = (uint32_t)row->recipients.len, .flags = (uint16_t)row->flags, .sender = (uint16_t)sender.len,
	                              .state = (uint8_t)row->state, .id = (uint8_t)row->id.len};
	memcpy(at, row->id.data, row->id.len);
	at += row->id.len;
	if (sender.len > 0)
		memcpy(at, sender.data, sender.len);
	if (row->recipients.len > 0)
		memcpy(at + sender.len, row->recipients.data, row->recipients.len);
	return entry;
}

void index_put(struct queue_index *index, const struct index_row *row, uint32_t round)
{
	if (row->id.len == 0 || row->id.len > 63)
		return;
	struct index_entry *entry = entry_new(index, row, round);
	uint32_t slot = find(index, row->id);

	if (slot != NONE) {
		entry->next = index->slots[slot]->next;
		entry_free(index, index->slots[slot]);
		index->slots[slot] = entry;
		return;
	}
	if (index->count >= index->bucket_count)
		grow_buckets(index);
	slot = new_slot(index);
	index->slots[slot] = entry;
	uint32_t *bucket = bucket_of(index, row->id);
	entry->next = *bucket;
	*bucket = slot;
	index->count++;
}

static void remove_slot(struct queue_index *index, uint32_t slot)
{
	struct index_entry *entry = index->slots[slot];
	uint32_t *link = bucket_of(index, id_of(entry));

	while (*link != slot)
		link = &index->slots[*link]->next;
	*link = entry->next;
	entry_free(index, entry);
	index->slots[slot] = NULL;
	index->unused[index->unused_count++] = slot;
	index->count--;
}

void index_remove(struct queue_index *index, struct pr_str id)
{
	uint32_t slot = index->count == 0 ? NONE : find(index, id);

	if (slot != NONE)
		remove_slot(index, slot);
}

bool index_seen(struct queue_index *index, struct pr_str id, int64_t last_try, uint32_t state, uint32_t round)
{
	uint32_t slot = find(index, id);

	if (slot == NONE || index->slots[slot]->queue == NONE || index->slots[slot]->last_try != last_try || index->slots[slot]->state != state)
		return false;
	index->slots[slot]->round = round;
	return true;
}

bool index_has(const struct queue_index *index, struct pr_str id)
{
	return find(index, id) != NONE;
}

bool index_next_unseen(const struct queue_index *index, size_t *cursor, uint32_t round, struct pr_str *id_out)
{
	while (*cursor < index->slot_count) {
		const struct index_entry *entry = index->slots[(*cursor)++];
		if (entry != NULL && entry->round < round) {
			*id_out = id_of(entry);
			return true;
		}
	}
	return false;
}

size_t index_count(const struct queue_index *index)
{
	return index->count;
}

bool index_next(const struct queue_index *index, size_t *cursor, struct index_row *row_out)
{
	while (*cursor < index->slot_count) {
		const struct index_entry *entry = index->slots[(*cursor)++];
		if (entry == NULL)
			continue;
		const char *sender = entry->text + entry->id, *recipients = sender + entry->sender;
		*row_out = (struct index_row){id_of(entry), shared(index, entry->queue), {sender, entry->sender}, shared(index, entry->body_type),
		                              shared(index, entry->message), {recipients, entry->recipients}, entry->created, entry->last_try,
		                              entry->tries, entry->priority, entry->size, entry->state, entry->flags};
		return true;
	}
	return false;
}
