/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A string as JSON, whatever its bytes: what came by mail is not always UTF-8, and who reads JSON wants nothing else.
 */
#include "kernel/command/json.h"

/* The length of the UTF-8 character at the start, 0 when there is none (RFC 3629: no overlong form, no surrogate). */
static size_t utf8_length(struct pr_str text)
{
	const unsigned char *byte = (const unsigned char *)text.data;
	size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xc2 ? 0 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : byte[0] < 0xf5 ? 4 : 0;

	if (length > text.len)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	if (length < 3)
		return length;
	unsigned int start = (unsigned int)byte[0] << 8 | byte[1];
	bool bad = (start >= 0xe000 && start < 0xe0a0) || (start >= 0xeda0 && start < 0xee00) ||
	           (start >= 0xf000 && start < 0xf090) || start >= 0xf490;
	return bad ? 0 : length;
}

/* RFC 8259; a byte that is no UTF-8 shows as the Latin-1 character it most likely was. */
void json_add(struct pr_text *out, struct pr_str text)
{
	pr_text_add_byte(out, '"');
	while (text.len > 0) {
		size_t length = utf8_length(text);
		unsigned char first = (unsigned char)text.data[0];
		if (length == 0 || first < ' ' || first == 0x7f)
			pr_text_addf(out, "\\u%04x", (unsigned int)first);
		else if (first == '"' || first == '\\')
			pr_text_addf(out, "\\%c", first);
		else
			pr_text_add(out, text.data, length);
		text = pr_str_slice(text, length == 0 ? 1 : length, text.len);
	}
	pr_text_add_byte(out, '"');
}
