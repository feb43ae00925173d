/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of connections: counted by all processes together, forgotten in time or when its holder is gone, never more memory than promised,
 * and usable whatever a process was doing when it was killed.
 */
#include "kernel/net/traffic.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3
#define ROUNDS 4000
#define KILLS 25

static struct traffic *traffic, *other; /* two views of one table, as two receivers have them */
static int table_fd;

static void begin(void)
{
	traffic = traffic_new(&table_fd);
	CU_ASSERT_PTR_NOT_NULL_FATAL(traffic);
	other = traffic_map(table_fd);
	CU_ASSERT_PTR_NOT_NULL_FATAL(other);
}

static void end(void)
{
	traffic_free(traffic);
	traffic_free(other);
	close(table_fd);
}

static struct traffic_client enter(struct traffic *view, uint32_t column, const char *name, int64_t now)
{
	struct traffic_client client;

	CU_ASSERT(traffic_enter(view, column, pr_str(name), 0, 60, now, &client));
	return client;
}

static void test_one_count(void)
{
	struct traffic_client client, first;

	begin();
	first = enter(traffic, 0, "192.0.2.1", 1000);
	CU_ASSERT(first.connections == 1 && first.rate == 1 && first.total == 1 && first.place > 0);
	client = enter(other, 1, "192.0.2.1", 1001);
	CU_ASSERT(client.connections == 2 && client.rate == 2 && client.total == 2 && client.place == first.place);
	client = enter(other, 1, "192.0.2.2", 1001);
	CU_ASSERT(client.connections == 1 && client.rate == 1 && client.total == 3);
	/* two are there: a third one is one too many, wherever it comes; its attempt counts */
	CU_ASSERT_FALSE(traffic_enter(traffic, 0, PR_STR("192.0.2.1"), 2, 60, 1002, &client));
	CU_ASSERT(client.rate == 3 && client.place == 0);
	CU_ASSERT_FALSE(traffic_enter(other, 1, PR_STR("192.0.2.1"), 2, 60, 1002, &client));
	traffic_leave(traffic, 0, first.place);
	CU_ASSERT(traffic_enter(other, 1, PR_STR("192.0.2.1"), 2, 60, 1002, &client));
	CU_ASSERT(client.connections == 2 && client.rate == 5);
	end();
}

static void test_names(void)
{
	begin();
	CU_ASSERT_EQUAL(enter(traffic, 0, "IPv6:2001:db8::1", 1000).rate, 1);
	CU_ASSERT_EQUAL(enter(traffic, 0, "IPv6:2001:db8::2", 1000).rate, 1); /* each address by itself, as sendmail has it */
	CU_ASSERT_EQUAL(enter(traffic, 0, "IPv6:2001:db8::1", 1000).rate, 2);
	CU_ASSERT_EQUAL(enter(traffic, 0, "192.0.2.10", 1000).rate, 1);
	CU_ASSERT_EQUAL(enter(traffic, 0, "192.0.2.1", 1000).rate, 1);
	CU_ASSERT_EQUAL(enter(traffic, 0, "", 1000).rate, 1);
	end();
}

static void test_sessions(void)
{
	begin();
	for (int i = 0; i < 3; i++)
		CU_ASSERT(traffic_begin(i == 1 ? other : traffic, i == 1, 3));
	CU_ASSERT_FALSE(traffic_begin(traffic, 0, 3));
	CU_ASSERT_FALSE(traffic_begin(other, 1, 3));
	CU_ASSERT_EQUAL(traffic_sessions(traffic), 3);
	traffic_end(traffic, 0);
	CU_ASSERT(traffic_begin(other, 1, 3));
	traffic_forget(traffic, 1);
	CU_ASSERT_EQUAL(traffic_sessions(other), 1);
	CU_ASSERT(traffic_begin(other, 2, 0));
	end();
}

