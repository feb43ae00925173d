/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that never comes back from open().
 */
#include <postrider/map.h>

#include <unistd.h>

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)call;
	(void)key;
	(void)args;
	(void)value_out;
	return PR_NOTFOUND;
}

static enum pr_status hang(struct pr_call *call)
{
	(void)call;
	while (pause() != 0)
		continue;
	return PR_OK;
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(bad_hang) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .name = "bad_hang",
    .version = "1.0",
    .summary = "hangs in open",
    .open = hang,
    .ops = &ops,
};
