/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading what was appended: many heads with one pread, so that looking for one message finds all that came with it.
 * The payload is read and checked only when somebody claims the message, and then stays in memory with the claim.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define WINDOW (32u << 10)

struct window {
	int fd;
	int error; /* errno of the last read, 0: it went well */
	uint64_t start;
	size_t len;
	char bytes[WINDOW];
};

/* Not zeroed: what is read is what counts. */
static struct window *window_new(int fd)
{
	struct window *window = pr_resize(NULL, sizeof *window);

	window->fd = fd;
	window->error = 0;
	window->start = 0;
	window->len = 0;
	return window;
}

/* The head at `offset`, in the window or read into it; NULL at the end of the file or when it cannot be read. */
static const struct journal_record *head_at(struct window *window, uint64_t offset, struct journal_record *copy)
{
	if (offset < window->start || offset + sizeof *copy > window->start + window->len) {
		ssize_t got;

		do
			got = pread(window->fd, window->bytes, sizeof window->bytes, (off_t)offset);
		while (got < 0 && errno == EINTR);
		window->error = got < 0 ? errno : 0;
		window->start = offset;
		window->len = got > 0 ? (size_t)got : 0;
		if (window->len < sizeof *copy)
			return NULL;
	}
	memcpy(copy, window->bytes + (offset - window->start), sizeof *copy);
	return copy;
}

uint64_t journal_walk(int fd, uint64_t generation, uint64_t offset, journal_visit *visit, void *context, int *error_out)
{
	struct window *window = window_new(fd);
	struct journal_record record;

	while (offset + sizeof record <= JOURNAL_SEGMENT) {
		const struct journal_record *head = head_at(window, offset, &record);

		if (head == NULL || !journal_record_is_good(head, generation, offset))
			break;
		visit(context, head, offset);
		offset += journal_record_span(head);
	}
	*error_out = window->error;
	pr_free(window);
	return offset;
}

uint64_t journal_look_ahead(int fd, uint64_t generation, uint64_t offset, uint64_t *durable_out, int *error_out)
{
	struct window *window = window_new(fd);
	struct journal_record record;
	uint64_t found = 0;

	for (; found == 0 && offset + sizeof record <= JOURNAL_SEGMENT; offset += JOURNAL_ALIGN) {
		const struct journal_record *head = head_at(window, offset, &record);

		if (head == NULL)
			break;
		if (journal_record_is_good(head, generation, offset)) {
			found = offset;
			*durable_out = head->durable;
		}
	}
	*error_out = window->error;
	pr_free(window);
	return found;
}

static bool read_exactly(int fd, void *buffer, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t got = pread(fd, buffer, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EBADMSG;
		if (got <= 0)
			return false;
		buffer = (char *)buffer + got;
		offset += (uint64_t)got;
		len -= (size_t)got;
	}
	return true;
}

struct spool_record *journal_load_from(int fd, const struct journal_record *head, uint64_t offset)
{
	size_t len = (size_t)head->control + head->body;
	struct spool_record *record = pr_resize(NULL, sizeof *record + len);

	record->bad = 0;
	record->large = 0;
	atomic_init(&record->references, 1);
	record->control = head->control;
	record->body = head->body;
	if (!read_exactly(fd, record->data, len, offset + sizeof *head)) {
		record->bad = errno;
	} else if (journal_crc(0, record->data, len) != head->payload_crc) {
		record->bad = EBADMSG;
	}
	return record;
}

struct spool_record *journal_load(struct spool *spool, const struct journal_entry *entry)
{
	struct journal_record head = {.control = entry->control, .body = entry->body, .payload_crc = entry->payload_crc};

	return journal_load_from(spool->journal.reader.segments[entry->segment].fd, &head, entry->offset);
}

void spool_record_release(struct spool_record *record)
{
	if (record == NULL || atomic_fetch_sub(&record->references, 1) > 1)
		return;
	spool_large_give(record->large);
	pr_free(record);
}

static int64_t monotonic_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* New records are put into the index as they are found. */
struct indexing {
	struct spool *spool;
	struct journal_reader *reader;
	struct journal_segment *segment;
	uint32_t number;
	int64_t now;
	struct journal_entry *first, **end; /* gathered, so that the lock is taken once */
};

