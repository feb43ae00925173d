/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RCPT TO (RFC 5321 section 4.1.1.3, RFC 3461).  Counts what the driver accepted; that many and no more.
 */
#include "kernel/smtp/internal.h"

static uint32_t notify_bit(struct pr_str word)
{
	if (pr_str_equal_nocase(word, PR_STR("SUCCESS")))
		return SMTP_NOTIFY_SUCCESS;
	if (pr_str_equal_nocase(word, PR_STR("FAILURE")))
		return SMTP_NOTIFY_FAILURE;
	if (pr_str_equal_nocase(word, PR_STR("DELAY")))
		return SMTP_NOTIFY_DELAY;
	return 0;
}

static bool take_notify(struct smtp_machine *machine, struct pr_str value)
{
	uint32_t bits = 0;
	struct pr_str rest = value;

	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "NOTIFY requires a value");
		return false;
	}
	machine->question.notify_given = true;
	machine->question.notify = SMTP_NOTIFY_NEVER;
	if (pr_str_equal_nocase(value, PR_STR("NEVER")))
		return true;
	for (bool more = true; more;) {
		size_t comma = pr_str_find(rest, ',');
		struct pr_str word = pr_str_slice(rest, 0, comma);
		if (notify_bit(word) == 0) {
			/* two blanks, as sendmail has it */
			smtp_reply(machine, 501, "5.5.4", "Bad argument \"%s\"  to NOTIFY", smtp_shorten(word).text);
			return false;
		}
		bits |= notify_bit(word);
		more = comma < rest.len;
		rest = pr_str_slice(rest, comma + 1, rest.len);
	}
	machine->question.notify = bits;
	return true;
}

/* "rfc822;joe@example.org": an address type, a semicolon, xtext. */
static bool take_original(struct smtp_machine *machine, struct pr_str value)
{
	size_t semicolon = pr_str_find(value, ';');

	if (value.data != NULL && (semicolon == 0 || semicolon >= value.len)) {
		smtp_reply(machine, 501, "5.5.4", "Syntax error in ORCPT parameter value");
		return false;
	}
	return smtp_take_xtext(machine, "ORCPT", value, &machine->question.original);
}

static bool take_parameter(struct smtp_machine *machine, struct pr_str key, struct pr_str value)
{
	if (smtp_refuses_dsn(machine, key))
		return false;
	if (pr_str_equal_nocase(key, PR_STR("NOTIFY")))
		return take_notify(machine, value);
	if (pr_str_equal_nocase(key, PR_STR("ORCPT")))
		return take_original(machine, value);
	smtp_reply(machine, 555, "5.5.4", "%s parameter unrecognized", smtp_shorten(key).text);
	return false;
}

static void answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	static const struct smtp_standard standard = {
	    550, "5.7.1", "Access denied", 451, "4.3.2", "Please try again later"};
	struct smtp_short path = smtp_shorten(answer->named.data != NULL ? answer->named : machine->argument);
	const struct pr_verdict *verdict = &answer->verdict;

	if (!smtp_is_yes(answer)) {
		smtp_reply_refused(machine, answer, machine->argument, &standard);
		return;
	}
	machine->recipients++;
	machine->bad_recipients--;
	if (verdict->text.data != NULL && verdict->action != PR_QUARANTINE)
		smtp_reply(machine, 250, "2.1.5", "%s... %.*s", path.text, PR_PRINT(verdict->text));
	else
		smtp_reply(machine, 250, "2.1.5", "%s... Recipient ok%s", path.text, answer->waits ? " (will queue)" : "");
}

static void ask(struct smtp_machine *machine)
{
	struct pr_str rest;

	if (!smtp_skip_word(machine, PR_STR("TO"), &rest) || !smtp_parse_path(machine, rest, &rest))
		return;
	if (machine->question.address.full.len == 0) {
		bool bracket = pr_str_find(machine->question.argument, '<') < machine->question.argument.len;
		if (bracket)
			smtp_reply(machine, 553, "5.0.0", "%s... User address required", smtp_shorten(machine->question.argument).text);
		else
			smtp_reply(machine, 501, "5.0.0", "Missing recipient");
		return;
	}
	if (!smtp_parse_parameters(machine, rest, take_parameter))
		return;
	machine->argument = machine->question.argument;
	smtp_ask(machine, SMTP_ASK_RCPT, answered);
}

/* Too many of those it asked for are not here: it is guessing names. */
static bool is_guessing(const struct smtp_machine *machine)
{
	const struct smtp_settings *settings = machine->settings;
	uint64_t all = machine->recipients + machine->bad_recipients;

	return settings->bad_rcpt_shutdown > 0 && !settings->submission && machine->bad_recipients >= settings->bad_rcpt_shutdown &&
	       machine->bad_recipients * 100 >= all * settings->bad_rcpt_shutdown_good;
}

uint64_t smtp_most_recipients(const struct smtp_machine *machine)
{
	uint64_t most = machine->settings->max_recipients;

	return machine->settings->lmtp && (most == 0 || most > SMTP_LMTP_RECIPIENTS) ? SMTP_LMTP_RECIPIENTS : most;
}

void smtp_rcpt(struct smtp_machine *machine)
{
	uint64_t most = smtp_most_recipients(machine);

	if (!machine->in_transaction) {
		smtp_reply(machine, 503, "5.0.0", "Need MAIL before RCPT");
		return;
	}
	if (smtp_refuses_in_chunks(machine))
		return;
	if (is_guessing(machine)) {
		smtp_reply_421(machine, "4.7.0", "Too many bad recipients; closing connection");
		return;
	}
	machine->bad_recipients++; /* until it is taken */
	if (most > 0 && machine->recipients >= most)
		smtp_reply(machine, 452, "4.5.3", "Too many recipients");
	else
		ask(machine);
}
