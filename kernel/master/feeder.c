/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Works relative to one descriptor of the directory, and compares the inode before a name is unlinked, so a user who plays with
 * his own file names can only harm his own file.
 */
#include "kernel/master/feeder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 200            /* files */
#define BATCH_PER_USER 50
#define ENVELOPE_ROOM 1048576 /* what the dialogue may add to MaxMessageSize */
#define SIZE_LIMIT (2ull << 30)
#define ORPHAN_SECONDS 86400
#define REPLY_SECONDS 300
#define LIFE_SECONDS 1800

static const char refused[] = "refused, kept as .bad-NAME";

struct quota {
	uid_t uid;
	unsigned int files;
};

struct batch {
	const struct feeder *feeder;
	int directory;
	struct quota quotas[BATCH];
	size_t quota_count;
	unsigned int files;
	bool more;
	bool unreachable; /* the receiver does not answer: no use in going on */
};

static void report(const struct batch *batch, const char *name, uid_t uid, const char *what, struct pr_str why)
{
	struct pr_text line;

	pr_text_init(&line, 3000);
	pr_text_add_c(&line, "drop file ");
	pr_text_add_escaped(&line, pr_str(name), 200);
	pr_text_addf(&line, " of uid %lu: %s", (unsigned long)uid, what);
	if (why.len > 0) {
		pr_text_add_c(&line, ": ");
		pr_text_add_escaped(&line, why, 2000);
	}
	pr_text_add_byte(&line, '\n');
	(void)pr_write_all(batch->feeder->report, line.data, line.len);
	pr_text_fini(&line);
}

static bool is_same(const struct batch *batch, const char *name, const struct stat *info)
{
	struct stat now;

	return fstatat(batch->directory, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == info->st_ino &&
	       now.st_dev == info->st_dev;
}

static bool rename_aside(const struct batch *batch, const char *name, const char *aside)
{
	return renameat2(batch->directory, name, batch->directory, aside, RENAME_NOREPLACE) == 0;
}

static void set_aside(const struct batch *batch, const char *name, const struct stat *info, const char *what,
                      struct pr_str why)
{
	struct pr_text bad;

	report(batch, name, info->st_uid, what, why);
	if (!is_same(batch, name, info))
		return;
	pr_text_init(&bad, 255);
	bool done = pr_text_addf(&bad, ".bad-%s", name) && rename_aside(batch, name, bad.data);
	pr_text_clear(&bad);
	/* a name that is too long, or taken by another's file, which a rename by root would destroy */
	if (!done && pr_text_addf(&bad, ".bad-%.100s-%llu", name, (unsigned long long)info->st_ino))
		done = rename_aside(batch, name, bad.data);
	if (!done)
		report(batch, name, info->st_uid, "cannot be set aside", pr_str(strerror(errno)));
	pr_text_fini(&bad);
}

static bool take_quota(struct batch *batch, uid_t uid)
{
	size_t i = 0;

	while (i < batch->quota_count && batch->quotas[i].uid != uid)
		i++;
	if (i == batch->quota_count) {
		if (i == BATCH)
			return false;
		batch->quotas[batch->quota_count++] = (struct quota){.uid = uid};
	}
	return batch->quotas[i].files++ < BATCH_PER_USER;
}

static bool copy_bytes(int from, int to, uint64_t limit)
{
	char bytes[65536];
	uint64_t total = 0;

	for (;;) {
		ssize_t got = read(from, bytes, sizeof bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		total += (uint64_t)got;
		if (total > limit || !pr_write_all(to, bytes, (size_t)got))
			return false;
	}
}

static int connect_receiver(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = REPLY_SECONDS};
	size_t len = strlen(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || len >= sizeof address.sun_path) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	memcpy(address.sun_path, path, len);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The talker's life: it has the connection (whose peer credentials are still the master's) and the copy, and no rights. */
static enum feeder_result talk(const struct feeder *feeder, int fd, int copy, uid_t uid, struct pr_text *why)
{
	struct stat info;
	enum feeder_result result = FEEDER_LATER;

	if (!identity_become(feeder->talker) || fstat(copy, &info) != 0 || info.st_size <= 0)
		return FEEDER_LATER;
	void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, copy, 0);
	if (bytes != MAP_FAILED) {
		result = feeder_talk(fd, (struct pr_str){bytes, (size_t)info.st_size}, (uint32_t)uid, why);
		(void)munmap(bytes, (size_t)info.st_size);
	}
	return result;
}

/* Forks the talker; its sentence comes back through a pipe. */
static enum feeder_result feed_copy(const struct batch *batch, int copy, uid_t uid, struct pr_text *why)
{
	int fd = connect_receiver(batch->feeder->socket_path);
	int pair[2], status = 0;
	char bytes[1024];

