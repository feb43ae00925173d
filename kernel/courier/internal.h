/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier from inside.
 *
 *   main.c      starts, listens to the master and to wake-ups, keeps time, leaves
 *   scan.c      goes through the store now and then: the truth about what is queued
 *   worker.c    threads that take messages from the plan; the set grows while work waits
 *   job.c       one message: claim, route, group by destination, run the groups, settle
 *   deliver.c   one group: session from the cache or new, the mailer, results per recipient
 *   cache.c     idle sessions of mailers, by destination
 *   settle.c    what becomes of the message afterwards: notices, finish or defer
 *   notice.c    bounces, warnings and success notices, composed into the queue
 *   expand.c    aliases for those notices
 *   report.c    the lines in the log
 *   helper.c    local deliveries through the master's helpers
 *
 * One lock guards plan, cache and worker counts; it is never held during I/O or a module's call.
 */
#ifndef KERNEL_COURIER_INTERNAL_H
#define KERNEL_COURIER_INTERNAL_H

#include "kernel/config/role.h"
#include "kernel/courier/courier.h"
#include "kernel/module/module.h"
#include "kernel/net/channel.h"
#include "kernel/net/helper_protocol.h"
#include "kernel/plan/plan.h"

#include <pthread.h>
#include <stdatomic.h>

#define COURIER_STACK (256 * 1024)
#define JOB_ARENA_MAX (256u << 20)

struct courier_counters {
	atomic_uint_fast64_t sent, deferred, failed, notices; /* not under the lock */
};

struct courier {
	const struct role *role;
	struct config *config;
	const struct options *options;
	struct module_set *set;
	struct helper_client *helpers;
	struct courier_asks *asks;      /* helper.c */
	struct plan_retry retry;
	unsigned int max_workers;
	pthread_mutex_t lock;
	pthread_cond_t work;            /* workers wait for messages */
	pthread_cond_t quiet;           /* a worker became idle or left */
	pthread_cond_t scan;            /* the scanner waits for its time */
	/* under the lock */
	struct plan *plan;
	unsigned int workers, idle;
	bool draining, scan_wanted, run_all, scanner_running, scanned_once;
	size_t cached;
	struct courier_counters counters;
};

/* One recipient on its way. */
struct parcel {
	struct pr_recipient *recipient;
	struct pr_str mailer, host, user;
	uint32_t group;                 /* index of its group + 1; 0: none */
	uint32_t code;
	enum pr_status status;          /* PR_MISUSE: no result yet */
	uint32_t flags;                 /* PR_DELIVERY_... */
	struct pr_str enhanced, reply, remote;
};

struct group {
	struct pr_str mailer, host;
	struct module_instance *instance;
	size_t count;
	bool done;
};

struct job {
	struct courier *courier;
	struct plan_entry *entry;
	struct pr_arena arena;
	struct module_scope scope;
	struct pr_claim claim;
	struct pr_envelope *envelope;
	struct parcel *parcels;         /* those that are tried */
	size_t parcel_count;
	struct group *groups;
	size_t group_count;
	bool first_try;                 /* was never tried before */
	bool expensive_ok;              /* a queue run: HoldExpensive does not hold it */
	bool written;                   /* some result was already recorded by update */
};

struct cached_session {
	struct module_session session;
	struct plan_destination *destination;
	struct cached_session *next;    /* the newest first */
	uint32_t served;
	int64_t since;
};

struct worker {
	struct courier *courier;
	struct module_thread *thread;
	struct job *spare;              /* its arena is warm */
};

/* main.c */
int64_t courier_now(void); /* monotonic seconds, the plan's time */
int64_t courier_wall(void);
int64_t courier_fresh_due(const struct courier *courier); /* of a message that was never tried: 0 now */
void courier_add(struct courier *courier, struct pr_str id, int64_t due);
void courier_kick(struct courier *courier); /* with the lock held: somebody shall look */
/* The same in two steps: with the lock held, starts a worker if none is idle; true: signal `work` when the lock is free. */
bool courier_wants(struct courier *courier);

/* worker.c */
void worker_start(struct courier *courier); /* with the lock held */

/* scan.c */
bool scan_start(struct courier *courier);
void scan_once(struct courier *courier, struct module_thread *thread, bool all_due);

/* job.c */
struct job *job_new(struct courier *courier);
void job_free(struct job *job);
/* Takes the message as far as it goes now; true when `job` is free for the next one, false when it stands in line. */
bool job_run(struct job *job, struct worker *worker, struct plan_entry *entry);
void job_give_up(struct job *job, struct worker *worker); /* a parked one at the end: released */

/* route.c */
enum pr_status job_route(struct job *job);

/* deliver.c */
void group_deliver(struct job *job, struct group *group, struct plan_destination *destination, enum plan_outcome *outcome_out,
                   struct pr_str *reason_out);
void group_fail(struct job *job, struct group *group, enum pr_status status, struct pr_str enhanced, struct pr_str reply);

/* cache.c; the first two with the lock held */
struct cached_session *cache_take(struct courier *courier, struct plan_destination *destination);
struct cached_session *cache_take_old(struct courier *courier, int64_t now); /* one that was idle too long, else NULL */
struct cached_session *cache_open(struct job *job, struct module_instance *instance, struct plan_destination *destination,
                                  const struct pr_destination *where);
void cache_put(struct courier *courier, struct cached_session *session, struct module_scope *scope);
void cache_close(struct cached_session *session, struct module_scope *scope);

/* settle.c */
void job_note_results(struct job *job, struct group *group);
/* Everything was tried: notices, then finish or defer; the entry goes back to the plan. */
void job_settle(struct job *job);
/* Seconds of the plan until the next try. */
int64_t job_next_due(const struct job *job);

/* notice.c: PR_OK when none is due or it is safely queued */
enum pr_status notice_failure(struct job *job);
enum pr_status notice_success(struct job *job);
enum pr_status notice_delay(struct job *job);

/* expand.c: the recipients of a notice after aliases */
void notice_expand(struct job *job, struct pr_envelope *envelope);

/* report.c */
void report_group(const struct job *job, const struct group *group, int64_t seconds);

/* helper.c */
void helpers_open(struct courier *courier);
void helpers_close(struct courier *courier);
bool helpers_answer(struct courier *courier, const struct channel_message *message, int fd);

#endif
