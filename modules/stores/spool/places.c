/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queue directories: QueueDirectory is one, or with a '*' at the end of its last component all directories whose names begin so;
 * each further queue group has a path of its own, by the same rule.  Descriptors stay open and every name is one component below them, so
 * no path is built from what a queue id says and a renamed parent does no harm.
 */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 1000
#define GROUPS_MAX 100

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* qf/ df/ when they exist, else the queue directory itself */
static int open_part(int base, const char *name, bool *separate_out)
{
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*separate_out = fd >= 0;
	return fd >= 0 || errno != ENOENT ? fd : fcntl(base, F_DUPFD_CLOEXEC, 3);
}

static void place_close(struct spool_place *place)
{
	close_fd(&place->data_fd);
	close_fd(&place->control_fd);
	close_fd(&place->base_fd);
	pr_free((void *)(uintptr_t)place->path);
	pthread_cond_destroy(&place->directory_sync.done);
	pthread_mutex_destroy(&place->directory_sync.lock);
}

/* The directory of a group lies below the queue directory, whose owner makes it; who else opens the store at the same time waits a moment. */
static int make_place(const struct spool *spool, const char *path)
{
	struct timespec pause = {0, 20000000};
	struct stat base;
	int fd = -1;

	if (fstat(spool->base_fd, &base) != 0)
		return -1;
	if (geteuid() == 0 || geteuid() == base.st_uid) {
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return -1;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && ((geteuid() == 0 && fchown(fd, base.st_uid, base.st_gid) != 0) || fchmod(fd, base.st_mode & 07777) != 0))
			close_fd(&fd);
		return fd;
	}
	for (int i = 0; i < 250 && fd < 0; i++) {
		nanosleep(&pause, NULL);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT && errno != EACCES)
			break;
	}
	return fd;
}

static enum pr_status place_open(struct pr_call *call, struct spool_place *place, struct pr_str path)
{
	bool ignored;

	place->control_fd = place->data_fd = -1;
	place->path = pr_copy_str(path);
	path = pr_str(place->path);
	place->name = pr_str_slice(path, pr_str_find_last(path, '/') + 1, path.len);
	/* a link to a directory is fine: the administrator made it, and the path itself is his */
	place->base_fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EACCES: its owner has made it and not yet given it its mode */
	if (place->base_fd < 0 && (errno == ENOENT || errno == EACCES) && place->group > 0)
		place->base_fd = make_place(spool_of(call), place->path);
	if (place->base_fd >= 0)
		place->control_fd = open_part(place->base_fd, "qf", &ignored);
	if (place->control_fd >= 0)
		place->data_fd = open_part(place->base_fd, "df", &place->separate_data);
	if (place->data_fd >= 0)
		return PR_OK;
	return pr_fail(call, PR_TEMPFAIL, "cannot open the queue directory %s: %s", place->path, strerror(errno));
}

static enum pr_status add_place(struct pr_call *call, struct pr_str path)
{
	struct spool *spool = spool_of(call);

	if (spool->place_count == PLACES_MAX)
		return pr_fail(call, PR_MISUSE, "more than %d queue directories", PLACES_MAX);
	spool->places = pr_resize(spool->places, (spool->place_count + 1) * sizeof *spool->places);

	struct spool_place *place = &spool->places[spool->place_count++];

	memset(place, 0, sizeof *place);
	place->group = spool->group_count - 1;
	spool->groups[place->group].count++;
	return place_open(call, place, path);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names below `parent` that begin so and lead to directories, in order. */
static char **list_names(const char *parent, struct pr_str prefix, size_t *count_out)
{
	DIR *directory = opendir(parent);
	char **names = NULL;
	struct dirent *found;
	struct stat st;
	size_t count = 0;

	while (directory != NULL && count < PLACES_MAX && (found = readdir(directory)) != NULL) {
		struct pr_str name = pr_str(found->d_name);

		if (name.data[0] == '.' || name.len < prefix.len || memcmp(name.data, prefix.data, prefix.len) != 0 ||
		    fstatat(dirfd(directory), name.data, &st, 0) != 0 || !S_ISDIR(st.st_mode) || pr_str_equal(name, PR_STR("journal")))
			continue;
		names = pr_resize(names, (count + 1) * sizeof *names);
		names[count++] = pr_copy_str(name);
	}
	if (directory != NULL)
		closedir(directory);
	if (count > 1)
		qsort(names, count, sizeof *names, compare);
	*count_out = count;
	return names;
}

static enum pr_status add_matching(struct pr_call *call, struct pr_str pattern)
{
	size_t slash = pr_str_find_last(pattern, '/'), count;
	struct pr_str prefix = pr_str_slice(pattern, slash + 1, pattern.len - 1);
	char *parent = pr_copy_str(pr_str_slice(pattern, 0, slash == 0 ? 1 : slash));
	char **names = list_names(parent, prefix, &count);
	enum pr_status status = PR_OK;

