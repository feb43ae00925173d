/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MaxMimeHeaderLength: fields of MIME that are longer than a careless reader has room for are shortened on their way to him.
 *
 * Content-Type and Content-Disposition: each parameter to field_max; those and Content-Transfer-Encoding, Content-ID, MIME-Version as a whole, and
 * Content-Description, to header_max.  What is cut off in the middle of a quoted string gets its closing quote.
 */
#ifndef KERNEL_MAIL_MIME_LIMIT_H
#define KERNEL_MAIL_MIME_LIMIT_H

#include <postrider/text.h>

/* Is a field with this name and value longer than it may be? */
bool mime_limit_is_passed(int64_t header_max, int64_t field_max, struct pr_str name, struct pr_str value);
/* The shorter value. */
void mime_limit_print(int64_t header_max, int64_t field_max, struct pr_str name, struct pr_str value, struct pr_text *out);

#endif
