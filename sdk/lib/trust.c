/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who could have changed this file?  The path is walked from the root, one name
 * at a time, and symbolic links are followed here and not by the system: so every
 * directory that was really passed is looked at, also those a link leads through.
 */
#include <errno.h>
#include <limits.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MOST 32

struct walk {
	struct pr_text here; /* resolved so far: absolute, without links, no slash at the end; "" is the root */
	struct pr_text rest; /* names still to walk */
	uint32_t uid;
	uint32_t links;
	struct pr_text *why;
	bool (*check)(struct walk *walk, const struct stat *status);
	uint32_t flags;      /* of check_safe: enum pr_safe */
	bool in_writable;    /* the directory that we stand in can be written to by others, which was allowed */
	bool in_sticky;
};

static const char *here_name(const struct walk *walk)
{
	return walk->here.len > 0 ? walk->here.data : "/";
}

/* A sticky directory lets nobody replace what others own in it, and the owner of every name
 * on the way is checked; but as the end of the way it promises nothing. */
static bool check_trusted(struct walk *walk, const struct stat *status)
{
	if (status->st_uid != 0 && status->st_uid != walk->uid) {
		pr_text_addf(walk->why, "%s is owned by uid %u, not by root or uid %u", here_name(walk),
		             (unsigned int)status->st_uid, (unsigned int)walk->uid);
		return false;
	}
	if (S_ISLNK(status->st_mode) || (status->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	if (S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0 && walk->rest.len > 0)
		return true;
	pr_text_addf(walk->why, "%s is writable by %s (mode %04o)", here_name(walk),
	             (status->st_mode & S_IWOTH) != 0 ? "everybody" : "its group", (unsigned int)(status->st_mode & 07777));
	return false;
}

static bool refuse(struct walk *walk, const char *words)
{
	pr_text_add_c(walk->why, words);
	return false;
}

static bool check_directory(struct walk *walk, const struct stat *status)
{
	bool world = (status->st_mode & S_IWOTH) != 0, group = (status->st_mode & S_IWGRP) != 0;
	bool is_own = geteuid() != 0 && status->st_uid == geteuid();

	walk->in_writable = false;
	walk->in_sticky = world && (status->st_mode & S_ISVTX) != 0 && (walk->flags & PR_SAFE_STICKY) == 0;
	if (world && (status->st_mode & S_ISVTX) != 0) /* who owns the next name is looked at there */
		return true;
	if (!world && (!group || (walk->flags & PR_SAFE_GROUP_DIRECTORY) != 0))
		return true;
	walk->in_writable = true;
	if (is_own || (walk->flags & PR_SAFE_IN_ANY) != 0 || (!world && (walk->flags & PR_SAFE_IN_GROUP) != 0))
		return true;
	return refuse(walk, world ? "World writable directory" : "Group writable directory");
}

/* As sendmail judges it, and in its words: who can write to a directory on the way, and to the file.  Owners are the administrator's choice. */
static bool check_safe(struct walk *walk, const struct stat *status)
{
	if (walk->in_sticky && status->st_uid != 0 && status->st_uid != walk->uid && status->st_uid != geteuid())
		return refuse(walk, "World writable directory");
	if (S_ISDIR(status->st_mode))
		return check_directory(walk, status);
	bool no_links = walk->in_writable && (walk->flags & PR_SAFE_LINKS) == 0;
	if (S_ISLNK(status->st_mode))
		return !no_links || refuse(walk, "Symbolic links not allowed");
	if ((status->st_mode & S_IWGRP) != 0 && (walk->flags & PR_SAFE_GROUP_FILE) == 0)
		return refuse(walk, "Group writable file");
	if ((status->st_mode & S_IWOTH) != 0 && (walk->flags & PR_SAFE_WORLD_FILE) == 0)
		return refuse(walk, "World writable file");
	return status->st_nlink <= 1 || !no_links || refuse(walk, "Hard links not allowed");
}

/* The link at walk->here is replaced by what it points at. */
static bool follow(struct walk *walk)
{
	char target[PATH_MAX];
	ssize_t len = readlink(here_name(walk), target, sizeof target - 1);

	if (len <= 0 || ++walk->links > LINKS_MOST) {
		pr_text_addf(walk->why, "%s: %s", here_name(walk), strerror(len <= 0 ? errno : ELOOP));
		return false;
	}
	target[len] = '\0';
	struct pr_text rest;
	pr_text_init(&rest, walk->rest.max);
	bool fits = pr_text_addf(&rest, "%s/%s", target, walk->rest.len > 0 ? walk->rest.data : "");
	pr_text_fini(&walk->rest);
	walk->rest = rest;
	size_t parent = pr_str_find_last(pr_text_str(&walk->here), '/');
	pr_text_cut(&walk->here, target[0] == '/' ? 0 : parent);
	if (!fits)
		pr_text_addf(walk->why, "%s: %s", here_name(walk), strerror(ENAMETOOLONG));
	return fits;
}

/* Goes one name further; "." and ".." are settled by text, `here` holds no links. */
static bool step(struct walk *walk, struct pr_str name)
{
	struct stat status;

	if (name.len == 0 || pr_str_equal(name, PR_STR(".")))
		return true;
	if (pr_str_equal(name, PR_STR(".."))) {
		pr_text_cut(&walk->here, pr_str_find_last(pr_text_str(&walk->here), '/'));
		return true;
	}
	if (!pr_text_add_byte(&walk->here, '/') || !pr_text_add_str(&walk->here, name)) {
		pr_text_addf(walk->why, "%s: %s", here_name(walk), strerror(ENAMETOOLONG));
		return false;
	}
	if (lstat(here_name(walk), &status) != 0) {
		pr_text_addf(walk->why, "%s%s%s", walk->check == check_safe ? "" : here_name(walk), walk->check == check_safe ? "" : ": ", strerror(errno));
		return false;
	}
	return walk->check(walk, &status) && (!S_ISLNK(status.st_mode) || follow(walk));
}

/* The root at the beginning; at the end where we stand, which "." or ".." may have made the last name. */
static bool look_here(struct walk *walk)
{
	struct stat status;

	if (lstat(here_name(walk), &status) == 0)
		return walk->check(walk, &status);
	pr_text_addf(walk->why, "%s: %s", here_name(walk), strerror(errno));
	return false;
}

/* Takes the next name off `rest`, with the slashes behind it, so that an empty rest means the end.
 * A name too long must stop the walk: the empty name it would leave means "stay here". */
static bool take_name(struct walk *walk, struct pr_text *name)
{
	struct pr_str rest = pr_text_str(&walk->rest);
	size_t end = pr_str_find(rest, '/'), next = end;

	pr_text_clear(name);
	if (!pr_text_add_str(name, pr_str_slice(rest, 0, end))) {
		pr_text_addf(walk->why, "%s: %s", here_name(walk), strerror(ENAMETOOLONG));
		return false;
	}
	while (next < rest.len && rest.data[next] == '/')
		next++;
	pr_text_consume(&walk->rest, next);
	return true;
}

static bool walk_all(struct walk *start, const char *path)
{
	struct walk walk = *start;
	struct pr_text name, *why = walk.why;
	bool trusted = false;

	if (path == NULL || path[0] != '/') {
		pr_text_addf(why, "%s: not an absolute path", path != NULL ? path : "(none)");
		return false;
	}
	pr_text_init(&walk.here, PATH_MAX);
	pr_text_init(&walk.rest, 2 * PATH_MAX);
	pr_text_init(&name, PATH_MAX);
	if (!pr_text_add_c(&walk.rest, path)) {
		pr_text_addf(why, "%.100s...: %s", path, strerror(ENAMETOOLONG));
		goto out;
	}
	trusted = look_here(&walk);
	while (trusted && walk.rest.len > 0)
		trusted = take_name(&walk, &name) && step(&walk, pr_text_str(&name));
	trusted = trusted && look_here(&walk);
out:
	pr_text_fini(&walk.here);
	pr_text_fini(&walk.rest);
	pr_text_fini(&name);
	return trusted;
}

bool pr_file_is_trusted(const char *path, uint32_t uid, struct pr_text *why)
{
	struct walk walk = {.uid = uid, .why = why, .check = check_trusted};

	return walk_all(&walk, path);
}

bool pr_file_is_safe(const char *path, uint32_t uid, uint32_t flags, struct pr_text *why)
{
	struct walk walk = {.uid = uid, .why = why, .check = check_safe, .flags = flags};

	return walk_all(&walk, path);
}

/* Which words of DontBlameSendmail are about which files. */
static const struct {
	const char *word;
	uint32_t kind; /* 0: all */
	uint32_t flag;
} words[] = {
	{"GroupWritableDirPathSafe", 0, PR_SAFE_GROUP_DIRECTORY},
	{"TrustStickyBit", 0, PR_SAFE_STICKY},
	{"ClassFileInUnsafeDirPath", PR_SAFE_CLASS, PR_SAFE_IN_ANY},
	{"LinkedClassFileInWritableDir", PR_SAFE_CLASS, PR_SAFE_LINKS},
	{"MapInUnsafeDirPath", PR_SAFE_MAP, PR_SAFE_IN_ANY},
	{"LinkedMapInWritableDir", PR_SAFE_MAP, PR_SAFE_LINKS},
	{"GroupWritableAliasFile", PR_SAFE_ALIAS, PR_SAFE_GROUP_FILE},
	{"WorldWritableAliasFile", PR_SAFE_ALIAS, PR_SAFE_WORLD_FILE},
	{"LinkedAliasFileInWritableDir", PR_SAFE_ALIAS, PR_SAFE_LINKS},
	{"MapInUnsafeDirPath", PR_SAFE_ALIAS, PR_SAFE_IN_ANY},
	{"GroupWritableIncludeFile", PR_SAFE_INCLUDE, PR_SAFE_GROUP_FILE},
	{"WorldWritableIncludeFile", PR_SAFE_INCLUDE, PR_SAFE_WORLD_FILE},
	{"IncludeFileInUnsafeDirPath", PR_SAFE_INCLUDE, PR_SAFE_IN_ANY},
	{"IncludeFileInGroupWritableDirPath", PR_SAFE_INCLUDE, PR_SAFE_IN_GROUP},
	{"LinkedIncludeFileInWritableDir", PR_SAFE_INCLUDE, PR_SAFE_LINKS},
	{"GroupWritableForwardFile", PR_SAFE_FORWARD, PR_SAFE_GROUP_FILE},
	{"WorldWritableForwardFile", PR_SAFE_FORWARD, PR_SAFE_WORLD_FILE},
	{"ForwardFileInUnsafeDirPath", PR_SAFE_FORWARD, PR_SAFE_IN_ANY},
	{"ForwardFileInGroupWritableDirPath", PR_SAFE_FORWARD, PR_SAFE_IN_GROUP},
	{"LinkedForwardFileInWritableDir", PR_SAFE_FORWARD, PR_SAFE_LINKS},
};

uint32_t pr_safe_flags(enum pr_safe_kind kind, struct pr_str blame)
{
	uint32_t flags = kind == PR_SAFE_CLASS || kind == PR_SAFE_MAP ? PR_SAFE_GROUP_FILE : 0; /* a group that keeps tables is nothing unusual */
	struct pr_str word;

	while (pr_str_word(&blame, ", \t", &word))
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
			if ((words[i].kind == 0 || words[i].kind == (uint32_t)kind) && pr_str_equal_nocase(word, pr_str(words[i].word)))
				flags |= words[i].flag;
	return flags;
}
