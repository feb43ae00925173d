/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is written and synced under a unique name in tmp/, then renamed into new/, and the directory synced: readers never
 * see a part of it, and no lock is needed.  Every step goes through descriptors of the directories, whose owner was checked.
 */
#include "kernel/helper/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct maildir {
	const char *path;
	struct pr_text *why;
	int top, tmp, new;
};

static int open_directory(struct maildir *maildir, int at, const char *name, enum pr_status *status)
{
	struct stat info;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && (mkdirat(at, name, 0700) == 0 || errno == EEXIST))
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0) {
		*status = delivery_fail(maildir->why, "open", at == AT_FDCWD ? name : maildir->path);
	} else if (info.st_uid != geteuid()) {
		pr_text_addf(maildir->why, "%s: directory belongs to another user", maildir->path);
		*status = PR_PERMFAIL;
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The directories above, where they are missing. */
static void make_parents(const char *path)
{
	char *copy = pr_copy_c(path);

	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(copy, 0700); /* the open that follows tells what is wrong */
		*slash = '/';
	}
	pr_free(copy);
}

static enum pr_status open_all(struct maildir *maildir)
{
	enum pr_status status = PR_OK;

	make_parents(maildir->path);
	maildir->top = open_directory(maildir, AT_FDCWD, maildir->path, &status);
	if (status == PR_OK)
		maildir->tmp = open_directory(maildir, maildir->top, "tmp", &status);
	if (status == PR_OK)
		maildir->new = open_directory(maildir, maildir->top, "new", &status);
	if (status == PR_OK) {
		int cur = open_directory(maildir, maildir->top, "cur", &status);
		if (cur >= 0)
			close(cur);
	}
	return status;
}

static void make_name(char *name, size_t size)
{
	static unsigned int count;
	struct timespec now;
	char host[256] = "localhost";

	(void)gethostname(host, sizeof host - 1);
	for (char *at = host; *at != '\0'; at++)
		if (*at == '/' || *at == ':')
			*at = '_';
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, size, "%lld.M%06ldP%ldQ%u.%.200s", (long long)now.tv_sec, now.tv_nsec / 1000, (long)getpid(),
	               ++count, host);
}

static enum pr_status deliver(struct maildir *maildir, const struct message *message)
{
	char name[320];
	bool newline;

	make_name(name, sizeof name);
	int fd = openat(maildir->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return delivery_fail(maildir->why, "write into", maildir->path);
	bool good = message_copy(message, fd, (message->flags & HELPER_QUOTE_FROM) != 0, &newline) && fsync(fd) == 0;
	int failure = errno;
	if (close(fd) != 0 && good) {
		good = false;
		failure = errno;
	}
	if (good && renameat(maildir->tmp, name, maildir->new, name) == 0) {
		if (fsync(maildir->new) == 0)
			return PR_OK;
		failure = errno;
		(void)unlinkat(maildir->new, name, 0); /* whether it would last is not known: it comes again */
	} else if (good) {
		failure = errno;
	}
	(void)unlinkat(maildir->tmp, name, 0);
	errno = failure;
	return delivery_fail(maildir->why, "write into", maildir->path);
}

enum pr_status maildir_deliver(const char *path, const struct message *message, struct pr_text *why)
{
	struct maildir maildir = {.path = path, .why = why, .top = -1, .tmp = -1, .new = -1};
	enum pr_status status = open_all(&maildir);

	if (status == PR_OK)
		status = deliver(&maildir, message);
	const int all[] = {maildir.top, maildir.tmp, maildir.new};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] >= 0)
			close(all[i]);
	return status;
}
