/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Appending: whoever commits while nobody writes becomes the writer for his own message, so a lonely message costs no change of threads;
 * what came meanwhile is the thread's, and one fdatasync serves all of it.
 * A segment is left when it is full, and when anything about it failed: an error of the disk is reported once, and the pages count
 * as clean afterwards, so nothing may ever be called durable in it again.
 */
#include "spool.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define CROWD 8  /* commits without company, and who commits writes by himself again */
#define ALONE 64 /* of those, and company that is only announced is believed in again */
#define BATCH_MAX 256 /* messages of one pwritev: four pieces each, IOV_MAX is 1024 */

void journal_writer_init(struct journal_writer *writer)
{
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, NULL);
	writer->first = NULL;
	writer->end = &writer->first;
	writer->fd = -1;
}

void journal_leave_segment(struct journal_writer *writer)
{
	writer->losses += writer->fd >= 0 && writer->offset > writer->durable;
	if (writer->mark != NULL)
		munmap(writer->mark, JOURNAL_HEAD);
	writer->mark = NULL;
	if (writer->fd >= 0)
		close(writer->fd); /* and the lock with it */
	writer->fd = -1;
}

/* Somebody removed the file, or put another in its place: who delivers will not find what is written here. */
static bool is_removed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

int journal_make_durable(struct journal_writer *writer)
{
	int result;

	do
		result = fdatasync(writer->fd);
	while (result != 0 && errno == EINTR);
	if (result != 0)
		return errno;
	if (!is_removed(writer->fd))
		return 0;
	atomic_store(&writer->removed, writer->number + 1);
	return ENOENT;
}

void journal_note_durable(struct journal_writer *writer)
{
	writer->durable = writer->offset;
	if (writer->mark != NULL)
		atomic_store_explicit((_Atomic uint64_t *)&writer->mark->retired, writer->durable, memory_order_release);
}

/* In good order: somebody may still ask whether what he wrote there is durable. */
static void leave_whole(struct journal_writer *writer)
{
	if (writer->fd >= 0 && writer->offset > writer->durable && journal_make_durable(writer) == 0)
		journal_note_durable(writer);
	journal_leave_segment(writer);
}

static bool has_room(const struct journal_writer *writer, const struct spool_job *job)
{
	return writer->fd >= 0 && writer->index < JOURNAL_RECORDS && writer->offset + journal_record_span(&job->record) <= JOURNAL_SEGMENT;
}

/* What is in it counts as lost: nobody can say how much of it had been read. */
static void leave_removed(struct journal_writer *writer)
{
	if (writer->fd < 0 || !is_removed(writer->fd))
		return;
	atomic_store(&writer->removed, writer->number + 1);
	writer->losses++;
	journal_leave_segment(writer);
}

void journal_say_troubles(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	unsigned number = 0;
	int error = 0;
	char text[128];

	if (atomic_load_explicit(&spool->journal.writer.removed, memory_order_relaxed) != 0)
		number = atomic_exchange(&spool->journal.writer.removed, 0);
	if (atomic_load_explicit(&spool->journal.writer.make_failed, memory_order_relaxed) != 0)
		error = atomic_exchange(&spool->journal.writer.make_failed, 0);
	if (error != 0)
		call->host->log(call, PR_LOG_ERR, "cannot make a segment of the journal in %s/journal: %s; mail is written as files instead, more slowly",
		                spool->path, strerror_r(error, text, sizeof text));
	if (number > 0)
		call->host->log(call, PR_LOG_ERR, "%s/journal/%s was removed while it was in use: mail in it that nobody had read is lost", spool->path,
		                journal_log_name(number - 1).text);
}

static const char padding[JOURNAL_ALIGN];

/* Four pieces: head, control file, body, and what is missing to the next record. */
static int add_pieces(struct journal_writer *writer, struct spool_job *job, struct iovec *pieces)
{
	struct journal_record *record = &job->record;
	uint32_t span = journal_record_span(record), used = (uint32_t)sizeof *record + record->control + record->body;
	int count = 2;

	record->generation = writer->generation;
	record->durable = writer->durable;
	record->index = writer->index++;
	journal_record_seal(record);
	pieces[0] = (struct iovec){record, sizeof *record};
	pieces[1] = (struct iovec){job->control.data, job->control.len};
	if (record->body > 0)
		pieces[count++] = (struct iovec){job->body.data, job->body.len};
	if (span > used)
		pieces[count++] = (struct iovec){(void *)(uintptr_t)padding, span - used};
	writer->offset += span;
	return count;
}

