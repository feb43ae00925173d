/* SPDX-License-Identifier: BSD-2-Clause
 *
 * xtext (RFC 3461 section 4): printable ASCII, with +HH for the rest.
 * Decoding refuses what would decode to a control: nobody has an honest line end
 * in an address, and a queue file or a bounce must never see one.
 */
#include "ascii.h"
#include <postrider/address.h>

static int hex_value(char byte)
{
	char lower = ascii_lower(byte);

	if (ascii_is_digit(byte))
		return byte - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_plain(char byte)
{
	return byte > ' ' && byte < 0x7f && byte != '+' && byte != '=';
}

bool pr_xtext_decode(struct pr_str text, struct pr_arena *arena, struct pr_str *decoded_out)
{
	char *decoded = text.data != NULL ? pr_arena_alloc(arena, text.len + 1) : NULL;
	size_t len = 0;

	if (decoded == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		if (byte == '+') {
			if (text.len - i < 3 || hex_value(text.data[i + 1]) < 0 || hex_value(text.data[i + 2]) < 0)
				return false;
			byte = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
			if ((unsigned char)byte < ' ' || byte == 0x7f)
				return false;
			i += 2;
		} else if (!is_plain(byte)) {
			return false;
		}
		decoded[len++] = byte;
	}
	*decoded_out = (struct pr_str){decoded, len};
	return true;
}

bool pr_xtext_encode(struct pr_str text, struct pr_text *out)
{
	bool fits = pr_text_add(out, NULL, 0);

	for (size_t i = 0; fits && i < text.len; i++)
		fits = is_plain(text.data[i]) ? pr_text_add_byte(out, text.data[i])
		                              : pr_text_addf(out, "+%02X", (unsigned int)(unsigned char)text.data[i]);
	return fits;
}
