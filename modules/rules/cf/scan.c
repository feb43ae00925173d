/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cutting an address into tokens.  One pass, one byte at a time: a token ends where the kind of byte changes, every operator is a token
 * of its own, a backslash glues the next byte to the atom.  What does not balance is balanced and told, because sendmail does so and mail
 * has depended on it for decades.
 */
#include "token.h"

#include <string.h>

enum { NO_BYTE = -1 };

struct scanner {
	struct cf_scan *scan;
	struct cf_tokens *out;
	char *buffer;      /* bytes of the tokens, one behind the other */
	uint32_t used;     /* bytes in all finished tokens and this one */
	uint32_t start;    /* of this token */
	uint32_t tokens;
	enum cf_byte state;
	size_t at;         /* next byte of the text */
	int angles;
	int comments;
	bool is_quoted_byte; /* the byte before was a backslash */
	bool is_route;       /* <@a,@b:c> : the comma does not end it */
};

void cf_alphabet_init(struct cf_alphabet *alphabet, struct pr_str operators, char blank)
{
	static const char always[] = "()<>,;", spaces[] = " \t\r\n\v\f";

	memset(alphabet->types, CF_BYTE_ATOM, sizeof alphabet->types);
	for (size_t i = 0; i < operators.len; i++)
		alphabet->types[(unsigned char)operators.data[i]] = CF_BYTE_OPERATOR;
	for (const char *c = always; *c != '\0'; c++)
		alphabet->types[(unsigned char)*c] = CF_BYTE_OPERATOR;
	for (const char *c = spaces; *c != '\0'; c++)
		alphabet->types[(unsigned char)*c] = CF_BYTE_SPACE;
	alphabet->types['"'] = CF_BYTE_QUOTE;
	alphabet->blank = blank;
}

static void tell(struct scanner *s, const char *problem)
{
	struct cf_scan *scan = s->scan;

	if (scan->problem_count < CF_PROBLEMS)
		scan->problems[scan->problem_count++] = problem;
}

static bool put(struct scanner *s, char c)
{
	if (s->used + 5 > CF_SCAN_MAX) {
		tell(s, CF_ADDRESS_TOO_LONG);
		return false;
	}
	s->buffer[s->used++] = c;
	return true;
}

static bool finish_token(struct scanner *s)
{
	uint32_t length = s->used - s->start;

	if (length == 0)
		return true;
	if (s->tokens >= CF_TOKENS_MAX || !cf_tokens_reserve(s->out, s->out->count + 1)) {
		tell(s, "553 5.1.0 prescan: too many tokens");
		return false;
	}
	if (length > CF_TOKEN_LENGTH_MAX) {
		tell(s, "553 5.1.0 prescan: token too long");
		return false;
	}
	s->buffer[s->used] = '\0';
	cf_tokens_add(s->out, cf_token_of(s->scan->alphabet, s->buffer + s->start, length));
	s->tokens++;
	s->used++;
	s->start = s->used;
	return true;
}

/* The end of the text: what is open is closed first.  NO_BYTE: it really ends. */
static int close_open(struct scanner *s)
{
	if (s->state == CF_BYTE_QUOTE && !(s->scan->flags & CF_SCAN_LOOSE)) {
		tell(s, "553 Unbalanced '\"'");
		return '"';
	}
	if (s->comments > 0) {
		tell(s, "553 Unbalanced '('");
		return ')';
	}
	if (s->angles > 0 && !(s->scan->flags & CF_SCAN_LOOSE)) {
		tell(s, "553 Unbalanced '<'");
		return '>';
	}
	return NO_BYTE;
}

