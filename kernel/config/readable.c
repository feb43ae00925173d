/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mode bits of the file and of every folder above it, held against the groups of the two users: the plan is one of them and root is neither, so
 * access(2) alone cannot tell.  Where an ACL stands, nothing is said.
 */
#include "kernel/config/readable.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define GROUPS_MAX 128
#define COMMANDS_MAX 4000

struct reader {
	char name[64];
	uid_t uid;
	gid_t groups[GROUPS_MAX];
	int group_count;
};

struct look {
	struct reader readers[2]; /* receiver, courier */
	char group[64];           /* of the receiver */
	struct pr_text joins, changes; /* "adduser ..." once for each group, the files for chgrp */
	bool bad;
};

static bool find_reader(struct pr_str name, struct reader *reader)
{
	char *copy = pr_copy_str(name);
	const struct passwd *account = getpwnam(copy);

	reader->group_count = GROUPS_MAX;
	if (account != NULL && pr_print(reader->name, sizeof reader->name, "%s", copy) > 0) {
		reader->uid = account->pw_uid;
		if (getgrouplist(copy, account->pw_gid, reader->groups, &reader->group_count) < 0)
			reader->group_count = GROUPS_MAX;
	}
	pr_free(copy);
	return account != NULL;
}

/* The courier has the receiver's group, too (kernel/master). */
static bool find_readers(const struct config *config, struct look *look)
{
	struct reader *receiver = &look->readers[0], *courier = &look->readers[1];

	if (!find_reader(config->receiver_user, receiver) || !find_reader(config->courier_user, courier))
		return false;
	if (courier->group_count < GROUPS_MAX)
		courier->groups[courier->group_count++] = receiver->groups[0];
	const struct group *group = getgrgid(receiver->groups[0]);
	(void)pr_print(look->group, sizeof look->group, "%s", group != NULL ? group->gr_name : receiver->name);
	return true;
}

static bool has_group(const struct reader *reader, gid_t group)
{
	for (int i = 0; i < reader->group_count; i++)
		if (reader->groups[i] == group)
			return true;
	return false;
}

/* `bit` is 4 (read) or 1 (enter). */
static bool may(const struct reader *reader, const struct stat *info, mode_t bit)
{
	if (info->st_uid == reader->uid)
		return (info->st_mode & (bit << 6)) != 0;
	return (info->st_mode & (has_group(reader, info->st_gid) ? bit << 3 : bit)) != 0;
}

static bool has_acl(const char *path)
{
	return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* The path is a real one: no links in it.  `info_out` is of what is closed, the file or a folder above it, whose path is left in `path`. */
static bool can_read(const struct reader *reader, char *path, struct stat *info_out)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (stat(path, info_out) != 0 || (!may(reader, info_out, 1) && !has_acl(path)))
			return false;
		*slash = '/';
	}
	if (geteuid() == reader->uid)
		return access(path, R_OK) == 0 || stat(path, info_out) != 0;
	return stat(path, info_out) != 0 || may(reader, info_out, 4) || has_acl(path);
}

static void add_once(struct pr_text *text, struct pr_str item)
{
	struct pr_str rest = pr_text_str(text), word;

	while (rest.len > 0 && pr_str_next(&rest, ';', &word))
		if (pr_str_equal(pr_str_trim(word), item))
			return;
	pr_text_addf(text, "%s%.*s", text->len > 0 ? "; " : "", PR_PRINT(item));
}

/* What makes it readable: to join the group it is left to, or to leave it to ours. */
static void advise(struct look *look, const char *closed, const struct stat *info)
{
	const struct group *group = S_ISREG(info->st_mode) && (info->st_mode & S_IRGRP) != 0 && info->st_gid != 0 ? getgrgid(info->st_gid) : NULL;
	char command[PATH_MAX + 64];
	int len;

	if (S_ISDIR(info->st_mode)) {
		len = pr_print(command, sizeof command, "chmod a+x %s", closed);
	} else if (group != NULL) {
		len = pr_print(command, sizeof command, "adduser %s %s", look->readers[0].name, group->gr_name);
		add_once(&look->joins, (struct pr_str){command, (size_t)len});
		len = pr_print(command, sizeof command, "adduser %s %s", look->readers[1].name, group->gr_name);
	} else {
		pr_text_addf(&look->changes, " %s", closed);
		return;
	}
	add_once(&look->joins, (struct pr_str){command, (size_t)len});
}

