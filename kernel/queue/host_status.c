/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folders are opened one below the other with O_NOFOLLOW, so neither a strange host name nor a link in the tree leads out of it.
 * A file is written in one piece under its lock and then cut: who reads it meanwhile without the lock finds old text or new, and the last dot
 * tells a whole one.
 */
#include "kernel/queue/host_status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL_MAX 200
#define LABELS_MAX 40
#define FILE_MAX 4096

static bool is_label(struct pr_str label)
{
	if (label.len == 0 || label.len > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.len; i++) {
		unsigned char byte = (unsigned char)label.data[i];
		if (byte <= ' ' || byte == 0x7f || byte == '/')
			return false;
	}
	return true;
}

/* An address stands there as sendmail writes it, without its brackets: "[127.0.0.2]:2525" is 127.0.0.2:2525. */
static struct pr_str without_brackets(struct pr_str host, struct pr_text *room)
{
	size_t end = pr_str_find(host, ']');

	if (host.len == 0 || host.data[0] != '[' || end == host.len)
		return host;
	pr_text_add_str(room, pr_str_slice(host, 1, end));
	pr_text_add_str(room, pr_str_slice(host, end + 1, host.len));
	return pr_text_str(room);
}

static bool add_path(struct pr_str host, struct pr_text *out)
{
	size_t labels = 0;

	if (host.len > 0 && host.data[host.len - 1] == '.')
		host = pr_str_slice(host, 0, host.len - 1);
	if (host.len == 0 || host.len > HOST_STATUS_NAME_MAX)
		return false;
	for (bool more = true; more; labels++) {
		size_t dot = pr_str_find_last(host, '.');
		more = dot < host.len;
		struct pr_str label = more ? pr_str_slice(host, dot + 1, host.len) : host;
		if (!is_label(label) || labels == LABELS_MAX)
			return false;
		for (size_t i = 0; i < label.len; i++) /* one host has one file */
			pr_text_add_byte(out, label.data[i] >= 'A' && label.data[i] <= 'Z' ? (char)(label.data[i] + 32) : label.data[i]);
		pr_text_add_c(out, more ? "./" : "");
		host = pr_str_slice(host, 0, dot);
	}
	return !out->overflow;
}

bool host_status_path(struct pr_str host, struct pr_text *out)
{
	struct pr_text plain;

	pr_text_init(&plain, HOST_STATUS_NAME_MAX + 1);
	bool good = add_path(without_brackets(host, &plain), out);
	pr_text_fini(&plain);
	return good;
}

static int open_folder(int above, const char *name, bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(above, name, flags);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(above, name, 0755) != 0 && errno != EEXIST)
		return -1;
	return openat(above, name, flags);
}

