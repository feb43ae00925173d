/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A head of three lines in front of the policy, so that people can read what is there.
 * What is not as we wrote it is as good as not there: the policy is fetched anew.
 */
#include "sts_store.h"

#include <postrider/address.h>
#include <postrider/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 200
#define PATH_BYTES 4096

/* A valid name of a domain has no slash; one that begins with a dot or a bracket is none of those that have policies. */
static bool path_of(struct pr_str directory, struct pr_str domain, struct pr_text *path)
{
	if (directory.len == 0 || !pr_domain_is_valid(domain) || domain.data[0] == '.' || domain.data[0] == '[')
		return false;
	return pr_text_addf(path, "%.*s/%.*s", PR_PRINT(directory), PR_PRINT(domain));
}

static bool take_field(struct pr_str *rest, struct pr_str key, struct pr_str *value_out)
{
	struct pr_str line;

	if (!pr_str_next(rest, '\n', &line) || !pr_str_has_prefix_nocase(line, key))
		return false;
	*value_out = pr_str_slice(line, key.len, line.len);
	return true;
}

/* The head; *rest is the policy then. */
static bool parse(struct pr_str *rest, struct sts_stored *stored)
{
	struct pr_str value, id, line;
	uint64_t fetched = 0;

	if (!pr_str_next(rest, '\n', &line) || !pr_str_equal(line, PR_STR("V1")) || !take_field(rest, PR_STR("fetched: "), &value) ||
	    !pr_str_number(value, INT64_MAX / 2, &fetched) || !take_field(rest, PR_STR("id: "), &id) || id.len > STS_ID_MAX || !pr_str_next(rest, '\n', &line) ||
	    line.len > 0)
		return false;
	memcpy(stored->id, id.data, id.len);
	stored->id[id.len] = '\0';
	stored->fetched = (int64_t)fetched;
	return true;
}

enum pr_status sts_store_read(struct pr_str directory, struct pr_str domain, struct sts_stored *stored)
{
	struct pr_text path, why;
	enum pr_status status = PR_NOTFOUND;

	pr_text_init(&path, PATH_BYTES);
	pr_text_init(&why, 400);
	if (path_of(directory, domain, &path))
		status = pr_file_read(path.data, STS_POLICY_BYTES, stored->text, &why);
	struct pr_str rest = pr_text_str(stored->text);
	if (status == PR_OK && parse(&rest, stored))
		pr_text_consume(stored->text, stored->text->len - rest.len);
	else {
		pr_text_clear(stored->text);
		status = PR_NOTFOUND;
	}
	pr_text_fini(&why);
	pr_text_fini(&path);
	return status;
}

static size_t count_files(const char *path)
{
	DIR *folder = opendir(path);
	size_t count = 0;

	if (folder == NULL)
		return 0;
	while (count <= STS_FILES_MAX && readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static bool make_room(struct pr_str directory, const char *path, struct pr_text *why)
{
	if (mkdir(directory.data, 0700) != 0 && errno != EEXIST)
		pr_text_addf(why, "cannot make directory %s: %s", directory.data, strerror(errno));
	else if (access(path, F_OK) != 0 && count_files(directory.data) > STS_FILES_MAX)
		pr_text_addf(why, "%s holds %d policies already", directory.data, STS_FILES_MAX);
	else
		return true;
	return false;
}

bool sts_store_write(struct pr_str directory, struct pr_str domain, const struct sts_stored *stored, struct pr_text *why)
{
	struct pr_text path, text;
	bool done = false;

	pr_text_init(&path, PATH_BYTES);
	pr_text_init(&text, STS_POLICY_BYTES);
	pr_text_addf(&text, "V1\nfetched: %lld\nid: %s\n\n", (long long)stored->fetched, stored->id);
	pr_text_add_str(&text, pr_text_str(stored->text));
	if (!path_of(directory, domain, &path))
		pr_text_addf(why, "%.*s is no name of a file", PR_PRINT(domain));
	else if (text.overflow)
		pr_text_addf(why, "%s: the policy is too long", path.data);
	else if (make_room(directory, path.data, why))
		done = pr_file_replace(path.data, 0600, pr_text_str(&text), why) == PR_OK;
	pr_text_fini(&text);
	pr_text_fini(&path);
	return done;
}

/* Has the policy in it ended, or is there none? */
static bool is_over(struct pr_str directory, struct pr_str name, int64_t now)
{
	struct pr_text text, why;
	struct sts_stored stored = {.text = &text};
	struct sts_policy policy;

	pr_text_init(&text, STS_POLICY_BYTES);
	pr_text_init(&why, 400);
	bool over = sts_store_read(directory, name, &stored) != PR_OK || !sts_policy_parse(pr_text_str(&text), &policy, &why) ||
	            stored.fetched + policy.max_age <= now;
	pr_text_fini(&why);
	pr_text_fini(&text);
	return over;
}

void sts_store_sweep(struct pr_str directory, int64_t now)
{
	DIR *folder = directory.len > 0 ? opendir(directory.data) : NULL;
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		struct pr_str name = pr_str(entry->d_name);
		/* young files are somebody's who is writing */
		struct stat info;
		if (name.data[0] == '.' || fstatat(dirfd(folder), name.data, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode) || info.st_mtime > now - 60)
			continue;
		if (is_over(directory, name, now))
			(void)unlinkat(dirfd(folder), name.data, 0);
	}
	closedir(folder);
}
