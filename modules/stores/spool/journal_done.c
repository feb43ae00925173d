/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keeper: one thread of the process that holds the lease.  It makes marks durable, writes out what has waited too long, retires
 * segments, and frees those that a slow delivery pins.  Nobody waits for it: what it has not done yet costs at most a second
 * delivery after a power cut.
 */
#include "spool.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_PAUSE_MS 25       /* between two rounds while something happens */
#define WAIT_SECONDS 2         /* an unclaimed message stays in the journal so long */
#define PRESSED_SECONDS 0      /* and so long when the journal is half full */
#define PIN_SECONDS 10         /* a delivery may keep its segment so long */
#define DRAIN_PATIENCE 25      /* rounds of a drain that bring nothing */
#define FAILED_PAUSE_MS 1000   /* after an error of the disk */

static int64_t monotonic_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* All marks that were set before the call; false: an error, they stay dirty. */
static bool sync_marks(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	bool good = true;

	for (uint32_t i = 0; i < spool->journal.count; i++) {
		struct journal_segment *segment = &reader->segments[i];

		pthread_mutex_lock(&reader->lock);
		bool dirty = segment->dirty;
		segment->dirty = false;
		pthread_mutex_unlock(&reader->lock);
		if (!dirty || fdatasync(segment->done_fd) == 0)
			continue;
		good = false;
		pthread_mutex_lock(&reader->lock);
		segment->dirty = true;
		pthread_mutex_unlock(&reader->lock);
	}
	return good;
}

static bool is_used(const struct journal_segment *segment)
{
	return segment->generation != 0 && (segment->done == NULL || segment->done->retired < segment->generation);
}

/* Its writer has left: whatever it wrote last is read now. */
static void notice_left(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->tailing);
	for (uint32_t i = 0; i < spool->journal.count; i++) {
		struct journal_segment *segment = &reader->segments[i];

		if (is_used(segment) && !segment->complete && !journal_is_live(segment->fd))
			journal_complete(spool, i, false);
	}
	pthread_mutex_unlock(&reader->tailing);
}

static void set_retired(struct journal_segment *segment, uint32_t number)
{
	segment->done->retired = segment->generation;
	journal_head_seal(segment->done, number);
}

/* Complete, without entries, and every mark durable: the next writer may have it. */
static void retire(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->tailing);
	pthread_mutex_lock(&reader->lock);
	for (uint32_t i = 0; i < spool->journal.count; i++) {
		struct journal_segment *segment = &reader->segments[i];

		if (is_used(segment) && segment->complete && segment->first == NULL && !segment->dirty) {
			set_retired(segment, i);
			segment->dirty = true; /* with the next round; what the next writer does is as good a proof */
		}
	}
	pthread_mutex_unlock(&reader->lock);
	pthread_mutex_unlock(&reader->tailing);
}

/* A file that was removed from under us, and of which nothing is left to do, or never was: the next of its number is looked for by name.
 * Only the keeper, who makes marks durable, may take the descriptors away. */
static void forget_removed(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->tailing);
	pthread_mutex_lock(&reader->lock);
	for (uint32_t i = 0; i < spool->journal.count; i++) {
		struct journal_segment *segment = &reader->segments[i];
		bool unread = segment->generation != 0 && !segment->complete;
		struct stat st;

		if (segment->fd < 0 || unread || segment->first != NULL || fstat(segment->fd, &st) != 0 || st.st_nlink > 0)
			continue;
		if (is_used(segment) && segment->done != NULL)
			set_retired(segment, i); /* or each start would miss it anew */
		journal_unmap(segment);
		segment->generation = 0;
		segment->complete = segment->dirty = false;
	}
	pthread_mutex_unlock(&reader->lock);
	pthread_mutex_unlock(&reader->tailing);
}

/* A drain retires segments beside the keeper. */
static uint32_t count_used(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	uint32_t used = 0;

	pthread_mutex_lock(&reader->lock);
	for (uint32_t i = 0; i < spool->journal.count; i++)
		used += is_used(&reader->segments[i]);
	pthread_mutex_unlock(&reader->lock);
	return used;
}

/* What a slow delivery or a standing claim keeps in a segment that is otherwise done. */
static bool pins(const struct spool *spool, const struct spool_claim *claim, int64_t now)
{
	const struct journal_segment *segment = &spool->journal.reader.segments[claim->entry->segment];

	return segment->complete && now - claim->entry->seen >= PIN_SECONDS;
}

static bool round_trip(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	int64_t now = monotonic_second();
	bool pressed = 2 * count_used(spool) > spool->journal.count, good;

	forget_removed(spool);
	journal_tail(spool);
	notice_left(spool);
	while (journal_spill(spool, now - (pressed ? PRESSED_SECONDS : WAIT_SECONDS), now) > 0)
		if (reader->stopping)
			break;
	good = journal_settle_filed(spool) == 0;
	spool_claims_to_files(spool, pins, now);
	good = sync_marks(spool) && good;
	retire(spool);
	pthread_mutex_lock(&reader->lock);
	journal_note_missed(spool, now);
	pthread_mutex_unlock(&reader->lock);
	return good;
}

