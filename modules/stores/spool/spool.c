/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor of the spool store and its life: options, roles.
 * What a file of it may be called and who may create it is settled here, too, once for all.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool spool_id_is_valid(struct pr_str id)
{
	if (id.data == NULL || id.len == 0 || id.len > SPOOL_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}

struct spool_name spool_name(char kind, const char *id)
{
	struct spool_name name;

	snprintf(name.text, sizeof name.text, "%cf%s", kind, id);
	return name;
}

bool spool_is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

enum pr_status spool_fail(struct pr_call *call, const struct spool_place *place, int error, const char *what, const char *name)
{
	char text[128];

	return pr_fail(call, PR_TEMPFAIL, "%s%s %s/%s: %s", spool_is_full(error) ? "Insufficient disk space: " : "", what,
	               place != NULL ? place->path : spool_of(call)->path, name, strerror_r(error, text, sizeof text));
}

/* Receiver and courier, who share the group, must be able to read and lock what the other made, no more: a file is replaced, never
 * changed, and one that its group may write sendmail calls bogus and sets aside. */
static mode_t new_file_mode(const struct spool *spool)
{
	return spool->file_mode & ~(mode_t)0020;
}

/* A umask must not keep the courier, another user, out.  It does not change while we run: a first file that came out right
 * speaks for the others. */
static bool has_mode(struct spool *spool, int fd)
{
	struct stat st;

	if (atomic_load_explicit(&spool->modes_are_right, memory_order_relaxed))
		return true;
	if (fstat(fd, &st) != 0)
		return false;
	if ((st.st_mode & 07777) != new_file_mode(spool))
		return fchmod(fd, new_file_mode(spool)) == 0;
	atomic_store_explicit(&spool->modes_are_right, true, memory_order_relaxed);
	return true;
}

int spool_create(struct spool *spool, int directory, const char *name, bool locked)
{
	int fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, new_file_mode(spool));

	if (fd < 0)
		return -1;
	if ((!locked || flock(fd, LOCK_EX | LOCK_NB) == 0) && has_mode(spool, fd))
		return fd;

	int error = errno;

	unlinkat(directory, name, 0);
	close(fd);
	errno = error;
	return -1;
}

bool spool_give_to_owner(const struct spool_place *place, int fd)
{
	struct stat base;

	if (geteuid() != 0)
		return true;
	return fstat(place->base_fd, &base) == 0 && fchown(fd, base.st_uid, base.st_gid) == 0;
}

enum pr_status spool_need_role(struct pr_call *call, uint32_t role)
{
	if ((spool_of(call)->role & role) != 0)
		return PR_OK;
	return pr_fail(call, PR_MISUSE, "the queue is not open for this in this process");
}

static enum pr_status check_directory(struct pr_call *call, struct pr_str *directory_out)
{
	struct pr_str directory = spool_of(call)->directory;

	if (directory.len == 0)
		directory = call->host->option(call, PR_STR("QueueDirectory"));
	*directory_out = directory;
	return spool_pattern_check(call, directory, "QueueDirectory");
}

static enum pr_status check(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	struct pr_str directory;

	if (spool->file_mode == 0 || (spool->file_mode & ~0660u) != 0)
		return pr_fail(call, PR_MISUSE, "file_mode %03o: queue files may be readable and writable by owner and group only",
		               spool->file_mode);
	if ((spool->file_mode & 0600) != 0600)
		return pr_fail(call, PR_MISUSE, "file_mode %03o: the owner must be able to read and write", spool->file_mode);
	if (spool->body_memory < 0 || spool->body_memory > (int64_t)(16 << 20))
		return pr_fail(call, PR_MISUSE, "body_memory must be between 0 and 16M");
	if (spool->journal_size != 0 &&
	    (spool->journal_size < 2 * (int64_t)JOURNAL_SEGMENT || spool->journal_size > (int64_t)JOURNAL_SEGMENT * JOURNAL_SEGMENTS_MAX))
		return pr_fail(call, PR_MISUSE, "journal_size must be 0 (no journal), or between 8M and 1G");
	if (spool->journal_body < 0 || spool->journal_body > (int64_t)(JOURNAL_SEGMENT / 2))
		return pr_fail(call, PR_MISUSE, "journal_body must be between 0 and 2M");
	return check_directory(call, &directory);
}

