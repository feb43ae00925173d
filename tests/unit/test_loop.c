/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tasks and threads: no event is lost, no task runs twice at once, the set grows when its threads block and shrinks
 * again, and the limit holds.
 */
#include "kernel/session/loop.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TASKS 16
#define POSTS 2000

struct job {
	struct loop_task task;
	_Atomic int inside;
	_Atomic int overlaps;
	_Atomic int runs;
	_Atomic uint32_t seen;
	int block_ms;
	int fd;
};

static _Atomic int threads_open;
static _Atomic int attentions;

static void *open_thread(void *context)
{
	atomic_fetch_add(&threads_open, 1);
	return context;
}

static void close_thread(void *context, void *local)
{
	(void)context;
	(void)local;
	atomic_fetch_sub(&threads_open, 1);
}

static void attention(void *context)
{
	(void)context;
	atomic_fetch_add(&attentions, 1);
}

static struct loop *new_loop(size_t least, size_t most, int idle_ms)
{
	struct loop_settings settings = {.threads_min = least, .threads_max = most, .idle_ms = idle_ms,
	    .context = &threads_open, .thread_open = open_thread, .thread_close = close_thread, .attention = attention};

	return loop_new(&settings);
}

static void sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

static bool run(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct job *job = (struct job *)task;

	(void)worker;
	if (atomic_fetch_add(&job->inside, 1) != 0)
		atomic_fetch_add(&job->overlaps, 1);
	atomic_fetch_or(&job->seen, events);
	if (job->block_ms > 0)
		sleep_ms(job->block_ms);
	atomic_fetch_add(&job->runs, 1);
	atomic_fetch_sub(&job->inside, 1);
	return true;
}

struct crowd {
	struct job jobs[TASKS];
	struct loop *loop;
};

static void *poster(void *argument)
{
	struct crowd *crowd = argument;

	for (int i = 0; i < POSTS; i++)
		loop_post(crowd->loop, &crowd->jobs[i % TASKS].task, i % 2 == 0 ? LOOP_TIMER : LOOP_COMMIT);
	return NULL;
}

static void test_one_owner(void)
{
	static struct crowd crowd;
	pthread_t threads[3];

	crowd.loop = new_loop(4, 4, 1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(crowd.loop);
	for (size_t i = 0; i < TASKS; i++) {
		loop_task_init(&crowd.jobs[i].task, run);
		loop_release(crowd.loop, &crowd.jobs[i].task);
	}
	for (size_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, poster, &crowd);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < TASKS; i++) {
		atomic_store(&crowd.jobs[i].seen, 0);
		loop_post(crowd.loop, &crowd.jobs[i].task, LOOP_LEAVE);
	}
	sleep_ms(100);
	for (size_t i = 0; i < TASKS; i++) {
		CU_ASSERT_EQUAL(atomic_load(&crowd.jobs[i].overlaps), 0);
		CU_ASSERT_TRUE(atomic_load(&crowd.jobs[i].runs) > 0);
		CU_ASSERT_TRUE((atomic_load(&crowd.jobs[i].seen) & LOOP_LEAVE) != 0);
	}
	loop_free(crowd.loop);
	CU_ASSERT_EQUAL(atomic_load(&threads_open), 0);
}

static bool read_one(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct job *job = (struct job *)task;
	char byte;

	(void)worker;
	if ((events & LOOP_IO) == 0)
		return true;
	while (recv(job->fd, &byte, 1, MSG_DONTWAIT) == 1)
		atomic_fetch_add(&job->runs, 1);
	return true;
}

