/* SPDX-License-Identifier: BSD-2-Clause
 *
 * VRFY, EXPN and ETRN: an argument goes out as a question, lines come back as one reply.  Whether they work at all is
 * a privacy setting; switched off, VRFY gives the answer that says neither yes nor no.  Behind the argument of VRFY and EXPN may stand SMTPUTF8
 * (RFC 6531 section 3.7.4.2): without it neither side says what is not ASCII.
 */
#include "kernel/smtp/internal.h"

static bool is_ascii(const struct pr_list *lines)
{
	bool ascii = true;

	for (size_t i = 0; i < lines->count && ascii; i++)
		ascii = pr_str_is_ascii(lines->items[i]);
	return ascii;
}

static void reply_lines(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	static const struct smtp_standard standard = {
	    550, "5.1.1", "User unknown", 451, "4.3.2", "Please try again later"};
	size_t count = answer->lines.count < SMTP_LIST_MAX ? answer->lines.count : SMTP_LIST_MAX;

	if (!smtp_is_yes(answer)) {
		smtp_reply_refused(machine, answer, machine->argument, &standard);
		return;
	}
	if (machine->settings->utf8 && !machine->utf8_reply && !is_ascii(&answer->lines)) {
		smtp_reply(machine, 252, "2.6.8", "The answer is not ASCII; ask with SMTPUTF8");
		return;
	}
	for (size_t i = 0; i + 1 < count; i++)
		smtp_reply_part(machine, 250, "2.1.5", "%.*s", PR_PRINT(answer->lines.items[i]));
	if (count > 0)
		smtp_reply(machine, answer->unsure ? 252 : 250, "2.1.5", "%.*s", PR_PRINT(answer->lines.items[count - 1]));
	else
		smtp_reply(machine, 252, "2.5.2", "Cannot VRFY user; try RCPT to attempt delivery (or try finger)");
}

static void take_utf8(struct smtp_machine *machine)
{
	const struct pr_str word = PR_STR("SMTPUTF8");
	struct pr_str whole = machine->argument;
	size_t at = whole.len - (whole.len > word.len ? word.len : whole.len);

	if (!machine->settings->utf8 || at == 0 || !pr_str_equal_nocase(pr_str_slice(whole, at, whole.len), word) ||
	    (whole.data[at - 1] != ' ' && whole.data[at - 1] != '\t'))
		return;
	machine->utf8_reply = true;
	machine->argument = pr_str_trim(pr_str_slice(whole, 0, at));
}

static bool refuses_bytes(struct smtp_machine *machine)
{
	if (pr_str_is_ascii(machine->argument) || (machine->utf8_reply && pr_utf8_is_valid(machine->argument)))
		return false;
	smtp_reply(machine, 553, "5.6.7", "%s... Address is not ASCII", smtp_shorten(machine->argument).text);
	return true;
}

static void ask_lines(struct smtp_machine *machine, enum smtp_ask ask)
{
	machine->argument = pr_str_trim(machine->argument);
	take_utf8(machine);
	if (refuses_bytes(machine))
		return;
	if (machine->argument.len == 0) {
		smtp_reply(machine, 501, "5.5.2", "Argument required");
		return;
	}
	machine->question.argument = machine->argument;
	smtp_ask(machine, ask, reply_lines);
}

/* PrivacyOptions needvrfyhelo, needexpnhelo: true when the 503 is written. */
static bool is_stranger(struct smtp_machine *machine, uint32_t needed)
{
	if (!needed || machine->settings->submission || machine->helo != NULL)
		return false;
	smtp_reply(machine, 503, "5.0.0", "I demand that you introduce yourself first");
	return true;
}

void smtp_vrfy(struct smtp_machine *machine)
{
	if (machine->settings->no_vrfy)
		smtp_reply(machine, 252, "2.5.2", "Cannot VRFY user; try RCPT to attempt delivery (or try finger)");
	else if (!is_stranger(machine, machine->settings->need_vrfy_helo))
		ask_lines(machine, SMTP_ASK_VRFY);
}

void smtp_expn(struct smtp_machine *machine)
{
	if (machine->settings->no_expn)
		smtp_reply(machine, 502, "5.7.0", "Sorry, we do not allow this operation");
	else if (!is_stranger(machine, machine->settings->need_expn_helo))
		ask_lines(machine, SMTP_ASK_EXPN);
}

static void etrn_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	static const struct smtp_standard standard = {
	    459, "4.5.4", "Node not allowed", 458, "4.3.2", "Unable to queue messages for node"};

	if (smtp_is_yes(answer) && answer->verdict.text.len > 0)
		smtp_reply(machine, 250, "2.0.0", "%.*s", PR_PRINT(answer->verdict.text));
	else if (smtp_is_yes(answer))
		smtp_reply(machine, 250, "2.0.0", "Queuing for node %s started", smtp_shorten(machine->argument).text);
	else
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
}

void smtp_etrn(struct smtp_machine *machine)
{
	if (machine->settings->no_etrn) {
		smtp_reply(machine, 502, "5.7.0", "Sorry, we do not allow this operation");
	} else if (machine->argument.len == 0) {
		smtp_reply(machine, 500, "5.5.2", "Parameter required");
	} else {
		machine->question.argument = pr_str_trim(machine->argument); /* the reply shows it as it was said */
		smtp_ask(machine, SMTP_ASK_ETRN, etrn_answered);
	}
}
