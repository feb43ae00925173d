/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A store that can say what is ready - because others put mail into it, too - is listened to by a thread of its own.
 * Its ids are hints like wake-ups; a store that offers nothing of this ends the thread with its first call.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <time.h>

#define LISTEN_MS 1000 /* then it looks whether it shall leave */
#define FIRST_PAUSE 1
#define LONGEST_PAUSE 60

static int64_t deadline(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + LISTEN_MS;
}

static void take_ids(struct courier *courier, const struct pr_list *ids)
{
	int64_t due = courier_fresh_due(courier, PLAN_GROUP_UNKNOWN);

	pthread_mutex_lock(&courier->lock);
	for (size_t i = 0; i < ids->count; i++)
		if (!plan_knows(courier->plan, ids->items[i])) {
			courier_index_wake(courier, ids->items[i]);
			plan_add(courier->plan, ids->items[i], due);
		}
	if (due == 0)
		courier_kick(courier);
	pthread_mutex_unlock(&courier->lock);
}

/* After a failure, longer each time. */
static void pause_listening(struct courier *courier, int64_t *seconds)
{
	for (int64_t i = 0; i < *seconds && !courier_is_leaving(courier); i++)
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	*seconds = *seconds * 2 < LONGEST_PAUSE ? *seconds * 2 : LONGEST_PAUSE;
}

void *ready_main(void *argument)
{
	struct courier *courier = argument;
	struct module_thread *thread = module_thread_new(courier->set);
	struct module_scope scope;
	struct pr_arena arena;
	enum pr_status status = PR_OK;
	int64_t pause = FIRST_PAUSE;

	pr_arena_init(&arena, 1u << 20);
	while (status != PR_MISUSE && !courier_is_leaving(courier)) {
		struct pr_list ids = {NULL, 0};
		module_scope_init(&scope, thread, &arena);
		scope.deadline_ms = deadline();
		status = store_wait_ready(&scope, &ids);
		if (status == PR_OK) {
			take_ids(courier, &ids);
		} else if (status != PR_NOTFOUND && status != PR_MISUSE) {
			log_line(LOGP_WARNING, NULL, "the store does not say what is ready: %.*s", PR_PRINT(scope.reason));
			pause_listening(courier, &pause);
		}
		pause = status == PR_OK ? FIRST_PAUSE : pause;
		pr_arena_reset(&arena);
	}
	pr_arena_fini(&arena);
	module_thread_free(thread);
	courier_service_ends(courier);
	return NULL;
}
