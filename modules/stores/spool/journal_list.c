/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal for those who look: a scan, mailq, a peek.
 * Who holds the lease looks into the index; anybody else reads the segments and marks as they stand, and touches nothing.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct listed {
	struct journal_record head;
	uint64_t offset;
	uint32_t segment;
	bool claimed, shown;
};

struct journal_listing {
	struct listed *items;
	size_t count, room, at;
	bool sorted; /* by id: the walk is over */
	/* while one segment is read */
	struct spool *spool;
	uint32_t segment;
	int done_fd;
	bool has_holder;
	uint64_t generation;
	int log_fd[JOURNAL_SEGMENTS_MAX]; /* open from the first look on; -1 */
};

static struct listed *add(struct journal_listing *listing)
{
	if (listing->count == listing->room) {
		listing->room = listing->room == 0 ? 64 : 2 * listing->room;
		listing->items = pr_resize(listing->items, listing->room * sizeof *listing->items);
	}
	memset(&listing->items[listing->count], 0, sizeof *listing->items);
	return &listing->items[listing->count++];
}

static uint32_t mark_of(const struct journal_listing *listing, uint32_t index)
{
	uint32_t mark;

	return listing->done_fd >= 0 && pread(listing->done_fd, &mark, sizeof mark, JOURNAL_HEAD + (off_t)index * 4) == (ssize_t)sizeof mark ? mark : 0;
}

/* Marks of claims are the lease holder's: when there is none, they are what a crash has left. */
static bool has_holder(const struct spool *spool)
{
	int fd = openat(spool->journal.directory, "lease", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool held = fd < 0 ? errno != ENOENT : flock(fd, LOCK_SH | LOCK_NB) != 0;

	if (fd >= 0)
		close(fd);
	return held;
}

static void list_record(void *context, const struct journal_record *record, uint64_t offset)
{
	struct journal_listing *listing = context;

	/* a file of that name is newer, whatever the marks say: they are set when it is durable */
	uint32_t mark = mark_of(listing, record->index);
	if (mark == journal_mark_value(listing->generation, record->index) || !spool_id_is_valid(pr_str(record->id)) ||
	    spool_place_of(listing->spool, "qhQ", record->id) != NULL)
		return;

	struct listed *item = add(listing);

	item->head = *record;
	item->offset = offset;
	item->segment = listing->segment;
	item->claimed = listing->has_holder && mark == journal_claim_value(listing->generation, record->index);
}

/* Readers without the lease: the marks count only when they are of this generation. */
static void list_segment(struct pr_call *call, struct journal_listing *listing, uint32_t number)
{
	struct spool *spool = spool_of(call);
	int error = 0;
	int directory = spool->journal.directory, flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(directory, journal_log_name(number).text, flags);
	struct journal_head done;

	if (fd < 0)
		return;
	listing->log_fd[number] = fd;
	listing->spool = spool;
	listing->segment = number;
	listing->generation = journal_generation(fd, number);
	listing->done_fd = openat(directory, journal_done_name(number).text, flags);
	if (listing->done_fd >= 0 && journal_read_head(listing->done_fd, number, &done)) {
		if (done.retired >= listing->generation)
			listing->generation = 0;
		else if (done.generation != listing->generation) {
			close(listing->done_fd);
			listing->done_fd = -1;
		}
	}
	if (listing->generation != 0)
		journal_walk(fd, listing->generation, JOURNAL_HEAD, list_record, listing, &error);
	if (error != 0)
		call->host->log(call, PR_LOG_ERR, "cannot read %s/journal/%s: %s; the list lacks what is in it", spool_of(call)->path,
		                journal_log_name(number).text, strerror(error));
	if (listing->done_fd >= 0)
		close(listing->done_fd);
	listing->done_fd = -1;
}

static void list_index(struct spool *spool, struct journal_listing *listing)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	journal_tail(spool);
	pthread_mutex_lock(&reader->lock);
	for (uint32_t i = 0; i < spool->journal.count; i++)
		for (const struct journal_entry *entry = reader->segments[i].first; entry != NULL; entry = entry->next) {
			/* one whose files are being written may come too late for who then looks for files; twice is sorted out there */
			if (entry->state == JOURNAL_FILED || !journal_is_visible(reader, entry, now.tv_sec))
				continue;

			struct listed *item = add(listing);

			item->head = (struct journal_record){.control = entry->control, .body = entry->body, .payload_crc = entry->payload_crc,
			                                     .flags = entry->flags};
			memcpy(item->head.id, entry->id, sizeof item->head.id);
			snprintf(item->head.place, sizeof item->head.place, "%.*s", PR_PRINT(entry->place->name));
			item->offset = entry->offset;
			item->segment = i;
			item->claimed = entry->state == JOURNAL_CLAIMED;
		}
	pthread_mutex_unlock(&reader->lock);
}

struct journal_listing *journal_list(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	struct journal_listing *listing;

	if (!journal_open_directory(spool))
		return NULL;
	listing = pr_alloc(sizeof *listing);
	for (uint32_t i = 0; i < JOURNAL_SEGMENTS_MAX; i++)
		listing->log_fd[i] = -1;
	listing->done_fd = -1;
	if (journal_hold(call))
		list_index(spool, listing);
	else {
		listing->has_holder = has_holder(spool);
		for (uint32_t i = 0; i < spool->journal.count; i++)
			list_segment(call, listing, i);
	}
	return listing;
}

