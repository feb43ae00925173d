/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table in memory that never changes once it is built.
 *
 * Records stand one behind the other in one block; an index of slots (open addressing, half empty) says where.  A key that is there costs
 * two places of memory, one that is not mostly one.  A key stored with a final NUL is kept without it and marked: then one search
 * answers for both forms, and the form without wins.
 */
#ifndef MODULES_MAPS_HASH_MEMORY_H
#define MODULES_MAPS_HASH_MEMORY_H

#include <postrider/text.h>

struct memory;

struct memory *memory_new(void); /* one reference, the caller's */
struct memory *memory_hold(struct memory *table);
void memory_release(struct memory *table); /* NULL is fine */

/* Of several equal keys the first counts.  False: the table would pass 4 GB. */
bool memory_add(struct memory *table, struct pr_str key, struct pr_str value);
void memory_seal(struct memory *table); /* builds the index; no memory_add() afterwards */

/* The value, in the table's own memory.  plain, nul: which forms of the stored key count. */
bool memory_find(const struct memory *table, struct pr_str key, bool plain, bool nul, struct pr_str *value_out);
/* *cursor is 0 at first. */
bool memory_next(const struct memory *table, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out);

#endif
