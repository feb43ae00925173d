/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier's two clocks: the plan's, which only goes forward, and the calendar of the envelopes.
 * Where the calendar jumps the two drift apart; that is noticed each second and taken off the age of the messages that were there
 * before, so that a clock set a year ahead returns nobody's mail.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <time.h>

#define JUMP_SECONDS 600 /* less is a clock being corrected, and no age to speak of */

int64_t courier_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int64_t courier_wall(void)
{
	return time(NULL);
}

void clock_note(struct courier_clock *clock, int64_t wall, int64_t now)
{
	int64_t drift = wall - now, moved = drift - clock->drift;

	if (clock->known && moved < JUMP_SECONDS && moved > -JUMP_SECONDS) {
		clock->drift = drift; /* slow corrections are believed */
		return;
	}
	if (clock->known) {
		log_line(LOGP_WARNING, NULL, "the clock has jumped by %lld seconds", (long long)moved);
		clock->jump += moved;
		clock->before = wall - moved;
	}
	clock->known = true;
	clock->drift = drift;
}

int64_t clock_age(const struct courier_clock *clock, int64_t created, int64_t wall)
{
	int64_t age = wall - created;

	if (clock->jump > 0 && created <= clock->before)
		age -= clock->jump;
	return age > 0 ? age : 0;
}

int64_t courier_age(struct courier *courier, int64_t created)
{
	pthread_mutex_lock(&courier->lock);
	struct courier_clock clock = courier->clock;
	pthread_mutex_unlock(&courier->lock);
	return clock_age(&clock, created, courier_wall());
}

int32_t courier_zone(int64_t wall)
{
	time_t seconds = (time_t)wall;
	struct tm here = {0};

	return localtime_r(&seconds, &here) != NULL ? (int32_t)here.tm_gmtoff : 0;
}
