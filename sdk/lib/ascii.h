/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ASCII letters and blanks, whatever the locale says: mail syntax is ASCII, and a
 * Turkish locale must not decide what a key is.
 */
#ifndef SDK_LIB_ASCII_H
#define SDK_LIB_ASCII_H

#include <stdbool.h>

static inline char ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static inline bool ascii_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static inline bool ascii_is_letter(char byte)
{
	char lower = ascii_lower(byte);

	return lower >= 'a' && lower <= 'z';
}

static inline bool ascii_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static inline bool ascii_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* a control other than tab, DEL included */
static inline bool ascii_is_control(char byte)
{
	return ((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

#endif
