/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier from inside.
 *
 *   main.c      starts, listens to the master and to wake-ups, keeps time, leaves
 *   drain.c     the end: hand over, wait for the threads
 *   clock.c     two clocks, and jumps of one of them
 *   groups.c    queue groups: intervals and runners
 *   ready.c     listens to a store that says what is ready
 *   index.c     what is queued, for mailq; index_stream.c sends it
 *   load.c      is the machine too busy?
 *   rights.c    who may see the queue, and have it run
 *   scan.c      goes through the store now and then: the truth about what is queued
 *   selected.c  goes through it for the messages that somebody chose
 *   worker.c    threads that take messages from the plan; the set grows while work waits
 *   nap.c       where those of them sleep that have nothing to do
 *   wakes.c     reads what the receiver says of new mail
 *   job.c       one message: claim, route, group by destination, run the groups, settle
 *   deliver.c   one group: session from the cache or new, the mailer, results per recipient
 *   lease.c     renews claims that last for a time
 *   hosts.c     what a delivery has shown about its host
 *   timeouts.c  when a message is returned or its sender warned
 *   words.c     tells those who wait for a first attempt (DeliveryMode i)
 *   cache.c     idle sessions of mailers, by destination
 *   settle.c    what becomes of the message afterwards: notices, finish or defer
 *   status.c    the enhanced status code of a result
 *   notice.c    bounces, warnings and success notices, composed into the queue
 *   notice_words.c  what the last try knows of each recipient, for those notices
 *   notice_header.c  their header fields and ErrorHeader, with macros
 *   expand.c    aliases and queue group for those notices
 *   host_record.c  what was learned of hosts, in files that others read
 *   dead_hosts.c  the same in memory, where there are no such files
 *   report.c    the lines in the log
 *   unsettled.c what the store could not take down yet
 *   statistics.c  what is counted for mailstats
 *   verbose.c   the lines on the terminal of sendmail -v -q
 *   helper.c    local deliveries through the master's helpers
 *
 * One lock guards plan, cache and worker counts; it is never held during I/O or a module's call.
 */
#ifndef KERNEL_COURIER_INTERNAL_H
#define KERNEL_COURIER_INTERNAL_H

#include "kernel/config/role.h"
#include "kernel/courier/clock.h"
#include "kernel/courier/courier.h"
#include "kernel/log/repeat.h"
#include "kernel/mail/dsn.h"
#include "kernel/module/module.h"
#include "kernel/net/channel.h"
#include "kernel/net/helper_protocol.h"
#include "kernel/plan/index.h"
#include "kernel/plan/order.h"
#include "kernel/plan/plan.h"
#include "kernel/queue/selection.h"
#include "kernel/queue/statistics.h"

#include <pthread.h>
#include <stdatomic.h>

#define COURIER_STACK (256 * 1024)
#define JOB_ARENA_MAX (256u << 20)

struct courier_counters {
	atomic_uint_fast64_t sent, deferred, failed, notices; /* not under the lock */
};

struct courier_group {
	struct pr_str name;
	struct plan_retry retry;
};

struct job;
struct courier_index;
struct courier_leases {
	pthread_mutex_t lock; /* of its own: a renewal and the end of a claim exclude each other */
	pthread_cond_t changed;
	struct job *first, *renewing;
	pthread_t thread;
	bool running, closing;
};

struct courier_shown {
	const struct job *job; /* whose group is being delivered now, or NULL */
	const struct group *group;
};

/* Clients that wait for the first attempt of their message. */
#define COURIER_WORD_BUCKETS 256
struct courier_word;
struct courier_words {
	pthread_mutex_t lock; /* of its own: innermost */
	atomic_size_t count;
	struct courier_word *buckets[COURIER_WORD_BUCKETS];
	bool closed;
};

/* How a job that is done ends its claim. */
enum job_end { JOB_RUNS = 0, JOB_DEFERS = 1, JOB_FINISHES = 2 };

