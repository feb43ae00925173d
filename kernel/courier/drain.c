/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a courier: it claims nothing more, hands over what it does not have in hand, and waits for its threads.
 * The handing over comes first, because after a reload the next courier is waiting for it, while a delivery may take an hour.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <poll.h>
#include <string.h>

#define SETTLE_SECONDS 3     /* at a stop, for results that could not be written */
#define DRAIN_SECONDS 300    /* after a reload; the master waits five beyond that, too */
#define DRAIN_MORE_SECONDS 4 /* the master waits five beyond the limit */

bool courier_is_leaving(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	bool leaving = courier->draining;
	pthread_mutex_unlock(&courier->lock);
	return leaving;
}

void courier_service_starts(struct courier *courier, void *(*run)(void *))
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, COURIER_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&courier->lock);
	int error = pthread_create(&thread, &attributes, run, courier);
	courier->services += error == 0;
	pthread_mutex_unlock(&courier->lock);
	pthread_attr_destroy(&attributes);
	if (error != 0)
		log_line(LOGP_ERR, NULL, "courier: cannot start a thread: %s", strerror(error));
}

void courier_service_ends(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	courier->services--;
	pthread_mutex_unlock(&courier->lock);
}

/* One run of everything, for sendmail -q without a daemon. */
void courier_run_once(struct courier *courier)
{
	struct module_thread *thread = module_thread_new(courier->set);
	struct plan_counts counts;

	if (load_skips_run(courier)) {
		module_thread_free(thread);
		return;
	}
	pthread_mutex_lock(&courier->lock);
	courier_run_begin(courier);
	pthread_mutex_unlock(&courier->lock);
	scan_once(courier, thread, true);
	module_thread_free(thread);
	pthread_mutex_lock(&courier->lock);
	for (;;) {
		plan_count(courier->plan, courier_now(), &counts);
		if (counts.waiting == counts.entries && plan_next_due(courier->plan) > courier_now())
			break;
		if (plan_next_due(courier->plan) <= courier_now())
			courier_kick(courier);
		pthread_cond_wait(&courier->quiet, &courier->lock);
	}
	pthread_mutex_unlock(&courier->lock);
}

/* Claimed jobs that stand in line: their messages are free for the next courier. */
static void release_parked(struct courier *courier, struct worker *worker)
{
	struct plan_entry *entry;

	for (;;) {
		pthread_mutex_lock(&courier->lock);
		entry = plan_unpark(courier->plan);
		pthread_mutex_unlock(&courier->lock);
		if (entry == NULL)
			return;
		if (entry->job != NULL)
			job_give_up(entry->job, worker);
	}
}

static void hand_over(struct courier *courier, struct worker *last)
{
	struct pr_arena arena;
	struct module_scope scope;

	pr_arena_init(&arena, 1u << 20);
	module_scope_init(&scope, last->thread, &arena);
	release_parked(courier, last);
	enum pr_status status = store_handover(&scope);
	if (status != PR_OK && status != PR_MISUSE) /* a store without it has nothing to hand over */
		log_line(LOGP_WARNING, NULL, "the store was not handed over: %.*s", PR_PRINT(scope.reason));
	pr_arena_fini(&arena);
}

/* At a stop nobody follows: what the store keeps in a form of its own becomes what other programs can read. */
static void drain_store(struct courier *courier, int64_t end)
{
	struct module_thread *thread = module_thread_new(courier->set);
	struct pr_arena arena;
	struct module_scope scope;

	pr_arena_init(&arena, 1u << 20);
	module_scope_init(&scope, thread, &arena);
	scope.deadline_ms = (end + DRAIN_MORE_SECONDS) * 1000;
	enum pr_status status = store_drain(&scope);
	/* a store without it has nothing to drain, and a run beside a daemon leaves that to the daemon */
	bool left = status == PR_MISUSE || (status == PR_NOTFOUND && courier->role->selected != 0);
	if (status != PR_OK && !left) {
		struct pr_str why = pr_arena_printf(&arena, "the queue is not all in files (postriderctl handback does it, the next start too): %.*s",
		                                    PR_PRINT(scope.reason));
		/* who hears it logs it, and tells who wanted the stop; of a run beside a daemon nobody wanted one */
		if (courier->role->channel < 0 || courier->role->selected != 0 || !channel_send(courier->role->channel, CHANNEL_FAILED, 0, 0, why, -1))
			log_line(LOGP_WARNING, NULL, "%.*s", PR_PRINT(why));
	}
	pr_arena_fini(&arena);
	module_thread_free(thread);
}

static void close_idle(struct courier *courier, struct worker *last)
{
	struct pr_arena arena;
	struct module_scope scope;
	struct cached_session *session;

	pr_arena_init(&arena, 1u << 20);
	module_scope_init(&scope, last->thread, &arena);
	while ((session = cache_take_old(courier, PLAN_NEVER)) != NULL)
		cache_close(session, &scope);
	pr_arena_fini(&arena);
}

/* Helpers may still be asked for by running deliveries, so the channel is read on. */
static void listen(struct courier *courier, int milliseconds, int64_t *end)
{
	struct pollfd channel = {.fd = courier->role->channel, .events = POLLIN};
	int64_t limit;

	if (poll(&channel, 1, milliseconds) > 0 && !courier_read_channel(courier, &limit) && limit >= 0 && courier_now() + limit < *end)
		*end = courier_now() + limit;
	if ((channel.revents & POLLHUP) != 0) /* the master is gone: his end would not make anybody wait any more */
		(void)poll(NULL, 0, milliseconds);
}

static unsigned int count_threads(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	unsigned int left = courier->workers + courier->services;
	pthread_mutex_unlock(&courier->lock);
	return left;
}

/* False: not in time.  Results that could not be written are tried meanwhile: who delivers next would not know of them. */
static bool wait_for_threads(struct courier *courier, struct worker *last, int64_t *end)
{
	int64_t tried = courier_now();

	while (count_threads(courier) > 0 && courier_now() < *end) {
		listen(courier, 20, end);
		if (courier_now() > tried) {
			(void)unsettled_try(courier, last);
			tried = courier_now();
		}
	}
	return count_threads(courier) == 0;
}

bool courier_drain(struct courier *courier, int64_t limit)
{
	struct worker last = {.courier = courier, .thread = module_thread_new(courier->set)};

	pthread_mutex_lock(&courier->waking);
	pthread_mutex_lock(&courier->lock);
	courier->draining = true;
	nap_call(courier);
	pthread_cond_broadcast(&courier->scan);
	pthread_mutex_unlock(&courier->lock);
	pthread_mutex_unlock(&courier->waking);
	words_close(courier);
	/* a limit: the daemon is being stopped, else the next generation is waiting for the store */
	bool stopping = limit >= 0 || courier->role->queue_now;
	int64_t end = courier_now() + (limit >= 0 ? limit : 0), patience = limit >= 0 ? end : courier_now() + DRAIN_SECONDS;
	if (!stopping)
		hand_over(courier, &last);
	bool left = wait_for_threads(courier, &last, &patience);
	if (left) /* what came into a line while the workers ended */
		release_parked(courier, &last);
	if (stopping && courier_now() + SETTLE_SECONDS < patience)
		patience = courier_now() + SETTLE_SECONDS;
	while (unsettled_try(courier, &last) && courier_now() < patience)
		listen(courier, 1000, &patience);
	unsettled_lose(courier, &last);
	if (left)
		close_idle(courier, &last);
	module_thread_free(last.thread);
	if (stopping)
		drain_store(courier, end);
	return left;
}
