/* SPDX-License-Identifier: BSD-2-Clause
 *
 * STARTTLS (RFC 3207), and what comes of it.
 *
 *   offered? --try_tls--> STARTTLS --220--> handshake --tls_server--> EHLO again
 *      |          |no        |4xx, 5xx          |failed
 *      '----------'----------'---tls_server-----'---> in the clear, or not at all
 *
 * Where TLSA records (dane.c) or a policy of MTA-STS (sts.c) ask for TLS there is no way in the clear at all.  A server that takes STARTTLS and then cannot do it is not served in the clear on another connection unless TLSFallbacktoClear says so: who
 * breaks a handshake on the way would get just what he wanted.
 */
#include "smtp.h"

#include <stdio.h>

enum how { IN_CLEAR, SECURED, HANDSHAKE_FAILED, TURNED_AWAY };

static void set_verify(struct smtp_session *session, const char *word)
{
	snprintf(session->verify, sizeof session->verify, "%s", word);
}

static bool is_wanted(struct smtp_run *run)
{
	return (run->session->extensions & SMTP_STARTTLS) != 0 && (run->session->source_flags & SMTP_SOURCE_NO_TLS) == 0 && run->smtp->tls_use != SMTP_TLS_NEVER && !run->in_clear && pr_has_tls(run->call) &&
	       smtp_ask_try(run);
}

/* What was read beyond the 220 was said by whoever could write on the wire: it must not be taken for an answer to what is asked inside. */
static enum how shake_hands(struct smtp_run *run)
{
	struct smtp_session *session = run->session;
	int64_t patience = pr_call_remaining(run->call, run->smtp->wait[SMTP_WAIT_STARTTLS] * 1000);

	session->begin = session->end = 0;
	enum pr_status status = smtp_start_tls(run, patience);
	if (status == PR_OK)
		return SECURED;
	set_verify(session, "SOFTWARE");
	return HANDSHAKE_FAILED;
}

/* PR_TEMPFAIL: the connection is lost. */
static enum pr_status start(struct smtp_run *run, enum how *how_out, struct smtp_reply *reply)
{
	enum pr_status status = smtp_command(run->call, run->session, PR_STR("STARTTLS\r\n"), run->smtp->wait[SMTP_WAIT_STARTTLS], reply);

	if (status != PR_OK)
		return status;
	if (reply->code / 100 == 2) {
		*how_out = shake_hands(run);
	} else {
		if (reply->code / 100 == 4)
			set_verify(run->session, "TEMP");
		*how_out = reply->code == 421 ? TURNED_AWAY : IN_CLEAR;
	}
	smtp_tell_peer(run);
	return PR_OK;
}

static enum pr_status refuse(struct smtp_run *run, enum how how)
{
	if (how == HANDSHAKE_FAILED || how == TURNED_AWAY)
		smtp_drop(run->session);
	else
		smtp_quit(run->call, run->smtp, run->session);
	return PR_TEMPFAIL;
}

static const struct smtp_outcome not_authenticated = {PR_TEMPFAIL, 403, {"4.7.0", 5}, {"403 4.7.0 server not authenticated.", 35}, {NULL, 0}};
static const struct smtp_outcome not_encrypted = {PR_TEMPFAIL, 403, {"4.7.0", 5}, {"403 4.7.0 this mailer goes by TLS only", 38}, {NULL, 0}};

static const struct smtp_outcome not_the_one = {PR_TEMPFAIL, 454, {"4.7.0", 5}, {"454 4.7.0 DANE check failed.", 28}, {NULL, 0}};
static const struct smtp_outcome not_offered = {PR_TEMPFAIL, 403, {"4.7.0", 5}, {"403 4.7.0 DANE wants TLS, which is not to be had", 48}, {NULL, 0}};

static const struct smtp_outcome not_strict = {PR_TEMPFAIL, 403, {"4.7.0", 5}, {"403 4.7.0 MTA-STS wants TLS, which is not to be had", 51}, {NULL, 0}};

/* EHLO once more: what was offered in the clear may have been somebody else's words (RFC 3207 4.2). */
static enum pr_status greet_again(struct smtp_run *run, struct smtp_outcome *outcome)
{
	struct smtp_reply reply = {0};
	struct pr_str hello = PR_NONE;
	enum pr_status status = smtp_hello(run, &reply, &hello);

	if (status != PR_OK) {
		*outcome = smtp_outcome_lost(run->call);
		smtp_drop(run->session);
	} else if (reply.code / 100 != 2) {
		*outcome = smtp_outcome_of(&reply, hello);
		status = outcome->status;
		smtp_quit(run->call, run->smtp, run->session);
	}
	return status;
}

/* What the reports are to say of it; that the rules want no TLS here is nobody's failure. */
static void report(struct smtp_run *run, bool wanted, enum how how, const struct smtp_reply *reply)
{
	if (how == SECURED)
		smtp_report_secured(run);
	else if (how == HANDSHAKE_FAILED)
		smtp_report(run, PR_STR("validation-failure"), run->call->reason);
	else if (wanted)
		smtp_report(run, PR_STR("starttls-not-supported"), reply->text);
	else if ((run->session->extensions & SMTP_STARTTLS) == 0)
		smtp_report(run, PR_STR("starttls-not-supported"), PR_NONE);
}

enum pr_status smtp_secure(struct smtp_run *run, struct smtp_outcome *outcome)
{
	struct smtp_reply reply = {0};
	enum how how = IN_CLEAR;

	set_verify(run->session, "");
	smtp_tell_peer(run);
	bool wanted = is_wanted(run);
	set_verify(run->session, run->in_clear ? "CLEAR" : run->dane != NULL ? "DANE_NOTLS" : "NONE");
	smtp_tell_peer(run);
	if (wanted && start(run, &how, &reply) != PR_OK) {
		report(run, wanted, HANDSHAKE_FAILED, &reply);
		*outcome = smtp_outcome_lost(run->call);
		smtp_drop(run->session);
		return PR_TEMPFAIL;
	}
	report(run, wanted, how, &reply);
	run->fell = how == HANDSHAKE_FAILED; /* whatever the rules say to it; of the way in the clear they are asked anew */
	if (!smtp_ask_server(run, outcome)) {
		enum pr_status status = outcome->status;
		refuse(run, how);
		return status;
	}
	if (how == SECURED && smtp_dane_failed(run)) {
		*outcome = not_the_one;
		return refuse(run, how);
	}
	if (how == SECURED && smtp_sts_failed(run, outcome))
		return refuse(run, how);
	if (how == SECURED)
		return greet_again(run, outcome);
	if (how == TURNED_AWAY)
		*outcome = smtp_outcome_of(&reply, PR_STR("STARTTLS"));
	else if (how == HANDSHAKE_FAILED)
		*outcome = not_authenticated;
	else if (run->dane != NULL)
		*outcome = not_offered;
	else if (smtp_sts_is_enforced(run))
		*outcome = not_strict;
	else if (run->smtp->tls_use == SMTP_TLS_MUST)
		*outcome = not_encrypted;
	else
		return PR_OK;
	return refuse(run, how);
}
