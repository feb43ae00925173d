/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Accepting a message: the body is gathered in memory up to 128K, or journal_body when there is room, beyond that in df.  At the end it goes into the journal, with
 * the body or beside df; or, where there is none, df and tf are written with one write each and handed to sync.c.
 * Both files are created with O_EXCL, and nobody can take them for debris, whatever the clock says: tf is locked from birth,
 * and so is a df that is begun before its tf; a later df has the locked tf beside it.
 */
#include "spool.h"

#include <postrider/file.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct transaction {
	struct journal_late late; /* first: what is left of a transaction after PR_COMMIT_WRITTEN */
	bool later;          /* PR_INTAKE_LATER */
	bool company;        /* PR_INTAKE_COMPANY */
	struct pr_text body; /* what is not in df yet */
	size_t keep;         /* bytes of body before df is begun */
	size_t large;        /* taken by spool_large_take() for it */
	struct spool_place *place;
	int data_fd;
	int error;           /* of the first failed write to df */
	int64_t length;      /* of the body so far */
	char id[SPOOL_ID_MAX + 1];
};

/* What goes into the journal whatever else is in it. */
static size_t small_body(const struct spool *spool)
{
	size_t most = (size_t)spool->journal_body;

	return most < SPOOL_SMALL_BODY ? most : SPOOL_SMALL_BODY;
}

/* Bytes of body before df is begun, as a rule. */
static size_t usual_room(const struct spool *spool)
{
	size_t room = (size_t)spool->body_memory;

	return spool->journal.count > 0 && small_body(spool) > room ? small_body(spool) : room;
}

/* A larger body may go there, too, while half of the journal is free: in one piece, it costs no file and half the system calls. */
static bool may_be_large(struct spool *spool, struct transaction *t, size_t len)
{
	size_t most = (size_t)spool->journal_body;

	if (t->keep >= most || t->data_fd >= 0 || len > most - t->body.len || !journal_is_roomy(spool) || !spool_large_take(most))
		return false;
	t->keep = t->body.max = t->large = most;
	return pr_text_reserve(&t->body, most - t->body.len); /* once, not by doubling: pages that are never written cost nothing */
}

enum pr_status spool_begin(struct pr_call *call, void **transaction_out, struct pr_str *id_out)
{
	struct pr_intake intake = {.size = sizeof intake};

	return spool_begin_in(call, &intake, transaction_out, id_out);
}

enum pr_status spool_begin_in(struct pr_call *call, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out)
{
	struct spool *spool = spool_of(call);
	struct spool_place *place = spool_place_choose(spool, intake->queue);
	char id[SPOOL_ID_MAX + 1];
	enum pr_status status = spool_need_role(call, PR_STORE_INTAKE | PR_STORE_DELIVERY);

	if (status == PR_OK && place == NULL)
		status = pr_fail(call, PR_NOTFOUND, "there is no queue group %.*s", PR_PRINT(intake->queue));
	if (status == PR_OK)
		status = spool_id_next(call, id);
	if (status != PR_OK)
		return status;

	struct pr_str copy = pr_arena_copy(call->arena, pr_str(id));

