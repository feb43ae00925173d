/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calls that begin and end a claim.  Before anything is changed the name must still lead to the inode that is locked, so a claim whose
 * file was taken away from outside changes nothing.
 *
 * finish, update and defer that answer PR_TEMPFAIL leave the claim standing: try again, or release().
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void spool_claim_note_inode(struct spool_claim *claim)
{
	struct stat st;

	if (fstat(claim->fd, &st) == 0) {
		claim->device = st.st_dev;
		claim->inode = st.st_ino;
	}
}

/* The claim, out of the table, when it still is one; else NULL and PR_PERMFAIL in *status_out. */
static struct spool_claim *take_valid(struct pr_call *call, const struct pr_claim *wanted, enum pr_status *status_out)
{
	struct spool *spool = spool_of(call);
	struct spool_claim *claim = spool_claim_take(spool, wanted);
	struct stat st;

	if (claim == NULL) {
		*status_out = pr_fail(call, PR_PERMFAIL, "%.*s is not claimed with this epoch", PR_PRINT(wanted->id));
		return NULL;
	}
	if (claim->entry != NULL)
		return claim; /* the lease of the journal is ours for as long as there are such claims */
	if (fstatat(claim->place->control_fd, spool_name(claim->kind, claim->id).text, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT) {
			*status_out = spool_fail(call, claim->place, errno, "cannot look at", spool_name(claim->kind, claim->id).text);
			spool_claim_put(spool, claim);
			return NULL;
		}
	} else if (st.st_dev == claim->device && st.st_ino == claim->inode) {
		return claim;
	}
	*status_out = pr_fail(call, PR_PERMFAIL, "%s was taken away or replaced while it was claimed", claim->id);
	spool_claim_end(spool, claim);
	return NULL;
}

static struct spool_claim *new_file_claim(struct spool_place *place, const struct spool_held *held, char kind, int body_fd, int64_t body_size)
{
	struct spool_claim *claim = pr_alloc(sizeof *claim);

	claim->place = place;
	claim->kind = kind;
	claim->fd = held->fd;
	claim->body_fd = body_fd;
	claim->body_size = body_size;
	claim->device = held->st.st_dev;
	claim->inode = held->st.st_ino;
	return claim;
}

/* A claim on qf; PR_NOTFOUND: there is none. */
static enum pr_status claim_file(struct pr_call *call, const char *name, struct pr_envelope **envelope_out, struct spool_claim **claim_out)
{
	struct spool *spool = spool_of(call);
	struct spool_place *place = spool->place_count == 1 ? &spool->places[0] : spool_place_of(spool, "q", name);
	struct spool_held held;
	int body_fd = -1;

	if (place == NULL)
		return PR_NOTFOUND;

	enum pr_status status = spool_lock_status(call, place, spool_lock(place, 'q', name, &held), name);

	if (status != PR_OK)
		return status;
	status = spool_load(call, place, &held, pr_str(name), envelope_out, &body_fd);
	if (status != PR_OK) {
		if (status == PR_PERMFAIL)
			status = spool_lose(call, place, 'q', name, call->reason.data);
		if (body_fd >= 0)
			close(body_fd);
		close(held.fd);
		return status;
	}
	if ((*envelope_out)->quarantine.data != NULL) {
		/* a crash came between the two steps of hold() */
		renameat(place->control_fd, spool_name('q', name).text, place->control_fd, spool_name('h', name).text);
		close(body_fd);
		close(held.fd);
		return pr_fail(call, PR_TEMPFAIL, "%s is quarantined", name);
	}

	*claim_out = new_file_claim(place, &held, 'q', body_fd, (*envelope_out)->body_size);
	return PR_OK;
}

/* Where it is: known to be in the journal, new where the last one came from, a file, or new elsewhere in the journal; or, when it moved
 * meanwhile, a file after all. */
static enum pr_status claim_anywhere(struct pr_call *call, const char *name, struct pr_envelope **envelope_out, struct spool_claim **claim_out)
{
	struct spool *spool = spool_of(call);
	enum pr_status status = journal_claim(call, name, envelope_out, claim_out);

	if (status == PR_NOTFOUND) {
		/* another thread may have just read it: what is asked is the index, not who filled it */
		journal_tail_recent(spool);
		status = journal_claim(call, name, envelope_out, claim_out);
	}
	if (status == PR_NOTFOUND)
		status = claim_file(call, name, envelope_out, claim_out);
	if (status != PR_NOTFOUND || !journal_open_directory(spool))
		return status;
	if (!journal_hold(call))
		return pr_fail(call, PR_TEMPFAIL, "%s may be in the journal, which another process delivers from", name);
	journal_tail(spool);
	status = journal_claim(call, name, envelope_out, claim_out);
	return status != PR_NOTFOUND ? status : claim_file(call, name, envelope_out, claim_out);
}

/* A claim on hf or Qf.  A lost one with a reason in it is quarantined, as sendmail finds too. */
static enum pr_status claim_set_aside(struct pr_call *call, const char *name, struct pr_envelope **envelope_out, struct spool_claim **claim_out)
{
	struct spool_held held;
	char taken[SPOOL_ID_MAX + 1], kind;
	int body_fd = -1;
	enum pr_status status = spool_take(call, "hQ", pr_str(name), taken, &kind, &held);

