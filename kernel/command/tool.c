/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every command needs before it can begin: the configuration with -C and -O applied, and its modules opened.
 * In one place, so that a wrong configuration reads the same whichever command met it.
 */
#include "kernel/command/modes.h"

#include "kernel/command/sendmail/submit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

const char *tool_config_path(const struct arguments *arguments)
{
	return arguments->config != NULL ? arguments->config : CONFIG_DEFAULT_PATH;
}

int tool_overrides(const struct arguments *arguments, struct pr_str *items, struct pr_list *list_out)
{
	struct pr_text error;
	size_t count = 0;

	pr_text_init(&error, 1000);
	bool good = overrides_check(arguments, false, &error);
	if (!good)
		fprintf(stderr, "%s\n", error.data);
	pr_text_fini(&error);
	for (size_t i = 0; good && i < arguments->override_count; i++)
		if (pr_option_find(options_table, override_name(arguments->overrides[i])) != NULL)
			items[count++] = arguments->overrides[i];
	*list_out = (struct pr_list){items, count};
	return good ? EX_OK : EX_SOFTWARE;
}

int tool_config(const struct arguments *arguments, struct config **config_out)
{
	struct pr_str items[ARGUMENTS_OVERRIDES];
	struct pr_list overrides;
	struct pr_text errors;
	const char *path = tool_config_path(arguments);

	int status = tool_overrides(arguments, items, &overrides);
	if (status != EX_OK)
		return status;
	if (arguments->config != NULL && access(path, R_OK) != 0) {
		fprintf(stderr, "%s: cannot open: %s\n", path, strerror(errno));
		return EX_OSFILE;
	}
	pr_text_init(&errors, 1u << 20);
	struct config *config = config_load(path, &overrides, &errors);
	if (config == NULL) {
		fprintf(stderr, "%s", errors.data);
		status = EX_CONFIG;
	}
	pr_text_fini(&errors);
	*config_out = config;
	return status;
}

static int open_modules(uint32_t roles, struct tool *tool)
{
	struct pr_text errors;
	int status = EX_OK;

	pr_text_init(&errors, 1u << 20);
	tool->set = module_set_open(tool->config, roles, &errors);
	if (tool->set == NULL) {
		fprintf(stderr, "%s", errors.data);
		status = EX_CONFIG;
	}
	pr_text_fini(&errors);
	if (status == EX_OK && (roles & MODULE_ROLE_CHECK) == 0) {
		tool->thread = module_thread_new(tool->set);
		pr_arena_init(&tool->arena, 16u << 20);
		module_scope_init(&tool->scope, tool->thread, &tool->arena);
	}
	if (status != EX_OK)
		tool_close(tool);
	return status;
}

int tool_open(const struct arguments *arguments, uint32_t roles, struct tool *tool)
{
	*tool = (struct tool){.config = NULL};
	int status = tool_config(arguments, &tool->config);
	return status == EX_OK ? open_modules(roles, tool) : status;
}

/* The instances whose being a store is `store`, and no other: what is not asked for may be broken. */
static int open_part(const struct arguments *arguments, bool store, struct tool *tool)
{
	size_t kept = 0;

	*tool = (struct tool){.config = NULL};
	int status = tool_config(arguments, &tool->config);
	if (status != EX_OK)
		return status;
	tool->tables = pr_alloc((tool->config->instance_count + 1) * sizeof *tool->tables);
	for (size_t i = 0; i < tool->config->instance_count; i++)
		if ((tool->config->instances[i].kind == PR_KIND_STORE) == store)
			tool->tables[kept++] = tool->config->instances[i];
	tool->all = tool->config->instances;
	tool->config->instances = tool->tables;
	tool->config->instance_count = kept;
	return open_modules(MODULE_ROLE_TOOL, tool);
}

int tool_open_tables(const struct arguments *arguments, struct tool *tool)
{
	return open_part(arguments, false, tool);
}

int tool_open_store(const struct arguments *arguments, struct tool *tool)
{
	return open_part(arguments, true, tool);
}

void tool_close(struct tool *tool)
{
	if (tool->thread != NULL) {
		module_thread_free(tool->thread);
		pr_arena_fini(&tool->arena);
	}
	if (tool->set != NULL)
		module_set_close(tool->set);
	if (tool->all != NULL)
		tool->config->instances = tool->all; /* whose memory is the configuration's own */
	if (tool->config != NULL)
		config_free(tool->config);
	pr_free(tool->tables);
	*tool = (struct tool){.config = NULL};
}

int tool_interval(const struct arguments *arguments, int64_t *seconds_out)
{
	const char *text = "";

	/* the last -q that chooses no messages */
	for (size_t i = 0; i < arguments->queue_count; i++)
		if (!selection_is_one(pr_str(arguments->queues[i])))
			text = arguments->queues[i];
	*seconds_out = 0;
	if (text[0] == 'f')
		return EX_OK;
	if (text[0] == 'p')
		text++;
	if (text[0] == '\0' || pr_parse_time(pr_str(text), 'm', seconds_out))
		return EX_OK;
	fprintf(stderr, "Invalid time unit `%c'\n", text[strspn(text, "0123456789")]);
	return EX_USAGE;
}

int tool_selection(const struct arguments *arguments, struct queue_selection *selection_out)
{
	struct pr_text why;
	bool good = true;

	*selection_out = (struct queue_selection){.count = 0};
	pr_text_init(&why, 1000);
	for (size_t i = 0; good && i < arguments->queue_count; i++)
		if (selection_is_one(pr_str(arguments->queues[i])))
			good = selection_add(selection_out, pr_str(arguments->queues[i]), &why);
	if (!good)
		fprintf(stderr, "%s\n", why.data);
	pr_text_fini(&why);
	return good ? EX_OK : EX_USAGE;
}
