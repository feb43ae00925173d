/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UTF-8 as RFC 3629 section 4 has it: no longer form than needed, no surrogates, nothing above U+10FFFF, and none of the controls behind ASCII.
 * Most mail is ASCII, so that is looked for first.
 */
#include <postrider/text.h>

bool pr_str_is_ascii(struct pr_str text)
{
	unsigned char all = 0;

	for (size_t i = 0; i < text.len; i++)
		all |= (unsigned char)text.data[i];
	return all < 0x80;
}

/* Bytes of the character at the front; 0: it is none. */
static size_t character_length(const unsigned char *bytes, size_t left)
{
	static const struct {
		unsigned char first_least, first_most, second_least, second_most;
		size_t length;
	} rows[] = {
	    {0x00, 0x7f, 0, 0, 1}, {0xc2, 0xc2, 0xa0, 0xbf, 2} /* U+0080 to U+009F are controls */, {0xc3, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		if (bytes[0] < rows[row].first_least || bytes[0] > rows[row].first_most)
			continue;
		if (left < rows[row].length)
			return 0;
		if (rows[row].length > 1 && (bytes[1] < rows[row].second_least || bytes[1] > rows[row].second_most))
			return 0;
		for (size_t i = 2; i < rows[row].length; i++)
			if (bytes[i] < 0x80 || bytes[i] > 0xbf)
				return 0;
		return rows[row].length;
	}
	return 0;
}

bool pr_utf8_is_valid(struct pr_str text)
{
	for (size_t at = 0; at < text.len;) {
		size_t length = character_length((const unsigned char *)text.data + at, text.len - at);
		if (length == 0)
			return false;
		at += length;
	}
	return true;
}
