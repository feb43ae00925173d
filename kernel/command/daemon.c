/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Starting the daemon, and the single queue run.  Both only translate letters: the master and the courier do the work.
 */
#include "kernel/command/modes.h"

#include "kernel/courier/courier.h"
#include "kernel/log/log.h"
#include "kernel/master/master.h"

#include <stdio.h>
#include <string.h>
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
	struct master_settings settings = {.config_path = tool_config_path(arguments),
	    .foreground = arguments->mode == 'D',
	    .single = arguments->single,
	    .queue_only = arguments->mode == 'q'};

	int status = tool_overrides(arguments, items, &settings.overrides);
	if (status == EX_OK)
		status = tool_interval(arguments, &settings.queue_interval);
	if (status != EX_OK)
		return status;
	if (settings.single)
		settings.foreground = true;
	pr_text_init(&line, 2000);
	command_line(arguments, &line);
	settings.command_line = line.data;
	status = master_main(&settings);
	pr_text_fini(&line);
	return status;
}

static int run_here(const struct arguments *arguments)
{
	struct pr_str items[ARGUMENTS_OVERRIDES];
	struct config *config;
	struct role role = {.name = "courier",
	    .config_path = tool_config_path(arguments),
	    .channel = -1,
	    .wake = -1,
	    .queue_now = 1,
	    .master_uid = (uint32_t)geteuid()};

	int status = tool_config(arguments, &config);
	if (status != EX_OK)
		return status;
	status = tool_overrides(arguments, items, &role.overrides);
	struct pr_str directory = config->options.queue_directory;
	if (status == EX_OK && access(directory.data, R_OK | W_OK | X_OK) != 0) {
		fprintf(stderr, "You do not have permission to process the queue\n");
		status = EX_NOPERM;
	}
	if (status == EX_OK) {
		log_open(arguments->verbose ? "stderr" : config->log.data, "sendmail");
		status = courier_main(&role);
	}
	config_free(config);
	return status;
}

int run_mode(const struct arguments *arguments)
{
	int64_t interval;

	int status = tool_interval(arguments, &interval);
	if (status != EX_OK)
		return status;
	if (interval > 0)
		return daemon_mode(arguments);
	status = control_ask(arguments->config, "queue-run", true);
	if (status == EX_UNAVAILABLE)
		return run_here(arguments);
	if (status == EX_NOPERM)
		fprintf(stderr, "You do not have permission to process the queue\n");
	return status;
}
