/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dovecot's authentication service as an auth module, by its client protocol over a Unix socket (version 1.2).
 *
 *   dovecot.c   the descriptor, mechanisms, steps        link.c   the socket: lines within a limit of time
 *
 * Each exchange has a connection of its own: lines of words apart by tabs.
 *
 *     <- VERSION 1 2, MECH PLAIN plaintext, MECH SCRAM-SHA-256 ..., SPID, CUID, COOKIE, DONE
 *     -> VERSION 1 2, CPID 4711, AUTH 1 PLAIN service=smtp rip=192.0.2.1 secured resp=AGpvZQ...
 *     <- OK 1 user=joe      or  CONT 1 base64 (and ours back)      or  FAIL 1 user=joe [temp]
 */
#ifndef MODULES_AUTH_DOVECOT_H
#define MODULES_AUTH_DOVECOT_H

#include <postrider/auth.h>

#define LINK_LINE_MAX 16384 /* Dovecot's own limit is 8192 for what comes from a client */

struct link {
	int32_t fd; /* with is_open */
	uint32_t is_open;
	struct pr_text input;
	size_t taken; /* of it: the last line read */
};

/* False: errno says why. */
bool link_open(struct link *link, struct pr_str path, int64_t timeout_ms);
void link_close(struct link *link);
bool link_send(struct link *link, struct pr_str bytes);
/* One line without its end, valid until the next call. */
bool link_read(struct link *link, struct pr_str *line_out);

#endif
