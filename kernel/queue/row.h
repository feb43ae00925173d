/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One message of a listing, on its way from the courier to mailq, or from the store's files.
 *
 * A row is a head of fixed size and the strings one after the other; the head begins with the length of all of it.  Both ends are the same
 * program on the same machine, but mailq may be root and the courier is not: row_read believes no length before it is checked.
 *
 * The stream of the courier (kernel/courier/index_stream.c):
 *
 *   "QUEUE 1 /var/spool/mqueue\n"     QueueDirectory as it is configured: is that the queue we mean?
 *   "PLACE /var/spool/mqueue/q.1\n"   each directory
 *   "ROWS 100000\n"                   about so many follow
 *   rows, then a length of 0: all of them were sent
 *
 * or one line "DENIED\n", "BUSY text\n", "ERROR text\n".
 */
#ifndef KERNEL_QUEUE_ROW_H
#define KERNEL_QUEUE_ROW_H

#include "kernel/plan/index.h"
#include <postrider/store.h>

#define ROW_MAX (64u << 20) /* bytes of one row */
#define ROW_VERSION 1

struct row_head {
	uint32_t length; /* of the row, this head included */
	uint32_t flags, recipients, tries, state, bits;
	int64_t size, created, last_try, priority;
};

/* What the store gave as a row; the list of recipients lives in the arena.  envelope NULL: unreadable. */
void row_from_store(const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena, struct plan_index_row *row_out);
/* Those that are not delivered yet. */
void row_recipients(const struct pr_envelope *envelope, struct pr_arena *arena, struct plan_index_row *row);

/* Appends; index NULL: the recipients are row->list, else what the index has.  False: it does not fit. */
bool row_write(const struct plan_index *index, const struct plan_index_row *row, struct pr_text *out);
/* False: damaged.  Strings borrow the bytes; the recipients are read with row_next. */
bool row_read(struct pr_str bytes, struct plan_index_row *row_out);
bool row_next(struct plan_index_row *row, struct plan_index_recipient *recipient_out);

#endif
