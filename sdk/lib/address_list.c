/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One mailbox after the other from a header value or the right hand side of an alias.
 * A piece is cut out first, up to the comma that is really one, and then read: so a
 * piece that is no address costs only itself, and the whole stays linear.
 */
#include "address_scan.h"
#include "ascii.h"
#include <string.h>

/* The piece at the front of *rest, which is moved behind it.  A group ("friends: a, b;") loses its name here. */
static struct pr_str take_piece(struct pr_str *rest, bool alias)
{
	struct scanner scanner = {0};
	bool angle = false, literal = false;
	size_t begin = 0, i;

	for (i = 0; i < rest->len; i++) {
		char byte = rest->data[i];
		/* an open quote must not swallow the next line of a list file */
		if (alias && byte == '\n')
			break;
		if (scan_byte(&scanner, byte) != SCAN_SYNTAX)
			continue;
		if (!angle && (byte == ',' || byte == ';'))
			break;
		if (byte == '<' || byte == '>')
			angle = byte == '<';
		else if (byte == '[' || byte == ']')
			literal = byte == '[' && i > 0 && rest->data[i - 1] == '@';
		else if (byte == ':' && !angle && !literal && !alias)
			begin = i + 1;
	}
	struct pr_str piece = pr_str_trim(pr_str_slice(*rest, begin, i));
	*rest = pr_str_slice(*rest, i + 1, rest->len);
	return piece;
}

/* The part in brackets, or all of a bare address. */
static const char *find_angle(struct pr_str piece, struct pr_str *content_out)
{
	struct scanner scanner = {0};
	size_t open = piece.len, close = piece.len;

	for (size_t i = 0; i < piece.len; i++) {
		char byte = piece.data[i];
		enum scan_class class = scan_byte(&scanner, byte);
		if (class == SCAN_COMMENT || (class == SCAN_SYNTAX && ascii_is_space(byte)))
			continue;
		if (close < piece.len)
			return "Text behind the address in brackets";
		if (class != SCAN_SYNTAX)
			continue;
		if (byte == '<' && open < piece.len)
			return "Unbalanced '<'";
		if (byte == '<')
			open = i;
		else if (byte == '>' && open == piece.len)
			return "Unbalanced '>'";
		else if (byte == '>')
			close = i;
	}
	if (scan_fault(&scanner) != NULL)
		return scan_fault(&scanner);
	if (open < piece.len && close == piece.len)
		return "Unbalanced '<'";
	*content_out = open < piece.len ? pr_str_slice(piece, open + 1, close) : piece;
	return NULL;
}

static bool is_special(struct pr_str piece)
{
	return piece.len > 0 && (piece.data[0] == '|' || piece.data[0] == '/' ||
	                         pr_str_has_prefix_nocase(piece, PR_STR(":include:")));
}

/* Where the quoted string at the front of `piece` ends (its last quote), or piece.len. */
static size_t closing_quote(struct pr_str piece)
{
	for (size_t i = 1; i < piece.len; i++) {
		if (piece.data[i] == '"')
			return i;
		if (piece.data[i] == '\\')
			i++;
	}
	return piece.len;
}

/* "inner" without its quotes if the quotes hold all of `piece`; else `piece` as it is. */
static struct pr_str unquoted(struct pr_str piece, bool *taken_off)
{
	*taken_off = piece.len >= 2 && piece.data[0] == '"' && closing_quote(piece) == piece.len - 1;
	return *taken_off ? pr_str_slice(piece, 1, piece.len - 1) : piece;
}

/* Adds `text` to the output; inside quotes only \" and \\ mean something else than themselves, because
 * what the backslash means to the shell is not ours to decide. */
static void copy_special(char *out, size_t *len, struct pr_str text, bool was_quoted)
{
	for (size_t i = 0; i < text.len; i++) {
		if (was_quoted && text.data[i] == '\\' && i + 1 < text.len &&
		    (text.data[i + 1] == '"' || text.data[i + 1] == '\\'))
			i++;
		out[(*len)++] = text.data[i];
	}
}

/* "|prog args", |"prog args", |prog args, /file, :include:/path, each perhaps in quotes as a whole. */
static enum pr_status accept_special(struct pr_str piece, struct pr_arena *arena, struct pr_str *address_out,
                                     struct pr_str *why_out)
{
	bool whole_quoted, program_quoted = false;
	struct pr_str text = unquoted(piece, &whole_quoted);
	char *special = pr_arena_alloc(arena, piece.len + 1);
	size_t len = 0;

	if (special == NULL) {
		*why_out = PR_STR("Address too long");
		return PR_PERMFAIL;
	}
	for (size_t i = 0; i < text.len; i++)
		if (ascii_is_control(text.data[i])) {
			*why_out = PR_STR("Control character in address");
			return PR_PERMFAIL;
		}
	if (!whole_quoted && text.data[0] == '|') {
		special[len++] = '|';
		text = unquoted(pr_str_trim(pr_str_slice(text, 1, text.len)), &program_quoted);
	}
	copy_special(special, &len, text, whole_quoted || program_quoted);
	*address_out = (struct pr_str){special, len};
	return PR_OK;
}

/* A program line ends at a comma outside quotes: parentheses and brackets mean nothing to us in it. */
static struct pr_str take_special(struct pr_str *rest)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < rest->len && rest->data[i] != '\n' && (quoted || rest->data[i] != ','); i++) {
		if (rest->data[i] == '"')
			quoted = !quoted;
		else if (rest->data[i] == '\\' && i + 1 < rest->len && rest->data[i + 1] != '\n')
			i++;
	}
	struct pr_str piece = pr_str_trim(pr_str_slice(*rest, 0, i));
	*rest = pr_str_slice(*rest, i + 1, rest->len);
	return piece;
}

static enum pr_status next_mailbox(struct pr_str *rest, bool alias, struct pr_arena *arena, struct pr_str *address_out,
                                   struct pr_str *why_out)
{
	struct pr_str content, piece = take_piece(rest, alias);
	struct pr_address address;

	if (piece.len == 0)
		return PR_NOTFOUND;
	const char *fault = find_angle(piece, &content);
	if (fault != NULL) {
		*why_out = pr_str(fault);
		return PR_PERMFAIL;
	}
	enum pr_status status = address_accept(content, (struct accept_rule){.utf8 = alias}, arena, &address, why_out);
	if (status == PR_OK)
		*address_out = address.full;
	return status;
}

enum pr_status pr_address_next(struct pr_str *rest, bool alias, struct pr_arena *arena, struct pr_str *address_out,
                               struct pr_str *why_out)
{
	enum pr_status status = PR_NOTFOUND;

	/* an empty piece is no error: ", ," and the end of a group are everyday */
	while (status == PR_NOTFOUND) {
		while (rest->len > 0 && (ascii_is_space(rest->data[0]) || rest->data[0] == ','))
			*rest = pr_str_slice(*rest, 1, rest->len);
		if (rest->len == 0)
			break;
		bool quoted = rest->data[0] == '"';
		if (alias && is_special(pr_str_slice(*rest, quoted, rest->len)))
			status = accept_special(take_special(rest), arena, address_out, why_out);
		else
			status = next_mailbox(rest, alias, arena, address_out, why_out);
	}
	return status;
}
