/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages whose results the store could not take: a full disk, a directory that may not be written.  Who let go of such a claim would deliver
 * again, so the job stays with its claim and its results, and has its turn until they are written.  A store that takes nothing is
 * given few of them: beyond PER_GROUP nothing more of that queue group is claimed.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#define PER_GROUP 32

void unsettled_put(struct job *job)
{
	job->unsettled_next = job->courier->unsettled;
	job->courier->unsettled = job;
}

struct job *unsettled_take(struct courier *courier, struct plan_entry *entry)
{
	struct job **link = &courier->unsettled;

	while (*link != NULL && !pr_str_equal((*link)->claim.id, pr_str(entry->id)))
		link = &(*link)->unsettled_next;
	struct job *job = *link;
	if (job != NULL) {
		*link = job->unsettled_next;
		job->entry = entry;
	}
	return job;
}

bool unsettled_is_full(const struct courier *courier, uint8_t group)
{
	size_t count = 0;

	for (const struct job *job = courier->unsettled; job != NULL; job = job->unsettled_next)
		count += job->entry == NULL || job->entry->group == group || job->entry->group == PLAN_GROUP_UNKNOWN || group == PLAN_GROUP_UNKNOWN;
	return count >= PER_GROUP;
}

void unsettled_say_written(const struct job *job)
{
	if (job->unsettled != JOB_RUNS)
		log_line(LOGP_NOTICE, job->claim.id.data, "what became of it is written now");
}

/* At the end, when the plan is no matter any more.  False: it may be possible in a moment. */
static bool try_one(struct job *job, struct worker *worker)
{
	job_adopt(job, worker);
	lease_end(job);
	enum pr_status status = job->unsettled == JOB_FINISHES ? store_finish(&job->scope, &job->claim) : store_defer(&job->scope, &job->claim, job->envelope);
	if (status == PR_TEMPFAIL) {
		lease_goes_on(job);
		return false;
	}
	if (status == PR_OK) {
		unsettled_say_written(job);
	} else { /* it is somebody else's by now, or gone */
		log_line(LOGP_ERR, job->claim.id.data, "cannot record results: %.*s", PR_PRINT(job->scope.reason));
		store_release(&job->scope, &job->claim);
	}
	return true;
}

static struct job *detach(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	struct job *first = courier->unsettled;
	courier->unsettled = NULL;
	pthread_mutex_unlock(&courier->lock);
	return first;
}

bool unsettled_try(struct courier *courier, struct worker *worker)
{
	struct job *job = detach(courier), *next;
	bool some = false;

	for (; job != NULL; job = next) {
		next = job->unsettled_next;
		if (try_one(job, worker)) {
			job_free(job);
			continue;
		}
		some = true;
		pthread_mutex_lock(&courier->lock);
		unsettled_put(job);
		pthread_mutex_unlock(&courier->lock);
	}
	return some;
}

void unsettled_lose(struct courier *courier, struct worker *worker)
{
	struct job *job = detach(courier), *next;

	for (; job != NULL; job = next) {
		next = job->unsettled_next;
		job_adopt(job, worker);
		log_line(LOGP_ERR, job->claim.id.data, "what became of it could not be written; it will be delivered again");
		lease_end(job);
		store_release(&job->scope, &job->claim);
		job_free(job);
	}
}
