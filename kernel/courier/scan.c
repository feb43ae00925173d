/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Goes through the store at the start and now and then, and tells the plan what it did not know.
 * A thread of its own, because a large queue takes long to read and wake-ups must not wait for it; the pause between
 * two scans grows with what a scan costs.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <time.h>

#define PAUSE_SECONDS 60
#define PAUSE_FACTOR 20

static void take_entry(struct courier *courier, const struct pr_entry *entry, bool all_due)
{
	int64_t wall = courier_wall(), now = courier_now(), due = 0;

	if (entry->state != PR_ENTRY_READY)
		return;
	if (!all_due && entry->tries == 0) {
		due = courier_fresh_due(courier);
	} else if (!all_due) {
		due = plan_retry_due(&courier->retry, entry->last_try, entry->tries, wall);
		due = due == PLAN_NEVER ? due : due <= wall ? 0 : due - wall + now;
	}
	pthread_mutex_lock(&courier->lock);
	if (all_due || !plan_knows(courier->plan, entry->id)) {
		plan_add(courier->plan, entry->id, due);
		if (due == 0)
			courier_kick(courier);
	}
	pthread_mutex_unlock(&courier->lock);
}

static bool must_leave(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	bool leave = courier->draining;
	pthread_mutex_unlock(&courier->lock);
	return leave;
}

void scan_once(struct courier *courier, struct module_thread *thread, bool all_due)
{
	struct pr_arena arena;
	struct module_scope scope;
	struct pr_entry entry;
	void *cursor = NULL;
	enum pr_status status;

	pr_arena_init(&arena, 1u << 20);
	for (;;) {
		module_scope_init(&scope, thread, &arena);
		entry = (struct pr_entry){.size = sizeof entry};
		status = store_next(&scope, &cursor, &entry);
		if (status != PR_OK)
			break;
		take_entry(courier, &entry, all_due);
		if (must_leave(courier)) {
			store_next_end(&scope, &cursor);
			break;
		}
		pr_arena_reset(&arena);
	}
	if (status != PR_OK && status != PR_NOTFOUND)
		log_line(LOGP_ERR, NULL, "cannot read the queue: %.*s", PR_PRINT(scope.reason));
	pr_arena_fini(&arena);
}

/* With the lock held. */
static void pause_scan(struct courier *courier, int64_t seconds)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	while (!courier->draining && !courier->scan_wanted)
		if (pthread_cond_timedwait(&courier->scan, &courier->lock, &end) != 0)
			break;
}

static void *scan_main(void *argument)
{
	struct courier *courier = argument;
	struct module_thread *thread = module_thread_new(courier->set);

	pthread_mutex_lock(&courier->lock);
	while (!courier->draining) {
		bool all_due = courier->run_all;
		courier->run_all = courier->scan_wanted = false;
		pthread_mutex_unlock(&courier->lock);
		int64_t began = courier_now();
		scan_once(courier, thread, all_due);
		int64_t took = courier_now() - began;
		pthread_mutex_lock(&courier->lock);
		courier->scanned_once = true;
		int64_t seconds = courier->retry.interval > 0 && courier->retry.interval < PAUSE_SECONDS ? courier->retry.interval : PAUSE_SECONDS;
		pause_scan(courier, seconds > took * PAUSE_FACTOR ? seconds : took * PAUSE_FACTOR);
	}
	pthread_mutex_unlock(&courier->lock);
	module_thread_free(thread);
	pthread_mutex_lock(&courier->lock);
	courier->scanner_running = false;
	pthread_mutex_unlock(&courier->lock);
	return NULL;
}

bool scan_start(struct courier *courier)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, COURIER_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	courier->scanner_running = true;
	bool started = pthread_create(&thread, &attributes, scan_main, courier) == 0;
	if (!started)
		courier->scanner_running = false;
	pthread_attr_destroy(&attributes);
	return started;
}
