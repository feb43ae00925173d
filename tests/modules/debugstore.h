/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A store in memory that keeps the whole contract of store.h, and nothing over a restart.
 *
 * debugstore.c takes messages in, debugstore_queue.c gives them out.  A message lives as long as somebody has a
 * reference: the list, a claim, an open body.
 */
#ifndef TESTS_MODULES_DEBUGSTORE_H
#define TESTS_MODULES_DEBUGSTORE_H

#include <postrider/store.h>

#include <pthread.h>

#define ENVELOPE_MOST ((size_t)16 << 20)
#define BODY_MOST ((size_t)64 << 20)

struct message {
	struct message *next;
	struct pr_arena arena; /* holds the envelope */
	struct pr_envelope *envelope;
	struct pr_text body;
	uint64_t number;
	uint64_t epoch; /* of the claim that stands, 0 when none does */
	uint32_t references;
	uint32_t held;
	char id[24];
};

struct debugstore {
	struct pr_str commit;
	int64_t most;
	int64_t delay;
	struct message *messages;
	uint64_t last_number;
	uint64_t last_epoch;
	uint64_t count;
	uint32_t role;
	uint32_t how;  /* to commit */
	uint32_t late; /* completions still to come */
	uint32_t reserved;
	pthread_mutex_t lock;
	pthread_cond_t quiet;
};

/* Gives up one reference; with the lock held when the message is in the list. */
void debugstore_unreference(struct message *message);
/* Is the role one of `wanted`?  The reason is left in the call when not. */
bool debugstore_may(struct pr_call *call, uint32_t wanted, const char *doing);

/* store.h says what they do */
enum pr_status debugstore_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out);
void debugstore_next_end(struct pr_call *call, void **cursor);
enum pr_status debugstore_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out);
enum pr_status debugstore_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
enum pr_status debugstore_body_open(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out);
void debugstore_body_close(struct pr_call *call, struct pr_body *open);
enum pr_status debugstore_renew(struct pr_call *call, struct pr_claim *claim);
enum pr_status debugstore_update(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
enum pr_status debugstore_finish(struct pr_call *call, struct pr_claim *claim);
enum pr_status debugstore_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
void debugstore_release(struct pr_call *call, struct pr_claim *claim);
enum pr_status debugstore_hold(struct pr_call *call, struct pr_str id, struct pr_str reason);
enum pr_status debugstore_unhold(struct pr_call *call, struct pr_str id);
enum pr_status debugstore_requeue(struct pr_call *call, struct pr_str id);
enum pr_status debugstore_remove(struct pr_call *call, struct pr_str id);
enum pr_status debugstore_health(struct pr_call *call, struct pr_store_health *health_out);
enum pr_status debugstore_drain(struct pr_call *call);

#endif
