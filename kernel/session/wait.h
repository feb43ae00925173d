/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a session waits for its client.
 */
#ifndef KERNEL_SESSION_WAIT_H
#define KERNEL_SESSION_WAIT_H

#include <stdbool.h>

struct session;

enum wait_result {
	WAIT_PARKED, /* an event or its deadline will run it again */
	WAIT_OVER,   /* there is input already */
	WAIT_FAILED  /* it cannot be watched: no resources */
};

/* By when the client must have said more. */
void session_deadline(struct session *session);
/* However much it says: its message, or the whole connection, has taken longer than it may (Timeout.message, Timeout.session). */
bool session_is_overdue(const struct session *session);
/* Sets it, and may keep this thread for two milliseconds if others are free. */
enum wait_result session_wait(struct session *session);
/* In the set, for what is wanted; false: no resources. */
bool session_watch(struct session *session);

#endif
