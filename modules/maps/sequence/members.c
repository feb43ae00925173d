/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the members in turn, by name through the kernel.
 * Values are theirs and already finished; nothing is added to them here.
 */
#include "members.h"

void members_add(struct members *members, struct pr_str name)
{
	members->names = pr_resize(members->names, (members->count + 1) * sizeof *members->names);
	members->names[members->count++] = (struct pr_str){ pr_copy_str(name), name.len };
}

void members_close(struct pr_call *call)
{
	struct members *members = call->instance;

	for (size_t i = 0; i < members->count; i++)
		pr_free((void *)(uintptr_t)members->names[i].data);
	pr_free(members->names);
	members->names = NULL;
	members->count = 0;
}

enum pr_status members_lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct members *members = call->instance;
	enum pr_status worst = PR_NOTFOUND;
	struct pr_str reason = PR_NONE;

	for (size_t i = 0; i < members->count; i++) {
		enum pr_status status = call->host->map_lookup(call, members->names[i], key, args, value_out);
		if (status == PR_OK)
			return PR_OK;
		if (status == PR_NOTFOUND || worst != PR_NOTFOUND)
			continue;
		worst = status;
		reason = call->reason;
	}
	call->reason = reason;
	return worst;
}
