/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known about jumps of the calendar clock.
 */
#ifndef KERNEL_COURIER_CLOCK_H
#define KERNEL_COURIER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct courier_clock {
	bool known;
	int64_t drift;  /* calendar minus the clock that only goes forward */
	int64_t jump;   /* seconds it has jumped forward, all jumps together */
	int64_t before; /* what the calendar would have shown at the last jump: older messages were there */
};

/* Both clocks, each second. */
void clock_note(struct courier_clock *clock, int64_t wall, int64_t now);
/* Seconds since `created` as the world has seen them; never negative. */
int64_t clock_age(const struct courier_clock *clock, int64_t created, int64_t wall);

#endif
