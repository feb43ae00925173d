/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table from question to answer.  The worker's arena lives for one answer: what must last was copied.
 */
#include "kernel/session/ask.h"

#include "kernel/session/policy.h"
#include "kernel/session/transaction.h"

static void ask_quit(struct ask *ask)
{
	ask->session->quit = 1; /* nothing to decide */
}

static void (*const answers[])(struct ask *) = {
    [SMTP_ASK_CONNECT] = ask_connect, [SMTP_ASK_HELO] = ask_helo,     [SMTP_ASK_MAIL] = ask_mail,
    [SMTP_ASK_RCPT] = ask_rcpt,       [SMTP_ASK_DATA] = ask_data,     [SMTP_ASK_BODY] = ask_body,
    [SMTP_ASK_RESET] = ask_reset,     [SMTP_ASK_VRFY] = ask_verify,   [SMTP_ASK_EXPN] = ask_verify,
    [SMTP_ASK_ETRN] = ask_etrn,       [SMTP_ASK_STARTTLS] = ask_starttls, [SMTP_ASK_QUIT] = ask_quit,
    [SMTP_ASK_AUTH] = ask_auth,       [SMTP_ASK_HELP] = ask_help,
    [SMTP_ASK_XCLIENT] = ask_xclient, [SMTP_ASK_XFORWARD] = ask_xforward,
};

void ask_refuse(struct ask *ask, enum pr_action action, uint32_t code, const char *enhanced, const char *text)
{
	ask->answer->verdict = (struct pr_verdict){
	    .action = action, .code = code, .enhanced = pr_str(enhanced), .text = pr_str(text)};
}

bool ask_rules(struct ask *ask, enum pr_check check, const struct pr_list *arguments)
{
	if (ask->session->user.data != NULL ||
	    policy_check(ask->session, ask->bench, ask->scope, check, arguments, &ask->answer->verdict))
		return true;
	ask->answer->stays = true;
	return false;
}

bool session_answer(struct session *session, struct bench *bench)
{
	const struct smtp_question *question = smtp_machine_question(session->machine);
	struct smtp_answer answer = {.verdict = {.action = PR_CONTINUE}};
	struct module_scope scope;
	struct ask ask = {.session = session, .bench = bench, .scope = &scope, .question = question, .answer = &answer};

	session_scope(session, bench, &scope);
	if (question->ask == SMTP_ASK_END) {
		enum ask_end end = ask_end(&ask);
		if (end != END_ANSWERED)
			return end == END_STORED && transaction_committed(session, bench);
		/* what the answer says may live in the transaction that ends here */
		answer.id = pr_arena_copy(&bench->arena, answer.id);
		answer.verdict.enhanced = pr_arena_copy(&bench->arena, answer.verdict.enhanced);
		answer.verdict.text = pr_arena_copy(&bench->arena, answer.verdict.text);
		transaction_drop(session, bench);
	} else if (question->ask > SMTP_ASK_NOTHING && question->ask <= SMTP_ASK_AUTH && answers[question->ask] != NULL) {
		answers[question->ask](&ask);
	}
	smtp_machine_answer(session->machine, &answer);
	pr_arena_reset(&bench->arena);
	return true;
}
