/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The counters in shared memory and the file they are added to: nothing is lost between the two, and what is not a file of statistics
 * stays as it is.
 */
#include "kernel/queue/statistics.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW 1795645100

static char folder[64];
static char path[128];

static void put(const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CU_ASSERT(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static size_t get(char *room, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, room, size);

	if (fd >= 0)
		close(fd);
	return got < 0 ? 0 : (size_t)got;
}

static void begin(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/postrider-statistics-XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof path, "%s/st", folder);
}

static struct statistics sample(int64_t n)
{
	struct statistics statistics = {.since = 0};

	for (size_t i = 0; i < CONNECTION_KINDS; i++)
		statistics.connections[i] = n + (int64_t)i;
	for (size_t kind = 0; kind < STATISTICS_KINDS; kind++)
		for (size_t i = 0; i < STATISTICS_MAILERS; i++)
			statistics.messages[kind][i] = n * 100 + (int64_t)(kind * STATISTICS_MAILERS + i);
	return statistics;
}

static bool is_sum(const struct statistics *sum, const struct statistics *a, const struct statistics *b)
{
	for (size_t i = 0; i < CONNECTION_KINDS; i++)
		if (sum->connections[i] != a->connections[i] + b->connections[i])
			return false;
	for (size_t kind = 0; kind < STATISTICS_KINDS; kind++)
		for (size_t i = 0; i < STATISTICS_MAILERS; i++)
			if (sum->messages[kind][i] != a->messages[kind][i] + b->messages[kind][i])
				return false;
	return true;
}

static void test_file(void)
{
	struct statistics a = sample(1), b = sample(7), got, none = {.since = 0};
	struct pr_text why;

	begin();
	pr_text_init(&why, 1000);
	/* never made */
	CU_ASSERT(statistics_add(path, &a, NOW, &why) == PR_NOTFOUND && access(path, F_OK) != 0);
	put("", 0);
	CU_ASSERT(statistics_read(path, NOW, &got, &why) == PR_OK && statistics_is_zero(&got) && got.since == NOW);
	CU_ASSERT(statistics_add(path, &a, NOW, &why) == PR_OK);
	CU_ASSERT(statistics_add(path, &b, NOW + 50, &why) == PR_OK);
	CU_ASSERT(statistics_read(path, NOW + 60, &got, &why) == PR_OK && is_sum(&got, &a, &b) && got.since == NOW);
	memset(&got, 0, sizeof got);
	CU_ASSERT(statistics_take(path, NOW + 60, &got, &why) == PR_OK && is_sum(&got, &a, &b));
	CU_ASSERT(statistics_read(path, NOW + 70, &got, &why) == PR_OK && is_sum(&got, &none, &none) && got.since == NOW + 70);
	pr_text_fini(&why);
	scratch_remove(folder);
}

/* Every byte of the head changed, and every length: refused with the file's name, and the file is what it was. */
static void test_damage(void)
{
	struct statistics a = sample(1), got;
	char whole[2000], after[2000];
	struct pr_text why;

	begin();
	pr_text_init(&why, 1000);
	put("", 0);
	CU_ASSERT_FATAL(statistics_add(path, &a, NOW, &why) == PR_OK);
	size_t size = get(whole, sizeof whole);
	CU_ASSERT_EQUAL_FATAL(size, 1448);
	for (size_t i = 0; i < 18; i++) {
		if (i >= 8 && i < 16)
			continue; /* the time may be any */
		whole[i] ^= 0x40;
		put(whole, size);
		pr_text_clear(&why);
		CU_ASSERT_EQUAL(statistics_read(path, NOW, &got, &why), PR_PERMFAIL);
		CU_ASSERT_EQUAL(statistics_add(path, &a, NOW, &why), PR_PERMFAIL);
		CU_ASSERT_EQUAL(statistics_take(path, NOW, &got, &why), PR_PERMFAIL);
		CU_ASSERT_PTR_NOT_NULL(strstr(why.data, path));
		CU_ASSERT(get(after, sizeof after) == size && memcmp(whole, after, size) == 0);
		whole[i] ^= 0x40;
	}
	for (size_t len = 1; len < size; len += 13) {
		put(whole, len);
		CU_ASSERT_EQUAL(statistics_add(path, &a, NOW, &why), PR_PERMFAIL);
		CU_ASSERT(get(after, sizeof after) == len && memcmp(whole, after, len) == 0);
	}
	put(whole, size); /* the control: undamaged it is taken */
	CU_ASSERT_EQUAL(statistics_add(path, &a, NOW, &why), PR_OK);
	pr_text_fini(&why);
	scratch_remove(folder);
}

static void test_lock(void)
{
	struct statistics a = sample(1);
	struct pr_text why;

	begin();
	pr_text_init(&why, 1000);
	put("", 0);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CU_ASSERT(flock(fd, LOCK_EX) == 0);
	CU_ASSERT_EQUAL(statistics_add(path, &a, NOW, &why), PR_TEMPFAIL);
	close(fd);
	CU_ASSERT_EQUAL(statistics_add(path, &a, NOW, &why), PR_OK);
	pr_text_fini(&why);
	scratch_remove(folder);
}

