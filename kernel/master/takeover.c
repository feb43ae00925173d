/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A queue that was sendmail's, or that a tool of root's has begun, becomes the courier's.  All goes through descriptors that were opened without
 * following a link.
 */
#include "kernel/master/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_LABELS_MAX 64
#define ID_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool is_queue_name(const char *name)
{
	static const char *const kinds[] = {"qf", "df", "xf", "tf", "hf", "Qf", "lf"}; /* also the names of sub-directories */

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strncmp(name, kinds[i], 2) == 0 && strspn(name + 2, ID_LETTERS) == strlen(name + 2))
			return true;
	return false;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *open_below(int above, const char *name)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (directory == NULL && fd >= 0)
		close(fd);
	return directory;
}

/* What was learned of hosts: HostStatusDirectory, TLSPolicyDirectory, TLSReportDirectory. */
static bool is_tree(const char *name)
{
	return strcmp(name, ".hoststat") == 0 || strcmp(name, ".sts") == 0 || strcmp(name, ".tlsrpt") == 0;
}

/* A name that this program, or sendmail in its queue, leaves in a directory of its own. */
static bool is_own_name(const char *name)
{
	struct pr_str text = pr_str(name);

	if (is_dot(name) || strcmp(name, ".id") == 0 || is_tree(name) ||
	    strcmp(name, "journal") == 0 ||
	    pr_str_has_suffix_nocase(text, PR_STR(".sock")) || pr_str_has_suffix_nocase(text, PR_STR(".pid")))
		return true;
	return is_queue_name(name);
}

/* The directory of a queue group, or one of several queues: as the one above it, and nothing but a queue in it. */
static bool is_queue_below(int above, const char *name)
{
	struct stat info, its;
	DIR *directory = open_below(above, name);
	const struct dirent *entry = NULL;

	if (directory == NULL)
		return false;
	bool good = fstat(above, &info) == 0 && fstat(dirfd(directory), &its) == 0 && info.st_uid == its.st_uid && info.st_dev == its.st_dev;
	while (good && (entry = readdir(directory)) != NULL)
		good = is_own_name(entry->d_name);
	closedir(directory);
	return good;
}

/* Only what is clearly ours gets another owner or mode: a slip such as QueueDirectory = "/var" must cost nothing but a sentence. */
bool takeover_is_ours(int fd, const char *path, mode_t mode, struct pr_text *why)
{
	DIR *directory = open_below(fd, ".");
	const struct dirent *entry = NULL;

	if (directory == NULL) {
		pr_text_addf(why, "cannot read directory %s: %s", path, strerror(errno));
		return false;
	}
	do
		entry = readdir(directory);
	while (entry != NULL && (is_own_name(entry->d_name) || is_queue_below(fd, entry->d_name)));
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
	DIR *directory = open_below(above, "journal");
	const struct dirent *entry;
	bool done = directory != NULL;

	while (done && (entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, "lease") == 0 || pr_str_has_suffix_nocase(pr_str(entry->d_name), PR_STR(".done")))
			done = take_file(dirfd(directory), entry->d_name, 0640, uid, gid);
	done = done && fchown(dirfd(directory), uid, gid) == 0;
	if (directory != NULL)
		closedir(directory);
	return done;
}

/* sendmail's host status: directories, named by the labels of a host, and files. */
static bool take_tree(int above, const char *name, int depth, uid_t uid, gid_t gid)
{
	DIR *directory = open_below(above, name);
	const struct dirent *entry;
	bool done = directory != NULL;

	if (directory == NULL && (errno == ENOTDIR || errno == ELOOP))
		return take_file(above, name, 0664, uid, gid);
	while (done && depth > 0 && (entry = readdir(directory)) != NULL)
		if (!is_dot(entry->d_name))
			done = take_tree(dirfd(directory), entry->d_name, depth - 1, uid, gid);
	done = done && fchown(dirfd(directory), uid, gid) == 0;
	if (directory != NULL)
		closedir(directory);
	return done;
}

/* qf, df and xf, and a directory of a group with its own three.  In one that others may write nothing is given away: they could put anything there. */
static bool take_directory(DIR *directory, int depth, uid_t uid, gid_t gid)
{
	const struct dirent *entry;
	struct stat info;
	bool done = fstat(dirfd(directory), &info) == 0;
	bool gives = done && info.st_uid != uid && (info.st_mode & 0022) == 0;

	while (gives && done && (entry = readdir(directory)) != NULL) {
		DIR *below = depth > 0 && !is_dot(entry->d_name) ? open_below(dirfd(directory), entry->d_name) : NULL;
		if (below != NULL) {
			done = take_directory(below, depth - 1, uid, gid);
			closedir(below);
		} else if (is_queue_name(entry->d_name)) {
			done = take_file(dirfd(directory), entry->d_name, 0640, uid, gid);
		}
	}
	return done && fchown(dirfd(directory), uid, gid) == 0 && fchmod(dirfd(directory), 01770) == 0;
}

/* One name of a queue; false: it could not be given away. */
static bool take_entry(int fd, const char *name, uid_t uid, gid_t gid)
{
	if (is_dot(name))
		return true;
	if (strcmp(name, ".id") == 0)
		return take_file(fd, name, 0660, uid, gid); /* who accepts counts in it, too */
	if (strcmp(name, "journal") == 0)
		return take_journal(fd, uid, gid);
	if (is_tree(name))
		return take_tree(fd, name, HOST_LABELS_MAX, uid, gid);
	DIR *directory = open_below(fd, name);
	if (directory == NULL)
		return !is_queue_name(name) || take_file(fd, name, 0640, uid, gid);
	bool done = take_directory(directory, 1, uid, gid);
	closedir(directory);
	return done;
}

/* sendmail's queue becomes ours, and its files are for root alone.  Only now is that safe: nobody but the old owner could put anything
 * into the directory so far, while afterwards the receiver can. */
bool takeover_queue(int fd, uid_t uid, gid_t gid)
{
	DIR *directory = open_below(fd, ".");
	const struct dirent *entry;
	bool done = directory != NULL;

	while (done && (entry = readdir(directory)) != NULL)
		done = take_entry(fd, entry->d_name, uid, gid);
	if (directory != NULL)
		closedir(directory);
	return done;
}

/* Regular files with one name only: whoever owns the directory can put a second name of another's file there, and nothing else of his. */
static bool give_file(int directory, const char *name, const struct stat *owner)
{
	struct stat info;
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool done = true;

	if (fd < 0)
		return true;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid == 0)
		done = fchown(fd, owner->st_uid, owner->st_gid) == 0;
	close(fd);
	return done;
}

bool takeover_journal(int fd)
{
	DIR *directory = open_below(fd, "journal");
	const struct dirent *entry;
	struct stat owner;
	bool done = directory != NULL && fstat(dirfd(directory), &owner) == 0;

	if (directory == NULL)
		return true; /* there is none yet */
	while (done && owner.st_uid != 0 && (entry = readdir(directory)) != NULL)
		done = is_dot(entry->d_name) || give_file(dirfd(directory), entry->d_name, &owner);
	closedir(directory);
	return done;
}
