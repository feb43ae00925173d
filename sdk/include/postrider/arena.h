/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An arena: memory that is given back all at once.
 *
 * Every call into a module comes with an arena; what a module returns in its
 * outputs lives there (or in its own instance), and nobody frees single
 * pieces.  The arena has a maximum; pr_arena_alloc returns NULL beyond it, and
 * pr_arena_copy/printf then return PR_NONE.
 */
#ifndef POSTRIDER_ARENA_H
#define POSTRIDER_ARENA_H

#include "text.h"

struct pr_arena_block;

struct pr_arena {
	struct pr_arena_block *blocks;
	size_t used;
	size_t max;
};

void pr_arena_init(struct pr_arena *arena, size_t max);
void pr_arena_fini(struct pr_arena *arena);
void pr_arena_reset(struct pr_arena *arena); /* keeps one block for the next use */
void *pr_arena_alloc(struct pr_arena *arena, size_t size); /* zeroed, 16-byte aligned */
struct pr_str pr_arena_copy(struct pr_arena *arena, struct pr_str str); /* NUL-terminated; absent stays absent */
struct pr_str pr_arena_lower(struct pr_arena *arena, struct pr_str str); /* copy, ASCII lower-cased */
struct pr_str pr_arena_printf(struct pr_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct pr_str pr_arena_vprintf(struct pr_arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#endif
