/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worker threads: take what the plan offers, one message at a time, in plain blocking code.
 * A new one is started only when work waits and nobody is idle, and one that had nothing to do for a minute leaves, so a
 * quiet courier is a handful of threads.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <string.h>

#define KEPT_WORKERS 2
#define IDLE_SECONDS 60

static void close_old(struct worker *worker, struct cached_session *session)
{
	struct pr_arena arena;
	struct module_scope scope;

	pr_arena_init(&arena, 1u << 20);
	module_scope_init(&scope, worker->thread, &arena);
	cache_close(session, &scope);
	pr_arena_fini(&arena);
}

static void work_on(struct worker *worker, struct plan_entry *entry, struct turn turn)
{
	struct job *job = entry->job;

	if (job == NULL) {
		job = worker->spare != NULL ? worker->spare : job_new(worker->courier);
		worker->spare = NULL;
	}
	job->turn = turn;
	if (!job_run(job, worker, entry))
		return;
	if (worker->spare == NULL)
		worker->spare = job;
	else
		job_free(job);
}

/* Until there is something to do; false: it leaves, after a minute of nothing, unless it was counted on meanwhile. */
static bool rest(struct courier *courier)
{
	enum nap end = nap_take(courier, IDLE_SECONDS);

	if (end == NAP_MAIL) {
		pthread_mutex_unlock(&courier->lock);
		wakes_read(courier);
		pthread_mutex_lock(&courier->lock);
	}
	return end != NAP_OVER || courier->workers <= KEPT_WORKERS || courier->idle == 0 || plan_next_due(courier->plan) <= courier_now();
}

static void worker_loop(struct worker *worker)
{
	struct courier *courier = worker->courier;

	while (!courier->draining) {
		int64_t now = courier_now();
		struct plan_entry *entry = plan_take(courier->plan, now);
		struct cached_session *old = entry == NULL ? cache_take_old(courier, now) : NULL;
		if (entry == NULL && old == NULL) {
			if (!rest(courier))
				break;
			continue;
		}
		struct turn turn = {0};
		if (entry != NULL) {
			turn = (struct turn){.runner = entry->runner, .eager = entry->eager, .urgent = entry->urgent, .patient = entry->patient,
			    .aside = entry->aside, .barred = unsettled_is_full(courier, entry->group)};
			if (entry->job == NULL)
				entry->job = unsettled_take(courier, entry);
		}
		bool kick = entry != NULL && plan_next_due(courier->plan) <= now && courier_wants(courier);
		nap_need_one(courier);
		pthread_mutex_unlock(&courier->lock);
		if (kick) /* without the lock, or the woken one would wait for it at once */
			nap_call(courier);
		if (entry != NULL)
			work_on(worker, entry, turn);
		else
			close_old(worker, old);
		pthread_mutex_lock(&courier->lock);
	}
}

static void *worker_main(void *argument)
{
	struct courier *courier = argument;
	struct worker worker = {.courier = courier, .thread = module_thread_new(courier->set)};

	pthread_mutex_lock(&courier->lock);
	courier->starting--;
	worker_loop(&worker);
	pthread_mutex_unlock(&courier->lock);
	job_free(worker.spare);
	module_thread_free(worker.thread);
	pthread_mutex_lock(&courier->lock);
	courier->workers--;
	pthread_cond_broadcast(&courier->quiet);
	if (courier->draining) /* the next one, too */
		nap_call(courier);
	pthread_mutex_unlock(&courier->lock);
	return NULL;
}

bool worker_start(struct courier *courier)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, COURIER_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int error = pthread_create(&thread, &attributes, worker_main, courier);
	pthread_attr_destroy(&attributes);
	courier->workers += error == 0;
	courier->starting += error == 0;
	if (error != 0 && courier->workers == 0)
		log_line(LOGP_ERR, NULL, "courier: cannot start a thread: %s", strerror(error));
	return error == 0;
}
