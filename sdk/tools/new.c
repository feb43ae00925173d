/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A new project is a folder of templates with the name put in.
 * Templates are files, not strings in here, so that they are read, tested and improved like any other source.
 */
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <postrider/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define FILE_MOST ((size_t)1 << 20)

/* A C identifier that is also a pleasant file name. */
static bool is_good_name(struct pr_str name)
{
	if (name.len == 0 || name.len > 64 || name.data[0] < 'a' || name.data[0] > 'z')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char byte = name.data[i];
		if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_'))
			return false;
	}
	return true;
}

/* Every @NAME@ becomes the name. */
static bool put_name(struct pr_str text, const char *name, struct pr_text *out)
{
	static const char mark[] = "@NAME@";
	bool fits = true;

	while (fits && text.len > 0) {
		const char *found = memmem(text.data, text.len, mark, sizeof mark - 1);
		size_t before = found != NULL ? (size_t)(found - text.data) : text.len;
		fits = pr_text_add(out, text.data, before) && (found == NULL || pr_text_add_c(out, name));
		text = pr_str_slice(text, before + (found != NULL ? sizeof mark - 1 : 0), text.len);
	}
	return fits;
}

/* template/map/NAME.c becomes hello/hello.c */
static bool copy_file(const char *folder, const char *file, const char *name)
{
	struct pr_text from, to, old, fresh, why;
	struct stat status;
	bool done = false;

	pr_text_init(&from, 4096);
	pr_text_init(&to, 4096);
	pr_text_init(&old, FILE_MOST);
	pr_text_init(&fresh, FILE_MOST);
	pr_text_init(&why, 4096);
	pr_text_addf(&from, "%s/%s", folder, file);
	pr_text_addf(&to, "%s/%s%s", name, strncmp(file, "NAME", 4) == 0 ? name : "", strncmp(file, "NAME", 4) == 0 ? file + 4 : file);
	if (from.overflow != 0 || to.overflow != 0)
		pr_text_addf(&why, "%s: the path is too long", file);
	else if (pr_file_read(from.data, FILE_MOST, &old, &why) != PR_OK)
		done = false;
	else if (!put_name(pr_text_str(&old), name, &fresh) || stat(from.data, &status) != 0)
		pr_text_addf(&why, "%s: too long", from.data);
	else
		done = pr_file_replace(to.data, (status.st_mode & 0111) != 0 ? 0755 : 0644, pr_text_str(&fresh), &why) == PR_OK;
	if (done)
		printf("%s\n", to.data);
	else
		tool_complain("%s", why.data);
	pr_text_fini(&from);
	pr_text_fini(&to);
	pr_text_fini(&old);
	pr_text_fini(&fresh);
	pr_text_fini(&why);
	return done;
}

static bool copy_all(const char *folder, const char *name)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	bool done = directory != NULL;

	while (done && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			done = copy_file(folder, entry->d_name, name);
	if (directory != NULL)
		closedir(directory);
	else
		tool_complain("%s: %s", folder, strerror(errno));
	return done;
}

int tool_new(const char *templates, const char *kind, const char *name)
{
	static const char *const kinds[] = {"map", "mailer", "filter"};
	size_t known = 0;

	while (known < 3 && strcmp(kinds[known], kind) != 0)
		known++;
	if (known == 3) {
		tool_complain("%s: there are templates for map, mailer and filter", kind);
		return EX_USAGE;
	}
	if (!is_good_name(pr_str(name))) {
		tool_complain("%s: a name is lower-case letters, digits and _, begins with a letter and has at most 64", name);
		return EX_USAGE;
	}
	if (mkdir(name, 0777) != 0) {
		tool_complain("%s: %s", name, strerror(errno));
		return EX_CANTCREAT;
	}
	struct pr_text folder;
	pr_text_init(&folder, 4096);
	pr_text_addf(&folder, "%s/%s", templates, kind);
	bool done = copy_all(folder.data, name);
	pr_text_fini(&folder);
	if (done)
		printf("\nNext: cd %s && autoreconf -i && ./configure && make check\n", name);
	return done ? EX_OK : EX_CANTCREAT;
}
