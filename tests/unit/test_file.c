/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading, replacing and trusting files, in a scratch directory with every sort of thing in it.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/postrider-file-XXXXXX";

static const char *in_scratch(const char *name)
{
	static char paths[4][200];
	static size_t turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
	return path;
}

static void put(const char *name, const char *contents, mode_t mode)
{
	FILE *file = fopen(in_scratch(name), "w");

	CU_ASSERT_FATAL(file != NULL);
	fputs(contents, file);
	fclose(file);
	chmod(in_scratch(name), mode);
}

static enum pr_status read_it(const char *name, size_t max, size_t text_max, struct pr_text *text)
{
	struct pr_text why;

	pr_text_init(&why, 500);
	pr_text_init(text, text_max);
	pr_text_add_c(text, "<");
	enum pr_status status = pr_file_read(in_scratch(name), max, text, &why);
	CU_ASSERT_EQUAL(why.len > 0, status != PR_OK);
	if (status != PR_OK)
		CU_ASSERT_STRING_EQUAL(text->data, "<"); /* untouched */
	pr_text_fini(&why);
	return status;
}

static void test_read(void)
{
	static const struct {
		const char *name;
		size_t max, text_max;
		enum pr_status status;
	} cases[] = {
	    {"hello", 5, 100, PR_OK}, {"hello", 4, 100, PR_PERMFAIL}, {"hello", 5, 5, PR_PERMFAIL}, {"empty", 0, 100, PR_OK},
	    {"absent", 5, 100, PR_NOTFOUND}, {"hello/below", 5, 100, PR_NOTFOUND}, {".", 5, 100, PR_PERMFAIL},
	    {"fifo", 5, 100, PR_PERMFAIL}, {"dangling", 5, 100, PR_NOTFOUND}, {"loop", 5, 100, PR_TEMPFAIL},
	};

	put("hello", "hello", 0644);
	put("empty", "", 0644);
	CU_ASSERT_EQUAL(mkfifo(in_scratch("fifo"), 0600), 0);
	CU_ASSERT_EQUAL(symlink("nowhere", in_scratch("dangling")), 0);
	CU_ASSERT_EQUAL(symlink("loop", in_scratch("loop")), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_text text;
		CU_ASSERT_EQUAL(read_it(cases[i].name, cases[i].max, cases[i].text_max, &text), cases[i].status);
		pr_text_fini(&text);
	}
}

static bool has_leftovers(void)
{
	DIR *directory = opendir(scratch);
	struct dirent *entry;
	bool found = directory == NULL;

	while (!found && (entry = readdir(directory)) != NULL)
		found = strstr(entry->d_name, ".new.") != NULL;
	if (directory != NULL)
		closedir(directory);
	return found;
}

static void test_replace(void)
{
	struct pr_text why, text;
	struct stat status;

	pr_text_init(&why, 500);
	mode_t mask = umask(077);
	CU_ASSERT_EQUAL(pr_file_replace(in_scratch("new"), 0644, PR_STR("one\0two"), &why), PR_OK);
	umask(mask);
	CU_ASSERT(stat(in_scratch("new"), &status) == 0 && (status.st_mode & 07777) == 0644 && status.st_size == 7);
	CU_ASSERT_EQUAL(pr_file_replace(in_scratch("new"), 0600, PR_STR(""), &why), PR_OK);
	CU_ASSERT_EQUAL(read_it("new", 9, 9, &text), PR_OK);
	CU_ASSERT_STRING_EQUAL(text.data, "<");
	CU_ASSERT_EQUAL(why.len, 0);
	CU_ASSERT_EQUAL(pr_file_replace(in_scratch("no/such"), 0600, PR_STR(""), &why), PR_TEMPFAIL);
	CU_ASSERT(why.len > 0);
	CU_ASSERT_EQUAL(mkdir(in_scratch("directory"), 0700), 0);
	CU_ASSERT_EQUAL(pr_file_replace(in_scratch("directory"), 0600, PR_STR(""), &why), PR_TEMPFAIL);
	CU_ASSERT(!has_leftovers());
	pr_text_fini(&why);
	pr_text_fini(&text);
}

static bool trusted(const char *name, uint32_t uid, const char *offender)
{
	struct pr_text why;

	pr_text_init(&why, 5000);
	bool answer = pr_file_is_trusted(in_scratch(name), uid, &why);
	CU_ASSERT_EQUAL(why.len > 0, !answer);
	if (offender != NULL) {
		CU_ASSERT(strstr(why.data, offender) != NULL);
		if (strstr(why.data, offender) == NULL)
			printf("\n%s: \"%s\", wanted %s\n", name, why.data, offender);
	}
	pr_text_fini(&why);
	return answer;
}