	if (copy.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for a queue id");

	struct transaction *t = pr_alloc(sizeof *t);

	t->keep = usual_room(spool);
	t->later = (intake->flags & PR_INTAKE_LATER) != 0;
	t->company = (intake->flags & PR_INTAKE_COMPANY) != 0;
	t->place = place;
	t->data_fd = -1;
	memcpy(t->id, id, sizeof t->id);
	pr_text_init(&t->body, t->keep);
	*transaction_out = t;
	*id_out = copy;
	return PR_OK;
}

static void free_transaction(struct transaction *t)
{
	spool_large_give(t->large);
	if (t->data_fd >= 0)
		close(t->data_fd);
	pr_text_fini(&t->body);
	pr_free(t);
}

static bool write_data(struct spool *spool, struct transaction *t, const void *data, size_t len)
{
	if (t->data_fd < 0)
		t->data_fd = spool_create(spool, t->place->data_fd, spool_name('d', t->id).text, true);
	return t->data_fd >= 0 && pr_write_all(t->data_fd, data, len);
}

/* The body is a file now, and what comes is only gathered. */
static void give_room_back(struct spool *spool, struct transaction *t)
{
	if (t->large == 0) {
		pr_text_clear(&t->body);
		return;
	}
	spool_large_give(t->large);
	t->large = 0;
	t->keep = usual_room(spool);
	pr_text_fini(&t->body);
	pr_text_init(&t->body, t->keep);
}

enum pr_status spool_body(struct pr_call *call, void *transaction, const void *data, size_t len)
{
	struct spool *spool = spool_of(call);
	struct transaction *t = transaction;

	bool fits = len <= t->keep - t->body.len || (t->error == 0 && may_be_large(spool, t, len));

	if (t->error == 0 && !(fits && pr_text_add(&t->body, data, len))) {
		if (!write_data(spool, t, t->body.data, t->body.len) || !write_data(spool, t, data, len))
			t->error = errno;
		give_room_back(spool, t);
	}
	t->length += (int64_t)len;
	return t->error == 0 ? PR_OK : spool_fail(call, t->place, t->error, "cannot write", spool_name('d', t->id).text);
}

void spool_abort(struct pr_call *call, void *transaction)
{
	struct transaction *t = transaction;

	(void)call;
	if (t->data_fd >= 0)
		unlinkat(t->place->data_fd, spool_name('d', t->id).text, 0);
	free_transaction(t);
}

/* What is left of the body, and the control file as tf; 0 or an errno, and what failed. */
static int write_files(struct spool *spool, struct spool_job *job, const char **what_out)
{
	int error = 0;

	*what_out = "cannot write the control file";
	job->control_fd = spool_create(spool, job->place->control_fd, spool_name('t', job->id).text, true);
	if (job->control_fd < 0)
		return errno;
	if (job->data_fd < 0 || job->body.len > 0) {
		if (job->data_fd < 0)
			job->data_fd = spool_create(spool, job->place->data_fd, spool_name('d', job->id).text, false);
		if (job->data_fd < 0 || !pr_write_all(job->data_fd, job->body.data, job->body.len)) {
			error = errno;
			*what_out = "cannot write the body";
		}
	}
	if (error == 0 && !pr_write_all(job->control_fd, job->control.data, job->control.len))
		error = errno;
	if (error != 0) {
		unlinkat(job->place->control_fd, spool_name('t', job->id).text, 0);
		close(job->control_fd);
		job->control_fd = -1;
	}
	return error;
}

void spool_job_file(struct spool *spool, struct spool_job *job)
{
	job->error = write_files(spool, job, &job->what);
	if (job->error == 0) {
		spool_sync_submit(spool, job);
		return;
	}
	job->result = PR_COMMIT_REFUSED;
	spool_job_answer(job);
}

/* Takes what the transaction has. */
static struct spool_job *new_job(struct transaction *t, bool held, pr_commit_done *done, void *context)
{
	struct spool_job *job = pr_alloc(sizeof *job);

