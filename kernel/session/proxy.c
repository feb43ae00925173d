/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header is looked at while it lies in the socket and taken when it is whole, so a session that waits for it has no buffer, and
 * not one byte of the client's is taken with it.
 */
#include "kernel/session/proxy.h"

#include "kernel/log/log.h"
#include "kernel/smtp/networks.h"
#include "kernel/smtp/proxy_header.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#define PROXY_SECONDS 10

_Static_assert(PROXY_HEADER_MAX <= BENCH_BUFFER, "a header fits into the buffer of a worker");

static bool is_wanted(const struct listener *listener)
{
	return listener->declared != NULL && listener->declared->proxy.count > 0;
}

void proxy_begin(struct session *session)
{
	if (!is_wanted(session->listener))
		return;
	session->phase = SESSION_PROXY;
	timer_set(&session->receiver->wheel, &session->timer, session_now() + PROXY_SECONDS + 1);
}

static void tell(struct receiver *receiver, const struct listener *listener, struct pr_str address, const char *why)
{
	uint64_t more;

	if (log_repeat_begin(&receiver->strangers, session_now(), &more))
		log_line(LOGP_NOTICE, "NOQUEUE", "rejecting connection from %.*s on daemon %.*s: %s; %" PRIu64 " were rejected since the last line",
		    PR_PRINT(address), PR_PRINT(listener->name), why, more);
}

bool proxy_refuses(const struct listener *listener, const struct net_peer *peer)
{
	if (!is_wanted(listener) || smtp_networks_have(&listener->declared->proxy, pr_str(peer->address)))
		return false;
	tell(listener->receiver, listener, pr_str(peer->address), "it is none of its proxies");
	return true;
}

static struct pr_str own(const char *text)
{
	return (struct pr_str){pr_copy_c(text), strlen(text)};
}

static void take(struct session *session, const struct proxy_header *header)
{
	if (!header->speaks)
		return;
	log_at(10, LOGP_INFO, "NOQUEUE", "proxy=%.*s, client=%s, port=%u, server=%s, port=%u", PR_PRINT(session->address), header->client.address,
	    header->client.port, header->server.address, header->server.port);
	pr_free((void *)(uintptr_t)session->address.data);
	session->address = own(header->client.address);
	session->port = header->client.port;
	session->met = own(header->server.address);
	session->uid = UINT32_MAX;
}

static enum proxy_progress give_up(struct session *session, const char *why)
{
	atomic_fetch_add(&session->receiver->counts.refused, 1);
	tell(session->receiver, session->listener, session->address, why);
	return PROXY_GONE;
}

static enum proxy_progress wait_on(struct session *session, uint32_t events)
{
	bool is_late = (events & LOOP_TIMER) != 0 && atomic_load(&session->timer.due) == 0;

	if (is_late)
		return give_up(session, "no PROXY header within ten seconds");
	if (session->ending != 0 || atomic_load(&session->receiver->leaving) != 0)
		return PROXY_GONE;
	return PROXY_WAITS;
}

static bool is_nothing_yet(ssize_t got)
{
	return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

enum proxy_progress proxy_go_on(struct session *session, struct bench *bench, uint32_t events)
{
	struct proxy_header header;
	const char *why = "";
	ssize_t got = recv(session->stream.fd, bench->buffer, PROXY_HEADER_MAX, MSG_PEEK | MSG_DONTWAIT);

	if (is_nothing_yet(got))
		return wait_on(session, events);
	if (got <= 0)
		return PROXY_GONE;
	switch (proxy_header_parse((struct pr_str){bench->buffer, (size_t)got}, &header, &why)) {
	case PROXY_MORE:
		return wait_on(session, events);
	case PROXY_WRONG:
		return give_up(session, why);
	case PROXY_DONE:
		break;
	}
	if (recv(session->stream.fd, bench->buffer, header.len, MSG_DONTWAIT) != (ssize_t)header.len)
		return PROXY_GONE;
	timer_clear(&session->receiver->wheel, &session->timer);
	session->unread = 1; /* what the client has said already makes no event any more */
	take(session, &header);
	return PROXY_KNOWN;
}