static void test_trust(void)
{
	uint32_t me = (uint32_t)getuid();

	mkdir(in_scratch("good"), 0755);
	mkdir(in_scratch("open"), 0755);
	mkdir(in_scratch("sticky"), 0755);
	put("good/file", "x", 0644);
	put("good/group", "x", 0664);
	put("good/world", "x", 0646);
	put("open/file", "x", 0644);
	put("sticky/file", "x", 0644);
	CU_ASSERT_EQUAL(symlink("file", in_scratch("good/link")), 0);
	CU_ASSERT_EQUAL(symlink("../open/file", in_scratch("good/into_open")), 0);
	CU_ASSERT_EQUAL(symlink("../good/file", in_scratch("open/into_good")), 0);
	CU_ASSERT_EQUAL(symlink(in_scratch("good"), in_scratch("good/absolute")), 0);
	CU_ASSERT_EQUAL(symlink("self", in_scratch("good/self")), 0);
	chmod(in_scratch("open"), 0777);
	chmod(in_scratch("sticky"), 01777);
	CU_ASSERT(trusted("good/file", me, NULL));
	CU_ASSERT(trusted("good/./..//good///file", me, NULL));
	CU_ASSERT(trusted("good/link", me, NULL));
	CU_ASSERT(trusted("good/absolute/file", me, NULL));
	CU_ASSERT(trusted("good/absolute/absolute/link", me, NULL));
	CU_ASSERT(trusted("sticky/file", me, NULL));
	CU_ASSERT(!trusted("good/group", me, "good/group is writable by its group"));
	CU_ASSERT(!trusted("good/world", me, "good/world is writable by everybody"));
	CU_ASSERT(!trusted("open/file", me, "open is writable by everybody"));
	CU_ASSERT(!trusted("good/into_open", me, "open is writable by everybody"));
	CU_ASSERT(!trusted("open/into_good", me, "open is writable by everybody"));
	CU_ASSERT(!trusted("sticky", me, "sticky is writable by everybody"));
	CU_ASSERT(!trusted("sticky/.", me, "sticky is writable"));
	CU_ASSERT(!trusted("sticky/x/..", me, "x"));
	CU_ASSERT(!trusted("good/self", me, strerror(ELOOP)));
	CU_ASSERT(!trusted("good/absent", me, "absent"));
	if (me == 0) {
		CU_ASSERT_EQUAL(lchown(in_scratch("good/link"), 4711, 4711), 0);
		CU_ASSERT(!trusted("good/link", 0, "owned by uid 4711"));
		CU_ASSERT(trusted("good/link", 4711, NULL));
		CU_ASSERT_EQUAL(lchown(in_scratch("good"), 4711, 4711), 0);
		CU_ASSERT(!trusted("good/file", 0, "owned by uid 4711"));
		CU_ASSERT(trusted("good/file", 4711, NULL));
	} else {
		CU_ASSERT(!trusted("good/file", me + 1, "owned by uid"));
	}
}

/* The rights of one file and its directory, what is allowed, and what is said; NULL: nothing. */
static void test_safe(void)
{
	static const struct {
		const char *name;
		uint32_t file, directory, flags;
		const char *why;
	} rows[] = {
		{ "d/file", 0644, 0755, 0, NULL },
		{ "d/file", 0664, 0755, 0, "Group writable file" },
		{ "d/file", 0666, 0755, 0, "Group writable file" },
		{ "d/file", 0664, 0755, PR_SAFE_GROUP_FILE, NULL },
		{ "d/file", 0666, 0755, PR_SAFE_GROUP_FILE, "World writable file" },
		{ "d/file", 0666, 0755, PR_SAFE_GROUP_FILE | PR_SAFE_WORLD_FILE, NULL },
		{ "d/file", 0644, 0775, 0, "Group writable directory" },
		{ "d/file", 0644, 0777, 0, "World writable directory" },
		{ "d/file", 0644, 0775, PR_SAFE_GROUP_DIRECTORY, NULL },
		{ "d/file", 0644, 0777, PR_SAFE_GROUP_DIRECTORY, "World writable directory" },
		{ "d/file", 0644, 0775, PR_SAFE_IN_GROUP, NULL },
		{ "d/file", 0644, 0777, PR_SAFE_IN_GROUP, "World writable directory" },
		{ "d/file", 0644, 0777, PR_SAFE_IN_ANY, NULL },
		{ "d/file", 0644, 01777, 0, NULL },
		{ "d/link", 0644, 0755, 0, NULL },
		{ "d/link", 0644, 0775, PR_SAFE_IN_ANY, "Symbolic links not allowed" },
		{ "d/link", 0644, 0775, PR_SAFE_IN_ANY | PR_SAFE_LINKS, NULL },
		{ "d/link", 0644, 0775, PR_SAFE_GROUP_DIRECTORY, NULL },
		{ "d/twin", 0644, 0755, 0, NULL },
		{ "d/twin", 0644, 0775, PR_SAFE_IN_GROUP, "Hard links not allowed" },
		{ "d/twin", 0644, 0775, PR_SAFE_IN_GROUP | PR_SAFE_LINKS, NULL },
		{ "d/absent", 0644, 0755, 0, "No such file or directory" },
	};
	struct pr_text why;

	if (geteuid() != 0)
		return; /* one's own directories are one's own business */
	mkdir(in_scratch("d"), 0755);
	put("d/file", "x", 0644);
	put("beside", "x", 0644);
	char target[500];
	snprintf(target, sizeof target, "%s", in_scratch("beside"));
	CU_ASSERT_EQUAL(symlink("../beside", in_scratch("d/link")), 0);
	CU_ASSERT_EQUAL(link(target, in_scratch("d/twin")), 0);
	pr_text_init(&why, 1000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		chmod(in_scratch("d/file"), rows[i].file);
		chmod(in_scratch("d"), rows[i].directory);
		pr_text_clear(&why);
		bool safe = pr_file_is_safe(in_scratch(rows[i].name), 0, rows[i].flags, &why);
		CU_ASSERT_EQUAL(safe, rows[i].why == NULL);
		CU_ASSERT_STRING_EQUAL(why.len > 0 ? why.data : "", rows[i].why != NULL ? rows[i].why : "");
		if (safe != (rows[i].why == NULL))
			printf("\nrow %zu: %s", i, why.data);
	}
	/* a sticky directory guards only what is root's or the owner's */
	chmod(in_scratch("d"), 01777);
	CU_ASSERT_EQUAL(lchown(in_scratch("d/file"), 4711, 4711), 0);
	CU_ASSERT_FALSE(pr_file_is_safe(in_scratch("d/file"), 4712, PR_SAFE_GROUP_FILE | PR_SAFE_WORLD_FILE, &why));
	CU_ASSERT(pr_file_is_safe(in_scratch("d/file"), 4711, PR_SAFE_GROUP_FILE | PR_SAFE_WORLD_FILE, &why));
	CU_ASSERT(pr_file_is_safe(in_scratch("d/file"), 4712, PR_SAFE_GROUP_FILE | PR_SAFE_WORLD_FILE | PR_SAFE_STICKY, &why));
	pr_text_fini(&why);
}

