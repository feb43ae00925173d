/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Starting the daemon, and the single queue run.  Both only translate letters: the daemon does the work, and when there
 * is none for a queue run, one is there for as long as the run takes.
 */
#include "kernel/command/modes.h"

#include "kernel/master/master.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
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

/* "... ready=0 in_line=0 running=2 ...": is anything left that could be done now? */
static bool is_busy(struct pr_str status)
{
	static const char *const names[] = {" ready=", " in_line=", " running="};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *found = status.data != NULL ? strstr(status.data, names[i]) : NULL;
		if (found != NULL && found[strlen(names[i])] != '0')
			return true;
	}
	return false;
}

/* Twice idle in a row: between two looks a message may just have changed hands. */
static void wait_until_idle(const char *config)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	struct pr_text lines;
	int idle = 0, status = EX_OK;

	pr_text_init(&lines, 1u << 16);
	while (idle < 3 && status == EX_OK) {
		(void)nanosleep(&pause, NULL);
		pr_text_clear(&lines);
		status = control_ask(config, "status", &lines);
		idle = is_busy(pr_text_str(&lines)) ? 0 : idle + 1;
	}
	pr_text_fini(&lines);
}

static bool may_run(const struct arguments *arguments, int *status_out)
{
	struct config *config;

	*status_out = tool_config(arguments, &config);
	if (*status_out != EX_OK)
		return false;
	bool permitted = access(config->options.queue_directory.data, R_OK | W_OK | X_OK) == 0 || errno == ENOENT;
	config_free(config);
	if (!permitted) {
		fprintf(stderr, "You do not have permission to process the queue\n");
		*status_out = EX_NOPERM;
	}
	return permitted;
}

/* No daemon: one is started for this run, without network listeners, because local delivery needs a master and the drop
 * directory somebody who reads it.  It leaves when there is nothing more to do now. */
static int run_here(const struct arguments *arguments)
{
	struct pr_str items[ARGUMENTS_OVERRIDES];
	struct pr_text lines;
	struct master_settings settings = {
	    .config_path = tool_config_path(arguments), .queue_only = true, .command_line = SBIN_DIR "/sendmail -q"};
	int status;

	if (!may_run(arguments, &status))
		return status;
	status = tool_overrides(arguments, items, &settings.overrides);
	if (status == EX_OK)
		status = master_main(&settings);
	if (status != EX_OK)
		return status;
	pr_text_init(&lines, 1u << 16);
	status = control_ask(arguments->config, "queue-run", &lines);
	if (status == EX_OK)
		wait_until_idle(arguments->config);
	pr_text_clear(&lines);
	(void)control_ask(arguments->config, "stop", &lines);
	pr_text_fini(&lines);
	return status;
}

int run_mode(const struct arguments *arguments)
{
	struct pr_text lines;
	int64_t interval;

	int status = tool_interval(arguments, &interval);
	if (status != EX_OK)
		return status;
	if (interval > 0)
		return daemon_mode(arguments);
	pr_text_init(&lines, 1u << 16);
	status = control_ask(arguments->config, "queue-run", &lines);
	pr_text_fini(&lines);
	if (status == EX_UNAVAILABLE)
		return run_here(arguments);
	if (status == EX_NOPERM)
		fprintf(stderr, "You do not have permission to process the queue\n");
	return status;
}