static void test_window(void)
{
	struct traffic_client client;

	begin();
	for (int i = 0; i < 5; i++)
		(void)enter(traffic, 0, "192.0.2.1", 1000);
	CU_ASSERT_EQUAL(enter(other, 1, "192.0.2.1", 1040).rate, 6);
	CU_ASSERT_EQUAL(enter(other, 1, "192.0.2.1", 1039).rate, 7); /* another process' clock lags a little */
	client = enter(other, 1, "192.0.2.1", 1062);
	CU_ASSERT(client.rate == 3 && client.total == 3); /* the five are gone */
	client = enter(traffic, 0, "192.0.2.1", 5000);
	CU_ASSERT(client.rate == 1 && client.total == 1);
	/* another window begins anew */
	CU_ASSERT(traffic_enter(traffic, 0, PR_STR("192.0.2.1"), 0, 10, 5000, &client));
	CU_ASSERT(client.rate == 1 && client.total == 1);
	end();
}

/* What a receiver had open goes with it; what came within the window stays. */
static void test_forget(void)
{
	struct traffic_client client;

	begin();
	(void)enter(traffic, 0, "192.0.2.1", 1000);
	(void)enter(other, 1, "192.0.2.1", 1000);
	(void)enter(other, 1, "192.0.2.1", 1000);
	traffic_forget(traffic, 1);
	client = enter(traffic, 0, "192.0.2.1", 1001);
	CU_ASSERT(client.connections == 2 && client.rate == 4);
	end();
}

static void test_bounded(void)
{
	char name[32];

	begin();
	struct traffic_client kept = enter(traffic, 0, "192.0.2.1", 500);
	CU_ASSERT_EQUAL(kept.connections, 1);
	for (unsigned int i = 0; i < 3 * TRAFFIC_CLIENTS; i++) {
		pr_print(name, sizeof name, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		struct traffic_client client = enter(traffic, 1, name, 1000);
		CU_ASSERT(client.rate == 1 && client.connections == 1);
		traffic_leave(traffic, 1, client.place);
	}
	/* who has a connection is not forgotten for all those, nor who came last */
	CU_ASSERT_EQUAL(enter(traffic, 0, "192.0.2.1", 1001).connections, 2);
	CU_ASSERT_EQUAL(enter(traffic, 1, name, 1001).rate, 2);
	/* and when all have one, some are not counted; all are let in */
	size_t counted = 0, not_counted = 0;
	for (unsigned int i = 0; i < 2 * TRAFFIC_CLIENTS; i++) {
		pr_print(name, sizeof name, "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		if (enter(traffic, 1, name, 2000).place > 0)
			counted++;
		else
			not_counted++;
	}
	CU_ASSERT(counted <= TRAFFIC_CLIENTS && counted > TRAFFIC_CLIENTS * 9 / 10 && not_counted > 0);
	traffic_forget(traffic, 1);
	CU_ASSERT(enter(traffic, 1, name, 2001).place > 0);
	end();
}

static void test_throttle(void)
{
	int taken = 0;

	begin();
	for (int i = 0; i < 5; i++)
		taken += traffic_may_come(i % 2 == 0 ? traffic : other, PR_STR("MTA"), 1000, 3);
	CU_ASSERT_EQUAL(taken, 3);
	CU_ASSERT(traffic_may_come(traffic, PR_STR("MSA"), 1000, 3)); /* each by itself */
	for (int i = 0; i < 5; i++)
		taken += traffic_may_come(traffic, PR_STR("MTA"), 1001, 3);
	CU_ASSERT_EQUAL(taken, 6);
	CU_ASSERT_FALSE(traffic_may_come(traffic, PR_STR("MTA"), 1000, 3)); /* a clock that lags does not open it again */
	CU_ASSERT(traffic_may_come(traffic, PR_STR("MTA"), 9999, 3));
	end();
}

struct crowd {
	struct traffic *view;
	uint32_t column;
	long rounds;
};

static void *come_and_go(void *argument)
{
	const struct crowd *crowd = argument;
	char name[32];

	for (long i = 0; i != crowd->rounds; i++) {
		struct traffic_client client;
		pr_print(name, sizeof name, "192.0.2.%ld", i % 4);
		(void)traffic_begin(crowd->view, crowd->column, 0);
		(void)traffic_enter(crowd->view, crowd->column, pr_str(name), 0, 60, 1000, &client);
		traffic_leave(crowd->view, crowd->column, client.place);
		traffic_end(crowd->view, crowd->column);
	}
	return NULL;
}

static void be_a_crowd(struct traffic *view, uint32_t column, long rounds)
{
	struct crowd crowd = {view, column, rounds};
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, come_and_go, &crowd) != 0)
			_exit(1);
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
}

