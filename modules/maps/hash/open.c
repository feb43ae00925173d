/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opens the present file for one thread and notices a new one.  The file is opened once, judged and given to GDBM by its descriptor,
 * so what was judged is what is read; GDBM's own locks are left out because files are only ever replaced.
 */
#include "check.h"
#include "hash.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void hash_drop(struct hash_thread *thread)
{
	if (thread->db != NULL)
		gdbm_close(thread->db);
	thread->db = NULL;
	free(thread->last.dptr);
	thread->last = (datum){0};
	thread->position = 0;
}

/* Judged once for all threads; a bad verdict is remembered too. */
static bool judge(struct hash_map *map, int fd, const struct identity *identity, bool *sealed_out, char *why, size_t why_size)
{
	struct pr_text trust;
	bool sealed = false, good;

	pthread_mutex_lock(&map->lock);
	if (!map->known || !identity_equal(&map->verified, identity)) {
		pr_text_init(&trust, sizeof map->why - 1);
		good = map->unsafe || pr_file_is_trusted(map->path, (uint32_t)geteuid(), &trust);
		if (!good)
			snprintf(map->why, sizeof map->why, "%.*s", PR_PRINT(pr_text_str(&trust)));
		else
			good = hash_check(fd, (int64_t)identity->size, &sealed, map->why, sizeof map->why);
		pr_text_fini(&trust);
		map->verified = *identity;
		map->known = 1;
		map->good = good;
		map->sealed = sealed;
	}
	good = map->good;
	*sealed_out = map->sealed;
	snprintf(why, why_size, "%s", map->why);
	pthread_mutex_unlock(&map->lock);
	return good;
}

static enum pr_status absent(struct pr_call *call, const struct hash_map *map, int error)
{
	if (error == ENOENT && map->optional)
		return PR_NOTFOUND;
	if (error == ENOENT)
		return pr_fail(call, PR_TEMPFAIL, "%s: there is no such table; build it with makemap or newaliases", map->path);
	return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(error));
}

static enum pr_status open_present(struct pr_call *call, int fd)
{
	struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;
	struct stat status;
	char why[sizeof map->why];
	bool sealed = false;

	if (fstat(fd, &status) != 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return pr_fail(call, PR_TEMPFAIL, "%s: not a regular file", map->path);
	struct identity identity = identity_of(&status);
	if (!judge(map, fd, &identity, &sealed, why, sizeof why))
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, why);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* GDBM closes it, in success and failure */
	if (own < 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(errno));
	thread->db = gdbm_fd_open(own, map->path, 0, GDBM_READER | GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC | GDBM_CLOERROR, NULL);
	if (thread->db == NULL)
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, gdbm_strerror(gdbm_errno));
	thread->identity = identity;
	thread->sealed = sealed;
	return PR_OK;
}

enum pr_status hash_current(struct pr_call *call, GDBM_FILE *db_out)
{
	struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;
	struct stat status;
	struct identity identity;

	if (stat(map->path, &status) != 0) {
		int error = errno;
		hash_drop(thread);
		return absent(call, map, error);
	}
	identity = identity_of(&status);
	if (thread->db == NULL || !identity_equal(&identity, &thread->identity)) {
		hash_drop(thread);
		int fd = open(map->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			return absent(call, map, errno);
		enum pr_status answer = open_present(call, fd);
		close(fd);
		if (answer != PR_OK)
			return answer;
	}
	*db_out = thread->db;
	return PR_OK;
}
