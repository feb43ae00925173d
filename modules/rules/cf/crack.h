/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frame around a header address: comments, phrase, angle brackets, group; see crack.c.
 */
#ifndef CF_CRACK_H
#define CF_CRACK_H

#include <postrider/text.h>

#define CF_FRAME_MARK "\001" /* where the address goes */

/* groups: "name: a, b;" is a group (ColonOkInAddr is off).  must_quote: bytes that a phrase may only hold in quotes. */
void cf_crack(struct pr_str text, bool groups, const char *must_quote, struct pr_text *out);
void cf_frame_print(struct pr_str frame, struct pr_str address, struct pr_text *out);

#endif
