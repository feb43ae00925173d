/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Foreign bytes on a log line: what could end the line, colour the terminal or
 * hide something becomes \ooo.  The backslash itself is escaped too, so that the
 * reader can always tell what was there.
 */
#include "ascii.h"
#include <postrider/text.h>

static bool is_plain(char byte)
{
	return (unsigned char)byte >= 0x20 && (unsigned char)byte < 0x7f && byte != '\\';
}

bool pr_text_add_escaped(struct pr_text *text, struct pr_str str, size_t max)
{
	size_t start = text->len, added = 0;
	bool fits = true;

	for (size_t i = 0; fits && i < str.len; i++) {
		unsigned char byte = (unsigned char)str.data[i];
		size_t width = is_plain((char)byte) ? 1 : 4;
		if (added + width > max) {
			fits = pr_text_add_c(text, "...");
			break;
		}
		fits = width == 1 ? pr_text_add_byte(text, (char)byte) : pr_text_addf(text, "\\%03o", byte);
		added += width;
	}
	if (!fits)
		pr_text_cut(text, start);
	return fits && (str.len > 0 || pr_text_add(text, NULL, 0));
}
