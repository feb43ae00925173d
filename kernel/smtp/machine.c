/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver: cuts input into command lines, hands data to the data reader, keeps the one open question and runs
 * the function that was waiting for its answer.  Everything SMTP is in the verbs, so this file shows the
 * life of a session and nothing else.
 */
#include "kernel/smtp/internal.h"

#include <string.h>

#define TIMEOUT_DEFAULT 3600

static const struct smtp_standard standard = {550, "5.7.1", "Access denied", 451, "4.3.2", "Please try again later"};

void smtp_machine_refuse_client(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	smtp_refusal_set(&machine->client, answer, &standard);
}

static void greet(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	machine->state = SMTP_STATE_COMMAND;
	if (!smtp_is_yes(answer) && answer->verdict.code == 421) {
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
		return;
	}
	if (!smtp_is_yes(answer))
		smtp_machine_refuse_client(machine, answer);
	smtp_reply(machine, 220, NULL, "%.*s", PR_PRINT(machine->settings->greeting));
}

void smtp_begin_again(struct smtp_machine *machine)
{
	smtp_refusal_clear(&machine->client);
	machine->authenticated = machine->introduced_login; /* who has authenticated himself here was somebody else */
	machine->state = SMTP_STATE_CONNECT;
	smtp_ask(machine, SMTP_ASK_CONNECT, greet);
}

struct smtp_machine *smtp_machine_new(const struct smtp_settings *settings)
{
	struct smtp_machine *machine = pr_alloc(sizeof *machine);

	machine->settings = settings;
	pr_text_init(&machine->line, SMTP_AUTH_LINE_MAX);
	pr_text_init(&machine->output, SMTP_OUTPUT_MAX);
	pr_arena_init(&machine->arena, SMTP_ARENA_MAX);
	machine->state = SMTP_STATE_CONNECT;
	machine->secured = settings->secured != 0;
	smtp_ask(machine, SMTP_ASK_CONNECT, greet);
	return machine;
}

void smtp_machine_free(struct smtp_machine *machine)
{
	if (machine == NULL)
		return;
	pr_text_fini(&machine->line);
	pr_text_fini(&machine->output);
	pr_arena_fini(&machine->arena);
	pr_free(machine->helo);
	smtp_refusal_clear(&machine->client);
	smtp_refusal_clear(&machine->message);
	data_reader_free(machine->reader);
	pr_free(machine);
}

bool smtp_is_yes(const struct smtp_answer *answer)
{
	return answer->verdict.action != PR_REJECT && answer->verdict.action != PR_DEFER;
}

void smtp_ask(struct smtp_machine *machine, enum smtp_ask ask, smtp_answered *answered)
{
	machine->question.ask = ask;
	machine->answered = answered;
}

static void forget_command(struct smtp_machine *machine)
{
	smtp_auth_wipe(machine);
	pr_text_fini(&machine->line);
	pr_arena_fini(&machine->arena);
	machine->verb = machine->argument = PR_NONE;
	machine->utf8_reply = false;
	/* a verb that found an error may have filled half of a question */
	memset(&machine->question, 0, sizeof machine->question);
}

void smtp_forget_transaction(struct smtp_machine *machine)
{
	machine->in_transaction = false;
	machine->recipients = machine->bad_recipients = 0;
	machine->flooded = false;
	machine->eight_bit = machine->utf8 = machine->chunked = false;
	machine->handed = NULL;
	smtp_refusal_clear(&machine->message);
	data_reader_free(machine->reader);
	machine->reader = NULL;
	if (machine->state == SMTP_STATE_DATA)
		machine->state = SMTP_STATE_COMMAND;
}

static void transaction_reset(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	(void)answer;
	smtp_step *next = machine->after_reset;

	smtp_forget_transaction(machine);
	machine->after_reset = NULL;
	next(machine);
}

void smtp_reset_then(struct smtp_machine *machine, smtp_step *next)
{
	if (!machine->in_transaction) {
		next(machine);
		return;
	}
	machine->after_reset = next;
	machine->question.lost = machine->lost;
	smtp_ask(machine, SMTP_ASK_RESET, transaction_reset);
}

static void finish(struct smtp_machine *machine)
{
	forget_command(machine);
	machine->state = SMTP_STATE_FINISHED;
}

