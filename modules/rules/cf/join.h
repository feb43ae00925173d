/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens back to text: `joe`, `@`, `example` give "joe@example"; two atoms side by side get BlankSub between them.
 */
#ifndef CF_JOIN_H
#define CF_JOIN_H

#include "token.h"

/* Appends to out.  blank: '\0' means BlankSub. */
bool cf_join(const struct cf_alphabet *alphabet, const struct cf_token *tokens, uint32_t count, char blank, struct pr_text *out);
/* Into the arena; PR_NONE when there is no room. */
struct pr_str cf_join_arena(const struct cf_alphabet *alphabet, const struct cf_token *tokens, uint32_t count, char blank,
                            struct pr_arena *arena);
/* As traces and =S show them: a blank between all, operators of the language in their own letters. */
bool cf_show(const struct cf_names *names, const struct cf_token *tokens, uint32_t count, struct pr_text *out);

#endif
