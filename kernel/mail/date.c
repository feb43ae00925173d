/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Days since 1970 turned into a date by the 400-year cycle of the Gregorian calendar, without asking the C library:
 * the pure floor has no clock and no time zone, and English names must not depend on a locale.
 */
#include "kernel/mail/header.h"

#define DAY_SECONDS 86400

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct mail_time mail_time_split(int64_t unix_seconds, int32_t zone)
{
	/* years far outside are nobody's mail; the bound keeps the sums in range */
	const int64_t most = INT64_C(253402300799); /* 9999-12-31 */
	int64_t local = unix_seconds > most ? most : unix_seconds < 0 ? 0 : unix_seconds + zone;
	struct mail_time time;
	int64_t day = local / DAY_SECONDS, second = local % DAY_SECONDS;

	if (second < 0) {
		second += DAY_SECONDS;
		day--;
	}
	time.hour = (uint32_t)(second / 3600);
	time.minute = (uint32_t)(second / 60 % 60);
	time.second = (uint32_t)(second % 60);
	time.weekday = (uint32_t)((day % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
	/* count from 0000-03-01, so that the leap day is the last of its year */
	int64_t since = day + 719468;
	int64_t cycle = since / 146097, of_cycle = since % 146097;
	int64_t year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
	int64_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
	time.day = (uint32_t)(of_year - (153 * month + 2) / 5 + 1);
	time.month = (uint32_t)(month < 10 ? month + 2 : month - 10);
	time.year = (uint32_t)(cycle * 400 + year + (month >= 10));
	return time;
}

struct pr_str mail_date(struct pr_arena *arena, int64_t unix_seconds, int32_t zone)
{
	struct mail_time time = mail_time_split(unix_seconds, zone);
	uint32_t offset = (uint32_t)(zone < 0 ? -zone : zone) / 60;

	if (offset == 0)
		return pr_arena_printf(arena, "%s, %u %s %u %02u:%02u:%02u GMT", days[time.weekday], time.day,
		    months[time.month], time.year, time.hour, time.minute, time.second);
	return pr_arena_printf(arena, "%s, %u %s %u %02u:%02u:%02u %c%02u%02u", days[time.weekday], time.day,
	    months[time.month], time.year, time.hour, time.minute, time.second, zone < 0 ? '-' : '+', offset / 60 % 100,
	    offset % 60);
}

struct pr_str mail_ctime(struct pr_arena *arena, int64_t unix_seconds, int32_t zone)
{
	struct mail_time time = mail_time_split(unix_seconds, zone);

	return pr_arena_printf(arena, "%s %s %2u %02u:%02u:%02u %u", days[time.weekday], months[time.month], time.day,
	    time.hour, time.minute, time.second, time.year);
}
