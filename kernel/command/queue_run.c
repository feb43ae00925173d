/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One queue run, of everything or of what -qI and its sisters choose.  A daemon that works on this queue is told to do it; otherwise, and always
 * with -v or -qf, a daemon without listeners is there for as long as the run takes (doc/decisions/0006).  Beside a running one it gets places of
 * its own: the claims of the store keep the two from the same message.
 */
#include "kernel/command/modes.h"
#include "kernel/command/queue_progress.h"

#include "kernel/config/words.h"
#include "kernel/master/control.h"
#include "kernel/master/master.h"

#include <errno.h>
#include <postrider/address.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define QUEUE_DEFAULT "mqueue"
#define PATH_ROOM 256
#define ITEMS_MAX (ARGUMENTS_OVERRIDES + 3)

struct run {
	const struct arguments *arguments;
	struct queue_selection selection;
	struct pr_text request;
	char run_directory[PATH_ROOM]; /* of the configuration; places of our own lie in it */
	char own[PATH_ROOM];           /* empty: the configuration's are used */
	char config[3 * PATH_ROOM];    /* the file that names them, for control_ask */
	bool foreground;
	int trace;                     /* -X, or 0 */
};

static int refuse(void)
{
	fprintf(stderr, "You do not have permission to process the queue\n");
	return EX_NOPERM;
}

/* Whoever can enter and write; with restrictqrun root and the owner only.  Several directories: the one above them stands for all. */
static bool is_permitted(const struct options *options)
{
	struct pr_str queue = options->queue_directory;
	bool many = pr_str_find(queue, '*') < queue.len;
	char path[4096];
	struct stat st;

	if (many)
		queue = pr_str_slice(queue, 0, pr_str_find_last(queue, '/'));
	if (snprintf(path, sizeof path, "%.*s", PR_PRINT(queue)) >= (int)sizeof path || stat(path, &st) != 0)
		return errno == ENOENT;
	if (getuid() != 0 && getuid() != st.st_uid && config_list_has(&options->privacy, PR_STR("restrictqrun")))
		return false;
	return many || access(path, R_OK | W_OK | X_OK) == 0;
}

/* The request, and where we are. */
static int prepare(struct run *run)
{
	struct config *config;

	int status = tool_config(run->arguments, &config);
	if (status != EX_OK)
		return status;
	struct pr_str queue = config->options.queue_directory;
	if (!is_permitted(&config->options))
		status = refuse();
	pr_text_add_c(&run->request, "queue-run D=");
	(void)pr_xtext_encode(queue, &run->request);
	struct pr_text words;
	pr_text_init(&words, SELECTION_TEXT_MAX);
	if (!selection_print(&run->selection, &words)) {
		fprintf(stderr, "What -q chooses is too long: %d bytes at most\n", SELECTION_TEXT_MAX);
		status = EX_USAGE;
	}
	if (words.len > 0)
		pr_text_addf(&run->request, " %s", words.data);
	pr_text_fini(&words);
	(void)snprintf(run->run_directory, sizeof run->run_directory, "%.*s", PR_PRINT(config->run_directory));
	config_free(config);
	return status;
}

/* Where the daemon of this run listens and writes, for control_ask: the same two lines a configuration has. */
static bool write_places(struct run *run)
{
	char name[2 * PATH_ROOM];
	FILE *file;

	(void)snprintf(name, sizeof name, "%s/places", run->own);
	(void)snprintf(run->config, sizeof run->config, "%s", name);
	file = fopen(name, "wxe");
	if (file == NULL)
		return false;
	fprintf(file, "run_directory = \"%s\";\ndrop_directory = \"%s/drop\";\n", run->own, run->own);
	return fclose(file) == 0;
}

static int make_places(struct run *run)
{
	(void)mkdir(run->run_directory, 0755);
	if (snprintf(run->own, sizeof run->own, "%s/run.XXXXXX", run->run_directory) >= (int)sizeof run->own - 20) {
		fprintf(stderr, "%s: too long a name for a queue run beside the daemon\n", run->run_directory);
		return EX_CONFIG;
	}
	if (mkdtemp(run->own) == NULL) {
		int error = errno;
		run->own[0] = '\0'; /* nothing to be removed */
		if (error == EACCES && getuid() != 0)
			return refuse();
		fprintf(stderr, "%s: cannot make a directory for this queue run: %s\n", run->run_directory, strerror(error));
		return EX_CANTCREAT;
	}
	if (chmod(run->own, 0755) == 0 && write_places(run))
		return EX_OK;
	fprintf(stderr, "%s: %s\n", run->own, strerror(errno));
	return EX_CANTCREAT;
}

/* Only what such a run makes; what else is there stays, and the directory with it. */
static void remove_places(const struct run *run)
{
	static const char *const names[] = {"places", "submit.sock", "control.sock", "postrider.pid"};
	char name[2 * PATH_ROOM];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(name, sizeof name, "%s/%s", run->own, names[i]);
		(void)unlink(name);
	}
	(void)snprintf(name, sizeof name, "%s/drop", run->own);
	(void)rmdir(name);
	if (rmdir(run->own) != 0 && errno != ENOENT)
		fprintf(stderr, "%s: cannot remove: %s\n", run->own, strerror(errno));
}