void smtp_leave(struct smtp_machine *machine)
{
	machine->state = SMTP_STATE_LEAVING;
	smtp_reset_then(machine, finish);
}

/* No question is open: go on with what was asked from outside meanwhile. */
static void settle(struct smtp_machine *machine)
{
	if (machine->question.ask != SMTP_ASK_NOTHING || machine->state == SMTP_STATE_FINISHED)
		return;
	if (machine->lost) {
		smtp_leave(machine);
	} else if (machine->leaving && machine->state == SMTP_STATE_COMMAND && !machine->in_transaction &&
	           machine->line.len == 0) {
		smtp_reply_421(machine, "4.3.2", "Service not available, closing transmission channel");
	}
}

/* The line's command is over, unless it asked something. */
static void command_done(struct smtp_machine *machine)
{
	if (machine->question.ask != SMTP_ASK_NOTHING)
		return;
	forget_command(machine);
	settle(machine);
}

void smtp_machine_answer(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	smtp_answered *answered = machine->answered;

	if (machine->question.ask == SMTP_ASK_NOTHING)
		return;
	memset(&machine->question, 0, sizeof machine->question);
	machine->answered = NULL;
	answered(machine, answer);
	command_done(machine);
}

/* What the line may be, as far as it is known yet. */
static size_t line_limit(const struct smtp_machine *machine)
{
	struct pr_str line = pr_text_str(&machine->line);
	bool is_auth = machine->state == SMTP_STATE_AUTH || pr_str_has_prefix_nocase(line, PR_STR("AUTH "));

	return is_auth && machine->settings->auth_mechanisms.len > 0 ? SMTP_AUTH_LINE_MAX : SMTP_LINE_MAX;
}

/* Adds input to the line; runs it when its LF is there.  CR LF and a lone LF both end a command, as sendmail has it. */
static size_t command_input(struct smtp_machine *machine, const char *data, size_t len)
{
	size_t limit = line_limit(machine), room = limit - machine->line.len;
	size_t span = len < room ? len : room;
	const char *newline = memchr(data, '\n', span);
	size_t taken = newline != NULL ? (size_t)(newline - data) + 1 : span;

	pr_text_add(&machine->line, data, newline != NULL ? taken - 1 : taken);
	if (newline != NULL) {
		if (machine->line.len > 0 && machine->line.data[machine->line.len - 1] == '\r')
			pr_text_cut(&machine->line, machine->line.len - 1);
		if (machine->state == SMTP_STATE_AUTH)
			smtp_auth_line(machine);
		else
			smtp_run_line(machine);
		command_done(machine);
	} else if (machine->line.len == line_limit(machine)) {
		smtp_line_too_long(machine);
		command_done(machine);
	}
	return taken;
}

static bool wants_input(const struct smtp_machine *machine)
{
	if (machine->question.ask != SMTP_ASK_NOTHING)
		return false;
	return smtp_machine_in_data(machine) ||
	       ((machine->state == SMTP_STATE_COMMAND || machine->state == SMTP_STATE_AUTH) && machine->output.len < SMTP_OUTPUT_ENOUGH);
}

size_t smtp_machine_input(struct smtp_machine *machine, const char *data, size_t len)
{
	bool in_data = smtp_machine_in_data(machine);
	size_t taken = 0;

	/* what is taken at once is of one kind: a transcript hides what commands say, and shows what is said in chunks */
	while (taken < len && wants_input(machine) && smtp_machine_in_data(machine) == in_data) {
		if (machine->state == SMTP_STATE_DATA)
			taken += smtp_data_input(machine, data + taken, len - taken);
		else if (machine->state == SMTP_STATE_CHUNK)
			taken += smtp_chunk_input(machine, data + taken, len - taken);
		else
			taken += command_input(machine, data + taken, len - taken);
	}
	settle(machine);
	return taken;
}

const struct smtp_question *smtp_machine_question(const struct smtp_machine *machine)
{
	return machine->question.ask != SMTP_ASK_NOTHING ? &machine->question : NULL;
}

struct pr_text *smtp_machine_output(struct smtp_machine *machine)
{
	return &machine->output;
}

bool smtp_machine_is_finished(const struct smtp_machine *machine)
{
	return machine->state == SMTP_STATE_FINISHED && machine->question.ask == SMTP_ASK_NOTHING;
}

