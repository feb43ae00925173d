/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All instances of one process in three rounds: loaded with options filled, checked, opened - each in the order maps,
 * rules, store, mailers, filters, auth, so that each finds what it may ask for.  Nothing is opened while anything is wrong.
 */
#include "kernel/module/declared.h"
#include "kernel/module/internal.h"
#include "kernel/module/loader.h"
#include "kernel/net/dns.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint32_t trusted_uid = UINT32_MAX;

void module_trust(uint32_t uid)
{
	trusted_uid = uid;
}

static bool role_opens(uint32_t roles, uint32_t kind)
{
	switch (kind) {
	case PR_KIND_MAILER:
		return (roles & MODULE_ROLE_COURIER) != 0;
	case PR_KIND_FILTER:
	case PR_KIND_AUTH:
		return (roles & MODULE_ROLE_RECEIVER) != 0;
	default:
		return true;
	}
}

static void complain(struct pr_text *errors, const struct config_instance *config, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(struct pr_text *errors, const struct config_instance *config, const char *format, ...)
{
	va_list args;

	pr_text_add_c(errors, config->file);
	if (config->line > 0)
		pr_text_addf(errors, ":%u", config->line);
	pr_text_addf(errors, ": %s %.*s%s: ", loader_kind_folder(config->kind), PR_PRINT(config->name),
	    config->line > 0 ? "" : " (there without being declared)");
	va_start(args, format);
	pr_text_addv(errors, format, args);
	va_end(args);
	pr_text_add_byte(errors, '\n');
}

static bool fill_setting(struct module_instance *instance, const struct config_setting *setting, struct pr_arena *arena,
    struct pr_text *errors)
{
	const struct pr_option *table = instance->module->options;
	const struct pr_option *option = table == NULL ? NULL : pr_option_find(table, setting->name);
	struct pr_str why = PR_NONE;
	enum pr_status status;

	if (option == NULL) {
		const char *nearest = table == NULL ? NULL : pr_option_nearest(table, setting->name);
		pr_text_addf(errors, "%s:%u: unknown key %.*s for module %s%s%s%s\n", setting->file, setting->line,
		    PR_PRINT(setting->name), instance->module->name, nearest ? "; did you mean " : "", nearest ? nearest : "",
		    nearest ? "?" : "");
		return false;
	}
	if (setting->is_list && option->type != PR_OPTION_LIST) {
		pr_text_addf(errors, "%s:%u: %s takes one value, not a list\n", setting->file, setting->line, option->name);
		return false;
	}
	if (setting->is_list)
		status = pr_option_set_list(option, setting->items, setting->item_count, instance->memory, arena, &why);
	else
		status = pr_option_parse(option, setting->text, instance->memory, arena, &why);
	if (status != PR_OK)
		pr_text_addf(errors, "%s:%u: %s: %.*s\n", setting->file, setting->line, option->name, PR_PRINT(why));
	return status == PR_OK;
}

static bool fill_options(struct module_instance *instance, struct pr_arena *arena, struct pr_text *errors)
{
	const struct pr_option *table = instance->module->options;
	const struct config_instance *config = instance->config;
	struct pr_str why = PR_NONE;
	bool good = true;

	if (table != NULL && pr_option_defaults(table, instance->memory, arena, &why) != PR_OK) {
		complain(errors, config, "module %s has a bad default: %.*s", instance->module->name, PR_PRINT(why));
		return false;
	}
	for (size_t i = 0; i < config->setting_count; i++)
		good = fill_setting(instance, &config->settings[i], arena, errors) && good;
	for (const struct pr_option *option = table; option != NULL && option->name != NULL; option++)
		if ((option->flags & PR_OPTION_REQUIRED) != 0 && config_setting_find(config, option->name) == NULL) {
			complain(errors, config, "needs %s (%s)", option->name, option->help == NULL ? "see its manual" : option->help);
			good = false;
		}
	return good;
}

enum pr_status module_run_hook(struct module_scope *scope, struct module_instance *instance, enum pr_status (*hook)(struct pr_call *))
{
	struct module_frame frame;

	if (hook == NULL)
		return PR_OK;
	instance->is_preparing = true;
	enum pr_status status = module_enter(&frame, scope, instance, NULL);
	if (status == PR_OK)
		status = module_leave(&frame, hook(&frame.call));
	instance->is_preparing = false;
	return status;
}

void module_run_close(struct module_scope *scope, struct module_instance *instance)
{
	struct module_frame frame;

	if (!instance->is_open && !instance->has_declared)
		return;
	instance->is_open = false;
	instance->is_preparing = true;
	if (instance->module->close != NULL && module_enter(&frame, scope, instance, NULL) == PR_OK) {
		instance->module->close(&frame.call);
		module_leave_void(&frame);
	}
	instance->is_preparing = false;
}

static bool run_hook(struct module_instance *instance, enum pr_status (*hook)(struct pr_call *), const char *name,
    struct pr_text *errors)
{
	struct pr_arena arena;
	struct module_scope scope;

	if (hook == NULL)
		return true;
	pr_arena_init(&arena, 1u << 20);
	module_scope_init(&scope, module_thread_new(instance->set), &arena); /* the hook may ask instances opened before it */
	enum pr_status status = module_run_hook(&scope, instance, hook);
	if (status != PR_OK && instance->has_declared) /* it has named its own file and line */
		pr_text_addf(errors, "%.*s\n", PR_PRINT(scope.reason));
	else if (status != PR_OK)
		complain(errors, instance->config, "%s: %.*s", name, PR_PRINT(scope.reason));
	module_thread_free(scope.thread);
	pr_arena_fini(&arena);
	return status == PR_OK;
}

bool module_load(struct module_instance *instance, struct pr_text *errors)
{
	const struct config_instance *config = instance->config;
	const struct module_set *set = instance->set;
	struct pr_text why;
	uint32_t uid = trusted_uid == UINT32_MAX ? (uint32_t)geteuid() : trusted_uid;

	snprintf(instance->label, sizeof instance->label, "%s/%.*s instance %.*s", loader_kind_folder(config->kind),
	    PR_PRINT(config->module), PR_PRINT(config->name));
	pr_text_init(&why, 4096);
	instance->module = loader_open((enum pr_kind)config->kind, config->module, set->config->module_directory, uid, &why);
	if (instance->module == NULL)
		complain(errors, config, "%s", why.data);
	pr_text_fini(&why);
	if (instance->module == NULL)
		return false;
	instance->memory = pr_alloc(instance->module->instance_size + 1);
	return fill_options(instance, &instance->set->arena, errors);
}

static bool check(struct module_set *set, struct module_instance *instance, uint32_t roles, struct pr_text *errors)
{
	(void)set;
	/* a command shows what an engine has to say of its configuration by itself, and goes on with the rest of it */
	if ((roles & (MODULE_LENIENT | MODULE_ONLY_STORE)) != 0 && instance->config->kind == PR_KIND_RULES)
		return true;
	if ((roles & MODULE_LENIENT) != 0 && !role_opens(roles, instance->config->kind))
		return true; /* nor does it judge what it will not use */
	instance->is_unfit = !run_hook(instance, instance->module->check, "check", errors);
	return !instance->is_unfit;
}

static bool open_if_needed(struct module_set *set, struct module_instance *instance, uint32_t roles, struct pr_text *errors)
{
	(void)set;
	bool only_asked = (roles & MODULE_ONLY_STORE) != 0 && instance->config->kind == PR_KIND_RULES;

	if ((roles & MODULE_ROLE_CHECK) != 0 || !role_opens(roles, instance->config->kind) || instance->is_unfit || only_asked)
		return true;
	instance->is_open = run_hook(instance, instance->module->open, "open", errors);
	return instance->is_open;
}

static const enum pr_kind order[] = {PR_KIND_MAP, PR_KIND_RULES, PR_KIND_STORE, PR_KIND_MAILER, PR_KIND_FILTER, PR_KIND_AUTH};
#define ORDER_COUNT (sizeof order / sizeof order[0])

/* One round over all instances; every culprit of a round is named, and the next round is for sets without any. */
static bool each(struct module_set *set, uint32_t roles, struct pr_text *errors,
    bool (*prepare)(struct module_set *set, struct module_instance *instance, uint32_t roles, struct pr_text *errors))
{
	bool good = true;

	for (size_t k = 0; k < ORDER_COUNT; k++)
		for (size_t i = 0; i < set->count; i++)
			if (set->instances[i].config->kind == order[k])
				good = prepare(set, &set->instances[i], roles, errors) && good;
	return good;
}

/* The rule engine, before all others: what it declares decides which they are.  Its memory is kept for the instance that it will be. */
static bool prepare_rules(struct module_set *set, struct config *config, uint32_t roles, struct module_instance *early, struct pr_text *errors)
{
	struct config_instance declared = {.kind = 0};

	for (size_t i = 0; i < config->instance_count; i++)
		if (config->instances[i].kind == PR_KIND_RULES)
			declared = config->instances[i];
	if (declared.kind == 0)
		return true;
	*early = (struct module_instance){.set = set, .config = &declared};
	pthread_mutex_init(&early->mutex, NULL);
	bool good = module_load(early, errors) && declared_merge(early, config, roles, errors);
	pthread_mutex_destroy(&early->mutex);
	early->config = NULL;
	return good;
}

/* What nobody declared is no loss where it was not built. */
static bool is_missed(const struct config *config, const struct config_instance *instance)
{
	return instance->kind != PR_KIND_AUTH || instance->line > 0 || loader_exists(PR_KIND_AUTH, instance->module, config->module_directory);
}

static bool is_wanted(uint32_t roles, uint32_t kind)
{
	if ((roles & MODULE_ONLY_STORE) != 0)
		return kind == PR_KIND_STORE || kind == PR_KIND_RULES; /* the engine may know where the queue is */
	return (roles & MODULE_NO_STORE) == 0 || kind != PR_KIND_STORE;
}

/* One instance each, loaded; those that cannot be are not there. */
static bool load_all(struct module_set *set, uint32_t roles, const struct module_instance *early, struct pr_text *errors)
{
	const struct config *config = set->config;
	bool good = true;

	set->instances = pr_alloc((config->instance_count + 1) * sizeof *set->instances);
	for (size_t i = 0; i < config->instance_count; i++) {
		struct module_instance *instance = &set->instances[set->count];
		bool is_rules = config->instances[i].kind == PR_KIND_RULES;
		if (!is_wanted(roles, config->instances[i].kind) || !is_missed(config, &config->instances[i]))
			continue;
		*instance = is_rules ? *early : (struct module_instance){.set = set};
		instance->config = &config->instances[i];
		instance->index = set->count;
		if (is_rules ? instance->module == NULL : !module_load(instance, errors)) {
			pr_free(instance->memory);
			good = false;
			continue;
		}
		pthread_mutex_init(&instance->mutex, NULL);
		if (is_rules)
			set->rules = instance;
		if (instance->config->kind == PR_KIND_STORE)
			set->store = instance;
		set->count++;
	}
	return good;
}

struct module_set *module_set_open(struct config *config, uint32_t roles, struct pr_text *errors)
{
	struct module_set *set = pr_alloc(sizeof *set);
	struct module_instance early = {.set = NULL};
	bool lenient = (roles & MODULE_LENIENT) != 0;

	set->config = config;
	pr_arena_init(&set->arena, 64u << 20);
	host_init(&set->host);
	bool good = dns_init(&config->options.resolver, config->options.trust_anchors, errors); /* rules that are read may ask */
	good = prepare_rules(set, config, roles, &early, errors) && good;
	bool loaded = load_all(set, roles, &early, errors);
	if (good && !loaded && (roles & MODULE_ROLE_CHECK) != 0 && set->rules != NULL)
		(void)check(set, set->rules, roles, errors); /* all that is wrong is told at once */
	good = good && loaded;
	if ((good || lenient) && (each(set, roles, errors, check) || lenient) && (each(set, roles, errors, open_if_needed) || lenient))
		return set;
	module_set_close(set);
	return NULL;
}

static void close_instance(struct module_instance *instance)
{
	struct pr_arena arena;
	struct module_scope scope;

	if (!instance->is_open && !instance->has_declared)
		return;
	pr_arena_init(&arena, 1u << 20);
	module_scope_init(&scope, module_thread_new(instance->set), &arena);
	module_run_close(&scope, instance);
	module_thread_free(scope.thread);
	pr_arena_fini(&arena);
}

/* The other way round than they were opened: who asks is closed before who answers. */
void module_set_close(struct module_set *set)
{
	if (set == NULL)
		return;
	for (size_t k = ORDER_COUNT; k-- > 0;)
		for (size_t i = set->count; i-- > 0;)
			if (set->instances[i].config->kind == order[k])
				close_instance(&set->instances[i]);
	for (size_t i = 0; i < set->count; i++) {
		pr_free(set->instances[i].memory);
		pthread_mutex_destroy(&set->instances[i].mutex);
	}
	module_tls_close(set);
	pr_arena_fini(&set->arena);
	pr_free(set->instances);
	pr_free(set);
}

bool module_declare(struct config *config, struct pr_text *errors)
{
	struct module_set *set = pr_alloc(sizeof *set);
	struct module_instance early = {.set = NULL};

	set->config = config;
	pr_arena_init(&set->arena, 64u << 20);
	host_init(&set->host);
	bool good = prepare_rules(set, config, MODULE_LENIENT, &early, errors);
	set->instances = pr_alloc(sizeof *set->instances);
	if (early.module != NULL) {
		set->instances[0] = early;
		for (size_t i = 0; i < config->instance_count; i++)
			if (config->instances[i].kind == PR_KIND_RULES)
				set->instances[0].config = &config->instances[i];
		pthread_mutex_init(&set->instances[0].mutex, NULL);
		set->count = 1;
	} else {
		pr_free(early.memory);
	}
	module_set_close(set);
	return good;
}

void module_set_services(struct module_set *set, const struct module_services *services)
{
	set->services = *services;
	host_refresh(set);
}

void module_set_watch(struct module_set *set, void (*watch)(void *context, uint32_t what, struct pr_str text), void *context)
{
	set->watch = watch;
	set->watch_context = context;
	host_refresh(set);
}

const struct config *module_set_config(const struct module_set *set)
{
	return set->config;
}

struct module_instance *module_find(struct module_set *set, enum pr_kind kind, struct pr_str name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->instances[i].config->kind == kind && set->instances[i].config->name.len == name.len &&
		    pr_str_equal(set->instances[i].config->name, name)) /* asked for every lookup */
			return &set->instances[i];
	return NULL;
}

struct module_instance *module_at(struct module_set *set, enum pr_kind kind, size_t index)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->instances[i].config->kind == kind && index-- == 0)
			return &set->instances[i];
	return NULL;
}

const struct config_instance *module_config(const struct module_instance *instance)
{
	return instance->config;
}

struct pr_str module_name(const struct module_instance *instance)
{
	return instance->config->name;
}