static enum pr_status open_store(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	struct pr_str directory;
	enum pr_status status = check_directory(call, &directory);
	struct pr_str blocks = call->host->option(call, PR_STR("MinFreeBlocks"));
	uint64_t number = 0;

	if (blocks.len > 0 && pr_str_number(blocks, INT64_MAX, &number))
		spool->min_free_blocks = (int64_t)number;
	if (status == PR_OK)
		status = spool_places_open(call, directory);
	if (status != PR_OK) {
		spool_places_close(spool);
		return status;
	}
	spool->journal.count = (uint32_t)(spool->journal_size / (int64_t)JOURNAL_SEGMENT);
	spool->journal.lazy = pr_str_equal_nocase(call->host->option(call, PR_STR("SuperSafe")), PR_STR("false"));
	spool_sync_init(spool);
	journal_init(spool);
	spool_claims_init(spool);
	pthread_mutex_init(&spool->ids.lock, NULL);
	spool->ids.fd = -1;
	spool->opened = true;
	return PR_OK;
}

static void close_store(struct pr_call *call)
{
	struct spool *spool = spool_of(call);

	if (!spool->opened)
		return;
	journal_fini(spool);
	spool_sync_fini(spool);
	spool_claims_fini(spool);
	spool_ids_close(spool);
	spool_places_close(spool);
	spool->opened = false;
}

static enum pr_status set_role(struct pr_call *call, uint32_t role)
{
	struct spool *spool = spool_of(call);
	enum pr_status status = PR_OK;

	if ((role & (PR_STORE_INTAKE | PR_STORE_DELIVERY)) != 0)
		status = spool_ids_open(call);
	if (status != PR_OK)
		return status;
	spool->role = role;
	atomic_store(&spool->modes_are_right, false);
	/* what lies in the journal is no debris: who does not know it sweeps nothing up */
	if ((role & PR_STORE_DELIVERY) != 0 && (journal_hold(call) || !journal_open_directory(spool)))
		spool_sweep(spool);
	return PR_OK;
}

static const struct pr_option options[] = {
	PR_OPTION(struct spool, directory, "directory", PR_OPTION_PATH, 0, NULL, "the queue directory (default: option QueueDirectory)"),
	PR_OPTION(struct spool, file_mode, "file_mode", PR_OPTION_MODE, 0, "0660", "mode of queue files"),
	PR_OPTION(struct spool, body_memory, "body_memory", PR_OPTION_SIZE, 0, "64K", "a body up to this size is written in one piece at the end"),
	PR_OPTION(struct spool, journal_size, "journal_size", PR_OPTION_SIZE, 0, "64M", "room for messages that are not files yet; 0: none"),
	PR_OPTION(struct spool, journal_body, "journal_body", PR_OPTION_SIZE, 0, "2M",
	          "a larger body becomes a file at once, beside its record in the journal; above 128K also any while half of the journal is in use"),
	PR_OPTION(struct spool, orphan_age, "orphan_age", PR_OPTION_TIME, 0, "5m", "age at which remains of a crash are removed at start"),
	PR_OPTION(struct spool, sync_finish, "sync_finish", PR_OPTION_BOOL, 0, "no",
	          "also make removals durable: no second delivery after a power cut, at the cost of one directory fsync"),
	PR_OPTION(struct spool, sync_together, "sync_together", PR_OPTION_BOOL, 0, "yes",
	          "messages that arrive together are made durable by one syncfs (ext4, xfs, btrfs); no: file by file"),
	PR_OPTION_END
};

static const struct pr_store_ops ops = {
	.size = sizeof ops,
	.role = set_role,
	.begin = spool_begin,
	.body = spool_body,
	.commit = spool_commit,
	.abort = spool_abort,
	.next = spool_next,
	.next_end = spool_next_end,
	.peek = spool_peek,
	.claim = spool_claim,
	.body_open = spool_body_open,
	.body_close = spool_body_close,
	.renew = spool_renew,
	.update = spool_update,
	.finish = spool_finish,
	.defer = spool_defer,
	.release = spool_release,
	.hold = spool_hold,
	.unhold = spool_unhold,
	.requeue = spool_requeue,
	.remove = spool_remove,
	.health = spool_health,
	.drain = spool_drain,
	.begin_in = spool_begin_in,
	.wait_ready = spool_wait_ready,
	.quarantine = spool_quarantine,
	.edit = spool_edit,
	.query = spool_query,
	.handover = spool_handover,
	.list = spool_list,
	.claim_aside = spool_claim_aside,
	.secure = spool_secure,
	.forget = spool_forget,
};

PR_MODULE(spool) = {
	PR_MODULE_HEAD(PR_KIND_STORE),
	.flags = PR_CONCURRENT,
	.instance_size = sizeof(struct spool),
	.name = "spool",
	.version = "1.0",
	.summary = "the queue in sendmail's files: qf and df",
	.options = options,
	.check = check,
	.open = open_store,
	.close = close_store,
	.ops = &ops,
};
