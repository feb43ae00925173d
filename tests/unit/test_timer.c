/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The coarse wheel: fires once, not early, whatever was put off or brought forward.  Seconds are numbers here.
 */
#include "kernel/session/timer.h"
#include "tests/unit/unit.h"

#define MANY 2000

struct log {
	struct timer *last;
	size_t count;
};

static void fired(void *context, struct timer *timer)
{
	struct log *log = context;

	log->last = timer;
	log->count++;
}

static void test_fires_when_due(void)
{
	struct timer_wheel wheel;
	struct timer timer = {0};
	struct log log = {0};

	timer_wheel_init(&wheel, 100);
	timer_set(&wheel, &timer, 105);
	timer_wheel_advance(&wheel, 104, fired, &log);
	CU_ASSERT_EQUAL(log.count, 0);
	timer_wheel_advance(&wheel, 105, fired, &log);
	CU_ASSERT_EQUAL(log.count, 1);
	CU_ASSERT_PTR_EQUAL(log.last, &timer);
	CU_ASSERT_EQUAL(atomic_load(&timer.due), 0);
	timer_wheel_advance(&wheel, 5000, fired, &log);
	CU_ASSERT_EQUAL(log.count, 1);
	timer_wheel_fini(&wheel);
}

static void test_put_off(void)
{
	struct timer_wheel wheel;
	struct timer timer = {0};
	struct log log = {0};

	timer_wheel_init(&wheel, 0);
	timer_set(&wheel, &timer, 10);
	for (int64_t now = 1; now < 3000; now++) {
		timer_set(&wheel, &timer, now + 10);
		timer_wheel_advance(&wheel, now, fired, &log);
	}
	CU_ASSERT_EQUAL(log.count, 0);
	timer_wheel_advance(&wheel, 3008, fired, &log);
	CU_ASSERT_EQUAL(log.count, 0);
	timer_wheel_advance(&wheel, 3009, fired, &log);
	CU_ASSERT_EQUAL(log.count, 1);
	timer_wheel_fini(&wheel);
}

static void test_brought_forward(void)
{
	struct timer_wheel wheel;
	struct timer timer = {0};
	struct log log = {0};

	timer_wheel_init(&wheel, 0);
	timer_set(&wheel, &timer, 3600);
	timer_set(&wheel, &timer, 2);
	timer_wheel_advance(&wheel, 2, fired, &log);
	CU_ASSERT_EQUAL(log.count, 1);
	timer_wheel_fini(&wheel);
}

static void test_cleared(void)
{
	struct timer_wheel wheel;
	struct timer timers[3] = {0};
	struct log log = {0};

	timer_wheel_init(&wheel, 0);
	for (size_t i = 0; i < 3; i++)
		timer_set(&wheel, &timers[i], 7);
	timer_clear(&wheel, &timers[1]);
	timer_clear(&wheel, &timers[1]);
	timer_wheel_advance(&wheel, 7, fired, &log);
	CU_ASSERT_EQUAL(log.count, 2);
	timer_set(&wheel, &timers[1], 9);
	timer_wheel_advance(&wheel, 9, fired, &log);
	CU_ASSERT_EQUAL(log.count, 3);
	timer_wheel_fini(&wheel);
}

static void test_long_sleep(void)
{
	struct timer_wheel wheel;
	struct timer timer = {0}, far = {0};
	struct log log = {0};

	timer_wheel_init(&wheel, 0);
	timer_set(&wheel, &timer, 600);
	timer_set(&wheel, &far, 1000000);
	timer_wheel_advance(&wheel, 900000, fired, &log);
	CU_ASSERT_EQUAL(log.count, 1);
	timer_wheel_advance(&wheel, 1000000, fired, &log);
	CU_ASSERT_EQUAL(log.count, 2);
	timer_wheel_fini(&wheel);
}

/* Every timer of many fires exactly in its second. */
static void test_many(void)
{
	static struct timer timers[MANY];
	struct timer_wheel wheel;
	struct log log = {0};
	size_t expected = 0;

	timer_wheel_init(&wheel, 0);
	for (size_t i = 0; i < MANY; i++)
		timer_set(&wheel, &timers[i], 1 + (int64_t)(i * 7919 % 1500));
	for (int64_t now = 1; now <= 1500; now++) {
		for (size_t i = 0; i < MANY; i++)
			expected += 1 + (int64_t)(i * 7919 % 1500) == now;
		timer_wheel_advance(&wheel, now, fired, &log);
		if (log.count != expected)
			break;
	}
	CU_ASSERT_EQUAL(log.count, expected);
	CU_ASSERT_EQUAL(log.count, MANY);
	timer_wheel_fini(&wheel);
}

static const struct unit_case cases[] = {
    {"fires when due, once", test_fires_when_due},
    {"put off again and again", test_put_off},
    {"brought forward", test_brought_forward},
    {"cleared and set again", test_cleared},
    {"after a long sleep", test_long_sleep},
    {"many, each in its second", test_many},
    {NULL, NULL},
};

UNIT_MAIN("timer wheel", cases)
