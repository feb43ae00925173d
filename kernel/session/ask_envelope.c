/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MAIL and RCPT: rules first, then filters, then - for a recipient - what the address means.  A refused recipient leaves
 * nothing behind in the transaction.
 */
#include "kernel/session/ask.h"

#include "kernel/session/aliases.h"
#include "kernel/session/auth.h"
#include "kernel/session/filters.h"
#include "kernel/session/macros.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"
#include "kernel/session/submission.h"
#include "kernel/session/transaction.h"

#define WHY_MAX 2000

static bool asked(struct ask *ask, enum pr_check check, enum filter_hook hook)
{
	struct session *session = ask->session;
	struct pr_list arguments = {&ask->question->argument, 1};
	struct filter_subject subject = {
	    .hook = hook, .text = ask->question->argument, .parameters = &ask->question->parameters};

	if (!ask_rules(ask, check, &arguments))
		return false;
	if (filters_ask(session, ask->bench, ask->scope, &subject, &ask->answer->verdict))
		return true;
	ask->answer->as_it_is = true; /* a filter's text is the whole text */
	return false;
}

static struct pr_str bracketed(struct pr_str inner, struct pr_arena *arena)
{
	return pr_arena_printf(arena, "<%.*s>", PR_PRINT(inner));
}

static struct pr_str deliver_by(const struct smtp_question *question, struct pr_arena *arena)
{
	struct pr_deliver_by by = {.flags = question->by_mode == 'R' ? PR_BY_RETURN : PR_BY_NOTIFY, .seconds = question->by_seconds};

	if (question->by_mode == 0)
		return PR_NONE;
	if (question->by_trace)
		by.flags |= PR_BY_TRACE;
	return pr_deliver_by_print(&by, arena);
}

void ask_mail(struct ask *ask)
{
	struct session *session = ask->session;
	const struct smtp_question *question = ask->question;

	transaction_drop(session, ask->bench);
	session->issued = 1;
	struct transaction *transaction = transaction_new(session);
	struct pr_arena *arena = &transaction->arena;
	struct pr_str sender = bracketed(question->address.full, arena);
	transaction->sender = session->user.data != NULL ? submission_qualify(session, sender, arena) : sender;
	if (question->envelope_id.len > 0) /* "ENVID=" says nothing */
		transaction->envelope_id = pr_arena_copy(arena, question->envelope_id);
	if (question->auth.len > 0)
		transaction->author = pr_arena_copy(arena, question->auth);
	if (question->body_given)
		transaction->body_type = question->eight_bit ? PR_STR("8BITMIME") : PR_STR("7BIT");
	if (question->utf8)
		transaction->flags |= PR_ENVELOPE_UTF8;
	transaction->deliver_by = deliver_by(question, arena);
	transaction->require_tls = question->require_tls;
	if (question->ret_given)
		transaction->flags |= PR_ENVELOPE_RET_GIVEN;
	if (question->ret_headers)
		transaction->flags |= PR_ENVELOPE_RET_HEADERS;
	transaction->own_mode = question->delivery_mode;
	transaction->verbose = question->verbose;
	transaction->mode = question->delivery_mode != 0 ? question->delivery_mode : session_delivery_mode(session);
	transaction->size = question->declared_size;
	transaction->discard = session->discard;
	transaction->quarantine = pr_arena_copy(arena, session->quarantine);
	session->transaction = transaction;
	atomic_fetch_add_explicit(&session->receiver->open, 1, memory_order_relaxed);
	if (transaction->author.len > 0)
		transaction->auth = auth_is_trusted(session, ask->bench, ask->scope, transaction->author) ? transaction->author : PR_STR("<>");
	if (!ask_room(ask) || !asked(ask, PR_CHECK_MAIL, FILTER_MAIL))
		transaction_drop(session, ask->bench);
}

static uint32_t recipient_flags(const struct smtp_question *question)
{
	uint32_t flags = PR_RECIPIENT_PRIMARY;

	if (question->notify_given)
		flags |= PR_RECIPIENT_NOTIFY;
	else
		return flags | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY;
	if ((question->notify & SMTP_NOTIFY_SUCCESS) != 0)
		flags |= PR_RECIPIENT_NOTIFY_SUCCESS;
	if ((question->notify & SMTP_NOTIFY_FAILURE) != 0)
		flags |= PR_RECIPIENT_NOTIFY_FAILURE;
	if ((question->notify & SMTP_NOTIFY_DELAY) != 0)
		flags |= PR_RECIPIENT_NOTIFY_DELAY;
	return flags;
}

/* What the expansion knows (which alias) and what the module said (which file, and why).  An administrator's own 4xx in a table is no
 * failure: its words are in the rejection's line already, and so are a module's for a refusal; a list that cannot be read is one. */