/* -O of the caller, and where our own places are. */
static int settings_of(struct run *run, struct pr_str *items, char (*places)[2 * PATH_ROOM], struct master_settings *settings)
{
	static const char *const own[][2] = {{"RunDirectory", ""}, {"DropDirectory", "/drop"}, {"PidFile", "/postrider.pid"}};

	const char *routing, *path = tool_config_path(run->arguments, &routing);

	*settings = (struct master_settings){.config_path = path,
	    .routing_path = routing,
	    .queue_only = true,
	    .command_line = SBIN_DIR "/sendmail -q",
	    .verbose = run->arguments->verbose,
	    .trace = run->trace,
	    .selected = run->arguments->verbose || selection_is_given(&run->selection)};
	int status = tool_overrides(run->arguments, items, &settings->overrides);
	for (size_t i = 0; status == EX_OK && run->own[0] != '\0' && i < 3; i++) {
		(void)snprintf(places[i], sizeof places[i], "%s=%s%s", own[i][0], run->own, own[i][1]);
		items[settings->overrides.count++] = pr_str(places[i]);
	}
	return status;
}

static int work(struct run *run)
{
	struct pr_str items[ITEMS_MAX];
	char places[3][2 * PATH_ROOM];
	struct master_settings settings;

	int status = settings_of(run, items, places, &settings);
	const char *config = run->own[0] != '\0' ? run->config : run->arguments->config;
	if (status == EX_OK)
		status = master_main(&settings);
	if (status != EX_OK)
		return status;
	status = progress_run(config, run->request.data);
	(void)control_tell(config, "stop");
	return status;
}

/* No daemon that would do it: one is started for this run, without network listeners, because local delivery needs a master and the drop
 * directory somebody who reads it.  It leaves when there is nothing more to do now. */
static int run_here(struct run *run, bool beside)
{
	int status = beside ? make_places(run) : EX_OK;

	if (status == EX_OK)
		status = work(run);
	if (run->own[0] != '\0')
		remove_places(run);
	return status;
}

static bool chooses_directory(const struct arguments *arguments)
{
	return arguments_override(arguments, PR_STR("QueueDirectory")).data != NULL;
}

/* -qf and -v want to see the end, and -X what is said. */
static bool is_foreground(const struct arguments *arguments)
{
	bool found = arguments->verbose || arguments->trace != NULL;

	for (size_t i = 0; i < arguments->queue_count; i++)
		found = found || arguments->queues[i][0] == 'f';
	return found;
}

static int run_somewhere(struct run *run)
{
	struct pr_text lines;
	bool foreground = is_foreground(run->arguments);

	pr_text_init(&lines, 1u << 16);
	int status = control_ask(run->arguments->config, foreground ? "status" : run->request.data, &lines);
	bool other = pr_str_has_prefix_nocase(pr_text_str(&lines), PR_STR("OTHER "));
	pr_text_fini(&lines);
	if (status == EX_NOPERM)
		return refuse();
	if (status == EX_UNAVAILABLE)
		return run_here(run, chooses_directory(run->arguments));
	if (status != EX_OK || (!other && !foreground))
		return status;
	status = run_here(run, true);
	/* the daemon lists what it knows; what has left the queue without it, it finds when it looks */
	if (!chooses_directory(run->arguments))
		(void)control_tell(run->arguments->config, "rescan");
	return status;
}

/* Only a store with queue groups knows more than the one that is always there. */
static int check_group(const struct arguments *arguments, struct pr_str group, bool *known_out)
{
	struct tool tool;
	void *transaction;
	struct pr_str id;

	*known_out = group.len == 0 || pr_str_equal_nocase(group, PR_STR(QUEUE_DEFAULT));
	if (*known_out)
		return EX_OK;
	int status = tool_open_store(arguments, &tool);
	if (status != EX_OK)
		return status;
	struct pr_intake intake = {.size = sizeof intake, .queue = group};
	if (store_has_groups(&tool.scope) && store_role(&tool.scope, PR_STORE_INTAKE) &&
	    store_begin_in(&tool.scope, &intake, &transaction, &id) == PR_OK) {
		store_abort(&tool.scope, transaction);
		*known_out = true;
	}
	tool_close(&tool);
	if (!*known_out)
		fprintf(stderr, "Queue group %.*s unknown\n", PR_PRINT(group));
	return EX_OK;
}

static int run_once(const struct arguments *arguments, const struct queue_selection *selection)
{
	struct run run = {.arguments = arguments, .selection = *selection};
	bool known;

	int status = check_group(arguments, selection->group, &known);
	if (status != EX_OK || !known)
		return status;
	pr_text_init(&run.request, CONTROL_LINE_MAX - 2);
	status = tool_trace(arguments, &run.trace);
	if (status == EX_OK)
		status = prepare(&run);
	if (status == EX_OK)
		status = run_somewhere(&run);
	if (run.trace > 0)
		close(run.trace);
	pr_text_fini(&run.request);
	return status;
}

int run_mode(const struct arguments *arguments)
{
	struct queue_selection selection;
	int64_t interval;

	int status = tool_interval(arguments, &interval, NULL);
	if (status == EX_OK)
		status = tool_selection(arguments, &selection);
	if (status != EX_OK)
		return status;
	if (arguments->quarantine != NULL)
		return quarantine_mode(arguments, &selection);
	if (interval > 0)
		return daemon_mode(arguments);
	return run_once(arguments, &selection);
}
