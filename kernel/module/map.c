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

/* The rest of a map's table may be missing; the answer says which function it was. */
static enum pr_status enter(struct module_frame *frame, struct module_scope *scope, struct module_instance *map, bool has, const char *what)
{
	if (!has)
		return module_scope_fail(scope, PR_MISUSE, "%s cannot %s", map->label, what);
	return module_enter(frame, scope, map, NULL);
}

enum pr_status map_begin(struct module_scope *scope, struct module_instance *map)
{
	const struct pr_map_ops *ops = map->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, map, MODULE_HAS(ops, begin), "be rebuilt");

	return status == PR_OK ? module_leave(&frame, ops->begin(&frame.call)) : status;
}

enum pr_status map_store(struct module_scope *scope, struct module_instance *map, struct pr_str key, struct pr_str value)
{
	const struct pr_map_ops *ops = map->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, map, MODULE_HAS(ops, store), "store");

	return status == PR_OK ? module_leave(&frame, ops->store(&frame.call, key, value)) : status;
}

enum pr_status map_remove(struct module_scope *scope, struct module_instance *map, struct pr_str key)
{
	const struct pr_map_ops *ops = map->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, map, MODULE_HAS(ops, remove), "remove");

	return status == PR_OK ? module_leave(&frame, ops->remove(&frame.call, key)) : status;
}

enum pr_status map_commit(struct module_scope *scope, struct module_instance *map)
{
	const struct pr_map_ops *ops = map->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, map, MODULE_HAS(ops, commit), "be rebuilt");

	return status == PR_OK ? module_leave(&frame, ops->commit(&frame.call)) : status;
}

enum pr_status map_next(struct module_scope *scope, struct module_instance *map, uint64_t *cursor, struct pr_str *key_out,
    struct pr_str *value_out)
{
	const struct pr_map_ops *ops = map->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, map, MODULE_HAS(ops, next), "list its keys");

	return status == PR_OK ? module_leave(&frame, ops->next(&frame.call, cursor, key_out, value_out)) : status;
}

enum pr_status map_owner(struct module_scope *scope, struct module_instance *map, uint32_t *uid_out)
{
	const struct pr_map_ops *ops = map->module->ops;
	struct module_frame frame;
	enum pr_status status = enter(&frame, scope, map, MODULE_HAS(ops, owner), "name its owner");

	return status == PR_OK ? module_leave(&frame, ops->owner(&frame.call, uid_out)) : status;
}
