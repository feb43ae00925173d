/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frame around an address: `Joe (home) <joe@x>` is the frame `Joe (home) <$g>` around joe@x.  Header addresses are rewritten inside
 * their frame.  What is address and what is frame is only known at the end: an angle bracket turns all that came before it into frame
 * (quoted, should it hold what a phrase may not), as does the colon of a group.
 */
#include "crack.h"

#include <string.h>

struct cracker {
	struct pr_str text;
	size_t at;
	struct pr_text *out;
	size_t head;        /* where in out the present part begins: 0, or behind "group:" */
	size_t head_source; /* the same in text */
	const char *must_quote;
	bool groups;        /* "name: a, b;" is one */
	int kept;           /* inside a comment, or behind '>': bytes belong to the frame */
	int comments, brackets;
	bool in_angle, had_angle, had_colon;
	bool in_quotes;
	bool is_hopeless;   /* quotes behind the angle brackets: nothing of the frame is left then */
	bool has_address;   /* $g is there */
	bool needs_quotes;  /* the phrase, should it turn out to be one */
	bool is_too_long;
};

#define FRAME_MAX 255u /* with the place of the address, which counts as two bytes */

static size_t length_of(const struct cracker *c)
{
	return c->out->len + c->has_address;
}

static void keep(struct cracker *c, char byte)
{
	size_t reserved = c->comments > 0 && byte != ')' ? (size_t)c->comments + 1 : 0; /* to close them */

	c->is_too_long = c->is_too_long || length_of(c) + reserved >= FRAME_MAX;
	pr_text_add_byte(c->out, byte);
}

static void place_address(struct cracker *c)
{
	if (c->kept > 0 || c->has_address)
		return;
	if (c->out->len > c->head && c->out->data[c->out->len - 1] == ')')
		keep(c, ' ');
	pr_text_add(c->out, CF_FRAME_MARK, 1);
	c->has_address = true;
}

static void take_back(struct cracker *c)
{
	if (c->kept > 0 && c->out->len > c->head)
		pr_text_cut(c->out, c->out->len - 1);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* All up to here, with `last` (the '<' or ':' at at - 1), was frame. */
static void turn_into_frame(struct cracker *c)
{
	size_t last = c->at - 1, end = last;

	pr_text_cut(c->out, c->head);
	if (c->needs_quotes) {
		while (end > c->head_source && is_blank(c->text.data[end - 1]))
			end--;
		keep(c, '"');
	}
	for (size_t i = c->head_source; i < (c->needs_quotes ? end : last + 1); i++) {
		if (c->needs_quotes && c->text.data[i] == '"')
			keep(c, '\\');
		keep(c, c->text.data[i]);
	}
	if (c->needs_quotes) {
		keep(c, '"');
		pr_text_add(c->out, c->text.data + end, last + 1 - end);
	}
	c->kept = 0;
	c->has_address = c->needs_quotes = false;
}

static void open_angle(struct cracker *c)
{
	if (c->had_angle) /* the first one was part of the phrase, then */
		c->needs_quotes = true;
	c->had_angle = c->in_angle = true;
	turn_into_frame(c);
}

static void close_angle(struct cracker *c)
{
	if (!c->in_angle) {
		take_back(c);
		c->needs_quotes = true;
		return;
	}
	c->in_angle = false;
	if (c->kept++ <= 0)
		keep(c, '>');
}

/* "host::user" and "DEC:.site" are addresses; any other colon ends the name of a group. */
static void colon(struct cracker *c)
{
	char next = c->at < c->text.len ? c->text.data[c->at] : '\0';

	if (next == ':' || next == '.') {
		c->needs_quotes = true;
		if (c->kept > 0)
			keep(c, next);
		c->at++;
		place_address(c);
		return;
	}
	c->had_colon = true;
	turn_into_frame(c);
	while (c->at < c->text.len && is_blank(c->text.data[c->at]))
		keep(c, c->text.data[c->at++]);
	c->head = c->out->len;
	c->head_source = c->at;
}

static void backslash(struct cracker *c)
{
	if (c->comments <= 0 && !c->in_quotes)
		c->needs_quotes = true;
	if (c->at < c->text.len) {
		if (c->kept > 0)
			keep(c, c->text.data[c->at]);
		c->at++;
	}
	place_address(c);
}

static void open_comment(struct cracker *c)
{
	c->comments++;
	if (c->kept++ <= 0) {
		if (c->out->len > c->head)
			keep(c, ' ');
		keep(c, '(');
	}
}

static void in_comment(struct cracker *c, char byte)
{
	if (byte != ')')
		return;
	c->comments--;
	c->kept--;
}

/* One byte outside quotes and comments. */
static void take_plain(struct cracker *c, char byte)
{
	if (byte == ')') { /* one too many */
		take_back(c);
		c->needs_quotes = true;
		place_address(c);
		return;
	}
	c->brackets += (byte == '[') - (byte == ']');
	if (byte == ':' && !c->in_angle && c->brackets <= 0 && !c->had_colon && c->groups) {
		colon(c);
		return;
	}
	if (byte == ';' && c->kept <= 0 && c->groups)
		keep(c, byte);
	if (strchr(c->must_quote, byte) != NULL)
		c->needs_quotes = true;
	if (byte == '<')
		open_angle(c);
	else if (byte == '>')
		close_angle(c);
	else
		place_address(c);
}

static void take(struct cracker *c, char byte)
{
	if (c->kept > 0)
		keep(c, byte);
	if (byte == '\\') {
		backslash(c);
	} else if (byte == '"' && c->comments <= 0) {
		c->in_quotes = !c->in_quotes;
		if (c->kept > 0)
			c->is_hopeless = true;
	} else if (c->in_quotes) {
		place_address(c);
	} else if (byte == '(') {
		open_comment(c);
	} else if (c->comments > 0) {
		in_comment(c, byte);
	} else {
		take_plain(c, byte);
	}
}

void cf_crack(struct pr_str text, bool groups, const char *must_quote, struct pr_text *out)
{
	struct cracker c = { .out = out, .must_quote = must_quote, .groups = groups };

	while (text.len > 0 && is_blank(text.data[0]))
		text = pr_str_slice(text, 1, text.len);
	c.text = text;
	while (c.at < text.len) {
		char byte = text.data[c.at++];
		take(&c, byte);
	}
	while (c.comments-- > 0)
		keep(&c, ')');
	if (c.in_angle)
		keep(&c, '>');
	if (!c.is_hopeless && !c.is_too_long && length_of(&c) <= FRAME_MAX)
		return;
	pr_text_clear(out);
	pr_text_addf(out, "<%s>", CF_FRAME_MARK);
}

void cf_frame_print(struct pr_str frame, struct pr_str address, struct pr_text *out)
{
	for (size_t i = 0; i < frame.len; i++) {
		if (frame.data[i] == CF_FRAME_MARK[0])
			pr_text_add_str(out, address);
		else
			pr_text_add_byte(out, frame.data[i]);
	}
}
