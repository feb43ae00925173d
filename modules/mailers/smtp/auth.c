/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The conversation: one mechanism after the other, until one is taken.
 * What goes out here is hidden from who watches, because most of it is as good as a password.
 */
#include "auth.h"

#include <stdio.h>

static enum pr_status send_hidden(struct smtp_run *run, struct pr_str line, struct pr_str shown, struct smtp_reply *reply)
{
	int64_t seconds = run->smtp->wait[SMTP_WAIT_AUTH];

	pr_progress(run->call, PR_PROGRESS_SENT, shown);
	enum pr_status status = smtp_send_content(run->call, run->session, line, seconds);
	return status == PR_OK ? smtp_read_reply(run->call, run->session, seconds, reply) : status;
}

/* The bytes behind "334 ". */
static bool challenge_of(struct pr_call *call, const struct smtp_reply *reply, struct pr_str *bytes_out)
{
	struct pr_str text = pr_str_trim(pr_str_slice(reply->text, 4, reply->text.len));

	return pr_str_find(text, '\n') == text.len && pr_base64_decode(call->arena, text, bytes_out);
}

/* What it said is for who looks after it; an answer of more lines than one begins with the one that counts. */
static enum auth_answer judge(struct smtp_run *run, struct pr_str mechanism, const struct smtp_reply *reply)
{
	if (reply->code / 100 == 2)
		return AUTH_KNOWN;
	run->call->host->log(run->call, PR_LOG_WARNING, "AUTH=client, relay=%s, mech=%.*s, reply=%.*s", run->session->server, PR_PRINT(mechanism),
	    PR_PRINT(pr_str_slice(reply->text, 0, pr_str_find(reply->text, '\n'))));
	return reply->code / 100 == 5 ? AUTH_REFUSED : reply->code == 421 ? AUTH_LOST : AUTH_LATER;
}

enum auth_answer auth_converse(struct smtp_run *run, const struct auth_exchange *exchange)
{
	struct pr_call *call = run->call;
	struct smtp_reply reply;
	struct pr_str bytes, mechanism = exchange->mechanism, initial = exchange->initial, shown = pr_arena_printf(call->arena, "AUTH %.*s", PR_PRINT(mechanism));
	struct pr_str encoded = initial.data == NULL ? PR_STR("") : initial.len == 0 ? PR_STR("=") : pr_base64_encode(call->arena, initial);
	struct pr_str line = pr_arena_printf(call->arena, "AUTH %.*s%s%.*s\r\n", PR_PRINT(mechanism), encoded.len > 0 ? " " : "", PR_PRINT(encoded));
	bool gave_up = false;

	for (;;) {
		if (line.data == NULL || line.len > AUTH_STEP_MAX)
			return AUTH_LATER;
		if (send_hidden(run, line, shown, &reply) != PR_OK)
			return AUTH_LOST;
		if (gave_up && reply.code / 100 != 4 && reply.code / 100 != 5) /* RFC 4954 4: it must have said 501; who asks on has no end */
			return AUTH_LOST;
		if (reply.code != 334)
			return judge(run, mechanism, &reply);
		shown = PR_STR("*****");
		gave_up = !challenge_of(call, &reply, &bytes) || !exchange->step(exchange->context, call, bytes, &bytes);
		if (gave_up)
			line = shown = PR_STR("*\r\n");
		else
			line = pr_arena_printf(call->arena, "%.*s\r\n", PR_PRINT(pr_base64_encode(call->arena, bytes)));
	}
}

static void forget(struct pr_arena *arena, struct pr_str *words, struct pr_str mechanism)
{
	struct pr_str rest = *words, word;
	struct pr_text left;

	pr_text_init(&left, words->len + 1);
	while (pr_str_next(&rest, ' ', &word))
		if (!pr_str_equal_nocase(word, mechanism))
			pr_text_addf(&left, "%s%.*s", left.len > 0 ? " " : "", PR_PRINT(word));
	*words = pr_arena_copy(arena, pr_text_str(&left));
	pr_text_fini(&left);
}

static uint32_t cipher_bits(struct smtp_run *run)
{
	uint64_t bits = 0;

	return run->session->tls != NULL && pr_str_number(run->call->host->macro(run->call, PR_STR("cipher_bits")), UINT32_MAX, &bits) ? (uint32_t)bits : 0;
}

