/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The smallest map, built twice from this one source: as a shared object and pre-opened into a program.
 */
#include <postrider/map.h>

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)args;
	*value_out = pr_arena_printf(call->arena, "hello, %.*s", PR_PRINT(key));
	return PR_OK;
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(hello) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .flags = PR_CONCURRENT,
    .name = "hello",
    .version = "1.0",
    .summary = "says hello",
    .ops = &ops,
};
