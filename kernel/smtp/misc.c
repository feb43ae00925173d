/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The verbs that decide nothing: RSET, NOOP, QUIT, VERB, STARTTLS and those we know by name only.  A verb that we do not
 * offer is answered in sendmail's words, so that old clients recognise the answer.
 */
#include "kernel/smtp/internal.h"

static void reset_done(struct smtp_machine *machine)
{
	smtp_reply(machine, 250, "2.0.0", "Reset state");
}

void smtp_rset(struct smtp_machine *machine)
{
	smtp_reset_then(machine, reset_done);
}

void smtp_noop(struct smtp_machine *machine)
{
	smtp_reply(machine, 250, "2.0.0", "OK");
}

static void quit_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	(void)answer;
	smtp_reply(machine, 221, "2.0.0", "%.*s closing connection", PR_PRINT(machine->settings->host_name));
	smtp_leave(machine);
}

static void ask_quit(struct smtp_machine *machine)
{
	smtp_ask(machine, SMTP_ASK_QUIT, quit_answered);
}

void smtp_quit(struct smtp_machine *machine)
{
	smtp_reset_then(machine, ask_quit);
}

void smtp_verb_verb(struct smtp_machine *machine)
{
	if (machine->settings->no_verb) {
		smtp_reply(machine, 502, "5.7.0", "Verbose unavailable");
		return;
	}
	machine->verbose = true; /* whatever stands behind it: VERB OFF is nothing that sendmail knows */
	smtp_reply(machine, 250, "2.0.0", "Verbose mode");
}

static void starttls_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	static const struct smtp_standard standard = {
	    554, "5.3.3", "TLS not available", 454, "4.3.3", "TLS not available after start"};

	if (!smtp_is_yes(answer)) {
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
		return;
	}
	machine->state = SMTP_STATE_TLS;
	smtp_reply(machine, 220, "2.0.0", "Ready to start TLS");
}

static void ask_starttls(struct smtp_machine *machine)
{
	smtp_ask(machine, SMTP_ASK_STARTTLS, starttls_answered);
}

void smtp_starttls(struct smtp_machine *machine)
{
	if (machine->argument.len > 0)
		smtp_reply(machine, 501, "5.5.2", "Syntax error (no parameters allowed)");
	else if (machine->settings->starttls_refused)
		smtp_reply(machine, 503, "5.5.0", "TLS not available");
	else if (machine->secured || !machine->settings->starttls)
		smtp_reply(machine, 454, "4.3.3", "TLS not available after start");
	else if (!smtp_refuses_in_chunks(machine))
		smtp_reset_then(machine, ask_starttls);
}

void smtp_unimplemented(struct smtp_machine *machine)
{
	if (!smtp_bad_command(machine))
		smtp_reply(machine, 502, "5.5.1", "Command not implemented: \"%s\"", smtp_shorten(pr_text_str(&machine->line)).text);
}
