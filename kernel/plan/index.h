/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What mailq shows of every message that waits, so that nobody has to read a hundred thousand files for a list.
 *
 * A message comes in when it is put back after a try, or when a scan finds it; one that is delivered at its first attempt is
 * never here.  It goes when it is finished, or when a whole scan has not seen it and the store does not know it.  Reasons, queue names and body types are kept
 * once for all who share them.
 *
 * No clock, no lock, no I/O: the caller serialises.  A walk by slots goes on over changes: what was there all the time is seen once.
 * A message costs about 200 bytes with ordinary addresses, and more for each further recipient.
 */
#ifndef KERNEL_PLAN_INDEX_H
#define KERNEL_PLAN_INDEX_H

#include <postrider/text.h>

struct index_row {
	struct pr_str id, queue, sender, body_type, message;
	struct pr_str recipients; /* each ended by NUL: those that are not delivered yet */
	int64_t created, last_try, tries, priority, size;
	uint32_t state;           /* enum pr_entry_state */
	uint32_t flags;           /* PR_ENVELOPE_... */
};

struct queue_index;
struct queue_index *index_new(void);
void index_free(struct queue_index *index);
/* Adds it, or takes the place of what was known of that id.  `round` is the scan that is going on. */
void index_put(struct queue_index *index, const struct index_row *row, uint32_t round);
/* A scan has seen it; false: it is not known, or was other when it was put in. */
bool index_seen(struct queue_index *index, struct pr_str id, int64_t last_try, uint32_t state, uint32_t round);
void index_remove(struct queue_index *index, struct pr_str id);
bool index_has(const struct queue_index *index, struct pr_str id);
/* The next one that the scan of that round has not seen; *cursor 0 at first, false at the end. */
bool index_next_unseen(const struct queue_index *index, size_t *cursor, uint32_t round, struct pr_str *id_out);
size_t index_count(const struct queue_index *index);
/* *cursor 0 at first; false at the end.  The row is borrowed until the next change. */
bool index_next(const struct queue_index *index, size_t *cursor, struct index_row *row_out);

#endif
