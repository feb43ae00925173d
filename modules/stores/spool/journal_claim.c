/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Claims on what is still in the journal, and how such a claim becomes one on files.
 * A message that is delivered at its first attempt is claimed, read, marked, and was never a file.  One whose results must be
 * recorded, or that must wait, becomes qf and df; its claim then goes on as a lock on qf, and nobody else notices.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_delivered_in_part(const struct pr_envelope *envelope)
{
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (envelope->recipients[i].state == PR_RECIPIENT_DELIVERED)
			return true;
	return false;
}

/* The entry, claimed for the caller; NULL: not in the journal, or *busy_out. */
static struct journal_entry *take(struct journal_reader *reader, const char *id, bool *busy_out)
{
	struct journal_entry *entry;

	pthread_mutex_lock(&reader->lock);
	/* being written out: in a moment it is a file */
	while ((entry = journal_find(reader, id)) != NULL && entry->state == JOURNAL_FILING)
		pthread_cond_wait(&reader->changed, &reader->lock);
	*busy_out = entry != NULL && (entry->state == JOURNAL_CLAIMED || (entry->state == JOURNAL_READY && reader->handing_over));
	if (entry != NULL && entry->state == JOURNAL_READY && !*busy_out)
		journal_set_state(reader, entry, JOURNAL_CLAIMED);
	else
		entry = NULL;
	pthread_mutex_unlock(&reader->lock);
	return entry;
}

static void put_back(struct journal_reader *reader, struct journal_entry *entry)
{
	pthread_mutex_lock(&reader->lock);
	journal_set_state(reader, entry, JOURNAL_READY);
	pthread_mutex_unlock(&reader->lock);
}

static enum pr_status measure(struct pr_call *call, const struct journal_entry *entry, struct pr_envelope *envelope)
{
	struct stat st;

