/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A library for LD_PRELOAD that makes the n-th file call below a directory go wrong, and notes the order of all of them.
 * Paths are found through /proc/self/fd, so it works on any program that is dynamically linked, unchanged.
 *
 *   FAULT_DIR=/dir          only files below it count
 *   FAULT_CALLS=a,b         names of calls that count (default: all of them)
 *   FAULT_AT=n              the n-th of them goes wrong (0 or absent: none)
 *   FAULT_ACTION=           ENOSPC EDQUOT EIO EINTR EROFS EMFILE: fails so
 *                           short: writes half (other calls are not touched)
 *                           kill: the process dies by SIGKILL before the call
 *                           late: it dies after the call
 *                           lie: answers success and does nothing (a negative control)
 *                           cut: the power goes before the call; see powercut.h
 *   FAULT_SEED=n            what chance keeps at a cut
 *   FAULT_LIAR=1            every sync answers success and syncs nothing (a negative control for cut)
 *   FAULT_LOG=fd            descriptor for one line per call: "name path [path]"
 *
 * fault_hits() tells how often a fault was given.
 */
#include "tests/fault/powercut.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int fault_hits(void);

static atomic_int calls, hits;

enum verdict { PASS, FAIL, SHORT, LIE, LATE };

int fault_hits(void)
{
	return atomic_load(&hits);
}

static void *next_function(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* A function pointer from dlsym, without the cast that ISO C does not know. */
#define REAL(result_, name_, ...) \
	result_ (*real)(__VA_ARGS__) = NULL; \
	void *symbol = next_function(name_); \
	memcpy(&real, &symbol, sizeof real)

static void path_of_fd(int fd, char path[4096])
{
	char link[64];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, 4095);

	path[len < 0 ? 0 : len] = '\0';
}

static void path_at(int directory, const char *name, char path[4096])
{
	if (name[0] == '/') {
		snprintf(path, 4096, "%s", name);
		return;
	}
	if (directory == AT_FDCWD) {
		if (getcwd(path, 2048) == NULL)
			path[0] = '\0';
	} else {
		path_of_fd(directory, path);
	}

	size_t len = strlen(path);

	snprintf(path + len, 4096 - len, "/%s", name);
}