/* dead_hosts.c: without HostStatusDirectory. */
#define COURIER_DEAD_HOSTS 256
struct courier_dead_host {
	char *name, *reason;
	int64_t until;
};
struct courier_dead_hosts {
	pthread_mutex_t lock; /* of its own: innermost */
	size_t count;
	struct courier_dead_host list[COURIER_DEAD_HOSTS];
};

struct courier {
	const struct role *role;
	struct config *config;
	const struct options *options;
	struct module_set *set;
	struct helper_client *helpers;
	struct courier_asks *asks;      /* helper.c */
	struct plan_retry retry;        /* of the default group */
	struct courier_group groups[PLAN_GROUPS_MAX];
	size_t group_count;
	enum plan_sort sort;
	struct courier_leases leases;
	struct statistics_counters *statistics; /* statistics.c; NULL: no StatusFile */
	struct statistics_names statistics_names;
	struct courier_words words;
	struct courier_tls *tls;        /* tls_record.c; NULL: no TLSReportDirectory */
	struct courier_dead_hosts dead_hosts;
	struct courier_index *index;    /* index.c; a lock of its own */
	unsigned int threads, most_threads; /* CourierThreads, and with those that hang */
	pthread_mutex_t lock;
	pthread_mutex_t waking;         /* who holds it reads wake-ups; taken before `lock` */
	int naps, calls, needed;        /* nap.c: the epoll set, and two eventfds: for one who sleeps there, and for the first thread, who is to look */
	pthread_cond_t quiet;           /* a worker became idle or left */
	pthread_cond_t scan;            /* the scanner waits for its time */
	/* under the lock */
	struct plan *plan;
	unsigned int workers, idle, starting, max_workers;
	unsigned int services;          /* threads besides the workers */
	struct job *unsettled;          /* unsettled.c */
	bool draining, scan_wanted, run_all;
	int64_t sleeps_until;           /* the first thread, at most */
	bool listens;                   /* the first thread reads wake-ups: no worker can */
	bool scan_counts;  /* the scan that runs, or is to run first, is one that who asks for the state waits for */
	bool scanned_once;
	struct courier_clock clock;
	size_t cached;
	unsigned int selected_running;  /* walks of selected.c */
	uint64_t runs;                  /* queue runs that somebody asked for, as they are taken up */
	size_t sequence_at, sequence_of; /* of the chosen messages: how many had their turn */
	struct courier_counters counters;
	struct log_repeat status_fails; /* HostStatusDirectory cannot be written */
	_Atomic int64_t load;           /* load.c; not under the lock */
	struct courier_shown shown;     /* verbose.c, the one worker's */
};

/* What check_compat said, in sendmail's terms. */
struct compat_result {
	enum pr_status status;
	const char *enhanced;   /* dsn= in the log, Status: in the notice */
	const char *codes;      /* of the closing line of the notice; NULL: there is none */
	const char *word;       /* stat= in the log; NULL: no line at all */
	bool about_recipient;   /* the closing line names him */
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
	struct pr_str command;          /* that the reply answers, or absent */
	const struct compat_result *compat; /* NULL: check_compat had nothing against it */
	enum dsn_by by;                 /* its sender is to be told that it was handed on; DSN_BY_NOTHING when he was */
};

struct group {
	struct pr_str mailer, host;
	struct module_instance *instance;
	struct plan_destination *destination; /* while a delivery runs there */
	size_t count;
	bool done;
	bool held;                      /* not tried: it waits for a queue run */
};