	if ((entry->flags & JOURNAL_BODY_FILED) == 0) {
		envelope->body_size = entry->body;
		return PR_OK;
	}
	if (fstatat(entry->place->data_fd, spool_name('d', entry->id).text, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? pr_fail(call, PR_PERMFAIL, "the body is missing")
		                       : spool_fail(call, entry->place, errno, "cannot look at", spool_name('d', entry->id).text);
	return spool_check_length(call, envelope, st.st_size);
}

static enum pr_status read_entry(struct pr_call *call, struct journal_entry *entry, struct pr_envelope **envelope_out,
                                 struct spool_record **record_out)
{
	struct spool_record *record = journal_load(spool_of(call), entry);
	enum pr_status status = PR_OK;

	*record_out = record;
	if (record->bad != 0 && record->bad != EBADMSG)
		status = spool_fail(call, NULL, record->bad, "cannot read the journal record of", entry->id);
	else if (record->bad != 0)
		status = pr_fail(call, PR_PERMFAIL, "its record is damaged");
	if (status == PR_OK)
		status = qf_read(call, (struct pr_str){record->data, record->control}, envelope_out);
	if (status == PR_OK)
		status = measure(call, entry, *envelope_out);
	return status;
}

static struct spool_claim *new_claim(struct journal_entry *entry, const char *id, struct spool_record *record, int64_t body_size)
{
	struct spool_claim *claim = pr_alloc(sizeof *claim);

	memcpy(claim->id, id, strlen(id) + 1);
	claim->fd = claim->body_fd = -1;
	claim->kind = 'q'; /* should it become a file */
	claim->place = entry->place;
	claim->entry = entry;
	claim->record = record;
	claim->body_filed = (entry->flags & JOURNAL_BODY_FILED) != 0;
	claim->body_size = body_size;
	return claim;
}

/* So many large ones are in memory that this one becomes a file at once.  After a failure there is no claim. */
static enum pr_status read_from_file(struct pr_call *call, struct spool_claim *claim)
{
	struct spool *spool = spool_of(call);
	int error = journal_claim_to_file(spool, claim);
	enum pr_status status = PR_OK;

	spool_record_release(claim->record);
	claim->record = NULL;
	if (error != 0) {
		status = spool_fail(call, claim->place, error, "cannot write", spool_name('q', claim->id).text);
		put_back(&spool->journal.reader, claim->entry);
		pr_free(claim);
	}
	return status;
}

enum pr_status journal_claim(struct pr_call *call, const char *id, struct pr_envelope **envelope_out, struct spool_claim **claim_out)
{
	struct spool *spool = spool_of(call);
	struct journal_reader *reader = &spool->journal.reader;
	struct spool_record *record;
	bool busy;

	if (!journal_hold(call))
		return PR_NOTFOUND;

	struct journal_entry *entry = take(reader, id, &busy);

	if (busy)
		return pr_fail(call, PR_TEMPFAIL, "%s is being delivered, or handed to another process", id);
	if (entry == NULL)
		return PR_NOTFOUND;

	size_t large = entry->body > SPOOL_SMALL_BODY ? entry->body : 0;
	bool fits = large == 0 || spool_large_take(large);
	enum pr_status status = read_entry(call, entry, envelope_out, &record);

	record->large = fits ? large : 0;
	if (status == PR_OK) {
		*claim_out = new_claim(entry, id, record, (*envelope_out)->body_size);
		return fits ? PR_OK : read_from_file(call, *claim_out);
	}
	if (status == PR_PERMFAIL)
		status = pr_fail(call, PR_PERMFAIL, "%s in the journal: %.*s", id, PR_PRINT(pr_arena_copy(call->arena, call->reason)));
	if (status == PR_PERMFAIL)
		journal_lose(spool, entry, record);
	else
		put_back(reader, entry);
	spool_record_release(record);
	return status;
}

void journal_claim_release(struct spool *spool, struct spool_claim *claim)
{
	put_back(&spool->journal.reader, claim->entry);
	claim->entry = NULL;
}

void journal_claim_finish(struct spool *spool, struct spool_claim *claim)
{
	struct journal_reader *reader = &spool->journal.reader;
	pthread_mutex_lock(&reader->lock);
	journal_mark(reader, claim->entry);
	if (reader->asleep)
		journal_keeper_wake(reader);
	pthread_mutex_unlock(&reader->lock);
	claim->entry = NULL;
	if (claim->body_filed)
		unlinkat(claim->place->data_fd, spool_name('d', claim->id).text, 0);
}

static void set_state(struct journal_reader *reader, struct journal_entry *entry, enum journal_state state)
{
	pthread_mutex_lock(&reader->lock);
	journal_set_state(reader, entry, state);
	if (state != JOURNAL_FILING)
		pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

/* As files that are locked and durable; from then on the claim is one on qf. */
static int become_file(struct spool *spool, struct spool_claim *claim, struct pr_str control)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct spool_files files = {.place = claim->place, .id = claim->id, .control = control, .record = claim->record, .locked = true, .durable = true,
	                            .body_filed = (claim->entry->flags & JOURNAL_BODY_FILED) != 0};
	int fd = -1, error;

	set_state(reader, claim->entry, JOURNAL_FILING);
	error = spool_files_write(spool, &files, &fd);
	if (error == 0)
		error = spool_data_flush(claim->place);
	if (error == 0)
		error = spool_files_name(&files);
	if (error != 0) {
		spool_files_drop(&files);
		if (fd >= 0)
			close(fd);
		set_state(reader, claim->entry, JOURNAL_CLAIMED);
		return error;
	}
	error = spool_directory_flush(claim->place);
	pthread_mutex_lock(&reader->lock);
	if (error == 0)
		journal_mark(reader, claim->entry);
	else
		journal_filed_locked(reader, claim->entry); /* the keeper asks again */
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	claim->entry = NULL;
	claim->fd = fd;
	spool_claim_note_inode(claim);
	return error;
}

int journal_claim_to_file(struct spool *spool, struct spool_claim *claim)
{
	return become_file(spool, claim, (struct pr_str){claim->record->data, claim->record->control});
}

enum pr_status journal_claim_update(struct pr_call *call, struct spool_claim *claim, const struct pr_envelope *envelope)
{
	struct pr_text text;
	enum pr_status status;

	pr_text_init(&text, SPOOL_CONTROL_MAX);
	status = qf_write(call, envelope, &text);
	if (status == PR_OK) {
		int error = become_file(spool_of(call), claim, pr_text_str(&text));

		if (error != 0)
			status = spool_fail(call, claim->place, error, "cannot write", spool_name('q', claim->id).text);
	}
	pr_text_fini(&text);
	return status;
}

/* Written out, but not waited for: until it is durable the journal still has the message.  Only what is delivered in part waits, or a
 * power cut would deliver that part again. */
enum pr_status journal_claim_defer(struct pr_call *call, struct spool_claim *claim, const struct pr_envelope *envelope)
{
	struct spool *spool = spool_of(call);
	struct journal_reader *reader = &spool->journal.reader;
	struct spool_files files = {.place = claim->place, .id = claim->id, .record = claim->record,
	                            .body_filed = (claim->entry->flags & JOURNAL_BODY_FILED) != 0};
	struct pr_text text;
	int error = 0;

	if (is_delivered_in_part(envelope))
		return journal_claim_update(call, claim, envelope);
	pr_text_init(&text, SPOOL_CONTROL_MAX);

	enum pr_status status = qf_write(call, envelope, &text);

	files.control = pr_text_str(&text);
	if (status == PR_OK) {
		set_state(reader, claim->entry, JOURNAL_FILING);
		error = spool_files_write(spool, &files, NULL);
		if (error == 0)
			error = spool_files_name(&files);
		if (error != 0) {
			spool_files_drop(&files);
			set_state(reader, claim->entry, JOURNAL_CLAIMED);
			status = spool_fail(call, claim->place, error, "cannot write", spool_name('q', claim->id).text);
		}
	}
	if (status == PR_OK) {
		journal_filed(reader, claim->entry);
		claim->entry = NULL;
	}
	pr_text_fini(&text);
	return status;
}

bool journal_file_one(struct spool *spool, const char *id)
{
	struct journal_reader *reader = &spool->journal.reader;
	struct journal_entry *entry;
	bool busy;

	if (!reader->held)
		return true;
	entry = take(reader, id, &busy);
	if (busy)
		return false;
	if (entry == NULL)
		return true;

	struct spool_claim claim = {.place = entry->place, .fd = -1, .body_fd = -1, .entry = entry, .record = journal_load(spool, entry)};

	memcpy(claim.id, id, strlen(id) + 1);

	int error = claim.record->bad != 0 ? claim.record->bad : journal_claim_to_file(spool, &claim);

	if (claim.entry != NULL)
		put_back(reader, entry);
	if (claim.fd >= 0)
		close(claim.fd);
	spool_record_release(claim.record);
	return error == 0;
}
