/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Declared module instances.  The kernel takes the keys it knows for itself (a table); all others are kept for the
 * module's own option table, which is known only once the module is loaded.
 */
#include "kernel/config/build.h"

#include <stddef.h>
#include <string.h>

enum key_type { KEY_TEXT, KEY_NUMBER, KEY_SIZE, KEY_FLAG };

static const struct kernel_key {
	const char *name;
	uint32_t kind; /* 0: all kinds */
	enum key_type type;
	size_t offset;
} kernel_keys[] = {
    {"module", 0, KEY_TEXT, offsetof(struct config_instance, module)},
    {"flags", PR_KIND_MAILER, KEY_TEXT, offsetof(struct config_instance, flags)},
    {"size_limit", PR_KIND_MAILER, KEY_SIZE, offsetof(struct config_instance, size_limit)},
    {"line_limit", PR_KIND_MAILER, KEY_SIZE, offsetof(struct config_instance, line_limit)},
    {"recipients", PR_KIND_MAILER, KEY_NUMBER, offsetof(struct config_instance, recipients)},
    {"messages", PR_KIND_MAILER, KEY_NUMBER, offsetof(struct config_instance, messages)},
    {"connections", PR_KIND_MAILER, KEY_NUMBER, offsetof(struct config_instance, connections)},
    {"types", PR_KIND_MAILER, KEY_TEXT, offsetof(struct config_instance, types)},
    {"charset", PR_KIND_MAILER, KEY_TEXT, offsetof(struct config_instance, charset)},
    {"end_of_line", PR_KIND_MAILER, KEY_TEXT, offsetof(struct config_instance, end_of_line)},
    {"quote_from", PR_KIND_MAILER, KEY_FLAG, offsetof(struct config_instance, quote_from)},
    {"hide_dots", PR_KIND_MAILER, KEY_FLAG, offsetof(struct config_instance, hide_dots)},
    {"strip_nul", PR_KIND_MAILER, KEY_FLAG, offsetof(struct config_instance, strip_nul)},
    {"blank_end", PR_KIND_MAILER, KEY_FLAG, offsetof(struct config_instance, blank_end)},
    {"queue_group", PR_KIND_MAILER, KEY_TEXT, offsetof(struct config_instance, queue_group)},
    {"on_failure", PR_KIND_FILTER, KEY_TEXT, offsetof(struct config_instance, on_failure)},
    {"name", PR_KIND_FILTER, KEY_TEXT, offsetof(struct config_instance, name)},
    {"name", PR_KIND_AUTH, KEY_TEXT, offsetof(struct config_instance, name)},
};

static const struct kernel_key *find_key(enum pr_kind kind, struct pr_str name)
{
	for (size_t i = 0; i < sizeof kernel_keys / sizeof kernel_keys[0]; i++)
		if ((kernel_keys[i].kind == 0 || kernel_keys[i].kind == kind) && pr_str_equal(name, pr_str(kernel_keys[i].name)))
			return &kernel_keys[i];
	return NULL;
}

static void take_key(struct config_builder *builder, struct config_instance *instance, const struct kernel_key *key,
    const struct config_node *node)
{
	char *field = (char *)instance + key->offset;

	if (key->type == KEY_TEXT)
		config_want_text(builder, node, (struct pr_str *)(void *)field);
	else if (key->type == KEY_NUMBER)
		config_want_number(builder, node, INT32_MAX, (int64_t *)(void *)field);
	else if (key->type == KEY_FLAG)
		config_want_flag(builder, node, (int64_t *)(void *)field);
	else if (node->kind != CONFIG_SCALAR || !pr_parse_size(node->text, (int64_t *)(void *)field))
		config_complain(builder, node, "%.*s takes a size such as 50M", PR_PRINT(node->name));
}

static void keep_setting(struct config_builder *builder, struct config_setting *setting, const struct config_node *node)
{
	setting->name = node->name;
	setting->file = node->file;
	setting->line = node->line;
	if (node->kind == CONFIG_SCALAR) {
		setting->text = node->text;
		return;
	}
	if (node->kind == CONFIG_GROUP) {
		config_complain(builder, node, "%.*s is a group; a module's option takes a value or a list", PR_PRINT(node->name));
		return;
	}
	struct pr_str *items = pr_arena_alloc(&builder->config->arena, (node->child_count + 1) * sizeof *items);
	setting->is_list = 1;
	for (size_t i = 0; items != NULL && i < node->child_count; i++)
		if (config_want_text(builder, &node->children[i], &items[i]))
			setting->item_count++;
	setting->items = items;
}

