/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hoststat and purgestat: the files of HostStatusDirectory as a table, in sendmail's columns, and the end of those that nobody
 * believes any more.  What is being written by somebody else is locked: it is shown with a star and not removed.
 */
#include "kernel/command/modes.h"

#include "kernel/queue/host_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SHOWN 25
#define SHOWN_VERBOSE 78
#define FILE_MAX 4096

struct table {
	bool verbose;
	int64_t now, oldest;
	const char *title; /* before the first row */
};

static void add_age(struct pr_text *out, int64_t seconds)
{
	seconds = seconds < 0 ? 0 : seconds;
	if (seconds >= 86400)
		pr_text_addf(out, "%lld+", (long long)seconds / 86400);
	pr_text_addf(out, "%02d:%02d:%02d", (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static void add_result(struct pr_text *out, const struct host_status *status)
{
	char text[128];

	if (status->reply.len > 0)
		pr_text_add_escaped(out, status->reply, 900);
	else if (status->error != 0)
		pr_text_addf(out, "Deferred: %s", strerror_r((int)status->error, text, sizeof text));
	else if (status->status == 0)
		pr_text_add_c(out, "OK");
	else
		pr_text_add_c(out, status->status == EX_TEMPFAIL ? "4.0.0 Deferred" : "5.0.0 Service unavailable");
}

static void print_row(struct table *table, char flag, struct pr_str name, const struct host_status *status)
{
	struct pr_text age, result, host;

	pr_text_init(&age, 64);
	pr_text_init(&result, 8192);
	pr_text_init(&host, 8192);
	add_age(&age, table->now - status->when);
	add_result(&result, status);
	pr_text_add_escaped(&host, name, 2000);
	fputs(table->title, stdout);
	table->title = "";
	printf("%c%-39s %12s %.*s\n", flag, host.data, age.data, table->verbose ? SHOWN_VERBOSE : SHOWN, result.data);
	pr_text_fini(&host);
	pr_text_fini(&result);
	pr_text_fini(&age);
}

static void show(void *context, int folder, const char *file, struct pr_str name)
{
	char text[FILE_MAX];
	struct host_status status;
	struct pr_arena arena;
	int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	ssize_t got = pread(fd, text, sizeof text, 0);
	close(fd);
	pr_arena_init(&arena, 16384);
	if (got > 0 && host_status_parse((struct pr_str){text, (size_t)got}, &arena, &status))
		print_row(context, locked ? '*' : ' ', name, &status);
	pr_arena_fini(&arena);
}

static void purge(void *context, int folder, const char *file, struct pr_str name)
{
	const struct table *table = context;
	struct stat info;
	int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	(void)name;
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &info) == 0 && info.st_mtime < table->oldest)
		(void)unlinkat(folder, file, 0);
	close(fd);
}

/* The directory as a path; false: none is configured, and sendmail says nothing then. */
static int find(const struct arguments *arguments, struct table *table, struct pr_text *path)
{
	struct config *config;

	int status = tool_config(arguments, &config);
	if (status != EX_OK)
		return status;
	options_host_status_path(&config->options, path);
	*table = (struct table){.verbose = arguments->verbose, .now = time(NULL)};
	table->oldest = table->now - config->options.timeout_hoststatus;
	config_free(config);
	return EX_OK;
}

static int walk(const struct arguments *arguments, host_status_each *each, const char *title)
{
	struct table table;
	struct pr_text path;

	pr_text_init(&path, 4096);
	int status = find(arguments, &table, &path);
	if (status == EX_OK && path.len > 0) {
		table.title = title;
		if (!host_status_walk(path.data, each, &table)) {
			fprintf(stderr, "%s: %s\n", path.data, strerror(errno));
			status = errno == EACCES ? EX_NOPERM : EX_OSFILE;
		}
	}
	pr_text_fini(&path);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

int host_status_mode(const struct arguments *arguments)
{
	return walk(arguments, show, " -------------- Hostname --------------- How long ago ---------Results---------\n");
}

int host_purge_mode(const struct arguments *arguments)
{
	return walk(arguments, purge, "");
}
