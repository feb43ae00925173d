/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking maps.  A reason gets the map's name in front, because the caller may be three modules away.
 */
#include "kernel/module/internal.h"

bool map_exists(struct module_set *set, struct pr_str map)
{
	return module_find(set, PR_KIND_MAP, map) != NULL;
}

enum pr_status map_lookup(struct module_scope *scope, struct pr_str map, struct pr_str key, const struct pr_list *args,
    struct pr_str *value_out)
{
	struct module_instance *instance = module_find(scope->thread->set, PR_KIND_MAP, map);
	struct module_frame frame;
	struct pr_str value = PR_NONE;

	if (instance == NULL)
		return module_scope_fail(scope, PR_MISUSE, "no map named %.*s is declared", PR_PRINT(map));
	const struct pr_map_ops *ops = instance->module->ops;
	if (!MODULE_HAS(ops, lookup))
		return module_scope_fail(scope, PR_MISUSE, "%s has no lookup", instance->label);
	enum pr_status status = module_enter(&frame, scope, instance, NULL);
	if (status == PR_OK)
		status = module_leave(&frame, ops->lookup(&frame.call, key, args, &value));
	if (status == PR_OK && value.data == NULL)
		return module_scope_fail(scope, PR_TEMPFAIL, "%s said ok without a value", instance->label);
	if (status == PR_OK)
		*value_out = value;
	else if (status != PR_NOTFOUND)
		module_scope_fail(scope, status, "map %.*s: %.*s", PR_PRINT(map), PR_PRINT(scope->reason));
	return status;
}
