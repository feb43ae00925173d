/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was opened is what is checked, locked and written: every question goes to the descriptor, and only one to the name -
 * after the lock, whether it still means this file.  A failed append is cut back to the old length.
 */
#include "kernel/helper/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRY_NS 100000000L
#define STALE_LOCK_SECONDS 300
#define REOPEN_MAX 5

struct target {
	const struct append *append;
	struct pr_text *why;
	char *lock_path;
	int fd;
	bool created;
	bool dot_locked;
};

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

	return pr_copy_str((struct pr_str){path, len});
}

static enum pr_status refuse(struct target *target, const char *reason)
{
	pr_text_addf(target->why, "%s: %s", target->append->path, reason);
	return PR_PERMFAIL;
}

static enum pr_status check_file(struct target *target)
{
	struct stat info;

	if (fstat(target->fd, &info) != 0)
		return delivery_fail(target->why, "look at", target->append->path);
	if (!S_ISREG(info.st_mode))
		return refuse(target, "not a regular file");
	if (info.st_nlink > 1)
		return refuse(target, "file has several links");
	if (info.st_uid != geteuid())
		return refuse(target, "file belongs to another user");
	if ((info.st_mode & 0111) != 0)
		return refuse(target, "file is executable");
	return PR_OK;
}

/* Never follows a link at the end, never waits for a FIFO's reader, never opens what somebody else has just made. */
static enum pr_status open_file(struct target *target)
{
	const char *path = target->append->path;
	const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	for (int i = 0; i < REOPEN_MAX; i++) {
		target->created = false;
		target->fd = open(path, flags);
		if (target->fd < 0 && errno == ENOENT) {
			target->fd = open(path, flags | O_CREAT | O_EXCL, 0600);
			target->created = target->fd >= 0;
		}
		if (target->fd >= 0)
			return check_file(target);
		if (errno != EEXIST && errno != ENOENT)
			break;
	}
	return errno == ELOOP ? refuse(target, "is a symbolic link") : delivery_fail(target->why, "open", path);
}

static bool lock_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &lock) == 0;
}

static void unlock_file(int fd)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(fd, F_SETLK, &lock);
}

/* A lock whose process is dead, or that says nothing and is old. */
static bool is_stale(const char *path)
{
	struct stat info;
	char bytes[32] = "";
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);
	bool known = fd >= 0 && fstat(fd, &info) == 0;

	if (fd >= 0)
		close(fd);
	if (!known || time(NULL) - info.st_mtime < STALE_LOCK_SECONDS)
		return false;
	long pid = got > 0 ? strtol(bytes, NULL, 10) : 0;
	return pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* PR_OK: held, or this directory does not let us; PR_NOTFOUND: somebody else holds it; else a failure. */
static enum pr_status take_dot_lock(struct target *target)
{
	char text[32];

	if (!target->append->dot_lock)
		return PR_OK;
	int fd = open(target->lock_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0) {
		int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
		(void)pr_write_all(fd, text, (size_t)len);
		close(fd);
		target->dot_locked = true;
		return PR_OK;
	}
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return PR_OK;
	if (errno != EEXIST)
		return delivery_fail(target->why, "lock", target->append->path);
	if (is_stale(target->lock_path))
		(void)unlink(target->lock_path);
	return PR_NOTFOUND;
}

static void drop_dot_lock(struct target *target)
{
	if (target->dot_locked)
		(void)unlink(target->lock_path);
	target->dot_locked = false;
}

/* fcntl first, then the dot: both without waiting, or two mailers with the other order would wait for each other. */
static enum pr_status lock_both(struct target *target)
{
	int64_t end = delivery_now_ms() + (int64_t)target->append->lock_seconds * 1000;
	struct timespec pause = {.tv_nsec = LOCK_TRY_NS};

	for (;;) {
		if (lock_file(target->fd)) {
			enum pr_status status = take_dot_lock(target);
			if (status != PR_NOTFOUND)
				return status;
			unlock_file(target->fd);
		} else if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
			return delivery_fail(target->why, "lock", target->append->path);
		}
		if (delivery_now_ms() >= end) {
			pr_text_addf(target->why, "%s is locked", target->append->path);
			return PR_TEMPFAIL;
		}
		(void)nanosleep(&pause, NULL);
	}
}

