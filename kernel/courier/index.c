/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keeps the index in step: a scan puts what it meets, a wake-up touches, a job marks, puts and removes.
 * A message that is delivered at its first try is never read for the index: its row holds the id only, and is filled when somebody asks.
 */
#include "kernel/courier/index_internal.h"

#include <string.h>

#define ROWS_MAX 2000000

void courier_index_open(struct courier *courier)
{
	struct courier_index *index = pr_alloc(sizeof *index);

	pthread_mutex_init(&index->lock, NULL);
	index->table = plan_index_new(ROWS_MAX);
	places_from_config(&index->places, courier->config);
	courier->index = index;
}

void courier_index_close(struct courier *courier)
{
	struct courier_index *index = courier->index;

	if (index == NULL)
		return;
	plan_index_free(index->table);
	places_fini(&index->places);
	pthread_mutex_destroy(&index->lock);
	pr_free(index);
	courier->index = NULL;
}

void courier_index_wake(struct courier *courier, struct pr_str id)
{
	struct courier_index *index = courier->index;

	if (index == NULL) /* a courier of a test */
		return;
	pthread_mutex_lock(&index->lock);
	plan_index_touch(index->table, id, index->scan);
	pthread_mutex_unlock(&index->lock);
}

void courier_index_running(struct job *job, bool running)
{
	struct courier_index *index = job->courier->index;

	if (index == NULL || job->entry == NULL)
		return;
	pthread_mutex_lock(&index->lock);
	plan_index_touch(index->table, pr_str(job->entry->id), index->scan);
	plan_index_run(index->table, pr_str(job->entry->id), running);
	pthread_mutex_unlock(&index->lock);
}

void courier_index_gone(struct courier *courier, struct pr_str id)
{
	struct courier_index *index = courier->index;

	if (index == NULL)
		return;
	pthread_mutex_lock(&index->lock);
	plan_index_remove(index->table, id);
	pthread_mutex_unlock(&index->lock);
}

/* Of a message that only a wake-up told of, in a queue of several directories: the store is asked once. */
static struct pr_str find_directory(struct job *job)
{
	struct courier_index *index = job->courier->index;
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *ignored;
	struct plan_index_row row;

	if (index->places.count == 1)
		return pr_str(index->places.items[0].path);
	pthread_mutex_lock(&index->lock);
	bool known = plan_index_find(index->table, job->claim.id, &row) && row.directory.len > 0;
	pthread_mutex_unlock(&index->lock);
	if (known || store_peek(&job->scope, job->claim.id, &ignored, &entry) != PR_OK)
		return PR_NONE;
	return entry.directory;
}

/* Another process was delivering it, and it is gone. */
void courier_index_vanished(struct courier *courier, struct pr_str id)
{
	struct courier_index *index = courier->index;
	struct plan_index_row row;

	pthread_mutex_lock(&index->lock);
	if (plan_index_find(index->table, id, &row) && row.complete && !row.running && row.state == PR_ENTRY_CLAIMED)
		plan_index_remove(index->table, id);
	pthread_mutex_unlock(&index->lock);
}

void courier_index_waits(struct job *job)
{
	struct courier_index *index = job->courier->index;
	const struct pr_envelope *envelope = job->envelope;
	struct pr_entry entry = {.size = sizeof entry, .id = job->claim.id, .created = envelope->created, .last_try = envelope->last_try,
	                         .tries = envelope->tries, .priority = envelope->priority, .body_size = envelope->body_size,
	                         .flags = envelope->flags, .state = PR_ENTRY_READY};
	struct plan_index_row row;

	if (index == NULL)
		return;
	if (job->turn.aside)
		entry.state = envelope->quarantine.data != NULL ? PR_ENTRY_QUARANTINED : PR_ENTRY_LOST;
	entry.directory = find_directory(job);
	row_from_store(&entry, envelope, &job->arena, &row);
	pthread_mutex_lock(&index->lock);
	plan_index_put(index->table, &row, index->scan);
	plan_index_run(index->table, row.id, false);
	pthread_mutex_unlock(&index->lock);
}

void courier_index_scan(struct courier *courier)
{
	struct courier_index *index = courier->index;

	if (index == NULL)
		return;
	pthread_mutex_lock(&index->lock);
	index->scan++;
	pthread_mutex_unlock(&index->lock);
}

static void put_read(struct courier *courier, const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena, bool is_new)
{
	struct courier_index *index = courier->index;
	struct plan_index_row row, known;

	if (index == NULL)
		return;
	row_from_store(entry, envelope, arena, &row);
	row.running = false; /* that is the job's to say; of a claim that is not ours the state speaks */
	pthread_mutex_lock(&index->lock);
	bool is_known = plan_index_find(index->table, row.id, &known);
	index->elsewhere = index->elsewhere || row.state == PR_ENTRY_CLAIMED;
	if (is_known && known.complete && !row.unreadable && (known.running || known.last_try > row.last_try))
		plan_index_touch(index->table, row.id, index->scan);
	else if (is_known || is_new)
		plan_index_put(index->table, &row, index->scan);
	pthread_mutex_unlock(&index->lock);
}

/* A message that we deliver right now has its news from the job; the scan may have read it before that. */
void courier_index_scanned(struct courier *courier, const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena)
{
	put_read(courier, entry, envelope, arena, true);
}

/* Read for its row: where that is gone meanwhile, so is the message. */
void courier_index_filled(struct courier *courier, const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena)
{
	put_read(courier, entry, envelope, arena, false);
}

size_t courier_index_missed(struct courier *courier, uint32_t *cursor, char (*ids)[PLAN_INDEX_ID_MAX + 1], size_t room)
{
	struct courier_index *index = courier->index;
	struct pr_str id;
	size_t count = 0;

	if (index == NULL)
		return 0;
	pthread_mutex_lock(&index->lock);
	while (count < room && plan_index_missed(index->table, cursor, index->scan, &id)) {
		memcpy(ids[count], id.data, id.len);
		ids[count++][id.len] = '\0';
	}
	pthread_mutex_unlock(&index->lock);
	return count;
}

void courier_index_scan_ends(struct courier *courier)
{
	struct courier_index *index = courier->index;

	if (index == NULL)
		return;
	pthread_mutex_lock(&index->lock);
	plan_index_sweep(index->table, index->scan);
	index->filled = true;
	pthread_mutex_unlock(&index->lock);
}
