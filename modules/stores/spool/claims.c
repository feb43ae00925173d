/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of the claims that this process holds.  A claim is found by its epoch, never through a pointer of the caller's, so a stale one finds
 * nothing.  Claims of the journal may become claims of files while nobody works on them.
 */
#include "spool.h"

#include <sys/random.h>
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

static void drop(struct spool_claim *claim)
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

			drop(claim);
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

void spool_claim_put(struct spool *spool, struct spool_claim *claim)
{
	pthread_mutex_lock(&spool->claims.lock);
	leave_work(spool, claim);
	if (claim->epoch == 0)
		claim->epoch = spool->claims.next_epoch++;
	claim->next = spool->claims.buckets[claim->epoch % SPOOL_BUCKETS];
	spool->claims.buckets[claim->epoch % SPOOL_BUCKETS] = claim;
	pthread_mutex_unlock(&spool->claims.lock);
}

void spool_claim_end(struct spool *spool, struct spool_claim *claim)
{
	pthread_mutex_lock(&spool->claims.lock);
	leave_work(spool, claim);
	pthread_mutex_unlock(&spool->claims.lock);
	drop(claim);
}

struct spool_claim *spool_claim_take(struct spool *spool, const struct pr_claim *wanted)
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
	struct spool_claim *claim = spool_claim_take(spool, wanted);
	int fd = -1;

	if (claim != NULL) {
		fd = claim->body_fd;
		claim->body_fd = -1;
		*length_out = claim->body_size;
		spool_claim_put(spool, claim);
	}
	return fd;
}