	for (size_t i = 0; i < count; i++) {
		if (status == PR_OK)
			status = add_place(call, pr_arena_printf(call->arena, "%s/%s", slash == 0 ? "" : parent, names[i]));
		pr_free(names[i]);
	}
	if (count == 0)
		status = pr_fail(call, PR_TEMPFAIL, "no directory matches %.*s; make one, such as %.*s1", PR_PRINT(pattern),
		                 PR_PRINT(pr_str_slice(pattern, 0, pattern.len - 1)));
	pr_free(names);
	pr_free(parent);
	return status;
}

enum pr_status spool_pattern_check(struct pr_call *call, struct pr_str path, const char *what)
{
	size_t star = pr_str_find(path, '*');

	if (path.len == 0 || path.data[0] != '/')
		return pr_fail(call, PR_MISUSE, "%s is not set to an absolute path", what);
	if (star != path.len && star != path.len - 1)
		return pr_fail(call, PR_MISUSE, "%s %.*s: a * may stand at the end only, as in /var/spool/mqueue/q*", what, PR_PRINT(path));
	return PR_OK;
}

static bool is_pattern(struct pr_str path)
{
	return path.len > 0 && path.data[path.len - 1] == '*';
}

static enum pr_status add_group(struct pr_call *call, struct pr_str name, struct pr_str path)
{
	struct spool *spool = spool_of(call);

	if (spool->group_count == GROUPS_MAX)
		return pr_fail(call, PR_MISUSE, "more than %d queue groups", GROUPS_MAX);
	spool->groups = pr_resize(spool->groups, (spool->group_count + 1) * sizeof *spool->groups);
	spool->groups[spool->group_count++] = (struct spool_group){pr_str(pr_copy_str(name)), spool->place_count, 0};
	return is_pattern(path) ? add_matching(call, path) : add_place(call, path);
}

/* "name=path,name=path": the kernel's registry of groups, beyond the default one. */
static enum pr_status add_groups(struct pr_call *call)
{
	struct pr_str rest = call->host->option(call, PR_STR("QueueGroups")), one;
	enum pr_status status = PR_OK;

	while (status == PR_OK && rest.len > 0 && pr_str_next(&rest, ',', &one)) {
		size_t equals = pr_str_find(one, '=');
		struct pr_str path = pr_str_slice(one, equals + 1, one.len);

		status = spool_pattern_check(call, path, "the path of a queue group");
		if (status == PR_OK)
			status = add_group(call, pr_str_slice(one, 0, equals), path);
	}
	return status;
}

static struct pr_str without_slashes(struct pr_str path)
{
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	return path;
}

enum pr_status spool_places_open(struct pr_call *call, struct pr_str directory)
{
	struct spool *spool = spool_of(call);
	struct pr_str path = without_slashes(directory);
	struct pr_str base = is_pattern(path) ? pr_str_slice(path, 0, pr_str_find_last(path, '/')) : path;
	enum pr_status status;

	spool->path = pr_copy_str(base.len > 0 ? base : PR_STR("/"));
	spool->base_fd = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->base_fd < 0)
		return pr_fail(call, PR_TEMPFAIL, "cannot open the queue directory %s: %s", spool->path, strerror(errno));
	status = add_group(call, PR_STR("mqueue"), path);
	if (status == PR_OK)
		status = add_groups(call);
	/* only now they move no more */
	for (size_t i = 0; i < spool->place_count; i++) {
		pthread_mutex_init(&spool->places[i].directory_sync.lock, NULL);
		pthread_cond_init(&spool->places[i].directory_sync.done, NULL);
	}
	return status;
}

void spool_places_close(struct spool *spool)
{
	for (size_t i = 0; i < spool->place_count; i++)
		place_close(&spool->places[i]);
	for (size_t i = 0; i < spool->group_count; i++)
		pr_free((void *)(uintptr_t)spool->groups[i].name.data);
	pr_free(spool->places);
	pr_free(spool->groups);
	spool->places = NULL;
	spool->groups = NULL;
	spool->place_count = spool->group_count = 0;
	close_fd(&spool->base_fd);
	pr_free((void *)(uintptr_t)spool->path);
	spool->path = NULL;
}

struct spool_place *spool_place_find(struct spool *spool, struct pr_str name)
{
	for (size_t i = 0; i < spool->place_count; i++)
		if (pr_str_equal(spool->places[i].name, name))
			return &spool->places[i];
	return &spool->places[0];
}

struct pr_str spool_queue_name(const struct spool *spool, const struct spool_place *place)
{
	return place->group == 0 ? place->name : spool->groups[place->group].name;
}

struct spool_place *spool_place_choose(struct spool *spool, struct pr_str group)
{
	uint32_t chance = 0;

	for (size_t i = 0; i < spool->group_count; i++) {
		const struct spool_group *at = &spool->groups[i];

		if (group.data != NULL && !pr_str_equal_nocase(at->name, group))
			continue;
		if (at->count > 1 && getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
			chance = spool->ids.sequence;
		return &spool->places[at->first + chance % at->count];
	}
	return NULL;
}

struct spool_place *spool_place_of(struct spool *spool, const char *kinds, const char *id)
{
	struct stat st;

	for (size_t i = 0; i < spool->place_count; i++)
		for (const char *kind = kinds; *kind != '\0'; kind++)
			if (fstatat(spool->places[i].control_fd, spool_name(*kind, id).text, &st, AT_SYMLINK_NOFOLLOW) == 0)
				return &spool->places[i];
	return NULL;
}
