/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets a macro: the key is its name, the first argument its value; without an argument the macro is taken away.
 * The value is always empty.  Where nobody keeps macros (outside a rule engine) it is a temporary failure, not silence.
 */
#include <postrider/mapflags.h>

struct macro_map {
	struct pr_map_flags flags;
};

static enum pr_status check(struct pr_call *call)
{
	struct macro_map *map = call->instance;

	return pr_map_flags_parse(call, NULL, map, &map->flags);
}

/* X and {X} are the same. */
static struct pr_str bare(struct pr_str name)
{
	if (name.len >= 2 && name.data[0] == '{' && name.data[name.len - 1] == '}')
		return pr_str_slice(name, 1, name.len - 1);
	return name;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	struct pr_str name = bare(key);

	if (name.len == 0)
		return pr_fail(call, PR_MISUSE, "no name of a macro");
	if (!pr_macro_set(call, name, args != NULL && args->count > 0 ? args->items[0] : PR_NONE))
		return pr_fail(call, PR_TEMPFAIL, "${%.*s}: macros cannot be set here", PR_PRINT(name));
	*value_out = PR_STR("");
	return PR_OK;
}

static const struct pr_option options[] = { PR_MAP_OPTIONS(struct macro_map, flags), PR_OPTION_END };
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(macro) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct macro_map), .name = "macro",
	.version = "1.0", .summary = "sets a macro", .options = options, .check = check, .ops = &ops };
