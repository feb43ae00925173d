/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Foreign bytes on a log line: what could end the line, colour the terminal or
 * hide something becomes \ooo.  The backslash itself is escaped too, so that the
 * reader can always tell what was there.
 */
#include "ascii.h"
#include <postrider/text.h>

#define ESCAPED 4 /* bytes of \ooo */

static bool is_plain(char byte)
{
	return (unsigned char)byte >= 0x20 && (unsigned char)byte < 0x7f && byte != '\\';
}

/* How many bytes can be taken as they are, at most so many. */
static size_t plain_run(struct pr_str str, size_t max)
{
	size_t length = 0;

	while (length < str.len && length < max && is_plain(str.data[length]))
		length++;
	return length;
}

bool pr_text_add_escaped(struct pr_text *text, struct pr_str str, size_t max)
{
	size_t start = text->len, added = 0;
	bool fits = true;

	for (size_t i = 0; fits && i < str.len;) {
		size_t plain = plain_run(pr_str_slice(str, i, str.len), max - added);
		fits = pr_text_add(text, str.data + i, plain);
		added += plain;
		i += plain;
		if (!fits || i == str.len)
			break;
		if (added + (is_plain(str.data[i]) ? 1 : ESCAPED) > max) {
			fits = pr_text_add_c(text, "...");
			break;
		}
		fits = pr_text_addf(text, "\\%03o", (unsigned char)str.data[i++]);
		added += ESCAPED;
	}
	if (!fits)
		pr_text_cut(text, start);
	return fits && (str.len > 0 || pr_text_add(text, NULL, 0));
}
