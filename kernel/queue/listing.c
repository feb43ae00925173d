/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gathering: from the store by one cursor, from the daemon by a stream of rows; either way a row is kept as its bytes and a sort key.
 * What another process sends is cut into rows by lengths that are checked first.
 */
#include "kernel/queue/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATHER_ARENA (40u << 20) /* more than the largest envelope a store reads */
#define CHUNK (256u << 10)
#define UNREADABLE_PRIORITY 999999999 /* sendmail puts them behind what it can read */

void listing_fini(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		pr_free(listing->rows[i]);
	pr_free(listing->rows);
	places_fini(&listing->places);
	listing->rows = NULL;
	listing->count = listing->room = 0;
}

static bool is_kind(const struct plan_index_row *row, enum queue_kind kind)
{
	switch (row->state) {
	case PR_ENTRY_LOST:
		return kind == QUEUE_LOST;
	case PR_ENTRY_HELD:
	case PR_ENTRY_QUARANTINED:
		return kind == QUEUE_QUARANTINED;
	default:
		return kind == QUEUE_WAITING;
	}
}

static uint32_t place_of(struct listing *listing, struct pr_str directory)
{
	for (size_t i = 0; i < listing->places.count; i++)
		if (pr_str_equal(pr_str(listing->places.items[i].path), directory))
			return (uint32_t)i;
	/* a store without directories, or a message of which only the id is known */
	if (directory.len == 0 && listing->places.count > 0)
		return 0;
	places_add(&listing->places, directory.len > 0 ? directory : PR_STR("mqueue"), PR_NONE);
	return listing->places.count > 0 ? (uint32_t)listing->places.count - 1 : 0;
}

static struct pr_str first_recipient(struct plan_index_row row)
{
	struct plan_index_recipient first;

	return row_next(&row, &first) ? first.address : PR_NONE;
}

static int64_t key_of(const struct listing *listing, const struct plan_index_row *row)
{
	struct plan_facts facts = {.id = row->id, .priority = row->unreadable && row->priority == 0 ? UNREADABLE_PRIORITY : row->priority,
	                           .created = row->created, .last_try = row->last_try};

	if (listing->sort == PLAN_BY_HOST)
		facts.recipient = first_recipient(*row);
	return plan_sort_key(listing->sort, &facts);
}

bool listing_add(struct listing *listing, struct pr_str bytes)
{
	struct plan_index_row row;

	if (!row_read(bytes, &row))
		return false;
	if (!is_kind(&row, listing->kind) || (listing->filter != NULL && !listing->filter(listing->filter_context, &row)))
		return true;
	uint32_t place = place_of(listing, row.directory);
	const char *group = place < listing->places.count ? listing->places.items[place].group : NULL;
	if (listing->group.len > 0 && (group == NULL || !pr_str_equal_nocase(pr_str(group), listing->group)))
		return true;
	if (listing->count == listing->room) {
		listing->room = listing->room == 0 ? 64 : 2 * listing->room;
		listing->rows = pr_resize(listing->rows, listing->room * sizeof(struct listed *));
	}
	struct listed *listed = pr_alloc(sizeof *listed + bytes.len);
	listed->key = key_of(listing, &row);
	listed->created = row.created;
	listed->place = place;
	listed->length = (uint32_t)bytes.len;
	memcpy(listed->bytes, bytes.data, bytes.len);
	listing->rows[listing->count++] = listed;
	return true;
}

static enum pr_status gather_all(struct listing *listing, struct module_scope *scope)
{
	struct pr_envelope *envelope;
	struct plan_index_row row;
	struct pr_entry entry;
	struct pr_text bytes;
	void *cursor = NULL;
	enum pr_status status;

	pr_text_init(&bytes, 2 * (size_t)ROW_MAX);
	for (;;) {
		entry = (struct pr_entry){.size = sizeof entry};
		envelope = NULL;
		status = store_list(scope, &cursor, &entry, &envelope);
		if (status != PR_OK)
			break;
		row_from_store(&entry, envelope, scope->arena, &row);
		pr_text_clear(&bytes);
		if (row_write(NULL, &row, &bytes))
			(void)listing_add(listing, pr_text_str(&bytes));
		pr_arena_reset(scope->arena);
	}
	pr_text_fini(&bytes);
	return status == PR_NOTFOUND ? PR_OK : status;
}

