/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two forms of a row of tokens: for mail, and for people.
 */
#include "join.h"

#include <postrider/mapflags.h>

#include <string.h>

static bool is_apart(const struct cf_token *tokens, uint32_t i)
{
	return i > 0 && tokens[i].kind == CF_ATOM && tokens[i - 1].kind == CF_ATOM;
}

static struct pr_str text_of(const struct cf_token *token)
{
	return cf_is_plain(token) ? (struct pr_str){ token->text, token->length } : pr_str(cf_unit_text(token->kind));
}

bool cf_join(const struct cf_alphabet *alphabet, const struct cf_token *tokens, uint32_t count, char blank, struct pr_text *out)
{
	bool good = true;

	for (uint32_t i = 0; i < count; i++) {
		if (is_apart(tokens, i))
			good = pr_text_add_byte(out, blank == '\0' ? alphabet->blank : blank) && good;
		good = pr_text_add_str(out, text_of(&tokens[i])) && good;
	}
	return good;
}

struct pr_str cf_join_arena(const struct cf_alphabet *alphabet, const struct cf_token *tokens, uint32_t count, char blank,
                            struct pr_arena *arena)
{
	size_t length = 0;

	if (count == 1 && cf_is_plain(tokens))
		return (struct pr_str){ tokens->text, tokens->length };
	for (uint32_t i = 0; i < count; i++)
		length += text_of(&tokens[i]).len + is_apart(tokens, i);
	char *text = pr_arena_alloc(arena, length + 1);
	if (text == NULL)
		return PR_NONE;
	length = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct pr_str piece = text_of(&tokens[i]);
		if (is_apart(tokens, i))
			text[length++] = blank == '\0' ? alphabet->blank : blank;
		memcpy(text + length, piece.data, piece.len);
		length += piece.len;
	}
	return (struct pr_str){ text, length };
}

/* A byte as sendmail's traces show it. */
static bool show_byte(unsigned char c, struct pr_text *out)
{
	static const char letters[] = "\n\r\t", names[] = "nrt";

	if (c >= 0x20 && c < 0x7f)
		return pr_text_add_byte(out, (char)c);
	if (c == (unsigned char)PR_MAP_SEPARATOR[0])
		return pr_text_add_c(out, "$|");
	if (c >= 0x80)
		return pr_text_add_c(out, "M-") && show_byte(c & 0x7f, out);
	const char *found = c == 0 ? NULL : strchr(letters, c);
	return found == NULL || pr_text_addf(out, "\\%c", names[found - letters]); /* other controls cannot be seen */
}

static bool show_plain(const struct cf_token *token, struct pr_text *out)
{
	uint32_t clean = 0;

	while (clean < token->length && (unsigned char)token->text[clean] - 0x20u < 0x5fu)
		clean++;
	bool good = pr_text_add(out, token->text, clean);
	for (uint32_t i = clean; i < token->length; i++)
		good = show_byte((unsigned char)token->text[i], out) && good;
	return good;
}

static bool show_operator(const struct cf_names *names, const struct cf_token *token, struct pr_text *out)
{
	bool good = pr_text_add_c(out, cf_unit_text(token->kind));

	if (token->kind == CF_DIGIT)
		return pr_text_add_byte(out, (char)token->number) && good;
	return (!cf_unit_has_number(token->kind) || token->number == 0 || cf_names_print(names, token->number, out)) && good;
}

/* Traces are long and most of them are clean short tokens: those are gathered and added together. */
struct gathered {
	char bytes[512];
	size_t length;
	struct pr_text *out;
	bool good;
};

static void pass_on(struct gathered *g)
{
	g->good = pr_text_add(g->out, g->bytes, g->length) && g->good;
	g->length = 0;
}

/* Copies the token; false, and nothing copied, when a byte of it needs another form. */
static bool gather(struct gathered *g, const struct cf_token *token)
{
	char *to = g->bytes + g->length;
	bool is_clean = true;

	for (uint32_t i = 0; i < token->length; i++) {
		to[i] = token->text[i];
		is_clean = is_clean && (unsigned char)token->text[i] - 0x20u < 0x5fu;
	}
	g->length += is_clean ? token->length : 0;
	return is_clean;
}

bool cf_show(const struct cf_names *names, const struct cf_token *tokens, uint32_t count, struct pr_text *out)
{
	struct gathered g; /* not zeroed: this is done for every line of a trace */

	g.out = out;
	g.good = true;
	g.length = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct cf_token *token = &tokens[i];
		if (g.length + token->length + 1 > sizeof g.bytes)
			pass_on(&g);
		if (i > 0)
			g.bytes[g.length++] = ' ';
		if (cf_is_plain(token) && token->length < sizeof g.bytes - 1 && gather(&g, token))
			continue;
		pass_on(&g);
		g.good = (cf_is_plain(token) ? show_plain(token, out) : show_operator(names, token, out)) && g.good;
	}
	pass_on(&g);
	return g.good;
}
