/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A segment of the intake journal that cannot be read for a while: that was not its end, and nothing in it is lost or used again.
 */
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE ".libs/spool.so"
#define ROUNDS_US 2500000 /* time for two rounds of the keeper, which sleeps a second when there is nothing to do */

static struct harness store;
static struct harness_call c;
static char scratch[256];

static bool start_as(uint32_t role)
{
	bool ok = harness_open(&store, MODULE, scratch, NULL, role);

	harness_call_init(&c, &store);
	return ok;
}

/* Every descriptor of ours of the segment's file becomes one that cannot be read (a directory), or what it was. */
static void break_reads(bool broken)
{
	static int saved[1024];
	int directory = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int fd = 3; fd < 1024; fd++) {
		char link[64], path[512];
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t len = readlink(link, path, sizeof path - 1);

		path[len > 0 ? len : 0] = '\0';
		if (broken && strstr(path, "/journal/000.log") != NULL) {
			saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 1024);
			CU_ASSERT_FATAL(saved[fd] >= 0 && dup3(directory, fd, O_CLOEXEC) == fd);
		} else if (!broken && saved[fd] > 0) {
			CU_ASSERT_FATAL(dup3(saved[fd], fd, O_CLOEXEC) == fd);
			close(saved[fd]);
			saved[fd] = 0;
		}
	}
	close(directory);
}

/* Writes one message, waits for a word, writes two more and is gone. */
static int write_in_steps(int ids, int word)
{
	struct harness_envelope e;
	char byte, id[64];

	if (!start_as(PR_STORE_INTAKE))
		return 1;
	for (int i = 0; i < 3; i++) {
		harness_envelope(&e);
		if ((i == 1 && read(word, &byte, 1) != 1) || harness_submit(&store, &e.envelope, "text\n", 5, id, NULL) != PR_COMMIT_DURABLE ||
		    write(ids, id, sizeof id) != (ssize_t)sizeof id)
			return 1;
	}
	return 0;
}

static pid_t start_writer(int *ids_out, int *word_out)
{
	int ids[2], word[2];

	CU_ASSERT_FATAL(pipe(ids) == 0 && pipe(word) == 0);
	pid_t child = fork();
	if (child == 0)
		_exit(write_in_steps(ids[1], word[0]));
	close(ids[1]);
	close(word[0]);
	*ids_out = ids[0];
	*word_out = word[1];
	return child;
}

/* Claimed and finished; false: it is not there. */
static bool deliver(const char *id)
{
	struct pr_claim claim = {.size = sizeof claim};
	bool there = store.ops->claim(&c.call, pr_str(id), &claim) == PR_OK;

	if (there)
		CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	pr_arena_reset(&c.arena);
	return there;
}

static bool comes(const char *id)
{
	bool there = false;

	for (int i = 0; i < 100 && !(there = deliver(id)); i++)
		usleep(50000);
	return there;
}

static void test_read_error(void)
{
	char id[3][64];
	int ids, word, status;

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(PR_STORE_DELIVERY)); /* the journal's directory is made by who delivers */
	pid_t child = start_writer(&ids, &word);
	CU_ASSERT_FATAL(read(ids, id[0], sizeof id[0]) == (ssize_t)sizeof id[0]);
	CU_ASSERT(comes(id[0]));
	break_reads(true);
	CU_ASSERT_FATAL(write(word, "x", 1) == 1);
	for (int i = 1; i < 3; i++)
		CU_ASSERT_FATAL(read(ids, id[i], sizeof id[i]) == (ssize_t)sizeof id[i]);
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	usleep(ROUNDS_US);
	CU_ASSERT_FALSE(deliver(id[1]));
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "/journal/000.log: Is a directory; the mail in it waits"));
	break_reads(false);
	CU_ASSERT(comes(id[1]));
	CU_ASSERT(comes(id[2]));
	harness_call_fini(&c);
	harness_close(&store);
	close(ids);
	close(word);
	harness_remove_scratch(scratch);
}

static const struct unit_case cases[] = {
	{"an error of reading is not the end", test_read_error},
	{NULL, NULL},
};

UNIT_MAIN("journal, errors of reading", cases)
