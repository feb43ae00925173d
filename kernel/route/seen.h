/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was already met during an expansion: a set of keys that can be taken back.
 *
 * Keys are added in order and undone in the opposite order, so a refused recipient leaves no trace.
 * An entry is `open` while the list it stands for is being walked: meeting it then is a loop, afterwards a duplicate.
 */
#ifndef KERNEL_ROUTE_SEEN_H
#define KERNEL_ROUTE_SEEN_H

#include <postrider/text.h>

struct seen_entry {
	struct seen_entry *next;  /* same bucket */
	struct seen_entry *older; /* added before */
	uint64_t hash;
	size_t serial;            /* how many were there before */
	uint32_t open;
	uint32_t length;
	struct pr_str shown;      /* borrowed: a name for it */
	char key[];
};

struct seen {
	struct seen_entry **buckets;
	struct seen_entry *newest;
	size_t bucket_count;
	size_t count;
};

void seen_fini(struct seen *seen); /* a zeroed struct is an empty set */
struct seen_entry *seen_find(const struct seen *seen, struct pr_str key); /* NULL when absent */
struct seen_entry *seen_add(struct seen *seen, struct pr_str key);        /* the caller has looked before */
/* Takes back everything after the first `count`. */
void seen_undo(struct seen *seen, size_t count);

#endif
