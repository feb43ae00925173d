/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl handback: after a crash, everything that the store has in a form of its own becomes the files that sendmail reads.
 * A clean stop does the same, so this is for when nobody could stop; while a daemon runs the store is its, and we keep off.
 */
#include "kernel/command/modes.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static size_t count(struct module_scope *scope)
{
	struct pr_entry entry = {.size = sizeof entry};
	void *cursor = NULL;
	size_t found = 0;

	while (store_next(scope, &cursor, &entry) == PR_OK) {
		found++;
		pr_arena_reset(scope->arena);
		entry = (struct pr_entry){.size = sizeof entry};
	}
	return found;
}

static int hand_back(struct tool *tool)
{
	struct pr_str queue = tool->config->options.queue_directory;

	enum pr_status status = PR_TEMPFAIL;
	if (store_role(&tool->scope, PR_STORE_DELIVERY | PR_STORE_INTAKE))
		status = store_drain(&tool->scope);
	if (status == PR_MISUSE) {
		printf("nothing to hand back: every message is a file already\n");
		return EX_OK;
	}
	if (status != PR_OK) {
		fprintf(stderr, "%.*s: not everything is handed back: %.*s\n", PR_PRINT(queue), PR_PRINT(tool->scope.reason));
		return EX_TEMPFAIL;
	}
	size_t found = count(&tool->scope);
	printf("%.*s: %zu message%s, each in files that sendmail reads\n", PR_PRINT(queue), found, found == 1 ? "" : "s");
	return EX_OK;
}

/* Anything but "nobody there" means that the store may be in use. */
static int check_alone(const struct arguments *arguments)
{
	struct pr_text lines;

	pr_text_init(&lines, 1u << 16);
	int status = control_ask(arguments->config, "status", &lines);
	pr_text_fini(&lines);
	if (status == EX_UNAVAILABLE)
		return EX_OK;
	if (status == EX_OK || status == EX_SOFTWARE)
		fprintf(stderr, "a daemon works on this queue; `postriderctl stop` hands everything back\n");
	else if (status == EX_NOPERM)
		fprintf(stderr, "only root and the daemon's own user may do this\n");
	return status == EX_OK ? EX_SOFTWARE : status;
}

int handback_mode(const struct arguments *arguments)
{
	struct tool tool;

	int status = check_alone(arguments);
	if (status == EX_OK)
		status = tool_open_store(arguments, &tool);
	if (status != EX_OK)
		return status;
	if (access(tool.config->options.queue_directory.data, R_OK | W_OK | X_OK) != 0 && errno == EACCES) {
		fprintf(stderr, "You are not permitted to work on the queue %.*s\n", PR_PRINT(tool.config->options.queue_directory));
		status = EX_NOPERM;
	} else {
		status = hand_back(&tool);
	}
	tool_close(&tool);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
