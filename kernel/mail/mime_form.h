/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which form of a message its next stop gets, by sendmail's rules: flags of the mailer, EightBitMode, and what the next host offers.
 *
 *      eight bits, flag 7                                       -> encoded
 *      eight bits, a host without 8BITMIME, not flag 8          -> encoded; in mode p only what is MIME already, or was said to be by BODY=8BITMIME
 *      text in quoted-printable or base64, flag 9 and not 7     -> decoded
 *      eight bits, mode m, no MIME-Version, not flag 8          -> labelled
 *      anything else                                            -> as it is, with a look at the fields of its parts
 */
#ifndef KERNEL_MAIL_MIME_FORM_H
#define KERNEL_MAIL_MIME_FORM_H

#include "kernel/mail/mime.h"

struct mime_question {
	const struct pr_header *fields;
	size_t count;
	bool has_eight_bits;
	bool said_mime;         /* the client said BODY=8BITMIME: it is MIME, labelled or not */
	char mode;              /* of EightBitMode: m, p or s */
	bool seven, eight, nine; /* flags of the mailer */
	bool lacks_8bitmime;    /* the next host was asked, and does not offer it */
	bool has_limits;        /* MaxMimeHeaderLength is not 0/0 */
};

enum mime_form mime_choose(const struct mime_question *question);

#endif
