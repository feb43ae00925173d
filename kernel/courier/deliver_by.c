/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BY= of MAIL (RFC 2852), as sendmail does it.  A message that should be back by now (R) is not even tried; one that is late (N) is told of
 * once and goes on; and who hands a message on to a host that promises nothing, or was asked for a trace, says so to its sender.
 */
#include "kernel/courier/internal.h"

static const struct compat_result expired = {PR_PERMFAIL, "5.4.7", NULL, NULL, false};

static bool is_over(struct job *job, uint32_t mode)
{
	struct pr_deliver_by by;

	return pr_envelope_deliver_by(job->envelope, &by) && (by.flags & mode) != 0 &&
	       courier_age(job->courier, job->envelope->created) >= by.seconds;
}

void by_return(struct job *job)
{
	if (!is_over(job, PR_BY_RETURN))
		return;
	for (size_t i = 0; i < job->parcel_count; i++) {
		struct parcel *parcel = &job->parcels[i];
		if (parcel->status != PR_MISUSE)
			continue;
		parcel->compat = &expired;
		parcel->status = expired.status;
		parcel->enhanced = pr_str(expired.enhanced);
		job->late = true;
	}
}

bool by_gives_up(struct job *job)
{
	bool over = is_over(job, PR_BY_RETURN);

	job->late = job->late || over;
	return over;
}

bool by_warns(struct job *job)
{
	struct pr_deliver_by by;
	/* a time that was over when the message came is nothing to warn of */
	bool over = is_over(job, PR_BY_NOTIFY) && pr_envelope_deliver_by(job->envelope, &by) && by.seconds > 0;

	job->late = job->late || over;
	return over;
}

/* Neither a mailbox nor one of our own answers. */
static bool is_relayed(const struct parcel *parcel)
{
	return parcel->status == PR_OK && parcel->remote.len > 0 && (parcel->flags & PR_DELIVERY_FINAL) == 0;
}

static bool is_never_told(const struct pr_recipient *recipient)
{
	const uint32_t any = PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY;

	return (recipient->flags & PR_RECIPIENT_NOTIFY) != 0 && (recipient->flags & any) == 0;
}

void by_note(const struct job *job, struct parcel *parcel)
{
	struct pr_deliver_by by;

	if (!is_relayed(parcel) || is_never_told(parcel->recipient) || !pr_envelope_deliver_by(job->envelope, &by))
		return;
	if ((by.flags & PR_BY_NOTIFY) != 0 && (parcel->flags & PR_DELIVERY_BY_TAKEN) == 0)
		parcel->by = DSN_BY_NOTIFY;
	else if ((by.flags & PR_BY_TRACE) != 0)
		parcel->by = DSN_BY_TRACE;
}

const char *by_words(struct job *job, bool warning)
{
	struct pr_deliver_by by = {.seconds = 0};

	(void)pr_envelope_deliver_by(job->envelope, &by);
	return warning ? pr_arena_printf(&job->arena, "sender notify: Warning: Delivery time (%llds) exceeded", (long long)by.seconds).data
	               : pr_arena_printf(&job->arena, "DSN: delivery time expired %llds", (long long)by.seconds).data;
}
