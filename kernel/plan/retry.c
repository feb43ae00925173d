/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plain arithmetic on seconds that the caller gives; doubling stops at the maximum, so it cannot overflow.
 * Time is a parameter because the tests want ten years in a millisecond.
 */
#include "kernel/plan/retry.h"

int64_t plan_retry_delay(const struct plan_retry *retry, int64_t tries)
{
	int64_t base = retry->min_age > retry->interval ? retry->min_age : retry->interval;

	if (retry->interval <= 0)
		return PLAN_NEVER;
	if (retry->max_age <= 0)
		return base;
	int64_t delay = retry->min_age > 0 ? retry->min_age : retry->interval;
	for (int64_t i = 1; i < tries && delay < retry->max_age; i++)
		delay *= 2;
	return delay < retry->max_age ? delay : retry->max_age;
}

int64_t plan_retry_due(const struct plan_retry *retry, int64_t last_try, int64_t tries, int64_t now)
{
	int64_t delay = plan_retry_delay(retry, tries);

	if (tries <= 0 || last_try <= 0)
		return now;
	if (delay == PLAN_NEVER)
		return PLAN_NEVER;
	return (last_try < now ? last_try : now) + delay;
}

bool plan_is_expired(const struct plan_retry *retry, int64_t created, int64_t last_try, int64_t tries, int64_t return_after, int64_t now)
{
	if (return_after == 0)
		return true;
	if (return_after < 0 || now - created < return_after)
		return false;
	/* without a schedule of our own nothing can be said about standstills */
	int64_t delay = plan_retry_delay(retry, tries);
	if (tries <= 0 || last_try <= 0)
		return false;
	return delay == PLAN_NEVER || now - last_try <= 2 * delay + 60;
}