static void report_why(struct ask *ask, const struct expand_result *result, enum pr_status status)
{
	struct pr_str said = status == PR_PERMFAIL ? PR_NONE : ask->scope->reason, text = result->text;
	struct pr_text why;

	if (text.len > 0 && pr_str_has_suffix_nocase(said, text))
		said = PR_NONE;
	if (said.len == 0 && result->reason.len == 0)
		return;
	pr_text_init(&why, WHY_MAX);
	pr_text_addf(&why, "%.*s%s%.*s", PR_PRINT(result->reason), said.len > 0 && result->reason.len > 0 ? ": " : "", PR_PRINT(said));
	report_failure(ask->session, "expanding a recipient", pr_text_str(&why));
	pr_text_fini(&why);
}

static void refuse_recipient(struct ask *ask, const struct expand_result *result, enum pr_status status)
{
	struct pr_verdict *verdict = &ask->answer->verdict;
	struct pr_arena *arena = &ask->bench->arena;

	*verdict = (struct pr_verdict){
	    .action = status == PR_PERMFAIL ? PR_REJECT : PR_DEFER,
	    .code = result->code,
	    .enhanced = pr_arena_copy(arena, result->enhanced),
	    .text = pr_arena_copy(arena, result->text),
	};
	if (verdict->code == 0 && status == PR_PERMFAIL)
		*verdict = (struct pr_verdict){
		    .action = PR_REJECT, .code = 550, .enhanced = PR_STR("5.1.1"), .text = PR_STR("User unknown")};
	if (verdict->code == 0)
		*verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"),
		                               .text = PR_STR("Temporary system failure. Please try again later.")};
	policy_complete(verdict);
	report_why(ask, result, status);
	report_rejected(ask->session, ask->bench, "check_rcpt", ask->question->argument, verdict);
}

static enum pr_status expand(struct ask *ask, struct transaction *transaction, struct expand_result *result)
{
	const struct smtp_question *question = ask->question;
	struct pr_arena *arena = &ask->bench->arena;
	struct pr_str address = bracketed(question->address.full, arena);
	struct pr_recipient model = {
	    .address = address,
	    .original = question->original,
	    .flags = recipient_flags(question),
	};

	if (transaction->expansion == NULL)
		transaction->expansion = aliases_expansion(transaction);
	transaction->scope = ask->scope;
	enum pr_status status = expansion_add(transaction->expansion, question->address.full, &model, true, result);
	transaction->scope = NULL;
	return status;
}

static void judge_recipient(struct ask *ask, struct transaction *transaction)
{
	struct expand_result result = {0};

	if (!asked(ask, PR_CHECK_RCPT, FILTER_RCPT)) {
		transaction->refused_recipients++;
		return;
	}
	enum pr_status status = expand(ask, transaction, &result);
	/* what is going to be thrown away may have any address */
	if (status != PR_OK && transaction->discard == 0) {
		transaction->refused_recipients++;
		refuse_recipient(ask, &result, status);
		return;
	}
	if (status == PR_OK) {
		ask->answer->named = expansion_name(transaction->expansion, result.identity, ask->question->argument);
		ask->answer->waits = result.waits;
	}
	transaction->recipients++;
	transaction->only_recipient = PR_NONE;
	if (transaction->recipients == 1)
		transaction->only_recipient = bracketed(ask->question->address.full, &transaction->arena);
}

/* NOTIFY= as it is written (RFC 3461 section 4.1). */
static struct pr_str notify_words(const struct smtp_question *question, struct pr_arena *arena)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {{SMTP_NOTIFY_SUCCESS, "SUCCESS"}, {SMTP_NOTIFY_FAILURE, "FAILURE"}, {SMTP_NOTIFY_DELAY, "DELAY"}};
	struct pr_str text = PR_STR("");

	if (!question->notify_given)
		return PR_NONE;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if ((question->notify & words[i].bit) != 0)
			text = pr_arena_printf(arena, "%.*s%s%s", PR_PRINT(text), text.len > 0 ? "," : "", words[i].word);
	return text.len > 0 ? text : PR_STR("NEVER");
}

void ask_rcpt(struct ask *ask)
{
	struct transaction *transaction = ask->session->transaction;

	if (transaction == NULL) {
		ask_refuse(ask, PR_REJECT, 503, "5.0.0", "Need MAIL before RCPT");
		return;
	}
	transaction->recipient_now = bracketed(ask->question->address.full, &ask->bench->arena);
	transaction->notify_now = notify_words(ask->question, &ask->bench->arena);
	judge_recipient(ask, transaction);
	transaction->recipient_now = PR_NONE; /* which lived for this question only */
}

void ask_reset(struct ask *ask)
{
	if (ask->session->transaction == NULL)
		return;
	report_nothing(ask->session, ask->bench);
	filters_abort(ask->session, ask->scope);
	transaction_drop(ask->session, ask->bench);
}
