/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that needs a function nobody has: it must be refused when it is loaded, not when mail comes.
 */
#include <postrider/map.h>

enum pr_status a_function_that_nobody_has(struct pr_str *value_out);

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)call;
	(void)key;
	(void)args;
	return a_function_that_nobody_has(value_out);
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(bad_unresolved) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .name = "bad_unresolved",
    .version = "1.0",
    .summary = "an unresolved symbol",
    .ops = &ops,
};
