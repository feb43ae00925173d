/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Declarations become the nodes that the same words would have been in postrider.conf, and go to the same builders: so both dialects have
 * one meaning, one set of checks and one way to complain.  Options come last, for they may name maps.
 */
#include "kernel/config/build.h"

#include <stdlib.h>
#include <string.h>

#define CHILDREN_MAX 40

void config_add_value(struct config_builder *builder, struct config_node *group, const char *name, struct pr_str text)
{
	(void)builder;
	if (group->child_count == CHILDREN_MAX)
		return;
	group->children[group->child_count++] =
	    (struct config_node){.kind = CONFIG_SCALAR, .name = pr_str(name), .text = text, .file = group->file, .line = group->line};
}

/* An empty group for a declaration, named as it is. */
static bool begin(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str file = declared->file.data != NULL ? pr_arena_copy(arena, declared->file) : builder->config->path;

	*group = (struct config_node){.kind = CONFIG_GROUP, .file = file.data, .line = declared->line};
	group->name = pr_arena_copy(arena, declared->name);
	group->children = pr_arena_alloc(arena, CHILDREN_MAX * sizeof *group->children);
	if (group->children != NULL && group->name.data != NULL && group->file != NULL)
		return true;
	config_complain(builder, &(struct config_node){.file = builder->config->path.data}, "the configuration is too large");
	return false;
}

static struct pr_str setting_of(const struct pr_declared *declared, const char *name)
{
	for (size_t i = 0; i < declared->count; i++)
		if (pr_str_equal(declared->settings[i].name, pr_str(name)))
			return declared->settings[i].value;
	return PR_NONE;
}

static struct pr_str only_value(struct config_builder *builder, const struct pr_declared *declared)
{
	return declared->count > 0 && declared->settings[0].value.data != NULL
	    ? pr_arena_copy(&builder->config->arena, declared->settings[0].value)
	    : PR_NONE;
}

static void add_instance(struct config_builder *builder, enum pr_kind kind, const char *list, struct config_node *group)
{
	struct config_node outer = {.name = pr_str(list), .file = group->file, .line = group->line, .children = group, .child_count = 1};

	outer.kind = kind == PR_KIND_FILTER ? CONFIG_LIST : CONFIG_GROUP;
	config_drop_instance(builder, kind, group->name);
	config_build_instances(builder, kind, &outer);
}

static void declare_map(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_str arguments = pr_arena_copy(&builder->config->arena, setting_of(declared, "arguments"));

	config_add_value(builder, group, "module", pr_arena_copy(&builder->config->arena, declared->module));
	if (arguments.len > 0)
		config_add_value(builder, group, "arguments", arguments);
	add_instance(builder, PR_KIND_MAP, "maps", group);
}

static void declare_mailer(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	config_add_value(builder, group, "module", pr_arena_copy(&builder->config->arena, declared->module));
	config_translate_mailer(builder, declared, group);
	add_instance(builder, PR_KIND_MAILER, "mailers", group);
}

/* Xname, S=inet:8891@localhost, F=T, T=S:30s: what becomes of mail when the filter cannot be asked is the kernel's, the rest the module's. */
static void declare_filter(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str failure = setting_of(declared, "F"), timeouts = setting_of(declared, "T");
	bool rejects = failure.len > 0 && failure.data[0] == 'R', defers = failure.len > 0 && (failure.data[0] == 'T' || failure.data[0] == '4');

	config_add_value(builder, group, "name", group->name);
	config_add_value(builder, group, "module", pr_arena_copy(arena, declared->module));
	config_add_value(builder, group, "socket", pr_arena_copy(arena, setting_of(declared, "S")));
	config_add_value(builder, group, "on_failure", rejects ? PR_STR("reject") : defers ? PR_STR("tempfail") : PR_STR("accept"));
	if (timeouts.len > 0)
		config_add_value(builder, group, "timeouts", pr_arena_copy(arena, timeouts));
	add_instance(builder, PR_KIND_FILTER, "filters", group);
}

static const struct {
	const char *letter, *key; /* key NULL: accepted */
	const char *why;
} group_keys[] = {
    {"P", "path", NULL},
    {"I", "interval", NULL},
    {"R", "runners", NULL},
    {"r", "recipients", NULL},
    {"F", NULL, "runners are threads of one courier"},
    {"J", NULL, "a queue run is never cut short"},
    {"N", NULL, "runners are threads of one courier"},
    {"S", NULL, "each group has the order of QueueSortOrder"},
};

/* sendmail's paths of groups may be relative to the queue directory's parent. */
static struct pr_str whole_path(struct config_builder *builder, struct pr_str path)
{
	struct pr_str base = builder->config->options.queue_directory;

	if (path.len == 0 || path.data[0] == '/')
		return pr_arena_copy(&builder->config->arena, path);
	if (pr_str_find(base, '*') < base.len)
		base = pr_str_slice(base, 0, pr_str_find_last(base, '/'));
	return pr_arena_printf(&builder->config->arena, "%.*s/%.*s", PR_PRINT(base), PR_PRINT(path));
}

