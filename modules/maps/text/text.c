/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A text file as a map: the whole file is read once into a hash table in memory and read again when stat(2) shows another file.
 * For tables small enough to be edited by hand and too small to be built.
 */
#include "text.h"

#include <postrider/file.h>
#include <postrider/table.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)256 << 20)
#define ENTRIES_MAX ((size_t)10000000)

static void table_fini(struct table *table)
{
	pr_arena_fini(&table->arena);
	pr_free(table->entries);
	pr_free(table->slots);
	*table = (struct table){0};
}

static bool key_equal(const struct text_map *map, struct pr_str a, struct pr_str b)
{
	return map->flags.fold ? pr_str_equal_nocase(a, b) : pr_str_equal(a, b);
}

/* The slot of a key: its own or the free one where it would go. */
static size_t *find_slot(const struct text_map *map, const struct table *table, struct pr_str key, uint64_t hash)
{
	size_t at = hash & (table->slot_count - 1);

	while (table->slots[at] != 0) {
		const struct entry *entry = &table->entries[table->slots[at] - 1];
		if (entry->hash == hash && key_equal(map, entry->key, key))
			break;
		at = (at + 1) & (table->slot_count - 1);
	}
	return &table->slots[at];
}

/* The first of several equal keys counts, as for a reader from top to bottom; in alias files the last. */
static bool index_entries(const struct text_map *map, struct table *table)
{
	for (table->slot_count = 16; table->slot_count < table->count * 2;)
		table->slot_count *= 2;
	table->slots = pr_alloc(table->slot_count * sizeof *table->slots);
	for (size_t i = 0; i < table->count; i++) {
		size_t *slot = find_slot(map, table, table->entries[i].key, table->entries[i].hash);
		if (*slot == 0 || map->is_alias)
			*slot = i + 1;
	}
	return true;
}

static bool add_entry(struct table *table, struct pr_str key, struct pr_str value)
{
	if (table->count >= ENTRIES_MAX)
		return false;
	if (table->count == table->room) {
		table->room = table->room == 0 ? 64 : table->room * 2;
		table->entries = pr_resize(table->entries, table->room * sizeof *table->entries);
	}
	struct entry *entry = &table->entries[table->count];
	entry->key = pr_arena_copy(&table->arena, key);
	entry->value = pr_arena_copy(&table->arena, value);
	entry->hash = pr_str_hash_nocase(key);
	if (entry->key.data == NULL || entry->value.data == NULL)
		return false;
	table->count++;
	return true;
}

/* Takes one column off the front of *rest; with no delimiter columns are separated by white space. */
static bool take_column(struct pr_str *rest, struct pr_str delimiter, struct pr_str *column_out)
{
	if (rest->data == NULL)
		return false;
	if (delimiter.len > 0) {
		size_t end = pr_str_find(*rest, delimiter.data[0]);
		*column_out = pr_str_slice(*rest, 0, end);
		*rest = end < rest->len ? pr_str_slice(*rest, end + 1, rest->len) : PR_NONE;
		return true;
	}
	return pr_str_word(rest, " \t\r", column_out);
}

/* Column `number` of the line; -1: all that follows the key. */
static bool find_column(const struct text_map *map, struct pr_str line, int64_t number, struct pr_str *column_out)
{
	int64_t last = number < 0 ? map->key_column : number;

	for (int64_t i = 0; i <= last; i++)
		if (!take_column(&line, map->delimiter, column_out))
			return false;
	if (number < 0)
		*column_out = line.data == NULL ? PR_STR("") : line;
	*column_out = pr_str_trim(*column_out);
	return true;
}

static bool read_columns(const struct text_map *map, struct table *table, struct pr_str bytes)
{
	struct pr_str line, key, value;

	while (pr_str_next(&bytes, '\n', &line)) {
		struct pr_str bare = pr_str_trim(line);
		if (bare.len == 0 || bare.data[0] == '#')
			continue;
		if (find_column(map, line, map->key_column, &key) && find_column(map, line, map->value_column, &value) && key.len > 0 &&
		    !add_entry(table, key, value))
			return false;
	}
	return true;
}

