/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A queue run for chosen messages: goes through the store once, gathers what the selection means, and makes it due in the order of the queue.
 * A thread of its own for each such run, because it reads envelopes and neither wake-ups nor the scan may wait for it; first all is chosen and
 * then anything touched, so a message that is put back meanwhile is not taken twice.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENVELOPE_ARENA (40u << 20) /* more than the largest envelope a store reads */

struct row {
	int64_t priority, created;
	uint8_t group;
	char id[PLAN_ID_MAX + 1];
};

struct run {
	struct courier *courier;
	struct module_thread *thread;
	struct module_scope scope;
	struct pr_arena arena, texts;
	struct queue_selection selection;
	struct row *rows;
	size_t count, room;
};

static void add_row(struct run *run, const struct pr_entry *entry)
{
	if (entry->id.len > PLAN_ID_MAX)
		return;
	if (run->count == run->room) {
		run->room = run->room == 0 ? 64 : 2 * run->room;
		run->rows = pr_resize(run->rows, run->room * sizeof *run->rows);
	}
	struct row *row = &run->rows[run->count++];
	*row = (struct row){.priority = entry->priority, .created = entry->created, .group = groups_find(run->courier, entry->queue)};
	memcpy(row->id, entry->id.data, entry->id.len);
}

static bool is_meant(struct run *run, const struct pr_entry *entry)
{
	struct pr_entry now = {.size = sizeof now};
	struct pr_envelope *envelope = NULL;
	struct pr_str id = entry->id;
	struct pr_entry named = *entry;

	/* a directory of the default group is called by its own name, the group is "mqueue" */
	named.queue = run->courier->groups[groups_find(run->courier, entry->queue)].name;
	if (!selection_is_kind(&run->selection, &named))
		return false;
	/* who names messages wants them now; a run over all of them, or over a group, is a run */
	if (run->selection.count == 0 && run->selection.kind == SELECTION_WAITING && scan_is_young(run->courier, entry, groups_find(run->courier, entry->queue)))
		return false;
	if (selection_needs_envelope(&run->selection) && store_peek(&run->scope, id, &envelope, &now) != PR_OK)
		envelope = NULL;
	return selection_matches(&run->selection, entry, envelope);
}

static void gather(struct run *run)
{
	struct pr_entry entry = {.size = sizeof entry};
	void *cursor = NULL;
	enum pr_status status;

	while ((status = store_next(&run->scope, &cursor, &entry)) == PR_OK) {
		if (is_meant(run, &entry))
			add_row(run, &entry);
		pr_arena_reset(&run->arena);
		entry = (struct pr_entry){.size = sizeof entry};
		if (courier_is_leaving(run->courier)) {
			store_next_end(&run->scope, &cursor);
			return;
		}
	}
	if (status != PR_NOTFOUND)
		log_line(LOGP_ERR, NULL, "cannot read the queue: %.*s", PR_PRINT(run->scope.reason));
}

static int by_priority(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->id, y->id);
}

static void make_due(struct run *run)
{
	struct courier *courier = run->courier;

	pthread_mutex_lock(&courier->lock);
	courier->sequence_of += run->count;
	for (size_t i = 0; i < run->count; i++) {
		/* 0 would be: not known */
		const struct plan_item item = {.id = pr_str(run->rows[i].id), .due = courier_now(), .order = (int64_t)i - (int64_t)run->count, .group = run->rows[i].group,
		                               .aside = run->selection.kind != SELECTION_WAITING,
		                               .patient = !selection_is_given(&run->selection)};
		if (!plan_urge(courier->plan, &item))
			courier->sequence_of--;
	}
	courier_kick(courier); /* who takes the first calls the next */
	pthread_mutex_unlock(&courier->lock);
}

static void run_free(struct run *run)
{
	if (run->thread != NULL)
		module_thread_free(run->thread);
	pr_free(run->rows);
	pr_arena_fini(&run->arena);
	pr_arena_fini(&run->texts);
	pr_free(run);
}

static void *run_main(void *argument)
{
	struct run *run = argument;
	struct courier *courier = run->courier;

	run->thread = module_thread_new(courier->set);
	module_scope_init(&run->scope, run->thread, &run->arena);
	gather(run);
	if (run->count > 1)
		qsort(run->rows, run->count, sizeof *run->rows, by_priority);
	make_due(run);
	run_free(run);
	pthread_mutex_lock(&courier->lock);
	courier->selected_running--;
	courier->services--;
	pthread_cond_broadcast(&courier->quiet);
	pthread_mutex_unlock(&courier->lock);
	return NULL;
}

static bool start_thread(struct run *run)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, COURIER_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	bool started = pthread_create(&thread, &attributes, run_main, run) == 0;
	pthread_attr_destroy(&attributes);
	return started;
}

void selected_start(struct courier *courier, struct pr_str line)
{
	struct run *run = pr_alloc(sizeof *run);

	run->courier = courier;
	pr_arena_init(&run->arena, ENVELOPE_ARENA);
	pr_arena_init(&run->texts, 2 * SELECTION_TEXT_MAX + 4096);
	/* the words outlive the message they came in */
	line = pr_arena_copy(&run->texts, line);
	pthread_mutex_lock(&courier->lock);
	bool room = courier->selected_running < SELECTION_RUNS_MAX;
	courier->selected_running += room;
	courier->services += room;
	pthread_mutex_unlock(&courier->lock);
	if (room && selection_parse(line.data != NULL ? line : PR_STR(""), &run->texts, &run->selection) && start_thread(run))
		return;
	log_line(LOGP_WARNING, NULL, "a queue run is not done: %s", room ? "its selection cannot be read" : "too many run already");
	pthread_mutex_lock(&courier->lock);
	courier->selected_running -= room;
	courier->services -= room;
	pthread_mutex_unlock(&courier->lock);
	run_free(run);
}
