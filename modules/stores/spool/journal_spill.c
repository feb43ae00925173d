/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What must wait leaves the journal: in batches, so that one syncfs (or a fsync for each file, where that cannot be trusted) makes hundreds
 * durable.  Only then do the marks say that the journal is not needed; whatever fails on the way leaves the
 * message where it was.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 512
#define BATCH_BYTES (8u << 20) /* of records in memory; one more may begin below it */
#define SURELY_DURABLE_SECONDS 5 /* nobody's fdatasync takes longer: an entry without announcement had a lost wake-up */

bool journal_is_visible(const struct journal_reader *reader, const struct journal_entry *entry, int64_t now)
{
	const struct journal_segment *segment = &reader->segments[entry->segment];

	return segment->complete || entry->offset < segment->announced || now - entry->seen >= SURELY_DURABLE_SECONDS;
}

struct spilled {
	struct journal_entry *entry;
	struct spool_record *record;
	int error;
};

/* Everything written so far, unless each file was asked for its own.  A failure is heard of once: from then on each is. */
static int sync_written(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	int error = 0;

	if (spool->sync.together && !reader->distrust)
		error = syncfs(spool->places[0].control_fd) == 0 ? 0 : errno;
	else
		for (size_t i = 0; i < spool->place_count && error == 0; i++)
			error = spool_data_flush(&spool->places[i]);
	if (error != 0)
		reader->distrust = true;
	return error;
}

/* Batches go to all places of a group by chance, so all of them are asked. */
static int flush_places(struct spool *spool)
{
	int error = 0;

	for (size_t i = 0; i < spool->place_count && error == 0; i++)
		error = spool_directory_flush(&spool->places[i]);
	return error;
}

static struct spool_files files_of(const struct spool *spool, const struct spilled *spilled)
{
	return (struct spool_files){.place = spilled->entry->place,
	                            .id = spilled->entry->id,
	                            .control = {spilled->record->data, spilled->record->control},
	                            .record = spilled->record,
	                            .body_filed = (spilled->entry->flags & JOURNAL_BODY_FILED) != 0,
	                            .durable = !spool->sync.together || spool->journal.reader.distrust};
}

static size_t choose(struct spool *spool, int64_t before, int64_t now, struct spilled *chosen)
{
	struct journal_reader *reader = &spool->journal.reader;
	size_t count = 0, bytes = 0;

	pthread_mutex_lock(&reader->lock);
	uint32_t begin = reader->spill_from++; /* what cannot be written must not keep all others from their turn */
	for (uint32_t i = 0; i < spool->journal.count && count < BATCH && bytes < BATCH_BYTES; i++)
		for (struct journal_entry *entry = reader->segments[(begin + i) % spool->journal.count].first; entry != NULL && count < BATCH && bytes < BATCH_BYTES; entry = entry->next) {
			if (entry->seen > before)
				break; /* the rest is younger still */
			if (entry->state != JOURNAL_READY || !journal_is_visible(reader, entry, now))
				continue;
			entry->state = JOURNAL_FILING;
			bytes += (size_t)entry->control + entry->body;
			chosen[count++] = (struct spilled){.entry = entry};
		}
	pthread_mutex_unlock(&reader->lock);
	return count;
}

static void write_all(struct spool *spool, struct spilled *chosen, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		chosen[i].record = journal_load(spool, chosen[i].entry);
		chosen[i].error = chosen[i].record->bad;
		if (chosen[i].error != 0)
			continue;

		struct spool_files files = files_of(spool, &chosen[i]);

		chosen[i].error = spool_files_write(spool, &files, NULL);
		if (chosen[i].error != 0)
			spool_files_drop(&files);
	}
}

static void name_all(struct spool *spool, struct spilled *chosen, size_t count, int error)
{
	for (size_t i = 0; i < count; i++) {
		if (chosen[i].error != 0)
			continue;

		struct spool_files files = files_of(spool, &chosen[i]);

		chosen[i].error = error != 0 ? error : spool_files_name(&files);
		if (chosen[i].error != 0)
			spool_files_drop(&files);
	}
}

