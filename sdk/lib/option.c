/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables as a whole: their defaults, and finding a row by name.
 * Names are compared without regard to case, and a wrong one is answered with the
 * nearest known one, because nobody reads a list of forty names at night.
 */
#include "ascii.h"
#include <postrider/option.h>
#include <string.h>

#define NAME_MAX_LENGTH 64
#define NEAREST_MOST 3

enum pr_status pr_option_defaults(const struct pr_option *table, void *record, struct pr_arena *arena,
                                  struct pr_str *why_out)
{
	struct pr_str why = PR_NONE;

	for (; table != NULL && table->name != NULL; table++) {
		if (table->default_text == NULL)
			continue;
		if (pr_option_parse(table, pr_str(table->default_text), record, arena, &why) == PR_OK)
			continue;
		struct pr_str named = pr_arena_printf(arena, "default of option %s: %s", table->name, why.data);
		*why_out = named.data != NULL ? named : why;
		return PR_MISUSE;
	}
	return PR_OK;
}

const struct pr_option *pr_option_find(const struct pr_option *table, struct pr_str name)
{
	for (; table != NULL && table->name != NULL; table++)
		if (pr_str_equal_nocase(pr_str(table->name), name))
			return table;
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Levenshtein's distance, one row at a time; SIZE_MAX for names too long to be typed. */
static size_t distance(struct pr_str a, struct pr_str b)
{
	size_t row[NAME_MAX_LENGTH + 1];

	if (a.len > NAME_MAX_LENGTH || b.len > NAME_MAX_LENGTH)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t above = row[j];
			size_t differs = ascii_lower(a.data[i - 1]) != ascii_lower(b.data[j - 1]);
			row[j] = least(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[b.len];
}

const char *pr_option_nearest(const struct pr_option *table, struct pr_str name)
{
	const char *nearest = NULL;
	size_t best = NEAREST_MOST + 1;

	for (; table != NULL && table->name != NULL; table++) {
		size_t away = distance(pr_str(table->name), name);
		/* when more than half of the letters changed, it is no resemblance */
		if (away < best && away * 2 <= strlen(table->name)) {
			best = away;
			nearest = table->name;
		}
	}
	return nearest;
}
