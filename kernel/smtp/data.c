/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DATA, the bytes behind it, and the dot.  A message that will be refused is read to its end all the same, because a client
 * that gets a reply in the middle of its data would take it for the reply to something else; only bare CR and
 * LF cut the connection, since after them nobody knows where the client thinks the data ends.
 */
#include "kernel/smtp/internal.h"

#include <stdio.h>

static const struct smtp_standard standard = {
    554, "5.7.1", "Command rejected", 451, "4.3.2", "Please try again later"};

static void refuse(struct smtp_machine *machine, uint32_t code, const char *enhanced, const char *text)
{
	struct smtp_answer answer = {.verdict = {.action = PR_REJECT, .code = code}};

	answer.verdict.enhanced = pr_str(enhanced);
	answer.verdict.text = pr_str(text);
	/* the first reason stays */
	if (machine->message.code == 0)
		smtp_refusal_set(&machine->message, &answer, &standard);
}

/* RFC 2033 section 4.2 */
static uint64_t replies(const struct smtp_machine *machine)
{
	return machine->settings->lmtp ? machine->recipients : 1;
}

static void say_end(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	if (!smtp_is_yes(answer))
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
	else if (answer->verdict.text.data != NULL && answer->verdict.action != PR_QUARANTINE)
		smtp_reply(machine, 250, "2.0.0", "%.*s", PR_PRINT(answer->verdict.text));
	else
		smtp_reply(machine, 250, "2.0.0", "%.*s Message accepted for delivery", PR_PRINT(answer->id));
}

static void end_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	uint64_t count = replies(machine);

	smtp_forget_transaction(machine);
	while (count-- > 0)
		say_end(machine, answer);
}

/* RESET was asked; the refusal was moved out of the transaction's reach. */
static void say_refused(struct smtp_machine *machine)
{
	struct smtp_refusal refusal = machine->message;
	uint64_t count = replies(machine);

	machine->message = (struct smtp_refusal){0, NULL, NULL};
	smtp_reset_then(machine, smtp_forget_transaction);
	do /* once to who has named nobody, too */
		smtp_reply_refusal(machine, &refusal);
	while (count-- > 1);
	smtp_refusal_clear(&refusal);
}

void smtp_message_end(struct smtp_machine *machine)
{
	if (machine->message.code != 0) {
		say_refused(machine);
		return;
	}
	machine->question.size = machine->reader->total;
	machine->question.recipients = machine->recipients;
	machine->question.eight_bit = machine->eight_bit;
	smtp_ask(machine, SMTP_ASK_END, end_answered);
}

static void body_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	smtp_step *next = machine->handed;

	data_reader_empty(machine->reader);
	machine->handed = NULL;
	if (!smtp_is_yes(answer) && answer->verdict.code == 421) {
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
		return;
	}
	if (!smtp_is_yes(answer))
		smtp_refusal_set(&machine->message, answer, &standard);
	if (next != NULL)
		next(machine);
}

/* True when what was read so far may go on to the driver. */
static bool may_go_on(struct smtp_machine *machine, struct data_findings found)
{
	const struct smtp_settings *settings = machine->settings;
	char text[80];

	machine->eight_bit = machine->eight_bit || found.eight_bit;
	if (found.nul && settings->reject_nul)
		refuse(machine, 554, "5.6.1", "NUL byte not allowed");
	if (settings->max_message_size > 0 && machine->reader->total > settings->max_message_size) {
		snprintf(text, sizeof text, "Message exceeds maximum fixed size (%llu)",
		    (unsigned long long)settings->max_message_size);
		refuse(machine, 552, "5.2.3", text);
	}
	return machine->message.code == 0;
}

void smtp_bare(struct smtp_machine *machine, const char *what)
{
	machine->bare_line_end = true;
	smtp_reply(machine, 421, "4.5.0", "Bare %s not allowed", what);
	smtp_leave(machine);
}

void smtp_hand_over(struct smtp_machine *machine, bool in_header, smtp_step *next)
{
	struct data_reader *reader = machine->reader;
	struct data_findings found = data_reader_inspect(reader);

	if (found.bare_cr) {
		smtp_bare(machine, "carriage return (CR)");
	} else if (may_go_on(machine, found) && reader->len > 0) {
		machine->question.data = (struct pr_str){reader->buffer, reader->len};
		machine->question.in_header = in_header;
		machine->handed = next;
		smtp_ask(machine, SMTP_ASK_BODY, body_answered);
	} else {
		data_reader_empty(reader);
		if (next != NULL)
			next(machine);
	}
}

size_t smtp_data_input(struct smtp_machine *machine, const char *data, size_t len)
{
	struct data_reader *reader = machine->reader;
	enum data_event event;
	size_t taken = data_reader_input(reader, data, len, &event);

	switch (event) {
	case DATA_MORE:
		break;
	case DATA_HEADER_END:
		smtp_hand_over(machine, true, NULL);
		break;
	case DATA_DOT:
		smtp_hand_over(machine, reader->in_header, smtp_message_end);
		break;
	case DATA_FULL:
		smtp_hand_over(machine, reader->in_header, NULL);
		break;
	case DATA_BARE_LF:
		smtp_bare(machine, "linefeed (LF)");
		break;
	case DATA_BARE_CR:
		smtp_bare(machine, "carriage return (CR)");
		break;
	}
	return taken;
}

static void data_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	if (!smtp_is_yes(answer)) {
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
		return;
	}
	machine->reader = data_reader_new();
	machine->state = SMTP_STATE_DATA;
	smtp_reply(machine, 354, NULL, "End data with <CR><LF>.<CR><LF>");
}

void smtp_data(struct smtp_machine *machine)
{
	if (!machine->in_transaction) {
		smtp_reply(machine, 503, "5.0.0", "Need MAIL command");
	} else if (machine->recipients == 0) {
		smtp_reply(machine, 503, "5.0.0", "Need RCPT (recipient)");
	} else if (!smtp_refuses_in_chunks(machine)) {
		machine->question.recipients = machine->recipients;
		smtp_ask(machine, SMTP_ASK_DATA, data_answered);
	}
}
