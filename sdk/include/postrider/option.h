/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options are a table, not code.
 *
 *   static const struct pr_option options[] = {
 *       PR_OPTION(struct text_map, path, "file", PR_OPTION_PATH, PR_OPTION_REQUIRED, NULL, "the file to read"),
 *       PR_OPTION_END
 *   };
 *
 * The kernel parses each value of the configuration, fills the field at
 * `offset` of the zeroed instance before check() and open() run, and refuses
 * an unknown key with file, line and the nearest known name.  A module never
 * sees the configuration file.
 *
 *   type               field            accepted text
 *   PR_OPTION_BOOL     uint32_t (0, 1)  true false yes no on off 1 0
 *   PR_OPTION_INT      int64_t          decimal, may be negative
 *   PR_OPTION_TIME     int64_t seconds  1w2d3h4m5s in any mix; a bare number is seconds
 *   PR_OPTION_SIZE     int64_t bytes    number with optional K, M or G (powers of 1024)
 *   PR_OPTION_STRING   struct pr_str    anything
 *   PR_OPTION_PATH     struct pr_str    absolute path
 *   PR_OPTION_LIST     struct pr_list   a libconfig list, or text separated by commas
 *   PR_OPTION_MODE     uint32_t         octal file mode
 */
#ifndef POSTRIDER_OPTION_H
#define POSTRIDER_OPTION_H

#include "arena.h"
#include "status.h"

enum pr_option_type {
	PR_OPTION_BOOL = 1,
	PR_OPTION_INT = 2,
	PR_OPTION_TIME = 3,
	PR_OPTION_SIZE = 4,
	PR_OPTION_STRING = 5,
	PR_OPTION_PATH = 6,
	PR_OPTION_LIST = 7,
	PR_OPTION_MODE = 8
};

#define PR_OPTION_REQUIRED 1u  /* check fails when the configuration does not give it */
#define PR_OPTION_NO_EFFECT 2u /* accepted so that old configurations run; help says why it changes nothing here */

struct pr_option {
	const char *name;
	uint32_t type;  /* enum pr_option_type */
	uint32_t flags; /* PR_OPTION_REQUIRED */
	size_t offset;
	const char *default_text; /* parsed as if written in the file; NULL: zero or absent */
	const char *help;         /* one line for manuals and `postriderctl check` */
};

#define PR_OPTION(type_, field_, name_, kind_, flags_, default_, help_) \
	{ (name_), (kind_), (flags_), offsetof(type_, field_), (default_), (help_) }
#define PR_OPTION_END { NULL, 0, 0, 0, NULL, NULL }

/* Parses `text` as the option's type into the field of `record`; strings are copied to the
 * arena.  PR_MISUSE with a sentence in *why_out ("12x is not a number of seconds ...") otherwise. */
enum pr_status pr_option_parse(const struct pr_option *option, struct pr_str text, void *record,
                               struct pr_arena *arena, struct pr_str *why_out);
/* Sets a PR_OPTION_LIST field from items (copied). */
enum pr_status pr_option_set_list(const struct pr_option *option, const struct pr_str *items, size_t count,
                                  void *record, struct pr_arena *arena, struct pr_str *why_out);
/* Fills every default. */
enum pr_status pr_option_defaults(const struct pr_option *table, void *record, struct pr_arena *arena,
                                  struct pr_str *why_out);
const struct pr_option *pr_option_find(const struct pr_option *table, struct pr_str name); /* case-insensitive; NULL */
/* The known name nearest to `name` (edit distance at most 3), or NULL: "did you mean ...?" */
const char *pr_option_nearest(const struct pr_option *table, struct pr_str name);
/* The value as text, for `check` and `status`. */
bool pr_option_print(const struct pr_option *option, const void *record, struct pr_text *out);

bool pr_parse_time(struct pr_str text, char default_unit, int64_t *seconds_out); /* units s m h d w */
bool pr_parse_size(struct pr_str text, int64_t *bytes_out);

#endif