/* What the plan says of an entry when a worker takes it: copied under the lock, for others change it. */
struct turn {
	bool runner, eager, urgent, patient, aside; /* as in struct plan_entry */
	bool barred;                                /* its group has too many that are unsettled */
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
	struct turn turn;
	bool is_run;                    /* a queue run, no first attempt at once */
	bool hosts_told;                /* the mailer keeps the record of each host it tries */
	bool refusal_counted;           /* statistics.c */
	bool expired;                   /* Timeout.queuereturn is over: what had failed for now has failed for good */
	bool late;                      /* the time of its BY= is over: notices say that */
	bool unrecorded;                /* some result could not be recorded by update */
	enum job_end unsettled;         /* what the store would not do yet */
	struct job *unsettled_next;     /* under the courier's lock */
	/* under the lock of the leases */
	struct job *lease_next;
	int64_t renew_at, lease_end;    /* monotonic milliseconds */
	bool leased;
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

/* macros.c: of the job that is the context */
struct pr_str courier_macro(void *context, struct pr_str name);
/* clock.c */
int64_t courier_now(void); /* monotonic seconds, the plan's time */
int64_t courier_wall(void);
int32_t courier_zone(int64_t wall); /* seconds east of UTC then, here */
int64_t courier_age(struct courier *courier, int64_t created); /* seconds, jumps of the clock taken off */

/* drain.c */
bool courier_is_leaving(struct courier *courier);
void courier_service_starts(struct courier *courier, void *(*run)(void *)); /* a thread that ends with courier_service_ends */
void courier_service_ends(struct courier *courier);
void courier_run_once(struct courier *courier); /* sendmail -q without a daemon */
bool courier_drain(struct courier *courier, int64_t limit); /* false: some thread did not end in time */

/* groups.c */
void groups_open(struct courier *courier);
/* Before the first message.  interval 0: the default group's; runners 0: MaxRunnersPerQueue.  False: too many. */
bool groups_add(struct courier *courier, struct pr_str name, int64_t interval, int64_t runners);
uint8_t groups_find(const struct courier *courier, struct pr_str name);
const struct plan_retry *groups_retry(const struct courier *courier, uint8_t number);
void job_find_group(struct job *job); /* of a message that only a wake-up told of */

/* index.c */
void courier_index_open(struct courier *courier);
void courier_index_close(struct courier *courier);
void courier_index_wake(struct courier *courier, struct pr_str id); /* there is one, nothing else is known */
void courier_index_running(struct job *job, bool running);
void courier_index_waits(struct job *job);                           /* put back into the queue as its envelope says */
void courier_index_gone(struct courier *courier, struct pr_str id);
/* Up to `room` rows that the scan has not met, from *cursor on; how many. */
size_t courier_index_missed(struct courier *courier, uint32_t *cursor, char (*ids)[PLAN_INDEX_ID_MAX + 1], size_t room);
void courier_index_vanished(struct courier *courier, struct pr_str id); /* looked for where another process had it, and not found */
/* A scan: begins, meets an entry (envelope NULL: unreadable), and has met all. */
void courier_index_scan(struct courier *courier);
void courier_index_scanned(struct courier *courier, const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena);
void courier_index_filled(struct courier *courier, const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena);
void courier_index_scan_ends(struct courier *courier);
/* index_stream.c: the client at fd is answered by a thread of its own */
void courier_index_answer(struct courier *courier, int fd);

/* rights.c: may who is at the other end of fd? */
bool rights_see(const struct courier *courier, int fd);
bool rights_run(const struct courier *courier, int fd);

/* load.c */
void load_look(struct courier *courier);
bool load_is_too_high(const struct courier *courier, int64_t priority);
bool load_skips_run(struct courier *courier); /* and it is told */

/* lease.c */
void leases_open(struct courier *courier);
void leases_close(struct courier *courier);
void lease_begin(struct job *job); /* after a claim */
void lease_goes_on(struct job *job); /* after a call that did not end it */
void lease_end(struct job *job);   /* before a call that ends the claim */

/* words.c */
void words_open(struct courier *courier);
void words_note(struct courier *courier, struct pr_str id, int fd); /* fd becomes ours; before the plan knows the message */
/* The first attempt has ended, with QUEUE_WORD_...; nothing when nobody waits. */
void words_say(struct courier *courier, struct pr_str id, char what);
void words_close(struct courier *courier); /* at the end: nobody waits any more, now or later */

/* ready.c */
void *ready_main(void *courier);

/* hosts.c */
enum plan_outcome courier_judge(const struct job *job, const struct group *group, struct pr_str *reply_out);
void courier_note_host(struct courier *courier, const struct group *group, enum plan_outcome outcome, struct pr_str reply);

/* timeouts.c; 0: at the first failure, and never */
int64_t job_return_after(const struct job *job);
int64_t job_warn_after(const struct job *job);

/* main.c */
/* False: it is time to leave; *limit_out is how long that may take, -1 without limit. */
bool courier_read_channel(struct courier *courier, int64_t *limit_out);
void courier_run_begin(struct courier *courier); /* with the lock held: of everything; a scan with all_due follows */
int64_t courier_fresh_due(const struct courier *courier, uint8_t group); /* of a message that was never tried: 0 now */
int64_t courier_fresh_due_in(const struct courier *courier, uint8_t group, char mode); /* a letter of DeliveryMode */
void courier_add(struct courier *courier, struct pr_str id, int64_t due);
void courier_kick(struct courier *courier); /* with the lock held: somebody shall look */
/* The same in two steps: with the lock held, starts a worker if none is idle; true: nap_call() when the lock is free. */
bool courier_wants(struct courier *courier);

/* nap.c */
enum nap { NAP_OVER, NAP_CALLED, NAP_MAIL };
bool naps_open(struct courier *courier);
void naps_close(struct courier *courier);
enum nap nap_take(struct courier *courier, int seconds); /* with the lock held, which is free meanwhile */
void nap_call(struct courier *courier);
void nap_more_wakes(struct courier *courier); /* another one is woken, if there are more */
void nap_without_wakes(struct courier *courier); /* nobody can send any any more */
/* With the lock held.  Somebody must sleep there, or the first thread listens. */
void nap_need_one(struct courier *courier);
bool nap_main_listens(struct courier *courier); /* shall it still? */

/* wakes.c */
void wakes_read(struct courier *courier); /* by a worker, who looks into the plan afterwards */
bool wakes_read_all(struct courier *courier); /* by the first thread; false: nobody can send any more */

/* worker.c */
bool worker_start(struct courier *courier); /* with the lock held */

/* scan.c */
void *scan_main(void *courier);
/* The place of a message in a queue run. */
int64_t courier_order(const struct courier *courier, const struct plan_facts *facts);
/* Does MinQueueAge or MaxQueueAge keep it from a queue run? */
bool scan_is_young(const struct courier *courier, const struct pr_entry *entry, uint8_t group);
void scan_once(struct courier *courier, struct module_thread *thread, bool all_due);

/* dead_hosts.c */
void dead_hosts_init(struct courier_dead_hosts *hosts);
void dead_hosts_fini(struct courier_dead_hosts *hosts);
void dead_hosts_clear(struct courier_dead_hosts *hosts);
void dead_hosts_note(struct courier_dead_hosts *hosts, struct pr_str name, struct pr_str reason, int64_t until);
void dead_hosts_forget(struct courier_dead_hosts *hosts, struct pr_str name);
bool dead_hosts_find(struct courier_dead_hosts *hosts, struct pr_str name, int64_t now, struct pr_arena *arena, struct pr_str *reason_out);

/* host_record.c: nothing without HostStatusDirectory */
void host_record_write(struct job *job, const struct group *group, enum plan_outcome outcome, struct pr_str reply);
void host_record_offer(struct module_services *services); /* to mailers that choose among several hosts */
bool host_record_is_dead(struct job *job, const struct group *group, struct pr_str *reason_out);

/* tls_record.c: how TLS with next hosts fared */
void tls_record_open(struct courier *courier);
void tls_record_close(struct courier *courier);
void tls_record_offer(const struct courier *courier, struct module_services *services); /* to mailers */
void tls_record_tick(struct courier *courier); /* now and then: what was counted goes to disk */
void tls_record_flush(struct courier *courier);

/* statistics.c: nothing without StatusFile */
void courier_statistics_open(struct courier *courier);
void courier_statistics_close(struct courier *courier);
/* Of the message as it came: what a mailer adds to it, or leaves out, does not count. */
uint64_t courier_message_size(const struct pr_envelope *envelope);
/* One call of a mailer has given these results; `first`: the session was new. */
void courier_count_delivery(const struct job *job, const struct group *group, bool first, const struct pr_delivery *deliveries, size_t count);
/* check_compat said no to some recipient. */
void courier_count_refusal(struct job *job);
void courier_count_notice(const struct courier *courier, const struct pr_envelope *envelope); /* queued */

/* selected.c: the messages that the line of a selection means become due now */
void selected_start(struct courier *courier, struct pr_str line);

/* verbose.c: nothing unless -v */
void verbose_open(struct courier *courier);
void verbose_turn(const struct job *job, const struct plan_entry *entry, bool locked);
void verbose_connecting(const struct job *job, const struct group *group);
void verbose_skipped(const struct job *job, const struct plan_entry *entry);
void verbose_no_run(const struct courier *courier);
void verbose_results(const struct job *job, const struct group *group);

/* job.c */
struct job *job_new(struct courier *courier);
void job_free(struct job *job);
/* Takes the message as far as it goes now; true when `job` is free for the next one, false when it stands in line. */
bool job_run(struct job *job, struct worker *worker, struct plan_entry *entry);
void job_give_up(struct job *job, struct worker *worker); /* a parked one at the end: released, or unsettled */
void job_release(struct job *job);
void job_adopt(struct job *job, struct worker *worker); /* the worker goes on with one that has waited */

/* unsettled.c; the first three with the lock held */
void unsettled_put(struct job *job);
/* The job of a message whose turn it is, or NULL. */
struct job *unsettled_take(struct courier *courier, struct plan_entry *entry);
/* So many of this group that nothing more of it is to be tried. */
bool unsettled_is_full(const struct courier *courier, uint8_t group);
void unsettled_say_written(const struct job *job); /* nothing about one that never was unsettled */
/* When no worker takes them any more: each once more.  True: some are left. */
bool unsettled_try(struct courier *courier, struct worker *worker);
void unsettled_lose(struct courier *courier, struct worker *worker); /* they will be tried again as if nothing had happened */

/* route.c */
enum pr_status job_route(struct job *job);
/* compat.c: check_compat of one recipient; fills its result when that is no yes. */
void compat_check(struct job *job, struct parcel *parcel);
/* deliver_by.c.  What is not tried because it should be back by now: */
void by_return(struct job *job);
/* After the deliveries: what waits still is too late, and fails; or its sender is warned. */
bool by_gives_up(struct job *job);
bool by_warns(struct job *job);
/* Fills `by` of a result. */
void by_note(const struct job *job, struct parcel *parcel);
/* For the log. */
const char *by_words(struct job *job, bool warning);

/* deliver.c */
void group_deliver(struct job *job, struct group *group);
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
/* Everything was tried: notices, then finish or defer; the entry goes back to the plan.  False: the store could not take that, the job stays. */
bool job_settle(struct job *job);
bool job_settle_again(struct job *job);
/* When it is tried again, after this try; and when it was not tried, only looked at. */
int64_t job_next_due(const struct job *job);
int64_t job_next_look(const struct job *job);

/* notice.c: PR_OK when none is due or it is safely queued */
enum pr_status notice_failure(struct job *job);
enum pr_status notice_success(struct job *job);
enum pr_status notice_delay(struct job *job);

/* notice_words.c: beside the recipients, in the job's arena; NULL when that is full */
struct dsn_word;
const struct dsn_word *notice_words(struct job *job);

/* expand.c: the recipients of a notice after aliases, and the queue group of the first; absent: the default one */
void notice_expand(struct job *job, struct pr_envelope *envelope);
struct pr_str notice_group(struct job *job, struct pr_str to);
/* notice_header.c: ErrorHeader with its macros; absent: none, or its file cannot be read.  The engine's own header fields, in place of ours. */
struct pr_str notice_error_header(struct job *job, struct pr_str id, int64_t now);
enum pr_status notice_header(struct job *job, struct pr_envelope *envelope);

/* status.c */
struct pr_str parcel_enhanced(const struct parcel *parcel);

/* report.c */
void report_group(const struct job *job, const struct group *group, int64_t seconds);
const char *report_failure_word(struct pr_str enhanced); /* "User unknown" for 5.1.1 */

/* helper.c */
void helpers_open(struct courier *courier);
void helpers_close(struct courier *courier);
bool helpers_answer(struct courier *courier, const struct channel_message *message, int fd);

#endif
