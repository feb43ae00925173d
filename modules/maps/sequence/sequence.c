/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name sequence: maps in the order in which they are listed.
 * A member that does not exist is a mistake in the configuration, and told before anything starts.
 */
#include "members.h"

/* Calls `take` for each name, wherever it was written. */
static enum pr_status each(struct pr_call *call, enum pr_status (*take)(struct pr_call *call, struct pr_str name))
{
	struct members *members = call->instance;
	struct pr_str rest = members->flags.words, word;
	enum pr_status status = PR_OK;

	for (size_t i = 0; status == PR_OK && i < members->maps.count; i++)
		status = take(call, members->maps.items[i]);
	while (status == PR_OK && pr_map_word(&rest, &word))
		status = take(call, word);
	return status;
}

static enum pr_status is_there(struct pr_call *call, struct pr_str name)
{
	return call->host->map_exists(call, name) ? PR_OK : pr_fail(call, PR_MISUSE, "unknown member map %.*s", PR_PRINT(name));
}

static enum pr_status add(struct pr_call *call, struct pr_str name)
{
	members_add(call->instance, name);
	return PR_OK;
}

static enum pr_status check(struct pr_call *call)
{
	struct members *members = call->instance;

	members->flags.words = members->flags.arguments; /* no flags here: a name may begin with anything */
	if (members->maps.count == 0 && pr_str_trim(members->flags.words).len == 0)
		return pr_fail(call, PR_MISUSE, "maps: the names of the members are missing");
	return each(call, is_there);
}

static enum pr_status open_map(struct pr_call *call)
{
	return each(call, add);
}

static const struct pr_option options[] = {
	PR_OPTION(struct members, flags.arguments, "arguments", PR_OPTION_STRING, 0, NULL, "names of the maps, as in a K line of sendmail.cf"),
	PR_OPTION(struct members, maps, "maps", PR_OPTION_LIST, 0, NULL, "names of the maps, in the order in which they are asked"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = members_lookup };

PR_MODULE(sequence) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct members), .name = "sequence",
	.version = "1.0", .summary = "several maps, one after the other", .options = options, .check = check, .open = open_map,
	.close = members_close, .ops = &ops };
