/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that fails in open(), and says why.
 */
#include <postrider/map.h>

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)call;
	(void)key;
	(void)args;
	(void)value_out;
	return PR_NOTFOUND;
}

static enum pr_status fail(struct pr_call *call)
{
	return pr_fail(call, PR_TEMPFAIL, "the directory server does not answer");
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(bad_open) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .name = "bad_open",
    .version = "1.0",
    .summary = "fails in open",
    .open = fail,
    .ops = &ops,
};
