/* SPDX-License-Identifier: BSD-2-Clause
 *
 * newaliases: each map of AliasFile that can be rebuilt is rebuilt from the text beside it.
 * The whole text is read and judged before the table is touched, so an unreadable file leaves the old table alone.
 */
#include "kernel/command/modes.h"

#include <sys/stat.h>
#include <postrider/address.h>
#include <postrider/file.h>
#include <postrider/table.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ALIASES_MAX (256u << 20)

struct alias_entry {
	struct pr_str key, value;
	uint32_t line;
};

struct alias_table {
	const char *path; /* of the text */
	struct tool *tool;
	struct pr_arena arena;
	struct alias_entry *entries;
	size_t count, room;
	size_t longest, total; /* bytes of values, as sendmail counts them */
	bool wrong;
};

static void complain(struct alias_table *table, uint32_t line, struct pr_str what, const char *why)
{
	table->wrong = true;
	if (what.len > 0)
		fprintf(stderr, "%s: line %u: %.*s... %s\n", table->path, (unsigned int)line, PR_PRINT(what), why);
	else
		fprintf(stderr, "%s: line %u: %s\n", table->path, (unsigned int)line, why);
}

/* joe@this.host is joe; joe@elsewhere is nobody's alias here. */
static bool local_key(struct alias_table *table, struct pr_str *key, uint32_t line)
{
	struct pr_address address;
	struct pr_route route = {.size = sizeof route};

	pr_address_split(*key, &address);
	if (address.domain.len == 0)
		return true;
	pr_arena_reset(&table->tool->arena);
	if (rules_resolve(&table->tool->scope, *key, PR_STR(""), &route) == PR_OK) {
		const struct module_instance *mailer = module_find(table->tool->set, PR_KIND_MAILER, route.mailer);
		if (mailer != NULL && module_mailer_has_flag(mailer, 'A')) {
			*key = address.local;
			return true;
		}
	}
	complain(table, line, *key, "cannot alias non-local names");
	return false;
}

static void add(struct alias_table *table, struct pr_str key, struct pr_str value, uint32_t line)
{
	if (!local_key(table, &key, line))
		return;
	if (table->count == table->room) {
		table->room = table->room == 0 ? 64 : table->room * 2;
		table->entries = pr_resize(table->entries, table->room * sizeof *table->entries);
	}
	table->entries[table->count++] = (struct alias_entry){key, value, line};
	table->longest = value.len > table->longest ? value.len : table->longest;
	table->total += key.len + value.len;
}

static void read_entries(struct alias_table *table, struct pr_str bytes)
{
	struct pr_table reader;
	struct pr_str key, value, why;
	enum pr_status status;

	pr_table_init(&reader, bytes);
	do {
		key = value = why = PR_NONE;
		status = pr_table_next_alias(&reader, &table->arena, &key, &value, &why);
		if (status == PR_OK) {
			add(table, key, value, reader.line);
		} else if (status != PR_NOTFOUND) {
			struct pr_text text;
			pr_text_init(&text, 1000);
			pr_text_addf(&text, "%.*s", PR_PRINT(why));
			complain(table, reader.line, PR_NONE, text.data);
			pr_text_fini(&text);
		}
	} while (status == PR_OK || status == PR_PERMFAIL);
}

static int by_key(const void *left, const void *right)
{
	const struct alias_entry *const *a = left, *const *b = right;
	size_t common = (*a)->key.len < (*b)->key.len ? (*a)->key.len : (*b)->key.len;
	int order = memcmp((*a)->key.data, (*b)->key.data, common);

	if (order == 0 && (*a)->key.len != (*b)->key.len)
		order = (*a)->key.len < (*b)->key.len ? -1 : 1;
	if (order == 0)
		order = (*a)->line < (*b)->line ? -1 : 1;
	return order;
}

/* The later one wins; each earlier one is named. */
static void warn_duplicates(const struct alias_table *table)
{
	const struct alias_entry **sorted = pr_alloc((table->count + 1) * sizeof *sorted);

	for (size_t i = 0; i < table->count; i++)
		sorted[i] = &table->entries[i];
	qsort(sorted, table->count, sizeof *sorted, by_key);
	for (size_t i = 1; i < table->count; i++)
		if (pr_str_equal(sorted[i - 1]->key, sorted[i]->key))
			fprintf(stderr, "%s: line %u: %.*s... Warning: duplicate alias name %.*s\n", table->path,
			    (unsigned int)sorted[i]->line, PR_PRINT(sorted[i]->key), PR_PRINT(sorted[i]->key));
	pr_free(sorted);
}

