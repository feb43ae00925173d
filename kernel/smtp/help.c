/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HELP: one line per verb, and a list of the verbs when no topic is named.  The texts here describe this machine;
 * a site that has a HelpFile of its own speaks in its words.
 */
#include "kernel/smtp/internal.h"

#include <ctype.h>

static const struct topic {
	const char *name, *use, *what;
} topics[] = {
    {"HELO", "HELO name", "The client gives its own name."},
    {"EHLO", "EHLO name", "As HELO; the reply lists the extensions that work here."},
    {"LHLO", "LHLO name", "As EHLO, where LMTP is spoken."},
    {"MAIL", "MAIL FROM:<sender> [SIZE=n] [BODY=8BITMIME] [RET=FULL|HDRS] [ENVID=id] [BY=seconds;N|R[T]]", "Begins a message."},
    {"RCPT", "RCPT TO:<recipient> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] [ORCPT=type;address]", "Names one recipient."},
    {"DATA", "DATA", "The message follows; a line with only a dot ends it."},
    {"BDAT", "BDAT octets [LAST]", "So many octets of the message follow; it ends with the last of them."},
    {"RSET", "RSET", "Forgets the message under way."},
    {"NOOP", "NOOP", "Does nothing."},
    {"VERB", "VERB", "Mail of this session is delivered before the dot is answered."},
    {"VRFY", "VRFY address", "Asks whether an address is known."},
    {"EXPN", "EXPN list", "Asks for the members of a list."},
    {"ETRN", "ETRN host | @domain | #group", "Begins a queue run for what waits there."},
    {"HELP", "HELP [verb]", "This text."},
    {"QUIT", "QUIT", "Ends the session."},
};

#define TOPIC_MAX 10
#define TOPICS (sizeof topics / sizeof topics[0])

static void unknown(struct smtp_machine *machine, struct pr_str name)
{
	smtp_reply(machine, 504, "5.3.0", "HELP topic \"%s\" unknown", smtp_shorten(name).text);
}

/* As sendmail shows it: small, and no more of it. */
static void unknown_in_file(struct smtp_machine *machine)
{
	char topic[TOPIC_MAX];
	size_t len = machine->argument.len < TOPIC_MAX ? machine->argument.len : TOPIC_MAX;

	for (size_t i = 0; i < len; i++)
		topic[i] = (char)tolower((unsigned char)machine->argument.data[i]);
	unknown(machine, (struct pr_str){topic, len});
}

static void answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	size_t count = answer->lines.count < SMTP_LIST_MAX ? answer->lines.count : SMTP_LIST_MAX;

	if (!smtp_is_yes(answer)) {
		unknown_in_file(machine);
		return;
	}
	for (size_t i = 0; i < count; i++)
		smtp_reply_part(machine, 214, answer->lines.items[i].len > 0 ? "2.0.0" : "2.0.0 ", "%.*s", PR_PRINT(answer->lines.items[i]));
	smtp_reply(machine, 214, "2.0.0", "End of HELP info");
}

void smtp_help(struct smtp_machine *machine)
{
	struct pr_str name = pr_str_trim(machine->argument);
	bool found = name.len == 0;

	if (machine->settings->help_file) {
		machine->question.argument = machine->argument = name;
		smtp_ask(machine, SMTP_ASK_HELP, answered);
		return;
	}

	if (name.len == 0)
		smtp_reply_part(machine, 214, "2.0.0", "postrider understands these; HELP with one of them tells more:");
	for (size_t i = 0; i < TOPICS; i++) {
		if (name.len == 0) {
			smtp_reply_part(machine, 214, "2.0.0", "    %s", topics[i].name);
		} else if (pr_str_equal_nocase(name, pr_str(topics[i].name))) {
			smtp_reply_part(machine, 214, "2.0.0", "%s", topics[i].use);
			smtp_reply_part(machine, 214, "2.0.0", "    %s", topics[i].what);
			found = true;
		}
	}
	if (found)
		smtp_reply(machine, 214, "2.0.0", "End of HELP info");
	else
		unknown(machine, name);
}