bool smtp_machine_in_transaction(const struct smtp_machine *machine)
{
	return machine->in_transaction;
}

bool smtp_machine_in_data(const struct smtp_machine *machine)
{
	return machine->state == SMTP_STATE_DATA || machine->state == SMTP_STATE_CHUNK;
}

bool smtp_machine_found_bare_line_end(const struct smtp_machine *machine)
{
	return machine->bare_line_end;
}

bool smtp_machine_in_exchange(const struct smtp_machine *machine)
{
	return machine->state == SMTP_STATE_AUTH;
}

uint32_t smtp_machine_timeout(const struct smtp_machine *machine)
{
	uint32_t seconds = smtp_machine_in_data(machine) ? machine->settings->timeout_datablock : machine->settings->timeout_command;

	return seconds != 0 ? seconds : TIMEOUT_DEFAULT;
}

void smtp_machine_talked_early(struct smtp_machine *machine)
{
	const struct smtp_answer no = {
	    .verdict = {.action = PR_REJECT, .code = 550, .enhanced = PR_STR("5.0.0"), .text = PR_STR("Command rejected")}};

	if (machine->state != SMTP_STATE_COMMAND || machine->any_command)
		return;
	pr_text_clear(&machine->output);
	smtp_machine_refuse_client(machine, &no);
	smtp_reply(machine, 554, NULL, "%.*s ESMTP not accepting messages", PR_PRINT(machine->settings->host_name));
}

void smtp_machine_timed_out(struct smtp_machine *machine)
{
	/* while a question is open it is not the client who is slow */
	if (machine->question.ask != SMTP_ASK_NOTHING || machine->state == SMTP_STATE_FINISHED)
		return;
	smtp_reply_421(machine, "4.4.1", "Lost input channel from %s", smtp_client(machine).text);
	command_done(machine);
}

void smtp_machine_end(struct smtp_machine *machine)
{
	machine->lost = true;
	settle(machine);
}

void smtp_machine_shutdown(struct smtp_machine *machine)
{
	machine->leaving = true;
	settle(machine);
}

static void start_secured(struct smtp_machine *machine)
{
	pr_free(machine->helo);
	machine->helo = NULL;
	machine->extended = false;
	machine->secured = true;
	machine->authenticated = false;
	machine->state = SMTP_STATE_COMMAND;
}

void smtp_machine_secured(struct smtp_machine *machine)
{
	if (machine->state == SMTP_STATE_TLS)
		start_secured(machine);
	settle(machine);
}

bool smtp_machine_is_authenticated(const struct smtp_machine *machine)
{
	return machine->authenticated;
}

struct pr_str smtp_machine_helo(const struct smtp_machine *machine)
{
	return pr_str(machine->helo);
}

const char *smtp_machine_protocol(const struct smtp_machine *machine)
{
	static const char *const names[2][2][2][2] = { /* RFC 3848; RFC 6531 section 4.3; by LMTP, UTF-8, TLS, AUTH */
	    {{{"ESMTP", "ESMTPA"}, {"ESMTPS", "ESMTPSA"}}, {{"UTF8SMTP", "UTF8SMTPA"}, {"UTF8SMTPS", "UTF8SMTPSA"}}},
	    {{{"LMTP", "LMTPA"}, {"LMTPS", "LMTPSA"}}, {{"UTF8LMTP", "UTF8LMTPA"}, {"UTF8LMTPS", "UTF8LMTPSA"}}},
	};
	bool lmtp = machine->settings->lmtp != 0;

	if (!lmtp && !machine->utf8 && !machine->extended)
		return "SMTP";
	return names[lmtp][machine->utf8][machine->secured][machine->authenticated];
}

size_t smtp_machine_memory(const struct smtp_machine *machine)
{
	size_t bytes = sizeof *machine + machine->line.room + machine->output.room + machine->arena.used;

	bytes += machine->helo != NULL ? strlen(machine->helo) + 1 : 0;
	bytes += machine->client.text != NULL ? strlen(machine->client.text) + 1 : 0;
	bytes += machine->message.text != NULL ? strlen(machine->message.text) + 1 : 0;
	if (machine->reader != NULL)
		bytes += sizeof *machine->reader + machine->reader->room;
	return bytes;
}
