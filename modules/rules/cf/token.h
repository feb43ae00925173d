/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens: what the rewriting language works on.
 *
 * `joe.user@example.org` is seven tokens: joe . user @ example . org.  A token is an operator (one of OperatorChars or ()<>,;), a quoted
 * string with its quotes, or a run of other bytes; blanks separate and vanish.  In rules a token may also be an operator of the language
 * (its kind is then a cf_unit).  Text is borrowed: from the rules, which live as long as the engine, or from the arena of the call.
 *
 * Every token carries a hash of its lower-cased text, so most comparisons end with one word, and a set of tokens is summed up in
 * a mask of 64 bits: a rule whose literals are not in the mask of the address cannot match.
 */
#ifndef CF_TOKEN_H
#define CF_TOKEN_H

#include "code.h"

#include <postrider/arena.h>

enum { CF_ATOM = 0, CF_OPERATOR = 1, CF_QUOTED = 2 };

/* Sixteen bytes, because they are copied with every rule that is applied. */
struct cf_token {
	union {
		const char *text;
		uintptr_t link; /* an operator: $> and $(: number of the set or map whose name follows, plus one; a digit: its set */
	};
	uint32_t hash;
	uint16_t kind; /* CF_ATOM ... or enum cf_unit */
	union {
		uint16_t length;
		uint16_t number; /* an operator: of its macro or class, or the digit */
	};
};

#define CF_TOKENS_MAX 1000u /* of one address, as sendmail */
#define CF_TOKEN_LENGTH_MAX 256u
#define CF_SCAN_MAX 1256u   /* bytes of all tokens, each with one more */

struct cf_tokens {
	struct cf_token *at;
	uint32_t count;
	uint32_t room;
};

/* What each byte is, from OperatorChars. */
enum cf_byte { CF_BYTE_ATOM = 0, CF_BYTE_OPERATOR, CF_BYTE_SPACE, CF_BYTE_QUOTE };

struct cf_alphabet {
	uint8_t types[256];
	char blank; /* put between two adjacent atoms: BlankSub */
};

enum {
	CF_SCAN_COMMENTS = 1, /* (...) is left out, as in addresses; otherwise parentheses are operators */
	CF_SCAN_LOOSE = 2     /* angle brackets and quotes need not balance, as in rules */
};

#define CF_PROBLEMS 4u
#define CF_ADDRESS_TOO_LONG "553 5.1.1 Address too long"

struct cf_scan {
	const struct cf_alphabet *alphabet;
	struct pr_arena *arena;
	struct pr_str text;
	uint32_t flags;
	char delimiter;  /* ends the address outside quotes and brackets; '\0': the end of the text does */
	/* results */
	size_t end;      /* where it ended: the delimiter, or text.len */
	uint32_t problem_count;
	const char *problems[CF_PROBLEMS]; /* what was wrong, with its SMTP code: "553 Unbalanced '\"'" */
};

void cf_alphabet_init(struct cf_alphabet *alphabet, struct pr_str operators, char blank);
/* Appends the tokens.  False when it had to give up (too long, too many): problems tell.  Other problems are mended and told. */
bool cf_scan(struct cf_scan *scan, struct cf_tokens *out);

uint32_t cf_hash(const char *text, size_t length);
struct cf_token cf_token_of(const struct cf_alphabet *alphabet, const char *text, size_t length);

static inline uint64_t cf_mask(uint32_t hash)
{
	return (uint64_t)1 << (hash >> 26);
}

static inline bool cf_is_plain(const struct cf_token *token)
{
	return token->kind < CF_ANY;
}

bool cf_tokens_reserve(struct cf_tokens *tokens, uint32_t count); /* false: more than sendmail takes */
void cf_tokens_fini(struct cf_tokens *tokens);
bool cf_text_equal(const struct cf_token *a, const struct cf_token *b);

static inline bool cf_tokens_add(struct cf_tokens *tokens, struct cf_token token)
{
	if (tokens->count == tokens->room && !cf_tokens_reserve(tokens, tokens->count + 1))
		return false;
	tokens->at[tokens->count++] = token;
	return true;
}

/* Upper and lower case are the same.  The hash of a single byte tells it from all others. */
static inline bool cf_token_equal(const struct cf_token *a, const struct cf_token *b)
{
	return a->hash == b->hash && a->length == b->length && cf_is_plain(a) && cf_is_plain(b) && (a->length == 1 || cf_text_equal(a, b));
}

#endif
