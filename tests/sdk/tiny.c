/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A map as short as one can be, compiled by hand against the installed SDK.
 */
#include <postrider/map.h>

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)args;
	if (pr_str_equal(key, PR_STR("none")))
		return PR_NOTFOUND;
	if (pr_str_equal(key, PR_STR("broken")))
		return pr_fail(call, PR_TEMPFAIL, "the moon is full");
	*value_out = pr_arena_lower(call->arena, key);
	return PR_OK;
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(tiny) = {PR_MODULE_HEAD(PR_KIND_MAP), .name = "tiny", .version = "1.0", .summary = "lower case", .ops = &ops};
