/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking over what another process left: the lease, every segment that is not retired, and what of it had become files already.
 * What cannot be read is journal_damage.c's.
 */
#include "spool.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define DONE_SIZE (JOURNAL_HEAD + JOURNAL_RECORDS * sizeof(uint32_t))
#define DONE_MODE 0640

static void seal_done(struct journal_head *done, uint32_t number, uint64_t generation, uint64_t retired)
{
	struct journal_head head = {.generation = generation, .retired = retired};

	journal_head_seal(&head, number);
	*done = head;
}

/* Owned by who delivers; one that is not whole is made anew, which may deliver twice but never loses. */
static bool map_done(struct spool *spool, uint32_t number)
{
	struct journal *journal = &spool->journal;
	struct journal_segment *segment = &journal->reader.segments[number];
	struct journal_file_name done_name = journal_done_name(number);
	const char *name = done_name.text;
	struct stat st;
	int fd = openat(journal->directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return false; /* its reason is the one to tell: that it is there says nothing */
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)DONE_SIZE)) {
		close(fd);
		fd = -1;
		if (unlinkat(journal->directory, name, 0) != 0)
			return false;
	}
	if (fd < 0 && (fd = journal_create(journal->directory, name, DONE_SIZE, DONE_MODE)) < 0)
		return false;

	void *memory = mmap(NULL, DONE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED) {
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	segment->done_fd = fd;
	segment->done = memory;
	if (!journal_head_is_good(segment->done, number))
		seal_done(segment->done, number, 0, 0);
	return true;
}

void journal_unmap(struct journal_segment *segment)
{
	if (segment->done != NULL)
		munmap(segment->done, DONE_SIZE);
	if (segment->done_fd >= 0)
		close(segment->done_fd);
	if (segment->mark_fd >= 0)
		close(segment->mark_fd);
	if (segment->fd >= 0)
		close(segment->fd);
	segment->done = NULL;
	segment->fd = segment->done_fd = segment->mark_fd = -1;
}

/* The generation of a segment; when its head is damaged, that of its first record.  0: never used. */
uint64_t journal_generation(int fd, uint32_t number)
{
	struct journal_head head;
	struct journal_record first;

	if (journal_read_head(fd, number, &head))
		return head.generation;
	if (pread(fd, &first, sizeof first, JOURNAL_HEAD) == (ssize_t)sizeof first &&
	    journal_record_is_good(&first, first.generation, JOURNAL_HEAD))
		return first.generation;
	return 0;
}

static int open_segment(const struct spool *spool, uint32_t number)
{
	int fd = openat(spool->journal.directory, journal_log_name(number).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The marks of another generation are gone for good before the first of this one is set. */
static bool clear_marks(struct journal_segment *segment, uint32_t number, uint64_t generation)
{
	memset((char *)segment->done + JOURNAL_HEAD, 0, DONE_SIZE - JOURNAL_HEAD);
	if (fdatasync(segment->done_fd) != 0)
		return false;
	seal_done(segment->done, number, generation, segment->done->retired);
	segment->dirty = true;
	return true;
}

/* Without marks there is nothing to be delivered from it: a restart would deliver all of it again. */
static void note_done(struct spool *spool, uint32_t number, int error)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];

	if (error != 0 && segment->done_error == 0)
		journal_report(&spool->journal.reader, "cannot make %s/journal/%s: %s; the mail in %s waits for it", spool->path,
		               journal_done_name(number).text, strerror(error), journal_log_name(number).text);
	segment->done_error = error;
}

bool journal_adopt(struct spool *spool, uint32_t number)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];
	uint64_t generation;

	if (segment->fd < 0)
		segment->fd = open_segment(spool, number);
	if (segment->fd < 0)
		return false;
	generation = journal_generation(segment->fd, number);
	if (generation == 0 || generation == segment->generation || segment->first != NULL)
		return false;
	if (segment->done == NULL) {
		int error = map_done(spool, number) ? 0 : errno;

		note_done(spool, number, error);
		if (error != 0)
			return false;
	}
	if (segment->done->retired >= generation)
		return false;
	if (segment->done->generation != generation && !clear_marks(segment, number, generation))
		return false;
	segment->generation = generation;
	segment->tail = JOURNAL_HEAD;
	segment->announced = JOURNAL_HEAD;
	segment->complete = false;
	return true;
}

void journal_report(struct journal_reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&reader->lock);
	pr_text_addv(&reader->reports, format, args);
	pr_text_add_byte(&reader->reports, '\n');
	atomic_store(&reader->reported, true);
	pthread_mutex_unlock(&reader->lock);
	va_end(args);
}

void journal_say_reports(struct pr_call *call)
{
	struct journal_reader *reader = &spool_of(call)->journal.reader;
	struct pr_str rest, line;

	if (!atomic_load_explicit(&reader->reported, memory_order_relaxed) || !atomic_exchange(&reader->reported, false))
		return;
	pthread_mutex_lock(&reader->lock);
	rest = pr_arena_copy(call->arena, pr_text_str(&reader->reports));
	pr_text_clear(&reader->reports);
	pthread_mutex_unlock(&reader->lock);
	while (pr_str_next(&rest, '\n', &line))
		call->host->log(call, PR_LOG_ERR, "%.*s", PR_PRINT(line));
}

