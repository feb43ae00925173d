/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Directories are made and corrected through a descriptor that was opened without following a link, so an owner or mode is
 * never given to something that was put in the place a moment ago.
 */
#include "kernel/master/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_LABELS_MAX 64
#define ID_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

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

static bool is_queue_name(const char *name)
{
	static const char *const kinds[] = {"qf", "df", "xf", "tf", "hf", "Qf", "lf"}; /* also the names of sub-directories */

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strncmp(name, kinds[i], 2) == 0 && strspn(name + 2, ID_LETTERS) == strlen(name + 2))
			return true;
	return false;
}

/* A name that this program, or sendmail in its queue, leaves in a directory of its own. */
static bool is_own_name(const char *name)
{
	struct pr_str text = pr_str(name);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".id") == 0 || strcmp(name, ".hoststat") == 0 ||
	    strcmp(name, "journal") == 0 ||
	    pr_str_has_suffix_nocase(text, PR_STR(".sock")) || pr_str_has_suffix_nocase(text, PR_STR(".pid")))
		return true;
	return is_queue_name(name);
}

/* Only what is clearly ours gets another owner or mode: a slip such as QueueDirectory = "/var" must cost nothing but a sentence. */
static bool is_ours(int fd, const char *path, mode_t mode, struct pr_text *why)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry = NULL;

	if (directory == NULL) {
		if (again >= 0)
			close(again);
		return complain(why, "cannot read directory", path);
	}
	do
		entry = readdir(directory);
	while (entry != NULL && is_own_name(entry->d_name));
	if (entry != NULL)
		pr_text_addf(why, "%s is not as it must be (mode %04o) and holds %s, so it is left alone; name a directory of its own, or correct it by hand",
		    path, (unsigned int)mode, entry->d_name);
	closedir(directory);
	return entry == NULL;
}

/* A file with one name, which is no link; others are left alone. */
static bool take_file(int directory, const char *name, mode_t widest, uid_t uid, gid_t gid)
{
	struct stat info;
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool done = fd >= 0 || errno != EACCES;

	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1)
		done = fchown(fd, uid, gid) == 0 && fchmod(fd, info.st_mode & widest) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* What a tool of root's has begun in the journal, who delivers must own; segments belong to who wrote them. */
static bool take_journal(int above, uid_t uid, gid_t gid)
{
	int fd = openat(above, "journal", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool done = directory != NULL;

	if (directory == NULL && fd >= 0)
		close(fd);
	while (done && (entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, "lease") == 0 || pr_str_has_suffix_nocase(pr_str(entry->d_name), PR_STR(".done")))
			done = take_file(fd, entry->d_name, 0640, uid, gid);
	done = done && fchown(fd, uid, gid) == 0;
	if (directory != NULL)
		closedir(directory);
	return done;
}

/* sendmail's host status: directories, named by the labels of a host, and files. */
static bool take_tree(int above, const char *name, int depth, uid_t uid, gid_t gid)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool done = directory != NULL;

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return take_file(above, name, 0664, uid, gid);
	if (directory == NULL && fd >= 0)
		close(fd);
	while (done && depth > 0 && (entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			done = take_tree(fd, entry->d_name, depth - 1, uid, gid);
	done = done && fchown(fd, uid, gid) == 0;
	if (directory != NULL)
		closedir(directory);
	return done;
}

/* One name of a queue; false: it could not be given away. */
static bool take_entry(int fd, const char *name, uid_t uid, gid_t gid)
{
	if (strcmp(name, ".id") == 0)
		return take_file(fd, name, 0660, uid, gid); /* who accepts counts in it, too */
	if (strcmp(name, "journal") == 0)
		return take_journal(fd, uid, gid);
	if (strcmp(name, ".hoststat") == 0)
		return take_tree(fd, name, HOST_LABELS_MAX, uid, gid);
	return !is_queue_name(name) || take_file(fd, name, 0640, uid, gid);
}

/* sendmail's queue becomes ours, and its files are for root alone.  Only now is that safe: nobody but the old owner could put anything
 * into the directory so far, while afterwards the receiver can. */
static bool take_queue(int fd, uid_t uid, gid_t gid)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	bool done = directory != NULL;

	if (directory == NULL && again >= 0)
		close(again);
	while (done && (entry = readdir(directory)) != NULL)
		done = take_entry(fd, entry->d_name, uid, gid);
	if (directory != NULL)
		closedir(directory);
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
	         !is_ours(fd, path, mode, why))
		done = false;
	else if (privileged && info.st_uid != uid && (info.st_mode & 0022) == 0 && !take_queue(fd, uid, gid))
		(void)complain(why, "cannot give its owner to the files of", path);
	else if (privileged && (info.st_uid != uid || info.st_gid != gid) && fchown(fd, uid, gid) != 0)
		(void)complain(why, "cannot give its owner to", path);
	else if ((privileged || info.st_uid == geteuid()) && (info.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
		(void)complain(why, "cannot give its mode to", path);
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
