/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quoted-printable: from a "=" on everything is kept back until it is a code, the end of a line that goes on, or neither.
 * Base64: six bits after six bits; CR LF becomes LF as soon as both are there.
 */
#include "kernel/mail/mime_decode.h"

#include <string.h>

#define HELD_MAX 256 /* "=" and so many blanks: more is no soft line break */

void mime_decoder_init(struct mime_decoder *decoder, bool base64)
{
	*decoder = (struct mime_decoder){.base64 = base64};
	pr_text_init(&decoder->held, HELD_MAX);
}

void mime_decoder_fini(struct mime_decoder *decoder)
{
	pr_text_fini(&decoder->held);
}

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* It was no code: it stays as it stands. */
static void give_up(struct mime_decoder *decoder, struct pr_text *out)
{
	pr_text_add_str(out, pr_text_str(&decoder->held));
	pr_text_clear(&decoder->held);
}

/* A byte behind a "=" that is kept back; false: it has to be looked at by itself. */
static bool continue_code(struct mime_decoder *decoder, char byte, struct pr_text *out)
{
	const struct pr_text *held = &decoder->held;

	if (byte == '\n' && (held->len == 1 || is_blank(held->data[1]))) {
		pr_text_clear(&decoder->held);
		return true;
	}
	if (held->len == 2 && hex_value(held->data[1]) >= 0 && hex_value(byte) >= 0) {
		char decoded = (char)(hex_value(held->data[1]) << 4 | hex_value(byte));
		pr_text_clear(&decoder->held);
		pr_text_add_byte(out, decoded);
		return true;
	}
	bool may_be = held->len == 1 ? hex_value(byte) >= 0 || is_blank(byte) : is_blank(held->data[1]) && is_blank(byte);
	if (may_be && pr_text_add_byte(&decoder->held, byte))
		return true;
	give_up(decoder, out);
	return false;
}

static void add_quoted(struct mime_decoder *decoder, struct pr_str text, struct pr_text *out)
{
	while (text.len > 0) {
		if (decoder->held.len > 0) {
			bool taken = continue_code(decoder, text.data[0], out);
			text = pr_str_slice(text, taken, text.len);
			continue;
		}
		size_t plain = pr_str_find(text, '=');
		pr_text_add(out, text.data, plain);
		if (plain < text.len)
			pr_text_add_byte(&decoder->held, '=');
		text = pr_str_slice(text, plain + 1, text.len);
	}
}

static int base64_value(char byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

static void put_byte(struct mime_decoder *decoder, char byte, struct pr_text *out)
{
	if (decoder->cr_held && byte != '\n')
		pr_text_add_byte(out, '\r');
	decoder->cr_held = byte == '\r';
	if (byte != '\r')
		pr_text_add_byte(out, byte);
}

static void add_base64(struct mime_decoder *decoder, struct pr_str text, struct pr_text *out)
{
	for (size_t i = 0; i < text.len && !decoder->over; i++) {
		int value = base64_value(text.data[i]);
		decoder->over = text.data[i] == '=';
		if (value < 0)
			continue;
		decoder->bits = decoder->bits << 6 | (uint32_t)value;
		if (decoder->digits++ > 0)
			put_byte(decoder, (char)(decoder->bits >> (8 - 2 * decoder->digits) & 0xff), out);
		decoder->digits %= 4;
	}
}

void mime_decoder_add(struct mime_decoder *decoder, struct pr_str text, struct pr_text *out)
{
	if (decoder->base64)
		add_base64(decoder, text, out);
	else
		add_quoted(decoder, text, out);
}

void mime_decoder_end(struct mime_decoder *decoder, struct pr_text *out)
{
	give_up(decoder, out);
	if (decoder->cr_held)
		pr_text_add_byte(out, '\r');
	decoder->cr_held = false;
}
