/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index of all queued messages: what mailq shows, in memory.
 *
 * A message comes in by plan_index_touch (only its id is known: a wake-up) or plan_index_put (everything is), is marked while somebody
 * delivers it, is put again when it waits once more, and is removed when it is done.  A scan of the store puts what it finds with
 * the number of the scan; what two scans in a row have not met is gone, and plan_index_sweep removes it.
 *
 * A row keeps its slot as long as it lives, so a walk by slots goes on where it stopped whatever happened meanwhile: a message that was
 * there all the time is met exactly once.  Free slots are used again, and blocks of slots that are empty
 * are given back.
 *
 * Always true: no clock, lock, file; add, change and remove cost a hash and an allocation.  A message between ordinary addresses
 * costs less than 220 bytes, and with the plan's own entry less than 400; further recipients cost their bytes and 6 more.
 */
#ifndef KERNEL_PLAN_INDEX_H
#define KERNEL_PLAN_INDEX_H

#include <postrider/text.h>

#define PLAN_INDEX_ID_MAX 31

struct plan_index_recipient {
	struct pr_str address, status;
};

/* Strings are borrowed: of who puts, or until the next change of the index. */
struct plan_index_row {
	struct pr_str id, directory, sender, body_type, message, quarantine;
	int64_t size, created, last_try, tries, priority; /* size -1: there is no body */
	uint32_t flags;      /* PR_ENVELOPE_... */
	uint32_t state;      /* enum pr_entry_state */
	uint32_t recipients; /* that are not delivered yet */
	bool running;        /* somebody delivers it now */
	bool complete;       /* false: only id, state and running mean anything */
	bool unreadable;     /* its control file cannot be read */
	const struct plan_index_recipient *list; /* for put; NULL in what a walk gives */
	/* a walk: for plan_index_recipient() */
	struct pr_str packed;
};

struct plan_index;
struct plan_index *plan_index_new(size_t most);
void plan_index_free(struct plan_index *index);
size_t plan_index_count(const struct plan_index *index);
size_t plan_index_incomplete(const struct plan_index *index); /* rows that want plan_index_put */
/* Only the id is known, or nothing new.  False: too many, or no id. */
bool plan_index_touch(struct plan_index *index, struct pr_str id, uint16_t scan);
/* A directory that is not given stays what it was; so does `running`. */
bool plan_index_put(struct plan_index *index, const struct plan_index_row *row, uint16_t scan);
void plan_index_run(struct plan_index *index, struct pr_str id, bool running);
void plan_index_remove(struct plan_index *index, struct pr_str id);
/* False: not known. */
bool plan_index_find(const struct plan_index *index, struct pr_str id, struct plan_index_row *row_out);
/* From *cursor (0 first) on; false at the end. */
bool plan_index_next(const struct plan_index *index, uint32_t *cursor, struct plan_index_row *row_out);
/* The recipients of a row from a walk: *at 0 first. */
bool plan_index_recipient(const struct plan_index *index, const struct plan_index_row *row, size_t *at,
                          struct plan_index_recipient *recipient_out);
/* A walk over those that scan number `scan` has not met and that do not run; the id is valid until the next change. */
bool plan_index_missed(const struct plan_index *index, uint32_t *cursor, uint16_t scan, struct pr_str *id_out);
/* Scan number `scan` is complete: who was met neither by it nor by the one before, and does not run, is removed. */
void plan_index_sweep(struct plan_index *index, uint16_t scan);

#endif
