/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queue groups: queue_groups = { NAME = { path = "..."; interval = "10m"; runners = 3; recipients = 20; }; }
 * What sendmail writes as Q lines (P= I= R= r=).  A group's directories lie below QueueDirectory, as sendmail wants it, so that one lease and
 * one counter of ids serve them all.
 */
#include "kernel/config/build.h"

#include <string.h>

static const char *const keys[] = {"path", "interval", "runners", "recipients", NULL};

static void set_key(struct config_builder *builder, struct queue_group *group, const struct config_node *node)
{
	const struct pr_option interval = PR_OPTION(struct queue_group, interval, "interval", PR_OPTION_TIME, 0, NULL, NULL);
	struct pr_str why = PR_NONE;

	if (pr_str_equal(node->name, PR_STR("path"))) {
		config_want_text(builder, node, &group->path);
	} else if (pr_str_equal(node->name, PR_STR("runners"))) {
		config_want_number(builder, node, 10000, &group->runners);
	} else if (pr_str_equal(node->name, PR_STR("recipients"))) {
		config_want_number(builder, node, 1000000, &group->recipients);
	} else if (pr_str_equal(node->name, PR_STR("interval"))) {
		if (node->kind != CONFIG_SCALAR || pr_option_parse(&interval, node->text, group, &builder->config->arena, &why) != PR_OK)
			config_complain(builder, node, "interval takes a time such as 10m");
	} else {
		const char *nearest = config_nearest(keys, node->name);
		config_complain(builder, node, "unknown key %.*s in a queue group%s%s%s", PR_PRINT(node->name),
		    nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	}
}

void config_build_groups(struct config_builder *builder, const struct config_node *node)
{
	struct config *config = builder->config;

	if (node->kind != CONFIG_GROUP) {
		config_complain(builder, node, "queue_groups takes a group of groups: queue_groups = { slow = { path = \"...\"; }; };");
		return;
	}
	struct queue_group *groups = pr_arena_alloc(&config->arena, (node->child_count + 1) * sizeof *groups);
	for (size_t i = 0; groups != NULL && i < node->child_count; i++) {
		const struct config_node *child = &node->children[i];
		struct queue_group *group = &groups[config->group_count];
		if (child->kind != CONFIG_GROUP) {
			config_complain(builder, child, "queue group %.*s takes a group: { path = \"...\"; interval = \"10m\"; }", PR_PRINT(child->name));
			continue;
		}
		group->name = child->name;
		group->line = child->line;
		group->file = child->file;
		for (size_t j = 0; j < child->child_count; j++)
			set_key(builder, group, &child->children[j]);
		config->group_count++;
	}
	config->groups = groups;
}

static bool is_below(struct pr_str path, struct pr_str directory)
{
	size_t star = pr_str_find(directory, '*');
	struct pr_str base = star == directory.len ? directory : pr_str_slice(directory, 0, pr_str_find_last(directory, '/'));

	while (base.len > 1 && base.data[base.len - 1] == '/')
		base.len--;
	return path.len > base.len + 1 && memcmp(path.data, base.data, base.len) == 0 && path.data[base.len] == '/' &&
	       memmem(path.data, path.len, "/../", 4) == NULL && !pr_str_has_suffix_nocase(path, PR_STR("/.."));
}

const struct queue_group *config_group(const struct config *config, struct pr_str name)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (pr_str_equal_nocase(config->groups[i].name, name))
			return &config->groups[i];
	return NULL;
}

void config_check_groups(struct config_builder *builder)
{
	const struct config *config = builder->config;

	for (size_t i = 0; i < config->group_count; i++) {
		const struct queue_group *group = &config->groups[i];
		const struct config_node node = {.file = group->file, .line = group->line};
		bool is_default = pr_str_equal_nocase(group->name, PR_STR("mqueue"));
		if (config_group(config, group->name) != group)
			config_complain(builder, &node, "queue group %.*s is declared twice", PR_PRINT(group->name));
		if (is_default && group->path.len > 0)
			config_complain(builder, &node, "the directory of queue group mqueue is option QueueDirectory");
		else if (!is_default && !is_below(group->path, config->options.queue_directory))
			config_complain(builder, &node, "the path of queue group %.*s must lie below QueueDirectory %.*s", PR_PRINT(group->name),
			    PR_PRINT(config->options.queue_directory));
	}
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &builder->instances[i];
		const struct config_node node = {.file = instance->file, .line = instance->line};
		if (instance->queue_group.len > 0 && config_group(config, instance->queue_group) == NULL &&
		    !pr_str_equal_nocase(instance->queue_group, PR_STR("mqueue")))
			config_complain(builder, &node, "queue_group \"%.*s\" of mailer %.*s is not declared in queue_groups",
			    PR_PRINT(instance->queue_group), PR_PRINT(instance->name));
	}
}
