/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file is one struct of sendmail's, in the byte order of the machine: a head of 24 bytes, then nothing but 64-bit numbers.  It is read,
 * checked, changed in memory and written back in one piece under a lock, so a reader sees the old or the new and a crash leaves one of them.
 *
 *   0  magic 0x1b1de    4  version 4    8  time of the first count    16  size of all (16 bits), then 6 bytes of nothing
 *  24  connections from, to, rejected   48  seven times 25 numbers, in the order of enum statistics_kind
 */
#include "kernel/queue/statistics.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x1b1de
#define VERSION 4

struct layout {
	int32_t magic, version;
	int64_t since;
	int16_t size, nothing[3];
	int64_t connections[CONNECTION_KINDS];
	int64_t messages[STATISTICS_KINDS][STATISTICS_MAILERS];
};
_Static_assert(sizeof(struct layout) == 1448, "the size that sendmail writes");

bool statistics_is_zero(const struct statistics *statistics)
{
	for (size_t i = 0; i < CONNECTION_KINDS; i++)
		if (statistics->connections[i] != 0)
			return false;
	for (size_t kind = 0; kind < STATISTICS_KINDS; kind++)
		for (size_t i = 0; i < STATISTICS_MAILERS; i++)
			if (statistics->messages[kind][i] != 0)
				return false;
	return true;
}

static enum pr_status fail(enum pr_status status, const char *path, const char *what, struct pr_text *why)
{
	pr_text_addf(why, "%s: %s", path, what);
	return status;
}

/* A number that has no room left starts again, as a counter of any machine does; signed, that must be said. */
static int64_t sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* Never waits: neither for a pipe's other end nor for who holds the file.  Who only reads needs no lock: it is one page. */
static enum pr_status open_file(const char *path, bool writing, int *fd_out, struct pr_text *why)
{
	struct stat info;
	int fd = open(path, (writing ? O_RDWR | O_NOFOLLOW : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return fail(errno == ENOENT ? PR_NOTFOUND : PR_PERMFAIL, path, errno == ELOOP ? "it is a symbolic link" : strerror(errno), why);
	enum pr_status status = PR_OK;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		status = fail(PR_PERMFAIL, path, "it is no regular file", why);
	else if (writing && info.st_nlink > 1) /* under another name it may be anything */
		status = fail(PR_PERMFAIL, path, "it has another name, so it is not written to", why);
	else if (writing && flock(fd, LOCK_EX | LOCK_NB) != 0)
		status = fail(PR_TEMPFAIL, path, "it is locked", why);
	if (status == PR_OK)
		*fd_out = fd;
	else
		close(fd);
	return status;
}

static enum pr_status check(const char *path, const struct layout *layout, ssize_t got, struct pr_text *why)
{
	if (got < (ssize_t)sizeof layout->magic || layout->magic != MAGIC)
		return fail(PR_PERMFAIL, path, "it is no file of mail statistics (its magic number is wrong)", why);
	if (got >= 8 && layout->version != VERSION) {
		pr_text_addf(why, "%s: its version is %d; this program knows version %d", path, (int)layout->version, VERSION);
		return PR_PERMFAIL;
	}
	if (got < (ssize_t)sizeof *layout || layout->size != (int16_t)sizeof *layout)
		return fail(PR_PERMFAIL, path, "it is damaged (its size is wrong); empty it to begin again", why);
	return PR_OK;
}

static enum pr_status load(int fd, const char *path, int64_t now, struct layout *layout, struct pr_text *why)
{
	ssize_t got;

	do
		got = pread(fd, layout, sizeof *layout, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(PR_TEMPFAIL, path, strerror(errno), why);
	if (got > 0)
		return check(path, layout, got, why);
	*layout = (struct layout){.magic = MAGIC, .version = VERSION, .since = now, .size = sizeof *layout};
	return PR_OK;
}

static void show(const struct layout *layout, struct statistics *statistics_out)
{
	statistics_out->since = layout->since;
	memcpy(statistics_out->connections, layout->connections, sizeof layout->connections);
	memcpy(statistics_out->messages, layout->messages, sizeof layout->messages);
}

static void merge(struct layout *layout, const struct statistics *more)
{
	for (size_t i = 0; i < CONNECTION_KINDS; i++)
		layout->connections[i] = sum(layout->connections[i], more->connections[i]);
	for (size_t kind = 0; kind < STATISTICS_KINDS; kind++)
		for (size_t i = 0; i < STATISTICS_MAILERS; i++)
			layout->messages[kind][i] = sum(layout->messages[kind][i], more->messages[kind][i]);
}

/* Only a file that was empty can be cut short by a full disk; it is empty again then. */
static enum pr_status save(int fd, const char *path, const struct layout *layout, struct pr_text *why)
{
	struct stat info;
	bool was_empty = fstat(fd, &info) == 0 && info.st_size == 0;
	ssize_t put;

	do
		put = pwrite(fd, layout, sizeof *layout, 0);
	while (put < 0 && errno == EINTR);
	if (put == (ssize_t)sizeof *layout)
		return PR_OK;
	const char *reason = put < 0 ? strerror(errno) : strerror(ENOSPC);
	if (was_empty && ftruncate(fd, 0) != 0)
		reason = strerror(errno);
	return fail(PR_TEMPFAIL, path, reason, why);
}

/* Open, and what is in it; nothing is open after an error. */
static enum pr_status open_loaded(const char *path, bool writable, int64_t now, struct layout *layout_out, int *fd_out, struct pr_text *why)
{
	enum pr_status status = open_file(path, writable, fd_out, why);

	if (status != PR_OK)
		return status;
	status = load(*fd_out, path, now, layout_out, why);
	if (status != PR_OK)
		close(*fd_out);
	return status;
}

enum pr_status statistics_read(const char *path, int64_t now, struct statistics *statistics_out, struct pr_text *why)
{
	struct layout layout;
	int fd;
	enum pr_status status = open_loaded(path, false, now, &layout, &fd, why);

	if (status != PR_OK)
		return status;
	show(&layout, statistics_out);
	close(fd);
	return PR_OK;
}

/* What is to be done with a file that is open, locked and read. */
struct change {
	const struct statistics *more; /* added to it; NULL: it is taken and begins anew */
	struct statistics *taken;
};

static enum pr_status apply(int fd, const char *path, struct layout *layout, const struct change *change, struct pr_text *why)
{
	if (change->more != NULL) {
		merge(layout, change->more);
		return save(fd, path, layout, why);
	}
	if (ftruncate(fd, 0) != 0)
		return fail(PR_TEMPFAIL, path, strerror(errno), why);
	show(layout, change->taken);
	return PR_OK;
}

static enum pr_status change_file(const char *path, int64_t now, const struct change *change, struct pr_text *why)
{
	struct layout layout;
	int fd;
	enum pr_status status = open_loaded(path, true, now, &layout, &fd, why);

	if (status != PR_OK)
		return status;
	status = apply(fd, path, &layout, change, why);
	close(fd);
	return status;
}

enum pr_status statistics_add(const char *path, const struct statistics *more, int64_t now, struct pr_text *why)
{
	return change_file(path, now, &(struct change){.more = more}, why);
}

enum pr_status statistics_take(const char *path, int64_t now, struct statistics *statistics_out, struct pr_text *why)
{
	return change_file(path, now, &(struct change){.taken = statistics_out}, why);
}