	job->place = t->place;
	job->data_fd = t->data_fd;
	job->control_fd = -1;
	t->data_fd = -1;
	job->company = t->company;
	job->body = t->body;
	job->large = t->large;
	t->large = 0;
	pr_text_init(&t->body, 0);
	pr_text_init(&job->control, SPOOL_CONTROL_MAX);
	job->kind = held ? 'h' : 'q';
	memcpy(job->id, t->id, sizeof job->id);
	job->done = done;
	job->context = context;
	return job;
}

/* The body that has become df is durable before a record speaks of it. */
static bool body_is_durable(const struct spool_job *job)
{
	int result;

	if (job->data_fd < 0)
		return true;
	do
		result = fdatasync(job->data_fd);
	while (result != 0 && errno == EINTR);
	if (result == 0 && (result = job->place->separate_data ? spool_data_flush(job->place) : spool_directory_flush(job->place)) != 0)
		errno = result;
	return result == 0;
}

/* What came after a body became df: without this the record could not say where the body is. */
static bool finish_data(struct spool_job *job)
{
	if (job->data_fd < 0 || job->body.len == 0)
		return true;

	bool good = pr_write_all(job->data_fd, job->body.data, job->body.len);

	pr_text_clear(&job->body);
	return good;
}

/* Is the journal there, and the place for such a message? */
static bool is_for_journal(struct spool *spool, const struct spool_job *job)
{
	return job->kind == 'q' && spool->journal.count > 0 && journal_fits(job->control.len, job->body.len) &&
	       job->place->name.len < JOURNAL_NAME_MAX && journal_open_directory(spool);
}

static void seal_payload(struct spool_job *job)
{
	struct journal_record *record = &job->record;

	*record = (struct journal_record){.kind = JOURNAL_MESSAGE, .control = (uint32_t)job->control.len, .body = (uint32_t)job->body.len,
	                                  .flags = job->data_fd >= 0 ? JOURNAL_BODY_FILED : 0};
	memcpy(record->id, job->id, strlen(job->id));
	memcpy(record->place, job->place->name.data, job->place->name.len);
	record->payload_crc = journal_crc(journal_crc(0, job->control.data, job->control.len), job->body.data, job->body.len);
}

/* Never tried again: after a failure the next fsync says nothing. */
static void refuse_body(struct spool_job *job, const char *what)
{
	job->error = errno;
	job->what = what;
	job->result = PR_COMMIT_REFUSED;
	spool_job_answer(job);
}

static void store_job(struct spool *spool, struct spool_job *job)
{
	if (!finish_data(job)) {
		refuse_body(job, "cannot write the body");
	} else if (!is_for_journal(spool, job)) {
		spool_job_file(spool, job);
	} else if (!body_is_durable(job)) {
		refuse_body(job, "cannot make the body durable");
	} else {
		seal_payload(job);
		journal_submit(spool, job);
	}
}

enum pr_status spool_commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope,
                            pr_commit_done *done, void *context)
{
	struct spool *spool = spool_of(call);
	struct transaction *t = transaction;
	struct pr_envelope stored = *envelope;
	struct spool_job *job;
	enum pr_status status;

	stored.body_size = t->length;
	if (stored.created == 0)
		stored.created = time(NULL);
	if (stored.recipient_count == 0) {
		status = pr_fail(call, PR_MISUSE, "a message without recipients");
		goto refuse;
	}
	if (t->error != 0) {
		status = spool_fail(call, t->place, t->error, "cannot write", spool_name('d', t->id).text);
		goto refuse;
	}
	job = new_job(t, stored.quarantine.data != NULL, done, context);
	journal_say_troubles(call);
	status = qf_write(call, &stored, &job->control);
	if (status != PR_OK) {
		t->data_fd = job->data_fd;
		job->data_fd = -1;
		spool_job_free(job);
		goto refuse;
	}
	if (t->later)
		job->late = &t->late;
	else
		free_transaction(t);
	store_job(spool, job);
	return PR_OK;
refuse:
	spool_abort(call, t);
	return status;
}

void spool_late_free(struct journal_late *late)
{
	if (late != NULL)
		free_transaction((struct transaction *)late);
}

void spool_forget(struct pr_call *call, void *transaction)
{
	(void)call;
	free_transaction(transaction);
}

enum pr_status spool_secure(struct pr_call *call, void *transaction, pr_commit_done *done, void *context)
{
	struct transaction *t = transaction;
	struct spool_job *job = new_job(t, false, done, context);

	job->late = &t->late;
	job->secures = true;
	job->what = "cannot make the journal durable";
	journal_submit(spool_of(call), job);
	return PR_OK;
}
