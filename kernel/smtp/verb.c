/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One table of verbs; a line is cut into verb and argument and the verb's function runs.  What is wrong with the line
 * itself (unknown, too long, control characters, a refused client) is answered here, before any verb sees it.
 */
#include "kernel/smtp/internal.h"

static const struct smtp_verb verbs[] = {
    {"MAIL", smtp_mail, 0, SMTP_SLOW_LOAD},
    {"RCPT", smtp_rcpt, 0, SMTP_SLOW_RCPT},
    {"DATA", smtp_data, 0, SMTP_SLOW_LOAD},
    {"BDAT", smtp_bdat, SMTP_VERB_COUNTED, SMTP_SLOW_LOAD},
    {"QUIT", smtp_quit, SMTP_VERB_REFUSED_OK, SMTP_SLOW_NEVER},
    {"EHLO", smtp_ehlo, SMTP_VERB_REFUSED_OK, SMTP_SLOW_HELO},
    {"HELO", smtp_helo, SMTP_VERB_REFUSED_OK, SMTP_SLOW_HELO},
    {"LHLO", smtp_lhlo, SMTP_VERB_REFUSED_OK, SMTP_SLOW_HELO},
    {"RSET", smtp_rset, SMTP_VERB_REFUSED_OK, SMTP_SLOW_NEVER},
    {"NOOP", smtp_noop, SMTP_VERB_REFUSED_OK, SMTP_SLOW_NOOP},
    {"VRFY", smtp_vrfy, 0, SMTP_SLOW_VERIFY},
    {"EXPN", smtp_expn, 0, SMTP_SLOW_VERIFY},
    {"ETRN", smtp_etrn, 0, SMTP_SLOW_ETRN},
    {"HELP", smtp_help, 0, SMTP_SLOW_LOAD},
    {"VERB", smtp_verb_verb, 0, SMTP_SLOW_NOOP},
    {"STARTTLS", smtp_starttls, 0, SMTP_SLOW_LOAD},
    {"AUTH", smtp_auth, 0, SMTP_SLOW_AUTH},
    {"XCLIENT", smtp_xclient, 0, SMTP_SLOW_LOAD},
    {"XFORWARD", smtp_xforward, 0, SMTP_SLOW_LOAD},
    {"SEND", smtp_unimplemented, 0, SMTP_SLOW_LOAD},
    {"SOML", smtp_unimplemented, 0, SMTP_SLOW_LOAD},
    {"SAML", smtp_unimplemented, 0, SMTP_SLOW_LOAD},
    {"TURN", smtp_unimplemented, 0, SMTP_SLOW_LOAD},
    {"GET", NULL, SMTP_VERB_PROXY, SMTP_SLOW_NEVER},
    {"POST", NULL, SMTP_VERB_PROXY, SMTP_SLOW_NEVER},
    {"CONNECT", NULL, SMTP_VERB_PROXY, SMTP_SLOW_NEVER},
    {"USER", NULL, SMTP_VERB_PROXY, SMTP_SLOW_NEVER},
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct pr_str skip_blanks(struct pr_str text)
{
	size_t i = 0;

	while (i < text.len && is_blank(text.data[i]))
		i++;
	return pr_str_slice(text, i, text.len);
}

static const struct smtp_verb *split(struct smtp_machine *machine)
{
	struct pr_str line = skip_blanks(pr_text_str(&machine->line));
	size_t end = 0;

	while (end < line.len && !is_blank(line.data[end]))
		end++;
	machine->verb = pr_str_slice(line, 0, end);
	machine->argument = skip_blanks(pr_str_slice(line, end, line.len));
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (pr_str_equal_nocase(machine->verb, pr_str(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

static bool has_control(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f)
			return true;
	return false;
}

bool smtp_bad_command(struct smtp_machine *machine)
{
	uint32_t most = machine->settings->bad_commands_max;

	machine->bad_commands++;
	if (most == 0 || machine->bad_commands <= most)
		return false;
	smtp_reply_421(machine, "4.7.0", "Too many bad commands; closing connection");
	return true;
}

void smtp_unknown(struct smtp_machine *machine)
{
	/* the line is printed here and not in a format: it may hold a NUL, which %s would take for its end */
	struct pr_str line = pr_text_str(&machine->line);
	char printable[SMTP_LINE_MAX + 1];

	for (size_t i = 0; i < line.len; i++)
		printable[i] = line.data[i] != '\0' ? line.data[i] : '?';
	if (!smtp_bad_command(machine))
		smtp_reply(machine, 500, "5.5.1", "Command unrecognized: \"%s\"",
		    smtp_shorten((struct pr_str){printable, line.len}).text);
}

void smtp_line_too_long(struct smtp_machine *machine)
{
	smtp_reply_421(machine, "4.7.0", "Command too long, possible attack %s", smtp_client(machine).text);
}

void smtp_run_line(struct smtp_machine *machine)
{
	const struct smtp_verb *verb = split(machine);
	bool first = !machine->any_command;

	machine->any_command = true;
	if (verb != NULL && (verb->flags & SMTP_VERB_PROXY) != 0 && first) {
		smtp_reply_421(machine, "4.7.0", "Rejecting open proxy %s", smtp_client(machine).text);
	} else if (verb != NULL && (verb->flags & SMTP_VERB_PROXY) != 0 && machine->settings->http_closes) {
		smtp_reply_421(machine, "4.7.0", "HTTP command %s", smtp_client(machine).text);
	} else if (verb == NULL || verb->run == NULL) {
		smtp_unknown(machine);
	} else if ((verb->flags & SMTP_VERB_COUNTED) != 0) {
		smtp_run_verb(machine, verb);
	} else if (has_control(pr_text_str(&machine->line))) {
		if (!smtp_bad_command(machine))
			smtp_reply(machine, 501, "5.5.2", "Control character in %s command", verb->name);
	} else if (machine->client.code != 0 && (verb->flags & SMTP_VERB_REFUSED_OK) == 0) {
		if (!smtp_bad_command(machine))
			smtp_reply_refusal(machine, &machine->client);
	} else {
		smtp_run_verb(machine, verb);
	}
}
