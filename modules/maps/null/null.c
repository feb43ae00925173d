/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The map in which nothing is found.
 * It stands in a configuration for a table that a site does not have.
 */
#include <postrider/mapflags.h>

struct null_map {
	struct pr_map_flags flags;
};

static enum pr_status check(struct pr_call *call)
{
	struct null_map *map = call->instance;

	return pr_map_flags_parse(call, NULL, map, &map->flags);
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)call;
	(void)key;
	(void)args;
	(void)value_out;
	return PR_NOTFOUND;
}

static const struct pr_option options[] = { PR_MAP_OPTIONS(struct null_map, flags), PR_OPTION_END };
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(null) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct null_map), .name = "null",
	.version = "1.0", .summary = "finds nothing", .options = options, .check = check, .ops = &ops };
