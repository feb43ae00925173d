/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module of another age: its major number is not ours.
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

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

PR_MODULE(bad_major) = {
    .magic = PR_MODULE_MAGIC,
    .abi_major = PR_ABI_MAJOR + 1,
    .abi_minor = 0,
    .size = sizeof(struct pr_module),
    .kind = PR_KIND_MAP,
    .name = "bad_major",
    .version = "1.0",
    .summary = "other ABI major",
    .ops = &ops,
};
