/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times and sizes as administrators write them: "1h30m", "10M".
 * A table of units and one accumulator that refuses to overflow; nothing is
 * rounded, clamped or guessed.
 */
#include "ascii.h"
#include <postrider/option.h>

struct unit {
	char letter;
	int64_t factor;
};

static const struct unit time_units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {0, 0}};
static const struct unit size_units[] = {{'k', 1024}, {'m', 1024 * 1024}, {'g', 1024 * 1024 * 1024}, {0, 0}};

static int64_t unit_factor(const struct unit *units, char letter)
{
	for (; units->letter != 0; units++)
		if (units->letter == ascii_lower(letter))
			return units->factor;
	return 0;
}

/* Digits at the front of *text, times the unit behind them, onto *sum. */
static bool take_amount(struct pr_str *text, const struct unit *units, int64_t bare_factor, int64_t *sum)
{
	uint64_t number;
	size_t digits = 0;

	while (digits < text->len && ascii_is_digit(text->data[digits]))
		digits++;
	if (!pr_str_number(pr_str_slice(*text, 0, digits), INT64_MAX, &number))
		return false;
	int64_t factor = digits < text->len ? unit_factor(units, text->data[digits]) : bare_factor;
	if (factor == 0 || (int64_t)number > (INT64_MAX - *sum) / factor)
		return false;
	*sum += (int64_t)number * factor;
	*text = pr_str_slice(*text, digits + 1, text->len);
	return true;
}

bool pr_parse_time(struct pr_str text, char default_unit, int64_t *seconds_out)
{
	int64_t seconds = 0, bare_factor = unit_factor(time_units, default_unit);

	if (text.len == 0)
		return false;
	if (pr_str_equal_nocase(text, PR_STR("now"))) { /* Timeout.queuereturn=now */
		*seconds_out = 0;
		return true;
	}
	while (text.len > 0)
		if (!take_amount(&text, time_units, bare_factor, &seconds))
			return false;
	*seconds_out = seconds;
	return true;
}

bool pr_parse_size(struct pr_str text, int64_t *bytes_out)
{
	int64_t bytes = 0;

	if (!take_amount(&text, size_units, 1, &bytes) || text.len > 0)
		return false;
	*bytes_out = bytes;
	return true;
}
