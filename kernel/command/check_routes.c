/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl check: routes in tables that lead to no mailer.
 * How an entry is read only the rule engine knows, so each key becomes an address and the engine is asked where it goes.
 */
#include "kernel/command/modes.h"

#include <stdio.h>
#include <sysexits.h>

#define SHOWN_MAX 20 /* complaints about one table */

static struct pr_str table_name(const struct config *config)
{
	const struct config_setting *setting = NULL;

	for (size_t i = 0; setting == NULL && i < config->instance_count; i++)
		if (config->instances[i].kind == PR_KIND_RULES)
			setting = config_setting_find(&config->instances[i], "mailertable");
	return setting != NULL ? setting->text : PR_STR("mailertable");
}

/* ".example.org" is what stands below, "." all the rest. */
static struct pr_str address_of(struct pr_arena *arena, struct pr_str key)
{
	bool suffix = key.len > 0 && key.data[0] == '.';

	return pr_arena_printf(arena, "postmaster@%s%.*s", suffix ? "below" : "", PR_PRINT(key.len == 1 && suffix ? PR_STR(".invalid") : key));
}

/* False: it leads nowhere. */
static bool check_entry(struct tool *tool, const struct config_instance *map, struct pr_str key, struct pr_str value, bool shown)
{
	struct pr_route route = {.size = sizeof route};

	if (rules_resolve(&tool->scope, address_of(&tool->arena, key), PR_STR(""), &route) != PR_OK ||
	    module_find(tool->set, PR_KIND_MAILER, route.mailer) != NULL)
		return true;
	if (shown)
		fprintf(stderr, "%s:%u: warning: map %.*s: %.*s %.*s: there is no mailer %.*s, its mail would wait; declare it in mailers or change the entry\n",
		        map->file, map->line, PR_PRINT(map->name), PR_PRINT(key), PR_PRINT(value), PR_PRINT(route.mailer));
	return false;
}

static void check_table(struct tool *tool, struct module_instance *map)
{
	struct pr_str key, value;
	uint64_t cursor = 0;
	size_t wrong = 0;

	while (map_next(&tool->scope, map, &cursor, &key, &value) == PR_OK) {
		wrong += !check_entry(tool, module_config(map), key, value, wrong < SHOWN_MAX);
		pr_arena_reset(&tool->arena);
	}
	if (wrong > SHOWN_MAX)
		fprintf(stderr, "warning: map %.*s: and %zu entries more like these\n", PR_PRINT(module_name(map)), wrong - SHOWN_MAX);
}

void check_routes(const struct arguments *arguments)
{
	struct tool tool;

	if (tool_open_tables(arguments, &tool) != EX_OK)
		return;
	struct module_instance *map = module_find(tool.set, PR_KIND_MAP, table_name(tool.config));
	if (map != NULL)
		check_table(&tool, map);
	tool_close(&tool);
}
