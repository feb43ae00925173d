/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every command needs before it can begin: the configuration with -C and -O applied, and its modules opened.
 * In one place, so that a wrong configuration reads the same whichever command met it.
 */
#include "kernel/command/modes.h"

#include "kernel/command/sendmail/submit.h"
#include "kernel/config/dialect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PERSISTENT_SECONDS 1 /* -qp alone */

const char *tool_config_choose(const char *given, const char **routing_out)
{
	bool is_cf = given != NULL && dialect_file_is_cf(given);

	*routing_out = is_cf ? given : NULL;
	return given != NULL && !is_cf ? given : dialect_site_path();
}

const char *tool_config_path(const struct arguments *arguments, const char **routing_out)
{
	return tool_config_choose(arguments->config, routing_out);
}

int tool_overrides(const struct arguments *arguments, struct pr_str *items, struct pr_list *list_out)
{
	struct pr_text error;
	size_t count = 0;

	pr_text_init(&error, 1000);
	bool good = overrides_check(arguments, &error);
	if (!good)
		fprintf(stderr, "%s\n", error.data);
	pr_text_fini(&error);
	for (size_t i = 0; good && i < arguments->override_count; i++)
		items[count++] = arguments->overrides[i];
	*list_out = (struct pr_list){items, count};
	return good ? EX_OK : EX_SOFTWARE;
}

int tool_config_access(const struct arguments *arguments)
{
	if (arguments->config == NULL || access(arguments->config, R_OK) == 0)
		return EX_OK;
	fprintf(stderr, "%s: line 0: cannot open: %s\n", arguments->config, strerror(errno));
	return EX_OSFILE;
}

static int read_config(const struct arguments *arguments, struct config **config_out)
{
	struct pr_str items[ARGUMENTS_OVERRIDES];
	struct pr_list overrides;
	struct pr_text errors;
	const char *routing, *path = tool_config_path(arguments, &routing);

	int status = tool_overrides(arguments, items, &overrides);
	if (status != EX_OK)
		return status;
	status = tool_config_access(arguments);
	if (status != EX_OK)
		return status;
	pr_text_init(&errors, 1u << 20);
	struct config *config = config_load_routed(path, routing, &overrides, &errors);
	if (config == NULL) {
		fprintf(stderr, "%s", errors.data);
		status = EX_CONFIG;
	}
	pr_text_fini(&errors);
	if (config != NULL)
		config->mode = (char)arguments->mode;
	*config_out = config;
	return status;
}

/* The default engine has no configuration of its own, and commands that only look need not load it. */
static bool may_declare(const struct config *config)
{
	for (size_t i = 0; i < config->instance_count; i++)
		if (config->instances[i].kind == PR_KIND_RULES && !pr_str_equal(config->instances[i].module, PR_STR("routes")))
			return true;
	return false;
}

int tool_config(const struct arguments *arguments, struct config **config_out)
{
	struct pr_text errors;

	int status = read_config(arguments, config_out);
	if (status != EX_OK || !may_declare(*config_out))
		return status;
	pr_text_init(&errors, 1u << 20);
	if (!module_declare(*config_out, &errors))
		fprintf(stderr, "%s", errors.data);
	pr_text_fini(&errors);
	return EX_OK;
}

static int open_modules(uint32_t roles, struct tool *tool, struct pr_text *errors)
{
	tool->set = module_set_open(tool->config, roles, errors);
	if (tool->set == NULL)
		return tool->config->exit_status != 0 ? (int)tool->config->exit_status : EX_CONFIG;
	if ((roles & MODULE_ROLE_CHECK) == 0) {
		tool->thread = module_thread_new(tool->set);
		pr_arena_init(&tool->arena, 16u << 20);
		module_scope_init(&tool->scope, tool->thread, &tool->arena);
		tool->scope.macro = tool_macro;
		tool->scope.macro_context = tool;
	}
	return EX_OK;
}

int tool_open(const struct arguments *arguments, uint32_t roles, struct tool *tool)
{
	struct pr_text errors;

	*tool = (struct tool){.mode = arguments->mode};
	int status = read_config(arguments, &tool->config);
	if (status != EX_OK)
		return status;
	pr_text_init(&errors, 1u << 20);
	status = open_modules(roles, tool, &errors);
	fprintf(stderr, "%s", errors.data);
	pr_text_fini(&errors);
	if (status != EX_OK)
		tool_close(tool);
	return status;
}

