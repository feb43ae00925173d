/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many threads there are.  The set grows only when work waits and the threads do too (for a disk, a name server): when
 * the processor is the bottleneck another thread would only make everybody slower.
 */
#include "kernel/session/loop.h"
#include "kernel/session/loop_internal.h"

#include <postrider/text.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (1024 * 1024) /* modules call resolvers and database libraries */
#define TEND_MS 5
#define CALM_TICKS 20 /* so many looks without need, and nobody looks any more until one runs something again */

int64_t loop_clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void loop_busy(struct loop *loop)
{
	atomic_fetch_add(&loop->runs, 1);
	atomic_fetch_sub(&loop->idle, 1);
	if (atomic_load(&loop->watched) == 0 && atomic_exchange(&loop->watched, 1) == 0)
		loop->settings.attention(loop->settings.context);
}

void loop_idle(struct loop *loop)
{
	atomic_fetch_add(&loop->idle, 1);
}

/* A thread that found nothing to do leaves, unless it is needed as one of the last. */
static bool may_leave(struct loop *loop)
{
	bool may = false;

	pthread_mutex_lock(&loop->lock);
	if (loop->threads > loop->settings.threads_min) {
		loop->threads--;
		may = true;
	}
	pthread_mutex_unlock(&loop->lock);
	return may;
}

static void *thread_main(void *argument)
{
	struct loop *loop = argument;
	struct worker worker = {.loop = loop, .local = loop->settings.thread_open(loop->settings.context)};
	bool counted = true;

	lead_enter(&worker);
	while (worker.local != NULL && counted) {
		enum loop_take took = loop_take(loop, &worker);
		if (took == LOOP_OVER)
			break;
		if (took == LOOP_NOTHING && may_leave(loop))
			counted = false;
	}
	lead_end(&worker);
	if (worker.local != NULL)
		loop->settings.thread_close(loop->settings.context, worker.local);
	atomic_fetch_sub(&loop->idle, 1);
	pthread_mutex_lock(&loop->lock);
	if (counted)
		loop->threads--;
	loop->running--;
	bool follows = loop->has_last;
	pthread_t before = loop->last;
	loop->last = pthread_self();
	loop->has_last = true;
	pthread_cond_signal(&loop->left);
	pthread_mutex_unlock(&loop->lock);
	/* Each waits for the one that left before it, loop_stop for the last: what libraries do at the end of a thread is over by then. */
	if (follows)
		pthread_join(before, NULL);
	return NULL;
}

static int start_thread(struct loop *loop)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP};
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	pthread_mutex_lock(&loop->lock);
	loop->threads++;
	loop->running++;
	pthread_mutex_unlock(&loop->lock);
	atomic_fetch_add(&loop->idle, 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all); /* signals are the main thread's business; SIGPIPE is nobody's */
	for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
		sigdelset(&all, crashes[i]); /* blocked, they would end the process without a word about the module */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread, &attributes, thread_main, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error != 0) {
		atomic_fetch_sub(&loop->idle, 1);
		pthread_mutex_lock(&loop->lock);
		loop->threads--;
		loop->running--;
		pthread_mutex_unlock(&loop->lock);
	}
	return error;
}

struct loop *loop_new(const struct loop_settings *settings)
{
	struct loop *loop = pr_alloc(sizeof *loop);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int error = 0;

	loop->settings = *settings;
	loop->processors = processors > 0 ? (size_t)processors : 1;
	loop->ready_tail = &loop->ready;
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->left, NULL);
	lead_init(loop);
	if (!loop_open_sets(loop))
		error = errno;
	for (size_t i = 0; error == 0 && i < settings->threads_min; i++)
		error = start_thread(loop);
	if (error == 0)
		return loop;
	loop_free(loop);
	errno = error;
	return NULL;
}

void loop_stop(struct loop *loop)
{
	uint64_t one = 1;

	if (loop == NULL)
		return;
	pthread_mutex_lock(&loop->lock);
	if (loop->running > 0 && write(loop->leave_fd, &one, sizeof one) < 0)
		loop->running = 0; /* cannot happen: an eventfd takes a 1 */
	while (loop->running > 0)
		pthread_cond_wait(&loop->left, &loop->lock);
	bool follows = loop->has_last;
	loop->has_last = false;
	pthread_mutex_unlock(&loop->lock);
	if (follows)
		pthread_join(loop->last, NULL);
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	loop_stop(loop);
	loop_close_sets(loop);
	pthread_cond_destroy(&loop->left);
	lead_fini(loop);
	pthread_mutex_destroy(&loop->lock);
	pr_free(loop);
}

static bool work_waits(struct loop *loop)
{
	struct pollfd set = {.fd = loop->epoll_fd, .events = POLLIN};

	return atomic_load(&loop->posted) > 0 || poll(&set, 1, 0) > 0;
}

/* Since the last look: did the threads mostly wait, or did nobody take anything at all? */
static bool threads_wait(struct loop *loop)
{
	int64_t cpu = loop_clock_us(CLOCK_PROCESS_CPUTIME_ID);
	int64_t now = loop_clock_us(CLOCK_MONOTONIC);
	uint64_t runs = atomic_load(&loop->runs);
	int64_t room = (now - loop->clock_before) * (int64_t)loop->processors;
	bool wait = cpu - loop->cpu_before < room * 3 / 4 || runs == loop->runs_before;

	loop->cpu_before = cpu;
	loop->clock_before = now;
	loop->runs_before = runs;
	return wait;
}

/* Nobody has looked into the set since the last time, and nobody sleeps there. */
static bool leader_waits(struct loop *loop)
{
	uint64_t taken = atomic_load(&loop->taken);
	bool waits = taken == loop->taken_before && atomic_load(&loop->sleepers) == 0;

	loop->taken_before = taken;
	return waits;
}

/* All threads are quiet: after some looks nobody looks any more. */
static int calm_down(struct loop *loop)
{
	if (atomic_load(&loop->sleepers) == 0 || atomic_load(&loop->posted) > 0)
		loop->calm = 0;
	if (++loop->calm < CALM_TICKS)
		return TEND_MS;
	loop->calm = 0;
	atomic_store(&loop->watched, 0);
	/* One may have begun to run something between the look and the store. */
	bool quiet = atomic_load(&loop->idle) == atomic_load(&loop->threads);
	return quiet || atomic_exchange(&loop->watched, 1) != 0 ? -1 : TEND_MS;
}

int loop_tend(struct loop *loop)
{
	bool wait = threads_wait(loop), stuck = leader_waits(loop);

	if (atomic_load(&loop->watched) == 0)
		return -1;
	if (atomic_load(&loop->idle) > 0) {
		if (stuck && work_waits(loop))
			lead_rescue(loop);
		return calm_down(loop);
	}
	loop->calm = 0;
	pthread_mutex_lock(&loop->lock);
	bool room = loop->threads < loop->settings.threads_max;
	pthread_mutex_unlock(&loop->lock);
	/* A thread that cannot be started (limits) is tried again at the next look; the others go on. */
	if (room && wait && work_waits(loop))
		start_thread(loop);
	return TEND_MS;
}

void loop_count(struct loop *loop, struct loop_counts *counts_out)
{
	pthread_mutex_lock(&loop->lock);
	counts_out->threads = loop->threads;
	pthread_mutex_unlock(&loop->lock);
	counts_out->idle = atomic_load(&loop->idle);
	counts_out->runs = atomic_load(&loop->runs);
}
