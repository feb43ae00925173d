/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Byte by byte into one line, which goes out when it is full or ended.  In quoted-printable a blank is kept back until it is known
 * whether the line ends behind it; a dot must never come to stand alone in a line, for it would be the end of the message to a careless host.
 */
#include "kernel/mail/mime_encode.h"

#include <string.h>

#define QUOTED_SOFT 72 /* a line that is longer is broken before the next byte */
#define QUOTED_HARD 75 /* but for a dot it may grow to this */
#define BASE64_LINE 72

static const char hex[] = "0123456789ABCDEF";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mime_encoder_begin(struct mime_encoder *encoder, enum mime_encoding encoding, bool quote_from, bool ebcdic)
{
	*encoder = (struct mime_encoder){ .encoding = encoding, .quote_from = quote_from, .ebcdic = ebcdic, .last = '\n' };
}

static void end_line(struct mime_encoder *encoder, struct pr_text *out)
{
	encoder->line[encoder->length++] = '\n';
	pr_text_add(out, encoder->line, encoder->length);
	encoder->length = encoder->column = encoder->from = 0;
}

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\t';
}

static void put_hex(struct mime_encoder *encoder, unsigned char byte)
{
	char *at = encoder->line + encoder->length;

	at[0] = '=';
	at[1] = hex[byte >> 4];
	at[2] = hex[byte & 15];
	encoder->length += 3;
	encoder->column += 3;
}

static void put_plain(struct mime_encoder *encoder, unsigned char byte)
{
	encoder->line[encoder->length++] = (char)byte;
	encoder->column++;
}

static bool must_quote(const struct mime_encoder *encoder, unsigned char byte)
{
	if (byte < 0x20 || byte >= 0x7f || byte == '=')
		return byte != '\t';
	return encoder->ebcdic && strchr("!\"#$@[\\]^`{|}~", byte) != NULL;
}

static void quoted_newline(struct mime_encoder *encoder, struct pr_text *out)
{
	if (is_blank(encoder->last))
		put_hex(encoder, encoder->last);
	if (encoder->length == 1 && encoder->line[0] == '.') {
		encoder->length = 0;
		put_hex(encoder, '.');
	}
	end_line(encoder, out);
	encoder->last = '\n';
}

/* The blank that was kept back, now that the line goes on. */
static void release_blank(struct mime_encoder *encoder)
{
	if (!is_blank(encoder->last))
		return;
	if (encoder->quote_from && encoder->last == ' ' && encoder->column == 4 && encoder->from == 4)
		put_hex(encoder, ' ');
	else
		put_plain(encoder, encoder->last);
}

/* Makes room for the next byte.  Of two dots at the end the second goes along into the next line. */
static void break_line(struct mime_encoder *encoder, unsigned char next, struct pr_text *out)
{
	bool two_dots = encoder->last == '.' && encoder->column > QUOTED_SOFT + 1;

	if (encoder->column <= QUOTED_SOFT || (next == '.' && encoder->column <= QUOTED_HARD && !two_dots))
		return;
	if (two_dots)
		encoder->length--;
	encoder->line[encoder->length++] = '=';
	end_line(encoder, out);
	if (two_dots)
		put_plain(encoder, '.');
}

static void quoted_byte(struct mime_encoder *encoder, unsigned char byte, struct pr_text *out)
{
	release_blank(encoder);
	break_line(encoder, byte, out);
	if (must_quote(encoder, byte)) {
		put_hex(encoder, byte);
	} else if (!is_blank(byte)) {
		encoder->from += encoder->column < 4 && byte == "From"[encoder->column];
		put_plain(encoder, byte);
	}
	encoder->last = byte;
}

static void write_group(struct mime_encoder *encoder, struct pr_text *out)
{
	const unsigned char *group = encoder->group;
	char *at = encoder->line + encoder->length;

	if (encoder->length == BASE64_LINE) {
		end_line(encoder, out);
		at = encoder->line;
	}
	memset(encoder->group + encoder->grouped, 0, 3 - encoder->grouped);
	at[0] = alphabet[group[0] >> 2];
	at[1] = alphabet[(group[0] & 3) << 4 | group[1] >> 4];
	at[2] = encoder->grouped > 1 ? alphabet[(group[1] & 15) << 2 | group[2] >> 6] : '=';
	at[3] = encoder->grouped > 2 ? alphabet[group[2] & 63] : '=';
	encoder->length += 4;
	encoder->grouped = 0;
}

static void base64_byte(struct mime_encoder *encoder, unsigned char byte, struct pr_text *out)
{
	encoder->group[encoder->grouped++] = byte;
	if (encoder->grouped == 3)
		write_group(encoder, out);
}

static void put_newline(struct mime_encoder *encoder, struct pr_text *out)
{
	encoder->newline_held = false;
	if (encoder->encoding == MIME_QUOTED) {
		quoted_newline(encoder, out);
		return;
	}
	base64_byte(encoder, '\r', out);
	base64_byte(encoder, '\n', out);
}

void mime_encoder_add(struct mime_encoder *encoder, struct pr_str text, struct pr_text *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (encoder->newline_held)
			put_newline(encoder, out);
		if (text.data[i] == '\n')
			encoder->newline_held = true;
		else if (encoder->encoding == MIME_QUOTED)
			quoted_byte(encoder, (unsigned char)text.data[i], out);
		else
			base64_byte(encoder, (unsigned char)text.data[i], out);
	}
}

void mime_encoder_end(struct mime_encoder *encoder, bool at_boundary, bool in_multipart, struct pr_text *out)
{
	if (encoder->newline_held && !at_boundary)
		put_newline(encoder, out);
	if (encoder->encoding == MIME_BASE64) {
		if (encoder->grouped > 0)
			write_group(encoder, out);
		end_line(encoder, out);
		return;
	}
	if (is_blank(encoder->last))
		put_hex(encoder, encoder->last);
	if (encoder->column > 0 || in_multipart)
		end_line(encoder, out);
}