static void look_at(struct look *look, const struct config_instance *map, struct pr_str name, const char *suffix, struct pr_text *why)
{
	char path[PATH_MAX], real[PATH_MAX], again[PATH_MAX];
	struct stat info = {.st_mode = 0};

	if (pr_print(path, sizeof path, "%.*s%s", PR_PRINT(name), suffix) >= (int)sizeof path)
		return;
	if (realpath(path, real) == NULL) { /* not there, or so closed that not even that can be seen */
		if (errno != EACCES)
			return;
		(void)pr_print(real, sizeof real, "%s", path);
	}
	(void)memcpy(again, real, sizeof again);
	if (can_read(&look->readers[1], again, &info) || can_read(&look->readers[0], real, &info))
		return;
	look->bad = true;
	pr_text_addf(why, "%s:%u: map %.*s: %s: Permission denied\n", map->file, map->line, PR_PRINT(map->name), path);
	advise(look, real, &info);
}

/* Which settings name files, and what is added to them, by module. */
static const struct table {
	const char *module, *suffix;
} tables[] = {{"hash", ".db"}, {"btree", ".db"}, {"dbm", ".db"}, {"implicit", ".db"}, {"text", ""}, {"stab", ""}};

static const struct table *table_of(const struct config_instance *map)
{
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (pr_str_equal(map->module, pr_str(tables[i].module)))
			return &tables[i];
	return NULL;
}

/* "arguments" are those of a K line: flags, and the file at the end. */
static struct pr_str file_in(const struct config_setting *setting)
{
	size_t blank;

	if (pr_str_equal_nocase(setting->name, PR_STR("file")))
		return setting->text;
	if (!pr_str_equal_nocase(setting->name, PR_STR("arguments")))
		return PR_NONE;
	struct pr_str text = pr_str_trim(setting->text);
	blank = pr_str_find_last(text, ' ');
	return blank < text.len ? pr_str_slice(text, blank + 1, text.len) : text;
}

struct pr_str config_map_file(const struct config_instance *map, const struct config_setting *setting, const char **suffix_out)
{
	const struct table *table = map->kind == PR_KIND_MAP ? table_of(map) : NULL;
	struct pr_str file = table != NULL ? file_in(setting) : PR_NONE;

	if (file.len == 0 || file.data[0] != '/')
		return PR_NONE;
	*suffix_out = pr_str_has_suffix_nocase(file, PR_STR(".db")) ? "" : table->suffix;
	return file;
}

static void look_at_map(struct look *look, const struct config_instance *map, struct pr_text *why)
{
	const char *suffix;

	for (size_t i = 0; i < map->setting_count; i++) {
		struct pr_str file = config_map_file(map, &map->settings[i], &suffix);
		if (file.len > 0)
			look_at(look, map, file, suffix, why);
	}
}

static void say_commands(const struct look *look, struct pr_text *why)
{
	const char *receiver = look->readers[0].name, *courier = look->readers[1].name;

	if (strcmp(receiver, courier) == 0)
		pr_text_addf(why, "user %s must be able to read such a table; say: ", receiver);
	else
		pr_text_addf(why, "users %s and %s must be able to read such a table; say: ", receiver, courier);
	pr_text_add_str(why, pr_text_str(&look->joins));
	if (look->changes.len > 0)
		pr_text_addf(why, "%schgrp %s%s; chmod g+r%s", look->joins.len > 0 ? "; " : "", look->group, look->changes.data, look->changes.data);
	pr_text_add_c(why, "\n");
}

static void be_both(struct look *look)
{
	const struct passwd *account = getpwuid(geteuid());
	struct reader *self = &look->readers[0];

	self->uid = geteuid();
	self->group_count = getgroups(GROUPS_MAX - 1, self->groups);
	self->group_count = self->group_count < 0 ? 0 : self->group_count;
	self->groups[self->group_count++] = getegid();
	(void)pr_print(self->name, sizeof self->name, "%s", account != NULL ? account->pw_name : "?");
	const struct group *group = getgrgid(getegid());
	(void)pr_print(look->group, sizeof look->group, "%s", group != NULL ? group->gr_name : self->name);
	look->readers[1] = *self;
}

bool config_is_readable(const struct config *config, bool is_root, struct pr_text *why)
{
	struct look look;

	memset(&look, 0, sizeof look);
	pr_text_init(&look.joins, COMMANDS_MAX);
	pr_text_init(&look.changes, COMMANDS_MAX);
	if (!is_root)
		be_both(&look);
	if (!is_root || find_readers(config, &look)) /* who is not there is somebody else's complaint */
		for (size_t i = 0; i < config->instance_count; i++)
			look_at_map(&look, &config->instances[i], why);
	if (look.bad)
		say_commands(&look, why);
	pr_text_fini(&look.joins);
	pr_text_fini(&look.changes);
	return !look.bad;
}
