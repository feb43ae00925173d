/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lookups, options and life of a table file, for all names it has in configurations.
 * A key is tried as it is and with a final NUL, because sendmail's tools write either; everything about damage is settled before anything is
 * looked up, so an error here means the disk, never "unknown".
 */
#include "hash.h"

#include <postrider/file.h>
#include <string.h>

#define SHORT_KEY 256

bool hash_tries_plain(const struct hash_map *map)
{
	return map->flags.nul.len == 0 || pr_str_equal(map->flags.nul, PR_STR("never"));
}

bool hash_tries_nul(const struct hash_map *map)
{
	return map->flags.nul.len == 0 || pr_str_equal(map->flags.nul, PR_STR("always"));
}

/* Keys of usual length are folded on the stack: nothing is allocated but the value. */
static struct pr_str fold(struct pr_call *call, const struct hash_map *map, struct pr_str key, char *room)
{
	if (key.len >= SHORT_KEY)
		return pr_map_fold(call, &map->flags, key);
	for (size_t i = 0; i < key.len; i++) {
		char byte = key.data[i];
		room[i] = map->flags.fold && byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
	}
	room[key.len] = '\0';
	return (struct pr_str){ room, key.len };
}

enum pr_status hash_find(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	const struct hash_map *map = call->instance;
	struct hash_thread *thread = call->thread;
	char room[SHORT_KEY];

	if (pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	enum pr_status status = hash_view(call);
	if (status != PR_OK)
		return status;
	if (key.len > KEY_MAX)
		return PR_NOTFOUND;
	struct pr_str wanted = fold(call, map, key, room);
	if (wanted.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	if (thread->table == NULL)
		return hash_disk_lookup(call, wanted, raw_out);
	return memory_find(thread->table, wanted, hash_tries_plain(map), hash_tries_nul(map), raw_out) ? PR_OK : PR_NOTFOUND;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct hash_map *map = call->instance;
	struct pr_str raw = PR_NONE;
	enum pr_status status = hash_find(call, key, &raw);

	return pr_map_answer(call, &map->flags, status, key, args, raw, value_out);
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
	struct pr_str key = PR_NONE, value = PR_NONE;
	enum pr_status status = hash_view(call);

	if (status == PR_OK && thread->table != NULL)
		status = memory_next(thread->table, cursor, &key, &value) ? PR_OK : PR_NOTFOUND;
	else if (status == PR_OK)
		status = hash_disk_next(call, cursor, &key, &value);
	if (status != PR_OK)
		return status;
	*key_out = pr_arena_copy(call->arena, without_nul(key));
	*value_out = pr_arena_copy(call->arena, without_nul(value));
	return key_out->data != NULL && value_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the record");
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

enum pr_status hash_check_options(struct pr_call *call)
{
	struct hash_map *map = call->instance;
	struct pr_str rest;
	enum pr_status status = pr_map_flags_parse(call, NULL, map, &map->flags);

	if (status != PR_OK)
		return status;
	rest = map->flags.words;
	if (map->file.len == 0)
		pr_map_word(&rest, &map->file);
	if (map->file.len == 0 || memchr(map->file.data, '\0', map->file.len) != NULL)
		return pr_fail(call, PR_MISUSE, "file: the name of the table is missing");
	if (map->file.data[0] != '/')
		return pr_fail(call, PR_MISUSE, "file: %.*s is not an absolute path", PR_PRINT(map->file));
	return PR_OK;
}

/* A name that ends in .db is used as it stands, as sendmail and its makemap do.  A table that is not built yet is no reason not to
 * start: its lookups defer mail, and newaliases itself must be able to open it. */
enum pr_status hash_open(struct pr_call *call)
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
	map->safe = pr_safe_flags(PR_SAFE_MAP, call->host->option(call, PR_STR("DontBlameSendmail")));
	pr_text_fini(&path);
	pthread_mutex_init(&map->lock, NULL);
	return PR_OK;
}

void hash_close(struct pr_call *call)
{
	struct hash_map *map = call->instance;

	if (map->path == NULL)
		return;
	memory_release(map->table);
	map->table = NULL;
	pr_free(map->path);
	map->path = NULL;
	pthread_mutex_destroy(&map->lock);
}

void hash_thread_close(struct pr_call *call)
{
	hash_abandon(call);
	hash_drop(call->thread);
}

const struct pr_option hash_options[] = {
	PR_MAP_OPTIONS(struct hash_map, flags),
	PR_OPTION(struct hash_map, file, "file", PR_OPTION_PATH, 0, NULL, "the table, NAME or NAME.db"),
	PR_OPTION(struct hash_map, unsafe, "unsafe", PR_OPTION_BOOL, 0, "false", "believe a file that others may write"),
	PR_OPTION(struct hash_map, mode, "mode", PR_OPTION_MODE, 0, "0644", "file mode of a table that is built for the first time"),
	PR_OPTION(struct hash_map, memory, "memory", PR_OPTION_SIZE, 0, "64M", "largest file that is kept in memory"),
	PR_OPTION_END
};

const struct pr_map_ops hash_ops = { .size = sizeof hash_ops, .lookup = lookup, .store = hash_store, .remove = hash_remove,
	.next = next, .begin = hash_begin, .commit = hash_commit, .owner = owner };
