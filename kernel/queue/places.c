/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The directories that a listing names, from the configuration: QueueDirectory and the path of each group, a '*' at the end of a
 * last component standing for all directories that begin so.  The store finds them by the same rule; one that is not there yet is empty.
 */
#include "kernel/queue/listing.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PLACES_MAX 1000

void places_add(struct queue_places *places, struct pr_str path, struct pr_str group)
{
	for (size_t i = 0; i < places->count; i++)
		if (pr_str_equal(pr_str(places->items[i].path), path))
			return;
	if (places->count == PLACES_MAX)
		return;
	places->items = pr_resize(places->items, (places->count + 1) * sizeof *places->items);
	places->items[places->count++] = (struct queue_place){pr_copy_str(path), group.data != NULL ? pr_copy_str(group) : NULL};
}

void places_fini(struct queue_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		pr_free(places->items[i].path);
		pr_free(places->items[i].group);
	}
	pr_free(places->items);
	*places = (struct queue_places){.items = NULL};
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct queue_place *)a)->path, ((const struct queue_place *)b)->path);
}

static bool is_wanted(DIR *directory, struct pr_str name, struct pr_str prefix)
{
	struct stat st;

	return name.data[0] != '.' && name.len >= prefix.len && memcmp(name.data, prefix.data, prefix.len) == 0 &&
	       fstatat(dirfd(directory), name.data, &st, 0) == 0 && S_ISDIR(st.st_mode) && !pr_str_equal(name, PR_STR("journal"));
}

static void add_matching(struct queue_places *places, struct pr_str pattern, struct pr_str group)
{
	size_t slash = pr_str_find_last(pattern, '/'), first = places->count;
	struct pr_str prefix = pr_str_slice(pattern, slash + 1, pattern.len - 1);
	char *parent = pr_copy_str(pr_str_slice(pattern, 0, slash == 0 ? 1 : slash));
	DIR *directory = opendir(parent);
	struct dirent *found;
	struct pr_text path;

	pr_text_init(&path, 8192);
	while (directory != NULL && (found = readdir(directory)) != NULL) {
		if (!is_wanted(directory, pr_str(found->d_name), prefix))
			continue;
		pr_text_clear(&path);
		if (pr_text_addf(&path, "%s/%s", slash == 0 ? "" : parent, found->d_name))
			places_add(places, pr_text_str(&path), group);
	}
	if (directory != NULL)
		closedir(directory);
	if (places->count > first + 1)
		qsort(places->items + first, places->count - first, sizeof *places->items, compare);
	pr_text_fini(&path);
	pr_free(parent);
}

static void add_pattern(struct queue_places *places, struct pr_str path, struct pr_str group)
{
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	if (path.len > 0 && path.data[path.len - 1] == '*')
		add_matching(places, path, group);
	else if (path.len > 0)
		places_add(places, path, group);
}

void places_from_config(struct queue_places *places, const struct config *config)
{
	add_pattern(places, config->options.queue_directory, PR_STR("mqueue"));
	for (size_t i = 0; i < config->group_count; i++)
		if (!pr_str_equal(config->groups[i].name, PR_STR("mqueue")))
			add_pattern(places, config->groups[i].path, config->groups[i].name);
}
