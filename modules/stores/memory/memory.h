/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory store: a queue that lives as long as its process.
 *
 * With --single the receiver and the courier are threads of one process, and each has opened the store for itself.  So a
 * queue is not the instance's: queue.c keeps one for each name, and all instances of that name in this process share it.
 * The last one that closes takes it along.  Where the receiver is a process of its own nobody could ever deliver what it takes,
 * so an instance without a courier in the same process refuses every message.
 *
 *   intake.c   a transaction is the message itself, which commit puts at the end of the queue
 *   claim.c    claims: an epoch, the instance that has it and, with a lease, when it ends
 *   look.c     entries, cursors, queries
 *   hands.c    hold, quarantine, edit, requeue, remove
 *
 * One lock for each queue.  A message is freed with its last reference: the queue has one and so has every body that is
 * being read, which may outlive the finish() of its message.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <postrider/host.h>
#include <postrider/store.h>

#include <pthread.h>

#define MEMORY_ENVELOPE_MOST ((size_t)64 << 20)
#define MEMORY_BUCKETS 16384u
#define MEMORY_HINTS 256u
#define MEMORY_ID_ROOM 32

struct memory;

struct memory_message {
	struct memory_message *next, *previous; /* in the order of arrival */
	struct memory_message *beside;          /* in the bucket */
	struct memory_queue *home;
	struct pr_arena arena; /* holds the envelope */
	struct pr_envelope *envelope;
	struct pr_text body;
	struct pr_str queue; /* the queue group, of the instance's options */
	size_t charged;      /* bytes counted against the limit */
	uint64_t epoch;      /* of the claim that stands, 0 when none does */
	const struct memory *holder;
	int64_t expires; /* of the claim, CLOCK_MONOTONIC milliseconds; 0: never */
	uint32_t references;
	uint32_t state; /* PR_ENTRY_READY, PR_ENTRY_HELD or PR_ENTRY_QUARANTINED */
	char id[MEMORY_ID_ROOM];
	char group[64];
};

/* A scan.  What is removed under it moves it on. */
struct memory_cursor {
	struct memory_cursor *next;
	struct memory_message *at;
};

struct memory_queue {
	struct memory_queue *next;
	char *name;
	uint32_t references; /* instances */
	uint32_t couriers;   /* instances that may deliver */
	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct memory_message *first, *last;
	struct memory_cursor *cursors;
	size_t count, bytes;
	uint64_t last_number, last_epoch;
	uint64_t hinted; /* how many hints there have been; the last MEMORY_HINTS of them are kept */
	int64_t born;
	char hints[MEMORY_HINTS][MEMORY_ID_ROOM];
	struct memory_message *buckets[MEMORY_BUCKETS];
};

struct memory {
	/* options */
	struct pr_str name;
	struct pr_list groups;
	int64_t messages;
	int64_t size;
	int64_t lease;
	/* state */
	struct memory_queue *queue;
	uint64_t hints_seen;
	uint32_t role;
	uint32_t handed_over;
};

static inline struct memory *memory_of(const struct pr_call *call)
{
	return call->instance;
}

/* memory.c: what the descriptor consists of, for those who make another store of it */
extern const struct pr_option memory_options[];
enum pr_status memory_check(struct pr_call *call);
enum pr_status memory_open(struct pr_call *call);
void memory_close(struct pr_call *call);
enum pr_status memory_role(struct pr_call *call, uint32_t role);
enum pr_status memory_health(struct pr_call *call, struct pr_store_health *health_out);
enum pr_status memory_handover(struct pr_call *call);
/* PR_MISUSE with a reason when this role may not do it. */
enum pr_status memory_may(struct pr_call *call, uint32_t wanted, const char *doing);

/* queue.c; all but the first two with the lock held */
struct memory_queue *memory_queue_join(struct pr_str name);
void memory_queue_leave(struct memory_queue *queue);
struct memory_message *memory_find(struct memory_queue *queue, struct pr_str id);
void memory_append(struct memory_queue *queue, struct memory_message *message);
void memory_unlink(struct memory_message *message); /* and gives up the queue's reference */
void memory_unreference(struct memory_message *message);
void memory_hint(struct memory_message *message); /* it may be ready: wakes who waits */
bool memory_is_claimed(struct memory_message *message); /* ends a claim whose lease is over */
/* Another envelope in place of the old one; PR_TEMPFAIL and nothing changed when there is no room. */
enum pr_status memory_replace(struct pr_call *call, struct memory_message *message, const struct pr_envelope *envelope);
int64_t memory_now(void); /* CLOCK_MONOTONIC milliseconds */

/* sane.c: could it be written as lines?  What another store would have to refuse is refused here. */
bool memory_is_sane(const struct pr_envelope *envelope);
bool memory_is_one_line(struct pr_str text);

/* store.h says what they do */
enum pr_status memory_begin(struct pr_call *call, void **transaction_out, struct pr_str *id_out);
enum pr_status memory_begin_in(struct pr_call *call, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out);
enum pr_status memory_body(struct pr_call *call, void *transaction, const void *data, size_t len);
enum pr_status memory_commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope, pr_commit_done *done, void *context);
void memory_abort(struct pr_call *call, void *transaction);
enum pr_status memory_wait_ready(struct pr_call *call, struct pr_list *ids_out);
enum pr_status memory_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out);
void memory_next_end(struct pr_call *call, void **cursor);
enum pr_status memory_query(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out);
enum pr_status memory_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out);
enum pr_status memory_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
enum pr_status memory_claim_aside(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
enum pr_status memory_body_open(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out);
void memory_body_close(struct pr_call *call, struct pr_body *body);
enum pr_status memory_renew(struct pr_call *call, struct pr_claim *claim);
enum pr_status memory_update(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
enum pr_status memory_finish(struct pr_call *call, struct pr_claim *claim);
enum pr_status memory_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
void memory_release(struct pr_call *call, struct pr_claim *claim);
enum pr_status memory_hold(struct pr_call *call, struct pr_str id, struct pr_str reason);
enum pr_status memory_quarantine(struct pr_call *call, struct pr_str id, struct pr_str reason);
enum pr_status memory_unhold(struct pr_call *call, struct pr_str id);
enum pr_status memory_requeue(struct pr_call *call, struct pr_str id);
enum pr_status memory_remove(struct pr_call *call, struct pr_str id);
enum pr_status memory_edit(struct pr_call *call, struct pr_str id, const struct pr_edit *edit);

#endif
