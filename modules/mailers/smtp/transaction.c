/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One MAIL..dot transaction on an open session, with a result for every recipient that has none yet.
 * All commands up to DATA go out in one segment when PIPELINING is offered (RFC 2920); the replies are read in the same
 * order either way, so there is one path for both.
 */
#include "smtp.h"

#include <postrider/address.h>

#include <time.h>

enum taken { NOT_ASKED = 0, ASKED = 1, ACCEPTED = 2 };

void smtp_settle(struct smtp_run *run, size_t index, const struct smtp_outcome *outcome, bool retry)
{
	struct pr_delivery *delivery = &run->deliveries[index];

	delivery->status = outcome->status;
	delivery->code = outcome->code;
	delivery->enhanced = outcome->enhanced;
	delivery->reply = outcome->text;
	if (run->session->name[0] != '\0')
		delivery->remote = pr_arena_copy(run->call->arena, pr_str(run->session->remote));
	run->retry[index] = retry && outcome->status == PR_TEMPFAIL;
	if (outcome->status != PR_OK)
		run->call->host->answered(run->call, delivery, outcome->command);
}

static void settle_all(struct smtp_run *run, const struct smtp_outcome *outcome, bool retry)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->deliveries[i].status == PR_MISUSE)
			smtp_settle(run, i, outcome, retry);
}

static bool has(const struct smtp_run *run, uint32_t extension)
{
	return (run->session->extensions & extension) != 0;
}

/* What is left of the time (RFC 2852 section 4.1.4.2). */
static void add_deliver_by(const struct pr_envelope *envelope, struct pr_text *out)
{
	struct pr_deliver_by by;

	if (!pr_envelope_deliver_by(envelope, &by))
		return;
	pr_text_addf(out, " BY=%lld;%c%s", (long long)(by.seconds - ((int64_t)time(NULL) - envelope->created)),
	    (by.flags & PR_BY_RETURN) != 0 ? 'R' : 'N', (by.flags & PR_BY_TRACE) != 0 ? "T" : "");
}

/* Mail that must be back by its time is not given to a host that knows nothing of that. */
static bool is_too_urgent(struct smtp_run *run)
{
	struct pr_deliver_by by;

	return !run->smtp->lmtp && !has(run, SMTP_DELIVERBY) && pr_envelope_deliver_by(run->envelope, &by) && (by.flags & PR_BY_RETURN) != 0;
}

static void add_mail(struct smtp_run *run, struct pr_text *out)
{
	const struct pr_envelope *envelope = run->envelope;
	int64_t size = (int64_t)run->header.len + (envelope->body_size > 0 ? envelope->body_size : 0);
	struct pr_str sender = pr_address_inner(envelope->sender);

	pr_text_addf(out, "MAIL From:<%.*s>", PR_PRINT(sender));
	if (has(run, SMTP_SIZE))
		pr_text_addf(out, " SIZE=%lld", (long long)size);
	bool is_converted = run->content == 0 && (envelope->flags & PR_ENVELOPE_EIGHT_BIT) != 0;
	if (has(run, SMTP_8BITMIME) && ((pr_str_equal(envelope->body_type, PR_STR("8BITMIME")) && !is_converted) || run->content != 0))
		pr_text_add_c(out, " BODY=8BITMIME");
	else if (has(run, SMTP_8BITMIME) && pr_str_equal(envelope->body_type, PR_STR("7BIT")))
		pr_text_add_c(out, " BODY=7BIT");
	if (run->utf8)
		pr_text_add_c(out, " SMTPUTF8");
	if (has(run, SMTP_DSN) && envelope->envelope_id.len > 0) {
		pr_text_add_c(out, " ENVID=");
		pr_xtext_encode(envelope->envelope_id, out);
	}
	if (has(run, SMTP_DSN) && (envelope->flags & PR_ENVELOPE_RET_GIVEN) != 0)
		pr_text_addf(out, " RET=%s", (envelope->flags & PR_ENVELOPE_RET_HEADERS) != 0 ? "HDRS" : "FULL");
	if (run->session->mechanisms[0] != '\0' && envelope->auth.len > 0) {
		pr_text_add_c(out, " AUTH=");
		pr_xtext_encode(envelope->auth, out);
	}
	if (has(run, SMTP_DELIVERBY))
		add_deliver_by(envelope, out);
	if (smtp_requires_tls(run) && has(run, SMTP_REQUIRETLS))
		pr_text_add_c(out, " REQUIRETLS");
	pr_text_add_c(out, "\r\n");
}

