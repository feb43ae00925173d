/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hashing, comparing and gathering tokens.
 */
#include "token.h"

#include <strings.h>

uint32_t cf_hash(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++) {
		uint32_t c = (unsigned char)text[i];
		if (c - 'A' < 26u)
			c |= 0x20;
		hash = (hash ^ c) * 16777619u;
	}
	hash ^= hash >> 15;
	return hash * 0x9e3779b1u;
}

struct cf_token cf_token_of(const struct cf_alphabet *alphabet, const char *text, size_t length)
{
	static const uint16_t kinds[] = { CF_ATOM, CF_OPERATOR, CF_ATOM, CF_QUOTED };

	return (struct cf_token){ .text = text, .length = (uint16_t)length, .hash = cf_hash(text, length),
		.kind = length == 0 ? CF_ATOM : kinds[alphabet->types[(unsigned char)text[0]]] };
}

bool cf_text_equal(const struct cf_token *a, const struct cf_token *b)
{
	return a->text == b->text || strncasecmp(a->text, b->text, a->length) == 0;
}

bool cf_tokens_reserve(struct cf_tokens *tokens, uint32_t count)
{
	if (count > CF_TOKENS_MAX)
		return false;
	if (count > tokens->room) {
		uint32_t room = tokens->room == 0 ? 64 : tokens->room;
		while (room < count)
			room *= 2;
		room = room < CF_TOKENS_MAX ? room : CF_TOKENS_MAX;
		tokens->at = pr_resize(tokens->at, room * sizeof *tokens->at);
		tokens->room = room;
	}
	return true;
}

void cf_tokens_fini(struct cf_tokens *tokens)
{
	pr_free(tokens->at);
	*tokens = (struct cf_tokens){0};
}
