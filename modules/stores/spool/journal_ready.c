/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who waits for messages hears of those that nobody claimed for a moment: their wake-up was lost, or came from before the lease was ours.
 * The common case, a wake-up that arrives, costs nothing here.
 */
#include "spool.h"

#include <string.h>
#include <time.h>

#define REPORT_ROUNDS 3
#define AT_ONCE 1000
#define TRY_LEASE_MS 50

static void note(struct journal_reader *reader, const struct journal_entry *entry)
{
	if (reader->missed_count == reader->missed_room) {
		reader->missed_room = reader->missed_room == 0 ? 64 : 2 * reader->missed_room;
		reader->missed = pr_resize(reader->missed, reader->missed_room * sizeof *reader->missed);
	}
	memcpy(reader->missed[reader->missed_count++], entry->id, sizeof entry->id);
}

/* From the youngest back to the first that has waited its time: everything before it has, too. */
static void note_segment(struct journal_reader *reader, struct journal_entry *entry, int64_t now)
{
	for (; entry != NULL && entry->rounds < REPORT_ROUNDS; entry = entry->previous)
		if (journal_is_visible(reader, entry, now) && ++entry->rounds == REPORT_ROUNDS && entry->state == JOURNAL_READY)
			note(reader, entry);
}

/* With the lock held. */
void journal_note_filed(struct journal_reader *reader, const struct journal_entry *entry)
{
	if (entry->rounds >= REPORT_ROUNDS)
		return;
	note(reader, entry);
	pthread_cond_broadcast(&reader->news);
}

void journal_note_missed(struct spool *spool, int64_t now)
{
	struct journal_reader *reader = &spool->journal.reader;

	for (uint32_t i = 0; i < spool->journal.count; i++)
		note_segment(reader, reader->segments[i].last, now);
	if (reader->missed_count > 0)
		pthread_cond_broadcast(&reader->news);
}

static void wait_a_little(struct journal_reader *reader, int64_t ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&reader->news, &reader->lock, &end);
}

/* Takes the last of them, so that the rest need not move. */
static enum pr_status take(struct pr_call *call, struct journal_reader *reader, struct pr_list *ids_out)
{
	size_t count = reader->missed_count < AT_ONCE ? reader->missed_count : AT_ONCE;
	struct pr_str *ids = pr_arena_alloc(call->arena, (count + 1) * sizeof *ids);

	if (ids == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for queue ids");
	for (size_t i = 0; i < count; i++)
		ids[i] = pr_arena_copy(call->arena, pr_str(reader->missed[--reader->missed_count]));
	*ids_out = (struct pr_list){ids, count};
	return PR_OK;
}

enum pr_status spool_wait_ready(struct pr_call *call, struct pr_list *ids_out)
{
	struct journal_reader *reader = &spool_of(call)->journal.reader;
	enum pr_status status = PR_NOTFOUND;
	int64_t left;

	if (spool_of(call)->journal.count == 0)
		return pr_fail(call, PR_MISUSE, "without a journal there is nothing to wait for");
	while (status == PR_NOTFOUND && (left = pr_call_remaining(call, 1000)) > 0) {
		bool held = journal_hold(call);

		pthread_mutex_lock(&reader->lock);
		if (reader->missed_count == 0)
			wait_a_little(reader, held || left < TRY_LEASE_MS ? left : TRY_LEASE_MS);
		if (reader->missed_count > 0)
			status = take(call, reader, ids_out);
		pthread_mutex_unlock(&reader->lock);
	}
	return status;
}
