/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines in which senders take turns: who has a hundred thousand messages there delays nobody who has one.
 * Each sender in a line has a turn; all turns of all lines are in one hash, and those no longer needed are kept for the
 * next, so a message that passes through allocates nothing.
 */
#include "kernel/plan/internal.h"

static size_t bucket_of(const struct plan_turns *turns, const struct plan_line *line, uint32_t source)
{
	uint64_t mixed = ((uint64_t)(uintptr_t)line ^ ((uint64_t)source << 20)) * 0x9e3779b97f4a7c15u;

	return (size_t)(mixed >> 32) & (turns->bucket_count - 1);
}

static void link_turn(struct plan_turns *turns, struct plan_turn *turn)
{
	size_t bucket = bucket_of(turns, turn->line, turn->source);

	turn->hash_next = turns->buckets[bucket];
	turns->buckets[bucket] = turn;
}

static void grow(struct plan_turns *turns)
{
	size_t old_count = turns->bucket_count;
	struct plan_turn **old = turns->buckets;

	turns->bucket_count = old_count == 0 ? 64 : 2 * old_count;
	turns->buckets = pr_alloc(turns->bucket_count * sizeof *turns->buckets);
	for (size_t i = 0; i < old_count; i++) {
		for (struct plan_turn *turn = old[i], *next; turn != NULL; turn = next) {
			next = turn->hash_next;
			link_turn(turns, turn);
		}
	}
	pr_free(old);
}

static struct plan_turn *find(const struct plan_turns *turns, const struct plan_line *line, uint32_t source)
{
	if (turns->bucket_count == 0)
		return NULL;
	struct plan_turn *turn = turns->buckets[bucket_of(turns, line, source)];
	while (turn != NULL && (turn->line != line || turn->source != source))
		turn = turn->hash_next;
	return turn;
}

static void append(struct plan_line *line, struct plan_turn *turn)
{
	turn->next = NULL;
	if (line->last != NULL)
		line->last->next = turn;
	else
		line->first = turn;
	line->last = turn;
}

static struct plan_turn *turn_new(struct plan_turns *turns, struct plan_line *line, uint32_t source)
{
	struct plan_turn *turn = turns->unused;

	if (turns->count >= turns->bucket_count)
		grow(turns);
	if (turn != NULL)
		turns->unused = turn->next;
	else
		turn = pr_alloc(sizeof *turn);
	*turn = (struct plan_turn){.line = line, .source = source};
	link_turn(turns, turn);
	turns->count++;
	append(line, turn);
	return turn;
}

static void turn_end(struct plan_turns *turns, struct plan_turn *turn)
{
	struct plan_turn **link = &turns->buckets[bucket_of(turns, turn->line, turn->source)];

	while (*link != turn)
		link = &(*link)->hash_next;
	*link = turn->hash_next;
	turns->count--;
	turn->next = turns->unused;
	turns->unused = turn;
}

void plan_line_push(struct plan *plan, struct plan_line *line, struct plan_entry *entry)
{
	struct plan_turn *turn = find(&plan->turns, line, entry->source);

	if (turn == NULL)
		turn = turn_new(&plan->turns, line, entry->source);
	entry->next = NULL;
	if (turn->last != NULL)
		turn->last->next = entry;
	else
		turn->first = entry;
	turn->last = entry;
	line->count++;
}

struct plan_entry *plan_line_pop(struct plan *plan, struct plan_line *line)
{
	struct plan_turn *turn = line->first;

	if (turn == NULL)
		return NULL;
	line->first = turn->next;
	if (line->first == NULL)
		line->last = NULL;
	line->count--;
	struct plan_entry *entry = turn->first;
	turn->first = entry->next;
	entry->next = NULL;
	if (turn->first == NULL)
		turn_end(&plan->turns, turn);
	else
		append(line, turn);
	return entry;
}

void plan_turns_free(struct plan *plan)
{
	struct plan_turns *turns = &plan->turns;

	for (size_t i = 0; i < turns->bucket_count; i++) {
		while (turns->buckets[i] != NULL) {
			struct plan_turn *turn = turns->buckets[i];
			turns->buckets[i] = turn->hash_next;
			pr_free(turn);
		}
	}
	while (turns->unused != NULL) {
		struct plan_turn *turn = turns->unused;
		turns->unused = turn->next;
		pr_free(turn);
	}
	pr_free(turns->buckets);
}
