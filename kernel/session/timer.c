/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hashed wheel with lazy deadlines.  A server resets a session's timeout with every command and almost none ever
 * fires, so the reset must cost nothing; a look at each session every few minutes is the price.
 */
#include "kernel/session/timer.h"

/* A deadline further off than the wheel is long is looked at once per turn. */
#define FARTHEST (TIMER_SLOTS - 1)

void timer_wheel_init(struct timer_wheel *wheel, int64_t now)
{
	*wheel = (struct timer_wheel){.now = now};
	pthread_mutex_init(&wheel->lock, NULL);
}

void timer_wheel_fini(struct timer_wheel *wheel)
{
	pthread_mutex_destroy(&wheel->lock);
}

static void take_out(struct timer *timer)
{
	if (timer->link == NULL)
		return;
	*timer->link = timer->next;
	if (timer->next != NULL)
		timer->next->link = timer->link;
	timer->next = NULL;
	timer->link = NULL;
}

static void put_in(struct timer_wheel *wheel, struct timer *timer, int64_t due)
{
	int64_t when = due;

	if (when <= wheel->now)
		when = wheel->now + 1;
	if (when > wheel->now + FARTHEST)
		when = wheel->now + FARTHEST;
	struct timer **slot = &wheel->slots[(uint64_t)when % TIMER_SLOTS];
	timer->next = *slot;
	timer->link = slot;
	if (*slot != NULL)
		(*slot)->link = &timer->next;
	*slot = timer;
}

void timer_set(struct timer_wheel *wheel, struct timer *timer, int64_t due)
{
	int64_t before = atomic_exchange(&timer->due, due);

	/* Still in the wheel and put off: the wheel will find the new deadline.  A timer that is out has due 0. */
	if (before != 0 && due >= before)
		return;
	pthread_mutex_lock(&wheel->lock);
	take_out(timer);
	put_in(wheel, timer, due);
	pthread_mutex_unlock(&wheel->lock);
}

void timer_clear(struct timer_wheel *wheel, struct timer *timer)
{
	pthread_mutex_lock(&wheel->lock);
	take_out(timer);
	atomic_store(&timer->due, 0);
	pthread_mutex_unlock(&wheel->lock);
}

static void look_at_slot(struct timer_wheel *wheel, int64_t now, timer_fire *fire, void *context)
{
	struct timer *list = wheel->slots[(uint64_t)wheel->now % TIMER_SLOTS];

	wheel->slots[(uint64_t)wheel->now % TIMER_SLOTS] = NULL;
	while (list != NULL) {
		struct timer *timer = list;
		list = timer->next;
		timer->next = NULL;
		timer->link = NULL;
		int64_t due = atomic_load(&timer->due);
		/* Leaving the wheel and due = 0 are one step for timer_set, which may put it off at this moment. */
		while (due <= now && !atomic_compare_exchange_weak(&timer->due, &due, 0))
			continue;
		if (due <= now)
			fire(context, timer);
		else
			put_in(wheel, timer, due);
	}
}

void timer_wheel_advance(struct timer_wheel *wheel, int64_t now, timer_fire *fire, void *context)
{
	pthread_mutex_lock(&wheel->lock);
	/* After a long sleep one whole turn sees every timer. */
	if (now - wheel->now > TIMER_SLOTS)
		wheel->now = now - TIMER_SLOTS;
	while (wheel->now < now) {
		wheel->now++;
		look_at_slot(wheel, now, fire, context);
	}
	pthread_mutex_unlock(&wheel->lock);
}
