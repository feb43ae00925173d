/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queue group of a recipient, in sendmail's order: the rules' word, the mailer's, the default.
 * A word of the rules that names no group is as if nothing had been said, but for the log: mail is not to wait for a mistyped name.
 */
#include "kernel/log/log.h"
#include "kernel/module/module.h"

#define DEFAULT_GROUP "mqueue"

static bool is_group(const struct config *config, struct pr_str address, struct pr_str name)
{
	if (pr_str_equal_nocase(name, PR_STR(DEFAULT_GROUP)) || config_group(config, name) != NULL)
		return true;
	log_at(3, LOGP_ERR, NULL, "rule set queuegroup: to=<%.*s>: there is no queue group \"%.*s\", so the choice is ignored; declare the group (Q line, queue_groups) or mend the rule",
	    PR_PRINT(address), PR_PRINT(name));
	return false;
}

static struct pr_str choose(struct module_scope *scope, struct module_set *set, struct pr_str address, struct pr_str sender)
{
	struct pr_route route = {.size = sizeof route};
	struct pr_str group = PR_NONE;

	if (rules_queue_group(scope, address, &group) == PR_OK && group.len > 0 && is_group(module_set_config(set), address, group))
		return group;
	if (rules_resolve(scope, address, sender, &route) != PR_OK)
		return PR_NONE;
	const struct module_instance *mailer = module_find(set, PR_KIND_MAILER, route.mailer);
	return mailer != NULL ? module_config(mailer)->queue_group : PR_NONE;
}

struct pr_str module_queue_group(struct module_scope *scope, struct pr_str address, struct pr_str sender)
{
	struct module_set *set = module_thread_set(scope->thread);

	if (module_set_config(set)->group_count == 0)
		return PR_NONE;
	struct pr_str group = choose(scope, set, address, sender);
	/* by its name or without one it is the same place, and one letter */
	return pr_str_equal_nocase(group, PR_STR(DEFAULT_GROUP)) ? PR_NONE : group;
}