void journal_complete(struct spool *spool, uint32_t number, bool check)
{
	struct journal_segment *segment = &spool->journal.reader.segments[number];
	uint64_t durable = 0, next = 0;
	int error;

	do {
		if (next != 0)
			journal_set_aside(spool, number, segment->tail, next, durable > segment->tail);
		journal_index_from(spool, number, next == 0 ? segment->tail : next);
		error = segment->read_error;
		next = error != 0 ? 0 : journal_look_ahead(segment->fd, segment->generation, segment->tail, &durable, &error);
	} while (next != 0);
	journal_note_read(spool, number, error);
	journal_read_mark(spool, number);
	if (error == 0)
		(void)journal_pass_damage(spool, number);
	if (check)
		journal_verify(spool, number);
	segment->complete = error == 0;
}

/* The body was durable before its record, and nobody but a finish removes it: the power failed when that had become durable and the mark
 * had not.  Said aloud, for an operator's hand could have done it too. */
static void finish_bodiless(struct spool *spool, struct journal_entry *entry)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct stat st;

	if ((entry->flags & JOURNAL_BODY_FILED) == 0 ||
	    fstatat(entry->place->data_fd, spool_name('d', entry->id).text, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return;
	journal_report(reader, "%s: its body is gone, so it had been delivered when the machine stopped; its record in the journal is closed", entry->id);
	pthread_mutex_lock(&reader->lock);
	journal_mark(reader, entry);
	pthread_mutex_unlock(&reader->lock);
}

/* Had it been written out before the crash?  Then the file knows more than the journal, if it is whole. */
static void look_for_file(struct pr_call *call, struct journal_entry *entry)
{
	struct spool *spool = spool_of(call);
	const struct spool_place *place = entry->place;
	struct pr_envelope *envelope;
	struct spool_held held;
	static const char kinds[] = "qhQ";

	for (size_t i = 0; kinds[i] != '\0'; i++) {
		struct spool_name name = spool_name(kinds[i], entry->id);

		held.fd = openat(place->control_fd, name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (held.fd < 0)
			continue;
		bool whole = fstat(held.fd, &held.st) == 0 &&
		             (kinds[i] == 'Q' || spool_load(call, place, &held, pr_str(entry->id), &envelope, NULL) == PR_OK);

		close(held.fd);
		/* its name may have outlived a power cut that its body did not */
		if (whole && !journal_mend_body(spool, entry))
			return; /* not now: the journal keeps it */
		if (whole) {
			journal_filed(&spool->journal.reader, entry);
			return;
		}
		if (held.st.st_uid == geteuid())
			unlinkat(place->control_fd, name.text, 0); /* a power cut left half of what we were writing out; the journal has all of it */
		break;
	}
	finish_bodiless(spool, entry);
}

static void look_for_files(struct pr_call *call)
{
	struct journal_reader *reader = &spool_of(call)->journal.reader;

	for (uint32_t i = 0; i < spool_of(call)->journal.count; i++)
		for (struct journal_entry *entry = reader->segments[i].first, *next; entry != NULL; entry = next) {
			next = entry->next;
			look_for_file(call, entry);
		}
}

static int take_lease(const struct spool *spool)
{
	int fd = openat(spool->journal.directory, "lease", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void replay(struct pr_call *call)
{
	struct spool *spool = spool_of(call);

	for (uint32_t i = 0; i < spool->journal.count; i++) {
		if (!journal_adopt(spool, i)) {
			journal_report_missing(spool, i);
			continue;
		}
		if (journal_is_live(spool->journal.reader.segments[i].fd))
			journal_index_from(spool, i, JOURNAL_HEAD);
		else
			journal_complete(spool, i, true);
	}
	look_for_files(call);
}

bool journal_hold(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	struct journal_reader *reader = &spool->journal.reader;

	if (atomic_load_explicit(&reader->held, memory_order_acquire)) {
		journal_say_reports(call);
		return true;
	}
	if ((spool->role & PR_STORE_DELIVERY) == 0 || !journal_open_directory(spool))
		return false;
	pthread_mutex_lock(&reader->tailing);
	if (!reader->held && !reader->given_up && reader->lease_fd < 0 && (reader->lease_fd = take_lease(spool)) >= 0) {
		replay(call);
		journal_keeper_start(spool);
		atomic_store_explicit(&reader->held, true, memory_order_release);
	}
	pthread_mutex_unlock(&reader->tailing);
	journal_say_reports(call);
	return reader->held;
}

void journal_let_go(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->tailing);
	reader->given_up = true;
	atomic_store_explicit(&reader->held, false, memory_order_release);
	if (reader->lease_fd >= 0)
		close(reader->lease_fd);
	reader->lease_fd = -1;
	pthread_mutex_unlock(&reader->tailing);
}
