/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The handshake in non-blocking steps.  The session has dropped what the client said behind its STARTTLS before it comes
 * here, and the machine forgets what it said before: nothing crosses the border.
 */
#include "kernel/session/tls_start.h"

#include "kernel/log/log.h"
#include "kernel/net/tls/certificate.h"
#include "kernel/net/tls/server.h"
#include "kernel/session/ask.h"
#include "kernel/session/auth.h"
#include "kernel/session/features.h"
#include "kernel/session/policy.h"

static void log_reason(const struct session *session, const char *why)
{
	log_at(7, LOGP_WARNING, "NOQUEUE", "STARTTLS=server, error: handshake with %.*s failed: %s", PR_PRINT(session->address), why);
}

static void log_failure(const struct session *session)
{
	struct pr_text why;

	pr_text_init(&why, 400);
	net_tls_reason(session->stream.tls, &why);
	log_reason(session, why.data);
	pr_text_fini(&why);
}

static void log_success(const struct session *session)
{
	const struct net_tls *tls = session->stream.tls;
	struct net_tls_certificate certificate = {.subject = PR_STR(""), .issuer = PR_STR("")};
	struct pr_arena arena;
	int bits = 0, of = 0;

	pr_arena_init(&arena, 65536);
	const char *cipher = net_tls_cipher(tls, &bits, &of);
	log_at(9, LOGP_INFO, "NOQUEUE", "STARTTLS=server, relay=%.*s, version=%s, verify=%s, cipher=%s, bits=%d/%d",
	    PR_PRINT(session_client(session, &arena)), net_tls_version(tls), net_tls_verified(tls), cipher, bits, of);
	if (log_level() >= 14) {
		(void)net_tls_certificate(tls, &arena, &certificate);
		log_at(14, LOGP_INFO, "NOQUEUE", "STARTTLS=server, cert-subject=%.*s, cert-issuer=%.*s, verifymsg=%s",
		    PR_PRINT(pr_str_slice(certificate.subject, 0, 256)), PR_PRINT(pr_str_slice(certificate.issuer, 0, 256)), net_tls_verified_why(tls));
	}
	pr_arena_fini(&arena);
}

/* What the rules say now that TLS is on; a client that is not good enough for them may say EHLO and leave. */
static void judge(struct session *session, struct bench *bench)
{
	struct smtp_answer answer = {.verdict = {.action = PR_CONTINUE}};
	struct module_scope scope;

	auth_forget(session, bench);
	session_scope(session, bench, &scope);
	struct pr_str items[2] = {pr_str(net_tls_verified(session->stream.tls)), PR_STR("STARTTLS")};
	struct pr_list arguments = {items, 2};
	bool good = policy_check(session, bench, &scope, PR_CHECK_TLS_CLIENT, &arguments, &answer.verdict);
	if (good && !features_ask(session, bench, &scope)) {
		good = false;
		answer.verdict = (struct pr_verdict){.action = PR_DEFER, .code = 450, .enhanced = PR_STR("4.3.0"), .text = PR_STR("Please try again later.")};
	}
	if (good)
		auth_offer(session, &scope);
	else
		smtp_machine_refuse_client(session->machine, &answer);
	pr_arena_reset(&bench->arena);
}

void tls_begin(struct session *session)
{
	session->phase = SESSION_SECURING;
	/* the time of a handshake is limited as a whole: more bytes do not put its end off */
	timer_clear(&session->receiver->wheel, &session->timer);
	session->stalled = 1;
}

void tls_timed_out(const struct session *session)
{
	log_reason(session, "it took too long");
}

enum net_result tls_start(struct session *session, struct bench *bench)
{
	struct net_stream *stream = &session->stream;

	if (stream->tls == NULL) {
		stream->tls = net_tls_accept(session->receiver->tls, stream->fd);
		if (stream->tls == NULL)
			return NET_BROKEN;
		if (session->asks_nothing != 0)
			net_tls_ask_nothing(stream->tls);
	}
	loop_hand_over(session->receiver->loop); /* a signature takes longer than many commands of others */
	enum net_result result = net_tls_handshake(stream->tls, &stream->wants);
	if (result == NET_DONE) {
		log_success(session);
		smtp_machine_secured(session->machine);
		judge(session, bench);
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
	tls_begin(ask->session);
}
