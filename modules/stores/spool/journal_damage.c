/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of the journal cannot be read.  Nothing is skipped in silence: bytes that should have been records go to a file of their own, and what was
 * promised to somebody is told apart from what was not by what later records, or the .mark, knew to be durable.
 */
#include "spool.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The bytes between two records become a file. */
void journal_set_aside(struct spool *spool, uint32_t number, uint64_t from, uint64_t to, bool promised)
{
	struct journal *journal = &spool->journal;
	struct journal_segment *segment = &journal->reader.segments[number];
	char name[64];
	char *bytes = pr_alloc((size_t)(to - from));
	ssize_t got = pread(segment->fd, bytes, (size_t)(to - from), (off_t)from);
	bool kept = false;

	snprintf(name, sizeof name, "damaged.%03u.%" PRIu64 ".%" PRIu64, number, segment->generation, from);
	int fd = got <= 0 ? -1 : openat(journal->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0) {
		kept = pr_write_all(fd, bytes, (size_t)got) && fdatasync(fd) == 0;
		close(fd);
	}
	pr_free(bytes);
	journal->reader.damaged++;
	journal_report(&journal->reader, "%s: journal segment %s, bytes %" PRIu64 " to %" PRIu64 " %s%s/journal/%s",
	               promised ? "Losing mail that was accepted" : "a record that was never acknowledged",
	               journal_log_name(number).text, from, to,
	               kept ? "are damaged; they were set aside as " : got <= 0 ? "cannot be read, nor set aside as " : "are damaged and could not be set aside as ",
	               spool->path, name);
}

/* A good head with bytes that are not what was written; the head says whose they are.  What cannot be read now may be read later. */
void journal_verify(struct spool *spool, uint32_t number)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct journal_segment *segment = &reader->segments[number];

	for (struct journal_entry *entry = segment->first, *next; entry != NULL; entry = next) {
		struct spool_record *record = journal_load(spool, entry);

		next = entry->next;
		if (record->bad == EBADMSG) {
			bool promised = entry->offset < segment->announced;
			char id[JOURNAL_NAME_MAX];

			memcpy(id, entry->id, sizeof id);
			reader->damaged++;
			journal_lose(spool, entry, record);
			journal_report(reader, "Losing %s: its record in the journal is damaged (%s)", id,
			               promised ? "it was accepted" : "it was never acknowledged");
		}
		spool_record_release(record);
	}
}

bool journal_pass_damage(struct spool *spool, uint32_t number)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];
	bool damaged = false;

	while (segment->tail < segment->announced && segment->read_error == 0) {
		uint64_t durable = 0, end = segment->announced;
		int error;
		uint64_t next = journal_look_ahead(segment->fd, segment->generation, segment->tail, &durable, &error);

		if (error != 0)
			break;
		end = next != 0 && next < end ? next : end;
		journal_set_aside(spool, number, segment->tail, end, true);
		journal_index_from(spool, number, end);
		damaged = true;
	}
	return damaged;
}

/* Its .mark outlived it: then something of it had been accepted. */
void journal_report_missing(struct spool *spool, uint32_t number)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];
	struct journal_head mark = {0}, done = {0};
	int mark_fd, done_fd;

	if (segment->fd >= 0)
		return;
	mark_fd = openat(spool->journal.directory, journal_mark_name(number).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	done_fd = openat(spool->journal.directory, journal_done_name(number).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (mark_fd >= 0 && pread(mark_fd, &mark, sizeof mark, 0) == (ssize_t)sizeof mark && mark.retired > JOURNAL_HEAD &&
	    (done_fd < 0 || !journal_read_head(done_fd, number, &done) || done.retired < mark.generation))
		journal_report(&spool->journal.reader, "Losing mail that was accepted: %s/journal/%s is gone or no regular file; %" PRIu64
		               " bytes of it were durable, and what of them was not delivered yet is lost", spool->path, journal_log_name(number).text,
		               mark.retired - JOURNAL_HEAD);
	if (mark_fd >= 0)
		close(mark_fd);
	if (done_fd >= 0)
		close(done_fd);
}
