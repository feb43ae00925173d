/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a delivery has shown about its host: noted in one place, so that whoever keeps a record of hosts is called from here.
 * A host is dead when it could not be reached or never answered; one that says 421 or breaks a connection is alive and wants less.
 */
#include "kernel/courier/internal.h"

static enum plan_outcome judge_one(const struct parcel *parcel)
{
	if (parcel->code == 421)
		return PLAN_PUSHED_BACK;
	if (parcel->code != 0 || parcel->status == PR_OK)
		return PLAN_SERVED;
	if (parcel->status != PR_TEMPFAIL)
		return PLAN_NEUTRAL;
	/* silence ties up a thread for minutes each time: as bad as no connection, and sendmail remembers it as that */
	if (pr_str_has_prefix_nocase(parcel->reply, PR_STR("Deferred: Connection timed out")) ||
	    pr_str_has_prefix_nocase(parcel->reply, PR_STR("Connection timed out")))
		return PLAN_UNREACHABLE;
	if (pr_str_equal(parcel->enhanced, PR_STR("4.4.1")) || pr_str_equal(parcel->enhanced, PR_STR("4.4.3")))
		return PLAN_UNREACHABLE;
	return pr_str_equal(parcel->enhanced, PR_STR("4.4.2")) ? PLAN_PUSHED_BACK : PLAN_NEUTRAL;
}

enum plan_outcome courier_judge(const struct job *job, const struct group *group, struct pr_str *reply_out)
{
	enum plan_outcome outcome = PLAN_NEUTRAL;
	uint32_t number = (uint32_t)(group - job->groups) + 1;

	if (group->host.len == 0)
		return PLAN_SERVED; /* mailboxes and programs are no host */
	for (size_t i = 0; i < job->parcel_count; i++) {
		const struct parcel *parcel = &job->parcels[i];
		if (parcel->group != number)
			continue;
		outcome = judge_one(parcel);
		*reply_out = parcel->reply;
		/* the first connection that worked is the answer, whatever became of the later ones */
		if (outcome != PLAN_UNREACHABLE)
			break;
	}
	return outcome;
}

void courier_note_host(struct courier *courier, const struct group *group, enum plan_outcome outcome, struct pr_str reply)
{
	pthread_mutex_lock(&courier->lock);
	/* this thread looks for work again in a moment, so nobody is woken */
	plan_leave(courier->plan, group->destination, outcome, reply, courier_now());
	pthread_mutex_unlock(&courier->lock);
}
