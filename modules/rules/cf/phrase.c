/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a run is never built when it cannot be a member; when it can, it is joined on the stack.
 */
#include "phrase.h"

#include <string.h>
#include <strings.h>

void cf_phrases_fini(struct cf_phrases *phrases)
{
	for (size_t i = 0; phrases->spelling == NULL && i < phrases->count; i++)
		pr_free((char *)(uintptr_t)phrases->items[i].data);
	pr_free(phrases->items);
	pr_free(phrases->hashes);
	pr_free(phrases->slots);
	*phrases = (struct cf_phrases){0};
}

static uint32_t *slot_of(const struct cf_phrases *phrases, struct pr_str text, uint32_t hash)
{
	size_t mask = phrases->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &phrases->slots[i];
		if (*slot == 0)
			return slot;
		struct pr_str there = phrases->items[*slot - 1];
		if (phrases->hashes[*slot - 1] == hash && there.len == text.len && strncasecmp(there.data, text.data, text.len) == 0)
			return slot;
	}
}

static void grow(struct cf_phrases *phrases)
{
	phrases->room = phrases->room == 0 ? 8 : phrases->room * 2;
	phrases->items = pr_resize(phrases->items, phrases->room * sizeof *phrases->items);
	phrases->hashes = pr_resize(phrases->hashes, phrases->room * sizeof *phrases->hashes);
	phrases->slot_count = phrases->room * 2;
	pr_free(phrases->slots);
	phrases->slots = pr_alloc(phrases->slot_count * sizeof *phrases->slots);
	for (size_t i = 0; i < phrases->count; i++)
		*slot_of(phrases, phrases->items[i], phrases->hashes[i]) = (uint32_t)i + 1;
}

static unsigned lower(char c)
{
	unsigned byte = (unsigned char)c;

	return byte - 'A' < 26u ? byte | 0x20 : byte;
}

/* The first spelling of these words in any class. */
static struct pr_str spelled(struct cf_phrases *phrases, struct pr_str text, uint32_t hash)
{
	struct cf_phrases *spelling = phrases->spelling;

	if (spelling == NULL)
		return (struct pr_str){ pr_copy_str(text), text.len };
	cf_phrases_add(spelling, text);
	return spelling->items[*slot_of(spelling, text, hash) - 1];
}

void cf_phrases_add(struct cf_phrases *phrases, struct pr_str text)
{
	uint32_t hash = cf_hash(text.data, text.len);

	if (text.len == 0 || cf_phrases_has(phrases, text))
		return;
	if (phrases->count == phrases->room)
		grow(phrases);
	*slot_of(phrases, text, hash) = (uint32_t)phrases->count + 1;
	phrases->items[phrases->count] = spelled(phrases, text, hash);
	phrases->hashes[phrases->count++] = hash;
	if (text.len > phrases->longest)
		phrases->longest = (uint32_t)text.len;
	unsigned first = lower(text.data[0]);
	phrases->first[first >> 6] |= (uint64_t)1 << (first & 63);
}

bool cf_phrases_has(const struct cf_phrases *phrases, struct pr_str text)
{
	return phrases->slot_count != 0 && text.len > 0 && *slot_of(phrases, text, cf_hash(text.data, text.len)) != 0;
}

static bool has_hashed(const struct cf_phrases *phrases, struct pr_str text, uint32_t hash)
{
	return *slot_of(phrases, text, hash) != 0;
}

bool cf_phrases_match(const struct cf_phrases *phrases, const struct cf_alphabet *alphabet, const struct cf_token *tokens, uint32_t count,
                      bool *is_hopeless_out)
{
	char joined[2 * CF_SCAN_MAX];
	uint32_t length = 0;

	*is_hopeless_out = true;
	if (phrases->count == 0 || count == 0 || !cf_is_plain(&tokens[0]))
		return false;
	unsigned first = lower(tokens[0].text[0]);
	if (!(phrases->first[first >> 6] >> (first & 63) & 1))
		return false;
	if (count == 1) {
		*is_hopeless_out = tokens[0].length >= phrases->longest;
		return tokens[0].length <= phrases->longest &&
		       has_hashed(phrases, (struct pr_str){ tokens[0].text, tokens[0].length }, tokens[0].hash);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!cf_is_plain(&tokens[i]))
			return false;
		bool is_apart = i > 0 && tokens[i].kind == CF_ATOM && tokens[i - 1].kind == CF_ATOM;
		if (length + tokens[i].length + is_apart > phrases->longest || length + tokens[i].length + is_apart >= sizeof joined)
			return false;
		if (is_apart)
			joined[length++] = alphabet->blank;
		memcpy(joined + length, tokens[i].text, tokens[i].length);
		length += tokens[i].length;
	}
	*is_hopeless_out = length >= phrases->longest;
	return cf_phrases_has(phrases, (struct pr_str){ joined, length });
}