static int build(struct alias_table *table, struct module_instance *map)
{
	struct module_scope *scope = &table->tool->scope;
	enum pr_status status = map_begin(scope, map);

	for (size_t i = 0; i < table->count && status == PR_OK; i++) {
		pr_arena_reset(&table->tool->arena);
		status = map_store(scope, map, table->entries[i].key, table->entries[i].value);
	}
	if (status == PR_OK)
		status = map_store(scope, map, PR_STR("@"), PR_STR("@")); /* sendmail's mark of a complete table */
	if (status == PR_OK)
		status = map_commit(scope, map);
	if (status == PR_OK)
		return EX_OK;
	fprintf(stderr, "Cannot create database for alias file %s: %.*s\n", table->path, PR_PRINT(scope->reason));
	return status == PR_TEMPFAIL ? EX_TEMPFAIL : EX_CANTCREAT;
}

/* A text that others may write to is not believed, and where they may write to the directory no table is made; told in sendmail's words. */
static bool may_rebuild(struct tool *tool, const char *path)
{
	uint32_t flags = pr_safe_flags(PR_SAFE_ALIAS, tool->config->options.dont_blame);
	struct pr_text why;
	struct stat file;

	if (stat(path, &file) != 0)
		return true; /* reading it says more */
	pr_text_init(&why, 1000);
	bool good = pr_file_is_safe(path, (uint32_t)file.st_uid, flags, &why);
	bool is_directory = pr_str_has_suffix_nocase(pr_text_str(&why), PR_STR("directory"));
	if (!good && is_directory)
		fprintf(stderr, "WARNING: %s %.*s\nWARNING: cannot open alias database %s\nCannot create database for alias file %s\n", why.data,
		    (int)(strrchr(path, '/') - path), path, path, path);
	else if (!good)
		fprintf(stderr, "newaliases: cannot open %s: %s\n", path, why.data);
	pr_text_fini(&why);
	return good;
}

static int rebuild(struct tool *tool, struct module_instance *map, const char *path, bool is_built)
{
	struct alias_table table = {.path = path, .tool = tool};
	struct pr_text bytes, why;

	pr_text_init(&bytes, ALIASES_MAX);
	pr_text_init(&why, 1000);
	pr_arena_init(&table.arena, ALIASES_MAX);
	bool may = may_rebuild(tool, path); /* else what is there stays as it is */
	int status = EX_OK;
	if (may && pr_file_read(path, ALIASES_MAX, &bytes, &why) != PR_OK) {
		fprintf(stderr, "newaliases: cannot open %s\n", why.data);
		status = EX_NOINPUT;
	} else if (may) {
		read_entries(&table, pr_text_str(&bytes));
		warn_duplicates(&table);
		status = is_built ? build(&table, map) : EX_OK;
	}
	if (status == EX_OK && may)
		printf("%s: %zu aliases, longest %zu bytes, %zu bytes total\n", path, table.count, table.longest,
		    table.total);
	if (status == EX_OK && table.wrong)
		status = EX_SOFTWARE;
	pr_free(table.entries);
	pr_arena_fini(&table.arena);
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	return status;
}

/* The text stands beside the table, without ".db"; a text map is its own source. */
static int one_map(struct tool *tool, struct pr_str name)
{
	struct module_instance *map = module_find(tool->set, PR_KIND_MAP, name);

	if (map == NULL) {
		fprintf(stderr, "AliasFile names %.*s, but no such map is declared\n", PR_PRINT(name));
		return EX_CONFIG;
	}
	const struct config_instance *config = module_config(map);
	struct pr_str file = config_setting_text(config, "file");
	if (file.len == 0)
		return EX_OK; /* a directory service has no file to rebuild */
	bool is_built = !pr_str_equal(config->module, PR_STR("text"));
	if (is_built && pr_str_has_suffix_nocase(file, PR_STR(".db")))
		file = pr_str_slice(file, 0, file.len - 3);
	char *path = pr_copy_str(file);
	int status = rebuild(tool, map, path, is_built);
	pr_free(path);
	return status;
}

int aliases_mode(const struct arguments *arguments)
{
	struct tool tool;
	int worst = EX_OK;

	int status = tool_open_tables(arguments, &tool);
	if (status != EX_OK)
		return status;
	const struct pr_list *maps = &tool.config->options.alias_files;
	if (maps->count == 0)
		fprintf(stderr, "newaliases: %.*s has no option AliasFile\n", PR_PRINT(tool.config->path));
	for (size_t i = 0; i < maps->count; i++) {
		status = one_map(&tool, maps->items[i]);
		worst = status != EX_OK ? status : worst;
	}
	tool_close(&tool);
	return worst;
}
