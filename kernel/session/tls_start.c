/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The handshake in non-blocking steps.  The session has dropped what the client said behind its STARTTLS before it comes
 * here, and the machine forgets what it said before: nothing crosses the border.
 */
#include "kernel/session/tls_start.h"

#include "kernel/log/log.h"
#include "kernel/net/tls/tls.h"
#include "kernel/session/ask.h"

static void log_failure(const struct session *session)
{
	struct pr_text why;

	pr_text_init(&why, 400);
	net_tls_reason(session->stream.tls, &why);
	log_at(7, LOGP_WARNING, "NOQUEUE", "STARTTLS=server, error: handshake with %.*s failed: %s", PR_PRINT(session->address),
	    why.data);
	pr_text_fini(&why);
}

enum net_result tls_start(struct session *session)
{
	struct net_stream *stream = &session->stream;
	struct pr_arena arena;
	int bits = 0;

	if (stream->tls == NULL)
		stream->tls = net_tls_new(session->receiver->tls, stream->fd);
	if (stream->tls == NULL)
		return NET_BROKEN;
	enum net_result result = net_tls_handshake(stream->tls, &stream->wants);
	if (result == NET_DONE) {
		const char *cipher = net_tls_cipher(stream->tls, &bits);
		pr_arena_init(&arena, 4096);
		log_at(9, LOGP_INFO, "NOQUEUE", "STARTTLS=server, relay=%.*s, version=%s, verify=NO, cipher=%s, bits=%d",
		    PR_PRINT(session_client(session, &arena)), net_tls_version(stream->tls), cipher, bits);
		pr_arena_fini(&arena);
		smtp_machine_secured(session->machine);
	} else if (result != NET_AGAIN) {
		log_failure(session);
	}
	return result;
}

void ask_starttls(struct ask *ask)
{
	if (ask->session->receiver->tls == NULL || ask->session->stream.tls != NULL) {
		ask_refuse(ask, PR_DEFER, 454, "4.3.3", "TLS not available after start");
		return;
	}
	ask->session->phase = SESSION_SECURING;
}