static void declare_group(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct config *config = builder->config;
	struct config_node outer = {.kind = CONFIG_GROUP, .name = PR_STR("queue_groups"), .children = group, .child_count = 1};
	const struct queue_group *old = config->groups;
	size_t old_count = config->group_count;

	for (size_t i = 0; i < sizeof group_keys / sizeof group_keys[0]; i++) {
		struct pr_str value = setting_of(declared, group_keys[i].letter);
		if (value.data == NULL)
			continue;
		if (group_keys[i].key == NULL)
			pr_text_addf(&config->notices, "%s:%u: queue group %.*s, %s=: accepted, no effect here: %s\n", group->file, group->line,
			    PR_PRINT(group->name), group_keys[i].letter, group_keys[i].why);
		else if (group_keys[i].letter[0] == 'P' && pr_str_equal_nocase(group->name, PR_STR("mqueue")))
			config->options.queue_directory = whole_path(builder, value);
		else
			config_add_value(builder, group, group_keys[i].key,
			    group_keys[i].letter[0] == 'P' ? whole_path(builder, value) : pr_arena_copy(&config->arena, value));
	}
	/* sendmail's default group carries the settings of the queue as a whole */
	outer.file = group->file;
	outer.line = group->line;
	config->group_count = 0;
	config_build_groups(builder, &outer);
	struct queue_group *all = pr_arena_alloc(&config->arena, (old_count + 1) * sizeof *all);
	size_t count = 0;
	for (size_t i = 0; all != NULL && i < old_count; i++)
		if (!pr_str_equal_nocase(old[i].name, group->name))
			all[count++] = old[i];
	if (all != NULL && config->group_count == 1)
		all[count++] = config->groups[0];
	config->groups = all;
	config->group_count = count;
}

static void declare_precedence(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct config *config = builder->config;
	struct pr_str text = only_value(builder, declared);
	char *number = pr_copy_str(text);
	struct config_precedence *grown = pr_arena_alloc(&config->arena, (config->precedence_count + 1) * sizeof *grown);
	if (grown != NULL) {
		if (config->precedence_count > 0)
			memcpy(grown, config->precedences, config->precedence_count * sizeof *grown);
		/* as sendmail reads it: what is no number counts nothing */
		grown[config->precedence_count++] = (struct config_precedence){.name = group->name, .value = strtol(number, NULL, 10)};
		config->precedences = grown;
	}
	pr_free(number);
}

static void declare_variable(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct config *config = builder->config;
	struct config_variable *grown = pr_arena_alloc(&config->arena, (config->environment_count + 1) * sizeof *grown);

	if (grown == NULL)
		return;
	if (config->environment_count > 0)
		memcpy(grown, config->environment, config->environment_count * sizeof *grown);
	grown[config->environment_count++] = (struct config_variable){.name = group->name, .value = only_value(builder, declared)};
	config->environment = grown;
}

static void declare_trusted(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct pr_list *list = &builder->config->options.trusted_users;
	struct pr_str *grown = pr_arena_alloc(&builder->config->arena, (list->count + 1) * sizeof *grown);

	(void)declared;
	if (grown == NULL)
		return;
	if (list->count > 0)
		memcpy(grown, list->items, list->count * sizeof *grown);
	grown[list->count] = group->name;
	*list = (struct pr_list){grown, list->count + 1};
}

static void declare_option(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group)
{
	struct config_node node = {.kind = CONFIG_SCALAR, .name = group->name, .file = group->file, .line = group->line};

	node.text = only_value(builder, declared);
	if (node.text.data == NULL)
		node.text = PR_STR("");
	config_declare_option(builder, &node);
}

static const struct {
	uint32_t kind;
	void (*take)(struct config_builder *builder, const struct pr_declared *declared, struct config_node *group);
} kinds[] = {
    {PR_DECLARED_MAP, declare_map},
    {PR_DECLARED_MAILER, declare_mailer},
    {PR_DECLARED_FILTER, declare_filter},
    {PR_DECLARED_PRECEDENCE, declare_precedence},
    {PR_DECLARED_ENVIRONMENT, declare_variable},
    {PR_DECLARED_TRUSTED, declare_trusted},
    {PR_DECLARED_OPTION, declare_option},
    {PR_DECLARED_QUEUE_GROUP, declare_group}, /* whose paths may be relative to QueueDirectory */
};

/* sendmail listens on port 25 when nobody says where, and calls that so. */
static void add_listener(struct config_builder *builder)
{
	struct config_node node = {.kind = CONFIG_SCALAR, .name = PR_STR("DaemonPortOptions"), .text = PR_STR("Name=Daemon0, Addr=0.0.0.0, Port=25"),
	                           .file = builder->config->path.data};

	config_declare_listener(builder, &node);
}

bool config_declare(struct config *config, const struct pr_declared *declared, size_t count, struct pr_text *errors)
{
	struct config_builder builder = {.config = config, .errors = errors, .is_declared = true,
	    .instances = (struct config_instance *)(uintptr_t)config->instances, .instance_room = config->instance_count,
	    .listeners = (struct config_listener *)(uintptr_t)config->listeners, .listener_room = config->listener_count};

	config_declare_defaults(&builder);
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t i = 0; i < count; i++) {
			struct config_node group;
			if (declared[i].kind == kinds[k].kind && begin(&builder, &declared[i], &group))
				kinds[k].take(&builder, &declared[i], &group);
		}
	builder.repeats = true;
	config_apply_overrides(&builder, &config->overrides);
	if (count > 0 && config->has_listeners == 0)
		add_listener(&builder);
	config_finish_options(&builder);
	config_check_whole(&builder);
	config->instances = builder.instances;
	config->listeners = builder.listeners;
	return builder.error_count == 0;
}