static bool is_listed(const char *name)
{
	const char *list = getenv("FAULT_CALLS");
	size_t len = strlen(name);

	if (list == NULL || *list == '\0')
		return true;
	for (const char *at = list; (at = strstr(at, name)) != NULL; at += len)
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

static void note(const char *name, const char *path, const char *second)
{
	const char *log = getenv("FAULT_LOG");
	char line[8400];
	int len;

	if (log == NULL)
		return;
	len = snprintf(line, sizeof line, "%s %s%s%s\n", name, path, second == NULL ? "" : " ", second == NULL ? "" : second);
	/* not through our own write() */
	REAL(ssize_t, "write", int, const void *, size_t);
	if (real((int)strtol(log, NULL, 10), line, (size_t)len) < 0)
		abort();
}

static bool is_below(const char *path)
{
	const char *directory = getenv("FAULT_DIR");

	return directory != NULL && strncmp(path, directory, strlen(directory)) == 0 && strstr(path, "/.cut") == NULL;
}

/* Is it to be remembered what a power cut would take? */
static bool is_watched(const char *path)
{
	const char *action = getenv("FAULT_ACTION");

	return action != NULL && strcmp(action, "cut") == 0 && is_below(path);
}

static int error_number(const char *action)
{
	static const struct {
		const char *name;
		int number;
	} names[] = { { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EIO", EIO }, { "EINTR", EINTR }, { "EROFS", EROFS }, { "EMFILE", EMFILE } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, action) == 0)
			return names[i].number;
	return 0;
}

static enum verdict judge(const char *name, const char *path, const char *second)
{
	const char *at = getenv("FAULT_AT"), *action = getenv("FAULT_ACTION"), *seed = getenv("FAULT_SEED");

	if (!is_below(path))
		return PASS;
	if (!is_listed(name) || at == NULL || action == NULL || atomic_fetch_add(&calls, 1) + 1 != strtol(at, NULL, 10)) {
		note(name, path, second);
		return PASS;
	}
	atomic_fetch_add(&hits, 1);
	if (strcmp(action, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(action, "cut") == 0)
		powercut_now((unsigned int)strtoul(seed == NULL ? "1" : seed, NULL, 10));
	if (strcmp(action, "late") == 0)
		return LATE;
	if (strcmp(action, "short") == 0)
		return SHORT;
	if (strcmp(action, "lie") == 0)
		return LIE;
	errno = error_number(action);
	return FAIL;
}

static void die_if(enum verdict verdict)
{
	if (verdict == LATE)
		kill(getpid(), SIGKILL);
}

EXPORT ssize_t write(int fd, const void *data, size_t len)
{
	char path[4096];
	REAL(ssize_t, "write", int, const void *, size_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("write", path, NULL);

	if (verdict == FAIL)
		return -1;
	if (verdict == LIE)
		return (ssize_t)len;

	if (is_watched(path))
		powercut_before_write(fd, path, -1, len);

	ssize_t result = real(fd, data, verdict == SHORT && len > 1 ? len / 2 : len);

	die_if(verdict);
	return result;
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	char path[4096];
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("pwrite", path, NULL);

	if (verdict == FAIL)
		return -1;
	if (verdict == LIE)
		return (ssize_t)len;

	if (is_watched(path))
		powercut_before_write(fd, path, offset, len);

	ssize_t result = real(fd, data, verdict == SHORT && len > 1 ? len / 2 : len, offset);

	die_if(verdict);
	return result;
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	char path[4096];
	REAL(ssize_t, "writev", int, const struct iovec *, int);

	path_of_fd(fd, path);

	enum verdict verdict = judge("writev", path, NULL);
	ssize_t total = 0;

	if (verdict == FAIL)
		return -1;
	for (int i = 0; i < count; i++)
		total += (ssize_t)parts[i].iov_len;
	if (verdict == LIE)
		return total;

	ssize_t result = real(fd, parts, verdict == SHORT && count > 1 ? count / 2 : count);

	die_if(verdict);
	return result;
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	char path[4096];
	REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("pwritev", path, NULL);
	ssize_t total = 0;

	if (verdict == FAIL)
		return -1;
	for (int i = 0; i < count; i++)
		total += (ssize_t)parts[i].iov_len;
	if (verdict == LIE)
		return total;
	if (is_watched(path))
		powercut_before_write(fd, path, offset, (size_t)total);

	struct iovec half = *parts;

	half.iov_len /= 2;

	ssize_t result = verdict == SHORT ? real(fd, &half, 1, offset) : real(fd, parts, count, offset);

	die_if(verdict);
	return result;
}

EXPORT ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
	char path[4096];
	REAL(ssize_t, "pread", int, void *, size_t, off_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("pread", path, NULL);

	if (verdict == FAIL || verdict == LIE)
		return -1;

	ssize_t result = real(fd, data, verdict == SHORT && len > 1 ? len / 2 : len, offset);

	die_if(verdict);
	return result;
}

EXPORT int flock(int fd, int operation)
{
	char path[4096];
	REAL(int, "flock", int, int);

	path_of_fd(fd, path);

	enum verdict verdict = judge("flock", path, NULL);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(fd, operation);

	die_if(verdict);
	return result;
}

EXPORT void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
	char path[4096] = "";
	REAL(void *, "mmap", void *, size_t, int, int, int, off_t);

	if (fd >= 0)
		path_of_fd(fd, path);

	enum verdict verdict = fd >= 0 ? judge("mmap", path, NULL) : PASS;

	if (verdict == FAIL)
		return MAP_FAILED;

	void *result = real(address, len, protection, flags, fd, offset);

	die_if(verdict);
	if (result != MAP_FAILED && fd >= 0 && (flags & MAP_SHARED) != 0 && is_watched(path))
		powercut_mapped(path);
	return result;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t length)
{
	char path[4096];
	REAL(int, "posix_fallocate", int, off_t, off_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("posix_fallocate", path, NULL);
	int result = verdict == FAIL ? errno : verdict == LIE ? 0 : real(fd, offset, length);

	die_if(verdict);
	return result;
}

static void note_synced(const char *name, const char *path)
{
	const char *liar = getenv("FAULT_LIAR");
	struct stat st;

	if (!is_watched(path) || (liar != NULL && *liar == '1'))
		return;
	if (strcmp(name, "syncfs") == 0)
		powercut_synced_all();
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		powercut_synced_directory(path);
	else
		powercut_synced_file(path);
}

/* Calls on one descriptor that answer 0 or -1. */
static int on_fd(const char *name, int fd)
{
	char path[4096];
	REAL(int, name, int);

	path_of_fd(fd, path);

	enum verdict verdict = judge(name, path, NULL);

	if (verdict == FAIL)
		return -1;
	if (verdict == LIE)
		return 0;

	int result = real(fd);

	if (result == 0)
		note_synced(name, path);
	die_if(verdict);
	return result;
}

EXPORT int fsync(int fd)
{
	return on_fd("fsync", fd);
}

EXPORT int fdatasync(int fd)
{
	return on_fd("fdatasync", fd);
}

EXPORT int syncfs(int fd)
{
	return on_fd("syncfs", fd);
}

EXPORT int sync_file_range(int fd, off_t offset, off_t length, unsigned int flags)
{
	char path[4096];
	REAL(int, "sync_file_range", int, off_t, off_t, unsigned int);

	path_of_fd(fd, path);

	enum verdict verdict = judge("sync_file_range", path, NULL);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(fd, offset, length, flags);

	die_if(verdict);
	return result;
}

EXPORT int ftruncate(int fd, off_t length)
{
	char path[4096];
	REAL(int, "ftruncate", int, off_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("ftruncate", path, NULL);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(fd, length);

	die_if(verdict);
	return result;
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t length)
{
	char path[4096];
	REAL(int, "fallocate", int, int, off_t, off_t);

	path_of_fd(fd, path);

	enum verdict verdict = judge("fallocate", path, NULL);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(fd, mode, offset, length);

	die_if(verdict);
	return result;
}

EXPORT int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	char path[4096], second[4096];
	REAL(int, "renameat", int, const char *, int, const char *);

	path_at(from_directory, from, path);
	path_at(to_directory, to, second);

	enum verdict verdict = judge("renameat", path, second);
	if ((verdict == PASS || verdict == LATE) && is_watched(path))
		powercut_before_rename(path, second);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(from_directory, from, to_directory, to);

	die_if(verdict);
	return result;
}

EXPORT int rename(const char *from, const char *to)
{
	char path[4096], second[4096];
	REAL(int, "rename", const char *, const char *);

	path_at(AT_FDCWD, from, path);
	path_at(AT_FDCWD, to, second);

	enum verdict verdict = judge("rename", path, second);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(from, to);

	die_if(verdict);
	return result;
}

EXPORT int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
	char path[4096], second[4096];
	REAL(int, "linkat", int, const char *, int, const char *, int);

	path_at(from_directory, from, path);
	path_at(to_directory, to, second);

	enum verdict verdict = judge("linkat", path, second);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(from_directory, from, to_directory, to, flags);

	die_if(verdict);
	return result;
}

EXPORT int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int unlinkat(int directory, const char *name, int flags)
{
	char path[4096];
	REAL(int, "unlinkat", int, const char *, int);

	path_at(directory, name, path);

	enum verdict verdict = judge("unlinkat", path, NULL);
	if ((verdict == PASS || verdict == LATE) && is_watched(path))
		powercut_before_unlink(path);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(directory, name, flags);

	die_if(verdict);
	return result;
}

EXPORT int unlink(const char *name)
{
	char path[4096];
	REAL(int, "unlink", const char *);

	path_at(AT_FDCWD, name, path);

	enum verdict verdict = judge("unlink", path, NULL);
	int result = verdict == FAIL ? -1 : verdict == LIE ? 0 : real(name);

	die_if(verdict);
	return result;
}

EXPORT int openat(int directory, const char *name, int flags, ...)
{
	char path[4096];
	mode_t mode = 0;
	va_list args;
	REAL(int, "openat", int, const char *, int, mode_t);

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	path_at(directory, name, path);

	enum verdict verdict = judge("openat", path, NULL);
	struct stat st;

	/* a descriptor cannot be made up: lying is not for open */
	if (verdict == FAIL)
		return -1;

	bool is_new = (flags & O_CREAT) != 0 && is_watched(path) && lstat(path, &st) != 0;
	int result = real(directory, name, flags, mode);

	if (is_new && result >= 0)
		powercut_created(path);
	die_if(verdict);
	return result;
}

EXPORT int open(const char *name, int flags, ...)
{
	char path[4096];
	mode_t mode = 0;
	va_list args;
	REAL(int, "open", const char *, int, mode_t);

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	path_at(AT_FDCWD, name, path);

	enum verdict verdict = judge("open", path, NULL);

	if (verdict == FAIL)
		return -1;

	int result = real(name, flags, mode);

	die_if(verdict);
	return result;
}
