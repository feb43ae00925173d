/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule engine is loaded first and asked what its own configuration declares; kernel/config puts that into the tables, and all others are
 * loaded as if postrider.conf had named them.  What sendmail would refuse for want of a map class is refused here, in its words.
 */
#include "kernel/module/declared.h"

#include "kernel/module/loader.h"

#include <sysexits.h>

#define DECLARED_ARENA (64u << 20)

static const struct {
	uint32_t kind; /* of the declaration */
	enum pr_kind module;
} loads[] = {
    {PR_DECLARED_MAP, PR_KIND_MAP},
    {PR_DECLARED_MAILER, PR_KIND_MAILER},
    {PR_DECLARED_FILTER, PR_KIND_FILTER},
};

static bool has_module(const struct config *config, const struct pr_declared *item)
{
	for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
		if (loads[i].kind == item->kind)
			return loader_exists(loads[i].module, item->module, config->module_directory);
	return true;
}

static void complain_missing(const struct pr_declared *item, struct pr_text *errors)
{
	pr_text_addf(errors, "%.*s: line %u: ", PR_PRINT(item->file), item->line);
	if (item->kind == PR_DECLARED_MAP)
		pr_text_addf(errors, "readcf: map %.*s: class %.*s not available\n", PR_PRINT(item->name), PR_PRINT(item->module));
	else
		pr_text_addf(errors, "%s %.*s: there is no module %.*s in this installation\n",
		    item->kind == PR_DECLARED_MAILER ? "mailer" : "filter", PR_PRINT(item->name), PR_PRINT(item->module));
}

static bool lacks_map(const struct pr_declared *all, size_t count, const struct pr_declared *chosen, size_t chosen_count)
{
	size_t maps = 0, kept = 0;

	for (size_t i = 0; i < count; i++)
		maps += all[i].kind == PR_DECLARED_MAP;
	for (size_t i = 0; i < chosen_count; i++)
		kept += chosen[i].kind == PR_DECLARED_MAP;
	return kept < maps;
}

/* Those that can be made; false: some cannot.  A command that is lenient asks no filter, so it need not be told. */
static bool choose(struct config *config, const struct pr_declared *all, size_t count, uint32_t roles, struct pr_declared *chosen,
    size_t *chosen_count, struct pr_text *errors)
{
	*chosen_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (has_module(config, &all[i]))
			chosen[(*chosen_count)++] = all[i];
		else if ((roles & MODULE_LENIENT) == 0 || all[i].kind == PR_DECLARED_MAP)
			complain_missing(&all[i], errors);
	}
	if (*chosen_count < count && config->exit_status == 0 && lacks_map(all, count, chosen, *chosen_count))
		config->exit_status = EX_SOFTWARE; /* as sendmail has it for a class that it does not know */
	return *chosen_count == count;
}

static enum pr_status ask(struct module_instance *rules, struct module_scope *scope, const struct pr_declared **declared_out, size_t *count_out,
    uint32_t *exit_out)
{
	const struct pr_rules_ops *ops = rules->module->ops;
	struct module_frame frame;

	rules->has_declared = rules->is_preparing = true;
	enum pr_status status = module_enter(&frame, scope, rules, NULL);
	if (status == PR_OK)
		status = module_leave(&frame, ops->declare(&frame.call, declared_out, count_out));
	struct pr_str reason = scope->reason;
	*exit_out = 0;
	if (MODULE_HAS(ops, exit_status) && module_enter(&frame, scope, rules, NULL) == PR_OK) {
		*exit_out = ops->exit_status(&frame.call);
		module_leave_void(&frame);
		scope->reason = reason; /* what declare() had to say */
	}
	rules->is_preparing = false;
	return status;
}

/* What check() would say, for a set with errors elsewhere is not checked any more: all that is wrong is told at once. */
static void tell_own(struct module_instance *rules, struct module_scope *scope, struct pr_text *errors)
{
	if (module_run_hook(scope, rules, rules->module->check) != PR_OK)
		pr_text_addf(errors, "%.*s\n", PR_PRINT(scope->reason));
}

/* Makes what was declared part of the configuration; false: some of it cannot be. */
static bool merge(struct config *config, const struct pr_declared *all, size_t count, uint32_t roles, struct pr_text *errors)
{
	struct pr_declared *chosen = pr_alloc((count + 1) * sizeof *chosen);
	size_t chosen_count = 0;

	bool good = choose(config, all, count, roles, chosen, &chosen_count, errors);
	good = config_declare(config, chosen, chosen_count, errors) && good;
	pr_free(chosen);
	return good;
}

/* What is known before anything runs: the mode of operation, which rules may ask for while they are read. */
static struct pr_str early_macro(void *context, struct pr_str name)
{
	const struct config *config = context;

	return config->mode != '\0' && pr_str_equal(name, PR_STR("opMode")) ? (struct pr_str){&config->mode, 1} : PR_NONE;
}

bool declared_merge(struct module_instance *rules, struct config *config, uint32_t roles, struct pr_text *errors)
{
	const struct pr_rules_ops *ops = rules->module->ops;
	const struct pr_declared *all = NULL;
	struct module_scope scope;
	struct pr_arena arena;
	struct pr_text unfit;
	size_t count = 0;

	if (!MODULE_HAS(ops, declare) || config->has_declared != 0)
		return true;
	config->has_declared = 1;
	pr_arena_init(&arena, DECLARED_ARENA);
	module_scope_init(&scope, NULL, &arena);
	scope.macro = early_macro;
	scope.macro_context = config;
	enum pr_status status = ask(rules, &scope, &all, &count, &config->exit_status);
	bool good = status == PR_OK;
	config->is_hopeless = !good;
	if (!good)
		pr_text_addf(errors, "%.*s\n", PR_PRINT(scope.reason));
	else if (scope.reason.len > 0 && (roles & MODULE_ROLE_CHECK) != 0) /* remarks */
		pr_text_addf(errors, "%.*s\n", PR_PRINT(scope.reason));
	pr_text_init(&unfit, errors->max);
	if (!merge(config, all, count, roles, &unfit)) {
		if (good && (roles & MODULE_ROLE_CHECK) != 0 && rules->module->check != NULL)
			tell_own(rules, &scope, errors);
		good = false;
	}
	pr_text_add_str(errors, pr_text_str(&unfit));
	pr_text_fini(&unfit);
	pr_arena_fini(&arena);
	return good;
}
