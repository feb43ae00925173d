/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory store with odd habits: debugstore.c answers a commit late, refuses or does not know; debugstore_wrong.c breaks one
 * promise of store.h, so that the conformance suite can be seen to notice.
 */
#ifndef TESTS_MODULES_DEBUGSTORE_H
#define TESTS_MODULES_DEBUGSTORE_H

#include "modules/stores/memory/memory.h"

struct debugstore {
	struct memory memory; /* first: the memory store's functions see only this */
	struct pr_str commit;
	struct pr_str wrong;
	int64_t delay;
	uint32_t how;      /* to commit */
	uint32_t breaking; /* enum debugstore_wrong */
	uint32_t late;     /* answers still to come */
	uint32_t reserved;
	pthread_mutex_t lock;
	pthread_cond_t quiet;
};

/* The promise that is broken. */
enum debugstore_wrong {
	WRONG_NOTHING,
	WRONG_EPOCH,     /* a stale claimer may finish */
	WRONG_EXCLUSIVE, /* two may claim the same message */
	WRONG_ABORT,     /* what was aborted is queued */
	WRONG_BODY,      /* a body ends at its first NUL */
	WRONG_TWICE,     /* a commit is answered twice */
	WRONG_DEFER,     /* forgets which recipients have the message */
	WRONG_SCAN,      /* a removal under a scan ends it */
	WRONG_ROLE,      /* the receiver may claim */
	WRONG_HOLD,      /* what is held may be claimed */
	WRONG_EDIT,      /* half of an impossible edit is done */
	WRONG_QUERY      /* only one condition is looked at */
};

static inline struct debugstore *debugstore_of(const struct pr_call *call)
{
	return call->instance;
}

/* false: no such word */
bool debugstore_wrong_parse(struct debugstore *store);

/* As in the memory store when nothing is to be wrong. */
enum pr_status debugstore_body(struct pr_call *call, void *transaction, const void *data, size_t len);
void debugstore_abort(struct pr_call *call, void *transaction);
enum pr_status debugstore_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
enum pr_status debugstore_finish(struct pr_call *call, struct pr_claim *claim);
enum pr_status debugstore_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
enum pr_status debugstore_remove(struct pr_call *call, struct pr_str id);
enum pr_status debugstore_edit(struct pr_call *call, struct pr_str id, const struct pr_edit *edit);
enum pr_status debugstore_query(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out);

#endif
