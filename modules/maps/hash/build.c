/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rebuilding: everything goes to NAME.db.new, which takes the place of NAME.db only when it is complete, sealed and on the disk.
 * A lock on the new file keeps two builders apart; a builder that died leaves a file that the next one overwrites.  GDBM writes
 * without a mapping: on a full disk a store then fails, where a mapped page would end the process.
 */
#include "check.h"
#include "hash.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define WAIT_FOR_BUILDER_MS 60000

static struct pr_str new_path(struct pr_call *call)
{
	const struct hash_map *map = call->instance;

	return pr_arena_printf(call->arena, "%s.new", map->path);
}

/* Waits for another builder; its file is renamed away when it is done, so the path must still be ours afterwards. */
static bool lock_new(struct pr_call *call, const char *path, int *fd_out)
{
	int64_t left = pr_call_remaining(call, WAIT_FOR_BUILDER_MS);

	for (;;) {
		struct stat mine, there;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (fd < 0)
			return false;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (fstat(fd, &mine) == 0 && lstat(path, &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
				*fd_out = fd;
				return true;
			}
			close(fd);
			continue;
		}
		int error = errno;
		close(fd);
		errno = error;
		if (error != EWOULDBLOCK || left <= 0)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		left -= 20;
	}
}

/* The new table is read by whoever read the old one. */
static bool dress(const struct hash_map *map, int fd)
{
	struct stat old, mine;

	if (fstat(fd, &mine) != 0)
		return false;
	if (!S_ISREG(mine.st_mode) || mine.st_nlink != 1 || mine.st_uid != geteuid()) {
		errno = EPERM;
		return false;
	}
	if (stat(map->path, &old) != 0)
		return fchmod(fd, map->mode & 0777) == 0;
	if (geteuid() == 0 && fchown(fd, old.st_uid, old.st_gid) != 0)
		return false;
	return fchmod(fd, old.st_mode & 0777) == 0;
}

enum pr_status hash_begin(struct pr_call *call)
{
	const struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;
	struct pr_str path = new_path(call);
	int fd = -1;

	hash_abandon(call);
	if (!lock_new(call, path.data, &fd))
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", path.data, errno == EWOULDBLOCK ? "another program is building it" : strerror(errno));
	int own = -1;
	if (ftruncate(fd, 0) == 0 && dress(map, fd))
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own >= 0) {
		thread->building = gdbm_fd_open(own, path.data, 0, GDBM_NEWDB | GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC | GDBM_CLOERROR, NULL);
		if (thread->building != NULL) {
			thread->build_fd = fd;
			return PR_OK;
		}
	}
	enum pr_status status = pr_fail(call, PR_TEMPFAIL, "%s: %s", path.data, own >= 0 ? gdbm_strerror(gdbm_errno) : strerror(errno));
	unlink(path.data);
	close(fd);
	return status;
}

void hash_abandon(struct pr_call *call)
{
	struct hash_thread *thread = call->thread;
	const struct hash_map *map = call->instance;
	struct pr_text path;

	if (thread->building == NULL)
		return;
	gdbm_close(thread->building);
	thread->building = NULL;
	pr_text_init(&path, 8192);
	if (pr_text_addf(&path, "%s.new", map->path))
		unlink(path.data);
	pr_text_fini(&path);
	close(thread->build_fd);
}

static datum datum_of(struct pr_str text)
{
	return (datum){ .dptr = (char *)(uintptr_t)text.data, .dsize = (int)text.len };
}

enum pr_status hash_store(struct pr_call *call, struct pr_str key, struct pr_str value)
{
	const struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;

	if (thread->building == NULL)
		return pr_fail(call, PR_MISUSE, "a hash table is changed by building it anew: begin first");
	if (key.len > KEY_MAX || value.len > (1u << 26))
		return pr_fail(call, PR_PERMFAIL, "key or value is too long for a table");
	struct pr_str stored = pr_map_fold(call, &map->flags, key);
	if (stored.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	errno = 0;
	if (gdbm_store(thread->building, datum_of(stored), datum_of(value.data == NULL ? PR_STR("") : value), GDBM_REPLACE) == 0)
		return PR_OK;
	return pr_fail(call, PR_TEMPFAIL, "%s: %s", new_path(call).data, gdbm_db_strerror(thread->building));
}

enum pr_status hash_remove(struct pr_call *call, struct pr_str key)
{
	const struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;

	if (thread->building == NULL)
		return pr_fail(call, PR_MISUSE, "a hash table is changed by building it anew: begin first");
	struct pr_str stored = pr_map_fold(call, &map->flags, key);
	if (stored.data != NULL && gdbm_delete(thread->building, datum_of(stored)) == 0)
		return PR_OK;
	if (gdbm_errno == GDBM_ITEM_NOT_FOUND)
		return PR_NOTFOUND;
	return pr_fail(call, PR_TEMPFAIL, "%s: %s", new_path(call).data, gdbm_db_strerror(thread->building));
}

static bool sync_directory(const char *path)
{
	char *folder = pr_copy_c(path);
	char *slash = strrchr(folder, '/');
	bool good = false;

	if (slash != NULL) {
		slash[slash == folder ? 1 : 0] = '\0';
		int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		good = fd >= 0 && fsync(fd) == 0;
		if (fd >= 0)
			close(fd);
	}
	pr_free(folder);
	return good;
}

enum pr_status hash_commit(struct pr_call *call)
{
	const struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;
	struct pr_str path = new_path(call);
	datum key = { .dptr = (char *)(uintptr_t)SEAL_KEY, .dsize = (int)SEAL_KEY_LENGTH };
	datum value = { .dptr = (char *)(uintptr_t)SEAL_EMPTY, .dsize = (int)SEAL_LENGTH };
	const char *why = NULL;

	if (thread->building == NULL)
		return pr_fail(call, PR_MISUSE, "there is no new table: begin first");
	if (gdbm_store(thread->building, key, value, GDBM_REPLACE) != 0)
		why = gdbm_db_strerror(thread->building);
	errno = 0;
	if (gdbm_close(thread->building) != 0 && why == NULL)
		why = gdbm_strerror(gdbm_errno);
	thread->building = NULL;
	if (why == NULL && (!hash_seal(thread->build_fd) || fsync(thread->build_fd) != 0 || rename(path.data, map->path) != 0))
		why = strerror(errno);
	enum pr_status status = PR_OK;
	if (why != NULL) {
		status = pr_fail(call, PR_TEMPFAIL, "%s: %s", path.data, why);
		unlink(path.data);
	} else if (!sync_directory(map->path)) {
		status = pr_fail(call, PR_TEMPFAIL, "%s: the folder could not be synced: %s", map->path, strerror(errno));
	}
	close(thread->build_fd);
	hash_changed();
	if (why == NULL) /* until every reader has looked */
		nanosleep(&(struct timespec){ .tv_nsec = COMMIT_WAIT_MS * 1000000L }, NULL);
	return status;
}
