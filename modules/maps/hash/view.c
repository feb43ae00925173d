/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a thread looks at: the table in memory that all threads share, or a handle of its own on a large file.
 * The file is opened once, judged and read by its descriptor, so what was judged is what is read.  sendmail's makemap writes into the file
 * itself, under a lock: while somebody holds it the table that is known goes on to be used, and a file whose identity has changed
 * when it was read is read again.
 */
#include "check.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define WRITER_WAIT_MS 5000

static atomic_uint replaced; /* tables that this process put in place */

void hash_changed(void)
{
	atomic_fetch_add_explicit(&replaced, 1, memory_order_release);
}

struct identity identity_of(const struct stat *status)
{
	return (struct identity){ .device = status->st_dev, .inode = status->st_ino, .size = status->st_size,
		.modified = status->st_mtim, .changed = status->st_ctim };
}

static bool time_equal(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && time_equal(&a->modified, &b->modified) &&
	       time_equal(&a->changed, &b->changed);
}

bool is_file(const struct identity *identity, const struct stat *status)
{
	struct identity present = identity_of(status);

	return identity_equal(identity, &present);
}

void hash_drop(struct hash_thread *thread)
{
	memory_release(thread->table);
	thread->table = NULL;
	if (thread->db != NULL)
		gdbm_close(thread->db);
	thread->db = NULL;
	thread->absent = 0;
	free(thread->last.dptr);
	thread->last = (datum){0};
	thread->position = 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum pr_status absent(struct pr_call *call, int error)
{
	const struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;

	hash_drop(thread);
	if (error == ENOENT && map->flags.optional) {
		thread->absent = 1;
		return pr_map_absent(call);
	}
	if (error == ENOENT)
		return pr_fail(call, PR_TEMPFAIL, "missing map file %s: %s", map->path, strerror(error));
	return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(error));
}

/* Does somebody write into it now?  sendmail locks with flock or with fcntl, as it was built. */
static bool is_written(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Values stand in the file once each: more of them than it has bytes are pages that lead in a circle. */
static bool load_berkeley(struct hash_map *map, int64_t size, struct memory *table)
{
	struct berkeley *file = berkeley_open(map->path, map->why, sizeof map->why);
	struct pr_str key, value;
	enum pr_status status = PR_TEMPFAIL;

	if (file == NULL)
		return false;
	for (bool restart = true; (status = berkeley_next(file, restart, &key, &value, map->why, sizeof map->why)) == PR_OK; restart = false)
		if ((size -= (int64_t)value.len + 2) < 0 || !memory_add(table, key, value)) {
			snprintf(map->why, sizeof map->why, size < 0 ? "the file is damaged; build it again" : "the table is too large");
			break;
		}
	berkeley_close(file);
	return status == PR_NOTFOUND;
}

/* Reads the judged file for all threads; under the map's lock. */
static bool load(struct hash_map *map, int fd, const struct identity *identity)
{
	struct memory *table = memory_new();
	struct stat after;
	bool good;

	if (map->kind == FILE_GDBM) {
		good = hash_load(fd, (int64_t)identity->size, table);
		if (!good)
			snprintf(map->why, sizeof map->why, "the file is damaged; build it again");
	} else {
		good = load_berkeley(map, (int64_t)identity->size, table);
	}
	map->good = good; /* what cannot be read is not tried again before it changes */
	if (stat(map->path, &after) != 0 || !is_file(identity, &after)) {
		snprintf(map->why, sizeof map->why, "the file changed while it was read");
		map->known = 0; /* what was judged was half of a change, perhaps */
		good = false;
	}
	if (!good) {
		memory_release(table);
		return false;
	}
	memory_seal(table);
	memory_release(map->table);
	map->table = table;
	map->loaded = *identity;
	return true;
}

/* Under the map's lock: the thread's view becomes this file. */
static enum pr_status adopt(struct pr_call *call, int fd, const struct identity *identity)
{
	struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;

	hash_judge(map, fd, identity);
	if (!map->good) {
		hash_drop(thread);
		if (map->is_unsafe)
			return pr_fail(call, PR_TEMPFAIL, "%s map \"%.*s\": unsafe map file %s: %s", map->kind == FILE_BERKELEY_BTREE ? "btree" : "hash",
			               PR_PRINT(pr_own_name(call)), map->path, map->why);
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, map->why);
	}
	bool on_disk = map->kind == FILE_GDBM && (int64_t)identity->size > map->memory;
	if (!on_disk && (map->table == NULL || !identity_equal(&map->loaded, identity)) && !load(map, fd, identity))
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, map->why);
	hash_drop(thread);
	thread->sealed = map->sealed;
	thread->identity = *identity;
	if (!on_disk) {
		thread->table = memory_hold(map->table);
		return PR_OK;
	}
	memory_release(map->table);
	map->table = NULL;
	return hash_disk_open(call, fd);
}

/* PR_MISUSE: somebody is writing into it, or it changed while it was read: look again. */
static enum pr_status open_present(struct pr_call *call)
{
	struct hash_map *map = call->instance;
	struct stat status;
	int fd = open(map->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return absent(call, errno);
	enum pr_status answer = PR_MISUSE;
	if (fstat(fd, &status) != 0)
		answer = pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		answer = pr_fail(call, PR_TEMPFAIL, "%s: not a regular file", map->path);
	else if (!is_written(fd)) {
		pthread_mutex_lock(&map->lock);
		struct identity identity = identity_of(&status);
		answer = adopt(call, fd, &identity);
		if (answer == PR_TEMPFAIL && !map->known)
			answer = PR_MISUSE;
		pthread_mutex_unlock(&map->lock);
	}
	close(fd);
	return answer;
}

/* A writer is waited for, unless there is an older table to go on with. */
static enum pr_status renew(struct pr_call *call)
{
	struct hash_thread *thread = call->thread;
	const struct hash_map *map = call->instance;
	int64_t left = pr_call_remaining(call, WRITER_WAIT_MS);

	for (;;) {
		enum pr_status status = open_present(call);
		if (status != PR_MISUSE)
			return status;
		call->reason = PR_NONE;
		if (thread->table != NULL)
			return PR_OK;
		if (left <= 0)
			return pr_fail(call, PR_TEMPFAIL, "%s: somebody is writing it", map->path);
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		left -= 20;
	}
}

enum pr_status hash_view(struct pr_call *call)
{
	struct hash_thread *thread = call->thread;
	const struct hash_map *map = call->instance;
	bool has = thread->table != NULL || thread->db != NULL;
	uint32_t generation = atomic_load_explicit(&replaced, memory_order_acquire);
	int64_t now = now_ms();
	struct stat status;

	if ((has || thread->absent) && thread->generation == generation && now - thread->checked_ms < LOOK_AGAIN_MS)
		return has ? PR_OK : pr_map_absent(call);
	thread->checked_ms = now;
	thread->generation = generation;
	if (stat(map->path, &status) != 0)
		return absent(call, errno);
	return has && is_file(&thread->identity, &status) ? PR_OK : renew(call);
}
