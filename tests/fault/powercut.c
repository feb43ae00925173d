/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Undo lists under one lock, worked through backwards at the cut; system calls are made directly, past the shim's own functions.
 * What a directory lost is kept as a second name in ".cut", beside which nothing of the store looks.
 */
#include "tests/fault/powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECTOR 512
#define PATH 600

struct data_undo {
	struct data_undo *next; /* the newest first */
	char path[PATH];
	off_t offset;
	size_t len;
	char old[];
};

enum change { CREATED, RENAMED, UNLINKED };

struct name_undo {
	struct name_undo *next;
	enum change change;
	char path[PATH], second[PATH]; /* RENAMED: from, to */
	char kept[PATH];               /* what stood at the name before; "": nothing */
};

struct mapping {
	struct mapping *next;
	char path[PATH];
	size_t len;
	char *synced;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct data_undo *data;
static struct name_undo *names;
static struct mapping *mappings;
struct kept {
	struct kept *next;
	char path[PATH];
};

static struct kept *kept_names;
static unsigned int kept_count;
static bool cut;

static void *must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static void copy_path(char to[PATH], const char *from)
{
	if ((size_t)snprintf(to, PATH, "%s", from) >= PATH)
		abort();
}

static int raw_open(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static size_t raw_pread(int fd, char *buffer, size_t len, off_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t part = syscall(SYS_pread64, fd, buffer + got, len - got, offset + (off_t)got);

		if (part <= 0)
			break;
		got += (size_t)part;
	}
	return got;
}

static void raw_pwrite(int fd, const char *buffer, size_t len, off_t offset)
{
	if (syscall(SYS_pwrite64, fd, buffer, len, offset) != (ssize_t)len)
		abort();
}

void powercut_before_write(int fd, const char *path, off_t offset, size_t len)
{
	off_t first = offset / SECTOR * SECTOR;
	size_t span = (size_t)(offset - first) + len;
	struct data_undo *undo;

	/* a position that is the descriptor's own, for write() */
	if (offset < 0) {
		offset = lseek(fd, 0, SEEK_CUR);
		first = offset / SECTOR * SECTOR;
		span = (size_t)(offset - first) + len;
	}
	undo = must(calloc(1, sizeof *undo + span));
	copy_path(undo->path, path);
	undo->offset = first;
	undo->len = span;

	int reader = raw_open(path, O_RDONLY);

	if (reader >= 0) {
		raw_pread(reader, undo->old, span, first); /* beyond the end: zeros */
		syscall(SYS_close, reader);
	}
	pthread_mutex_lock(&lock);
	undo->next = data;
	data = undo;
	pthread_mutex_unlock(&lock);
}

static void keep_second_name(const char *path, char kept_out[PATH])
{
	char folder[PATH], name[PATH + 40];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof folder, "%.*s/.cut", (int)(slash - path), path);
	syscall(SYS_mkdirat, AT_FDCWD, folder, 0700);
	snprintf(name, sizeof name, "%s/%u", folder, kept_count++);
	kept_out[0] = '\0';
	if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, name, 0) != 0)
		return;
	struct kept *kept = must(calloc(1, sizeof *kept));
	copy_path(kept->path, name);
	kept->next = kept_names;
	kept_names = kept;
	copy_path(kept_out, name);
}

static struct name_undo *new_name(enum change change, const char *path, const char *second)
{
	struct name_undo *undo = must(calloc(1, sizeof *undo));

	undo->change = change;
	copy_path(undo->path, path);
	copy_path(undo->second, second);
	undo->next = names;
	names = undo;
	return undo;
}

void powercut_created(const char *path)
{
	pthread_mutex_lock(&lock);
	new_name(CREATED, path, "");
	pthread_mutex_unlock(&lock);
}

static void move_data(const char *from, const char *to)
{
	for (struct data_undo *undo = data; undo != NULL; undo = undo->next)
		if (strcmp(undo->path, from) == 0)
			copy_path(undo->path, to);
}

void powercut_before_rename(const char *from, const char *to)
{
	pthread_mutex_lock(&lock);

	struct name_undo *undo = new_name(RENAMED, from, to);

	keep_second_name(to, undo->kept);
	if (undo->kept[0] != '\0')
		move_data(to, undo->kept);
	move_data(from, to);
	pthread_mutex_unlock(&lock);
}

void powercut_before_unlink(const char *path)
{
	pthread_mutex_lock(&lock);

	struct name_undo *undo = new_name(UNLINKED, path, "");

	keep_second_name(path, undo->kept);
	if (undo->kept[0] != '\0')
		move_data(path, undo->kept);
	pthread_mutex_unlock(&lock);
}

static void read_mapping(struct mapping *mapping)
{
	int fd = raw_open(mapping->path, O_RDONLY);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		free(mapping->synced);
		mapping->len = (size_t)st.st_size;
		mapping->synced = must(calloc(1, mapping->len + 1));
		raw_pread(fd, mapping->synced, mapping->len, 0);
	}
	syscall(SYS_close, fd);
}

