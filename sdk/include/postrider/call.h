/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The call: what a module function is given first, and where the reason goes.
 *
 *   return pr_fail(call, PR_TEMPFAIL, "%s: %s", uri, strerror(errno));
 *
 * A call lives for one function call.  `instance`, `thread` and `session` are
 * the memory of the module's own lifetimes (module.h); `arena` is the call's:
 * put results there.  The kernel logs the reason, once, and carries it into
 * the queue file, the reply or the bounce; a module does not log a failure
 * that it returns.
 */
#ifndef POSTRIDER_CALL_H
#define POSTRIDER_CALL_H

#include "arena.h"
#include "status.h"

struct pr_host;

struct pr_call {
	size_t size;
	const struct pr_host *host; /* the kernel's services, host.h */
	struct pr_arena *arena;
	void *instance; /* instance_size bytes, options filled */
	void *thread;   /* thread_size bytes, NULL when thread_size is 0 */
	void *session;  /* session_size bytes, NULL outside a session */
	void *kernel;   /* the kernel's own; not for modules */
	struct pr_str reason; /* set by pr_fail */
	int64_t deadline_ms;  /* CLOCK_MONOTONIC milliseconds; 0: no limit */
};

/* Records why (in the arena, at most 1,000 bytes) and returns `status`. */
enum pr_status pr_fail(struct pr_call *call, enum pr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Milliseconds left until the deadline: 0 when it has passed, `most` at most. */
int64_t pr_call_remaining(const struct pr_call *call, int64_t most);

#endif
