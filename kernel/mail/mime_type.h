/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Content-Type and Content-Transfer-Encoding as words (RFC 2045 section 5.1).
 *
 *     multipart/mixed; boundary="a b" (of old)      type multipart, subtype mixed, boundary a b
 */
#ifndef KERNEL_MAIL_MIME_TYPE_H
#define KERNEL_MAIL_MIME_TYPE_H

#include <postrider/envelope.h>

#define MIME_WORD_MAX 100     /* bytes of a type, a subtype or an encoding that are compared */
#define MIME_BOUNDARY_MAX 1000 /* RFC 2046 allows 70 */

struct mime_type {
	char type[MIME_WORD_MAX + 1], subtype[MIME_WORD_MAX + 1]; /* "-none-" where there is none */
	char encoding[MIME_WORD_MAX + 1];                         /* "" */
	char boundary[MIME_BOUNDARY_MAX + 1];
	size_t boundary_length; /* 0: there is none */
};

/* Of the first fields of that name; without a Content-Type it is text/plain, in a digest message/rfc822. */
void mime_type_read(const struct pr_header *fields, size_t count, bool in_digest, struct mime_type *type_out);
/* Is it one of a list, by its whole name or by its type alone? */
bool mime_type_is_in(const struct mime_type *type, const struct pr_list *list);
bool mime_word_is_in(const char *word, const struct pr_list *list);
const struct pr_header *mime_field(const struct pr_header *fields, size_t count, struct pr_str name); /* or NULL */

#endif