static void forget_data(const char *path)
{
	for (struct data_undo **link = &data; *link != NULL;) {
		struct data_undo *undo = *link;

		if (path != NULL && strcmp(undo->path, path) != 0) {
			link = &undo->next;
			continue;
		}
		*link = undo->next;
		free(undo);
	}
	for (struct mapping *mapping = mappings; mapping != NULL; mapping = mapping->next)
		if (path == NULL || strcmp(mapping->path, path) == 0)
			read_mapping(mapping);
}

static bool is_in(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return strncmp(path, directory, len) == 0 && path[len] == '/' && strchr(path + len + 1, '/') == NULL;
}

static void forget_names(const char *directory)
{
	for (struct name_undo **link = &names; *link != NULL;) {
		struct name_undo *undo = *link;

		if (directory != NULL && !is_in(undo->path, directory)) {
			link = &undo->next;
			continue;
		}
		*link = undo->next;
		free(undo);
	}
}

void powercut_synced_file(const char *path)
{
	pthread_mutex_lock(&lock);
	forget_data(path);
	pthread_mutex_unlock(&lock);
}

void powercut_synced_directory(const char *path)
{
	pthread_mutex_lock(&lock);
	forget_names(path);
	pthread_mutex_unlock(&lock);
}

void powercut_synced_all(void)
{
	pthread_mutex_lock(&lock);
	forget_data(NULL);
	forget_names(NULL);
	pthread_mutex_unlock(&lock);
}

void powercut_mapped(const char *path)
{
	struct mapping *mapping = must(calloc(1, sizeof *mapping));

	copy_path(mapping->path, path);
	pthread_mutex_lock(&lock);
	read_mapping(mapping);
	mapping->next = mappings;
	mappings = mapping;
	pthread_mutex_unlock(&lock);
}

static bool by_chance(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16 & 1) != 0;
}

static void take_back_pieces(const char *path, const char *old, size_t len, off_t offset, unsigned int *seed)
{
	int fd = raw_open(path, O_RDWR);

	if (fd < 0)
		return;
	for (size_t at = 0; at < len; at += SECTOR) {
		size_t piece = len - at < SECTOR ? len - at : SECTOR;

		if (by_chance(seed))
			raw_pwrite(fd, old + at, piece, offset + (off_t)at);
	}
	syscall(SYS_close, fd);
}

/* A change that another thread had announced and not made yet: both names are still those of one file, and there is nothing to take back. */
static bool was_not_made(const struct name_undo *undo)
{
	const char *name = undo->change == RENAMED ? undo->second : undo->path;
	struct stat one, other;

	return undo->kept[0] != '\0' && fstatat(AT_FDCWD, undo->kept, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(AT_FDCWD, name, &other, AT_SYMLINK_NOFOLLOW) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void take_back_name(const struct name_undo *undo)
{
	if (was_not_made(undo)) {
		syscall(SYS_unlinkat, AT_FDCWD, undo->kept, 0);
		return;
	}
	if (undo->change == CREATED)
		syscall(SYS_unlinkat, AT_FDCWD, undo->path, 0);
	if (undo->change == RENAMED)
		syscall(SYS_renameat2, AT_FDCWD, undo->second, AT_FDCWD, undo->path, 0);
	if (undo->kept[0] != '\0')
		syscall(SYS_renameat2, AT_FDCWD, undo->kept, AT_FDCWD, undo->change == RENAMED ? undo->second : undo->path, 0);
}

/* A change that was announced, is not among those that are taken back, and had not been made: its file must not keep the name of ours. */
static void drop_second_names(void)
{
	struct stat st;

	for (const struct kept *kept = kept_names; kept != NULL; kept = kept->next)
		if (fstatat(AT_FDCWD, kept->path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1)
			syscall(SYS_unlinkat, AT_FDCWD, kept->path, 0);
}

void powercut_now(unsigned int seed)
{
	unsigned int count = 0, lost;

	pthread_mutex_lock(&lock);
	if (cut)
		pause();
	cut = true;
	seed = seed * 2654435761u + 1;
	for (const struct data_undo *undo = data; undo != NULL; undo = undo->next)
		take_back_pieces(undo->path, undo->old, undo->len, undo->offset, &seed);
	for (const struct mapping *mapping = mappings; mapping != NULL; mapping = mapping->next)
		take_back_pieces(mapping->path, mapping->synced, mapping->len, 0, &seed);
	for (const struct name_undo *undo = names; undo != NULL; undo = undo->next)
		count++;
	by_chance(&seed);
	lost = count == 0 ? 0 : (seed >> 8) % (count + 1);
	for (const struct name_undo *undo = names; undo != NULL && lost > 0; undo = undo->next, lost--)
		take_back_name(undo);
	drop_second_names();
	syscall(SYS_kill, getpid(), SIGKILL);
}
