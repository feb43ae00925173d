/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of the memory store.  There is no drain(): nothing here has a form that another program could read.
 */
#include "memory.h"

static const struct pr_store_ops ops = {
	.size = sizeof ops,
	.role = memory_role,
	.begin = memory_begin,
	.body = memory_body,
	.commit = memory_commit,
	.abort = memory_abort,
	.next = memory_next,
	.next_end = memory_next_end,
	.peek = memory_peek,
	.claim = memory_claim,
	.body_open = memory_body_open,
	.body_close = memory_body_close,
	.renew = memory_renew,
	.update = memory_update,
	.finish = memory_finish,
	.defer = memory_defer,
	.release = memory_release,
	.hold = memory_hold,
	.unhold = memory_unhold,
	.requeue = memory_requeue,
	.remove = memory_remove,
	.health = memory_health,
	.begin_in = memory_begin_in,
	.wait_ready = memory_wait_ready,
	.quarantine = memory_quarantine,
	.edit = memory_edit,
	.query = memory_query,
	.handover = memory_handover,
	.claim_aside = memory_claim_aside,
};

PR_MODULE(memory) = {
	PR_MODULE_HEAD(PR_KIND_STORE),
	.flags = PR_CONCURRENT,
	.instance_size = sizeof(struct memory),
	.name = "memory",
	.version = "1.0",
	.summary = "a queue in memory: a restart forgets all mail, and it needs --single",
	.options = memory_options,
	.check = memory_check,
	.open = memory_open,
	.close = memory_close,
	.ops = &ops,
};