/* Does the name still mean the file we have locked? */
static bool is_current(const struct target *target)
{
	struct stat mine, named;

	return fstat(target->fd, &mine) == 0 && lstat(target->append->path, &named) == 0 && mine.st_ino == named.st_ino &&
	       mine.st_dev == named.st_dev;
}

static void close_target(struct target *target)
{
	drop_dot_lock(target);
	if (target->fd >= 0)
		close(target->fd); /* the fcntl lock goes with it */
	target->fd = -1;
}

static enum pr_status open_locked(struct target *target)
{
	enum pr_status status;

	for (int i = 0; i < REOPEN_MAX; i++) {
		status = open_file(target);
		if (status == PR_OK)
			status = lock_both(target);
		if (status != PR_OK)
			return status;
		if (is_current(target))
			return check_file(target); /* links may have come while we waited */
		close_target(target);
	}
	pr_text_addf(target->why, "%s changes all the time", target->append->path);
	return PR_TEMPFAIL;
}

/* A mailbox that was left without its final line end would swallow our From_ line. */
static bool mend_end(int fd, off_t size)
{
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		return false;
	return last == '\n' || pr_write_all(fd, "\n\n", 2);
}

static bool write_all(const struct target *target, const struct message *message, off_t size)
{
	const struct append *append = target->append;
	bool newline = true;

	if (append->blank_line && !mend_end(target->fd, size))
		return false;
	if (!message_copy(message, target->fd, append->quote, &newline))
		return false;
	if (!newline && !pr_write_all(target->fd, "\n", 1))
		return false;
	if (append->blank_line && !pr_write_all(target->fd, "\n", 1))
		return false;
	return fsync(target->fd) == 0;
}

static enum pr_status sync_directory(struct target *target)
{
	char *directory = directory_of(target->append->path);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	/* a directory that may be written but not read cannot be synced by us; the file itself is */
	if (fd < 0 && errno == EACCES)
		done = true;
	if (fd >= 0)
		close(fd);
	pr_free(directory);
	return done ? PR_OK : delivery_fail(target->why, "sync the directory of", target->append->path);
}

static enum pr_status append_locked(struct target *target, const struct message *message)
{
	struct stat info;

	if (fstat(target->fd, &info) != 0)
		return delivery_fail(target->why, "look at", target->append->path);
	if (write_all(target, message, info.st_size))
		return target->created ? sync_directory(target) : PR_OK;
	enum pr_status status = delivery_fail(target->why, "write", target->append->path);
	if (ftruncate(target->fd, info.st_size) != 0 || fsync(target->fd) != 0)
		pr_text_addf(target->why, " (and it could not be cut back: %s)", strerror(errno));
	return status;
}

static enum pr_status check_directory(struct target *target)
{
	char *directory = directory_of(target->append->path);
	bool trusted = !target->append->strict || pr_file_is_trusted(directory, (uint32_t)geteuid(), target->why);

	pr_free(directory);
	return trusted ? PR_OK : PR_PERMFAIL;
}

enum pr_status append_message(const struct append *append, const struct message *message, struct pr_text *why)
{
	struct target target = {.append = append, .why = why, .fd = -1};
	struct pr_text lock_path;

	pr_text_init(&lock_path, 4096);
	if (!pr_text_addf(&lock_path, "%s.lock", append->path)) {
		pr_text_fini(&lock_path);
		return refuse(&target, "name is too long");
	}
	target.lock_path = lock_path.data;
	/* a disk quota or file size limit must be an error, not a signal */
	(void)signal(SIGXFSZ, SIG_IGN);
	enum pr_status status = check_directory(&target);
	if (status == PR_OK)
		status = open_locked(&target);
	if (status == PR_OK)
		status = append_locked(&target, message);
	close_target(&target);
	pr_text_fini(&lock_path);
	return status;
}