static int log_of(const struct spool *spool, const struct journal_listing *listing, const struct listed *item)
{
	return listing->log_fd[item->segment] >= 0 ? listing->log_fd[item->segment] : spool->journal.reader.segments[item->segment].fd;
}

static void fill(struct pr_call *call, const struct listed *item, const struct spool_record *record, struct pr_entry *entry_out)
{
	const struct spool_place *place = spool_place_find(spool_of(call), pr_str(item->head.place));
	struct pr_entry entry = {.size = sizeof entry, .queue = spool_queue_name(spool_of(call), place), .body_size = record->body,
	                         .directory = pr_str(place->path)};
	struct stat st;

	qf_read_head((struct pr_str){record->data, record->control}, call->arena, &entry);
	entry.id = pr_arena_copy(call->arena, pr_str(item->head.id));
	if (item->claimed)
		entry.state = PR_ENTRY_CLAIMED;
	if ((item->head.flags & JOURNAL_BODY_FILED) != 0 &&
	    fstatat(place->data_fd, spool_name('d', item->head.id).text, &st, AT_SYMLINK_NOFOLLOW) == 0)
		entry.body_size = st.st_size;
	*entry_out = entry;
}

/* The envelope of a record that is good; NULL when it cannot be read. */
static void show_envelope(struct pr_call *call, const struct spool_record *record, const struct pr_entry *entry, struct pr_envelope **envelope_out)
{
	if (envelope_out == NULL)
		return;
	if (qf_read(call, (struct pr_str){record->data, record->control}, envelope_out) != PR_OK) {
		*envelope_out = NULL;
		return;
	}
	(*envelope_out)->body_size = entry->body_size;
	(*envelope_out)->id = entry->id;
}

bool journal_list_next(struct pr_call *call, struct journal_listing *listing, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	while (listing->at < listing->count) {
		struct listed *item = &listing->items[listing->at++];
		struct spool_record *record = journal_load_from(log_of(spool_of(call), listing, item), &item->head, item->offset);
		bool good = record->bad == 0; /* else it was finished meanwhile and written over, or a claim will say what is wrong */

		if (good) {
			fill(call, item, record, entry_out);
			show_envelope(call, record, entry_out, envelope_out);
		}
		spool_record_release(record);
		item->shown = good && entry_out->id.data != NULL;
		if (item->shown)
			return true;
	}
	return false;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->head.id, ((const struct listed *)b)->head.id);
}

bool journal_list_has_shown(struct journal_listing *listing, const char *id)
{
	struct listed key = {.segment = 0};

	if (listing == NULL || listing->count == 0 || strlen(id) >= sizeof key.head.id)
		return false;
	if (!listing->sorted)
		qsort(listing->items, listing->count, sizeof *listing->items, by_id);
	listing->sorted = true;
	memcpy(key.head.id, id, strlen(id));

	const struct listed *found = bsearch(&key, listing->items, listing->count, sizeof *listing->items, by_id);

	return found != NULL && found->shown;
}

void journal_list_free(struct journal_listing *listing)
{
	if (listing == NULL)
		return;
	for (uint32_t i = 0; i < JOURNAL_SEGMENTS_MAX; i++)
		if (listing->log_fd[i] >= 0)
			close(listing->log_fd[i]);
	pr_free(listing->items);
	pr_free(listing);
}

static const struct listed *find(const struct journal_listing *listing, const char *id)
{
	for (size_t i = 0; listing != NULL && i < listing->count; i++)
		if (strcmp(listing->items[i].head.id, id) == 0)
			return &listing->items[i];
	return NULL;
}

enum pr_status journal_peek(struct pr_call *call, const char *id, struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	struct spool *spool = spool_of(call);
	struct journal_listing *listing = journal_list(call);
	const struct listed *item = find(listing, id);
	enum pr_status status = PR_NOTFOUND;

	if (item != NULL) {
		struct spool_record *record = journal_load_from(log_of(spool, listing, item), &item->head, item->offset);

		status = record->bad != 0 ? PR_NOTFOUND : qf_read(call, (struct pr_str){record->data, record->control}, envelope_out);
		if (status == PR_OK) {
			struct pr_entry entry;

			fill(call, item, record, &entry);
			(*envelope_out)->body_size = entry.body_size;
			(*envelope_out)->id = entry.id;
			if (entry_out != NULL)
				*entry_out = entry;
		}
		spool_record_release(record);
	}
	journal_list_free(listing);
	return status;
}

bool journal_has(struct spool *spool, const char *id)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->lock);
	bool has = journal_find(reader, id) != NULL;
	pthread_mutex_unlock(&reader->lock);
	return has;
}

bool journal_is_listed(struct pr_call *call, const char *id, bool *claimed_out)
{
	struct journal_listing *listing = journal_list(call);
	const struct listed *item = find(listing, id);
	bool listed = item != NULL;

	if (listed)
		*claimed_out = item->claimed;
	journal_list_free(listing);
	return listed;
}
