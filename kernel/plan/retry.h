/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When a message is tried again: MinQueueAge, MaxQueueAge and the queue interval.
 *
 * Without MaxQueueAge every try waits the same time, the longer of MinQueueAge and the interval.  With it the first wait is
 * MinQueueAge (or the interval) and each further one doubles, up to MaxQueueAge.
 */
#ifndef KERNEL_PLAN_RETRY_H
#define KERNEL_PLAN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define PLAN_NEVER INT64_MAX

struct plan_retry {
	int64_t min_age;  /* seconds, 0: none */
	int64_t max_age;  /* seconds, 0: no back-off */
	int64_t interval; /* seconds, 0: only when asked */
};

/* Seconds to wait after try number `tries`; PLAN_NEVER when only an operator's run brings it back. */
int64_t plan_retry_delay(const struct plan_retry *retry, int64_t tries);
/* When a message last tried at `last_try` (0: never) is due.  A last try in the future (the clock went back) counts as now. */
int64_t plan_retry_due(const struct plan_retry *retry, int64_t last_try, int64_t tries, int64_t now);
/* Is it time to give up?  With return_after 0 after any failure.  Else only when the message was tried within the last two waits: after a standstill or a jump of
 * the clock it gets one more try first, instead of being returned for an outage of our own. */
bool plan_is_expired(const struct plan_retry *retry, int64_t created, int64_t last_try, int64_t tries, int64_t return_after, int64_t now);

#endif
