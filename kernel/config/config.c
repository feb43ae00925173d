/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the file, walks its top level by a table, and hands each part to its builder.  All complaints are collected, so
 * one `postriderctl check` shows every mistake.
 */
#include "kernel/config/config.h"

#include "kernel/config/build.h"
#include "kernel/config/tree.h"
#include <postrider/file.h>

#include <string.h>

#define FILE_MAX (4u << 20)
#define ARENA_MAX (64u << 20)

void config_complain(struct config_builder *builder, const struct config_node *node, const char *format, ...)
{
	va_list args;

	builder->error_count++;
	pr_text_add_c(builder->errors, node->file);
	if (node->line > 0) /* sendmail's way to say it, for a file of sendmail's */
		pr_text_addf(builder->errors, builder->is_declared ? ": line %u" : ":%u", node->line);
	pr_text_add_c(builder->errors, ": ");
	va_start(args, format);
	pr_text_addv(builder->errors, format, args);
	va_end(args);
	pr_text_add_byte(builder->errors, '\n');
}

const char *config_nearest(const char *const *names, struct pr_str name)
{
	for (; *names != NULL; names++) {
		struct pr_option table[2] = {{.name = *names}, PR_OPTION_END};
		if (pr_option_nearest(table, name) != NULL)
			return *names;
	}
	return NULL;
}

bool config_want_text(struct config_builder *builder, const struct config_node *node, struct pr_str *text_out)
{
	if (node->kind != CONFIG_SCALAR) {
		if (node->name.len > 0)
			config_complain(builder, node, "%.*s takes one value", PR_PRINT(node->name));
		else
			config_complain(builder, node, "a list holds values, not lists or groups");
		return false;
	}
	*text_out = node->text;
	return true;
}

bool config_want_number(struct config_builder *builder, const struct config_node *node, int64_t most, int64_t *number_out)
{
	uint64_t number = 0;

	if (node->kind != CONFIG_SCALAR || !pr_str_number(node->text, (uint64_t)most, &number)) {
		config_complain(builder, node, "%.*s takes a number from 0 to %lld", PR_PRINT(node->name), (long long)most);
		return false;
	}
	*number_out = (int64_t)number;
	return true;
}

bool config_want_flag(struct config_builder *builder, const struct config_node *node, int64_t *flag_out)
{
	bool yes = false;

	if (node->kind != CONFIG_SCALAR || !config_parse_flag(node->text, &yes)) {
		config_complain(builder, node, "%.*s is true or false (yes, no, on, off, 1, 0)", PR_PRINT(node->name));
		return false;
	}
	*flag_out = yes;
	return true;
}

enum top_type { TOP_TEXT, TOP_USERS, TOP_OPTIONS, TOP_LISTENERS, TOP_GROUPS, TOP_CERTIFICATES, TOP_INSTANCES };

static const struct top_key {
	const char *name;
	enum top_type type;
	uint32_t kind;
	size_t offset;
} top_keys[] = {
    {"module_directory", TOP_TEXT, 0, offsetof(struct config, module_directory)},
    {"run_directory", TOP_TEXT, 0, offsetof(struct config, run_directory)},
    {"drop_directory", TOP_TEXT, 0, offsetof(struct config, drop_directory)},
    {"log", TOP_TEXT, 0, offsetof(struct config, log)},
    {"users", TOP_USERS, 0, 0},
    {"options", TOP_OPTIONS, 0, 0},
    {"listeners", TOP_LISTENERS, 0, 0},
    {"queue_groups", TOP_GROUPS, 0, 0},
    {"certificates", TOP_CERTIFICATES, 0, 0},
    {"maps", TOP_INSTANCES, PR_KIND_MAP, 0},
    {"mailers", TOP_INSTANCES, PR_KIND_MAILER, 0},
    {"filters", TOP_INSTANCES, PR_KIND_FILTER, 0},
    {"rules", TOP_INSTANCES, PR_KIND_RULES, 0},
    {"store", TOP_INSTANCES, PR_KIND_STORE, 0},
    {"auth", TOP_INSTANCES, PR_KIND_AUTH, 0},
};
#define TOP_COUNT (sizeof top_keys / sizeof top_keys[0])

static void build_users(struct config_builder *builder, const struct config_node *group)
{
	static const char *const names[] = {"receiver", "courier", NULL};

	if (group->kind != CONFIG_GROUP)
		config_complain(builder, group, "users takes a group: users = { receiver = \"...\"; courier = \"...\"; };");
	for (size_t i = 0; i < group->child_count; i++) {
		const struct config_node *node = &group->children[i];
		struct config_place place = {node->file, node->line};
		if (pr_str_equal(node->name, PR_STR("receiver"))) {
			builder->config->receiver_place = place;
			config_want_text(builder, node, &builder->config->receiver_user);
		} else if (pr_str_equal(node->name, PR_STR("courier"))) {
			builder->config->courier_place = place;
			config_want_text(builder, node, &builder->config->courier_user);
		} else
			config_complain(builder, node, "unknown key %.*s in users; it has receiver and courier%s", PR_PRINT(node->name),
			    config_nearest(names, node->name) ? " (check the spelling)" : "");
	}
}

