/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who sleeps in the epoll set: one thread, the leader.  It takes what has come, a batch at a time, and runs it itself; the others are parked.
 *
 * Were all of them asleep in the set, each event would wake another one, which costs more than most commands do.  Four things call a
 * parked thread:
 *
 *   loop_hand_over()  the leader is about to wait for something
 *   lead_help()       there is more to run than one thread should
 *   lead_end()        the leader leaves
 *   lead_rescue()     there is no leader, or he waits without having said so, and events wait: loop_tend() sees that within some milliseconds
 */
#include "kernel/session/loop_internal.h"

#include <errno.h>
#include <time.h>

#define HELP_FROM 6 /* events for each thread that is awake; fewer are sooner done than another thread is woken */

static __thread struct worker *current; /* of this thread, while it runs a task */

void lead_enter(struct worker *worker)
{
	current = worker;
}

bool lead_has(const struct worker *worker)
{
	return atomic_load(&worker->loop->leader) == worker;
}

bool lead_take(struct worker *worker)
{
	struct worker *nobody = NULL;

	return lead_has(worker) || atomic_compare_exchange_strong(&worker->loop->leader, &nobody, worker);
}

/* With the lock held: a parked thread looks for work, if there is one that was not called already. */
static void call_one(struct loop *loop)
{
	if (atomic_load(&loop->parked) <= loop->called)
		return;
	loop->called++;
	pthread_cond_signal(&loop->calls);
}

static void take_away(struct loop *loop, struct worker *worker)
{
	pthread_mutex_lock(&loop->lock);
	if (atomic_compare_exchange_strong(&loop->leader, &worker, NULL))
		call_one(loop);
	pthread_mutex_unlock(&loop->lock);
}

/* There is no leader: whoever was called for his place has taken a task that waited, and may be about to wait for something himself. */
static void call_for_lead(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	if (atomic_load(&loop->leader) == NULL)
		call_one(loop);
	pthread_mutex_unlock(&loop->lock);
}

void loop_hand_over(struct loop *loop)
{
	if (current == NULL || current->loop != loop)
		return;
	if (lead_has(current))
		take_away(loop, current);
	else if (atomic_load(&loop->leader) == NULL && atomic_load(&loop->parked) > 0)
		call_for_lead(loop);
}

void lead_end(struct worker *worker)
{
	if (lead_has(worker))
		take_away(worker->loop, worker);
}

void lead_help(struct loop *loop)
{
	size_t posted = atomic_load(&loop->posted), awake = atomic_load(&loop->threads) - atomic_load(&loop->idle) + 1; /* who asks counts as idle */

	if (posted < HELP_FROM * awake || atomic_load(&loop->parked) == 0)
		return;
	pthread_mutex_lock(&loop->lock);
	if (posted >= HELP_FROM * (awake + loop->called))
		call_one(loop);
	pthread_mutex_unlock(&loop->lock);
}

void lead_rescue(struct loop *loop)
{
	struct worker *leader = atomic_load(&loop->leader);

	if (leader != NULL)
		take_away(loop, leader);
	else
		call_for_lead(loop);
}

static struct timespec after_ms(int ms)
{
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += ms / 1000;
	when.tv_nsec += (long)(ms % 1000) * 1000000;
	if (when.tv_nsec >= 1000000000) {
		when.tv_sec++;
		when.tv_nsec -= 1000000000;
	}
	return when;
}

bool lead_park(struct loop *loop)
{
	struct timespec until = after_ms(loop->settings.idle_ms);
	bool worth = true;

	pthread_mutex_lock(&loop->lock);
	if (atomic_load(&loop->leader) != NULL && loop->called == 0) {
		int result = 0;

		atomic_fetch_add(&loop->parked, 1);
		while (loop->called == 0 && result != ETIMEDOUT)
			result = pthread_cond_timedwait(&loop->calls, &loop->lock, &until);
		atomic_fetch_sub(&loop->parked, 1);
		worth = loop->called > 0;
	}
	if (loop->called > 0)
		loop->called--;
	pthread_mutex_unlock(&loop->lock);
	return worth;
}

void lead_init(struct loop *loop)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&loop->calls, &attributes);
	pthread_condattr_destroy(&attributes);
}

void lead_fini(struct loop *loop)
{
	pthread_cond_destroy(&loop->calls);
}
