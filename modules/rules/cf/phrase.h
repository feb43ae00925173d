/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A class: a set of words and phrases.
 *
 * `$=w` matches the shortest run of tokens whose text, joined, is in class w.  The set is a hash of lower-cased texts; it also
 * knows the length of its longest member and which bytes members begin with, so most runs are given up at their first token.
 */
#ifndef CF_PHRASE_H
#define CF_PHRASE_H

#include "token.h"

struct cf_phrases {
	struct cf_phrases *spelling; /* of all classes: a word is spelled as it was written first, and its bytes are there; NULL: our own */
	struct pr_str *items; /* in order */
	uint32_t *hashes;
	size_t count;
	size_t room;
	uint32_t *slots;
	size_t slot_count;
	uint32_t longest;
	uint64_t first[4]; /* lower-cased first bytes of the members */
};

void cf_phrases_fini(struct cf_phrases *phrases);
void cf_phrases_add(struct cf_phrases *phrases, struct pr_str text); /* once is enough */
bool cf_phrases_has(const struct cf_phrases *phrases, struct pr_str text);

/* Is the run of `count` tokens a member?  *is_hopeless_out: no longer run that begins so can be one. */
bool cf_phrases_match(const struct cf_phrases *phrases, const struct cf_alphabet *alphabet, const struct cf_token *tokens, uint32_t count,
                      bool *is_hopeless_out);

#endif