/* Those that failed are tried again later, as if they had just come. */
static size_t mark_all(struct journal_reader *reader, struct spilled *chosen, size_t count, int error, int64_t now)
{
	size_t done = 0;

	pthread_mutex_lock(&reader->lock);
	for (size_t i = 0; i < count; i++) {
		struct journal_entry *entry = chosen[i].entry;

		if (chosen[i].error == 0)
			journal_note_filed(reader, entry);
		if (chosen[i].error == 0 && error == 0) {
			journal_mark(reader, entry);
			done++;
		} else if (chosen[i].error == 0) {
			journal_filed_locked(reader, entry); /* the names are there; whether they last is asked again */
		} else {
			entry->state = JOURNAL_READY;
			entry->seen = now;
		}
	}
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	return done;
}

static void lose_damaged(struct spool *spool, struct spilled *chosen, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		if (chosen[i].error != EBADMSG) {
			chosen[kept++] = chosen[i];
			continue;
		}
		char id[JOURNAL_NAME_MAX];

		memcpy(id, chosen[i].entry->id, sizeof id);
		journal_lose(spool, chosen[i].entry, chosen[i].record);
		journal_report(&spool->journal.reader, "Losing %s: its record in the journal is damaged (it was accepted)", id);
		spool_record_release(chosen[i].record);
	}
	*count = kept;
}

size_t journal_spill(struct spool *spool, int64_t before, int64_t now)
{
	struct spilled *chosen = pr_alloc(BATCH * sizeof *chosen);
	size_t count = choose(spool, before, now, chosen), done = 0;

	if (count > 0) {
		write_all(spool, chosen, count);
		lose_damaged(spool, chosen, &count);
		name_all(spool, chosen, count, sync_written(spool));
		done = mark_all(&spool->journal.reader, chosen, count, flush_places(spool), now);
	}
	for (size_t i = 0; i < count; i++)
		spool_record_release(chosen[i].record);
	pr_free(chosen);
	return done;
}

void journal_filed_locked(struct journal_reader *reader, struct journal_entry *entry)
{
	entry->state = JOURNAL_FILED;
	entry->filed_next = NULL;
	*reader->filed_end = entry;
	reader->filed_end = &entry->filed_next;
	pthread_cond_broadcast(&reader->changed);
	if (reader->asleep)
		journal_keeper_wake(reader);
}

void journal_filed(struct journal_reader *reader, struct journal_entry *entry)
{
	pthread_mutex_lock(&reader->lock);
	journal_filed_locked(reader, entry);
	pthread_mutex_unlock(&reader->lock);
}

static int sync_named(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), error;

	if (fd < 0)
		return errno == ENOENT ? 0 : errno; /* already delivered and gone */
	error = fdatasync(fd) == 0 ? 0 : errno;
	close(fd);
	return error;
}

/* Where syncfs cannot be trusted, each file is asked. */
static int sync_filed(struct spool *spool, const struct journal_entry *filed)
{
	int error = 0;

	if (spool->sync.together && !spool->journal.reader.distrust)
		return sync_written(spool);
	for (; filed != NULL && error == 0; filed = filed->filed_next) {
		error = sync_named(filed->place->data_fd, spool_name('d', filed->id).text);
		for (const char *kind = "qhQ"; *kind != '\0' && error == 0; kind++)
			error = sync_named(filed->place->control_fd, spool_name(*kind, filed->id).text);
	}
	return error;
}

int journal_settle_filed(struct spool *spool)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct journal_entry *filed, *next;
	int error;

	pthread_mutex_lock(&reader->lock);
	filed = reader->filed;
	reader->filed = NULL;
	reader->filed_end = &reader->filed;
	pthread_mutex_unlock(&reader->lock);
	if (filed == NULL)
		return 0;
	error = sync_filed(spool, filed);
	if (error == 0)
		error = flush_places(spool);
	pthread_mutex_lock(&reader->lock);
	for (; filed != NULL; filed = next) {
		next = filed->filed_next;
		if (error == 0)
			journal_mark(reader, filed);
		else
			journal_filed_locked(reader, filed);
	}
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	return error;
}