static void complain_unknown(struct config_builder *builder, const struct config_node *node)
{
	const char *names[TOP_COUNT + 1] = {NULL};

	for (size_t i = 0; i < TOP_COUNT; i++)
		names[i] = top_keys[i].name;
	const char *nearest = config_nearest(names, node->name);
	config_complain(builder, node, "unknown key %.*s%s%s%s", PR_PRINT(node->name), nearest ? "; did you mean " : "",
	    nearest ? nearest : "", nearest ? "?" : "");
}

static void build_top(struct config_builder *builder, const struct config_node *node)
{
	const struct top_key *key = NULL;

	for (size_t i = 0; i < TOP_COUNT && key == NULL; i++)
		if (pr_str_equal(node->name, pr_str(top_keys[i].name)))
			key = &top_keys[i];
	if (key == NULL)
		complain_unknown(builder, node);
	else if (key->type == TOP_TEXT)
		config_want_text(builder, node, (struct pr_str *)(void *)((char *)builder->config + key->offset));
	else if (key->type == TOP_USERS)
		build_users(builder, node);
	else if (key->type == TOP_OPTIONS)
		config_build_options(builder, node);
	else if (key->type == TOP_LISTENERS)
		config_build_listeners(builder, node);
	else if (key->type == TOP_GROUPS)
		config_build_groups(builder, node);
	else if (key->type == TOP_CERTIFICATES)
		config_build_certificates(builder, node);
	else if (key->kind == PR_KIND_RULES && builder->routing != NULL)
		return; /* -C replaces it */
	else
		config_build_instances(builder, key->kind, node);
}

/* A configuration that declares no store or rules gets the standard ones; the error would only say so. */
static void add_default(struct config_builder *builder, enum pr_kind kind, const char *name, const char *module)
{
	const struct config *config = builder->config;
	const char *file = config->path.data;
	struct config_node module_node = {.kind = CONFIG_SCALAR, .name = PR_STR("module"), .text = pr_str(module), .file = file};
	struct config_node group = {.kind = CONFIG_GROUP, .name = pr_str(name), .file = file, .children = &module_node, .child_count = 1};
	struct config_node outer = {.kind = CONFIG_GROUP, .name = pr_str("mailers"), .file = file, .children = &group, .child_count = 1};
	bool single = kind == PR_KIND_RULES || kind == PR_KIND_STORE;

	for (size_t i = 0; i < config->instance_count; i++)
		if (builder->instances[i].kind == kind && (single || pr_str_equal(builder->instances[i].name, pr_str(name))))
			return;
	config_build_instances(builder, kind, single ? &group : &outer);
}

/* Under a sendmail.cf AUTH is what it was in sendmail, unless the file says something of its own, and be it "auth = ( );". */
static void add_auth(struct config_builder *builder)
{
	const struct config *config = builder->config;
	struct config_node module = {.kind = CONFIG_SCALAR, .name = PR_STR("module"), .text = PR_STR("sasl"), .file = config->path.data};
	struct config_node group = {.kind = CONFIG_GROUP, .name = PR_STR("auth"), .file = module.file, .children = &module, .child_count = 1};
	struct config_node list = {.kind = CONFIG_LIST, .name = PR_STR("auth"), .file = module.file, .children = &group, .child_count = 1};

	if (config_node_find(builder->root, "auth") != NULL)
		return;
	for (size_t i = 0; i < config->instance_count; i++)
		if (builder->instances[i].kind == PR_KIND_RULES && pr_str_equal(builder->instances[i].module, PR_STR("cf"))) {
			config_build_instances(builder, PR_KIND_AUTH, &list);
			return;
		}
}

static void add_defaults(struct config_builder *builder)
{
	static const char *const mailers[][2] = {{"local", "local"}, {"prog", "prog"}, {"file", "file"}, {"esmtp", "smtp"},
	    {"relay", "smtp"}, {"discard", "discard"}, {"error", "error"}};

	add_default(builder, PR_KIND_RULES, "rules", "routes");
	add_default(builder, PR_KIND_STORE, "store", "spool");
	for (size_t i = 0; i < sizeof mailers / sizeof mailers[0]; i++)
		add_default(builder, PR_KIND_MAILER, mailers[i][0], mailers[i][1]);
	add_auth(builder);
}