/* pwritev that goes on after a short write; 0 or an errno. */
static int write_pieces(int fd, struct iovec *pieces, int count, off_t offset)
{
	while (count > 0) {
		ssize_t wrote = pwritev(fd, pieces, count, offset);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? errno : EIO;
		offset += wrote;
		for (; count > 0 && (size_t)wrote >= pieces->iov_len; pieces++, count--)
			wrote -= (ssize_t)pieces->iov_len;
		if (count > 0) {
			pieces->iov_base = (char *)pieces->iov_base + wrote;
			pieces->iov_len -= (size_t)wrote;
		}
	}
	return 0;
}

/* Takes from the front of *jobs what goes into this segment now; *count_out pieces. */
static struct spool_job *gather(struct journal_writer *writer, struct spool_job **jobs, struct iovec *pieces, int *count_out)
{
	struct spool_job *batch = *jobs, *last = NULL;
	int messages = 0;

	*count_out = 0;
	while (*jobs != NULL && messages < BATCH_MAX && has_room(writer, *jobs)) {
		*count_out += add_pieces(writer, *jobs, pieces + *count_out);
		last = *jobs;
		*jobs = last->next;
		messages++;
	}
	if (last != NULL)
		last->next = NULL;
	return batch;
}

/* What the batch wrote must not be found: nobody was promised anything.  False: some of it may still be. */
static bool scrub(const struct journal_writer *writer, const struct spool_job *batch, off_t offset)
{
	struct journal_record blank = {0};
	bool gone = true;

	for (; batch != NULL; batch = batch->next) {
		gone = pwrite(writer->fd, &blank, sizeof blank, offset) == (ssize_t)sizeof blank && gone;
		offset += journal_record_span(&batch->record);
	}
	return gone;
}

void journal_answer_all(struct spool_job *jobs, enum pr_commit result, int error, const char *what)
{
	while (jobs != NULL) {
		struct spool_job *next = jobs->next;

		jobs->result = result;
		jobs->error = error;
		jobs->what = what;
		spool_job_answer(jobs);
		jobs = next;
	}
}

static void write_batch(struct spool *spool, struct spool_job *batch, struct iovec *pieces, int count, off_t offset)
{
	struct journal_writer *writer = &spool->journal.writer;
	int error = write_pieces(writer->fd, pieces, count, offset);

	if (error != 0) {
		bool gone = scrub(writer, batch, offset);

		journal_leave_segment(writer);
		journal_answer_all(batch, gone ? PR_COMMIT_REFUSED : PR_COMMIT_UNKNOWN, error, "cannot write the journal");
		return;
	}
	if (journal_may_wait(writer, batch)) {
		journal_answer_written(writer, batch);
		return;
	}
	error = !spool->journal.lazy ? journal_make_durable(writer) : is_removed(writer->fd) ? ENOENT : 0;
	if (error != 0) {
		scrub(writer, batch, offset);
		journal_leave_segment(writer);
		journal_answer_all(batch, PR_COMMIT_UNKNOWN, error, "cannot make the journal durable");
		return;
	}
	journal_note_durable(writer);
	journal_answer_all(batch, PR_COMMIT_DURABLE, 0, "");
}

/* No segment is free: each becomes files. */
static void write_files(struct spool *spool, struct spool_job *jobs)
{
	while (jobs != NULL) {
		struct spool_job *next = jobs->next;

		jobs->next = NULL;
		spool_job_file(spool, jobs);
		jobs = next;
	}
}

static void run_messages(struct spool *spool, struct spool_job *jobs)
{
	struct journal_writer *writer = &spool->journal.writer;
	struct iovec pieces[4 * BATCH_MAX];

	while (jobs != NULL) {
		int count;

		leave_removed(writer);
		if (!has_room(writer, jobs)) {
			leave_whole(writer);
			if (!journal_take_segment(spool)) {
				write_files(spool, jobs);
				return;
			}
		}
		off_t offset = writer->offset;
		struct spool_job *batch = gather(writer, &jobs, pieces, &count);

		write_batch(spool, batch, pieces, count, offset);
	}
}