static void test_descriptor(void)
{
	static struct job job;
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	struct loop *loop = new_loop(2, 2, 1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	job.fd = pair[0];
	loop_task_init(&job.task, read_one);
	CU_ASSERT_TRUE(loop_watch(loop, &job.task, pair[0], EPOLLIN));
	loop_release(loop, &job.task);
	for (int i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(send(pair[1], "x", 1, 0), 1);
		if (i % 10 == 0)
			sleep_ms(2);
	}
	for (int i = 0; i < 100 && atomic_load(&job.runs) < 100; i++)
		sleep_ms(10);
	CU_ASSERT_EQUAL(atomic_load(&job.runs), 100);
	loop_free(loop);
	close(pair[0]);
	close(pair[1]);
}

/* What was sent before the peer closed is told once; that it closed is told too, even when both came before anybody looked. */
static void test_end(void)
{
	static struct job job;
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	struct loop *loop = new_loop(2, 2, 1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	loop_task_init(&job.task, run);
	CU_ASSERT_TRUE(loop_watch(loop, &job.task, pair[0], EPOLLIN));
	sleep_ms(20);
	CU_ASSERT_EQUAL(atomic_load(&job.runs), 0); /* still ours */
	CU_ASSERT_EQUAL(send(pair[1], "x", 1, 0), 1);
	loop_release(loop, &job.task);
	for (int i = 0; i < 100 && atomic_load(&job.runs) == 0; i++)
		sleep_ms(10);
	sleep_ms(20);
	CU_ASSERT_EQUAL(atomic_load(&job.runs), 1); /* nobody reads, and nobody is told again */
	CU_ASSERT_EQUAL(atomic_load(&job.seen), LOOP_IO);
	close(pair[1]);
	for (int i = 0; i < 100 && (atomic_load(&job.seen) & LOOP_END) == 0; i++)
		sleep_ms(10);
	CU_ASSERT_EQUAL(atomic_load(&job.seen), LOOP_IO | LOOP_END);
	loop_free(loop);
	close(pair[0]);
}

/* A task that gives way to another one, ten times. */
struct polite {
	struct loop_task task;
	struct polite *other;
	_Atomic int turns;
	_Atomic int ahead; /* most turns that it was ahead of the other */
};

static bool give_way(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct polite *self = (struct polite *)task;
	int ahead = atomic_fetch_add(&self->turns, 1) + 1 - atomic_load(&self->other->turns);

	(void)events;
	if (ahead > atomic_load(&self->ahead))
		atomic_store(&self->ahead, ahead);
	if (atomic_load(&self->turns) == 10)
		return true;
	loop_defer(worker->loop, task, LOOP_IO);
	return false;
}

static void test_defer(void)
{
	static struct polite two[2];
	struct loop *loop = new_loop(1, 1, 1000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	for (size_t i = 0; i < 2; i++) {
		two[i].other = &two[1 - i];
		loop_task_init(&two[i].task, give_way);
		loop_post(loop, &two[i].task, LOOP_IO); /* noted: it is busy until it is released */
	}
	loop_release(loop, &two[0].task);
	loop_release(loop, &two[1].task);
	for (int i = 0; i < 100 && (atomic_load(&two[0].turns) < 10 || atomic_load(&two[1].turns) < 10); i++)
		sleep_ms(10);
	for (size_t i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(atomic_load(&two[i].turns), 10);
	CU_ASSERT_TRUE(atomic_load(&two[1].ahead) <= 1);
	loop_free(loop);
}

static size_t thread_count(struct loop *loop)
{
	struct loop_counts counts;

	loop_count(loop, &counts);
	return counts.threads;
}

static void tend_for(struct loop *loop, int ms)
{
	for (int i = 0; i < ms / 5; i++) {
		loop_tend(loop);
		sleep_ms(5);
	}
}

static void test_grows_and_shrinks(void)
{
	static struct job jobs[TASKS];
	struct loop *loop = new_loop(2, 6, 150);

	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	CU_ASSERT_EQUAL(thread_count(loop), 2);
	for (size_t i = 0; i < TASKS; i++) {
		loop_task_init(&jobs[i].task, run);
		jobs[i].block_ms = 100;
		loop_release(loop, &jobs[i].task);
		loop_post(loop, &jobs[i].task, LOOP_COMMIT);
	}
	tend_for(loop, 100);
	CU_ASSERT_EQUAL(thread_count(loop), 6);
	CU_ASSERT_TRUE(atomic_load(&attentions) > 0);
	for (int i = 0; i < 300 && thread_count(loop) > 2; i++)
		tend_for(loop, 20);
	CU_ASSERT_EQUAL(thread_count(loop), 2);
	for (size_t i = 0; i < TASKS; i++)
		CU_ASSERT_EQUAL(atomic_load(&jobs[i].runs), 1);
	loop_free(loop);
	CU_ASSERT_EQUAL(atomic_load(&threads_open), 0);
}

static bool go(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct job *job = (struct job *)task;

	(void)worker;
	(void)events;
	atomic_fetch_add(&job->runs, 1);
	return false;
}

/* A task that is gone is never run again, whatever is still posted for it. */
static void test_gone(void)
{
	static struct job job;
	struct loop *loop = new_loop(2, 2, 1000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	loop_task_init(&job.task, go);
	loop_release(loop, &job.task);
	for (int i = 0; i < 50; i++)
		loop_post(loop, &job.task, LOOP_TIMER);
	sleep_ms(50);
	loop_post(loop, &job.task, LOOP_TIMER);
	sleep_ms(20);
	CU_ASSERT_EQUAL(atomic_load(&job.runs), 1);
	loop_free(loop);
}

/* One that waits until another one has run, having said so or not. */
struct waiter {
	struct loop_task task;
	struct loop *loop;
	struct job *other;
	bool says;
	_Atomic int begun;
	_Atomic int saw; /* the other one ran while this waited */
};

static bool wait_for_other(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct waiter *self = (struct waiter *)task;

	(void)worker;
	(void)events;
	if (self->says)
		loop_hand_over(self->loop);
	atomic_store(&self->begun, 1);
	for (int i = 0; i < 500 && atomic_load(&self->other->runs) == 0; i++)
		sleep_ms(10);
	atomic_store(&self->saw, atomic_load(&self->other->runs));
	return true;
}

/* `first` runs; then the other one becomes ready, by an event of its descriptor. */
static void wait_beside(bool says, bool tend)
{
	static struct waiter first;
	static struct job second;
	int pair[2], left = -1;
	struct loop *loop = new_loop(2, 2, 1000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	memset(&first, 0, sizeof first);
	memset(&second, 0, sizeof second);
	first.loop = loop;
	first.other = &second;
	first.says = says;
	second.fd = pair[0];
	loop_task_init(&first.task, wait_for_other);
	loop_task_init(&second.task, read_one);
	CU_ASSERT_TRUE(loop_watch(loop, &second.task, pair[0], EPOLLIN));
	loop_release(loop, &second.task);
	loop_post(loop, &first.task, LOOP_TIMER);
	loop_release(loop, &first.task);
	for (int i = 0; i < 300 && atomic_load(&first.begun) == 0; i++)
		sleep_ms(10);
	CU_ASSERT_EQUAL(write(pair[1], "x", 1), 1);
	for (int i = 0; i < 500 && atomic_load(&first.saw) == 0; i++) {
		left = tend ? loop_tend(loop) : left;
		sleep_ms(5);
	}
	CU_ASSERT_EQUAL(atomic_load(&first.saw), 1);
	for (int i = 0; tend && i < 200 && left >= 0; i++) {
		left = loop_tend(loop);
		sleep_ms(5);
	}
	CU_ASSERT_EQUAL(left, -1); /* it asks no longer to be looked after */
	loop_free(loop);
	close(pair[0]);
	close(pair[1]);
}

static void test_hand_over(void)
{
	wait_beside(true, false);
}

static void test_rescue(void)
{
	wait_beside(false, true);
}

/* Three at once, posted by a fourth: two that wait for the third. */
struct trio {
	struct loop_task poster;
	struct loop *loop;
	struct waiter waiters[2];
	struct job last;
};

static bool post_all(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct trio *trio = (struct trio *)task;

	(void)worker;
	(void)events;
	loop_post(trio->loop, &trio->waiters[0].task, LOOP_TIMER);
	loop_post(trio->loop, &trio->waiters[1].task, LOOP_TIMER);
	loop_post(trio->loop, &trio->last.task, LOOP_TIMER);
	return true;
}

/* The leader waits in the first of them, whoever is called for him in the second: a parked thread must be called for the third. */
static void wait_in_two(bool says, bool tend)
{
	static struct trio trio;
	struct loop *loop = new_loop(3, 3, 20000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	memset(&trio, 0, sizeof trio);
	trio.loop = loop;
	loop_task_init(&trio.poster, post_all);
	loop_task_init(&trio.last.task, run);
	loop_release(loop, &trio.last.task);
	for (int i = 0; i < 2; i++) {
		trio.waiters[i] = (struct waiter){.loop = loop, .other = &trio.last, .says = says};
		loop_task_init(&trio.waiters[i].task, wait_for_other);
		loop_release(loop, &trio.waiters[i].task);
	}
	sleep_ms(50); /* one sleeps in the set, two are parked */
	loop_post(loop, &trio.poster, LOOP_TIMER);
	loop_release(loop, &trio.poster);
	for (int i = 0; i < 400 && (atomic_load(&trio.waiters[0].saw) == 0 || atomic_load(&trio.waiters[1].saw) == 0); i++) {
		if (tend)
			(void)loop_tend(loop);
		sleep_ms(5);
	}
	CU_ASSERT(atomic_load(&trio.waiters[0].saw) == 1 && atomic_load(&trio.waiters[1].saw) == 1);
	loop_free(loop);
}

static void test_two_wait(void)
{
	for (int i = 0; i < 5; i++) {
		wait_in_two(true, false);
		wait_in_two(false, true);
	}
}

static bool stay(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct job *job = (struct job *)task;

	(void)worker;
	atomic_fetch_or(&job->seen, events);
	atomic_fetch_add(&job->runs, 1);
	return true;
}

/* A second descriptor: its events are not taken for those of the first, and its end is not the peer's. */
static void test_other(void)
{
	struct job job = {.fd = -1};
	struct loop *loop = new_loop(2, 2, 1000);
	int ends[2];

	CU_ASSERT_PTR_NOT_NULL_FATAL(loop);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	loop_task_init(&job.task, stay);
	CU_ASSERT_TRUE(loop_watch_other(loop, &job.task, ends[0]));
	loop_release(loop, &job.task);
	CU_ASSERT_EQUAL(write(ends[1], "x", 1), 1);
	for (int i = 0; i < 200 && atomic_load(&job.runs) < 1; i++)
		sleep_ms(5);
	CU_ASSERT_EQUAL(atomic_load(&job.seen), LOOP_OTHER);
	int before = atomic_load(&job.runs);
	close(ends[1]);
	for (int i = 0; i < 200 && atomic_load(&job.runs) == before; i++)
		sleep_ms(5);
	CU_ASSERT_TRUE(atomic_load(&job.runs) > before);
	CU_ASSERT_EQUAL(atomic_load(&job.seen), LOOP_OTHER);
	close(ends[0]);
	loop_free(loop);
}

static const struct unit_case cases[] = {
    {"one owner at a time, no event lost", test_one_owner},
    {"a descriptor, every event once", test_descriptor},
    {"the end of a peer", test_end},
    {"giving way", test_defer},
    {"a second descriptor", test_other},
    {"grows when blocked, shrinks when idle", test_grows_and_shrinks},
    {"who says that it waits is not waited for", test_hand_over},
    {"nor who does not say so", test_rescue},
    {"nor two that wait for a third", test_two_wait},
    {"a task that is gone stays gone", test_gone},
    {NULL, NULL},
};

UNIT_MAIN("session loop", cases)
