/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings that many share: thousands of messages wait for one reason, in one directory.
 *
 * A string is kept once, with a count of those who use it, and goes with the last of them.  It is named by a number; 0 is "absent".
 * The number leads to the same bytes until its last reference is dropped; intern_text borrows them as long.
 */
#ifndef KERNEL_PLAN_INTERN_H
#define KERNEL_PLAN_INTERN_H

#include <postrider/text.h>

#define INTERN_LENGTH_MAX 1000 /* longer ones are cut: they are for people to read */

struct intern_entry;
struct intern {
	struct intern_entry **entries; /* by number - 1 */
	uint32_t *buckets;
	size_t count, room, bucket_count;
	uint32_t unused;               /* first free number, 0 none */
	uint32_t *next_unused;
};

void intern_init(struct intern *table);
void intern_fini(struct intern *table);
uint32_t intern_take(struct intern *table, struct pr_str text); /* one reference more */
void intern_drop(struct intern *table, uint32_t number);
struct pr_str intern_text(const struct intern *table, uint32_t number);

#endif
