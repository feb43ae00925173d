/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queue group of a recipient, in sendmail's order: the rules' word, the mailer's, the default.
 */
#include "kernel/module/module.h"

struct pr_str module_queue_group(struct module_scope *scope, struct pr_str address, struct pr_str sender)
{
	struct module_set *set = module_thread_set(scope->thread);
	struct pr_route route = {.size = sizeof route};
	struct pr_str group = PR_NONE;

	if (module_set_config(set)->group_count == 0)
		return PR_NONE;
	if (rules_queue_group(scope, address, &group) == PR_OK && group.len > 0)
		return group;
	if (rules_resolve(scope, address, sender, &route) != PR_OK)
		return PR_NONE;
	const struct module_instance *mailer = module_find(set, PR_KIND_MAILER, route.mailer);
	return mailer != NULL ? module_config(mailer)->queue_group : PR_NONE;
}
