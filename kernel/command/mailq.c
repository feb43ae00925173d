/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailq: the listing itself is kernel/queue's; here only the right to see it is settled.
 */
#include "kernel/command/modes.h"

#include "kernel/queue/queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void print(void *context, struct pr_str text)
{
	(void)fwrite(text.data, 1, text.len, context);
}

/* A queue that does not exist yet is an empty one; one that we may not enter is somebody else's. */
static bool is_permitted(const struct config *config)
{
	return access(config->options.queue_directory.data, R_OK | X_OK) == 0 || errno != EACCES;
}

/* -qQ and -qL choose another list; what else -q can say chooses messages, or is an interval without a meaning here. */
static int choose(const struct arguments *arguments, enum queue_kind *kind_out)
{
	const char *text = arguments->queue_given ? arguments->queue : "";
	int64_t ignored;

	*kind_out = strcmp(text, "Q") == 0 ? QUEUE_QUARANTINED : strcmp(text, "L") == 0 ? QUEUE_LOST : QUEUE_WAITING;
	return *kind_out == QUEUE_WAITING ? tool_interval(arguments, &ignored) : EX_OK;
}

static int list(struct tool *tool, enum queue_kind kind, const struct arguments *arguments)
{
	size_t count = 0;
	struct pr_str directory = tool->config->options.queue_directory;

	store_role(&tool->scope, PR_STORE_READ);
	if (queue_print_kind(&tool->scope, kind, arguments->verbose, directory, print, stdout, &count) == PR_OK)
		return EX_OK;
	fprintf(stderr, "%.*s: %.*s\n", PR_PRINT(directory), PR_PRINT(tool->scope.reason));
	return EX_TEMPFAIL;
}

int mailq_mode(const struct arguments *arguments)
{
	struct tool tool;
	struct config *config;
	enum queue_kind kind;

	int status = choose(arguments, &kind);
	if (status == EX_OK)
		status = tool_config(arguments, &config);
	if (status != EX_OK)
		return status;
	bool permitted = is_permitted(config);
	config_free(config);
	if (!permitted) {
		fprintf(stderr, "You are not permitted to see the queue\n");
		return EX_NOPERM;
	}
	status = tool_open(arguments, MODULE_ROLE_TOOL, &tool);
	if (status != EX_OK)
		return status;
	status = list(&tool, kind, arguments);
	tool_close(&tool);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
