/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BDAT (RFC 3030): a message in chunks whose length is said beforehand.
 *
 *   BDAT 1000 --> DATA? --> 1000 bytes --> 250, or the refusal        BDAT 0 LAST --> END
 *
 * A chunk is read to its end whatever the answer will be (section 4.2), for what stands in it must never be read as commands; so a BDAT
 * whose length cannot be read ends the session.  Once a chunk was refused the message is: each further chunk gets the same answer, and
 * the transaction is over with LAST or RSET.  Lines are those of DATA: CR LF, which two chunks may share, and a bare CR or LF
 * cuts the connection; a last line without its end is given one.
 */
#include "kernel/smtp/internal.h"

static const struct smtp_standard standard = {
    554, "5.7.1", "Command rejected", 451, "4.3.2", "Please try again later"};

/* The message is refused, and an answer was given or will be at the end of the chunk. */
static bool is_refused(const struct smtp_machine *machine)
{
	return machine->message.code != 0;
}

static void say_received(struct smtp_machine *machine)
{
	if (machine->reader != NULL)
		data_reader_rest(machine->reader);
	if (!is_refused(machine))
		smtp_reply(machine, 250, "2.0.0", "%llu octets received", (unsigned long long)machine->chunk_size);
	else
		smtp_reply_refusal(machine, &machine->message);
	if (!machine->chunked) /* it was about this chunk only */
		smtp_refusal_clear(&machine->message);
}

static void end_message(struct smtp_machine *machine)
{
	if (is_refused(machine)) {
		smtp_message_end(machine);
		return;
	}
	switch (data_reader_finish(machine->reader)) {
	case DATA_FULL:
		smtp_hand_over(machine, machine->reader->in_header, end_message);
		break;
	case DATA_BARE_CR:
		smtp_bare(machine, "carriage return (CR)");
		break;
	default:
		smtp_hand_over(machine, machine->reader->in_header, smtp_message_end);
		break;
	}
}

static void end_chunk(struct smtp_machine *machine)
{
	machine->state = SMTP_STATE_COMMAND;
	if (machine->chunk_last)
		end_message(machine);
	else if (is_refused(machine))
		say_received(machine);
	else
		smtp_hand_over(machine, machine->reader->in_header, say_received);
}

static void go_on(struct smtp_machine *machine)
{
	if (machine->chunk_left == 0)
		end_chunk(machine);
}

size_t smtp_chunk_input(struct smtp_machine *machine, const char *data, size_t len)
{
	size_t taken = machine->chunk_left < len ? (size_t)machine->chunk_left : len;
	enum data_event event = DATA_MORE;

	if (!is_refused(machine))
		taken = data_reader_input(machine->reader, data, taken, &event);
	machine->chunk_left -= taken;
	switch (event) {
	case DATA_HEADER_END:
		smtp_hand_over(machine, true, go_on);
		break;
	case DATA_FULL:
		smtp_hand_over(machine, machine->reader->in_header, go_on);
		break;
	case DATA_BARE_LF:
		smtp_bare(machine, "linefeed (LF)");
		break;
	case DATA_BARE_CR:
		smtp_bare(machine, "carriage return (CR)");
		break;
	default: /* there is no dot in here */
		go_on(machine);
		break;
	}
	return taken;
}

static void begin_chunk(struct smtp_machine *machine)
{
	machine->state = SMTP_STATE_CHUNK;
	go_on(machine);
}

static void refuse(struct smtp_machine *machine, uint32_t code, const char *enhanced, const char *text)
{
	struct smtp_answer answer = {.verdict = {.action = PR_REJECT, .code = code, .enhanced = pr_str(enhanced), .text = pr_str(text)}};

	if (!is_refused(machine))
		smtp_refusal_set(&machine->message, &answer, &standard);
	begin_chunk(machine);
}

static void data_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	if (!smtp_is_yes(answer) && answer->verdict.code == 421 && !answer->stays) {
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
		return;
	}
	if (smtp_is_yes(answer))
		machine->reader = data_reader_new_counted();
	else
		smtp_refusal_set(&machine->message, answer, &standard);
	begin_chunk(machine);
}

/* "1000", "0 LAST" */
static bool parse(struct pr_str argument, uint64_t *size_out, bool *last_out)
{
	struct pr_str text = pr_str_trim(argument);
	size_t end = 0;

	while (end < text.len && text.data[end] != ' ' && text.data[end] != '\t')
		end++;
	struct pr_str word = pr_str_trim(pr_str_slice(text, end, text.len));
	*last_out = word.len > 0;
	return pr_str_number(pr_str_slice(text, 0, end), INT64_MAX, size_out) && (word.len == 0 || pr_str_equal_nocase(word, PR_STR("LAST")));
}

/* Not offered, or not to this client: refused as any command of his would be. */
static bool refuses_client(struct smtp_machine *machine)
{
	if (machine->client.code == 0 && !machine->settings->no_chunking)
		return false;
	if (smtp_bad_command(machine))
		return true;
	if (machine->client.code != 0)
		refuse(machine, machine->client.code, machine->client.enhanced, machine->client.text);
	else
		refuse(machine, 500, "5.5.1", "Command unrecognized: \"BDAT\"");
	return true;
}

void smtp_bdat(struct smtp_machine *machine)
{
	if (!parse(machine->argument, &machine->chunk_size, &machine->chunk_last)) {
		smtp_reply(machine, 501, "5.5.4", "BDAT requires a number of octets, and LAST or nothing behind it; closing connection");
		smtp_leave(machine);
		return;
	}
	machine->chunk_left = machine->chunk_size;
	if (refuses_client(machine))
		return;
	machine->chunked = machine->in_transaction;
	if (!machine->in_transaction) {
		refuse(machine, 503, "5.0.0", "Need MAIL command");
	} else if (machine->recipients == 0) {
		refuse(machine, 503, "5.0.0", "Need RCPT (recipient)");
	} else if (machine->reader == NULL && !is_refused(machine)) {
		machine->question.recipients = machine->recipients;
		smtp_ask(machine, SMTP_ASK_DATA, data_answered);
	} else {
		begin_chunk(machine);
	}
}

bool smtp_refuses_in_chunks(struct smtp_machine *machine)
{
	if (!machine->chunked)
		return false;
	smtp_reply(machine, 503, "5.5.0", "A message is under way in chunks: BDAT or RSET");
	return true;
}
