/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HELP: one line per verb, and a list of the verbs when no topic is named.  The texts are here because they
 * describe this machine; a file could only describe another one.
 */
#include "kernel/smtp/internal.h"

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

#define TOPICS (sizeof topics / sizeof topics[0])

void smtp_help(struct smtp_machine *machine)
{
	struct pr_str name = pr_str_trim(machine->argument);
	bool found = name.len == 0;

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
		smtp_reply(machine, 504, "5.3.0", "HELP topic \"%s\" unknown", smtp_shorten(name).text);
}
