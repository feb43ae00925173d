/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything that can be asked for is folded into 63 bits, so that a heap of a million entries compares numbers.
 * Sorting by host needs only that equal hosts meet: a hash of the host in the upper bits, the priority below.
 */
#include "kernel/plan/order.h"

#define PRIORITY_BITS 39

bool plan_sort_parse(struct pr_str text, enum plan_sort *sort_out)
{
	static const struct {
		char letter;
		enum plan_sort sort;
	} letters[] = {{'p', PLAN_BY_PRIORITY}, {'h', PLAN_BY_HOST}, {'s', PLAN_BY_HOST}, {'f', PLAN_BY_FILENAME}, {'t', PLAN_BY_TIME},
	               {'m', PLAN_BY_MODIFICATION}, {'r', PLAN_BY_CHANCE}, {'n', PLAN_UNSORTED}};

	for (size_t i = 0; text.len > 0 && i < sizeof letters / sizeof letters[0]; i++) {
		if ((text.data[0] | 0x20) != letters[i].letter)
			continue;
		*sort_out = letters[i].sort;
		return true;
	}
	return false;
}

static int64_t by_host(const struct plan_facts *facts)
{
	const int64_t half = (int64_t)1 << (PRIORITY_BITS - 1);
	size_t at = facts->recipient.len;
	int64_t priority = facts->priority;

	while (at > 0 && facts->recipient.data[at - 1] != '@')
		at--;
	uint64_t hash = pr_str_hash_nocase(pr_str_slice(facts->recipient, at, facts->recipient.len));
	hash = (hash ^ (hash >> 24) ^ (hash >> 48)) & 0xffffff;
	priority = priority < -half ? -half : priority >= half ? half - 1 : priority;
	return ((int64_t)hash << PRIORITY_BITS) + priority + half;
}

static int64_t by_name(struct pr_str id)
{
	uint64_t key = 0;

	for (size_t i = 0; i < 8; i++)
		key = key << 8 | (i < id.len ? (unsigned char)id.data[i] : 0u);
	return (int64_t)(key >> 1);
}

static int64_t by_chance(const struct plan_facts *facts)
{
	uint64_t mixed = (pr_str_hash_nocase(facts->id) ^ (uint64_t)facts->seed) * 0x9e3779b97f4a7c15u;

	return (int64_t)(mixed >> 1);
}

int64_t plan_sort_key(enum plan_sort sort, const struct plan_facts *facts)
{
	switch (sort) {
	case PLAN_BY_PRIORITY:
		return facts->priority;
	case PLAN_BY_HOST:
		return by_host(facts);
	case PLAN_BY_FILENAME:
		return by_name(facts->id);
	case PLAN_BY_TIME:
		return facts->created;
	case PLAN_BY_MODIFICATION:
		return facts->last_try;
	case PLAN_BY_CHANCE:
		return by_chance(facts);
	case PLAN_UNSORTED:
		break;
	}
	return 0;
}
