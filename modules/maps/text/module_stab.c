/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name stab: a text file in the form of aliases, kept in memory.
 * sendmail reads it once when it starts; here a changed file is noticed.
 */
#include "text.h"

static enum pr_status check(struct pr_call *call)
{
	struct text_map *map = call->instance;

	map->format = PR_STR("aliases");
	return text_check(call);
}

PR_MODULE(stab) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct text_map),
	.name = "stab", .version = "1.0", .summary = "a file in the form of aliases", .options = text_options,
	.check = check, .open = text_open, .close = text_close, .ops = &text_ops };
