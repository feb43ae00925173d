/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A map in memory with every hook, for tests: any key can be made to fail in any way.
 * A list of entries is enough: nobody keeps more than a few dozen in a test.
 */
#include <postrider/map.h>

#include <signal.h>
#include <time.h>
#include <unistd.h>

struct entry {
	struct entry *next;
	char *key;
	char *value;
};

struct debugmap {
	struct pr_list entries; /* "key=value" */
	struct pr_list tempfail;
	struct pr_list permfail;
	struct pr_str crash;
	struct pr_str hang;
	int64_t pause;
	struct entry *table;
	struct entry *fresh; /* between begin and commit */
	uint32_t rebuilding;
	uint32_t reserved;
};

static const struct pr_option options[] = {
    PR_OPTION(struct debugmap, entries, "entries", PR_OPTION_LIST, 0, NULL, "key=value pairs"),
    PR_OPTION(struct debugmap, tempfail, "tempfail", PR_OPTION_LIST, 0, NULL, "keys that cannot be looked up now"),
    PR_OPTION(struct debugmap, permfail, "permfail", PR_OPTION_LIST, 0, NULL, "keys that can never be looked up"),
    PR_OPTION(struct debugmap, crash, "crash", PR_OPTION_STRING, 0, NULL, "the key that crashes"),
    PR_OPTION(struct debugmap, hang, "hang", PR_OPTION_STRING, 0, NULL, "the key that never answers"),
    PR_OPTION(struct debugmap, pause, "pause", PR_OPTION_TIME, 0, "0", "how long each lookup takes"),
    PR_OPTION_END,
};

static struct entry **find(struct entry **table, struct pr_str key)
{
	while (*table != NULL && !pr_str_equal(pr_str((*table)->key), key))
		table = &(*table)->next;
	return table;
}

static void put(struct entry **table, struct pr_str key, struct pr_str value)
{
	struct entry **place = find(table, key);

	if (*place == NULL) {
		*place = pr_alloc(sizeof **place);
		(*place)->key = pr_copy_str(key);
	}
	pr_free((*place)->value);
	(*place)->value = pr_copy_str(value);
}

static void drop(struct entry **place)
{
	struct entry *entry = *place;

	*place = entry->next;
	pr_free(entry->key);
	pr_free(entry->value);
	pr_free(entry);
}

static void drop_all(struct entry **table)
{
	while (*table != NULL)
		drop(table);
}

static bool is_listed(const struct pr_list *list, struct pr_str key)
{
	for (size_t i = 0; i < list->count; i++)
		if (pr_str_equal(list->items[i], key))
			return true;
	return false;
}

static enum pr_status check(struct pr_call *call)
{
	const struct debugmap *map = call->instance;

	for (size_t i = 0; i < map->entries.count; i++)
		if (pr_str_find(map->entries.items[i], '=') == map->entries.items[i].len)
			return pr_fail(call, PR_MISUSE, "entry \"%s\" has no =", map->entries.items[i].data);
	return PR_OK;
}

static enum pr_status on_open(struct pr_call *call)
{
	struct debugmap *map = call->instance;

	for (size_t i = 0; i < map->entries.count; i++) {
		struct pr_str entry = map->entries.items[i];
		size_t equals = pr_str_find(entry, '=');
		put(&map->table, pr_str_slice(entry, 0, equals), pr_str_slice(entry, equals + 1, entry.len));
	}
	return PR_OK;
}

static void on_close(struct pr_call *call)
{
	struct debugmap *map = call->instance;

	drop_all(&map->table);
	drop_all(&map->fresh);
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	struct debugmap *map = call->instance;

	(void)args;
	if (map->pause > 0)
		nanosleep(&(struct timespec){.tv_sec = map->pause}, NULL);
	if (map->crash.data != NULL && pr_str_equal(map->crash, key))
		raise(SIGSEGV);
	while (map->hang.data != NULL && pr_str_equal(map->hang, key))
		pause();
	if (is_listed(&map->tempfail, key))
		return pr_fail(call, PR_TEMPFAIL, "told not to know %.*s now", PR_PRINT(key));
	if (is_listed(&map->permfail, key))
		return pr_fail(call, PR_PERMFAIL, "told never to know %.*s", PR_PRINT(key));
	const struct entry *entry = *find(&map->table, key);
	if (entry == NULL)
		return PR_NOTFOUND;
	*value_out = pr_arena_copy(call->arena, pr_str(entry->value));
	return value_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the value does not fit");
}

static enum pr_status store(struct pr_call *call, struct pr_str key, struct pr_str value)
{
	struct debugmap *map = call->instance;

	put(map->rebuilding != 0 ? &map->fresh : &map->table, key, value);
	return PR_OK;
}

static enum pr_status on_remove(struct pr_call *call, struct pr_str key)
{
	struct debugmap *map = call->instance;
	struct entry **place = find(map->rebuilding != 0 ? &map->fresh : &map->table, key);

	if (*place == NULL)
		return PR_NOTFOUND;
	drop(place);
	return PR_OK;
}

static enum pr_status next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	const struct debugmap *map = call->instance;
	const struct entry *entry = map->table;

	for (uint64_t i = 0; entry != NULL && i < *cursor; i++)
		entry = entry->next;
	if (entry == NULL)
		return PR_NOTFOUND;
	*key_out = pr_arena_copy(call->arena, pr_str(entry->key));
	*value_out = pr_arena_copy(call->arena, pr_str(entry->value));
	if (key_out->data == NULL || value_out->data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "the entry does not fit");
	++*cursor;
	return PR_OK;
}

static enum pr_status begin(struct pr_call *call)
{
	struct debugmap *map = call->instance;

	drop_all(&map->fresh);
	map->rebuilding = 1;
	return PR_OK;
}

static enum pr_status commit(struct pr_call *call)
{
	struct debugmap *map = call->instance;

	if (map->rebuilding == 0)
		return pr_fail(call, PR_MISUSE, "commit without begin");
	drop_all(&map->table);
	map->table = map->fresh;
	map->fresh = NULL;
	map->rebuilding = 0;
	return PR_OK;
}

static enum pr_status owner(struct pr_call *call, uint32_t *uid_out)
{
	(void)call;
	*uid_out = (uint32_t)geteuid();
	return PR_OK;
}

static const struct pr_map_ops ops = {
    .size = sizeof ops,
    .lookup = lookup,
    .store = store,
    .remove = on_remove,
    .next = next,
    .begin = begin,
    .commit = commit,
    .owner = owner,
};

PR_MODULE(debugmap) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .instance_size = sizeof(struct debugmap),
    .name = "debugmap",
    .version = "1.0",
    .summary = "a map in memory whose keys fail when told to",
    .options = options,
    .check = check,
    .open = on_open,
    .close = on_close,
    .ops = &ops,
};