static void index_record(void *context, const struct journal_record *record, uint64_t offset)
{
	struct indexing *indexing = context;
	struct journal_segment *segment = indexing->segment;

	segment->records++;
	if (record->durable > segment->announced)
		segment->announced = record->durable;
	if (*journal_mark_place(segment, record->index) == journal_mark_value(segment->generation, record->index))
		return;
	*journal_mark_place(segment, record->index) = 0; /* the claim of a process that is gone */

	struct journal_entry *entry = pr_alloc(sizeof *entry);

	entry->segment = (uint16_t)indexing->number;
	entry->offset = (uint32_t)offset;
	entry->index = record->index;
	entry->control = record->control;
	entry->body = record->body;
	entry->payload_crc = record->payload_crc;
	entry->flags = (uint8_t)record->flags;
	entry->state = JOURNAL_READY;
	entry->seen = indexing->now;
	memcpy(entry->id, record->id, sizeof entry->id);
	entry->place = spool_place_find(indexing->spool, pr_str(record->place));
	*indexing->end = entry;
	indexing->end = &entry->next;
}

/* An id that is there already, or that is none, is nobody's honest record: it is marked, so that nothing waits for it. */
static void insert_all(struct indexing *indexing)
{
	struct journal_reader *reader = indexing->reader;

	pthread_mutex_lock(&reader->lock);
	for (struct journal_entry *entry = indexing->first, *next; entry != NULL; entry = next) {
		next = entry->next;
		entry->next = NULL;
		if (spool_id_is_valid(pr_str(entry->id)) && journal_find(reader, entry->id) == NULL) {
			journal_insert(reader, entry);
			continue;
		}
		*journal_mark_place(indexing->segment, entry->index) = journal_mark_value(indexing->segment->generation, entry->index);
		indexing->segment->dirty = true;
		pr_free(entry);
	}
	pthread_mutex_unlock(&reader->lock);
}

void journal_read_mark(struct spool *spool, uint32_t number)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];
	struct journal_head mark;

	if (segment->mark_fd < 0)
		segment->mark_fd = openat(spool->journal.directory, journal_mark_name(number).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (segment->mark_fd < 0 || pread(segment->mark_fd, &mark, sizeof mark, 0) != (ssize_t)sizeof mark)
		return;
	if (mark.generation == segment->generation && mark.retired > segment->announced)
		segment->announced = mark.retired;
}

void journal_note_read(struct spool *spool, uint32_t number, int error)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];

	if (error != 0 && segment->read_error == 0)
		journal_report(&spool->journal.reader, "cannot read %s/journal/%s: %s; the mail in it waits, and it is read again", spool->path,
		               journal_log_name(number).text, strerror(error));
	segment->read_error = error;
}

bool journal_index_from(struct spool *spool, uint32_t number, uint64_t offset)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];
	struct indexing indexing = {.spool = spool, .reader = &spool->journal.reader, .segment = segment, .number = number, .now = monotonic_second()};
	uint64_t end;
	int error;

	indexing.end = &indexing.first;
	end = journal_walk(segment->fd, segment->generation, offset, index_record, &indexing, &error);
	insert_all(&indexing);
	journal_note_read(spool, number, error);
	bool news = end > segment->tail;

	segment->tail = (uint32_t)end;
	return news;
}

/* A segment that was retired is looked at again for a new use of it. */
static bool tail_segment(struct spool *spool, uint32_t number)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];

	if ((segment->generation == 0 || segment->complete) && !journal_adopt(spool, number))
		return false;
	journal_read_mark(spool, number);
	bool news = journal_index_from(spool, number, segment->tail);
	return journal_pass_damage(spool, number) || news;
}

/* For who looks for one message: whether the others may be seen by a scan is not asked. */
static void tail_news(struct spool *spool, uint32_t number)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];

	if (segment->generation != 0 && !segment->complete)
		journal_index_from(spool, number, segment->tail);
}

void journal_tail_recent(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->tailing);
	if (reader->held)
		tail_news(spool, reader->recent);
	pthread_mutex_unlock(&reader->tailing);
}

void journal_tail(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	uint32_t count = spool->journal.count;

	pthread_mutex_lock(&reader->tailing);
	uint32_t first = reader->recent;
	/* all of them: with the last records of one segment come the first of the next */
	for (uint32_t i = 0; reader->held && i < count; i++)
		if (tail_segment(spool, (first + i) % count))
			reader->recent = (first + i) % count;
	pthread_mutex_unlock(&reader->tailing);
}
