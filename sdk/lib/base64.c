/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Base64 (RFC 4648 4): a table of digits, four of them for three bytes.
 */
#include <postrider/base64.h>

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct pr_str pr_base64_encode(struct pr_arena *arena, struct pr_str bytes)
{
	char *out = pr_arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
	size_t length = 0;

	if (out == NULL)
		return PR_NONE;
	for (size_t i = 0; i < bytes.len; i += 3) {
		uint32_t word = 0;
		size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
		for (size_t k = 0; k < 3; k++)
			word = word << 8 | (k < have ? (unsigned char)bytes.data[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			out[length++] = k <= have ? digits[word >> (18 - 6 * k) & 63] : '=';
	}
	return (struct pr_str){out, length};
}

static bool decode_four(const char *from, size_t padding, char *to)
{
	uint32_t word = 0;

	for (size_t k = 0; k < 4; k++) {
		const char *digit = k >= 4 - padding ? digits : memchr(digits, from[k], 64);
		if (digit == NULL)
			return false;
		word = word << 6 | (uint32_t)(digit - digits);
	}
	if ((word & ((1u << 8 * padding) - 1)) != 0)
		return false;
	for (size_t k = 0; k < 3 - padding; k++)
		to[k] = (char)(word >> (16 - 8 * k) & 255);
	return true;
}

bool pr_base64_decode(struct pr_arena *arena, struct pr_str text, struct pr_str *bytes_out)
{
	char *out = pr_arena_alloc(arena, text.len / 4 * 3 + 1);
	size_t length = 0;

	if (out == NULL || text.len % 4 != 0)
		return false;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t padding = 0;
		if (i + 4 == text.len)
			padding = text.data[i + 3] != '=' ? 0 : text.data[i + 2] != '=' ? 1 : 2;
		if (!decode_four(text.data + i, padding, out + length))
			return false;
		length += 3 - padding;
	}
	*bytes_out = (struct pr_str){out, length};
	return true;
}