static bool is_idle(const struct spool *spool)
{
	const struct journal_reader *reader = &spool->journal.reader;

	if (reader->count > 0 || reader->filed != NULL)
		return false;
	for (uint32_t i = 0; i < spool->journal.count; i++)
		if (reader->segments[i].dirty)
			return false;
	return true;
}

/* With the lock held. */
static void pause_keeper(struct spool *spool, bool good)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct timespec end;
	int64_t ms = !good ? FAILED_PAUSE_MS : is_idle(spool) ? 1000 : BUSY_PAUSE_MS;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	reader->asleep = ms > BUSY_PAUSE_MS && good;
	if (!reader->stopping)
		pthread_cond_timedwait(&reader->work, &reader->lock, &end);
	reader->asleep = false;
}

static void *keep(void *context)
{
	struct spool *spool = context;
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->lock);
	while (!reader->stopping) {
		pthread_mutex_unlock(&reader->lock);
		bool good = round_trip(spool);
		pthread_mutex_lock(&reader->lock);
		pause_keeper(spool, good);
	}
	pthread_mutex_unlock(&reader->lock);
	return NULL;
}

void journal_keeper_wake(struct journal_reader *reader)
{
	pthread_cond_signal(&reader->work);
}

void journal_keeper_start(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	if (!reader->keeping)
		reader->keeping = pthread_create(&reader->keeper, NULL, keep, spool) == 0;
}

void journal_keeper_stop(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;

	pthread_mutex_lock(&reader->lock);
	reader->stopping = true;
	pthread_cond_signal(&reader->work);
	pthread_mutex_unlock(&reader->lock);
	if (reader->keeping)
		pthread_join(reader->keeper, NULL);
	reader->keeping = false;
	/* what it would have done next */
	if (reader->held) {
		journal_settle_filed(spool);
		sync_marks(spool);
		retire(spool);
		sync_marks(spool);
	}
}

enum pr_status spool_handover(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	struct journal_reader *reader = &spool->journal.reader;

	atomic_store(&spool->handed_over, true); /* also of what is a file already */
	if (!reader->held)
		return PR_OK;
	pthread_mutex_lock(&reader->lock);
	reader->handing_over = true; /* no new claims */
	pthread_mutex_unlock(&reader->lock);
	spool_claims_leave_journal(spool);
	journal_keeper_stop(spool);
	journal_let_go(spool);
	return PR_OK;
}

static bool is_written(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	bool written = false;

	pthread_mutex_lock(&reader->tailing);
	for (uint32_t i = 0; i < spool->journal.count && !written; i++)
		written = reader->segments[i].fd >= 0 && journal_is_live(reader->segments[i].fd);
	pthread_mutex_unlock(&reader->tailing);
	return written;
}

static size_t count_left(struct journal_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	size_t left = reader->count;
	pthread_mutex_unlock(&reader->lock);
	return left;
}

/* A segment of which nothing can be known is not empty; the errno. */
static int hidden_by(struct spool *spool)
{
	int error = 0;

	pthread_mutex_lock(&spool->journal.reader.tailing);
	for (uint32_t i = 0; i < spool->journal.count; i++)
		if (spool->journal.reader.segments[i].done_error != 0)
			error = spool->journal.reader.segments[i].done_error;
	pthread_mutex_unlock(&spool->journal.reader.tailing);
	return error;
}

/* Until nobody writes any more and nothing is left, or the time is over. */
static enum pr_status drain_journal(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	struct journal_reader *reader = &spool->journal.reader;
	struct timespec pause = {0, 20000000};
	int idle_rounds = 0, hidden;

	if (spool->journal.count == 0)
		return PR_OK;
	if (!journal_open_directory(spool))
		return spool->journal.open_error == ENOENT ? PR_OK : spool_fail(call, NULL, spool->journal.open_error, "cannot open", "journal");
	if (!journal_hold(call))
		return pr_fail(call, PR_NOTFOUND, "another process delivers from the journal of %s", spool->path);
	journal_writer_leave(spool);
	for (;;) {
		bool written = is_written(spool);
		size_t before = count_left(reader), left;

		journal_tail(spool);
		notice_left(spool);
		while (journal_spill(spool, INT64_MAX, INT64_MAX) > 0)
			continue;
		journal_settle_filed(spool);
		spool_claims_leave_journal(spool);
		sync_marks(spool);
		retire(spool);
		sync_marks(spool);
		left = count_left(reader);
		hidden = hidden_by(spool);
		if (!written && left == 0 && hidden == 0)
			return PR_OK;
		/* a full disk does not get better by waiting; the journal keeps what is left */
		idle_rounds = !written && left >= before ? idle_rounds + 1 : 0;
		if (pr_call_remaining(call, 1) > 0 && idle_rounds <= DRAIN_PATIENCE)
			nanosleep(&pause, NULL);
		else if (hidden != 0)
			return spool_fail(call, NULL, hidden, "cannot make the marks of", "journal");
		else
			return pr_fail(call, PR_TEMPFAIL, "%zu messages are still in the journal of %s", left, spool->path);
	}
}

enum pr_status spool_drain(struct pr_call *call)
{
	enum pr_status status = drain_journal(call);

	return status == PR_OK ? spool_own_all(call) : status;
}
