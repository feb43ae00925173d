/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The user database: one field (maildrop, mailname ...) of the entries "user:field" in a table file.
 * The table is the module hash's; this one only makes its keys.  A site without a user database finds nothing.
 */
#include "../hash/hash.h"

#include <string.h>

struct userdb_map {
	struct hash_map table; /* options are its own */
	struct pr_str field;
	uint32_t is_open;
	char *path;
};

/* The call as the table sees it: the flags are ours to apply. */
static struct pr_call inner(struct pr_call *call)
{
	struct userdb_map *map = call->instance;
	struct pr_call copy = *call;

	copy.instance = &map->table;
	return copy;
}

static enum pr_status check(struct pr_call *call)
{
	struct userdb_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, NULL, map, &map->table.flags);
	struct pr_str rest = map->table.flags.words;

	if (status == PR_OK && map->field.len == 0)
		pr_map_word(&rest, &map->field);
	if (status == PR_OK && map->field.len == 0)
		return pr_fail(call, PR_MISUSE, "field: the name of the field is missing");
	return status;
}

/* UserDatabaseSpec is a list of files and of hosts (@name); the first file is asked. */
static struct pr_str first_file(struct pr_call *call)
{
	struct pr_str rest = call->host->option(call, PR_STR("UserDatabaseSpec")), piece;

	while (pr_str_next(&rest, ',', &piece)) {
		piece = pr_str_trim(piece);
		if (piece.len > 0 && piece.data[0] == '/')
			return piece;
	}
	return PR_NONE;
}

static enum pr_status open_map(struct pr_call *call)
{
	struct userdb_map *map = call->instance;
	struct pr_call table = inner(call);
	struct pr_str file = map->table.file.len > 0 ? map->table.file : first_file(call);

	if (file.len == 0)
		return PR_OK;
	map->path = pr_copy_str(file);
	map->table.file = pr_str(map->path);
	enum pr_status status = hash_open(&table);
	call->reason = table.reason;
	map->is_open = status == PR_OK;
	return status;
}

static void close_map(struct pr_call *call)
{
	struct userdb_map *map = call->instance;
	struct pr_call table = inner(call);

	hash_close(&table);
	pr_free(map->path);
	map->path = NULL;
}

static void thread_close(struct pr_call *call)
{
	struct pr_call table = inner(call);

	hash_thread_close(&table);
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct userdb_map *map = call->instance;
	struct pr_call table = inner(call);
	struct pr_map_flags flags = map->table.flags;
	struct pr_str raw = PR_NONE;

	if (!map->is_open || pr_map_is_deferred(call, &flags))
		return PR_NOTFOUND;
	struct pr_str entry = pr_arena_printf(call->arena, "%.*s:%.*s", PR_PRINT(key), PR_PRINT(map->field));
	if (entry.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	enum pr_status status = hash_find(&table, entry, &raw);
	call->reason = table.reason;
	return pr_map_answer(call, &flags, status, key, args, raw, value_out);
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct userdb_map, table.flags),
	PR_OPTION(struct userdb_map, table.file, "file", PR_OPTION_PATH, 0, NULL, "the table, NAME or NAME.db; else the first of UserDatabaseSpec"),
	PR_OPTION(struct userdb_map, table.unsafe, "unsafe", PR_OPTION_BOOL, 0, "false", "believe a file that others may write"),
	PR_OPTION(struct userdb_map, table.memory, "memory", PR_OPTION_SIZE, 0, "64M", "largest file that is kept in memory"),
	PR_OPTION(struct userdb_map, field, "field", PR_OPTION_STRING, 0, NULL, "maildrop, mailname or another field of the entries"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(userdb) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct userdb_map),
	.thread_size = sizeof(struct hash_thread), .name = "userdb", .version = "1.0", .summary = "fields of the user database",
	.options = options, .check = check, .open = open_map, .close = close_map, .thread_close = thread_close, .ops = &ops };
