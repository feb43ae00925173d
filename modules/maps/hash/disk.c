/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file too large for the memory, through the library that made it and a handle for each thread.
 * GDBM files are only replaced, and its own locks are left out.  A Berkeley file may be written into: what is not found in one that has
 * changed since it was opened was not looked for.
 */
#include "check.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static enum pr_status broken(struct pr_call *call, const char *why)
{
	const struct hash_map *map = call->instance;
	enum pr_status status = pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, why);

	hash_drop(call->thread);
	return status;
}

static bool is_unchanged(int fd, const struct identity *identity)
{
	struct stat status;

	return fd >= 0 && fstat(fd, &status) == 0 && is_file(identity, &status);
}

static enum pr_status open_berkeley(struct pr_call *call)
{
	struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;
	char why[256] = "";

	thread->berkeley = berkeley_open(map->path, why, sizeof why);
	if (thread->berkeley == NULL)
		return broken(call, why);
	return is_unchanged(berkeley_descriptor(thread->berkeley), &thread->identity) ? PR_OK : broken(call, "the file changed while it was opened");
}

enum pr_status hash_disk_open(struct pr_call *call, int fd)
{
	struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;

	if (map->kind != FILE_GDBM)
		return open_berkeley(call);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* GDBM closes it, in success and failure */
	if (own < 0)
		return broken(call, strerror(errno));
	thread->db = gdbm_fd_open(own, map->path, 0, GDBM_READER | GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC | GDBM_CLOERROR, NULL);
	return thread->db != NULL ? PR_OK : broken(call, gdbm_strerror(gdbm_errno));
}

static enum pr_status fetch_gdbm(struct pr_call *call, struct pr_str key, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	datum found = gdbm_fetch(thread->db, (datum){ .dptr = (char *)(uintptr_t)key.data, .dsize = (int)key.len });

	if (found.dptr == NULL)
		return gdbm_errno == GDBM_ITEM_NOT_FOUND ? PR_NOTFOUND : broken(call, gdbm_db_strerror(thread->db));
	*value_out = pr_arena_copy(call->arena, (struct pr_str){ found.dptr, (size_t)found.dsize });
	free(found.dptr);
	return value_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the value");
}

static enum pr_status fetch_berkeley(struct pr_call *call, struct pr_str key, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	char why[256] = "";
	enum pr_status status = berkeley_get(thread->berkeley, key, value_out, why, sizeof why);

	if (status == PR_TEMPFAIL)
		return broken(call, why);
	if (!is_unchanged(berkeley_descriptor(thread->berkeley), &thread->identity))
		return broken(call, "somebody is writing it");
	return status;
}

/* The key has a NUL behind its end. */
static enum pr_status fetch(struct pr_call *call, struct pr_str key, bool nul, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;

	key.len += nul;
	enum pr_status status = thread->db != NULL ? fetch_gdbm(call, key, value_out) : fetch_berkeley(call, key, value_out);
	if (status == PR_OK && nul && value_out->len > 0 && value_out->data[value_out->len - 1] == '\0')
		value_out->len--;
	return status;
}

enum pr_status hash_disk_lookup(struct pr_call *call, struct pr_str key, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	const struct hash_map *map = call->instance;
	enum pr_status status = PR_NOTFOUND;

	if (hash_tries_plain(map))
		status = fetch(call, key, false, value_out);
	if (status == PR_NOTFOUND && hash_tries_nul(map) && !thread->sealed) /* our own builder stores no NUL */
		status = fetch(call, key, true, value_out);
	return status;
}

/* Moves the thread's place to record number `position`, counted in the file's own order. */
static enum pr_status seek(struct pr_call *call, uint64_t position)
{
	struct hash_thread *thread = call->thread;

	if (position == 0 || thread->last.dptr == NULL || thread->position > position) {
		free(thread->last.dptr);
		thread->last = gdbm_firstkey(thread->db);
		thread->position = 0;
	}
	while (thread->last.dptr != NULL && thread->position < position) {
		datum next = gdbm_nextkey(thread->db, thread->last);
		free(thread->last.dptr);
		thread->last = next;
		thread->position++;
	}
	if (thread->last.dptr != NULL)
		return PR_OK;
	return gdbm_errno == GDBM_ITEM_NOT_FOUND ? PR_NOTFOUND : broken(call, gdbm_db_strerror(thread->db));
}

static enum pr_status next_gdbm(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	enum pr_status status;

	while ((status = seek(call, *cursor)) == PR_OK) {
		++*cursor;
		struct pr_str key = { thread->last.dptr, (size_t)thread->last.dsize };
		if (pr_str_equal(key, (struct pr_str){ SEAL_KEY, SEAL_KEY_LENGTH }))
			continue;
		*key_out = key;
		return fetch_gdbm(call, key, value_out);
	}
	return status;
}

enum pr_status hash_disk_next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	char why[256] = "";

	if (thread->db != NULL)
		return next_gdbm(call, cursor, key_out, value_out);
	enum pr_status status = berkeley_next(thread->berkeley, *cursor == 0, key_out, value_out, why, sizeof why);
	++*cursor;
	return status == PR_TEMPFAIL ? broken(call, why) : status;
}