static void test_safe_words(void)
{
	CU_ASSERT_EQUAL(pr_safe_flags(PR_SAFE_MAP, PR_STR("")), PR_SAFE_GROUP_FILE);
	CU_ASSERT_EQUAL(pr_safe_flags(PR_SAFE_ALIAS, PR_STR("safe")), 0);
	CU_ASSERT_EQUAL(pr_safe_flags(PR_SAFE_INCLUDE, PR_STR("groupwritableincludefile, TrustStickyBit WorldWritableAliasFile,nosuch")),
	    PR_SAFE_GROUP_FILE | PR_SAFE_STICKY);
	CU_ASSERT_EQUAL(pr_safe_flags(PR_SAFE_ALIAS, PR_STR("GroupWritableIncludeFile,WorldWritableAliasFile,LinkedMapInWritableDir")), PR_SAFE_WORLD_FILE);
	CU_ASSERT_EQUAL(pr_safe_flags(PR_SAFE_CLASS, PR_STR(",,GroupWritableDirPathSafe,ClassFileInUnsafeDirPath")),
	    PR_SAFE_GROUP_FILE | PR_SAFE_GROUP_DIRECTORY | PR_SAFE_IN_ANY);
}

static void test_trust_odd(void)
{
	struct pr_text why;
	char *giant = pr_alloc(100000);

	pr_text_init(&why, 1000);
	CU_ASSERT(!pr_file_is_trusted("relative", 0, &why));
	CU_ASSERT(!pr_file_is_trusted("", 0, &why));
	CU_ASSERT(!pr_file_is_trusted(NULL, 0, &why));
	for (size_t i = 0; i < 99999; i++)
		giant[i] = "/x"[i % 2];
	CU_ASSERT(!pr_file_is_trusted(giant, 0, &why));
	memset(giant, 'x', 5000);
	giant[0] = '/';
	giant[5000] = '\0';
	CU_ASSERT(!pr_file_is_trusted(giant, 0, &why));
	pr_text_fini(&why);
	pr_free(giant);
}

static void test_write(void)
{
	int ends[2];
	char buffer[16];

	CU_ASSERT_EQUAL(pipe(ends), 0);
	CU_ASSERT(pr_write_all(ends[1], "hello", 5));
	CU_ASSERT(pr_write_all(ends[1], NULL, 0));
	CU_ASSERT_EQUAL(read(ends[0], buffer, sizeof buffer), 5);
	close(ends[0]);
	close(ends[1]);
	CU_ASSERT(!pr_write_all(ends[1], "x", 1) && errno == EBADF);
}

static const struct unit_case cases[] = {
    {"reading", test_read}, {"replacing", test_replace}, {"trust", test_trust}, {"trust in odd paths", test_trust_odd}, {"who can write to it, in sendmail's words", test_safe},
    {"DontBlameSendmail", test_safe_words},
    {"writing all", test_write}, {NULL, NULL},
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

int main(void)
{
	if (mkdtemp(scratch) == NULL)
		return EXIT_FAILURE;
	int result = unit_run("file", cases);
	return nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? result : EXIT_FAILURE;
}
