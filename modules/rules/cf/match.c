/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The left side of a rule against an address.  Every operator takes the fewest tokens it may; when the rest does not fit, the latest one
 * that can take more does.  The operators' choices are a small stack, so nothing recurses and nothing is allocated.  In front of a literal
 * an operator jumps to where that literal is, and the last operator takes what is left, so most rules are settled in one pass.
 */
#include "cf.h"

#include <string.h>
#include <strings.h>

/* Rules like `$* a $* a $* a $* b` have more ways to fail than there is time.  But how a match goes on depends only on where its latest operand
 * ends; so once a match has backed up often, ends that led nowhere are remembered. */
#define PATIENCE 256u

struct dead_ends {
	uint64_t bits[CF_OPERANDS][CF_TOKENS_MAX / 64 + 1];
};

struct matcher {
	struct cf_run *run;
	const struct cf_rule *rule;
	const struct cf_token *tokens;
	uint32_t count;
	struct cf_match *operands;
	uint16_t patterns[CF_OPERANDS]; /* which element each operand belongs to */
	uint32_t used;
	uint32_t backed_up;       /* how often */
	struct dead_ends *dead;   /* only valid once patience has ended */
};

static bool is_dead(const struct matcher *m, uint32_t index, uint32_t end)
{
	return m->backed_up > PATIENCE && (m->dead->bits[index][end / 64] >> (end % 64) & 1);
}

static void mark_dead(struct matcher *m, uint32_t index, uint32_t end)
{
	if (++m->backed_up == PATIENCE)
		memset(m->dead, 0, sizeof *m->dead);
	if (m->backed_up > PATIENCE)
		m->dead->bits[index][end / 64] |= (uint64_t)1 << (end % 64);
}

/* `$&x`: its value, token by token.  Unset matches nothing and is no obstacle. */
static bool deferred_matches(struct matcher *m, uint16_t number, uint32_t *at)
{
	struct pr_str value = cf_macro_text(m->run, number);
	uint32_t here = *at;

	cf_trace_macro(m->run, "LHS", number, value);
	for (size_t done = 0; done < value.len; here++) {
		if (here >= m->count)
			return false;
		const struct cf_token *token = &m->tokens[here];
		if (!cf_is_plain(token) || token->length > value.len - done || strncasecmp(value.data + done, token->text, token->length) != 0)
			return false;
		done += token->length;
	}
	*at = here;
	return true;
}

static bool element_equal(const struct cf_token *element, const struct cf_token *token)
{
	return cf_is_plain(element) ? cf_token_equal(element, token) : element->kind == token->kind;
}

static const struct cf_phrases *phrases_of(struct matcher *m, uint16_t number)
{
	const struct cf *cf = m->run->cf;

	return number == cf->altnames_class && number != CF_NAME_NONE ? cf_altnames(m->run) : cf_class_find(cf, number);
}

/* The end of an operand of class `number` that begins at `first` and is at least `least` tokens long; 0: none. */
static uint32_t class_end(struct matcher *m, uint16_t number, uint32_t first, uint32_t least)
{
	const struct cf_phrases *phrases = phrases_of(m, number);
	bool is_hopeless = false;

	for (uint32_t length = least; first + length <= m->count && !is_hopeless; length++)
		if (cf_phrases_match(phrases, &m->run->cf->alphabet, m->tokens + first, length, &is_hopeless))
			return first + length;
	return 0;
}

/* Where a $* or $+ that may end at `end` or later really ends: at the literal behind it, or at the end of the address.
 * count + 1: nowhere. */
static uint32_t open_end(const struct matcher *m, uint32_t pattern, uint32_t end)
{
	const struct cf_rule *rule = m->rule;

	if (pattern + 1 >= rule->left_count)
		return m->count;
	const struct cf_token *next = &rule->left[pattern + 1];
	if (!cf_is_plain(next))
		return end;
	while (end < m->count && !cf_token_equal(next, &m->tokens[end]))
		end++;
	return end < m->count ? end : m->count + 1;
}

static bool take(struct matcher *m, uint32_t pattern, uint32_t first, uint32_t end, uint32_t *at)
{
	if (end > m->count)
		return false;
	m->patterns[m->used] = (uint16_t)pattern;
	m->operands[m->used++] = (struct cf_match){ (uint16_t)first, (uint16_t)end };
	*at = end;
	return true;
}

/* One element at *at.  False: it does not fit here. */
static bool step(struct matcher *m, uint32_t pattern, uint32_t *at)
{
	const struct cf_token *element = &m->rule->left[pattern];
	uint32_t end, here = *at;
	bool unused;

	switch (element->kind) {
	case CF_ANY:
		return take(m, pattern, here, open_end(m, pattern, here), at);
	case CF_SOME:
		return here < m->count && take(m, pattern, here, open_end(m, pattern, here + 1), at);
	case CF_ONE:
		return here < m->count && take(m, pattern, here, here + 1, at);
	case CF_CLASS:
		end = here < m->count ? class_end(m, element->number, here, 1) : 0;
		return end != 0 && take(m, pattern, here, end, at);
	case CF_NOT_CLASS:
		return here < m->count &&
		       !cf_phrases_match(phrases_of(m, element->number), &m->run->cf->alphabet, m->tokens + here, 1, &unused) &&
		       take(m, pattern, here, here + 1, at);
	case CF_HOST: /* $@: nothing at all */
		return true;
	case CF_DEFERRED:
		return deferred_matches(m, element->number, at);
	default:
		if (here >= m->count || !element_equal(element, &m->tokens[here]))
			return false;
		*at = here + 1;
		return true;
	}
}

/* The next end of an operand that led nowhere; 0, or beyond the address: there is none. */
static uint32_t next_end(struct matcher *m, uint32_t index)
{
	const struct cf_match *operand = &m->operands[index];
	const struct cf_token *element = &m->rule->left[m->patterns[index]];

	if ((element->kind == CF_ANY || element->kind == CF_SOME) && operand->end < m->count)
		return open_end(m, m->patterns[index], operand->end + 1u);
	if (element->kind == CF_CLASS)
		return class_end(m, element->number, operand->first, operand->end - operand->first + 1u);
	return 0;
}

/* The latest operand that can grow does.  False: none can. */
static bool back_up(struct matcher *m, uint32_t *pattern, uint32_t *at)
{
	while (m->used > 0) {
		uint32_t index = m->used - 1;
		struct cf_match *operand = &m->operands[index];
		mark_dead(m, index, operand->end);
		uint32_t end = next_end(m, index);
		if (end == 0 || end > m->count) {
			m->used--;
			continue;
		}
		operand->end = (uint16_t)end;
		if (is_dead(m, index, end))
			continue;
		*pattern = m->patterns[index] + 1u;
		*at = end;
		return true;
	}
	return false;
}

bool cf_rule_matches(struct cf_run *run, const struct cf_rule *rule, const struct cf_token *tokens, uint32_t count,
                     struct cf_match operands[CF_OPERANDS])
{
	struct dead_ends dead;
	struct matcher m = { .run = run, .rule = rule, .tokens = tokens, .count = count, .operands = operands, .dead = &dead };
	uint32_t pattern = 0, at = 0;

	for (;;) {
		if (pattern < rule->left_count && step(&m, pattern, &at)) {
			pattern++;
			continue;
		}
		if (pattern == rule->left_count && at == count)
			return true;
		if (!back_up(&m, &pattern, &at)) {
			run->work += m.backed_up;
			return false;
		}
	}
}