static bool step(void *context, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out)
{
	return auth_dialogue_step(context, call, challenge, bytes_out);
}

/* The library chooses among the words.  AUTH_LATER with *mechanism_out absent: it can do none of them. */
static enum auth_answer try_library(struct smtp_run *run, const struct auth_identity *identity, struct pr_str words, struct pr_str *mechanism_out)
{
	struct auth_dialogue *dialogue = auth_dialogue_new(run->call, run->session, identity, cipher_bits(run));
	struct auth_exchange exchange = {.step = step, .context = dialogue};
	enum auth_answer answer = AUTH_LATER;

	*mechanism_out = PR_NONE;
	if (dialogue != NULL && auth_dialogue_start(dialogue, run->call, words, &exchange.mechanism, &exchange.initial)) {
		*mechanism_out = exchange.mechanism;
		answer = auth_converse(run, &exchange);
	}
	auth_dialogue_free(dialogue);
	return answer;
}

static struct pr_str first_own(struct pr_str words)
{
	struct pr_str word;

	while (pr_str_next(&words, ' ', &word))
		if (auth_is_own(word))
			return word;
	return PR_NONE;
}

/* AUTH_LATER: nothing could be tried, or the last that was tried said so. */
static enum auth_answer try_all(struct smtp_run *run, const struct auth_identity *identity)
{
	struct smtp_session *session = run->session;
	struct pr_str words = auth_mechanisms(run, identity), mechanism;
	enum auth_answer answer = AUTH_LATER;
	bool later = false;

	while (words.len > 0 && answer != AUTH_KNOWN && answer != AUTH_LOST) {
		enum auth_answer now;
		mechanism = first_own(words);
		if (mechanism.len > 0)
			now = auth_own(run, identity, mechanism);
		else
			now = try_library(run, identity, words, &mechanism);
		if (mechanism.len == 0)
			break;
		answer = now;
		later = later || answer == AUTH_LATER;
		if (answer == AUTH_KNOWN)
			snprintf(session->auth_type, sizeof session->auth_type, "%.*s", PR_PRINT(mechanism));
		forget(run->call->arena, &words, mechanism);
	}
	/* a host that cannot look one up now may well refuse the next for it: that is no last word */
	return answer == AUTH_REFUSED && later ? AUTH_LATER : answer;
}

static enum pr_status put_off(struct smtp_run *run, struct smtp_outcome *outcome)
{
	run->call->host->log(run->call, PR_LOG_ERR, "AUTH=client, relay=%s, temporary failure, connection abort", run->session->server);
	*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.3.0"), PR_STR("Deferred: Temporary AUTH failure"), PR_NONE};
	smtp_quit(run->call, run->smtp, run->session);
	return PR_TEMPFAIL;
}

enum pr_status smtp_authenticate(struct smtp_run *run, struct smtp_outcome *outcome)
{
	struct pr_call *call = run->call;
	struct auth_identity identity;

	if (run->session->mechanisms[0] == '\0' || (run->session->source_flags & SMTP_SOURCE_NO_AUTH) != 0)
		return PR_OK;
	enum pr_status status = auth_info_find(run, &identity);
	if (status == PR_NOTFOUND)
		return PR_OK;
	if (status == PR_PERMFAIL) { /* the rules have nobody for this host */
		call->host->log(call, PR_LOG_WARNING, "AUTH=client, relay=%s, authinfo failed", run->session->server);
		return PR_OK;
	}
	if (status != PR_OK) {
		call->host->log(call, PR_LOG_ERR, "AUTH=client, relay=%s: %.*s", run->session->server, PR_PRINT(call->reason));
		return put_off(run, outcome);
	}
	switch (try_all(run, &identity)) {
	case AUTH_KNOWN:
		call->host->log(call, PR_LOG_INFO, "AUTH=client, relay=%s, mech=%s", run->session->server, run->session->auth_type);
		smtp_tell_peer(run);
		return PR_OK;
	case AUTH_REFUSED: /* whether it takes mail from strangers is its decision */
		call->host->log(call, PR_LOG_WARNING, "AUTH=client, relay=%s, refused", run->session->server);
		return PR_OK;
	default:
		return put_off(run, outcome);
	}
}