enum pr_status listing_gather(struct listing *listing, struct module_scope *scope)
{
	struct pr_arena *callers = scope->arena, arena;

	/* an arena of our own, emptied after every message */
	pr_arena_init(&arena, GATHER_ARENA);
	scope->arena = &arena;
	enum pr_status status = gather_all(listing, scope);
	scope->arena = callers;
	if (status != PR_OK)
		scope->reason = pr_arena_copy(callers, scope->reason);
	pr_arena_fini(&arena);
	return status;
}

/* What has come and was not yet looked at. */
struct stream {
	int fd;
	struct pr_text text;
	size_t at;
};

static bool more(struct stream *stream)
{
	char chunk[CHUNK / 4];
	ssize_t got;

	if (stream->at > CHUNK) {
		pr_text_consume(&stream->text, stream->at);
		stream->at = 0;
	}
	do
		got = read(stream->fd, chunk, sizeof chunk);
	while (got < 0 && errno == EINTR);
	return got > 0 && pr_text_add(&stream->text, chunk, (size_t)got);
}

static struct pr_str unread(const struct stream *stream)
{
	struct pr_str all = pr_text_str(&stream->text);

	return pr_str_slice(all, stream->at, all.len);
}

/* Borrowed until more() is called. */
static bool take_line(struct stream *stream, struct pr_str *line_out)
{
	for (;;) {
		struct pr_str rest = unread(stream);
		size_t end = pr_str_find(rest, '\n');
		if (end < rest.len) {
			stream->at += end + 1;
			*line_out = pr_str_slice(rest, 0, end);
			return true;
		}
		if (rest.len > 8192 || !more(stream))
			return false;
	}
}

static bool take_row(struct stream *stream, struct pr_str *row_out)
{
	uint32_t length = 0;

	for (;;) {
		struct pr_str rest = unread(stream);
		if (rest.len >= sizeof length) {
			memcpy(&length, rest.data, sizeof length);
			if (length != 0 && (length < sizeof(struct row_head) || length > ROW_MAX))
				return false;
			size_t whole = length == 0 ? sizeof length : length;
			if (rest.len >= whole) {
				stream->at += whole;
				*row_out = pr_str_slice(rest, 0, length);
				return true;
			}
		}
		if (!more(stream))
			return false;
	}
}

static bool after(struct pr_str line, struct pr_str word, struct pr_str *rest_out)
{
	if (!pr_str_has_prefix_nocase(line, word))
		return false;
	*rest_out = pr_str_slice(line, word.len, line.len);
	return true;
}

static enum listing_answer receive(struct listing *listing, struct stream *stream, struct pr_str queue)
{
	struct pr_str line, rest;

	if (!take_line(stream, &line))
		return LISTING_NONE;
	if (pr_str_equal(line, PR_STR("DENIED")))
		return LISTING_DENIED;
	if (!after(line, PR_STR("QUEUE 1 "), &rest))
		return LISTING_NONE;
	if (!pr_str_equal(rest, queue))
		return LISTING_OTHER;
	while (take_line(stream, &line) && after(line, PR_STR("PLACE "), &rest)) {
		size_t blank = pr_str_find(rest, ' ');
		places_add(&listing->places, pr_str_slice(rest, blank + 1, rest.len), pr_str_slice(rest, 0, blank));
	}
	if (!after(line, PR_STR("ROWS"), &rest))
		return LISTING_NONE;
	while (take_row(stream, &line)) {
		if (line.len == 0)
			return LISTING_WHOLE;
		if (!listing_add(listing, line))
			return LISTING_NONE;
	}
	return LISTING_NONE;
}

enum listing_answer listing_receive(struct listing *listing, int fd, struct pr_str queue)
{
	struct stream stream = {.fd = fd};

	pr_text_init(&stream.text, ROW_MAX + 2 * (size_t)CHUNK);
	enum listing_answer answer = receive(listing, &stream, queue);
	pr_text_fini(&stream.text);
	if (answer != LISTING_WHOLE)
		listing_fini(listing);
	return answer;
}