static void add_notify(uint32_t flags, struct pr_text *out)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {{PR_RECIPIENT_NOTIFY_SUCCESS, "SUCCESS"}, {PR_RECIPIENT_NOTIFY_FAILURE, "FAILURE"}, {PR_RECIPIENT_NOTIFY_DELAY, "DELAY"}};
	bool any = false;

	if ((flags & PR_RECIPIENT_NOTIFY) == 0)
		return;
	pr_text_add_c(out, " NOTIFY=");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if ((flags & words[i].flag) == 0)
			continue;
		pr_text_addf(out, "%s%s", any ? "," : "", words[i].word);
		any = true;
	}
	if (!any)
		pr_text_add_c(out, "NEVER");
}

/* "rfc822;Joe@x": the type stays, the address is encoded (RFC 3461 4.2) */
static void add_original(struct pr_str original, struct pr_text *out)
{
	size_t semicolon = pr_str_find(original, ';');

	if (original.len == 0 || semicolon == original.len || semicolon == 0)
		return;
	for (size_t i = 0; i < semicolon; i++)
		if (original.data[i] <= ' ' || original.data[i] == 0x7f)
			return;
	pr_text_add_c(out, " ORCPT=");
	pr_text_add(out, original.data, semicolon + 1);
	pr_xtext_encode(pr_str_slice(original, semicolon + 1, original.len), out);
}

/* A host that cannot keep the time is at least asked to tell of trouble, as sendmail asks it. */
static bool is_watched(const struct smtp_run *run)
{
	struct pr_deliver_by by;

	return !has(run, SMTP_DELIVERBY) && pr_envelope_deliver_by(run->envelope, &by);
}

static uint32_t own_watch(uint32_t flags)
{
	const uint32_t any = PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY;

	if ((flags & PR_RECIPIENT_NOTIFY) == 0)
		return PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY;
	return (flags & any) != 0 ? PR_RECIPIENT_NOTIFY_DELAY : 0; /* never is never */
}

static void add_rcpt(struct smtp_run *run, size_t index, struct pr_text *out)
{
	const struct pr_recipient *recipient = run->deliveries[index].recipient;

	pr_text_addf(out, "RCPT To:<%.*s>", PR_PRINT(pr_address_inner(run->deliveries[index].user)));
	if (has(run, SMTP_DSN) && recipient != NULL) {
		add_notify(recipient->flags | (run->is_watched ? own_watch(recipient->flags) : 0), out);
		add_original(recipient->original, out);
	}
	pr_text_add_c(out, "\r\n");
}

#define ALL_RECIPIENTS SIZE_MAX

/* What was said, once more: MAIL, or one RCPT.  Only who was refused pays for it. */
static struct pr_str said(struct smtp_run *run, size_t index)
{
	struct pr_text line;

	pr_text_init(&line, 1u << 16);
	if (index == ALL_RECIPIENTS)
		add_mail(run, &line);
	else
		add_rcpt(run, index, &line);
	struct pr_str copy = pr_arena_copy(run->call->arena, pr_str_trim(pr_text_str(&line)));
	pr_text_fini(&line);
	return copy;
}

/* The conversation up to the answer to DATA. */
struct opening {
	struct smtp_run *run;
	struct pr_text line;
	bool pipelined;
	unsigned char *taken; /* per recipient: enum taken */
	size_t accepted;
	struct smtp_reply data; /* code 0: DATA was not said */
};

static void add_all(struct opening *opening)
{
	struct smtp_run *run = opening->run;

	add_mail(run, &opening->line);
	for (size_t i = 0; i < run->count; i++)
		if (opening->taken[i] == ASKED)
			add_rcpt(run, i, &opening->line);
	if (!smtp_uses_chunks(run))
		pr_text_add_c(&opening->line, "DATA\r\n");
}

/* Sends what is in the line, unless everything went out at once, and reads one reply. */
static enum pr_status exchange(struct opening *opening, enum smtp_wait wait, struct smtp_reply *reply)
{
	struct smtp_run *run = opening->run;
	int64_t seconds = run->smtp->wait[wait];
	enum pr_status status = PR_OK;

	if (!opening->pipelined) {
		status = smtp_send(run->call, run->session, pr_text_str(&opening->line), seconds);
		pr_text_clear(&opening->line);
	}
	return status == PR_OK ? smtp_read_reply(run->call, run->session, seconds, reply) : status;
}

static enum pr_status say_mail(struct opening *opening, struct smtp_reply *mail)
{
	struct smtp_run *run = opening->run;

	if (!opening->pipelined)
		add_mail(run, &opening->line);
	return exchange(opening, SMTP_WAIT_MAIL, mail);
}

static enum pr_status say_recipients(struct opening *opening, bool mail_taken)
{
	struct smtp_run *run = opening->run;

