/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Claims: the table of what this process holds, and the calls that end a claim.
 * A claim is found by its epoch, never through a pointer of the caller's, so a stale one finds nothing;
 * and before anything is changed the name must still lead to the inode that is locked, so a claim whose
 * file was taken away from outside changes nothing either.
 *
 * finish, update and defer that answer PR_TEMPFAIL leave the claim standing: try again, or release().
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void spool_claims_init(struct spool *spool)
{
	uint32_t start = 0;

	pthread_mutex_init(&spool->claims.lock, NULL);
	pthread_cond_init(&spool->claims.changed, NULL);
	/* not from 1: an epoch of another process should be nobody's here */
	if (getrandom(&start, sizeof start, 0) != (ssize_t)sizeof start)
		start = (uint32_t)getpid();
	spool->claims.next_epoch = ((uint64_t)start << 32) + 1;
}

static void drop_claim(struct spool_claim *claim)
{
	if (claim->fd >= 0)
		close(claim->fd);
	if (claim->body_fd >= 0)
		close(claim->body_fd);
	spool_record_release(claim->record);
	pr_free(claim);
}

void spool_claims_fini(struct spool *spool)
{
	for (size_t i = 0; i < SPOOL_BUCKETS; i++) {
		struct spool_claim *claim = spool->claims.buckets[i];

		while (claim != NULL) {
			struct spool_claim *next = claim->next;

			drop_claim(claim);
			claim = next;
		}
		spool->claims.buckets[i] = NULL;
	}
	pthread_cond_destroy(&spool->claims.changed);
	pthread_mutex_destroy(&spool->claims.lock);
}

bool spool_claims_has(struct spool *spool, struct pr_str id)
{
	bool found = false;

	pthread_mutex_lock(&spool->claims.lock);
	for (size_t i = 0; i < SPOOL_BUCKETS && !found; i++)
		for (struct spool_claim *c = spool->claims.buckets[i]; c != NULL && !found; c = c->next)
			found = pr_str_equal(pr_str(c->id), id);
	pthread_mutex_unlock(&spool->claims.lock);
	return found;
}

/* Work on it is over; with the lock held. */
static void leave_work(struct spool *spool, struct spool_claim *claim)
{
	if (!claim->in_work)
		return;
	claim->in_work = false;
	spool->claims.in_work--;
	pthread_cond_broadcast(&spool->claims.changed);
}

static void put_claim(struct spool *spool, struct spool_claim *claim)
{
	pthread_mutex_lock(&spool->claims.lock);
	leave_work(spool, claim);
	if (claim->epoch == 0)
		claim->epoch = spool->claims.next_epoch++;
	claim->next = spool->claims.buckets[claim->epoch % SPOOL_BUCKETS];
	spool->claims.buckets[claim->epoch % SPOOL_BUCKETS] = claim;
	pthread_mutex_unlock(&spool->claims.lock);
}

static void end_claim(struct spool *spool, struct spool_claim *claim)
{
	pthread_mutex_lock(&spool->claims.lock);
	leave_work(spool, claim);
	pthread_mutex_unlock(&spool->claims.lock);
	drop_claim(claim);
}

/* Takes it out of the table: who works on a claim is alone with it. */
static struct spool_claim *take_claim(struct spool *spool, const struct pr_claim *wanted)
{
	struct spool_claim *claim, **at;

	pthread_mutex_lock(&spool->claims.lock);
	while (spool->claims.converting == wanted->epoch && wanted->epoch != 0)
		pthread_cond_wait(&spool->claims.changed, &spool->claims.lock);
	at = &spool->claims.buckets[wanted->epoch % SPOOL_BUCKETS];
	while (*at != NULL && ((*at)->epoch != wanted->epoch || !pr_str_equal(pr_str((*at)->id), wanted->id)))
		at = &(*at)->next;
	claim = *at;
	if (claim != NULL) {
		*at = claim->next;
		claim->in_work = claim->entry != NULL;
		spool->claims.in_work += claim->in_work;
	}
	pthread_mutex_unlock(&spool->claims.lock);
	return claim;
}

struct spool_record *spool_claim_record(struct spool *spool, const struct pr_claim *wanted)
{
	struct spool_claims *claims = &spool->claims;
	struct spool_record *record = NULL;

	pthread_mutex_lock(&claims->lock);
	for (struct spool_claim *c = claims->buckets[wanted->epoch % SPOOL_BUCKETS]; c != NULL; c = c->next)
		if (c->epoch == wanted->epoch && pr_str_equal(pr_str(c->id), wanted->id) && c->record != NULL && !c->body_filed) {
			record = c->record;
			atomic_fetch_add(&record->references, 1);
		}
	pthread_mutex_unlock(&claims->lock);
	return record;
}

static struct spool_claim *next_to_convert(struct spool *spool, spool_claim_chooser *choose, int64_t now, const uint64_t *after)
{
	struct spool_claim *found = NULL;

	for (size_t i = 0; i < SPOOL_BUCKETS; i++)
		for (struct spool_claim *c = spool->claims.buckets[i]; c != NULL; c = c->next)
			if (c->entry != NULL && c->epoch > *after && (found == NULL || c->epoch < found->epoch) && choose(spool, c, now))
				found = c;
	return found;
}