/* Comments and brackets.  False: the byte is not part of any token. */
static bool count_brackets(struct scanner *s, int c)
{
	const struct cf_scan *scan = s->scan;
	bool has_comments = scan->flags & CF_SCAN_COMMENTS;

	if (c == '(' && has_comments) {
		s->comments++;
		return false;
	}
	if (c == ')' && has_comments) {
		if (s->comments > 0)
			s->comments--;
		else
			tell(s, "553 Unbalanced ')'");
		return false;
	}
	if (s->comments > 0)
		return false;
	if (c == '<') {
		size_t ahead = s->at;
		while (ahead < scan->text.len && scan->alphabet->types[(unsigned char)scan->text.data[ahead]] == CF_BYTE_SPACE)
			ahead++;
		s->angles++;
		if (ahead < scan->text.len && scan->text.data[ahead] == '@')
			s->is_route = true;
	} else if (c == '>') {
		s->is_route = false;
		if (s->angles > 0) {
			s->angles--;
		} else if (!(scan->flags & CF_SCAN_LOOSE)) {
			tell(s, "553 Unbalanced '>'");
			return false;
		}
	}
	return true;
}

static int next_byte(struct scanner *s, bool *is_end)
{
	const struct cf_scan *scan = s->scan;
	int c = s->at < scan->text.len ? (unsigned char)scan->text.data[s->at] : 0;

	*is_end = false;
	if (c == 0xff) /* no address holds it, as in sendmail, where it is a mark */
		c = 0x7f;
	if (c == 0) {
		c = close_open(s);
		*is_end = c == NO_BYTE;
		return c;
	}
	if (c == scan->delimiter && s->comments == 0 && s->state != CF_BYTE_QUOTE) {
		if (s->angles <= 0) {
			*is_end = true;
			return c;
		}
		if (c == ',' && !s->is_route && !(scan->flags & CF_SCAN_LOOSE)) {
			tell(s, "553 Unbalanced '<'");
			return '>';
		}
	}
	s->at++;
	return c;
}

/* Does this byte begin a new token?  Moves to the state after it. */
static bool breaks_before(struct scanner *s, enum cf_byte type, bool *is_dropped)
{
	enum cf_byte before = s->state;

	*is_dropped = false;
	if (before == CF_BYTE_QUOTE) {
		s->state = type == CF_BYTE_QUOTE ? CF_BYTE_OPERATOR : CF_BYTE_QUOTE;
		return false;
	}
	s->state = type;
	*is_dropped = type == CF_BYTE_SPACE;
	if (before == CF_BYTE_SPACE)
		return false;
	return before == CF_BYTE_OPERATOR || type != CF_BYTE_ATOM;
}

/* A comment is as good as a blank. */
static bool enter_comment(struct scanner *s)
{
	s->state = CF_BYTE_SPACE;
	return finish_token(s);
}

/* One byte.  False: it cannot go on. */
static bool take(struct scanner *s, int c)
{
	bool is_dropped;

	if (s->is_quoted_byte) {
		s->is_quoted_byte = false;
		if (s->comments > 0)
			return true;
		if (c != '!' || s->state == CF_BYTE_QUOTE)
			return put(s, '\\') && put(s, (char)c);
	}
	if (c == '\\')
		s->is_quoted_byte = true;
	else if (s->state != CF_BYTE_QUOTE && !count_brackets(s, c))
		return s->comments == 0 || enter_comment(s);
	if (s->comments > 0)
		return true;
	if (breaks_before(s, s->scan->alphabet->types[(unsigned char)c], &is_dropped) && !finish_token(s))
		return false;
	return is_dropped || c == '\\' || put(s, (char)c);
}

bool cf_scan(struct cf_scan *scan, struct cf_tokens *out)
{
	struct scanner s = { .scan = scan, .out = out, .state = CF_BYTE_ATOM };
	size_t room = scan->text.len < CF_SCAN_MAX / 4 ? scan->text.len * 4 + 8 : CF_SCAN_MAX + 8; /* each "<" may add ">" */
	bool is_end = false, good = true;

	scan->problem_count = 0;
	s.buffer = pr_arena_alloc(scan->arena, room);
	if (s.buffer == NULL) {
		tell(&s, "451 4.3.0 no memory for the address");
		return false;
	}
	while (good) {
		int c = next_byte(&s, &is_end);
		if (is_end)
			break;
		good = take(&s, c);
	}
	scan->end = s.at;
	return good && finish_token(&s);
}
