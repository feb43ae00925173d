/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Directories are made and corrected through a descriptor that was opened without following a link, so an owner or mode is
 * never given to something that was put in the place a moment ago.
 */
#include "kernel/master/state.h"

#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(struct pr_text *why, const char *what, const char *path)
{
	pr_text_addf(why, "%s %s: %s", what, path, strerror(errno));
	return false;
}

/* Makes the missing directories above `path`, 0755. */
static bool make_parents(const char *path, struct pr_text *why)
{
	char *copy = pr_copy_c(path);
	bool done = true;

	for (char *slash = strchr(copy + 1, '/'); done && slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			done = complain(why, "cannot make directory", copy);
		*slash = '/';
	}
	pr_free(copy);
	return done;
}

static bool fix_directory(const char *path, mode_t mode, uid_t uid, gid_t gid, bool privileged, struct pr_text *why)
{
	struct stat info;
	bool done = false;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return complain(why, "cannot open directory", path);
	if (fstat(fd, &info) != 0)
		(void)complain(why, "cannot look at", path);
	else if (((privileged && info.st_uid != uid) || (info.st_mode & 07777) != mode) &&
	         !takeover_is_ours(fd, path, mode, why))
		done = false;
	else if (privileged && info.st_uid != uid && (info.st_mode & 0022) == 0 && !takeover_queue(fd, uid, gid))
		(void)complain(why, "cannot give its owner to the files of", path);
	else if (privileged && (info.st_uid != uid || info.st_gid != gid) && fchown(fd, uid, gid) != 0)
		(void)complain(why, "cannot give its owner to", path);
	else if ((privileged || info.st_uid == geteuid()) && (info.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
		(void)complain(why, "cannot give its mode to", path);
	else if (privileged && !takeover_journal(fd))
		(void)complain(why, "cannot give its owner to the journal of", path);
	else
		done = true;
	close(fd);
	return done;
}

static bool make_directory(const char *path, mode_t mode, uid_t uid, gid_t gid, bool privileged, struct pr_text *why)
{
	if (!make_parents(path, why))
		return false;
	if (mkdir(path, mode & 0700) != 0 && errno != EEXIST)
		return complain(why, "cannot make directory", path);
	return fix_directory(path, mode, uid, gid, privileged, why);
}

/* The log file must be writable by the roles, who are other users. */
static bool make_log(const struct master *master, const struct generation *generation, struct pr_text *why)
{
	const char *path = generation->table.log;
	bool done = true;

	if (!master->privileged || path[0] != '/')
		return true;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0660);
	if (fd < 0)
		return complain(why, "cannot open log", path);
	struct stat info;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1 || info.st_uid != 0) {
		pr_text_addf(why, "log %s is no plain file of root's", path);
		done = false;
	} else if (fchown(fd, 0, generation->receiver_user.gid) != 0 || fchmod(fd, 0660) != 0) {
		done = complain(why, "cannot prepare log", path);
	}
	close(fd);
	return done;
}

bool places_prepare(struct master *master, const struct generation *generation, struct pr_text *why)
{
	const struct table *table = &generation->table;
	bool privileged = master->privileged;
	uid_t uid = geteuid();
	gid_t group = privileged ? generation->receiver_user.gid : getegid();
	uid_t queue_owner = privileged ? generation->courier_user.uid : uid;

	if (!make_directory(table->run, 0755, uid, privileged ? 0 : group, privileged, why))
		return false;
	if (!make_directory(table->drop, privileged ? 01733 : 0700, uid, group, privileged, why))
		return false;
	/* QueueDirectory=/path/q* names those that are there: only what stands above is ours to make */
	if (strchr(table->queue, '*') != NULL) {
		char above[TABLE_PATH_MAX];
		const char *slash = strrchr(table->queue, '/');

		snprintf(above, sizeof above, "%.*s", slash == table->queue ? 1 : (int)(slash - table->queue), table->queue);
		/* the journal and the counter of ids stand there */
		if (!make_directory(above, privileged ? 01770 : 0700, queue_owner, group, privileged, why))
			return false;
	} else if (!make_directory(table->queue, privileged ? 01770 : 0700, queue_owner, group, privileged, why)) {
		return false;
	}
	return make_parents(table->pid_file, why) && make_log(master, generation, why);
}

/* The lock ends with this process, however it ends; no file is left behind that could lie. */
bool places_lock(struct master *master, const char *run, struct pr_text *why)
{
	if (master->current != NULL) {
		if (strcmp(master->current->table.run, run) == 0)
			return true;
		pr_text_add_c(why, "run_directory cannot change by a reload; stop the daemon and start it again");
		return false;
	}
	if (!make_parents(run, why))
		return false;
	if (mkdir(run, 0755) != 0 && errno != EEXIST)
		return complain(why, "cannot make directory", run);
	if (master->run_lock < 0)
		master->run_lock = open(run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (master->run_lock < 0)
		return complain(why, "cannot open directory", run);
	if (flock(master->run_lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	pr_text_addf(why, "another daemon runs in %s", run);
	return false;
}

bool places_write_pid(struct master *master, const char *path, struct pr_text *why)
{
	struct pr_text text;

	pr_text_init(&text, 4096);
	pr_text_addf(&text, "%ld\n", (long)getpid());
	if (master->settings->command_line != NULL)
		pr_text_add_escaped(&text, pr_str(master->settings->command_line), 2000);
	pr_text_add_byte(&text, '\n');
	bool done = pr_file_replace(path, 0644, pr_text_str(&text), why) == PR_OK;
	pr_text_fini(&text);
	return done;
}
