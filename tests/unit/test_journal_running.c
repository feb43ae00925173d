/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal under strange hands while it is in use: a segment that is removed, replaced, cut short or overwritten costs what was in it, which
 * is told, and nothing that is accepted afterwards.
 */
#include "modules/stores/spool/journal.h"
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE ".libs/spool.so"
#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)
#define MESSAGES 10

static struct harness store;
static struct harness_call c;
static char scratch[256], ids[2 * MESSAGES][64];

static void start(void)
{
	harness_logged[0] = '\0';
	CU_ASSERT_FATAL(harness_open(&store, MODULE, scratch, NULL, BOTH));
	harness_call_init(&c, &store);
}

static void stop(void)
{
	harness_call_fini(&c);
	harness_close(&store);
}

/* Each is acknowledged; its body is its number. */
static void accept_more(int first)
{
	for (int i = first; i < first + MESSAGES; i++) {
		struct harness_envelope e;
		char body[64];
		size_t len = (size_t)snprintf(body, sizeof body, "this is message %d.\n", i);

		harness_envelope(&e);
		CU_ASSERT_EQUAL_FATAL(harness_submit(&store, &e.envelope, body, len, ids[i], NULL), PR_COMMIT_DURABLE);
	}
}

static bool can_be_delivered(int number)
{
	struct pr_claim claim = {.size = sizeof claim};

	if (store.ops->claim(&c.call, pr_str(ids[number]), &claim) != PR_OK)
		return false;
	bool done = store.ops->finish(&c.call, &claim) == PR_OK;
	pr_arena_reset(&c.arena);
	return done;
}

static const char *log_path(void)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/journal/000.log", scratch);
	return path;
}

static off_t find(const char *what)
{
	static char bytes[JOURNAL_SEGMENT];
	int fd = open(log_path(), O_RDONLY);
	ssize_t got = read(fd, bytes, sizeof bytes);
	char *at = got > 0 ? memmem(bytes, (size_t)got, what, strlen(what)) : NULL;

	close(fd);
	CU_ASSERT_FATAL(at != NULL);
	return at - bytes;
}

static void spoil(const char *what)
{
	int fd = open(log_path(), O_RDWR);

	CU_ASSERT(pwrite(fd, "\xff\xff\xff\xff", 4, find(what)) == 4);
	close(fd);
}

/* The head of a record in the middle: those behind it are found all the same. */
static void test_overwritten(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	start();
	accept_more(0);
	spoil(ids[4]);
	accept_more(MESSAGES);
	for (int i = 0; i < 2 * MESSAGES; i++)
		CU_ASSERT_EQUAL(can_be_delivered(i), i != 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "Losing mail that was accepted: journal segment 000.log"));
	stop();
	harness_remove_scratch(scratch);
}

static void test_cut_short(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	start();
	accept_more(0);
	CU_ASSERT_EQUAL(truncate(log_path(), find(ids[4])), 0);
	accept_more(MESSAGES);
	for (int i = 0; i < 2 * MESSAGES; i++)
		CU_ASSERT_EQUAL(can_be_delivered(i), i < 4 || i >= MESSAGES);
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "Losing mail that was accepted"));
	stop();
	harness_remove_scratch(scratch);
}

static void wait_for_delivery(int number)
{
	for (int turn = 0; turn < 1000; turn++) {
		if (can_be_delivered(number))
			return;
		usleep(10000);
	}
	CU_FAIL("an accepted message is not found");
}

static void remove_and_go_on(bool put_a_directory, bool read_before)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	start();
	accept_more(0);
	if (read_before)
		CU_ASSERT(can_be_delivered(0));
	CU_ASSERT_EQUAL(unlink(log_path()), 0);
	if (put_a_directory)
		CU_ASSERT_EQUAL(mkdir(log_path(), 0700), 0);
	accept_more(MESSAGES);
	for (int i = MESSAGES; i < 2 * MESSAGES - 1; i++)
		wait_for_delivery(i);
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "journal/000.log was removed while it was in use"));
	stop();
	start(); /* nor is it taken for something that was delivered long ago */
	wait_for_delivery(2 * MESSAGES - 1);
	stop();
	harness_remove_scratch(scratch);
}

static void test_removed(void)
{
	remove_and_go_on(false, false);
}

static void test_removed_after_reading(void)
{
	remove_and_go_on(false, true);
}

static void test_replaced(void)
{
	remove_and_go_on(true, true);
}

/* All of it was delivered before, and who delivers now has never read anything in it. */
static void test_removed_when_retired(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	start();
	accept_more(0);
	for (int i = 0; i < MESSAGES; i++)
		CU_ASSERT(can_be_delivered(i));
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	stop();
	start();
	CU_ASSERT_FALSE(can_be_delivered(0)); /* the files are open now */
	CU_ASSERT_EQUAL(unlink(log_path()), 0);
	accept_more(MESSAGES);
	for (int i = MESSAGES; i < 2 * MESSAGES; i++)
		wait_for_delivery(i);
	/* what was delivered is not missed at later starts */
	CU_ASSERT_EQUAL(unlink(log_path()), 0);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	usleep(1500000); /* a round of the thread that looks now and then */
	stop();
	start();
	CU_ASSERT_FALSE(can_be_delivered(0));
	CU_ASSERT_PTR_NULL(strstr(harness_logged, "Losing mail"));
	stop();
	harness_remove_scratch(scratch);
}

/* While nobody had it open. */
static void test_missing(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	start();
	accept_more(0);
	stop();
	CU_ASSERT_EQUAL(unlink(log_path()), 0);
	start();
	CU_ASSERT_FALSE(can_be_delivered(0));
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "journal/000.log is gone or no regular file"));
	accept_more(MESSAGES);
	wait_for_delivery(MESSAGES);
	stop();
	harness_remove_scratch(scratch);
}

static const struct unit_case cases[] = {
	{"overwritten in the middle", test_overwritten},
	{"cut short", test_cut_short},
	{"removed before anything was read", test_removed},
	{"removed after that", test_removed_after_reading},
	{"replaced by a directory", test_replaced},
	{"removed when all of it was delivered", test_removed_when_retired},
	{"missing at the start", test_missing},
	{NULL, NULL},
};

UNIT_MAIN("the journal under strange hands", cases)
