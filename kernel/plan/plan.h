/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is tried next: queued messages with their due times, destinations with their limits.
 *
 * A message is known by its id only, until a worker has claimed it and knows where it goes:
 *
 *   plan_put --> fresh (new: senders by turns) ------+
 *        '-----> waiting (heap by due time) --due--> ready (a queue run: by QueueSortOrder) --+
 *                                                                                             v
 *        plan_retry (waiting again) or plan_forget (gone) <---- taken <------------- plan_take, by turns
 *                                                                |  ^
 *                                                      plan_wait |  | plan_take
 *                                                                v  |
 *                                              in line at a destination (senders by turns)
 *
 * The worker asks plan_enter for each destination of the message: GO (it counts as running there until plan_leave), FULL
 * (stand in line), or DEAD (it was unreachable a moment ago: defer at once).
 *
 * How many run at one destination at once is learned: two at first, one more with each delivery that went well, half as many when it
 * pushes back (421, a lost connection), and after a failure to reach it one probe at a time.  Destinations that have not
 * shown lately that they live - new, failing, or silent for SLOW_SECONDS - share three quarters of the threads, so there is always room
 * for the others.  Those that hang are counted by plan_tick, and the caller may run so many threads more.
 *
 * Queue groups limit how many messages of theirs are in a queue run at once; a first try is none.  While many stand in line at
 * all, at most two workers at a time look at messages that have no destination yet.
 *
 * No clock, no lock, no I/O: the caller passes the time (any unit of seconds, > 0) and serialises.  What passes through costs a hash
 * and at most two heap steps, and no allocation once the tables have grown.  An entry costs less than 130 bytes with all tables.
 */
#ifndef KERNEL_PLAN_PLAN_H
#define KERNEL_PLAN_PLAN_H

#include "kernel/plan/retry.h"
#include <postrider/text.h>

#define PLAN_ID_MAX 31
#define PLAN_GROUPS_MAX 64
#define PLAN_GROUP_UNKNOWN 255 /* counts as the first one */

struct plan_destination;

/* While it is taken the caller may change source, order and busy. */
struct plan_entry {
	char id[PLAN_ID_MAX + 1];
	int64_t due;
	int64_t order;                        /* within a queue run, the smallest goes first */
	struct plan_entry *hash_next;
	struct plan_entry *next;              /* in a line, or free */
	struct plan_destination *destination; /* where it stands in line, or where a place is kept for it */
	void *job;                            /* the caller's claimed job, while in line */
	uint32_t heap_index;
	uint32_t source;                      /* whose it is, for turns: plan_source(sender); 0 unknown */
	uint16_t run;                         /* the run over everything that has taken it last */
	uint8_t group;
	uint8_t busy;                         /* the caller's: how often somebody else had it */
	uint8_t state;                        /* enum plan_state, internal.h */
	bool again : 1;                       /* asked for while taken */
	bool discovering : 1;
	bool kept : 1;                        /* a place at `destination` is kept */
	bool runner : 1;                      /* taken by a queue run, not a first try */
	bool eager : 1;                       /* its first try spares no mailer (HoldExpensive) */
	bool urgent : 1;                      /* plan_urge: a dead destination is tried all the same */
	bool patient : 1;                     /* ... but not this time: a run over all that is shown, and names nobody */
	bool aside : 1;                       /* plan_urge: to be tried although it is set aside, and forgotten then */
};

struct plan_limits {
	size_t entries;           /* most messages in memory; the rest is found by a later scan */
	size_t destinations;      /* idle ones beyond this are forgotten */
	uint32_t per_destination;
	uint32_t parked;          /* most claimed jobs standing in line */
	int64_t host_status;      /* seconds a destination counts as dead */
	uint32_t threads;         /* deliveries at once, for the shared quarter; 0: no such limit */
	uint32_t runners;         /* messages in queue runs at once (MaxQueueChildren), 0: no limit */
	bool single_thread;       /* SingleThreadDelivery: one delivery at a time to each host */
};

struct plan_counts {
	size_t entries, waiting, fresh, in_line, parked, destinations, running, dead;
};

/* What is known about a message that is put in. */
struct plan_item {
	struct pr_str id;
	int64_t due;      /* 0: new, at once */
	int64_t order;
	uint32_t source;
	uint8_t group;
	bool eager;
	bool aside, patient; /* of plan_urge only */
};

enum plan_answer { PLAN_GO = 1, PLAN_FULL = 2, PLAN_DEAD = 3 };
enum plan_outcome { PLAN_SERVED = 1, PLAN_NEUTRAL = 2, PLAN_UNREACHABLE = 3, PLAN_PUSHED_BACK = 4 };

struct plan;
struct plan *plan_new(const struct plan_limits *limits);
void plan_free(struct plan *plan);
/* Group `number` runs so many messages at once in queue runs, 0: no limit of its own; when it has runs of its own, each asks dead hosts anew. */
void plan_set_group(struct plan *plan, uint8_t number, uint32_t runners, const struct plan_retry *retry);
void plan_regroup(struct plan *plan, struct plan_entry *entry, uint8_t group); /* one that is taken */
/* A sender as a number for turns; never 0. */
uint32_t plan_source(struct pr_str sender);

/* Known ids only become due earlier.  False: too many, or the id is too long. */
bool plan_put(struct plan *plan, const struct plan_item *item);
bool plan_add(struct plan *plan, struct pr_str id, int64_t due);
/* Somebody asked for this very message: item->due is now, and no destination of it counts as dead. */
bool plan_urge(struct plan *plan, const struct plan_item *item);
/* What a scan knows more than a wake-up did; the due time stays.  False: not known. */
bool plan_learn(struct plan *plan, const struct plan_item *item);
bool plan_knows(const struct plan *plan, struct pr_str id);
/* The next one to work on, or NULL.  entry->job is what plan_wait was given. */
struct plan_entry *plan_take(struct plan *plan, int64_t now);
/* When plan_take may have something: 0 now, PLAN_NEVER, or a time. */
int64_t plan_next_due(const struct plan *plan);
void plan_retry(struct plan *plan, struct plan_entry *entry, int64_t due);
void plan_forget(struct plan *plan, struct plan_entry *entry);
void plan_count(const struct plan *plan, int64_t now, struct plan_counts *counts_out);

/* A run over everything (sendmail -q): what is known (with several groups: with its group) is due now, no destination is dead.  plan_run_put then takes what a reading of
 * the store finds, and leaves alone what this run has taken already: its control file may be a new one, it was tried.
 * plan_run_begin is the same where only that reading knows what is due: no destination is dead. */
void plan_run_all(struct plan *plan, int64_t now);
void plan_run_begin(struct plan *plan);
bool plan_run_put(struct plan *plan, const struct plan_item *item, int64_t now);

/* Destinations live while anything is running, in line or cached there. */
struct plan_destination *plan_destination(struct plan *plan, struct pr_str mailer, struct pr_str host, int64_t now);
/* At most so many deliveries at once there, in the place of the limit for all; 0: that. */
void plan_destination_limit(const struct plan *plan, struct plan_destination *destination, uint32_t most);
/* With DEAD, *reason_out (borrowed until the destination changes) is what it died of. */
enum plan_answer plan_enter(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, int64_t now,
                            struct pr_str *reason_out);
void plan_leave(struct plan *plan, struct plan_destination *destination, enum plan_outcome outcome, struct pr_str reason, int64_t now);
/* Now and then, each second: who has become silent?  How many threads hang there. */
uint32_t plan_tick(struct plan *plan, int64_t now);
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
