/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The path of MAIL and RCPT for a rule engine that reads addresses itself, as sendmail's rules do: "< joe @ example.org >", "<<joe>>",
 * "(a comment) <joe>" and "<joe;ann>" are all for the rules to judge.  Found here is only where the path ends - at a blank outside of quotes,
 * comments and brackets - and whether all of these are closed.  What the rules get is the inside of the last bracket, without comments and
 * blanks; two words beside each other get the dot between them that sendmail's BlankSub is.
 */
#include "kernel/smtp/internal.h"

#include <string.h>

struct scan {
	size_t depth;  /* of comments */
	size_t angles; /* open ones */
	bool quoted, escaped;
};

enum piece { PIECE_PLAIN, PIECE_QUOTED, PIECE_COMMENT, PIECE_OPEN, PIECE_CLOSE, PIECE_BLANK };

/* What this byte is, where it stands; *fault when it closes what was never opened. */
static enum piece scan_byte(struct scan *scan, char byte, const char **fault)
{
	if (scan->escaped || byte == '\\') {
		scan->escaped = !scan->escaped;
		return scan->depth > 0 ? PIECE_COMMENT : PIECE_QUOTED;
	}
	if (scan->depth > 0) {
		scan->depth += (byte == '(') - (size_t)(byte == ')');
		return PIECE_COMMENT;
	}
	if (byte == '"' || scan->quoted) {
		scan->quoted ^= byte == '"';
		return PIECE_QUOTED;
	}
	switch (byte) {
	case '(':
		scan->depth = 1;
		return PIECE_COMMENT;
	case ')':
		*fault = "Unbalanced ')'";
		return PIECE_PLAIN;
	case '<':
		scan->angles++;
		return PIECE_OPEN;
	case '>':
		if (scan->angles == 0)
			*fault = "Unbalanced '>'";
		else
			scan->angles--;
		return PIECE_CLOSE;
	case ' ':
	case '\t':
		return PIECE_BLANK;
	default:
		return PIECE_PLAIN;
	}
}

static const char *left_open(const struct scan *scan)
{
	if (scan->depth > 0)
		return "Unbalanced '('";
	if (scan->quoted)
		return "Unbalanced '\"'";
	if (scan->escaped)
		return "Nothing follows the backslash";
	return scan->angles > 0 ? "Unbalanced '<'" : NULL;
}

/* The length of the path at the front of `text`. */
static size_t find_end(struct pr_str text, const char **fault)
{
	struct scan scan = {0};
	size_t at = 0;

	for (; at < text.len && *fault == NULL; at++)
		if (scan_byte(&scan, text.data[at], fault) == PIECE_BLANK && scan.angles == 0)
			break;
	if (*fault == NULL)
		*fault = left_open(&scan);
	return *fault == NULL ? at : text.len;
}

/* Between the last bracket that opens and the one that closes it; all, where there is none. */
static struct pr_str inside(struct pr_str path)
{
	struct scan scan = {0};
	const char *fault = NULL;
	size_t begin = 0, end = path.len;

	for (size_t at = 0; at < path.len; at++) {
		enum piece piece = scan_byte(&scan, path.data[at], &fault);
		if (piece == PIECE_OPEN) {
			begin = at + 1;
			end = path.len;
		} else if (piece == PIECE_CLOSE && end == path.len) {
			end = at;
		}
	}
	return pr_str_slice(path, begin, end);
}

static bool joins(char byte)
{
	return strchr(".:@,;%!^/[]+=", byte) != NULL;
}

static struct pr_str compact(struct pr_str text, struct pr_arena *arena)
{
	char *address = pr_arena_alloc(arena, 2 * text.len + 1);
	struct scan scan = {0};
	const char *fault = NULL;
	size_t len = 0;
	bool gap = false;

	for (size_t at = 0; address != NULL && at < text.len; at++) {
		enum piece piece = scan_byte(&scan, text.data[at], &fault);
		if (piece == PIECE_BLANK || piece == PIECE_COMMENT) {
			gap = len > 0;
			continue;
		}
		if (gap && piece != PIECE_QUOTED && joins(text.data[at]))
			gap = false;
		if (gap && !joins(address[len - 1]))
			address[len++] = '.';
		gap = false;
		address[len++] = text.data[at];
	}
	return (struct pr_str){address != NULL ? address : "", len};
}

bool smtp_take_path(struct smtp_machine *machine, struct pr_str text, struct pr_str *rest_out)
{
	const char *fault = NULL;
	size_t end = find_end(text, &fault);
	struct pr_str path = pr_str_trim(pr_str_slice(text, 0, end));

	if (smtp_refuses_bytes(machine, path))
		return false;
	if (fault != NULL) {
		smtp_reply(machine, 553, "5.0.0", "%s... %s", smtp_shorten(path).text, fault);
		return false;
	}
	pr_address_split(compact(inside(path), &machine->arena), &machine->question.address);
	machine->question.argument = path;
	*rest_out = pr_str_slice(text, end, text.len);
	return true;
}
