/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A GDBM file too large for the memory, through the library and a handle for each thread.
 * These files are only replaced, so its own locks are left out.
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

enum pr_status hash_disk_open(struct pr_call *call, int fd)
{
	struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;

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

/* The key has a NUL behind its end. */
static enum pr_status fetch(struct pr_call *call, struct pr_str key, bool nul, struct pr_str *value_out)
{
	key.len += nul;
	enum pr_status status = fetch_gdbm(call, key, value_out);
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

enum pr_status hash_disk_next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
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
