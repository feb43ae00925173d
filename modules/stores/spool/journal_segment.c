/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The files of the journal: names, making them, and telling a live one from one that was left.
 * A new file is written full once, because an ext4 extent that was only reserved costs a commit of the file system's own journal with
 * its first write; after that a write changes nothing but data.
 */
#include "spool.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DIRECTORY_MODE 01770
#define CHUNK (256u << 10)

struct journal_file_name journal_log_name(uint32_t number)
{
	struct journal_file_name name;

	snprintf(name.text, sizeof name.text, "%03u.log", number % 1000);
	return name;
}

struct journal_file_name journal_done_name(uint32_t number)
{
	struct journal_file_name name;

	snprintf(name.text, sizeof name.text, "%03u.done", number % 1000);
	return name;
}

struct journal_file_name journal_mark_name(uint32_t number)
{
	struct journal_file_name name;

	snprintf(name.text, sizeof name.text, "%03u.mark", number % 1000);
	return name;
}

/* The directory belongs to the owner of the queue, who delivers; whoever else may accept waits until it is there. */
static int make_directory(const struct spool *spool)
{
	struct stat base;
	int fd;

	if (fstat(spool->base_fd, &base) != 0 || (geteuid() != 0 && geteuid() != base.st_uid))
		return -1;
	if (mkdirat(spool->base_fd, "journal", 0700) != 0 && errno != EEXIST)
		return -1;
	fd = openat(spool->base_fd, "journal", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if ((geteuid() == 0 && fchown(fd, base.st_uid, base.st_gid) != 0) || fchmod(fd, DIRECTORY_MODE) != 0 ||
	    fsync(spool->base_fd) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool open_directory(struct spool *spool)
{
	int fd = openat(spool->base_fd, "journal", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && (spool->role & (PR_STORE_INTAKE | PR_STORE_DELIVERY)) != 0)
		fd = make_directory(spool);
	spool->journal.open_error = fd < 0 ? errno : 0;
	spool->journal.directory = fd;
	return fd >= 0;
}

bool journal_open_directory(struct spool *spool)
{
	struct journal *journal = &spool->journal;
	struct timespec now;

	if (atomic_load_explicit(&journal->ready, memory_order_acquire))
		return true;
	if (journal->count == 0)
		return false;
	pthread_mutex_lock(&journal->opening);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (journal->directory < 0 && now.tv_sec >= journal->next_open) {
		journal->next_open = now.tv_sec + 1;
		if (open_directory(spool))
			atomic_store_explicit(&journal->ready, true, memory_order_release);
	}
	pthread_mutex_unlock(&journal->opening);
	return atomic_load_explicit(&journal->ready, memory_order_acquire);
}

static bool fill(int fd, size_t size)
{
	char *zeros = pr_alloc(CHUNK);
	int error = posix_fallocate(fd, 0, (off_t)size);
	bool good = error == 0;

	if (!good)
		errno = error; /* it does not say so itself */
	for (size_t at = 0; good && at < size; at += CHUNK)
		good = pr_write_all(fd, zeros, size - at < CHUNK ? size - at : CHUNK);
	pr_free(zeros);
	return good && fdatasync(fd) == 0;
}

/* What root makes (handback) belongs to the owner of the directory, who must go on with it. */
static bool give_to_owner(int directory, int fd)
{
	struct stat owner;

	return geteuid() != 0 || (fstat(directory, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0);
}

int journal_create(int directory, const char *name, size_t size, uint32_t mode)
{
	int fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode), error;

	if (fd < 0)
		return -1;
	/* until it is full it is nobody else's; before that its size says so */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && give_to_owner(directory, fd) && fchmod(fd, mode) == 0 && fill(fd, size) && fsync(directory) == 0)
		return fd;
	error = errno;
	unlinkat(directory, name, 0);
	close(fd);
	errno = error;
	return -1;
}

bool journal_read_head(int fd, uint32_t number, struct journal_head *head_out)
{
	struct journal_head head;

	if (pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && journal_head_is_good(&head, number)) {
		*head_out = head;
		return true;
	}
	memset(head_out, 0, sizeof *head_out);
	return false;
}

bool journal_is_live(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return true;
	flock(fd, LOCK_UN);
	return false;
}
