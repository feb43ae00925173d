/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message in the form that the next one can take (RFC 2045, 2046, 6152).
 *
 * A message of which some bytes have the eighth bit meets a host that knows nothing of 8BITMIME.  What can be encoded is encoded, part by part:
 *
 *      Content-Type: multipart/mixed; boundary=b         Content-Type: multipart/mixed; boundary=b
 *
 *      --b                                               --b
 *      Content-Type: text/plain; charset=utf-8           Content-Type: text/plain; charset=utf-8
 *      Content-Transfer-Encoding: 8bit                   Content-Transfer-Encoding: quoted-printable
 *                                                        X-MIME-Autoconverted: from 8bit to quoted-printable by HOST id ID
 *      caf<e9>                                   ->
 *      --b--                                             caf=E9
 *                                                        --b--
 *
 * Which encoding is the shorter one is known only at the end of a part, and a body may be larger than memory: so it is read twice.  mime_look()
 * counts, mime_looked() ends that, and mime_feed() writes.  Nothing is kept but one line, the header of one part, one byte for each part,
 * and the boundaries around.
 *
 * The way back - text in quoted-printable or base64 for a mailer with flag 9 - and the shortening of fields that are dangerously long
 * (MaxMimeHeaderLength) are written in one pass.
 *
 * What is malformed passes as it is; a multipart that was left open is closed when it is encoded.
 */
#ifndef KERNEL_MAIL_MIME_H
#define KERNEL_MAIL_MIME_H

#include <postrider/envelope.h>

enum mime_form {
	MIME_AS_IT_IS, /* there is nothing to be done */
	MIME_CHECKED,  /* fields of parts have a maximum, all else is as it came */
	MIME_LABELLED, /* the same, and the header says that there are eight bits, and of which charset */
	MIME_TO_SEVEN, /* eight bits are encoded */
	MIME_TO_EIGHT  /* and decoded */
};

/* All strings are borrowed, and must live as long as what is made with them. */
struct mime_settings {
	struct pr_str host_name, id;  /* for X-MIME-Autoconverted */
	struct pr_str charset;        /* of text that does not say which it is in */
	struct pr_list never;         /* types that are never encoded ($=n) */
	struct pr_list quoted;        /* types that are never put into base64 ($=q): "text", "text/plain" */
	struct pr_list encodable;     /* encodings from which another may be made ($=e) */
	struct pr_list messages;      /* subtypes of message that are looked into ($=s) */
	int64_t header_max, field_max; /* MaxMimeHeaderLength: bytes of a field, and of one parameter; 0: any */
	bool quote_from;              /* flag E: "From " at the beginning of a line shall not stand there */
	bool ebcdic;                  /* flag 3: what EBCDIC does not know is encoded too */
};

struct mime;

/* The header is that of the message, and lives as long. */
struct mime *mime_new(const struct mime_settings *settings, enum mime_form form, const struct pr_header *fields, size_t count);
void mime_free(struct mime *mime);
/* Must the whole body be looked at before it is written? */
bool mime_must_look(const struct mime *mime);
void mime_look(struct mime *mime, struct pr_str piece);
void mime_looked(struct mime *mime);
/* Is this field of the header left out, because mime_head() says it anew? */
bool mime_omits(const struct mime *mime, struct pr_str name);
/* What stands behind the fields, line by line, without the empty line.  After mime_looked(). */
struct pr_str mime_head(const struct mime *mime);
/* The body in any pieces.  out grows; its overflow is the caller's to look at. */
void mime_feed(struct mime *mime, struct pr_str piece, struct pr_text *out);
void mime_finish(struct mime *mime, struct pr_text *out);
/* The body comes once more from its front. */
void mime_rewind(struct mime *mime);

/* Is this text that may be decoded: text/plain in quoted-printable or base64? */
bool mime_is_encoded_text(const struct pr_header *fields, size_t count);
/* Has it parts, so that MIME_CHECKED is worth a look? */
bool mime_has_parts(const struct pr_header *fields, size_t count);

#endif
