/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plain arithmetic on seconds that the caller gives; doubling stops at the maximum, so it cannot overflow.
 * Time is a parameter because the tests want ten years in a millisecond.
 */
#include "kernel/plan/retry.h"

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t plan_retry_rest(const struct plan_retry *retry, const struct plan_tried *tried)
{
	int64_t aged = longer(tried->last_try - tried->created, 0);

	if (tried->tries <= 0 || tried->last_try <= 0)
		return 0;
	return longer(retry->min_age, aged < retry->max_age ? aged : retry->max_age);
}

bool plan_retry_is_young(const struct plan_retry *retry, const struct plan_tried *tried, int64_t now)
{
	int64_t since = now - tried->last_try;

	return since >= 0 && since < plan_retry_rest(retry, tried);
}

int64_t plan_retry_run(const struct plan_retry *retry, int64_t time)
{
	if (!retry->runs || retry->interval <= 0)
		return PLAN_NEVER;
	if (time <= retry->begin)
		return retry->begin;
	int64_t count = (time - retry->begin + retry->interval - 1) / retry->interval;
	return retry->begin + count * retry->interval;
}

/* Each wait twice as long as the one before. */
static int64_t doubled(const struct plan_retry *retry, int64_t tries)
{
	int64_t delay = retry->min_age > 0 ? retry->min_age : retry->interval;

	if (retry->longest <= 0)
		return longer(retry->min_age, retry->interval);
	for (int64_t i = 1; i < tries && delay < retry->longest; i++)
		delay *= 2;
	return delay < retry->longest ? delay : retry->longest;
}

int64_t plan_retry_delay(const struct plan_retry *retry, const struct plan_tried *tried)
{
	if (retry->interval <= 0)
		return PLAN_NEVER;
	/* a run may have passed just before the message was old enough */
	return retry->runs ? plan_retry_rest(retry, tried) + retry->interval : doubled(retry, tried->tries);
}

int64_t plan_retry_due(const struct plan_retry *retry, const struct plan_tried *tried, int64_t wall, int64_t now)
{
	int64_t last = tried->last_try < wall ? tried->last_try : wall;

	if (tried->tries <= 0 || tried->last_try <= 0)
		return now;
	if (retry->interval <= 0)
		return PLAN_NEVER;
	if (!retry->runs)
		return last + plan_retry_delay(retry, tried) - wall + now;
	/* not in the second in which it was tried, which may be that of a run */
	int64_t due = last + longer(plan_retry_rest(retry, tried), 1) - wall + now;
	return plan_retry_run(retry, longer(due, now));
}

bool plan_is_expired(const struct plan_retry *retry, const struct plan_tried *tried, int64_t return_after, int64_t now)
{
	if (return_after == 0)
		return true;
	if (return_after < 0 || now - tried->created < return_after)
		return false;
	/* without a schedule of our own nothing can be said about standstills */
	int64_t delay = plan_retry_delay(retry, tried);
	if (tried->tries <= 0 || tried->last_try <= 0)
		return false;
	return delay == PLAN_NEVER || now - tried->last_try <= 2 * delay + 60;
}