void spool_claims_to_files(struct spool *spool, spool_claim_chooser *choose, int64_t now)
{
	struct spool_claims *claims = &spool->claims;
	struct spool_claim *claim;
	uint64_t after = 0;

	pthread_mutex_lock(&claims->lock);
	while ((claim = claims->converting == 0 ? next_to_convert(spool, choose, now, &after) : NULL) != NULL) {
		after = claims->converting = claim->epoch;
		pthread_mutex_unlock(&claims->lock);
		journal_claim_to_file(spool, claim);
		pthread_mutex_lock(&claims->lock);
		claims->converting = 0;
		pthread_cond_broadcast(&claims->changed);
	}
	pthread_mutex_unlock(&claims->lock);
}

static bool is_any(const struct spool *spool, const struct spool_claim *claim, int64_t now)
{
	(void)spool;
	(void)claim;
	(void)now;
	return true;
}

static bool has_left_journal(struct spool *spool)
{
	struct spool_claims *claims = &spool->claims;
	uint64_t after = 0;
	bool left;

	pthread_mutex_lock(&claims->lock);
	left = claims->in_work == 0 && claims->converting == 0 && next_to_convert(spool, is_any, 0, &after) == NULL;
	pthread_mutex_unlock(&claims->lock);
	return left;
}

void spool_claims_leave_journal(struct spool *spool)
{
	struct timespec pause = {0, 5000000};

	/* one that cannot be written, on a full disk, keeps the journal ours until it is delivered or put back */
	for (spool_claims_to_files(spool, is_any, 0); !has_left_journal(spool); spool_claims_to_files(spool, is_any, 0))
		nanosleep(&pause, NULL);
}

struct spool_place *spool_claim_place(struct spool *spool, const struct pr_claim *wanted)
{
	struct spool_place *place = NULL;

	pthread_mutex_lock(&spool->claims.lock);
	for (struct spool_claim *c = spool->claims.buckets[wanted->epoch % SPOOL_BUCKETS]; c != NULL && place == NULL; c = c->next)
		if (c->epoch == wanted->epoch && pr_str_equal(pr_str(c->id), wanted->id))
			place = c->place;
	pthread_mutex_unlock(&spool->claims.lock);
	return place;
}

int spool_claim_take_body(struct spool *spool, const struct pr_claim *wanted, int64_t *length_out)
{
	struct spool_claim *claim = take_claim(spool, wanted);
	int fd = -1;

	if (claim != NULL) {
		fd = claim->body_fd;
		claim->body_fd = -1;
		*length_out = claim->body_size;
		put_claim(spool, claim);
	}
	return fd;
}

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
	struct spool_claim *claim = take_claim(spool, wanted);
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
			put_claim(spool, claim);
			return NULL;
		}
	} else if (st.st_dev == claim->device && st.st_ino == claim->inode) {
		return claim;
	}
	*status_out = pr_fail(call, PR_PERMFAIL, "%s was taken away or replaced while it was claimed", claim->id);
	end_claim(spool, claim);
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
static enum pr_status claim_set_aside(struct pr_call *call, struct pr_str id, char name[SPOOL_ID_MAX + 1], struct pr_envelope **envelope_out,
                                      struct spool_claim **claim_out)
{
	struct spool_held held;
	int body_fd = -1;
	char kind;
	enum pr_status status = spool_take(call, "hQ", id, name, &kind, &held);

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
	put_claim(spool_of(call), claim);
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

enum pr_status spool_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	struct pr_envelope *envelope;
	struct spool_claim *claim;
	char name[SPOOL_ID_MAX + 1];
	enum pr_status status = begin_claim(call, id, name);

	if (status == PR_OK)
		status = claim_anywhere(call, name, &envelope, &claim);
	if (status == PR_OK)
		give_claim(call, claim, name, envelope, claim_out);
	return status;
}

enum pr_status spool_claim_aside(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out)
{
	struct pr_envelope *envelope;
	struct spool_claim *claim;
	char name[SPOOL_ID_MAX + 1];
	enum pr_status status = begin_claim(call, id, name);

	if (status == PR_OK)
		status = claim_set_aside(call, id, name, &envelope, &claim);
	if (status == PR_OK)
		give_claim(call, claim, name, envelope, claim_out);
	return status;
}

enum pr_status spool_renew(struct pr_call *call, struct pr_claim *wanted)
{
	enum pr_status status = PR_OK;
	struct spool_claim *claim = take_valid(call, wanted, &status);

	if (claim != NULL)
		put_claim(spool_of(call), claim);
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
	put_claim(spool_of(call), claim);
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
		end_claim(spool_of(call), claim);
	else
		put_claim(spool_of(call), claim);
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
		end_claim(spool, claim);
		return PR_OK;
	}
	struct spool_place *place = claim->place;

	if (unlinkat(claim->place->control_fd, spool_name(claim->kind, claim->id).text, 0) != 0) {
		status = spool_fail(call, claim->place, errno, "cannot remove", spool_name(claim->kind, claim->id).text);
		put_claim(spool, claim);
		return status;
	}
	/* From here the message is gone; a df that stays is swept up some day. */
	unlinkat(claim->place->data_fd, spool_name('d', claim->id).text, 0);
	end_claim(spool, claim);
	if (spool->sync_finish != 0)
		spool_directory_flush(place);
	return PR_OK;
}

void spool_release(struct pr_call *call, struct pr_claim *wanted)
{
	struct spool *spool = spool_of(call);
	struct spool_claim *claim = take_claim(spool, wanted);

	if (claim == NULL)
		return;
	if (claim->entry != NULL)
		journal_claim_release(spool, claim);
	end_claim(spool, claim);
}
