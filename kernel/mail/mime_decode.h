/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text that was put into quoted-printable or base64, as it was (RFC 2045 sections 6.7 and 6.8): LF line ends.
 *
 * It comes in any pieces.  What is wrong in it is not guessed at: a "=" that begins no code stays where it stands; bytes that are none of base64's
 * are passed over, as the RFC wants it, and what stands behind its end is no text any more.
 */
#ifndef KERNEL_MAIL_MIME_DECODE_H
#define KERNEL_MAIL_MIME_DECODE_H

#include <postrider/text.h>

struct mime_decoder {
	bool base64;
	struct pr_text held;  /* quoted-printable: what cannot be told yet */
	uint32_t bits;        /* base64: gathered */
	uint32_t digits;      /* of them, 0 to 3 */
	bool over, cr_held;
};

void mime_decoder_init(struct mime_decoder *decoder, bool base64);
void mime_decoder_fini(struct mime_decoder *decoder);
void mime_decoder_add(struct mime_decoder *decoder, struct pr_str text, struct pr_text *out);
void mime_decoder_end(struct mime_decoder *decoder, struct pr_text *out);

#endif
