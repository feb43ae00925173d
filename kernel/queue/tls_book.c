/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The files of tls_record.h.  Lines are added under a lock of the file; who finds that it was replaced meanwhile opens it again.
 * Two couriers may be there at once, while one hands over to the other, and none waits for a disk: a count that a power cut takes is no mail.
 */
#include "kernel/queue/tls_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64u << 20)
#define COMPACT_AT (4u << 20)
#define OPEN_TRIES 5
#define PATH_ROOM 4096

static bool complain(struct pr_text *why, const char *what, const char *path)
{
	pr_text_addf(why, "%s %s: %s", what, path, strerror(errno));
	return false;
}

static bool is_still_there(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* With its lock; -1 and errno. */
static int open_locked(const char *path)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) == 0 && is_still_there(fd, path))
			return fd;
		close(fd);
	}
	errno = EAGAIN;
	return -1;
}

static bool add_line(struct tls_tally *tally, struct pr_str line)
{
	size_t tab = pr_str_find(line, '\t');
	uint64_t count = 0;

	if (tab == line.len || !pr_str_number(pr_str_slice(line, 0, tab), UINT32_MAX, &count))
		return true; /* not ours */
	return tls_tally_add(tally, pr_str_slice(line, tab + 1, line.len), count);
}

static enum pr_status read_file(const char *path, struct tls_tally *tally, struct pr_text *why)
{
	struct pr_text text;

	pr_text_init(&text, FILE_MAX);
	enum pr_status status = pr_file_read(path, FILE_MAX, &text, why);
	struct pr_str rest = pr_text_str(&text);
	for (size_t end; status == PR_OK && (end = pr_str_find(rest, '\n')) < rest.len; rest = pr_str_slice(rest, end + 1, rest.len))
		(void)add_line(tally, pr_str_slice(rest, 0, end)); /* what a full tally does not take is left out */
	pr_text_fini(&text);
	return status;
}

static void print_line(void *context, struct pr_str record, uint64_t count)
{
	struct pr_text *out = context;

	for (; count > 0; count -= count < UINT32_MAX ? count : UINT32_MAX)
		pr_text_addf(out, "%llu\t%.*s\n", (unsigned long long)(count < UINT32_MAX ? count : UINT32_MAX), PR_PRINT(record));
}

/* Each record once, those that were there before first; new ones as far as there is room. */
static bool compact(struct tls_book *book, const char *path, const struct pr_text *more, struct pr_text *why)
{
	struct tls_tally *tally = tls_tally_new(TLS_RECORDS_MAX);
	struct pr_str rest = pr_text_str(more), line;
	struct pr_text text;
	bool all = true;

	pr_text_init(&text, FILE_MAX);
	bool done = read_file(path, tally, why) == PR_OK;
	while (pr_str_next(&rest, '\n', &line))
		all = add_line(tally, line) && all;
	tls_tally_walk(tally, print_line, &text);
	done = done && pr_file_replace(path, 0600, pr_text_str(&text), why) == PR_OK;
	book->compacted = text.len;
	if (done && !all)
		pr_text_addf(why, "%s has %d different records: new ones are not counted", path, TLS_RECORDS_MAX);
	pr_text_fini(&text);
	tls_tally_free(tally);
	return done && all;
}

static bool add_text(struct tls_book *book, int fd, const char *path, const struct pr_text *text, struct pr_text *why)
{
	size_t most = 2 * book->compacted > COMPACT_AT ? 2 * book->compacted : COMPACT_AT;
	struct stat info;

	if (fstat(fd, &info) != 0)
		return complain(why, "cannot look at", path);
	if ((size_t)info.st_size + text->len > most)
		return compact(book, path, text, why);
	return pr_write_all(fd, text->data, text->len) || complain(why, "cannot write", path);
}

bool tls_book_add(struct tls_book *book, const char *directory, const char *day, const struct tls_tally *tally, struct pr_text *why)
{
	char path[PATH_ROOM];
	struct pr_text text;
	bool done = false;

	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return complain(why, "cannot make directory", directory);
	pr_print(path, sizeof path, "%s/%s", directory, day);
	int fd = open_locked(path);
	if (fd < 0)
		return complain(why, "cannot open", path);
	pr_text_init(&text, FILE_MAX);
	tls_tally_walk(tally, print_line, &text);
	done = add_text(book, fd, path, &text, why);
	pr_text_fini(&text);
	close(fd);
	return done;
}

enum pr_status tls_book_read(const char *directory, const char *day, struct tls_tally *tally, struct pr_text *why)
{
	char path[PATH_ROOM];

	pr_print(path, sizeof path, "%s/%s", directory, day);
	return read_file(path, tally, why);
}

void tls_book_sweep(const char *directory, int64_t now)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;
	int64_t begin;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (tls_day_parse(pr_str(entry->d_name), &begin) && begin < now - (int64_t)TLS_DAYS * 86400)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
}
