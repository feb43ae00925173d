/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module that crashes in open().
 */
#include <postrider/map.h>

#include <signal.h>

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)call;
	(void)key;
	(void)args;
	(void)value_out;
	return PR_NOTFOUND;
}

static enum pr_status crash(struct pr_call *call)
{
	(void)call;
	raise(SIGSEGV);
	return PR_OK;
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(bad_crash) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .name = "bad_crash",
    .version = "1.0",
    .summary = "crashes in open",
    .open = crash,
    .ops = &ops,
};
