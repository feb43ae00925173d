/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens a thousand times is said once a minute, and nothing of the count is lost; one line is one line.
 */
#include "kernel/log/log.h"
#include "kernel/log/repeat.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What a client gives cannot make a second line, nor hide or turn a part of one. */
static void test_visible(void)
{
	static const struct {
		const char *said, *written;
	} rows[] = {
	    {"plain", "plain"},
	    {"a\r\nb\x1b[31m\x7f", "a\\015\\012b\\033[31m\\177"},
	    {"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa8", "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa8"},
	    {"a\xc2\x85" "b\xc2\x9b" "c", "a\\302\\205b\\302\\233c"},                     /* U+0085, U+009B */
	    {"a\xe2\x80\xa8" "b\xe2\x80\xae" "c\xe2\x81\xa6", "a\\342\\200\\250b\\342\\200\\256c\\342\\201\\246"}, /* U+2028, U+202E, U+2066 */
	    {"\x9b" "31m\xff\xc3", "\\23331m\\377\\303"},
	    {"\xc0\x8a\xed\xa0\x80", "\\300\\212\\355\\240\\200"},                           /* too long a form of LF, half of a pair */
	    {"end \xe2\x82", "end \\342\\202"},
	};
	char path[] = "/tmp/test_log.XXXXXX", got[4096];
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0 && log_open(path, "test"));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_text line;
		CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 0), 0);
		log_line(LOGP_INFO, NULL, "%s", rows[i].said);
		ssize_t len = pread(fd, got, sizeof got - 1, 0);
		CU_ASSERT_FATAL(len > 0);
		got[len] = '\0';
		pr_text_init(&line, 1000);
		pr_text_addf(&line, "]: %s\n", rows[i].written);
		const char *found = strstr(got, "]: ");
		CU_ASSERT_PTR_NOT_NULL_FATAL(found);
		CU_ASSERT_STRING_EQUAL(found, line.data);
		pr_text_fini(&line);
	}
	close(fd);
	unlink(path);
}

static const struct unit_case cases[] = {
    {"one line, and all of it to be seen", test_visible},
    {"first, and each minute", test_first_and_each_minute},
    {"many threads", test_many_threads},
    {NULL, NULL},
};

UNIT_MAIN("log", cases)
