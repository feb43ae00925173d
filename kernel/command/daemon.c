/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Starting the daemon: letters become settings of the master, which does the work.
 */
#include "kernel/command/modes.h"

#include "kernel/master/master.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

/* What stands in the pid file's second line, as sendmail's has it. */
static void command_line(const struct arguments *arguments, struct pr_text *out)
{
	pr_text_add_c(out, SBIN_DIR "/sendmail");
	if (arguments->mode == 'd' || arguments->mode == 'D')
		pr_text_addf(out, " -b%c", arguments->mode);
	if (arguments->queue_given)
		pr_text_addf(out, " -q%s", arguments->queue);
	if (arguments->config != NULL)
		pr_text_addf(out, " -C%s", arguments->config);
}

int daemon_mode(const struct arguments *arguments)
{
	struct pr_str items[ARGUMENTS_OVERRIDES];
	struct pr_text line;
	int trace = 0;
	const char *routing, *path = tool_config_path(arguments, &routing);
	struct master_settings settings = {.config_path = path,
	    .routing_path = routing,
	    .foreground = arguments->mode == 'D',
	    .single = arguments->single,
	    .queue_only = arguments->mode == 'q'};

	int status = tool_config_access(arguments);
	if (status == EX_OK)
		status = tool_overrides(arguments, items, &settings.overrides);
	if (status == EX_OK)
		status = tool_interval(arguments, &settings.queue_interval, &settings.persistent);
	if (status == EX_OK)
		status = tool_trace(arguments, &trace);
	if (status != EX_OK)
		return status;
	if (settings.single)
		settings.foreground = true;
	pr_text_init(&line, 2000);
	command_line(arguments, &line);
	settings.command_line = line.data;
	settings.trace = trace;
	status = master_main(&settings);
	if (trace > 0)
		close(trace);
	pr_text_fini(&line);
	return status;
}
