/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Borrowed bytes: comparing, cutting and searching by length, never by NUL.
 * Nothing here allocates, so a slice is as cheap as the two words it is made of.
 */
#include "ascii.h"
#include <postrider/text.h>
#include <string.h>

struct pr_str pr_str(const char *c_string)
{
	return c_string != NULL ? (struct pr_str){c_string, strlen(c_string)} : PR_NONE;
}

bool pr_str_equal(struct pr_str a, struct pr_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool pr_str_equal_nocase(struct pr_str a, struct pr_str b)
{
	return a.len == b.len && same_nocase(a.data, b.data, a.len);
}

bool pr_str_has_prefix_nocase(struct pr_str text, struct pr_str prefix)
{
	return text.len >= prefix.len && same_nocase(text.data, prefix.data, prefix.len);
}

bool pr_str_has_suffix_nocase(struct pr_str text, struct pr_str suffix)
{
	return pr_str_equal_nocase(pr_str_slice(text, text.len - (suffix.len < text.len ? suffix.len : text.len), text.len), suffix);
}

struct pr_str pr_str_trim(struct pr_str text)
{
	while (text.len > 0 && ascii_is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && ascii_is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

struct pr_str pr_str_slice(struct pr_str text, size_t from, size_t to)
{
	if (text.data == NULL)
		return text;
	if (to > text.len)
		to = text.len;
	if (from > to)
		from = to;
	return (struct pr_str){text.data + from, to - from};
}

size_t pr_str_find(struct pr_str text, char byte)
{
	const char *found = text.len > 0 ? memchr(text.data, byte, text.len) : NULL;

	return found != NULL ? (size_t)(found - text.data) : text.len;
}

size_t pr_str_find_last(struct pr_str text, char byte)
{
	for (size_t i = text.len; i > 0; i--)
		if (text.data[i - 1] == byte)
			return i - 1;
	return text.len;
}

bool pr_str_next(struct pr_str *rest, char separator, struct pr_str *piece_out)
{
	if (rest->len == 0)
		return false;
	size_t end = pr_str_find(*rest, separator);
	*piece_out = pr_str_slice(*rest, 0, end);
	*rest = pr_str_slice(*rest, end + 1, rest->len);
	return true;
}

static bool is_among(const char *bytes, char byte)
{
	return byte != '\0' && strchr(bytes, byte) != NULL;
}

bool pr_str_word(struct pr_str *rest, const char *separators, struct pr_str *word_out)
{
	size_t start = 0, end;

	while (start < rest->len && is_among(separators, rest->data[start]))
		start++;
	for (end = start; end < rest->len && !is_among(separators, rest->data[end]);)
		end++;
	*word_out = pr_str_slice(*rest, start, end);
	*rest = pr_str_slice(*rest, end, rest->len);
	return end > start;
}

bool pr_str_number(struct pr_str text, uint64_t max, uint64_t *number_out)
{
	uint64_t number = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!ascii_is_digit(text.data[i]))
			return false;
		uint64_t digit = (uint64_t)(text.data[i] - '0');
		if (digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*number_out = number;
	return true;
}

uint64_t pr_str_hash_nocase(struct pr_str text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.len; i++) {
		hash ^= (unsigned char)ascii_lower(text.data[i]);
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}
