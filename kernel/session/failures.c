/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One row of the table for each client, or network of IPv6.  The machine only hears a number, and waits.
 */
#include "kernel/session/failures.h"

#include "kernel/net/peer.h"
#include "kernel/session/auth.h"

#include <arpa/inet.h>
#include <string.h>

#define NETWORK_BYTES 8 /* of an IPv6 address: who has one mostly has that network */

static struct pr_str name_of(const struct session *session, char room[INET6_ADDRSTRLEN])
{
	struct in6_addr address;
	struct pr_str plain = net_address_plain(session->address);
	char text[INET6_ADDRSTRLEN];

	pr_print(text, sizeof text, "%.*s", PR_PRINT(plain));
	if (inet_pton(AF_INET6, text, &address) != 1)
		return session->address;
	memset(&address.s6_addr[NETWORK_BYTES], 0, sizeof address.s6_addr - NETWORK_BYTES);
	return inet_ntop(AF_INET6, &address, room, INET6_ADDRSTRLEN) != NULL ? pr_str(room) : session->address;
}

static void count(struct session *session, uint32_t more, uint32_t less)
{
	char room[INET6_ADDRSTRLEN];

	session->settings.auth_failures =
	    traffic_failures(session->receiver->traffic, name_of(session, room), session_now(), more, less);
}

void failures_look(struct session *session)
{
	if (session->settings.auth_failures_max > 0 && session->settings.auth_mechanisms.len > 0 && !auth_is_known(session))
		count(session, 0, 0);
}

/* Counted in any case: a limit that a reload brings is about those of before, too. */
void failures_note(struct session *session)
{
	session->auth->failures++;
	count(session, 1, 0);
}

void failures_forgive(struct session *session)
{
	count(session, 0, session->auth->failures);
	session->auth->failures = 0;
}
