/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AUTH (RFC 4954): base64 comes off here and goes on here; who somebody is, the driver finds out.  While an exchange goes on each line is an
 * answer to a challenge and no command, so nothing of it is ever echoed as one.
 */
#include "kernel/smtp/internal.h"

#include <postrider/base64.h>

#include <string.h>

static const struct smtp_standard standard = {
    535, "5.7.0", "authentication failed", 454, "4.7.0", "Temporary authentication failure"};

uint32_t smtp_auth_offers(const struct smtp_machine *machine)
{
	struct pr_str rest = machine->settings->auth_mechanisms, word;
	uint32_t count = 0;

	while (pr_str_word(&rest, " ", &word))
		count++;
	return count;
}

bool smtp_auth_is_open(const struct smtp_machine *machine)
{
	return machine->settings->auth_mechanisms.len > 0 && !machine->authenticated && !machine->in_transaction;
}

void smtp_auth_wipe(struct smtp_machine *machine)
{
	if (!machine->has_secret)
		return;
	explicit_bzero(machine->line.data, machine->line.len);
	if (machine->secret.len > 0)
		explicit_bzero((void *)(uintptr_t)machine->secret.data, machine->secret.len);
	machine->has_secret = false;
	machine->secret = PR_NONE;
}

static struct pr_str skip_blanks(struct pr_str text)
{
	size_t i = 0;

	while (i < text.len && (text.data[i] == ' ' || text.data[i] == '\t'))
		i++;
	return pr_str_slice(text, i, text.len);
}

static bool offers(const struct smtp_machine *machine, struct pr_str mechanism)
{
	struct pr_str rest = machine->settings->auth_mechanisms, word;

	while (pr_str_word(&rest, " ", &word))
		if (pr_str_equal_nocase(word, mechanism))
			return true;
	return false;
}

/* A challenge is base64, so there is nothing in it to escape, and longer than a reply's text. */
static void challenge(struct smtp_machine *machine, struct pr_str bytes)
{
	struct pr_str encoded = pr_base64_encode(&machine->arena, bytes);
	struct pr_text *out = &machine->output;

	if (encoded.data == NULL || encoded.len > SMTP_AUTH_LINE_MAX) {
		machine->state = SMTP_STATE_COMMAND;
		smtp_reply(machine, standard.defer_code, standard.defer_enhanced, "%s", standard.defer_text);
		return;
	}
	machine->state = SMTP_STATE_AUTH;
	pr_text_add_c(out, "334 ");
	pr_text_add_str(out, encoded);
	pr_text_add_c(out, "\r\n");
}

static void answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	if (smtp_is_yes(answer) && answer->goes_on) {
		challenge(machine, answer->challenge);
		return;
	}
	machine->state = SMTP_STATE_COMMAND;
	if (!smtp_is_yes(answer)) {
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
		return;
	}
	machine->authenticated = true;
	smtp_reply(machine, 235, "2.0.0", "OK Authenticated");
}

/* RFC 4954 section 4: '=' alone is an initial response that is empty. */
static bool take_initial(struct smtp_machine *machine, struct pr_str text)
{
	if (text.len == 0)
		return true;
	if (pr_str_equal(text, PR_STR("=")))
		machine->question.data = PR_STR("");
	else if (!pr_base64_decode(&machine->arena, text, &machine->question.data)) {
		smtp_reply(machine, 501, "5.5.4", "cannot BASE64 decode '%s'", smtp_shorten(text).text);
		return false;
	}
	return true;
}

void smtp_auth(struct smtp_machine *machine)
{
	struct pr_str rest = machine->argument, mechanism = PR_NONE;

	machine->has_secret = true;
	if (machine->settings->auth_mechanisms.len == 0)
		smtp_reply(machine, 503, "5.3.3", "AUTH not available");
	else if (machine->authenticated)
		smtp_reply(machine, 503, "5.5.0", "Already Authenticated");
	else if (machine->in_transaction)
		smtp_reply(machine, 503, "5.5.0", "AUTH not permitted during a mail transaction");
	else if (!pr_str_word(&rest, " \t", &mechanism))
		smtp_reply(machine, 501, "5.5.2", "AUTH mechanism must be specified");
	else if (!offers(machine, mechanism))
		smtp_reply(machine, 504, "5.3.3", "AUTH mechanism %.32s not available", smtp_shorten(mechanism).text);
	else if (take_initial(machine, skip_blanks(rest))) {
		machine->question.argument = mechanism;
		machine->secret = machine->question.data;
		smtp_ask(machine, SMTP_ASK_AUTH, answered);
	}
}

static void cancelled(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	(void)answer;
	machine->state = SMTP_STATE_COMMAND;
	if (pr_str_equal(pr_text_str(&machine->line), PR_STR("*")))
		smtp_reply(machine, 501, "5.0.0", "AUTH aborted");
	else
		smtp_reply(machine, 501, "5.5.4", "cannot decode AUTH parameter %s", smtp_shorten(pr_text_str(&machine->line)).text);
}

void smtp_auth_line(struct smtp_machine *machine)
{
	struct pr_str line = pr_text_str(&machine->line);

	machine->has_secret = true;
	machine->question.cancelled = pr_str_equal(line, PR_STR("*")) || !pr_base64_decode(&machine->arena, line, &machine->question.data);
	machine->secret = machine->question.data;
	smtp_ask(machine, SMTP_ASK_AUTH, machine->question.cancelled ? cancelled : answered);
}
