/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a file whole and replacing one whole.
 * Reading opens without blocking and looks at what it got, so a FIFO in the place of
 * a table cannot stop the daemon; replacing goes by a new file, fsync and rename,
 * so that a reader or a power cut sees the old contents or the new, never a mixture.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <postrider/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool pr_write_all(int fd, const void *data, size_t len)
{
	const char *next = data;

	while (len > 0) {
		ssize_t written = write(fd, next, len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		if (written == 0) {
			errno = EIO;
			return false;
		}
		next += written;
		len -= (size_t)written;
	}
	return true;
}

/* errno at its birth becomes the sentence and the status.  "Permission denied" is something an
 * administrator can mend, so mail waits for it. */
static enum pr_status failed(struct pr_text *why, const char *path, const char *doing)
{
	int error = errno;

	pr_text_addf(why, "%s: %s: %s", path, doing, strerror(error));
	return PR_TEMPFAIL;
}

static enum pr_status check_regular(int fd, const char *path, size_t max, struct pr_text *why)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return failed(why, path, "cannot look at it");
	if (!S_ISREG(status.st_mode)) {
		pr_text_addf(why, "%s: not a regular file", path);
		return PR_PERMFAIL;
	}
	if ((uintmax_t)status.st_size > max) {
		pr_text_addf(why, "%s: %jd bytes, the limit is %zu", path, (intmax_t)status.st_size, max);
		return PR_PERMFAIL;
	}
	return PR_OK;
}

static enum pr_status read_all(int fd, const char *path, size_t max, struct pr_text *text, struct pr_text *why)
{
	char buffer[16384];
	size_t total = 0;

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(why, path, "cannot read");
		if (got == 0)
			return PR_OK;
		/* it may have grown since we looked at its size */
		if ((size_t)got > max - total || !pr_text_add(text, buffer, (size_t)got)) {
			pr_text_addf(why, "%s: larger than the limit of %zu bytes", path, max);
			return PR_PERMFAIL;
		}
		total += (size_t)got;
	}
}

enum pr_status pr_file_read(const char *path, size_t max, struct pr_text *text, struct pr_text *why)
{
	size_t before = text->len;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		bool absent = errno == ENOENT || errno == ENOTDIR;
		failed(why, path, "cannot open");
		return absent ? PR_NOTFOUND : PR_TEMPFAIL;
	}
	enum pr_status status = check_regular(fd, path, max, why);
	if (status == PR_OK)
		status = read_all(fd, path, max, text, why);
	if (status == PR_OK)
		pr_text_add(text, NULL, 0); /* an empty file also ends in NUL */
	else
		pr_text_cut(text, before);
	close(fd);
	return status;
}

static enum pr_status sync_directory(const char *path, struct pr_text *why)
{
	char *directory = pr_copy_c(path);
	char *slash = strrchr(directory, '/');
	enum pr_status status = PR_OK;

	if (slash != NULL)
		slash[slash == directory ? 1 : 0] = '\0';
	int fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		status = failed(why, path, "cannot make its directory durable");
	if (fd >= 0)
		close(fd);
	pr_free(directory);
	return status;
}

static enum pr_status write_new(int fd, const char *name, uint32_t mode, struct pr_str contents, struct pr_text *why)
{
	/* fchmod: what the caller asked for, whatever the umask */
	if (fchmod(fd, (mode_t)mode) != 0)
		return failed(why, name, "cannot set the mode");
	if (!pr_write_all(fd, contents.data, contents.len))
		return failed(why, name, "cannot write");
	if (fsync(fd) != 0)
		return failed(why, name, "cannot make it durable");
	return PR_OK;
}

enum pr_status pr_file_replace(const char *path, uint32_t mode, struct pr_str contents, struct pr_text *why)
{
	struct pr_text name;
	enum pr_status status;

	pr_text_init(&name, strlen(path) + 16);
	pr_text_addf(&name, "%s.new.XXXXXX", path);
	int fd = mkostemp(name.data, O_CLOEXEC);
	if (fd < 0) {
		status = failed(why, path, "cannot create a new file beside it");
		goto out;
	}
	status = write_new(fd, name.data, mode, contents, why);
	if (close(fd) != 0 && status == PR_OK)
		status = failed(why, name.data, "cannot close");
	if (status == PR_OK && rename(name.data, path) != 0)
		status = failed(why, path, "cannot put the new file in place");
	if (status != PR_OK)
		unlink(name.data);
	else
		status = sync_directory(path, why);
out:
	pr_text_fini(&name);
	return status;
}