	if (fd < 0 || pipe2(pair, O_CLOEXEC) != 0) {
		if (fd >= 0)
			close(fd);
		pr_text_add_c(why, "the receiver does not answer");
		return FEEDER_LATER;
	}
	pid_t pid = fork();
	if (pid == 0) {
		(void)alarm(LIFE_SECONDS / 2);
		enum feeder_result result = talk(batch->feeder, fd, copy, uid, why);
		(void)pr_write_all(pair[1], why->data, why->len);
		_exit((int)result);
	}
	close(fd);
	close(pair[1]);
	for (ssize_t got; pid > 0 && (got = read(pair[0], bytes, sizeof bytes)) > 0;)
		(void)pr_text_add(why, bytes, (size_t)got);
	close(pair[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > FEEDER_PARTLY)
		return FEEDER_LATER;
	return (enum feeder_result)WEXITSTATUS(status);
}

static void feed_checked(struct batch *batch, const char *name, int fd, const struct stat *info, uint64_t limit)
{
	struct pr_text why;
	enum feeder_result result = FEEDER_LATER;
	int copy = memfd_create("drop", MFD_CLOEXEC);

	pr_text_init(&why, 2000);
	if (copy >= 0 && copy_bytes(fd, copy, limit))
		result = feed_copy(batch, copy, info->st_uid, &why);
	else
		pr_text_addf(&why, "cannot copy it: %s", strerror(errno));
	switch (result) {
	case FEEDER_DONE:
		report(batch, name, info->st_uid, "queued", PR_NONE);
		if (is_same(batch, name, info))
			(void)unlinkat(batch->directory, name, 0);
		break;
	case FEEDER_LATER: /* a file that only fails itself must not hold up those behind it */
		report(batch, name, info->st_uid, "waits", pr_text_str(&why));
		batch->unreachable = strncmp(why.data, "the receiver", 12) == 0;
		break;
	case FEEDER_REFUSED:
		set_aside(batch, name, info, refused, pr_text_str(&why));
		break;
	case FEEDER_PARTLY:
		set_aside(batch, name, info, "queued in part, kept as .bad-NAME", pr_text_str(&why));
		break;
	}
	if (copy >= 0)
		close(copy);
	pr_text_fini(&why);
}

static void feed_file(struct batch *batch, const char *name)
{
	uint64_t limit = batch->feeder->max_message > 0 ? batch->feeder->max_message + ENVELOPE_ROOM : SIZE_LIMIT;
	struct stat info;
	int fd = openat(batch->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &info) != 0) {
		struct stat link;
		if (errno != ENOENT && fstatat(batch->directory, name, &link, AT_SYMLINK_NOFOLLOW) == 0)
			set_aside(batch, name, &link, refused, PR_STR("it cannot be opened"));
	} else if (!S_ISREG(info.st_mode)) {
		set_aside(batch, name, &info, refused, PR_STR("it is no regular file"));
	} else if (info.st_nlink != 1) {
		set_aside(batch, name, &info, refused, PR_STR("it has several links"));
	} else if (info.st_size == 0) {
		set_aside(batch, name, &info, refused, PR_STR("it is empty"));
	} else if ((uint64_t)info.st_size > limit) {
		set_aside(batch, name, &info, refused, PR_STR("it is larger than MaxMessageSize"));
	} else if (batch->files >= BATCH || !take_quota(batch, info.st_uid)) {
		batch->more = true;
	} else {
		batch->files++;
		feed_checked(batch, name, fd, &info, limit);
	}
	if (fd >= 0)
		close(fd);
}

/* A dot-name is a file that is being written; a day later its writer is no more. */
static void remove_orphan(const struct batch *batch, const char *name)
{
	struct stat info;

	if (strncmp(name, ".bad-", 5) == 0 || fstatat(batch->directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (!S_ISDIR(info.st_mode) && info.st_mtime < time(NULL) - ORPHAN_SECONDS) {
		report(batch, name, info.st_uid, "removed, half-written for a day", PR_NONE);
		(void)unlinkat(batch->directory, name, 0);
	}
}

int feeder_run(const struct feeder *feeder)
{
	struct batch *batch = pr_alloc(sizeof *batch);
	struct dirent *entry;
	int status = 1;

	(void)alarm(LIFE_SECONDS);
	batch->feeder = feeder;
	batch->directory = open(feeder->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int listing = batch->directory < 0 ? -1 : fcntl(batch->directory, F_DUPFD_CLOEXEC, 3);
	DIR *directory = listing < 0 ? NULL : fdopendir(listing);
	while (directory != NULL && !batch->unreachable && (entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_name[0] == '.')
			remove_orphan(batch, entry->d_name);
		else
			feed_file(batch, entry->d_name);
	}
	if (directory != NULL) {
		(void)closedir(directory);
		status = batch->more && batch->files > 0 && !batch->unreachable ? FEEDER_MORE : 0;
	}
	if (batch->directory >= 0)
		close(batch->directory);
	pr_free(batch);
	return status;
}