/* The rules of a sendmail.cf. */
static void add_routing(struct config_builder *builder)
{
	struct config_node keys[] = {{.kind = CONFIG_SCALAR, .name = PR_STR("module"), .text = PR_STR("cf")},
	    {.kind = CONFIG_SCALAR, .name = PR_STR("file")}};
	struct config_node group = {.kind = CONFIG_GROUP, .name = PR_STR("rules"), .children = keys, .child_count = 2};

	group.file = keys[0].file = keys[1].file = pr_arena_copy(&builder->config->arena, pr_str(builder->routing)).data;
	keys[1].text = pr_str(group.file);
	config_build_instances(builder, PR_KIND_RULES, &group);
}

static void freeze(struct config_builder *builder)
{
	struct config *config = builder->config;

	config->instances = builder->instances;
	config->listeners = builder->listeners;
}

static struct config *new_config(const char *path)
{
	struct config *config = pr_alloc(sizeof *config);

	pr_arena_init(&config->arena, ARENA_MAX);
	pr_text_init(&config->notices, 65536);
	config->path = pr_arena_copy(&config->arena, pr_str(path));
	config->module_directory = PR_STR(MODULE_DIR);
	config->run_directory = PR_STR(RUN_DIR);
	config->drop_directory = PR_STR(STATE_DIR "/drop");
	config->log = PR_STR("syslog");
	config->receiver_user = PR_STR("postrider");
	config->courier_user = PR_STR("postrider-q");
	config->receiver_place = config->courier_place = (struct config_place){config->path.data, 0};
	config->option_places = pr_arena_alloc(&config->arena, options_count() * sizeof *config->option_places);
	return config;
}

/* Whose items may be gone when they are wanted again. */
static void keep_overrides(struct config *config, const struct pr_list *overrides)
{
	if (overrides == NULL || overrides->count == 0)
		return;
	struct pr_str *items = pr_arena_alloc(&config->arena, overrides->count * sizeof *items);
	for (size_t i = 0; items != NULL && i < overrides->count; i++)
		items[i] = pr_arena_copy(&config->arena, overrides->items[i]);
	config->overrides = (struct pr_list){items, items == NULL ? 0 : overrides->count};
}

static struct config *parse(const char *path, const char *routing, struct pr_str bytes, const struct pr_list *overrides, struct pr_text *errors)
{
	struct config *config = new_config(path);
	struct config_builder builder = {.config = config, .errors = errors, .routing = routing};
	struct pr_str why = PR_NONE;
	const struct config_node *root = builder.root = config_tree_parse(config->path.data, bytes, &config->arena, errors);

	if (root == NULL) {
		config_free(config);
		return NULL;
	}
	options_prepare(&config->options);
	if (pr_option_defaults(options_table, &config->options, &config->arena, &why) != PR_OK) {
		pr_text_addf(errors, "built-in defaults: %.*s\n", PR_PRINT(why));
		builder.error_count++;
	}
	for (size_t i = 0; i < root->child_count; i++)
		build_top(&builder, &root->children[i]);
	if (routing != NULL)
		add_routing(&builder);
	keep_overrides(config, overrides);
	config_apply_overrides(&builder, &config->overrides);
	config_finish_options(&builder);
	config_add_submission_listener(&builder);
	add_defaults(&builder);
	config_check_whole(&builder);
	freeze(&builder);
	if (builder.error_count > 0) {
		config_free(config);
		return NULL;
	}
	return config;
}

struct config *config_parse(const char *path, struct pr_str bytes, const struct pr_list *overrides, struct pr_text *errors)
{
	return parse(path, NULL, bytes, overrides, errors);
}

struct config *config_load_routed(const char *path, const char *routing, const struct pr_list *overrides, struct pr_text *errors)
{
	struct pr_text bytes;
	struct config *config = NULL;

	pr_text_init(&bytes, FILE_MAX);
	enum pr_status status = pr_file_read(path, FILE_MAX, &bytes, errors);
	if (status == PR_OK || (status == PR_NOTFOUND && routing != NULL && strcmp(path, CONFIG_DEFAULT_PATH) == 0)) {
		pr_text_clear(errors);
		config = parse(path, routing, pr_text_str(&bytes), overrides, errors);
	} else {
		pr_text_clear(errors);
		pr_text_addf(errors, "%s: cannot open: %s\n", path,
		    status == PR_NOTFOUND ? "No such file or directory" : "it must be a readable regular file of at most 4 MiB");
	}
	pr_text_fini(&bytes);
	return config;
}

struct config *config_load(const char *path, const struct pr_list *overrides, struct pr_text *errors)
{
	return config_load_routed(path, NULL, overrides, errors);
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	pr_free((void *)(uintptr_t)config->instances);
	pr_free((void *)(uintptr_t)config->listeners);
	pr_text_fini(&config->notices);
	pr_arena_fini(&config->arena);
	pr_free(config);
}