	for (size_t i = 0; i < run->count; i++) {
		struct smtp_reply reply;
		if (opening->taken[i] != ASKED || (!mail_taken && !opening->pipelined))
			continue;
		if (!opening->pipelined)
			add_rcpt(run, i, &opening->line);
		enum pr_status status = exchange(opening, SMTP_WAIT_RCPT, &reply);
		if (status != PR_OK)
			return status;
		if (!mail_taken)
			continue; /* that MAIL was refused says it all */
		if (reply.code / 100 == 2) {
			opening->taken[i] = ACCEPTED;
			opening->accepted++;
			continue;
		}
		struct smtp_outcome outcome = smtp_outcome_of(&reply, said(run, i));
		smtp_settle(run, i, &outcome, true);
		if (reply.code == 421) {
			smtp_drop(run->session);
			return pr_fail(run->call, PR_TEMPFAIL, "%.*s", PR_PRINT(reply.text));
		}
	}
	return PR_OK;
}

static enum pr_status say_opening(struct opening *opening, struct smtp_outcome *refused)
{
	struct smtp_run *run = opening->run;
	struct smtp_reply mail = {0};
	enum pr_status status = PR_OK;

	opening->pipelined = has(run, SMTP_PIPELINING);
	if (opening->pipelined) {
		add_all(opening);
		/* too much for one segment: half a command must not be sent, one after the other will do */
		opening->pipelined = opening->line.overflow == 0;
	}
	if (!opening->pipelined) {
		pr_text_clear(&opening->line);
	} else {
		status = smtp_send(run->call, run->session, pr_text_str(&opening->line), run->smtp->wait[SMTP_WAIT_MAIL]);
	}
	if (status == PR_OK)
		status = say_mail(opening, &mail);
	if (status != PR_OK)
		return status;
	bool mail_taken = mail.code / 100 == 2;
	if (!mail_taken)
		*refused = smtp_outcome_of(&mail, said(run, ALL_RECIPIENTS));
	if (mail.code == 421) {
		smtp_drop(run->session);
		return pr_fail(run->call, PR_TEMPFAIL, "%.*s", PR_PRINT(mail.text));
	}
	status = say_recipients(opening, mail_taken);
	if (status != PR_OK)
		return status;
	run->session->dirty = 1;
	if (smtp_uses_chunks(run) || (opening->accepted == 0 && !opening->pipelined))
		return PR_OK;
	if (!opening->pipelined)
		pr_text_add_c(&opening->line, "DATA\r\n");
	return exchange(opening, SMTP_WAIT_DATAINIT, &opening->data);
}

static void settle_taken(struct opening *opening, const struct smtp_outcome *outcome, bool retry)
{
	for (size_t i = 0; i < opening->run->count; i++)
		if (opening->taken[i] == ACCEPTED)
			smtp_settle(opening->run, i, outcome, retry);
}

static void note_success(struct opening *opening, size_t index)
{
	struct smtp_run *run = opening->run;

	if (run->deliveries[index].status != PR_OK)
		return;
	run->deliveries[index].flags = run->smtp->lmtp ? PR_DELIVERY_FINAL : has(run, SMTP_DSN) ? PR_DELIVERY_DSN_TAKEN : 0;
	if (has(run, SMTP_DELIVERBY))
		run->deliveries[index].flags |= PR_DELIVERY_BY_TAKEN;
}

static struct pr_str last_command(const struct smtp_run *run)
{
	return smtp_uses_chunks(run) ? PR_STR("BDAT") : PR_STR("DATA");
}

/* The reply to the dot: one, or with LMTP one for each accepted recipient in turn. */
static void read_final(struct opening *opening)
{
	struct smtp_run *run = opening->run;
	struct smtp_reply reply = {0};
	enum pr_status status = PR_OK;
	bool first = true;

	for (size_t i = 0; i < run->count; i++) {
		if (opening->taken[i] != ACCEPTED)
			continue;
		if (status == PR_OK && (first || run->smtp->lmtp))
			status = smtp_read_reply(run->call, run->session, run->smtp->wait[SMTP_WAIT_DATAFINAL], &reply);
		first = false;
		struct smtp_outcome outcome = status == PR_OK ? smtp_outcome_of(&reply, last_command(run)) : smtp_outcome_lost(run->call);
		smtp_settle(run, i, &outcome, false); /* it may have been taken: no other host now */
		note_success(opening, i);
	}
	run->session->dirty = 0; /* the dot ends a transaction, whatever the reply */
	if (status != PR_OK || reply.code == 421 || reply.code / 100 < 2 || reply.code / 100 == 3)
		smtp_drop(run->session);
}

/* 354 though every recipient was refused: an empty message that must not be taken (RFC 2920 3.1) */
static void send_nothing(struct smtp_run *run)
{
	struct smtp_reply reply;

	if (smtp_command(run->call, run->session, PR_STR(".\r\n"), run->smtp->wait[SMTP_WAIT_DATAFINAL], &reply) != PR_OK || reply.code == 421)
		smtp_drop(run->session);
	else
		run->session->dirty = 0;
}

