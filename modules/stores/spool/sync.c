/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making messages durable, many at a time: one thread takes all that have been submitted while it was busy and moves them through four steps together.
 *
 *   1. every df and tf is made durable: one alone by fdatasync; several by one syncfs where that can be trusted
 *      (measured: half the time of fdatasync on each, for each of those flushes the disk again)
 *   2. rename tf -> qf, each
 *   3. one fsync of the directory; only now DURABLE
 *
 * A failure up to the rename leaves nothing behind: REFUSED.  After the rename the message may or may not survive:
 * UNKNOWN, and its files stay, for they may be delivered.  No failed fsync is ever repeated: the kernel reports it once and
 * calls the pages clean.
 *
 * There is no timer: a lone message waits for nothing, a crowd shares the cost.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

static void refuse(struct spool_job *job, int error, const char *what)
{
	unlinkat(job->place->control_fd, spool_name('t', job->id).text, 0);
	unlinkat(job->place->data_fd, spool_name('d', job->id).text, 0);
	job->result = PR_COMMIT_REFUSED;
	job->error = error;
	job->what = what;
}

static int sync_file(int fd)
{
	int result;

	/* nothing is lost by an interruption: only an error is final */
	do
		result = fdatasync(fd);
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : errno;
}

static int sync_directory(int fd)
{
	int result;

	do
		result = fsync(fd);
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : errno;
}

/* Each by itself: writeback is started for all first, so that their blocks are allocated in one transaction, which the
 * first fdatasync commits (measured on ext4: 0.70 ms instead of 1.15 ms for a lone message); the others find little to do. */