static bool read_aliases(struct table *table, struct pr_str bytes)
{
	struct pr_table reader;
	struct pr_arena arena;
	struct pr_str key, value, why;
	enum pr_status status = PR_OK;
	bool good = true;

	pr_arena_init(&arena, FILE_MAX);
	pr_table_init(&reader, bytes);
	while (good && status != PR_NOTFOUND) {
		pr_arena_reset(&arena);
		status = pr_table_next_alias(&reader, &arena, &key, &value, &why);
		if (status == PR_OK)
			good = add_entry(table, key, value);
	}
	pr_arena_fini(&arena);
	return good;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads the file into a fresh table.  One that changes while it is read is not believed. */
static enum pr_status read_table(struct pr_call *call, struct table *table)
{
	struct text_map *map = call->instance;
	struct pr_text bytes, why;
	struct stat after;
	enum pr_status status = PR_OK;

	pr_text_init(&bytes, FILE_MAX);
	pr_text_init(&why, 1000);
	pr_arena_init(&table->arena, FILE_MAX);
	if (!map->unsafe && !pr_file_is_safe(map->path, (uint32_t)table->status.st_uid, map->safe, &why))
		status = pr_fail(call, PR_TEMPFAIL, "text map \"%.*s\": unsafe map file %s: %.*s", PR_PRINT(pr_own_name(call)), map->path, PR_PRINT(pr_text_str(&why)));
	else if (pr_file_read(map->path, FILE_MAX, &bytes, &why) != PR_OK)
		status = pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(pr_text_str(&why)));
	else if (stat(map->path, &after) != 0 || !same_file(&table->status, &after))
		status = pr_fail(call, PR_TEMPFAIL, "%s: changed while it was read", map->path);
	else if (!(map->is_alias ? read_aliases(table, pr_text_str(&bytes)) : read_columns(map, table, pr_text_str(&bytes))))
		status = pr_fail(call, PR_TEMPFAIL, "%s: more than %zu entries or %zu bytes", map->path, ENTRIES_MAX, FILE_MAX);
	else
		index_entries(map, table);
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	return status;
}

/* Under the write lock. */
static enum pr_status reload(struct pr_call *call, const struct stat *now)
{
	struct text_map *map = call->instance;
	struct table fresh = { .status = *now, .loaded = 1 };

	if (map->table.loaded && same_file(&map->table.status, now))
		return PR_OK; /* another thread was faster */
	enum pr_status status = read_table(call, &fresh);
	if (status != PR_OK) {
		table_fini(&fresh);
		return status;
	}
	table_fini(&map->table);
	map->table = fresh;
	return PR_OK;
}

/* Brings the table up to date and leaves with the read lock held when PR_OK. */
static enum pr_status hold_current(struct pr_call *call)
{
	struct text_map *map = call->instance;
	struct stat now;

	for (;;) {
		if (stat(map->path, &now) != 0) {
			if (errno == ENOENT && map->flags.optional)
				return pr_map_absent(call);
			return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(errno));
		}
		pthread_rwlock_rdlock(&map->lock);
		if (map->table.loaded && same_file(&map->table.status, &now))
			return PR_OK;
		pthread_rwlock_unlock(&map->lock);
		pthread_rwlock_wrlock(&map->lock);
		enum pr_status status = reload(call, &now);
		pthread_rwlock_unlock(&map->lock);
		if (status != PR_OK)
			return status;
	}
}

static enum pr_status find(struct pr_call *call, struct pr_str key, struct pr_str *raw_out)
{
	struct text_map *map = call->instance;

	if (pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	enum pr_status status = hold_current(call);
	if (status != PR_OK)
		return status;
	size_t slot = *find_slot(map, &map->table, key, pr_str_hash_nocase(key));
	if (slot != 0)
		*raw_out = pr_arena_copy(call->arena, map->table.entries[slot - 1].value);
	pthread_rwlock_unlock(&map->lock);
	if (slot != 0 && raw_out->data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the value");
	return slot == 0 ? PR_NOTFOUND : PR_OK;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct text_map *map = call->instance;
	struct pr_str raw = PR_NONE;
	enum pr_status status = find(call, key, &raw);

	return pr_map_answer(call, &map->flags, status, key, args, raw, value_out);
}

static enum pr_status next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	struct text_map *map = call->instance;
	enum pr_status status = hold_current(call);

	if (status != PR_OK)
		return status;
	status = PR_NOTFOUND;
	if (*cursor < map->table.count) {
		const struct entry *entry = &map->table.entries[(*cursor)++];
		*key_out = pr_arena_copy(call->arena, entry->key);
		*value_out = pr_arena_copy(call->arena, entry->value);
		status = key_out->data != NULL && value_out->data != NULL ? PR_OK : PR_TEMPFAIL;
	}
	pthread_rwlock_unlock(&map->lock);
	return status == PR_TEMPFAIL ? pr_fail(call, PR_TEMPFAIL, "no memory for the record") : status;
}

static enum pr_status owner(struct pr_call *call, uint32_t *uid_out)
{
	const struct text_map *map = call->instance;
	struct stat status;

