/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The `options` group and -O arguments, both through the option table.  A group inside `options` gives its name as a
 * prefix: Timeout = { mail = "10m"; } is Timeout.mail.
 */
#include "kernel/config/build.h"
#include "kernel/config/options_idle.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Kept as it is said; the last one of a name counts. */
static void keep_idle(struct config_builder *builder, const struct config_node *node, const struct option_idle *idle)
{
	struct config *config = builder->config;
	struct config_other_option *all = pr_arena_alloc(&config->arena, (config->other_count + 1) * sizeof *all);
	size_t count = 0;

	for (size_t i = 0; all != NULL && i < config->other_count; i++)
		if (!pr_str_equal_nocase(config->others[i].name, pr_str(idle->name)))
			all[count++] = config->others[i];
	if (all == NULL || node->kind != CONFIG_SCALAR) {
		config_complain(builder, node, "option %s: takes one value", idle->name);
		return;
	}
	all[count++] = (struct config_other_option){pr_str(idle->name), node->text};
	config->others = all;
	config->other_count = count;
	if (idle->why != NULL && !builder->repeats)
		pr_text_addf(&config->notices, "%s:%u: option %s: accepted, no effect here: %s\n", node->file, node->line, idle->name, idle->why);
}

void config_set_option(struct config_builder *builder, const struct config_node *node, struct pr_str name)
{
	const struct pr_option *option = pr_option_find(options_table, name);
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str why = PR_NONE;
	enum pr_status status;

	const struct option_idle *idle = option == NULL ? option_idle_find(name) : NULL;

	if (idle != NULL) {
		keep_idle(builder, node, idle);
		return;
	}
	if (option == NULL) {
		const char *nearest = pr_option_nearest(options_table, name);
		config_complain(builder, node, "unknown option %.*s%s%s%s", PR_PRINT(name), nearest ? "; did you mean " : "",
		    nearest ? nearest : "", nearest ? "?" : "");
		return;
	}
	if (node->kind == CONFIG_SCALAR) {
		status = pr_option_parse(option, node->text, &builder->config->options, arena, &why);
	} else {
		struct pr_str *items = pr_arena_alloc(arena, (node->child_count + 1) * sizeof *items);
		for (size_t i = 0; items != NULL && i < node->child_count; i++)
			if (!config_want_text(builder, &node->children[i], &items[i]))
				return;
		status = option->type != PR_OPTION_LIST || items == NULL
		    ? PR_MISUSE
		    : pr_option_set_list(option, items, node->child_count, &builder->config->options, arena, &why);
		if (why.data == NULL)
			why = PR_STR("takes one value, not a list");
	}
	builder->config->option_places[option - options_table] = (struct config_place){node->file, node->line};
	if (status != PR_OK)
		config_complain(builder, node, "option %s: %.*s", option->name, PR_PRINT(why));
	else if ((option->flags & PR_OPTION_NO_EFFECT) != 0 && !builder->repeats)
		pr_text_addf(&builder->config->notices, "%s:%u: option %s: accepted, no effect here: %s\n", node->file, node->line,
		    option->name, option->help);
}

static bool is_prefix(struct pr_str name)
{
	for (const struct pr_option *option = options_table; option->name != NULL; option++)
		if (pr_str_has_prefix_nocase(pr_str(option->name), name) && option->name[name.len] == '.')
			return true;
	return false;
}

/* Timeout = { queuereturn = { urgent = "1d"; }; } is Timeout.queuereturn.urgent. */
static void set_group(struct config_builder *builder, const struct config_node *group, struct pr_str prefix)
{
	for (size_t i = 0; i < group->child_count; i++) {
		const struct config_node *node = &group->children[i];
		struct pr_str name = node->name;
		if (prefix.len > 0)
			name = pr_arena_printf(&builder->config->arena, "%.*s.%.*s", PR_PRINT(prefix), PR_PRINT(node->name));
		if (node->kind == CONFIG_GROUP && (is_prefix(name) || prefix.len == 0))
			set_group(builder, node, name);
		else
			config_set_option(builder, node, name);
	}
}

void config_build_options(struct config_builder *builder, const struct config_node *group)
{
	if (group->kind != CONFIG_GROUP) {
		config_complain(builder, group, "options takes a group: options = { Name = value; };");
		return;
	}
	set_group(builder, group, PR_STR(""));
}

void config_apply_overrides(struct config_builder *builder, const struct pr_list *overrides)
{
	for (size_t i = 0; overrides != NULL && i < overrides->count; i++) {
		struct pr_str item = overrides->items[i];
		size_t equals = pr_str_find(item, '=');
		struct config_node node = {.kind = CONFIG_SCALAR, .file = "-O", .line = (uint32_t)(i + 1)};
		node.name = pr_str_trim(pr_str_slice(item, 0, equals));
		node.text = equals < item.len ? pr_str_trim(pr_str_slice(item, equals + 1, item.len)) : PR_STR("true");
		bool sendmails = builder->is_declared || builder->routing != NULL || pr_str_equal_nocase(node.name, PR_STR("DaemonPortOptions"));
		if (!sendmails || !config_take_special(builder, &node))
			config_set_option(builder, &node, node.name);
	}
}

/* $j: the canonical name of this host, as sendmail finds it. */
static struct pr_str own_name(struct pr_arena *arena)
{
	char name[256] = "localhost";
	struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct pr_str result = PR_NONE;

	if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
		memcpy(name, "localhost", sizeof "localhost");
	if (strchr(name, '.') == NULL && getaddrinfo(name, NULL, &hints, &found) == 0 && found->ai_canonname != NULL)
		result = pr_arena_copy(arena, pr_str(found->ai_canonname));
	if (found != NULL)
		freeaddrinfo(found);
	return result.data != NULL ? result : pr_arena_copy(arena, pr_str(name));
}

void config_finish_options(struct config_builder *builder)
{
	struct config *config = builder->config;

	if (config->options.host_name.len == 0)
		config->options.host_name = own_name(&config->arena);
	if (config->options.run_directory.len > 0)
		config->run_directory = config->options.run_directory;
	if (config->options.drop_directory.len > 0)
		config->drop_directory = config->options.drop_directory;
	if (config->options.pid_file.len == 0)
		config->options.pid_file = pr_arena_printf(&config->arena, "%.*s/postrider.pid", PR_PRINT(config->run_directory));
}