static void send_message(struct opening *opening)
{
	struct smtp_run *run = opening->run;
	bool end = false;
	struct smtp_reply refused = {0};
	enum pr_status status = smtp_content_send(run, &end, &refused);

	if (status == PR_OK && refused.code != 0) { /* a chunk, and so all of it */
		struct smtp_outcome outcome = smtp_outcome_of(&refused, last_command(run));
		settle_taken(opening, &outcome, !end);
		if (refused.code == 421)
			smtp_drop(run->session);
		return;
	}
	if (status == PR_OK) {
		read_final(opening);
		return;
	}
	/* The other side may have said why it stopped reading. */
	struct smtp_outcome outcome = smtp_outcome_lost(run->call);
	struct smtp_reply reply;
	if (!end && smtp_read_reply(run->call, run->session, 1, &reply) == PR_OK && reply.code >= 400)
		outcome = smtp_outcome_of(&reply, last_command(run));
	settle_taken(opening, &outcome, false);
	smtp_drop(run->session);
}

static void finish(struct opening *opening, const struct smtp_outcome *refused)
{
	struct smtp_run *run = opening->run;
	uint32_t code = opening->data.code;

	if (refused->status != PR_MISUSE)
		settle_all(run, refused, true);
	if ((code == 354 || smtp_uses_chunks(run)) && opening->accepted > 0) {
		send_message(opening);
	} else if (code == 354) {
		send_nothing(run);
	} else if (opening->accepted > 0) {
		struct smtp_outcome outcome = smtp_outcome_of(&opening->data, PR_STR("DATA"));
		if (outcome.status == PR_OK)
			outcome.status = PR_TEMPFAIL; /* 2xx to DATA means nothing */
		settle_taken(opening, &outcome, true);
	}
	if (code == 421 || (code != 0 && code < 300))
		smtp_drop(run->session);
}

/* Who is named on this connection: whoever has no result yet, and none from the rules. */
static size_t choose(struct opening *opening)
{
	struct smtp_run *run = opening->run;
	size_t asked = 0;

	for (size_t i = 0; i < run->count; i++) {
		run->retry[i] = 0;
		opening->taken[i] = run->deliveries[i].status == PR_MISUSE && smtp_ask_recipient(run, i) ? ASKED : NOT_ASKED;
		asked += opening->taken[i] == ASKED;
	}
	return asked;
}

void smtp_give_up(struct smtp_run *run)
{
	struct smtp_reply reply;

	if (!run->session->open || !run->session->dirty)
		return;
	if (smtp_command(run->call, run->session, PR_STR("RSET\r\n"), run->smtp->wait[SMTP_WAIT_RSET], &reply) != PR_OK || reply.code == 421)
		smtp_drop(run->session);
	else
		run->session->dirty = 0;
}

void smtp_transaction(struct smtp_run *run)
{
	struct smtp_session *session = run->session;
	struct opening opening = {.run = run};
	struct smtp_outcome refused = {.status = PR_MISUSE};
	int64_t size = (int64_t)run->header.len + run->envelope->body_size;

	if (session->size_limit > 0 && size > session->size_limit) {
		refused = (struct smtp_outcome){PR_PERMFAIL, 552, PR_STR("5.3.4"), pr_arena_printf(run->call->arena,
			"552 5.3.4 Message is too large; %lld bytes max", (long long)session->size_limit), PR_NONE};
		settle_all(run, &refused, false);
		return;
	}
	if (is_too_urgent(run)) {
		refused = (struct smtp_outcome){PR_PERMFAIL, 554, PR_STR("5.4.7"), PR_STR("554 5.4.7 Server does not support Deliver By"), PR_NONE};
		settle_all(run, &refused, false);
		for (size_t i = 0; i < run->count; i++)
			run->deliveries[i].remote = PR_NONE; /* it is not the host that says so */
		return;
	}
	if (!smtp_is_good_enough(run, &refused)) {
		/* another host may be better; the last word is for good */
		if (smtp_has_next(run))
			refused = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.7.0"), pr_str_slice(refused.text, 4, refused.text.len), PR_NONE};
		settle_all(run, &refused, true);
		return;
	}
	run->is_watched = is_watched(run);
	opening.taken = pr_alloc(run->count + 1);
	size_t asked = choose(&opening);
	pr_text_init(&opening.line, 4u << 20);
	if (asked == 0) {
		/* the rules want none of them sent this way; the connection is as good as before */
	} else if (say_opening(&opening, &refused) == PR_OK) {
		finish(&opening, &refused);
	} else {
		struct smtp_outcome lost = refused.status != PR_MISUSE ? refused : smtp_outcome_lost(run->call);
		settle_all(run, &lost, true);
		smtp_drop(session);
	}
	session->served++;
	pr_text_fini(&opening.line);
	pr_free(opening.taken);
}