	if (stat(map->path, &status) != 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", map->path, strerror(errno));
	*uid_out = (uint32_t)status.st_uid;
	return PR_OK;
}

static const struct pr_map_flag letters[] = {
	PR_MAP_FLAG('k', PR_MAP_WORD, struct text_map, key_letter),
	PR_MAP_FLAG('v', PR_MAP_WORD, struct text_map, value_letter),
	PR_MAP_FLAG('z', PR_MAP_BYTE, struct text_map, delimiter),
	PR_MAP_FLAG_END
};

static enum pr_status column(struct pr_call *call, char letter, struct pr_str text, int64_t *column_out)
{
	uint64_t number = 0;

	if (text.data == NULL)
		return PR_OK;
	if (!pr_str_number(text, 1000, &number))
		return pr_fail(call, PR_MISUSE, "-%c should specify a number, not %.*s", letter, PR_PRINT(text));
	*column_out = (int64_t)number;
	return PR_OK;
}

/* sendmail's value is the key's column unless -v says otherwise, and its -f changes nothing for files of text. */
static enum pr_status take_arguments(struct pr_call *call)
{
	struct text_map *map = call->instance;
	struct pr_str rest;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);

	if (status != PR_OK || map->flags.arguments.data == NULL)
		return status;
	rest = map->flags.words;
	if (map->file.len == 0)
		pr_map_word(&rest, &map->file);
	map->flags.fold = 1;
	if (map->value_column < 0)
		map->value_column = 0;
	status = column(call, 'k', map->key_letter, &map->key_column);
	return status == PR_OK ? column(call, 'v', map->value_letter, &map->value_column) : status;
}

enum pr_status text_check(struct pr_call *call)
{
	struct text_map *map = call->instance;
	enum pr_status status = take_arguments(call);

	if (status != PR_OK)
		return status;
	if (map->file.len == 0 || map->file.data[0] != '/' || memchr(map->file.data, '\0', map->file.len) != NULL)
		return pr_fail(call, PR_MISUSE, "file: the absolute name of the file is missing");
	if (pr_str_equal(map->delimiter, PR_STR("\\t")))
		map->delimiter = PR_STR("\t");
	map->is_alias = pr_str_equal(map->format, PR_STR("aliases"));
	if (!map->is_alias && !pr_str_equal(map->format, PR_STR("columns")))
		return pr_fail(call, PR_MISUSE, "format: %.*s is neither columns nor aliases", PR_PRINT(map->format));
	if (map->delimiter.len > 1)
		return pr_fail(call, PR_MISUSE, "delimiter: \"%.*s\" is more than one character", PR_PRINT(map->delimiter));
	if (map->key_column < 0 || map->key_column > 1000)
		return pr_fail(call, PR_MISUSE, "key_column: columns are counted from 0 to 1000");
	if (map->value_column < -1 || map->value_column > 1000)
		return pr_fail(call, PR_MISUSE, "value_column: a column from 0 to 1000, or -1 for the rest of the line");
	return PR_OK;
}

enum pr_status text_open(struct pr_call *call)
{
	struct text_map *map = call->instance;
	int error = pthread_rwlock_init(&map->lock, NULL);

	if (error != 0)
		return pr_fail(call, PR_TEMPFAIL, "no lock: %s", strerror(error));
	map->path = pr_copy_str(map->file);
	map->safe = pr_safe_flags(PR_SAFE_MAP, call->host->option(call, PR_STR("DontBlameSendmail")));
	return PR_OK;
}

void text_close(struct pr_call *call)
{
	struct text_map *map = call->instance;

	if (map->path == NULL)
		return;
	table_fini(&map->table);
	pthread_rwlock_destroy(&map->lock);
	pr_free(map->path);
	map->path = NULL;
}

const struct pr_option text_options[] = {
	PR_MAP_OPTIONS(struct text_map, flags),
	PR_OPTION(struct text_map, file, "file", PR_OPTION_PATH, 0, NULL, "the file to read"),
	PR_OPTION(struct text_map, format, "format", PR_OPTION_STRING, 0, "columns", "columns, or aliases for \"name: value\""),
	PR_OPTION(struct text_map, key_column, "key_column", PR_OPTION_INT, 0, "0", "column of the key, counted from 0"),
	PR_OPTION(struct text_map, value_column, "value_column", PR_OPTION_INT, 0, "-1", "column of the value; -1: the rest of the line"),
	PR_OPTION(struct text_map, delimiter, "delimiter", PR_OPTION_STRING, 0, "", "one character between columns; empty: white space"),
	PR_OPTION(struct text_map, unsafe, "unsafe", PR_OPTION_BOOL, 0, "false", "believe a file that others may write"),
	PR_OPTION_END
};

const struct pr_map_ops text_ops = { .size = sizeof text_ops, .lookup = lookup, .next = next, .owner = owner };
