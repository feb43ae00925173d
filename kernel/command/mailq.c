/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailq: the listing itself is kernel/queue's; here the right to see it is settled, and where it comes from.
 */
#include "kernel/command/modes.h"

#include "kernel/command/sendmail/dialogue.h"
#include "kernel/queue/queue.h"

#include <postrider/address.h>
#include <postrider/file.h>

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

/* -qQ and -qL choose another list, -qI -qR -qS choose messages of it; an interval has no meaning here. */
static int choose(const struct arguments *arguments, struct queue_selection *selection_out)
{
	int64_t ignored;
	int status = tool_interval(arguments, &ignored);

	return status == EX_OK ? tool_selection(arguments, selection_out) : status;
}

static enum queue_kind kind_of(const struct queue_selection *selection)
{
	return selection->kind == SELECTION_QUARANTINED ? QUEUE_QUARANTINED : selection->kind == SELECTION_LOST ? QUEUE_LOST : QUEUE_WAITING;
}

/* A plain list comes from the daemon's index, when there is a daemon that works on this queue and that we may ask. */
static bool list_from_daemon(struct tool *tool, const struct arguments *arguments, const struct queue_selection *selection)
{
	struct pr_str directory = tool->config->options.queue_directory;
	enum queue_kind kind = kind_of(selection);
	struct pr_text request;
	size_t count = 0;
	bool listed = false;
	int fd;

	if (arguments->verbose || selection->count > 0 || kind != QUEUE_WAITING)
		return false;
	pr_text_init(&request, 8192);
	pr_text_add_c(&request, "list D=");
	pr_xtext_encode(directory, &request);
	pr_text_add_byte(&request, '\n');
	if (dialogue_connect(pr_arena_printf(tool->scope.arena, "%.*s/control.sock", PR_PRINT(tool->config->run_directory)).data, &fd)) {
		if (pr_write_all(fd, request.data, request.len))
			listed = queue_print_rows(&tool->scope, fd, kind, directory, print, stdout, &count) == PR_OK;
		close(fd);
	}
	pr_text_fini(&request);
	return listed;
}

static int list(struct tool *tool, const struct queue_selection *selection, const struct arguments *arguments)
{
	size_t count = 0;
	struct pr_str directory = tool->config->options.queue_directory;

	if (list_from_daemon(tool, arguments, selection))
		return EX_OK;
	store_role(&tool->scope, PR_STORE_READ);
	if (queue_print_kind(&tool->scope, selection, kind_of(selection), arguments->verbose, directory, print, stdout, &count) == PR_OK)
		return EX_OK;
	fprintf(stderr, "%.*s: %.*s\n", PR_PRINT(directory), PR_PRINT(tool->scope.reason));
	return EX_TEMPFAIL;
}

int mailq_mode(const struct arguments *arguments)
{
	struct tool tool;
	struct config *config;
	struct queue_selection selection;

	int status = choose(arguments, &selection);
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
	status = list(&tool, &selection, arguments);
	tool_close(&tool);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