/* The file below the directory, or -1 with errno. */
static int open_file(const char *directory, struct pr_str host, bool make)
{
	struct pr_text path;
	int folder = -1, fd = -1;

	pr_text_init(&path, 4 * HOST_STATUS_NAME_MAX);
	char *name = NULL, *slash;
	errno = EINVAL;
	if (host_status_path(host, &path)) {
		name = path.data;
		folder = open_folder(AT_FDCWD, directory, make);
	}
	while (folder >= 0 && (slash = strchr(name, '/')) != NULL) {
		*slash = '\0';
		int next = open_folder(folder, name, make);
		close(folder);
		folder = next;
		name = slash + 1;
	}
	if (folder >= 0) {
		fd = openat(folder, name, (make ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
		int error = errno;
		close(folder);
		errno = error;
	}
	pr_text_fini(&path);
	return fd;
}

static void add_line(struct pr_text *out, char letter, struct pr_str text)
{
	if (text.len == 0)
		return;
	pr_text_add_byte(out, letter);
	for (size_t i = 0; i < text.len && i < 900; i++)
		pr_text_add_byte(out, (unsigned char)text.data[i] < ' ' ? ' ' : text.data[i]);
	pr_text_add_byte(out, '\n');
}

bool host_status_write(const char *directory, struct pr_str host, const struct host_status *status)
{
	struct pr_text out;
	int fd = open_file(directory, host, true);

	if (fd < 0)
		return false;
	pr_text_init(&out, FILE_MAX);
	pr_text_addf(&out, "V0\nE%lld\nH%lld\nS%lld\n", (long long)status->error, (long long)status->resolver, (long long)status->status);
	add_line(&out, 'D', status->enhanced);
	add_line(&out, 'R', status->reply);
	pr_text_addf(&out, "U%lld\n.\n", (long long)status->when);
	bool good = flock(fd, LOCK_EX) == 0 && pwrite(fd, out.data, out.len, 0) == (ssize_t)out.len && ftruncate(fd, (off_t)out.len) == 0;
	int error = errno;
	close(fd);
	pr_text_fini(&out);
	errno = error;
	return good;
}

static bool take_line(struct pr_str line, struct pr_arena *arena, struct host_status *status)
{
	struct pr_str value = pr_str_slice(line, 1, line.len);
	uint64_t number = 0;

	switch (line.data[0]) {
	case 'D':
		status->enhanced = pr_arena_copy(arena, value);
		return true;
	case 'R':
		status->reply = pr_arena_copy(arena, value);
		return true;
	case 'V':
		return pr_str_number(value, 0, &number); /* a newer form is not ours to read */
	case 'E':
	case 'H':
	case 'S':
	case 'U':
		if (!pr_str_number(value, INT64_MAX, &number))
			return false;
		*(line.data[0] == 'E' ? &status->error : line.data[0] == 'H' ? &status->resolver : line.data[0] == 'S' ? &status->status : &status->when) =
		    (int64_t)number;
		return true;
	default:
		return true;
	}
}

bool host_status_parse(struct pr_str text, struct pr_arena *arena, struct host_status *status_out)
{
	struct host_status status = {.error = 0};
	struct pr_str line;

	while (pr_str_next(&text, '\n', &line)) {
		if (pr_str_equal(line, PR_STR("."))) {
			*status_out = status;
			return status.when > 0;
		}
		if (line.len > 0 && !take_line(line, arena, &status))
			return false;
	}
	return false;
}

enum pr_status host_status_read(const char *directory, struct pr_str host, struct pr_arena *arena, struct host_status *status_out)
{
	char text[FILE_MAX];
	int fd = open_file(directory, host, false);

	if (fd < 0)
		return errno == ENOENT || errno == EINVAL || errno == ENOTDIR ? PR_NOTFOUND : PR_TEMPFAIL;
	ssize_t got = pread(fd, text, sizeof text, 0);
	close(fd);
	if (got < 0)
		return PR_TEMPFAIL;
	return host_status_parse((struct pr_str){text, (size_t)got}, arena, status_out) ? PR_OK : PR_NOTFOUND;
}

struct walk {
	host_status_each *each;
	void *context;
};

/* `above` is what stands behind this folder's names: ".remote.example" */
static void walk_folder(const struct walk *walk, int fd, struct pr_str above, size_t depth)
{
	DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	struct stat info;
	struct pr_text name;

	if (folder == NULL) {
		close(fd);
		return;
	}
	pr_text_init(&name, 16384);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		size_t len = strlen(entry->d_name);
		pr_text_clear(&name);
		if (S_ISDIR(info.st_mode) && len > 1 && entry->d_name[len - 1] == '.' && depth < LABELS_MAX) {
			pr_text_addf(&name, ".%.*s%.*s", (int)len - 1, entry->d_name, PR_PRINT(above.data != NULL ? above : PR_STR("")));
			int below = open_folder(dirfd(folder), entry->d_name, false);
			if (below >= 0)
				walk_folder(walk, below, pr_text_str(&name), depth + 1);
		} else if (S_ISREG(info.st_mode)) {
			pr_text_addf(&name, "%s%.*s", entry->d_name, PR_PRINT(above.data != NULL ? above : PR_STR("")));
			walk->each(walk->context, dirfd(folder), entry->d_name, pr_text_str(&name));
		}
	}
	pr_text_fini(&name);
	closedir(folder);
}

bool host_status_walk(const char *directory, host_status_each *each, void *context)
{
	struct walk walk = {each, context};
	int fd = open_folder(AT_FDCWD, directory, false);

	if (fd < 0)
		return errno == ENOENT;
	walk_folder(&walk, fd, PR_NONE, 0);
	return true;
}
