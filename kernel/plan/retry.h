/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When a message is tried again: MinQueueAge, MaxQueueAge and the queue interval.
 *
 * Where somebody has set an interval, there are queue runs, as sendmail has them: one at the start and one after each interval, counted from
 * the start.  A run leaves alone what is too young: what was tried less than MinQueueAge ago, and with MaxQueueAge what was tried
 * less long ago than it had been in the queue by then, MaxQueueAge at most.
 *
 *   interval 5 s, MinQueueAge 6 s         a run:  0    5    10   15   20
 *                                         tries:    2         10        20
 *
 * Where nobody has, each message has a time of its own: the first wait is MinQueueAge (or the interval) and each further one doubles,
 * up to `longest`; without that every try waits the same time, the longer of MinQueueAge and the interval.
 */
#ifndef KERNEL_PLAN_RETRY_H
#define KERNEL_PLAN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define PLAN_NEVER INT64_MAX

struct plan_retry {
	int64_t min_age;  /* seconds, 0: none */
	int64_t max_age;  /* seconds, 0: none; of runs, those that somebody asks for too */
	int64_t interval; /* seconds, 0: only when asked */
	int64_t longest;  /* seconds, 0: no back-off; where there are no runs */
	bool runs;        /* the interval is that of queue runs */
	int64_t begin;    /* of the first one; any clock */
};

/* What a message has behind it; last_try 0: never tried. */
struct plan_tried {
	int64_t created, last_try, tries;
};

/* Seconds after the last try during which a run leaves it alone. */
int64_t plan_retry_rest(const struct plan_retry *retry, const struct plan_tried *tried);
/* Is it in that time?  A last try in the future (the clock went back) is no reason. */
bool plan_retry_is_young(const struct plan_retry *retry, const struct plan_tried *tried, int64_t now);
/* The first run at `time` or later, on the clock of `begin`; PLAN_NEVER where there are none. */
int64_t plan_retry_run(const struct plan_retry *retry, int64_t time);
/* Seconds from the last try to the next one, at most; PLAN_NEVER when only an operator's run brings it back. */
int64_t plan_retry_delay(const struct plan_retry *retry, const struct plan_tried *tried);
/* When it is due on the clock of `begin`, which says `now` when that of the message says `wall`.  A last try in the future counts as now. */
int64_t plan_retry_due(const struct plan_retry *retry, const struct plan_tried *tried, int64_t wall, int64_t now);
/* Is it time to give up?  With return_after 0 after any failure.  Else only when the message was tried within the last two waits: after a standstill or a jump of
 * the clock it gets one more try first, instead of being returned for an outage of our own. */
bool plan_is_expired(const struct plan_retry *retry, const struct plan_tried *tried, int64_t return_after, int64_t now);

#endif
