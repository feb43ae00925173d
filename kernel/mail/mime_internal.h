/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The walk through a message, from inside.
 *
 *   mime.c       the message: what is said of it in its header; looking, writing, decoding
 *   mime_walk.c  lines, boundaries, headers of parts
 *   mime_leaf.c  what has no parts: counted, copied, encoded; and whatever is written
 *
 * Looking and writing take the same way, so that the n-th choice made is the n-th one needed; only what is written differs.
 */
#ifndef KERNEL_MAIL_MIME_INTERNAL_H
#define KERNEL_MAIL_MIME_INTERNAL_H

#include "kernel/mail/mime.h"
#include "kernel/mail/mime_decode.h"
#include "kernel/mail/mime_encode.h"
#include "kernel/mail/mime_part.h"
#include "kernel/mail/mime_type.h"

#define MIME_LINE 2047  /* a longer line is handled in pieces, as sendmail does it */
#define MIME_NESTING 20 /* parts in parts; deeper ones are not looked into */

enum mime_place { MIME_IN_COMMENT, MIME_IN_HEADER, MIME_IN_LEAF };
enum mime_choice { MIME_CHOICE_AS_IT_IS, MIME_CHOICE_QUOTED, MIME_CHOICE_BASE64, MIME_CHOICE_COUNTED };

struct mime_level { /* one multipart that is open */
	char boundary[MIME_BOUNDARY_MAX + 1];
	size_t length;
	uint32_t nesting;
	bool is_digest, is_never;
};

struct mime {
	const struct mime_settings *settings;
	enum mime_form form;
	const struct pr_header *fields; /* of the message */
	size_t count;
	struct pr_text head, line;
	bool is_looking, goes_on, open_line, is_outer, has_empty_line;
	struct mime_level *levels[MIME_NESTING];
	size_t depth;
	uint32_t nesting;
	enum mime_place place;
	struct mime_part part;
	bool in_digest, is_never, in_message; /* of the header that is gathered */
	/* the leaf */
	enum mime_choice choice;
	uint64_t size, high;
	bool is_counted_out, leaf_quoted, leaf_binary;
	struct mime_encoder encoder;
	struct mime_decoder decoder;
	unsigned char *choices;
	size_t choice_count, choice_room, choice_at;
};

/* mime_leaf.c */
bool mime_is_verbatim(const struct mime *mime); /* what comes goes out as it came */
void mime_put(struct mime *mime, struct pr_str text, struct pr_text *out);
void mime_putf(struct mime *mime, struct pr_text *out, const char *format, ...) __attribute__((format(printf, 3, 4)));
void mime_end_header(struct mime *mime, struct pr_text *out); /* the empty line */
void mime_begin_leaf(struct mime *mime, const struct mime_type *type, bool is_never, struct pr_text *out);
void mime_leaf_line(struct mime *mime, struct pr_str text, struct pr_text *out);
void mime_end_leaf(struct mime *mime, bool at_boundary, struct pr_text *out);

/* mime_walk.c */
/* What follows the header that these fields are. */
void mime_begin_entity(struct mime *mime, const struct pr_header *fields, size_t field_count, bool in_digest, bool is_never, struct pr_text *out);
void mime_pop(struct mime *mime); /* the innermost multipart is over */
void mime_walk(struct mime *mime, struct pr_str piece, struct pr_text *out);
void mime_end_walk(struct mime *mime, struct pr_text *out);

#endif
