/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Accepting a message: the body is gathered in memory up to body_memory, beyond that in df; at the end df and tf are
 * written with one write each and handed to sync.c.
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
	struct pr_text body; /* what is not in df yet */
	size_t keep;         /* bytes of body before df is begun */
	int data_fd;
	int error;           /* of the first failed write to df */
	char id[SPOOL_ID_MAX + 1];
};

enum pr_status spool_begin(struct pr_call *call, void **transaction_out, struct pr_str *id_out)
{
	struct spool *spool = spool_of(call);
	char id[SPOOL_ID_MAX + 1];
	enum pr_status status = spool_need_role(call, PR_STORE_INTAKE | PR_STORE_DELIVERY);

	if (status == PR_OK)
		status = spool_id_next(call, id);
	if (status != PR_OK)
		return status;

	struct pr_str copy = pr_arena_copy(call->arena, pr_str(id));

	if (copy.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for a queue id");

	struct transaction *t = pr_alloc(sizeof *t);

	t->keep = (size_t)spool->body_memory;
	t->data_fd = -1;
	memcpy(t->id, id, sizeof t->id);
	pr_text_init(&t->body, t->keep);
	*transaction_out = t;
	*id_out = copy;
	return PR_OK;
}

static void free_transaction(struct transaction *t)
{
	if (t->data_fd >= 0)
		close(t->data_fd);
	pr_text_fini(&t->body);
	pr_free(t);
}

static bool write_data(struct spool *spool, struct transaction *t, const void *data, size_t len, bool alone)
{
	if (t->data_fd < 0)
		t->data_fd = spool_create(spool, spool->data_fd, spool_name('d', t->id).text, alone);
	return t->data_fd >= 0 && pr_write_all(t->data_fd, data, len);
}

enum pr_status spool_body(struct pr_call *call, void *transaction, const void *data, size_t len)
{
	struct spool *spool = spool_of(call);
	struct transaction *t = transaction;

	if (t->error == 0 && !(len <= t->keep - t->body.len && pr_text_add(&t->body, data, len))) {
		if (!write_data(spool, t, t->body.data, t->body.len, true) || !write_data(spool, t, data, len, true))
			t->error = errno;
		pr_text_clear(&t->body);
	}
	return t->error == 0 ? PR_OK : spool_fail(call, t->error, "cannot write", spool_name('d', t->id).text);
}

void spool_abort(struct pr_call *call, void *transaction)
{
	struct transaction *t = transaction;

	if (t->data_fd >= 0)
		unlinkat(spool_of(call)->data_fd, spool_name('d', t->id).text, 0);
	free_transaction(t);
}

/* What is left of the body, and the control file as tf; the descriptor of tf or -1 with the reason in the call. */
static int write_files(struct pr_call *call, struct transaction *t, const struct pr_envelope *envelope)
{
	struct spool *spool = spool_of(call);
	struct spool_name name = spool_name('t', t->id);
	struct pr_text text;
	int fd = -1, error = 0;

	pr_text_init(&text, SPOOL_CONTROL_MAX);
	if (qf_write(call, envelope, &text) != PR_OK)
		goto out;
	fd = spool_create(spool, spool->control_fd, name.text, true);
	if (fd < 0) {
		error = errno;
	} else if (!write_data(spool, t, t->body.data, t->body.len, false)) {
		error = errno;
		name = spool_name('d', t->id);
	} else if (!pr_write_all(fd, text.data, text.len)) {
		error = errno;
	}
out:
	pr_text_fini(&text);
	if (error == 0)
		return fd;
	if (fd >= 0) {
		unlinkat(spool->control_fd, spool_name('t', t->id).text, 0);
		close(fd);
	}
	spool_fail(call, error, "cannot write", name.text);
	return -1;
}

static struct spool_job *new_job(struct transaction *t, int control_fd, bool held, pr_commit_done *done, void *context)
{
	struct spool_job *job = pr_alloc(sizeof *job);

	job->data_fd = t->data_fd;
	t->data_fd = -1;
	job->control_fd = control_fd;
	job->kind = held ? 'h' : 'q';
	memcpy(job->id, t->id, sizeof job->id);
	job->done = done;
	job->context = context;
	return job;
}

enum pr_status spool_commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope,
                            pr_commit_done *done, void *context)
{
	struct spool *spool = spool_of(call);
	struct transaction *t = transaction;
	struct pr_envelope stored = *envelope;
	enum pr_status status = PR_TEMPFAIL;
	int control_fd;

	if (stored.created == 0)
		stored.created = time(NULL);
	if (stored.recipient_count == 0) {
		status = pr_fail(call, PR_MISUSE, "a message without recipients");
		goto refuse;
	}
	if (t->error != 0) {
		status = spool_fail(call, t->error, "cannot write", spool_name('d', t->id).text);
		goto refuse;
	}
	control_fd = write_files(call, t, &stored);
	if (control_fd < 0)
		goto refuse;
	spool_sync_submit(spool, new_job(t, control_fd, stored.quarantine.data != NULL, done, context));
	free_transaction(t);
	return PR_OK;
refuse:
	spool_abort(call, t);
	return status;
}
