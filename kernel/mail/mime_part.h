/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header of one part: gathered line by line, then read and printed.
 *
 * It ends with the empty line, or before a line that is no field.  One that is larger than PART_HEADER_MAX is no header of ours: what is there is
 * printed as it came, and the part is not looked into.
 */
#ifndef KERNEL_MAIL_MIME_PART_H
#define KERNEL_MAIL_MIME_PART_H

#include <postrider/envelope.h>

#define PART_HEADER_MAX ((size_t)64 << 10)

struct mime_part {
	struct pr_text raw;
	struct pr_header *fields;
	size_t count;
};

enum mime_part_line {
	MIME_PART_MORE, /* taken */
	MIME_PART_OVER, /* the empty line: taken */
	MIME_PART_BODY, /* it is none of the header */
	MIME_PART_LARGE /* there is no room for it */
};

void mime_part_init(struct mime_part *part);
void mime_part_fini(struct mime_part *part);
void mime_part_begin(struct mime_part *part);
/* A line with its end, or a piece of a long one: `begins` tells the front. */
enum mime_part_line mime_part_add(struct mime_part *part, struct pr_str line, bool begins);
/* Fills fields and count, which live until the next begin. */
void mime_part_read(struct mime_part *part);

#endif
