/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor and the lookups.  A key is tried as it is and with a final NUL, because sendmail's tools write either;
 * everything about damage is settled before GDBM opens the file, so an error here means the disk, never "unknown".
 */
#include "hash.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

struct pr_str hash_key(struct pr_call *call, struct pr_str key)
{
	const struct hash_map *map = call->instance;

	return map->fold ? pr_arena_lower(call->arena, key) : pr_arena_copy(call->arena, key);
}

static enum pr_status broken(struct pr_call *call, GDBM_FILE db)
{
	const struct hash_map *map = call->instance;
	enum pr_status status = pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, gdbm_db_strerror(db));

	hash_drop(call->thread);
	return status;
}

/* One form of the key: PR_OK with a value, PR_NOTFOUND, or PR_TEMPFAIL. */
static enum pr_status fetch(struct pr_call *call, GDBM_FILE db, struct pr_str key, bool nul, struct pr_str *value_out)
{
	datum wanted = { .dptr = (char *)(uintptr_t)key.data, .dsize = (int)(key.len + nul) };
	datum found = gdbm_fetch(db, wanted);

	if (found.dptr == NULL)
		return gdbm_errno == GDBM_ITEM_NOT_FOUND ? PR_NOTFOUND : broken(call, db);
	struct pr_str value = { found.dptr, (size_t)found.dsize };
	if (nul && value.len > 0 && value.data[value.len - 1] == '\0')
		value.len--;
	value = pr_arena_copy(call->arena, value);
	free(found.dptr);
	if (value.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the value");
	*value_out = value;
	return PR_OK;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	GDBM_FILE db = NULL;

	(void)args;
	enum pr_status status = hash_current(call, &db);
	if (status != PR_OK)
		return status;
	if (key.len > 65536)
		return PR_NOTFOUND;
	struct pr_str stored = hash_key(call, key); /* NUL-terminated: the second form needs no copy */
	if (stored.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	status = fetch(call, db, stored, false, value_out);
	if (status == PR_NOTFOUND && !thread->sealed) /* our own builder stores no NUL */
		status = fetch(call, db, stored, true, value_out);
	return status;
}

/* Moves the thread's place to record number `position`, counted in the file's own order. */
static enum pr_status seek(struct pr_call *call, GDBM_FILE db, uint64_t position)
{
	struct hash_thread *thread = call->thread;

	if (position == 0 || thread->last.dptr == NULL || thread->position > position) {
		free(thread->last.dptr);
		thread->last = gdbm_firstkey(db);
		thread->position = 0;
	}
	while (thread->last.dptr != NULL && thread->position < position) {
		datum next = gdbm_nextkey(db, thread->last);
		free(thread->last.dptr);
		thread->last = next;
		thread->position++;
	}
	if (thread->last.dptr != NULL)
		return PR_OK;
	return gdbm_errno == GDBM_ITEM_NOT_FOUND ? PR_NOTFOUND : broken(call, db);
}

static struct pr_str without_nul(struct pr_str text)
{
	if (text.len > 0 && text.data[text.len - 1] == '\0')
		text.len--;
	return text;
}

static enum pr_status next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	struct hash_thread *thread = call->thread;
	GDBM_FILE db = NULL;
	enum pr_status status = hash_current(call, &db);

	while (status == PR_OK) {
		status = seek(call, db, *cursor);
		if (status != PR_OK)
			break;
		++*cursor;
		struct pr_str key = { thread->last.dptr, (size_t)thread->last.dsize };
		if (pr_str_equal(key, (struct pr_str){ SEAL_KEY, SEAL_KEY_LENGTH }))
			continue;
		datum found = gdbm_fetch(db, thread->last);
		if (found.dptr == NULL)
			return broken(call, db);
		*key_out = pr_arena_copy(call->arena, without_nul(key));
		*value_out = pr_arena_copy(call->arena, without_nul((struct pr_str){ found.dptr, (size_t)found.dsize }));
		free(found.dptr);
		return key_out->data != NULL && value_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the record");
	}
	return status;
}

static enum pr_status owner(struct pr_call *call, uint32_t *uid_out)
{
	const struct hash_map *map = call->instance;
	struct stat status;

	if (stat(map->path, &status) != 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: cannot be examined", map->path);
	*uid_out = (uint32_t)status.st_uid;
	return PR_OK;
}

static enum pr_status check(struct pr_call *call)
{
	const struct hash_map *map = call->instance;

	if (map->file.len == 0 || memchr(map->file.data, '\0', map->file.len) != NULL)
		return pr_fail(call, PR_MISUSE, "file: the name of the table is missing");
	return PR_OK;
}

/* A name that ends in .db is used as it stands, as sendmail and its makemap do.  A table that is not built yet is no reason not to
 * start: its lookups defer mail, and newaliases itself must be able to open it. */
static enum pr_status open_map(struct pr_call *call)
{
	struct hash_map *map = call->instance;
	struct pr_text path;

	pr_text_init(&path, 4096);
	pr_text_add_str(&path, map->file);
	if (!pr_str_has_suffix_nocase(map->file, PR_STR(".db")))
		pr_text_add_c(&path, ".db");
	if (path.overflow) {
		pr_text_fini(&path);
		return pr_fail(call, PR_MISUSE, "file: the name is too long");
	}
	map->path = pr_copy_str(pr_text_str(&path));
	pr_text_fini(&path);
	pthread_mutex_init(&map->lock, NULL);
	return PR_OK;
}

static void close_map(struct pr_call *call)
{
	struct hash_map *map = call->instance;

	if (map->path == NULL)
		return;
	pr_free(map->path);
	map->path = NULL;
	pthread_mutex_destroy(&map->lock);
}

static void thread_close(struct pr_call *call)
{
	hash_abandon(call);
	hash_drop(call->thread);
}

static const struct pr_option options[] = {
	PR_OPTION(struct hash_map, file, "file", PR_OPTION_PATH, PR_OPTION_REQUIRED, NULL, "the table, NAME or NAME.db"),
	PR_OPTION(struct hash_map, fold, "fold", PR_OPTION_BOOL, 0, "true", "keys are lower-cased, when stored and when looked up"),
	PR_OPTION(struct hash_map, optional, "optional", PR_OPTION_BOOL, 0, "false", "a missing file is an empty table"),
	PR_OPTION(struct hash_map, unsafe, "unsafe", PR_OPTION_BOOL, 0, "false", "believe a file that others may write"),
	PR_OPTION(struct hash_map, mode, "mode", PR_OPTION_MODE, 0, "0644", "file mode of a table that is built for the first time"),
	PR_OPTION_END
};

static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup, .store = hash_store, .remove = hash_remove,
	.next = next, .begin = hash_begin, .commit = hash_commit, .owner = owner };

PR_MODULE(hash) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct hash_map),
	.thread_size = sizeof(struct hash_thread), .name = "hash", .version = "1.0", .summary = "keys and values in a GDBM file",
	.options = options, .check = check, .open = open_map, .close = close_map, .thread_close = thread_close, .ops = &ops };
