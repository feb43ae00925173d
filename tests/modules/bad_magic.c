/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A descriptor that is none.
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

PR_MODULE(bad_magic) = {
    .magic = 0x6e6f6e65,
    .abi_major = PR_ABI_MAJOR,
    .abi_minor = PR_ABI_MINOR,
    .size = sizeof(struct pr_module),
    .kind = PR_KIND_MAP,
    .name = "bad_magic",
    .version = "1.0",
    .summary = "wrong magic",
    .ops = &ops,
};
