/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A field is cut into words - names, quoted strings, single marks - with comments and blanks left out, and read from left to right.
 * Many programs forget the quotes around a boundary that needs them, so an unquoted one ends at the next semicolon or blank.
 */
#include "kernel/mail/mime_type.h"

#include <string.h>

static const char marks[] = "()<>@,;:\\/[]?=";

struct words {
	struct pr_str rest;
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t skip_quoted(struct pr_str text)
{
	size_t at = 1;

	while (at < text.len && text.data[at] != '"')
		at += text.data[at] == '\\' ? 2 : 1;
	return at < text.len ? at + 1 : text.len;
}

static size_t skip_comment(struct pr_str text)
{
	size_t at = 0, depth = 0;

	for (; at < text.len; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == '(')
			depth++;
		else if (text.data[at] == ')' && --depth == 0)
			return at + 1;
	}
	return text.len;
}

static size_t word_length(struct pr_str text)
{
	size_t at = 0;

	if (text.data[0] == '"')
		return skip_quoted(text);
	while (at < text.len && !is_blank(text.data[at]) && text.data[at] != '"' && memchr(marks, text.data[at], sizeof marks - 1) == NULL)
		at++;
	return at > 0 ? at : 1;
}

/* False at the end. */
static bool next_word(struct words *words, struct pr_str *word_out)
{
	struct pr_str rest = words->rest;

	while (rest.len > 0 && (is_blank(rest.data[0]) || rest.data[0] == '('))
		rest = pr_str_slice(rest, rest.data[0] == '(' ? skip_comment(rest) : 1, rest.len);
	words->rest = rest;
	if (rest.len == 0)
		return false;
	size_t length = word_length(rest);
	*word_out = pr_str_slice(rest, 0, length);
	words->rest = pr_str_slice(rest, length, rest.len);
	return true;
}

static bool is_mark(struct pr_str word, char mark)
{
	return word.len == 1 && word.data[0] == mark;
}

static bool next_is(struct words *words, char mark)
{
	struct words ahead = *words;
	struct pr_str word;

	if (!next_word(&ahead, &word) || !is_mark(word, mark))
		return false;
	*words = ahead;
	return true;
}

static void copy_word(struct pr_str word, char out[static MIME_WORD_MAX + 1])
{
	size_t length = word.len < MIME_WORD_MAX ? word.len : MIME_WORD_MAX;

	memcpy(out, word.data, length);
	out[length] = '\0';
}

/* The word at the front of what was left, up to a semicolon or a blank when it has no quotes. */
static struct pr_str whole_value(struct pr_str word, struct words *words)
{
	size_t length = word.len, more = 0;

	if (word.data[0] == '"')
		return word;
	while (more < words->rest.len && words->rest.data[more] != ';' && !is_blank(words->rest.data[more]))
		more++;
	words->rest = pr_str_slice(words->rest, more, words->rest.len);
	return (struct pr_str){word.data, length + more};
}

/* Without quotes and backslashes; one that is too long is none. */
static void copy_boundary(struct pr_str word, struct mime_type *type)
{
	size_t length = 0;

	for (size_t at = 0; at < word.len; at++) {
		if (word.data[at] == '"')
			continue;
		if (word.data[at] == '\\' && at + 1 < word.len)
			at++;
		if (length == MIME_BOUNDARY_MAX || word.data[at] == '\n')
			return;
		type->boundary[length++] = word.data[at];
	}
	type->boundary[length] = '\0';
	type->boundary_length = length;
}

/* Behind the type: "; name=value" again and again. */
static void read_parameters(struct words *words, struct mime_type *type)
{
	struct pr_str name, value;

	while (next_word(words, &name)) {
		if (!is_mark(name, ';'))
			continue;
		while (next_is(words, ';'))
			continue;
		if (!next_word(words, &name))
			return;
		if (!next_is(words, '=') || !next_word(words, &value))
			continue;
		if (type->boundary_length == 0 && pr_str_equal_nocase(name, PR_STR("boundary")) && !is_mark(value, ';'))
			copy_boundary(whole_value(value, words), type);
	}
}

const struct pr_header *mime_field(const struct pr_header *fields, size_t count, struct pr_str name)
{
	for (size_t i = 0; i < count; i++)
		if (pr_str_equal_nocase(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static void read_type(struct pr_str value, struct mime_type *type)
{
	struct words words = {value};
	struct pr_str word;

	if (!next_word(&words, &word))
		return;
	copy_word(word, type->type);
	if (next_is(&words, '/') && next_word(&words, &word))
		copy_word(word, type->subtype);
	read_parameters(&words, type);
}

/* The words of a field without the blanks between them. */
static void read_encoding(struct pr_str value, struct mime_type *type)
{
	struct words words = {value};
	struct pr_str word;
	size_t length = 0;

	while (next_word(&words, &word) && length + word.len <= MIME_WORD_MAX) {
		memcpy(type->encoding + length, word.data, word.len);
		length += word.len;
	}
	type->encoding[length] = '\0';
}

void mime_type_read(const struct pr_header *fields, size_t count, bool in_digest, struct mime_type *type_out)
{
	const struct pr_header *type = mime_field(fields, count, PR_STR("Content-Type"));
	const struct pr_header *encoding = mime_field(fields, count, PR_STR("Content-Transfer-Encoding"));

	memset(type_out, 0, sizeof *type_out);
	copy_word(PR_STR("-none-"), type_out->type);
	copy_word(PR_STR("-none-"), type_out->subtype);
	read_type(type != NULL ? type->value : in_digest ? PR_STR("message/rfc822") : PR_STR("text/plain"), type_out);
	if (encoding != NULL)
		read_encoding(encoding->value, type_out);
}

bool mime_word_is_in(const char *word, const struct pr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (pr_str_equal_nocase(list->items[i], pr_str(word)))
			return true;
	return false;
}

bool mime_type_is_in(const struct mime_type *type, const struct pr_list *list)
{
	char whole[2 * MIME_WORD_MAX + 2];

	pr_print(whole, sizeof whole, "%s/%s", type->type, type->subtype);
	return mime_word_is_in(whole, list) || mime_word_is_in(type->type, list);
}
