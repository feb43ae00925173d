/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Coarse timers: a wheel of one-second slots for things that nearly always are put off before they happen.
 *
 * Putting a deadline off is one store without a lock: the timer stays in its slot, and when the wheel reaches it,
 * it moves on to where it belongs by then.  Only bringing a deadline forward, setting and clearing take the lock.
 * Seconds come from the caller, so the wheel has no clock.
 */
#ifndef KERNEL_SESSION_TIMER_H
#define KERNEL_SESSION_TIMER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_SLOTS 512

struct timer {
	struct timer *next;
	struct timer **link;  /* what points at us; NULL: not in the wheel */
	_Atomic int64_t due;  /* second at which it is to fire */
};

struct timer_wheel {
	pthread_mutex_t lock;
	int64_t now; /* last second that was looked at */
	struct timer *slots[TIMER_SLOTS];
};

/* Called with the wheel locked; must not call the wheel.  The timer is out of the wheel by then. */
typedef void timer_fire(void *context, struct timer *timer);

void timer_wheel_init(struct timer_wheel *wheel, int64_t now);
void timer_wheel_fini(struct timer_wheel *wheel);
/* Sets, puts off or brings forward.  Calls for one timer must not run at once. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, int64_t due);
void timer_clear(struct timer_wheel *wheel, struct timer *timer);
/* Fires everything due at `now` or before. */
void timer_wheel_advance(struct timer_wheel *wheel, int64_t now, timer_fire *fire, void *context);

#endif