int tool_open_tables(const struct arguments *arguments, struct tool *tool)
{
	return tool_open(arguments, MODULE_ROLE_TOOL | MODULE_NO_STORE, tool);
}

/* "FILE: line N: ..." or "FILE:N: ..."; 0: no line. */
static uint64_t line_number(struct pr_str text)
{
	size_t colon = pr_str_find(text, ':');
	struct pr_str rest = pr_str_slice(text, colon + 1, text.len);
	uint64_t number = 0;

	if (pr_str_has_prefix_nocase(rest, PR_STR(" line ")))
		rest = pr_str_slice(rest, sizeof " line " - 1, rest.len);
	(void)pr_str_number(pr_str_slice(rest, 0, pr_str_find(rest, ':')), UINT32_MAX, &number);
	return number;
}

static bool has_number(struct pr_str text)
{
	struct pr_str line;

	while (text.len > 0 && pr_str_next(&text, '\n', &line))
		if (line_number(line) > 0)
			return true;
	return false;
}

/* Both in the order of lines; one without a number stays behind the one before it. */
static void print_merged(struct pr_str first, struct pr_str second, FILE *out)
{
	struct pr_str line;

	while (first.len > 0 || second.len > 0) {
		uint64_t a = line_number(first), b = line_number(second);
		struct pr_str *next = second.len == 0 || (first.len > 0 && (a == 0 ? has_number(first) : a <= b)) ? &first : &second;
		if (pr_str_next(next, '\n', &line))
			fprintf(out, "%.*s\n", PR_PRINT(line));
	}
}

int tool_open_lenient(const struct arguments *arguments, struct tool *tool, FILE *out)
{
	struct pr_text errors, messages;

	*tool = (struct tool){.mode = arguments->mode};
	int status = read_config(arguments, &tool->config);
	if (status != EX_OK)
		return status;
	pr_text_init(&errors, 1u << 20);
	pr_text_init(&messages, 1u << 20);
	status = open_modules(MODULE_ROLE_TOOL | MODULE_NO_STORE | MODULE_LENIENT, tool, &errors);
	if (status == EX_OK && tool->config->is_hopeless != 0)
		status = (int)tool->config->exit_status;
	else if (status == EX_OK)
		(void)rules_console(&tool->scope, PR_NONE, &messages); /* an absent line: what was wrong with the file */
	print_merged(pr_text_str(&messages), pr_text_str(&errors), out);
	pr_text_fini(&messages);
	pr_text_fini(&errors);
	if (status != EX_OK)
		tool_close(tool);
	return status;
}

int tool_open_store(const struct arguments *arguments, struct tool *tool)
{
	return tool_open(arguments, MODULE_ROLE_TOOL | MODULE_ONLY_STORE, tool);
}

void tool_close(struct tool *tool)
{
	if (tool->thread != NULL) {
		module_thread_free(tool->thread);
		pr_arena_fini(&tool->arena);
	}
	if (tool->set != NULL)
		module_set_close(tool->set);
	if (tool->config != NULL)
		config_free(tool->config);
	*tool = (struct tool){.config = NULL};
}

int tool_interval(const struct arguments *arguments, int64_t *seconds_out, bool *persistent_out)
{
	const char *text = "";

	/* the last -q that chooses no messages */
	for (size_t i = 0; i < arguments->queue_count; i++)
		if (!selection_is_one(pr_str(arguments->queues[i])))
			text = arguments->queues[i];
	bool persistent = text[0] == 'p';
	if (persistent_out != NULL)
		*persistent_out = persistent;
	*seconds_out = persistent ? PERSISTENT_SECONDS : 0;
	if (text[0] == 'f')
		return EX_OK;
	text += persistent;
	if (text[0] == '\0' || pr_parse_time(pr_str(text), 'm', seconds_out))
		return EX_OK;
	fprintf(stderr, "Invalid time unit `%c'\n", text[strspn(text, "0123456789")]);
	return EX_USAGE;
}

int tool_trace(const struct arguments *arguments, int *fd_out)
{
	*fd_out = 0;
	if (arguments->trace == NULL)
		return EX_OK;
	int fd = open(arguments->trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0) {
		fprintf(stderr, "cannot open %s: %s\n", arguments->trace, strerror(errno));
		return EX_CANTCREAT;
	}
	*fd_out = fd;
	return EX_OK;
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
