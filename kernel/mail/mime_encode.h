/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quoted-printable and base64 (RFC 2045 sections 6.7 and 6.8), written as sendmail writes them: soft line breaks behind column 72, no line that
 * is a dot alone, base64 in lines of 72.
 *
 * Text comes in pieces with LF line ends.  A line end is kept back until it is known that it does not belong to the boundary behind it.
 */
#ifndef KERNEL_MAIL_MIME_ENCODE_H
#define KERNEL_MAIL_MIME_ENCODE_H

#include <postrider/text.h>

enum mime_encoding { MIME_QUOTED, MIME_BASE64 };

struct mime_encoder {
	enum mime_encoding encoding;
	bool quote_from, ebcdic;
	bool newline_held;
	char line[96];          /* what is written so far of the current line */
	size_t length, column;  /* of it; a blank that is kept back is no part of them */
	size_t from;            /* bytes of "From" at its front */
	unsigned char last;     /* the byte before, LF at the beginning of a line */
	unsigned char group[3]; /* base64: not yet written */
	size_t grouped;
};

void mime_encoder_begin(struct mime_encoder *encoder, enum mime_encoding encoding, bool quote_from, bool ebcdic);
void mime_encoder_add(struct mime_encoder *encoder, struct pr_str text, struct pr_text *out);
/* The part is over: at a boundary, or (in_multipart or not) at the end of the body. */
void mime_encoder_end(struct mime_encoder *encoder, bool at_boundary, bool in_multipart, struct pr_text *out);

#endif
