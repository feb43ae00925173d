/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Base64 (RFC 4648 section 4), strictly: what is not exactly that is refused.  No blanks, no line ends, no missing padding, no bits
 * behind the last byte.
 */
#ifndef POSTRIDER_BASE64_H
#define POSTRIDER_BASE64_H

#include "arena.h"

/* Both results live in the arena; absent, and false, when it is full. */
struct pr_str pr_base64_encode(struct pr_arena *arena, struct pr_str bytes);
bool pr_base64_decode(struct pr_arena *arena, struct pr_str text, struct pr_str *bytes_out);

#endif