static void test_counters(void)
{
	struct statistics got, again;
	int fd = -1;
	struct statistics_counters *counters = counters_new(&fd), *other = counters_map(fd);

	CU_ASSERT_FATAL(counters != NULL && other != NULL);
	CU_ASSERT(ftruncate(fd, 0) != 0 && ftruncate(fd, 100000) != 0); /* nobody can pull it away */
	counters_message(other, MESSAGES_FROM, 3, 1024);
	counters_message(other, MESSAGES_FROM, 3, 1025);
	counters_message(other, MESSAGES_TO, 24, 0);
	counters_message(other, MESSAGES_REJECTED, 4, 5000);
	counters_message(other, MESSAGES_FROM, STATISTICS_NO_MAILER, 5000);
	counters_message(other, MESSAGES_FROM, STATISTICS_MAILERS, 5000);
	counters_connection(other, CONNECTION_TO);
	counters_message(NULL, MESSAGES_FROM, 3, 1);
	counters_connection(NULL, CONNECTION_TO);
	counters_take(counters, &got);
	CU_ASSERT(got.messages[MESSAGES_FROM][3] == 2 && got.messages[KBYTES_FROM][3] == 3);
	CU_ASSERT(got.messages[MESSAGES_TO][24] == 1 && got.messages[KBYTES_TO][24] == 0);
	CU_ASSERT(got.messages[MESSAGES_REJECTED][4] == 1 && got.messages[MESSAGES_DISCARDED][4] == 0);
	CU_ASSERT(got.connections[CONNECTION_FROM] == 0 && got.connections[CONNECTION_TO] == 1);
	counters_take(counters, &again);
	CU_ASSERT(statistics_is_zero(&again) && !statistics_is_zero(&got));
	counters_give_back(counters, &got);
	counters_take(other, &again);
	CU_ASSERT(memcmp(&got, &again, sizeof got) == 0);
	counters_free(other);
	counters_free(counters);
	close(fd);
	CU_ASSERT_PTR_NULL(counters_map(-1));
}

/* Four processes count, two are killed in the middle; whatever was counted was counted. */
static void test_processes(void)
{
	enum { EACH = 20000 };
	struct statistics got, sum = {.since = 0};
	int fd = -1, status;
	struct statistics_counters *counters = counters_new(&fd);

	CU_ASSERT_FATAL(counters != NULL);
	for (int i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		struct statistics_counters *mine = counters_map(fd);
		for (int n = 0; n < EACH; n++)
			counters_message(mine, MESSAGES_TO, i, 10);
		raise(i < 2 ? SIGKILL : SIGTERM);
		_exit(1);
	}
	for (int left = 4; left > 0;) {
		counters_take(counters, &got);
		for (int i = 0; i < 4; i++)
			sum.messages[MESSAGES_TO][i] += got.messages[MESSAGES_TO][i];
		left -= waitpid(-1, &status, WNOHANG) > 0;
	}
	counters_take(counters, &got);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(sum.messages[MESSAGES_TO][i] + got.messages[MESSAGES_TO][i], EACH);
	counters_free(counters);
	close(fd);
}

static void test_names(void)
{
	struct pr_text errors;
	struct statistics_names names;
	struct pr_str text = PR_STR("mailers = { uucp = { module = \"smtp\"; }; file = { module = \"file\"; }; local = { module = \"local\"; }; };\n");

	pr_text_init(&errors, 2000);
	struct config *config = config_parse("x.conf", text, NULL, &errors);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	statistics_names_of(config, &names);
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("prog")), 0);
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("file")), 1);
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("uucp")), 3);
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("local")), 4);
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("esmtp")), 5); /* declared by nobody, always there */
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("nosuch")), STATISTICS_NO_MAILER);
	char room[40][16];
	for (int i = 0; i < 40; i++) {
		(void)snprintf(room[i], sizeof room[i], "m%d", i);
		bool added = statistics_names_add(&names, pr_str(room[i]));
		CU_ASSERT_EQUAL(added, names.next < STATISTICS_MAILERS || statistics_number(&names, pr_str(room[i])) == STATISTICS_MAILERS - 1);
	}
	CU_ASSERT_EQUAL(statistics_number(&names, PR_STR("m39")), STATISTICS_NO_MAILER);
	config_free(config);
	pr_text_fini(&errors);
}

/* The odd lines were shown to sendmail's mailstats, and these are its numbers. */
static void test_cf(void)
{
	static const char text[] = "\tMtab, P=x\nM,x\nM mspace, P=x\nMnocomma\nMtabbed\tP=x\nMlocal, P=1\nMlocal, P=2\nMprog ,P=x\n OStatusFile=/x\n"
				   "O StatusFile=/first\nOS/last\nMfo-o=bar,\nMlast;x";
	static const char *const expected[] = {"prog", "*file*", "*include*", "", "nocomma", "tabbed", "local", "fo-o=bar", "last;x"};
	struct statistics_names names;
	struct pr_str file;

	CU_ASSERT_FATAL(statistics_cf_parse(pr_str(text), &names, &file));
	CU_ASSERT(pr_str_equal(file, PR_STR("/last")));
	CU_ASSERT_EQUAL(names.next, sizeof expected / sizeof expected[0]);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		CU_ASSERT(pr_str_equal(names.names[i], pr_str(expected[i])));
	CU_ASSERT(statistics_cf_parse(PR_STR("V10/Berkeley\n"), &names, &file) && file.data == NULL);
	CU_ASSERT(!statistics_cf_parse(PR_STR("options = { };\nmailers = { };\nMaximum = 5;\n"), &names, &file));
	CU_ASSERT(!statistics_cf_parse(PR_STR(""), &names, &file));
}

static const struct unit_case statistics_cases[] = {
    {"the file", test_file}, {"damage", test_damage}, {"a lock", test_lock}, {"counters", test_counters}, {"processes", test_processes},
    {"names", test_names}, {"sendmail.cf", test_cf}, {NULL, NULL}};
UNIT_MAIN("statistics", statistics_cases)
