/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The class of a file whose kind is not said: the table NAME.db, and for an alias file without a table its text.
 * Both halves are the modules hash and text, each with its own part of the instance.
 */
#include "../hash/hash.h"
#include "../text/text.h"

struct implicit_map {
	struct hash_map table; /* options are its own */
	struct text_map text;
	uint32_t alias, optional;
};

/* The call as one half sees it. */
static struct pr_call half(struct pr_call *call, void *instance)
{
	struct pr_call copy = *call;

	copy.instance = instance;
	return copy;
}

static enum pr_status passed_on(struct pr_call *call, const struct pr_call *copy, enum pr_status status)
{
	call->reason = copy->reason;
	return status;
}

static enum pr_status check(struct pr_call *call)
{
	struct implicit_map *map = call->instance;
	struct pr_call table = half(call, &map->table), text = half(call, &map->text);
	enum pr_status status = hash_check_options(&table);

	if (status != PR_OK || !map->alias)
		return passed_on(call, &table, status);
	map->optional = map->table.flags.optional;
	map->text = (struct text_map){ .flags = map->table.flags, .file = map->table.file, .format = PR_STR("aliases"),
		.unsafe = map->table.unsafe };
	map->text.flags.arguments = PR_NONE;
	map->table.flags.optional = 1; /* without a table the text answers */
	return passed_on(call, &text, text_check(&text));
}

static enum pr_status open_both(struct pr_call *call)
{
	struct implicit_map *map = call->instance;
	struct pr_call table = half(call, &map->table), text = half(call, &map->text);
	enum pr_status status = hash_open(&table);

	if (status != PR_OK || !map->alias)
		return passed_on(call, &table, status);
	return passed_on(call, &text, text_open(&text));
}

static void close_both(struct pr_call *call)
{
	struct implicit_map *map = call->instance;
	struct pr_call table = half(call, &map->table), text = half(call, &map->text);

	hash_close(&table);
	text_close(&text);
}

static void thread_close(struct pr_call *call)
{
	struct implicit_map *map = call->instance;
	struct pr_call table = half(call, &map->table);

	hash_thread_close(&table);
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	struct implicit_map *map = call->instance;
	const struct hash_thread *thread = call->thread;
	struct pr_call table = half(call, &map->table), text = half(call, &map->text);
	enum pr_status status = hash_ops.lookup(&table, key, args, value_out);

	if (!map->alias || !thread->absent)
		return passed_on(call, &table, status);
	return passed_on(call, &text, text_ops.lookup(&text, key, args, value_out));
}

static enum pr_status next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out)
{
	struct implicit_map *map = call->instance;
	const struct hash_thread *thread = call->thread;
	struct pr_call table = half(call, &map->table), text = half(call, &map->text);
	enum pr_status status = hash_ops.next(&table, cursor, key_out, value_out);

	if (!map->alias || !thread->absent)
		return passed_on(call, &table, status);
	return passed_on(call, &text, text_ops.next(&text, cursor, key_out, value_out));
}

static enum pr_status owner(struct pr_call *call, uint32_t *uid_out)
{
	struct implicit_map *map = call->instance;
	struct pr_call table = half(call, &map->table), text = half(call, &map->text);
	enum pr_status status = hash_ops.owner(&table, uid_out);

	if (status == PR_OK || !map->alias)
		return passed_on(call, &table, status);
	return passed_on(call, &text, text_ops.owner(&text, uid_out));
}

static enum pr_status begin(struct pr_call *call)
{
	struct pr_call table = half(call, &((struct implicit_map *)call->instance)->table);

	return passed_on(call, &table, hash_ops.begin(&table));
}

static enum pr_status commit(struct pr_call *call)
{
	struct pr_call table = half(call, &((struct implicit_map *)call->instance)->table);

	return passed_on(call, &table, hash_ops.commit(&table));
}

static enum pr_status store(struct pr_call *call, struct pr_str key, struct pr_str value)
{
	struct pr_call table = half(call, &((struct implicit_map *)call->instance)->table);

	return passed_on(call, &table, hash_ops.store(&table, key, value));
}

static enum pr_status remove_key(struct pr_call *call, struct pr_str key)
{
	struct pr_call table = half(call, &((struct implicit_map *)call->instance)->table);

	return passed_on(call, &table, hash_ops.remove(&table, key));
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct implicit_map, table.flags),
	PR_OPTION(struct implicit_map, table.file, "file", PR_OPTION_PATH, 0, NULL, "the table, NAME or NAME.db"),
	PR_OPTION(struct implicit_map, table.unsafe, "unsafe", PR_OPTION_BOOL, 0, "false", "believe a file that others may write"),
	PR_OPTION(struct implicit_map, table.mode, "mode", PR_OPTION_MODE, 0, "0644", "file mode of a table that is built for the first time"),
	PR_OPTION(struct implicit_map, table.memory, "memory", PR_OPTION_SIZE, 0, "64M", "largest file that is kept in memory"),
	PR_OPTION(struct implicit_map, alias, "alias", PR_OPTION_BOOL, 0, "false", "an alias file: while it has no table the text is read"),
	PR_OPTION_END
};

static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup, .store = store, .remove = remove_key, .next = next,
	.begin = begin, .commit = commit, .owner = owner };

PR_MODULE(implicit) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct implicit_map),
	.thread_size = sizeof(struct hash_thread), .name = "implicit", .version = "1.0", .summary = "a table file, or the text of aliases",
	.options = options, .check = check, .open = open_both, .close = close_both, .thread_close = thread_close, .ops = &ops };