static pid_t start_crowd(uint32_t column, long rounds)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	be_a_crowd(column == 0 ? traffic : other, column, rounds);
	_exit(0);
}

static void test_processes(void)
{
	int status = 1;

	begin();
	pid_t one = start_crowd(0, ROUNDS), two = start_crowd(1, ROUNDS);
	CU_ASSERT(one > 0 && waitpid(one, &status, 0) == one && status == 0);
	CU_ASSERT(two > 0 && waitpid(two, &status, 0) == two && status == 0);
	CU_ASSERT_EQUAL(traffic_sessions(traffic), 0);
	for (int i = 0; i < 4; i++) {
		char name[32];
		pr_print(name, sizeof name, "192.0.2.%d", i);
		struct traffic_client client = enter(traffic, 0, name, 1000);
		CU_ASSERT_EQUAL(client.connections, 1);
		CU_ASSERT_EQUAL(client.rate, 2 * THREADS * ROUNDS / 4 + 1);
		CU_ASSERT_EQUAL(client.total, 2 * THREADS * ROUNDS + (uint32_t)i + 1);
	}
	end();
}

/* Killed at any moment, also with a lock: the others go on, and nothing that was open stays. */
static void test_killed(void)
{
	int status = 0;

	begin();
	srand(7);
	for (int i = 0; i < KILLS; i++) {
		const struct timespec a_while = {.tv_nsec = 2000000 + rand() % 3000 * 1000};
		pid_t pid = start_crowd(1, -1);
		CU_ASSERT_FATAL(pid > 0);
		(void)nanosleep(&a_while, NULL);
		CU_ASSERT(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
		traffic_forget(traffic, 1);
		CU_ASSERT_EQUAL(traffic_sessions(traffic), 0);
		for (int n = 0; n < 4; n++) {
			char name[32];
			pr_print(name, sizeof name, "192.0.2.%d", n);
			struct traffic_client client = enter(traffic, 0, name, 1000);
			CU_ASSERT(client.connections == 1 && client.place > 0);
			traffic_leave(traffic, 0, client.place);
		}
	}
	end();
}

/* Of two connections of one client, in two processes; what they have of connections is another matter. */
static void test_failures(void)
{
	const struct pr_str name = PR_STR("192.0.2.1");

	begin();
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1000, 0, 0), 0);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1000, 1, 0), 1);
	CU_ASSERT_EQUAL(traffic_failures(other, name, 1100, 1, 0), 2);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1100, 0, 0), 2);
	CU_ASSERT_EQUAL(traffic_failures(traffic, PR_STR("192.0.2.11"), 1100, 0, 0), 0);
	CU_ASSERT_EQUAL(enter(traffic, 0, "192.0.2.1", 1100).rate, 1);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1200, 3, 0), 5);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1200, 0, 4), 1); /* over two pieces; the oldest stays */
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1200, 0, 9), 0);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1200, 2, 0), 2);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1200 + TRAFFIC_FAILURES_WINDOW - 60, 0, 0), 2);
	CU_ASSERT_EQUAL(traffic_failures(traffic, name, 1200 + TRAFFIC_FAILURES_WINDOW, 0, 0), 0);
	end();
}

static const struct unit_case cases[] = {
    {"one count for all", test_one_count},
    {"names", test_names},
    {"sessions", test_sessions},
    {"only within the window", test_window},
    {"a holder is gone", test_forget},
    {"bounded", test_bounded},
    {"so many a second", test_throttle},
    {"failures", test_failures},
    {"processes and threads", test_processes},
    {"killed", test_killed},
    {NULL, NULL},
};

UNIT_MAIN("traffic", cases)
