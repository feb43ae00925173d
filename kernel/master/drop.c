/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When to look into the drop directory: at inotify's word, and every half minute in case that is not to be had.  The looking itself is
 * done by a child (feeder.c); the master only logs its lines.
 */
#include "kernel/log/log.h"
#include "kernel/master/feeder.h"
#include "kernel/master/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 30000
#define ORPHAN_LOOKS 120 /* every hour the dot-names too */

void drop_watch(struct master *master)
{
	if (master->drop_watch >= 0)
		close(master->drop_watch);
	master->drop_watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (master->drop_watch >= 0)
		(void)inotify_add_watch(master->drop_watch, master->current->table.drop, IN_MOVED_TO | IN_ONLYDIR);
	master->drop_ms = 1;
}

void drop_event(struct master *master)
{
	char bytes[4096];

	while (read(master->drop_watch, bytes, sizeof bytes) > 0)
		;
	master->drop_pending = true;
}

static bool has_work(const char *path, bool dots)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool found = false;

	while (!found && directory != NULL && (entry = readdir(directory)) != NULL)
		found = entry->d_name[0] != '.' ||
		        (dots && entry->d_name[1] != '\0' && entry->d_name[1] != '.' && strncmp(entry->d_name, ".bad-", 5) != 0);
	if (directory != NULL)
		(void)closedir(directory);
	return found;
}

static const char *submission_path(const struct generation *generation)
{
	for (size_t i = 0; i < generation->listener_count; i++)
		if (generation->listeners[i].spec.submission)
			return generation->listeners[i].spec.path;
	return NULL;
}

static void start_feeder(struct master *master, const char *socket_path)
{
	const struct generation *current = master->current;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		struct feeder feeder = {.directory = current->table.drop, .socket_path = socket_path,
		                        .talker = &current->receiver_user, .max_message = current->table.max_message,
		                        .report = pair[1]};
		spawn_clean_process();
		/* only the report and the standard ones: no listener or channel lives on in here */
		int report = fcntl(pair[1], F_DUPFD_CLOEXEC, 3);
		if (report < 0 || dup2(report, 3) < 0 || close_range(4, ~0U, 0) != 0)
			_exit(1);
		feeder.report = 3;
		_exit(feeder_run(&feeder));
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return;
	}
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	master->feeder = pid;
	master->feeder_pipe = pair[0];
}

void drop_tick(struct master *master, int64_t now)
{
	static unsigned int looks;

	if (master->current == NULL || master->stopping || master->feeder != 0 ||
	    master->current->receiver.state != CHILD_READY)
		return;
	if (!master->drop_pending && now < master->drop_ms)
		return;
	master->drop_pending = false;
	master->drop_ms = now + LOOK_MS;
	const char *path = submission_path(master->current);
	if (path != NULL && has_work(master->current->table.drop, looks++ % ORPHAN_LOOKS == 0))
		start_feeder(master, path);
}

void drop_output(struct master *master)
{
	char bytes[4096];
	struct pr_str text;
	size_t end;
	ssize_t got;

	while ((got = read(master->feeder_pipe, bytes, sizeof bytes)) > 0) {
		if (!pr_text_add(&master->feeder_text, bytes, (size_t)got))
			pr_text_clear(&master->feeder_text);
		while (text = pr_text_str(&master->feeder_text), end = pr_str_find(text, '\n'), end < text.len) {
			log_line(LOGP_INFO, NULL, "%.*s", (int)end, text.data);
			pr_text_consume(&master->feeder_text, end + 1);
		}
	}
	if (got == 0) {
		close(master->feeder_pipe);
		master->feeder_pipe = -1;
	}
}

bool drop_gone(struct master *master, pid_t pid, int status)
{
	if (pid != master->feeder)
		return false;
	if (master->feeder_pipe >= 0) {
		drop_output(master);
		if (master->feeder_pipe >= 0)
			close(master->feeder_pipe);
		master->feeder_pipe = -1;
	}
	master->feeder = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == FEEDER_MORE)
		master->drop_pending = true;
	return true;
}