static struct config_instance *new_instance(struct config_builder *builder)
{
	struct config *config = builder->config;

	if (config->instance_count == builder->instance_room) {
		builder->instance_room = builder->instance_room == 0 ? 16 : builder->instance_room * 2;
		builder->instances = pr_resize(builder->instances, builder->instance_room * sizeof *builder->instances);
	}
	struct config_instance *instance = &builder->instances[config->instance_count++];
	memset(instance, 0, sizeof *instance);
	instance->recipients = 100;
	instance->is_of_rules = builder->is_declared;
	return instance;
}

static bool module_name_is_plain(struct pr_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", name.data[i]) == NULL)
			return false;
	return name.len > 0 && name.len <= 64;
}

static void check_instance(struct config_builder *builder, const struct config_instance *instance, const struct config_node *group)
{
	const struct config *config = builder->config;
	struct pr_str policy = instance->on_failure;

	if (policy.data != NULL && !pr_str_equal(policy, PR_STR("tempfail")) && !pr_str_equal(policy, PR_STR("accept")) &&
	    !pr_str_equal(policy, PR_STR("reject")))
		config_complain(builder, group, "on_failure \"%.*s\" is not known; it is tempfail, accept or reject", PR_PRINT(policy));
	for (size_t i = 0; i + 1 < config->instance_count; i++)
		if (instance->name.len > 0 && builder->instances[i].kind == instance->kind &&
		    pr_str_equal(builder->instances[i].name, instance->name))
			config_complain(builder, group, "%.*s is declared twice; first in line %u", PR_PRINT(instance->name),
			    builder->instances[i].line);
}

static void add_instance(struct config_builder *builder, enum pr_kind kind, struct pr_str name, const struct config_node *group)
{
	struct config *config = builder->config;

	if (group->kind != CONFIG_GROUP) {
		config_complain(builder, group, "%.*s takes a group: { module = \"...\"; ... }", PR_PRINT(name));
		return;
	}
	struct config_instance *instance = new_instance(builder);
	struct config_setting *settings = pr_arena_alloc(&config->arena, (group->child_count + 1) * sizeof *settings);
	instance->kind = kind;
	instance->line = group->line;
	instance->file = group->file;
	if (kind != PR_KIND_FILTER && kind != PR_KIND_AUTH) /* listed ones name themselves; `name` is the list's, for complaints */
		instance->name = name;
	instance->settings = settings;
	for (size_t i = 0; settings != NULL && i < group->child_count; i++) {
		const struct config_node *node = &group->children[i];
		const struct kernel_key *key = find_key(kind, node->name);
		if (key != NULL)
			take_key(builder, instance, key, node);
		else
			keep_setting(builder, &settings[instance->setting_count++], node);
	}
	if (instance->module.len == 0)
		config_complain(builder, group, "%.*s does not say which module: module = \"...\";", PR_PRINT(name));
	else if (!module_name_is_plain(instance->module))
		config_complain(builder, group, "module \"%.*s\" is no module name; it is a file name without folder and .so",
		    PR_PRINT(instance->module));
	if (instance->name.len == 0)
		instance->name = instance->module;
	check_instance(builder, instance, group);
}

void config_drop_instance(struct config_builder *builder, enum pr_kind kind, struct pr_str name)
{
	struct config *config = builder->config;

	for (size_t i = 0; i < config->instance_count; i++) {
		if (builder->instances[i].kind != kind || !pr_str_equal(builder->instances[i].name, name))
			continue;
		config->instance_count--;
		memmove(&builder->instances[i], &builder->instances[i + 1], (config->instance_count - i) * sizeof builder->instances[0]);
		return;
	}
}

void config_build_instances(struct config_builder *builder, enum pr_kind kind, const struct config_node *node)
{
	bool single = kind == PR_KIND_RULES || kind == PR_KIND_STORE;
	bool listed = kind == PR_KIND_FILTER || kind == PR_KIND_AUTH;

	if (node->kind != (listed ? CONFIG_LIST : CONFIG_GROUP)) {
		config_complain(builder, node, "%.*s takes a %s", PR_PRINT(node->name), listed ? "list of groups" : "group");
		return;
	}
	if (single) {
		add_instance(builder, kind, node->name, node);
		return;
	}
	for (size_t i = 0; i < node->child_count; i++)
		add_instance(builder, kind, listed ? node->name : node->children[i].name, &node->children[i]);
}