static void sync_each(struct spool_job *jobs)
{
	struct spool_job *job;
	int error;

	for (job = jobs; job != NULL; job = job->next) {
		/* only a hint: what goes wrong here is reported by fdatasync */
		sync_file_range(job->data_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		sync_file_range(job->control_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	}
	for (job = jobs; job != NULL; job = job->next) {
		if ((error = sync_file(job->data_fd)) != 0)
			refuse(job, error, "cannot fdatasync the body");
		else if ((error = sync_file(job->control_fd)) != 0)
			refuse(job, error, "cannot fdatasync the control file");
	}
}

/* Nothing is left to write: this only collects what went wrong with this file.  Asked for since the first syncfs that failed:
 * a failure belongs to the call that hears of it, and that may have been the one for the batch before this.  While none
 * has failed there was no failure of writeback in the whole file system since the directory was opened. */
static bool was_written(int fd)
{
	return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0;
}

static void sync_together(struct spool *spool, struct spool_job *jobs)
{
	int error = syncfs(jobs->place->control_fd) == 0 ? 0 : errno;

	spool->sync.doubtful = spool->sync.doubtful || error != 0;
	for (struct spool_job *job = jobs; job != NULL; job = job->next)
		if (error != 0)
			refuse(job, error, "cannot sync the file system");
		else if (spool->sync.doubtful && (!was_written(job->data_fd) || !was_written(job->control_fd)))
			refuse(job, errno, "cannot write the message back");
}

/* Is there one in that place that may still become durable? */
static bool has_jobs(const struct spool_job *job, const struct spool_place *place)
{
	while (job != NULL && !(job->result == 0 && job->place == place))
		job = job->next;
	return job != NULL;
}

static void sync_files(struct spool *spool, struct spool_job *jobs)
{
	struct spool_job *job;
	int error;

	if (spool->sync.together && jobs->next != NULL)
		sync_together(spool, jobs);
	else
		sync_each(jobs);
	/* the names of bodies in a directory of their own come before those of the control files */
	for (size_t i = 0; i < spool->place_count; i++)
		if (has_jobs(jobs, &spool->places[i]) && (error = spool_data_flush(&spool->places[i])) != 0)
			for (job = jobs; job != NULL; job = job->next)
				if (job->result == 0 && job->place == &spool->places[i])
					refuse(job, error, "cannot fsync the body directory");
}

static void rename_file(struct spool_job *job)
{
	struct spool_name from = spool_name('t', job->id), to = spool_name(job->kind, job->id);
	struct stat st;
	int error;

	if (renameat(job->place->control_fd, from.text, job->place->control_fd, to.text) == 0)
		return;
	error = errno;
	if (fstatat(job->place->control_fd, to.text, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
		refuse(job, error, "cannot rename the control file");
		return;
	}
	job->result = PR_COMMIT_UNKNOWN;
	job->error = error;
	job->what = "the rename of the control file failed half-way";
}

/* One fsync for all names that are new in that place. */
static void flush_place(struct spool_place *place, struct spool_job *jobs)
{
	int error = spool_directory_flush(place);

	for (struct spool_job *job = jobs; job != NULL; job = job->next) {
		if (job->result != 0 || job->place != place)
			continue;
		job->result = error == 0 ? PR_COMMIT_DURABLE : PR_COMMIT_UNKNOWN;
		job->error = error;
		job->what = "cannot fsync the queue directory";
	}
}

static void rename_files(struct spool *spool, struct spool_job *jobs)
{
	for (struct spool_job *job = jobs; job != NULL; job = job->next)
		if (job->result == 0)
			rename_file(job);
	for (size_t i = 0; i < spool->place_count; i++)
		if (has_jobs(jobs, &spool->places[i]))
			flush_place(&spool->places[i], jobs);
}

void spool_job_free(struct spool_job *job)
{
	if (job->control_fd >= 0)
		close(job->control_fd);
	if (job->data_fd >= 0)
		close(job->data_fd);
	pr_text_fini(&job->control);
	pr_text_fini(&job->body);
	spool_large_give(job->large);
	pr_free(job);
}

void spool_job_answer(struct spool_job *job)
{
	char reason[512] = "", text[128];
	enum pr_commit result = job->result;
	pr_commit_done *done = job->done;
	void *context = job->context;

	if (result != PR_COMMIT_DURABLE && result != PR_COMMIT_WRITTEN)
		snprintf(reason, sizeof reason, "%s%s: %s/qf%s: %s", spool_is_full(job->error) ? "Insufficient disk space: " : "", job->what,
		         job->place->path, job->id, strerror_r(job->error, text, sizeof text));
	if (result == PR_COMMIT_REFUSED && job->data_fd >= 0)
		unlinkat(job->place->data_fd, spool_name('d', job->id).text, 0);
	if (result != PR_COMMIT_WRITTEN)
		spool_late_free(job->late);
	/* the locks go first: whoever is woken by the answer must be able to claim */
	spool_job_free(job);
	done(context, result, pr_str(reason));
}

static void run_batch(struct spool *spool, struct spool_job *jobs)
{
	sync_files(spool, jobs);
	rename_files(spool, jobs);
	while (jobs != NULL) {
		struct spool_job *next = jobs->next;

		spool_job_answer(jobs);
		jobs = next;
	}
}

static struct spool_job *take_all(struct spool_sync *sync)
{
	struct spool_job *jobs;

	pthread_mutex_lock(&sync->lock);
	while (sync->first == NULL && !sync->stopping)
		pthread_cond_wait(&sync->work, &sync->lock);
	jobs = sync->first;
	sync->first = NULL;
	sync->end = &sync->first;
	pthread_mutex_unlock(&sync->lock);
	return jobs;
}

static void *sync_thread(void *context)
{
	struct spool *spool = context;
	struct spool_job *jobs;

	while ((jobs = take_all(&spool->sync)) != NULL)
		run_batch(spool, jobs);
	return NULL;
}

static bool is_on(int fd, const struct statfs *fs)
{
	struct statfs other;

	return fstatfs(fd, &other) == 0 && memcmp(&other.f_fsid, &fs->f_fsid, sizeof other.f_fsid) == 0;
}

/* syncfs reports failures of writeback since Linux 5.8 and of the file system itself since 5.17; and only these
 * file systems are known to make everything durable by it (FUSE, for one, does not).  All places must be on one of them. */
static bool syncfs_is_honest(const struct spool *spool)
{
	static const long known[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC };
	struct utsname system;
	struct statfs fs;
	unsigned major = 0, minor = 0;

	if (uname(&system) != 0 || sscanf(system.release, "%u.%u", &major, &minor) != 2 || major < 5 || (major == 5 && minor < 17))
		return false;
	if (fstatfs(spool->places[0].control_fd, &fs) != 0)
		return false;
	for (size_t i = 0; i < spool->place_count; i++)
		if (!is_on(spool->places[i].control_fd, &fs) || !is_on(spool->places[i].data_fd, &fs))
			return false;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((long)fs.f_type == known[i])
			return true;
	return false;
}

void spool_sync_init(struct spool *spool)
{
	spool->sync.together = spool->sync_together != 0 && syncfs_is_honest(spool);
	pthread_mutex_init(&spool->sync.lock, NULL);
	pthread_cond_init(&spool->sync.work, NULL);
	spool->sync.first = NULL;
	spool->sync.end = &spool->sync.first;
}

void spool_sync_submit(struct spool *spool, struct spool_job *job)
{
	struct spool_sync *sync = &spool->sync;
	bool running;

	pthread_mutex_lock(&sync->lock);
	/* begun with the first message: a process that only reads has no thread */
	if (!sync->running)
		sync->running = pthread_create(&sync->thread, NULL, sync_thread, spool) == 0;
	running = sync->running;
	if (running) {
		*sync->end = job;
		sync->end = &job->next;
		pthread_cond_signal(&sync->work);
	}
	pthread_mutex_unlock(&sync->lock);
	if (!running)
		run_batch(spool, job); /* no thread to be had: slower, not less durable */
}

void spool_sync_fini(struct spool *spool)
{
	struct spool_sync *sync = &spool->sync;

	pthread_mutex_lock(&sync->lock);
	sync->stopping = true;
	pthread_cond_signal(&sync->work);
	pthread_mutex_unlock(&sync->lock);
	if (sync->running)
		pthread_join(sync->thread, NULL);
	sync->running = false;
	pthread_cond_destroy(&sync->work);
	pthread_mutex_destroy(&sync->lock);
}

/* Calls fsync number `mine` for everybody whose change was made before it began. */
static void lead(struct spool_place *place)
{
	struct spool_directory_sync *s = &place->directory_sync;
	uint64_t mine = ++s->started;
	int error;

	s->running = true;
	pthread_mutex_unlock(&s->lock);
	error = sync_directory(place->control_fd);
	pthread_mutex_lock(&s->lock);
	s->running = false;
	s->finished = mine;
	if (error != 0) {
		s->failed_upto = mine;
		s->error = error;
	}
	pthread_cond_broadcast(&s->done);
}

int spool_data_flush(const struct spool_place *place)
{
	return place->separate_data ? sync_directory(place->data_fd) : 0;
}

int spool_directory_flush(struct spool_place *place)
{
	struct spool_directory_sync *s = &place->directory_sync;
	uint64_t mine;
	int error;

	pthread_mutex_lock(&s->lock);
	/* one that runs already may have begun before our change: only the next will do */
	mine = s->started + 1;
	while (s->finished < mine)
		if (s->running)
			pthread_cond_wait(&s->done, &s->lock);
		else
			lead(place);
	/* a later failure than ours may be reported instead; that errs on the safe side */
	error = s->failed_upto >= mine ? s->error : 0;
	pthread_mutex_unlock(&s->lock);
	return error;
}
