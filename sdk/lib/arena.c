/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An arena is a list of blocks, the newest first; only the newest is filled.
 * Blocks double up to a limit so that a small call costs one malloc and a large
 * one few, and what a size from outside may take is bounded by the maximum.
 */
#include "ascii.h"
#include <postrider/arena.h>
#include <string.h>

#define ALIGNMENT 16
#define FIRST_BLOCK 2048
#define LARGEST_BLOCK 65536
#define LINE 256 /* most of what is printed is shorter, and need not be measured first */

struct pr_arena_block {
	struct pr_arena_block *older;
	size_t room;
	size_t used;
	size_t padding; /* keeps bytes[] at 16 */
	unsigned char bytes[];
};

_Static_assert(sizeof(struct pr_arena_block) % ALIGNMENT == 0, "blocks must keep the alignment");

void pr_arena_init(struct pr_arena *arena, size_t max)
{
	*arena = (struct pr_arena){.max = max};
}

static void free_blocks(struct pr_arena_block *block)
{
	while (block != NULL) {
		struct pr_arena_block *older = block->older;
		pr_free(block);
		block = older;
	}
}

void pr_arena_fini(struct pr_arena *arena)
{
	free_blocks(arena->blocks);
	arena->blocks = NULL;
	arena->used = 0;
}

void pr_arena_reset(struct pr_arena *arena)
{
	struct pr_arena_block *kept = arena->blocks;

	/* one giant message must not pin its memory for the life of a thread */
	if (kept != NULL && kept->room <= LARGEST_BLOCK) {
		free_blocks(kept->older);
		kept->older = NULL;
		kept->used = 0;
	} else {
		free_blocks(kept);
		arena->blocks = NULL;
	}
	arena->used = 0;
}

static struct pr_arena_block *add_block(struct pr_arena *arena, size_t size)
{
	size_t room = arena->blocks != NULL ? arena->blocks->room * 2 : FIRST_BLOCK;

	if (room > LARGEST_BLOCK)
		room = LARGEST_BLOCK;
	if (room < size)
		room = size;
	struct pr_arena_block *block = pr_resize(NULL, sizeof *block + room);
	*block = (struct pr_arena_block){.older = arena->blocks, .room = room};
	arena->blocks = block;
	return block;
}

/* Bytes that the caller fills. */
static void *take(struct pr_arena *arena, size_t size)
{
	if (size > arena->max || size > SIZE_MAX / 2)
		return NULL;
	size = (size + (size == 0) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (arena->used > arena->max || size > arena->max - arena->used)
		return NULL;
	struct pr_arena_block *block = arena->blocks;
	if (block == NULL || block->room - block->used < size)
		block = add_block(arena, size);
	void *memory = block->bytes + block->used;
	block->used += size;
	arena->used += size;
	return memory;
}

void *pr_arena_alloc(struct pr_arena *arena, size_t size)
{
	void *memory = take(arena, size);

	if (memory != NULL)
		memset(memory, 0, size);
	return memory;
}

struct pr_str pr_arena_copy(struct pr_arena *arena, struct pr_str str)
{
	if (str.data == NULL || str.len == SIZE_MAX)
		return PR_NONE;
	char *copy = take(arena, str.len + 1);
	if (copy == NULL)
		return PR_NONE;
	memcpy(copy, str.data, str.len);
	copy[str.len] = '\0';
	return (struct pr_str){copy, str.len};
}

struct pr_str pr_arena_lower(struct pr_arena *arena, struct pr_str str)
{
	if (str.data == NULL || str.len == SIZE_MAX)
		return PR_NONE;
	char *copy = take(arena, str.len + 1);
	if (copy == NULL)
		return PR_NONE;
	for (size_t i = 0; i < str.len; i++)
		copy[i] = ascii_lower(str.data[i]);
	copy[str.len] = '\0';
	return (struct pr_str){copy, str.len};
}

struct pr_str pr_arena_printf(struct pr_arena *arena, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	struct pr_str str = pr_arena_vprintf(arena, format, args);
	va_end(args);
	return str;
}

struct pr_str pr_arena_vprintf(struct pr_arena *arena, const char *format, va_list args)
{
	char line[LINE];
	va_list again;
	struct pr_str str = PR_NONE;

	va_copy(again, args);
	int need = pr_format(line, sizeof line, format, args);
	char *copy = need >= 0 ? take(arena, (size_t)need + 1) : NULL;
	if (copy != NULL && (size_t)need < sizeof line)
		memcpy(copy, line, (size_t)need + 1);
	else if (copy != NULL)
		pr_format(copy, (size_t)need + 1, format, again);
	if (copy != NULL)
		str = (struct pr_str){copy, (size_t)need};
	va_end(again);
	return str;
}
