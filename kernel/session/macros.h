/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Macros as rows: a name and who knows the value.
 */
#ifndef KERNEL_SESSION_MACROS_H
#define KERNEL_SESSION_MACROS_H

#include "kernel/session/transaction.h"

struct macro_context {
	struct session *session;
	struct pr_arena *arena; /* of values that are made */
};

struct macro_row {
	const char *name;
	struct pr_str (*value)(struct macro_context *context); /* PR_NONE: not set now */
};

/* Each ends with a row without name. */
extern const struct macro_row macro_rows_connection[]; /* macros_connection.c */
extern const struct macro_row macro_rows_message[];    /* macros_message.c */
extern const struct macro_row macro_rows_tls[];        /* macros_tls.c */
extern const struct macro_row macro_rows_auth[];       /* macros_auth.c */

/* Does the listener that the client came by have this letter of sendmail's (M=)? */
char session_delivery_mode(const struct session *session); /* of mail that asks for none */
char session_super_safe(const struct session *session);    /* t f p i */
bool session_queues(const struct session *session, int64_t priority); /* queueLA= of the listener is reached for mail of that priority */
bool session_has_modifier(const struct session *session, char letter);
/* ${daemon_flags}: letters as sendmail shows them, "EE a"; "c u" for mail of this host. */
struct pr_str session_daemon_flags(const struct session *session, struct pr_arena *arena);

#endif
