/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens a thousand times is said once a minute, and nothing of the count is lost.
 */
#include "kernel/log/repeat.h"
#include "tests/unit/unit.h"

#include <pthread.h>

static void test_first_and_each_minute(void)
{
	struct log_repeat repeat = {0};
	uint64_t more = 99;

	CU_ASSERT(log_repeat_begin(&repeat, 1000, &more) && more == 0);
	for (int i = 0; i < 500; i++)
		CU_ASSERT(!log_repeat_begin(&repeat, 1000 + i % LOG_REPEAT_SECONDS, &more));
	CU_ASSERT(log_repeat_begin(&repeat, 1000 + LOG_REPEAT_SECONDS, &more) && more == 500);
	CU_ASSERT(!log_repeat_begin(&repeat, 1001 + LOG_REPEAT_SECONDS, &more));
	CU_ASSERT(log_repeat_end(&repeat, &more) && more == 1);
	CU_ASSERT(!log_repeat_end(&repeat, &more));
	CU_ASSERT(log_repeat_begin(&repeat, 1002 + LOG_REPEAT_SECONDS, &more) && more == 0);
}

static struct log_repeat shared;
static _Atomic uint64_t said, counted;

static void *storm(void *nothing)
{
	uint64_t more;

	for (int64_t i = 0; i < 20000; i++)
		if (log_repeat_begin(&shared, 1 + i / 100, &more)) {
			said++;
			counted += more;
		}
	return nothing;
}

static void test_many_threads(void)
{
	pthread_t threads[4];
	uint64_t rest = 0;

	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, storm, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT(log_repeat_end(&shared, &rest));
	CU_ASSERT_EQUAL(said + counted + rest, 80000); /* each is said or counted */
	CU_ASSERT(said >= 4 && said <= 5);
}

static const struct unit_case cases[] = {
    {"first, and each minute", test_first_and_each_minute},
    {"many threads", test_many_threads},
    {NULL, NULL},
};

UNIT_MAIN("log", cases)