	if (status != PR_OK)
		return status;
	status = spool_load(call, held.place, &held, pr_str(name), envelope_out, &body_fd);
	if (status == PR_OK && kind == 'Q' && (*envelope_out)->quarantine.data != NULL) {
		if (renameat(held.place->control_fd, spool_name('Q', name).text, held.place->control_fd, spool_name('h', name).text) != 0)
			status = spool_fail(call, held.place, errno, "cannot rename", spool_name('Q', name).text);
		else
			status = pr_fail(call, PR_TEMPFAIL, "%s is quarantined", name);
	}
	if (status == PR_OK) {
		*claim_out = new_file_claim(held.place, &held, kind, body_fd, (*envelope_out)->body_size);
		return PR_OK;
	}
	if (body_fd >= 0)
		close(body_fd);
	close(held.fd);
	return status;
}

static void give_claim(struct pr_call *call, struct spool_claim *claim, const char *name, struct pr_envelope *envelope, struct pr_claim *claim_out)
{
	struct pr_claim result = { .size = sizeof result, .envelope = envelope };

	result.id = pr_arena_copy(call->arena, pr_str(name));
	envelope->id = result.id;
	memcpy(claim->id, name, sizeof claim->id);
	spool_claim_put(spool_of(call), claim);
	result.epoch = claim->epoch;
	*claim_out = result;
}

/* May anything be claimed here, and can that be an id?  Then its name. */
static enum pr_status begin_claim(struct pr_call *call, struct pr_str id, char name[SPOOL_ID_MAX + 1])
{
	enum pr_status status = spool_need_role(call, PR_STORE_DELIVERY);

	if (status != PR_OK)
		return status;
	if (!spool_id_is_valid(id))
		return pr_fail(call, PR_NOTFOUND, "that is no queue id");
	if (atomic_load(&spool_of(call)->handed_over))
		return pr_fail(call, PR_TEMPFAIL, "the queue has been handed over");
	snprintf(name, SPOOL_ID_MAX + 1, "%.*s", PR_PRINT(id));
	return PR_OK;
}

typedef enum pr_status claim_way(struct pr_call *call, const char *name, struct pr_envelope **envelope_out, struct spool_claim **claim_out);

static enum pr_status claim_by(claim_way *way, struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	struct pr_envelope *envelope = NULL;
	struct spool_claim *claim = NULL;
	char name[SPOOL_ID_MAX + 1];
	enum pr_status status = begin_claim(call, id, name);

	if (status == PR_OK)
		status = way(call, name, &envelope, &claim);
	if (status == PR_OK)
		give_claim(call, claim, name, envelope, claim_out);
	return status;
}

enum pr_status spool_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	return claim_by(claim_anywhere, call, id, claim_out);
}

enum pr_status spool_claim_aside(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	return claim_by(claim_set_aside, call, id, claim_out);
}

enum pr_status spool_renew(struct pr_call *call, struct pr_claim *wanted)
{
	enum pr_status status = PR_OK;
	struct spool_claim *claim = take_valid(call, wanted, &status);

	if (claim != NULL)
		spool_claim_put(spool_of(call), claim);
	return status;
}

enum pr_status spool_update(struct pr_call *call, struct pr_claim *wanted, const struct pr_envelope *envelope)
{
	enum pr_status status = PR_OK;
	struct spool_claim *claim = take_valid(call, wanted, &status);

	if (claim == NULL)
		return status;
	if (claim->entry != NULL) {
		status = journal_claim_update(call, claim, envelope);
	} else {
		status = spool_rewrite(call, claim->place, claim->kind, claim->id, envelope, &claim->fd);
		spool_claim_note_inode(claim);
	}
	spool_claim_put(spool_of(call), claim);
	return status;
}

enum pr_status spool_defer(struct pr_call *call, struct pr_claim *wanted, const struct pr_envelope *envelope)
{
	enum pr_status status = PR_OK;
	struct spool_claim *claim = take_valid(call, wanted, &status);

	if (claim == NULL)
		return status;
	if (claim->entry != NULL) {
		status = journal_claim_defer(call, claim, envelope);
	} else {
		status = spool_rewrite(call, claim->place, claim->kind, claim->id, envelope, &claim->fd);
		spool_claim_note_inode(claim);
	}
	if (status == PR_OK)
		spool_claim_end(spool_of(call), claim);
	else
		spool_claim_put(spool_of(call), claim);
	return status;
}

enum pr_status spool_finish(struct pr_call *call, struct pr_claim *wanted)
{
	struct spool *spool = spool_of(call);
	enum pr_status status = PR_OK;
	struct spool_claim *claim = take_valid(call, wanted, &status);

	if (claim == NULL)
		return status;
	if (claim->entry != NULL) {
		journal_claim_finish(spool, claim);
		spool_claim_end(spool, claim);
		return PR_OK;
	}
	struct spool_place *place = claim->place;

	if (unlinkat(claim->place->control_fd, spool_name(claim->kind, claim->id).text, 0) != 0) {
		status = spool_fail(call, claim->place, errno, "cannot remove", spool_name(claim->kind, claim->id).text);
		spool_claim_put(spool, claim);
		return status;
	}
	/* From here the message is gone; a df that stays is swept up some day. */
	unlinkat(claim->place->data_fd, spool_name('d', claim->id).text, 0);
	spool_claim_end(spool, claim);
	if (spool->sync_finish != 0)
		spool_directory_flush(place);
	return PR_OK;
}

void spool_release(struct pr_call *call, struct pr_claim *wanted)
{
	struct spool *spool = spool_of(call);
	struct spool_claim *claim = spool_claim_take(spool, wanted);

	if (claim == NULL)
		return;
	if (claim->entry != NULL)
		journal_claim_release(spool, claim);
	spool_claim_end(spool, claim);
}