/* The messages first: when they are made durable, so is what the others ask for. */
static void run(struct spool *spool, struct spool_job *jobs)
{
	struct spool_job *asked = journal_take_asking(&jobs);

	run_messages(spool, jobs);
	journal_secure(&spool->journal.writer, asked);
}

/* With the lock held, by who is busy. */
static struct spool_job *take_all(struct journal_writer *writer)
{
	struct spool_job *jobs = writer->first;

	writer->first = NULL;
	writer->end = &writer->first;
	return jobs;
}

/* Others came while it was written: the next ones will have company too. */
static void note_crowd(struct journal_writer *writer)
{
	if (writer->first != NULL)
		writer->crowd = CROWD;
	else if (writer->crowd > 0 && --writer->crowd == 0)
		writer->alone = ALONE;
}

static void *writer_thread(void *context)
{
	struct spool *spool = context;
	struct journal_writer *writer = &spool->journal.writer;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		/* busy and not empty: whoever was writing has left the rest to us */
		while (!(writer->busy && writer->first != NULL) && !writer->stopping)
			pthread_cond_wait(&writer->work, &writer->lock);
		if (writer->first == NULL)
			break;
		while (writer->first != NULL) {
			struct spool_job *jobs = take_all(writer);

			pthread_mutex_unlock(&writer->lock);
			run(spool, jobs);
			pthread_mutex_lock(&writer->lock);
			note_crowd(writer);
		}
		writer->busy = false;
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* With the lock held, while nobody is busy: is this one the thread's? */
static bool is_for_thread(struct spool *spool, const struct spool_job *job)
{
	struct journal_writer *writer = &spool->journal.writer;

	if (writer->crowd == 0 && job->company && writer->alone == 0)
		writer->crowd = CROWD;
	writer->alone -= writer->alone > 0;
	if (writer->crowd > 0 && !writer->running)
		writer->running = pthread_create(&writer->thread, NULL, writer_thread, spool) == 0;
	return writer->crowd > 0 && writer->running;
}

/* The rest is the thread's; without one it is ours, or it would wait for ever. */
static void leave_rest(struct spool *spool)
{
	struct journal_writer *writer = &spool->journal.writer;

	while (writer->first != NULL) {
		if (!writer->running)
			writer->running = pthread_create(&writer->thread, NULL, writer_thread, spool) == 0;
		if (writer->running) {
			pthread_cond_signal(&writer->work);
			return;
		}
		struct spool_job *jobs = take_all(writer);

		pthread_mutex_unlock(&writer->lock);
		run(spool, jobs);
		pthread_mutex_lock(&writer->lock);
	}
	writer->busy = false;
}

void journal_submit(struct spool *spool, struct spool_job *job)
{
	struct journal_writer *writer = &spool->journal.writer;
	bool wake = false;

	job->next = NULL;
	pthread_mutex_lock(&writer->lock);
	if (writer->busy || is_for_thread(spool, job)) {
		*writer->end = job;
		writer->end = &job->next;
		wake = !writer->busy;
		writer->busy = true;
	} else {
		writer->busy = true;
		pthread_mutex_unlock(&writer->lock);
		run(spool, job);
		pthread_mutex_lock(&writer->lock);
		note_crowd(writer);
		leave_rest(spool);
	}
	pthread_mutex_unlock(&writer->lock);
	if (wake)
		pthread_cond_signal(&writer->work);
}

void journal_writer_leave(struct spool *spool)
{
	struct journal_writer *writer = &spool->journal.writer;

	pthread_mutex_lock(&writer->lock);
	if (!writer->busy)
		leave_whole(writer);
	pthread_mutex_unlock(&writer->lock);
}

void journal_writer_fini(struct spool *spool)
{
	struct journal_writer *writer = &spool->journal.writer;

	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	if (writer->running)
		pthread_join(writer->thread, NULL);
	leave_whole(writer);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
}
