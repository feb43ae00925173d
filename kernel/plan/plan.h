/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is tried next: queued messages with their due times, destinations with their limits.
 *
 * A message is known by its id only, until a worker has claimed it and knows where it goes:
 *
 *   plan_add --> waiting (heap by due time) --due--> fresh --plan_take--> taken --+--> plan_retry (waiting again)
 *                                                                         ^  |    +--> plan_forget (done, gone)
 *                                                      plan_take, by turns |  +--plan_wait--> in line at a destination
 *                                                                         '------------------------'
 *
 * The worker asks plan_enter for each destination of the message: GO (it counts as running there until plan_leave), FULL
 * (as many deliveries as allowed are running: stand in line), or DEAD (it was unreachable a moment ago: defer at once).
 * Lines of different destinations are served by turns, and never more than `limit` workers are with one of
 * them; so one slow or dead destination costs the others nothing.  While many stand in line at all, at most two
 * workers at a time look at fresh messages.
 *
 * No clock, no lock, no I/O: the caller passes the time (any unit of seconds) and serialises.  An entry costs 80 bytes.
 */
#ifndef KERNEL_PLAN_PLAN_H
#define KERNEL_PLAN_PLAN_H

#include "kernel/plan/retry.h"
#include <postrider/text.h>

#define PLAN_ID_MAX 31

struct plan_destination;

struct plan_entry {
	char id[PLAN_ID_MAX + 1];
	int64_t due;
	struct plan_entry *hash_next;
	struct plan_entry *next;              /* in a line, or free */
	struct plan_destination *destination; /* where it stands in line, or where a place is kept for it */
	void *job;                            /* the caller's claimed job, while in line */
	uint32_t heap_index;
	uint8_t state;                        /* enum plan_state, plan_entry.c */
	uint8_t again;                        /* asked for while taken */
	uint8_t discovering;
	uint8_t kept;                         /* a place at `destination` is kept */
};

struct plan_limits {
	size_t entries;         /* most messages in memory; the rest is found by a later scan */
	size_t destinations;    /* idle ones beyond this are forgotten */
	uint32_t per_destination;
	uint32_t parked;        /* most claimed jobs standing in line */
	int64_t host_status;    /* seconds a destination counts as dead */
};

struct plan_counts {
	size_t entries, waiting, fresh, in_line, parked, destinations, running, dead;
};

enum plan_answer { PLAN_GO = 1, PLAN_FULL = 2, PLAN_DEAD = 3 };
enum plan_outcome { PLAN_SERVED = 1, PLAN_NEUTRAL = 2, PLAN_UNREACHABLE = 3 };

struct plan;
struct plan *plan_new(const struct plan_limits *limits);
void plan_free(struct plan *plan);

/* Known ids only become due earlier.  False: too many, or the id is too long. */
bool plan_add(struct plan *plan, struct pr_str id, int64_t due);
bool plan_knows(const struct plan *plan, struct pr_str id);
/* The next one to work on, or NULL.  entry->job is what plan_wait was given. */
struct plan_entry *plan_take(struct plan *plan, int64_t now);
/* When plan_take may have something: 0 now, PLAN_NEVER, or a time. */
int64_t plan_next_due(const struct plan *plan);
void plan_retry(struct plan *plan, struct plan_entry *entry, int64_t due);
void plan_forget(struct plan *plan, struct plan_entry *entry);
/* Everything is due now, no destination is dead (sendmail -q). */
void plan_run_all(struct plan *plan, int64_t now);
void plan_count(const struct plan *plan, int64_t now, struct plan_counts *counts_out);

/* Destinations live while anything is running, in line or cached there. */
struct plan_destination *plan_destination(struct plan *plan, struct pr_str mailer, struct pr_str host, int64_t now);
/* With DEAD, *reason_out (borrowed until the destination changes) is what it died of. */
enum plan_answer plan_enter(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, int64_t now,
                            struct pr_str *reason_out);
void plan_leave(struct plan *plan, struct plan_destination *destination, enum plan_outcome outcome, struct pr_str reason, int64_t now);
/* May one more claimed job stand in line? */
bool plan_may_park(const struct plan *plan);
void plan_wait(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, void *job);
/* A place for the caller's own (idle connections); while *slot is not NULL the destination is kept. */
void **plan_destination_slot(struct plan_destination *destination);
/* Walks destinations: NULL first, NULL at the end. */
struct plan_destination *plan_destination_next(struct plan *plan, struct plan_destination *destination);
/* Takes any parked entry out of line, at the end of the process; NULL when none is left. */
struct plan_entry *plan_unpark(struct plan *plan);

#endif
