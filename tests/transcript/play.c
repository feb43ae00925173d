/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plays the transcripts of this folder against the SMTP machine, cut in different ways (see README.md).
 * What was said and asked is collected as text and compared as text, so a failure shows both sides.
 */
#include "kernel/smtp/machine.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 200
#define STEPS_MAX 4000
#define ANSWERS_MAX 400

enum kind { STEP_CLIENT, STEP_SERVER, STEP_ACTION, STEP_CHECK };

struct step {
	enum kind kind;
	struct pr_str text;
	uint32_t line;
};

struct scripted {
	struct pr_str ask;
	struct smtp_answer answer;
	bool used;
};

struct play {
	const char *name;
	struct pr_arena arena;
	struct smtp_settings settings;
	struct step steps[STEPS_MAX];
	size_t step_count;
	struct scripted answers[ANSWERS_MAX];
	size_t answer_count;
	uint32_t early; /* the client talks before the greeting is sent */
	struct pr_text asked_expected;
	/* of one run */
	struct smtp_machine *machine;
	struct pr_text said, said_expected, asked, header, body;
	uint32_t seed;
	int mode; /* 0 whole, 1 by line, 2 byte by byte, 3 and up random */
	bool failed;
};

static const char *const ask_names[] = {"NOTHING", "CONNECT", "HELO", "MAIL", "RCPT", "DATA", "BODY", "END", "RESET",
    "VRFY", "EXPN", "ETRN", "STARTTLS", "XCLIENT", "XFORWARD", "QUIT", "HELP", "AUTH", "WAIT"};

static void die(const struct play *play, uint32_t line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", play->name, line, what);
	exit(2);
}

/* reading ------------------------------------------------------------------------------------------- */

static void unescape(struct pr_text *out, struct pr_str text);

static size_t repeat(struct pr_text *out, struct pr_str text, size_t at)
{
	uint64_t times = 0;
	size_t close = at;

	while (close < text.len && text.data[close] != '}')
		close++;
	struct pr_str inner = pr_str_slice(text, at + 1, close);
	size_t colon = pr_str_find(inner, ':');
	if (!pr_str_number(pr_str_slice(inner, 0, colon), 10000000, &times))
		exit(2);
	struct pr_text piece;
	pr_text_init(&piece, 4096);
	unescape(&piece, pr_str_slice(inner, colon + 1, inner.len));
	while (times-- > 0)
		pr_text_add_str(out, pr_text_str(&piece));
	pr_text_fini(&piece);
	return close + 1;
}

static void unescape(struct pr_text *out, struct pr_str text)
{
	static const char from[] = "rnt0\\", to[] = "\r\n\t\0\\";

	for (size_t at = 0; at < text.len;) {
		if (text.data[at] != '\\' || at + 1 == text.len) {
			pr_text_add_byte(out, text.data[at++]);
			continue;
		}
		char byte = text.data[at + 1];
		const char *found = strchr(from, byte);
		if (byte == '{') {
			at = repeat(out, text, at + 1);
		} else if (byte == 'x') {
			char hex[3] = {text.data[at + 2], text.data[at + 3], 0};
			pr_text_add_byte(out, (char)strtoul(hex, NULL, 16));
			at += 4;
		} else if (found != NULL) {
			pr_text_add_byte(out, to[found - from]);
			at += 2;
		} else {
			fprintf(stderr, "unknown escape \\%c\n", byte);
			exit(2);
		}
	}
}

static struct pr_str unescaped(struct play *play, struct pr_str text, const char *tail)
{
	struct pr_text out;

	pr_text_init(&out, 64 << 20);
	unescape(&out, text);
	pr_text_add_c(&out, tail);
	struct pr_str copy = pr_arena_copy(&play->arena, pr_text_str(&out));
	pr_text_fini(&out);
	return copy;
}

static struct pr_str word(struct pr_str *rest)
{
	struct pr_str piece = PR_STR("");

	if (!pr_str_next(rest, ' ', &piece))
		return PR_NONE;
	return piece.len == 1 && piece.data[0] == '-' ? PR_NONE : piece;
}

static void read_answer(struct play *play, struct pr_str text, uint32_t line)
{
	struct pr_str rest = text;
	struct scripted *scripted = &play->answers[play->answer_count++];
	struct pr_verdict *verdict = &scripted->answer.verdict;
	uint64_t code = 0;

	if (play->answer_count == ANSWERS_MAX)
		die(play, line, "too many answers");
	scripted->ask = word(&rest);
	struct pr_str what = word(&rest);
	if (pr_str_equal(what, PR_STR("id"))) {
		scripted->answer.id = rest;
	} else if (pr_str_equal(what, PR_STR("lines"))) {
		struct pr_str *items = pr_arena_alloc(&play->arena, 100 * sizeof *items);
		size_t count = 0;
		while (count < 100 && pr_str_next(&rest, '|', &items[count])) {
			items[count] = unescaped(play, items[count], "");
			count++;
		}
		scripted->answer.lines = (struct pr_list){items, count};
	} else if (pr_str_equal(what, PR_STR("named"))) {
		scripted->answer.named = rest;
	} else if (pr_str_equal(what, PR_STR("challenge"))) {
		scripted->answer.goes_on = true;
		scripted->answer.challenge = unescaped(play, rest, "");
	} else if (pr_str_equal(what, PR_STR("waits"))) {
		scripted->answer.waits = true;
	} else if (pr_str_equal(what, PR_STR("yes"))) {
		verdict->text = rest.len > 0 ? rest : PR_NONE;
	} else {
		static const struct pr_str names[] = {{"reject", 6}, {"defer", 5}, {"discard", 7}, {"quarantine", 10}};
		for (size_t i = 0; i < 4; i++)
			if (pr_str_has_prefix_nocase(what, names[i]))
				verdict->action = (uint32_t)(PR_REJECT + i);
		if (verdict->action == 0)
			die(play, line, "unknown answer");
		scripted->answer.as_it_is = what.data[what.len - 1] == '!';
		scripted->answer.stays = what.data[what.len - 1] == '+';
		struct pr_str number = word(&rest);
		if (number.data != NULL && !pr_str_number(number, 999, &code))
			die(play, line, "no code");
		verdict->code = (uint32_t)code;
		verdict->enhanced = word(&rest);
		verdict->text = rest.len > 0 ? unescaped(play, rest, "") : PR_NONE;
	}
}

static void read_setting(struct play *play, struct pr_str text, uint32_t line)
{
	struct smtp_settings *s = &play->settings;
	const struct {
		const char *name;
		uint32_t *number;
		uint64_t *big;
		struct pr_str *string;
	} table[] = {
	    {"host_name", NULL, NULL, &s->host_name},
	    {"greeting", NULL, NULL, &s->greeting},
	    {"client_name", NULL, NULL, &s->client_name},
	    {"client_address", NULL, NULL, &s->client_address},
	    {"max_message_size", NULL, &s->max_message_size, NULL},
	    {"max_recipients", NULL, &s->max_recipients, NULL},
	    {"early", &play->early, NULL, NULL},
	    {"forged", &s->forged, NULL, NULL},
	    {"submission", &s->submission, NULL, NULL},
	    {"any_address", &s->any_address, NULL, NULL},
	    {"need_auth", &s->need_auth, NULL, NULL},
	    {"auth_mechanisms", NULL, NULL, &s->auth_mechanisms},
	    {"need_helo", &s->need_helo, NULL, NULL},
	    {"no_vrfy", &s->no_vrfy, NULL, NULL},
	    {"no_expn", &s->no_expn, NULL, NULL},
	    {"no_etrn", &s->no_etrn, NULL, NULL},
	    {"no_verb", &s->no_verb, NULL, NULL},
	    {"http_closes", &s->http_closes, NULL, NULL},
	    {"need_vrfy_helo", &s->need_vrfy_helo, NULL, NULL},
	    {"need_expn_helo", &s->need_expn_helo, NULL, NULL},
	    {"no_pipelining", &s->no_pipelining, NULL, NULL},
	    {"xclient", &s->xclient, NULL, NULL},
	    {"xforward", &s->xforward, NULL, NULL},
	    {"max_messages", NULL, &s->max_messages, NULL},
	    {"lmtp", &s->lmtp, NULL, NULL},
	    {"no_requiretls", &s->no_requiretls, NULL, NULL},
	    {"no_chunking", &s->no_chunking, NULL, NULL},
	    {"deliver_by_min", NULL, (uint64_t *)&s->deliver_by_min, NULL},
	    {"no_dsn", &s->no_dsn, NULL, NULL},
	    {"utf8", &s->utf8, NULL, NULL},
	    {"allow_bogus_helo", &s->allow_bogus_helo, NULL, NULL},
	    {"reject_nul", &s->reject_nul, NULL, NULL},
	    {"bad_commands_max", &s->bad_commands_max, NULL, NULL},
	    {"busy", &s->busy, NULL, NULL},
	    {"help_file", &s->help_file, NULL, NULL},
	    {"noop_max", &s->noop_max, NULL, NULL},
	    {"auth_failures", &s->auth_failures, NULL, NULL},
	    {"auth_failures_max", &s->auth_failures_max, NULL, NULL},
	    {"bad_rcpt_throttle", &s->bad_rcpt_throttle, NULL, NULL},
	    {"bad_rcpt_delay", &s->bad_rcpt_delay, NULL, NULL},
	    {"bad_rcpt_shutdown", &s->bad_rcpt_shutdown, NULL, NULL},
	    {"bad_rcpt_shutdown_good", &s->bad_rcpt_shutdown_good, NULL, NULL},
	    {"starttls", &s->starttls, NULL, NULL},
	    {"secured", &s->secured, NULL, NULL},
	    {"timeout_command", &s->timeout_command, NULL, NULL},
	    {"timeout_datablock", &s->timeout_datablock, NULL, NULL},
	};
	struct pr_str rest = text, name = word(&rest);
	uint64_t number = 0;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (!pr_str_equal(name, pr_str(table[i].name)))
			continue;
		if (table[i].string != NULL)
			*table[i].string = rest;
		else if (!pr_str_number(rest, UINT32_MAX, &number))
			die(play, line, "not a number");
		if (table[i].number != NULL)
			*table[i].number = (uint32_t)number;
		if (table[i].big != NULL)
			*table[i].big = number;
		return;
	}
	die(play, line, "unknown setting");
}

static void add_step(struct play *play, enum kind kind, struct pr_str text, uint32_t line)
{
	if (play->step_count == STEPS_MAX)
		die(play, line, "too many steps");
	play->steps[play->step_count++] = (struct step){kind, text, line};
}

static void read_line(struct play *play, struct pr_str text, uint32_t line)
{
	size_t colon = pr_str_find(text, ':');
	struct pr_str key = pr_str_slice(text, 0, colon), value = pr_str_slice(text, colon + 1, text.len);

	if (text.len == 0 || text.data[0] == '#')
		return;
	if (value.len > 0 && value.data[0] == ' ')
		value = pr_str_slice(value, 1, value.len);
	value = pr_arena_copy(&play->arena, value);
	if (pr_str_equal(key, PR_STR("C")))
		add_step(play, STEP_CLIENT, unescaped(play, value, "\r\n"), line);
	else if (pr_str_equal(key, PR_STR("C-")))
		add_step(play, STEP_CLIENT, unescaped(play, value, ""), line);
	else if (pr_str_equal(key, PR_STR("S")))
		add_step(play, STEP_SERVER, unescaped(play, value, "\r\n"), line);
	else if (pr_str_equal(key, PR_STR("!")))
		add_step(play, STEP_ACTION, value, line);
	else if (pr_str_equal(key, PR_STR("=")))
		add_step(play, STEP_CHECK, value, line);
	else if (pr_str_equal(key, PR_STR("A")))
		read_answer(play, value, line);
	else if (pr_str_equal(key, PR_STR("set")))
		read_setting(play, value, line);
	else if (pr_str_equal(key, PR_STR("Q")) || pr_str_equal(key, PR_STR("H")) || pr_str_equal(key, PR_STR("B")))
		pr_text_addf(&play->asked_expected, "%.*s: %s\n", PR_PRINT(key), unescaped(play, value, "").data);
	else
		die(play, line, "unknown line");
}

/* the driver ---------------------------------------------------------------------------------------- */

static void log_lines(struct pr_text *out, char mark, struct pr_text *bytes)
{
	struct pr_str rest = pr_text_str(bytes);

	while (rest.len > 0) {
		size_t end = pr_str_find(rest, '\n');
		pr_text_addf(out, "%c: ", mark);
		pr_text_add_escaped(out, pr_str_slice(rest, 0, end), 2000);
		pr_text_add_c(out, end < rest.len ? "\n" : "(no line end)\n");
		rest = pr_str_slice(rest, end + 1, rest.len);
	}
	pr_text_clear(bytes);
}

static void log_attributes(struct pr_text *out, const struct smtp_question *q)
{
	static const char *const names[SMTP_ATTRIBUTES] = {"NAME", "ADDR", "PORT", "PROTO", "HELO", "DESTADDR", "DESTPORT", "IDENT", "SOURCE", "LOGIN"};

	for (size_t i = 0; q->attributes != NULL && i < SMTP_ATTRIBUTES; i++)
		if (q->attributes[i].data != NULL)
			pr_text_addf(out, " %s=%.*s", names[i], PR_PRINT(q->attributes[i]));
	if (q->name_later)
		pr_text_add_c(out, " later");
}

static void log_flags(struct pr_text *out, const struct smtp_question *q)
{
	if (q->ask == SMTP_ASK_HELO && q->extended)
		pr_text_add_c(out, " extended");
	if (q->declared_size > 0)
		pr_text_addf(out, " size=%llu", (unsigned long long)q->declared_size);
	if (q->body_given)
		pr_text_addf(out, " body=%s", q->eight_bit ? "8BITMIME" : "7BIT");
	if (q->utf8)
		pr_text_add_c(out, " utf8");
	if (q->ask == SMTP_ASK_END)
		pr_text_addf(out, " bytes=%llu%s", (unsigned long long)q->size, q->eight_bit ? " eight-bit" : "");
	if (q->ret_given)
		pr_text_addf(out, " ret=%s", q->ret_headers ? "HDRS" : "FULL");
	if (q->envelope_id.data != NULL)
		pr_text_addf(out, " envid=%.*s", PR_PRINT(q->envelope_id));
	if (q->by_mode != 0)
		pr_text_addf(out, " by=%lld%c%s", (long long)q->by_seconds, q->by_mode, q->by_trace ? "T" : "");
	if (q->require_tls)
		pr_text_add_c(out, " requiretls");
	if (q->delivery_mode != 0)
		pr_text_addf(out, " mode=%c", q->delivery_mode);
	if (q->auth.data != NULL)
		pr_text_addf(out, " auth=%.*s", PR_PRINT(q->auth));
	if (q->notify_given)
		pr_text_addf(out, " notify=%u", q->notify);
	if (q->original.data != NULL)
		pr_text_addf(out, " orcpt=%.*s", PR_PRINT(q->original));
	if (q->recipients > 0)
		pr_text_addf(out, " recipients=%llu", (unsigned long long)q->recipients);
	log_attributes(out, q);
	if (q->lost)
		pr_text_add_c(out, " lost");
}

static void log_question(struct play *play, const struct smtp_question *q)
{
	struct pr_text *out = &play->asked;

	if (q->ask == SMTP_ASK_BODY) {
		pr_text_add_str(q->in_header ? &play->header : &play->body, q->data);
		return;
	}
	log_lines(out, 'H', &play->header);
	log_lines(out, 'B', &play->body);
	pr_text_addf(out, "Q: %s", ask_names[q->ask]);
	if (q->argument.data != NULL)
		pr_text_addf(out, " %.*s", PR_PRINT(q->argument));
	if (play->settings.any_address && q->address.full.data != NULL)
		pr_text_addf(out, " is %.*s at %.*s", PR_PRINT(q->address.local), PR_PRINT(q->address.domain));
	if (q->ask == SMTP_ASK_AUTH && q->data.data != NULL) {
		pr_text_add_c(out, " data=");
		pr_text_add_escaped(out, q->data, 100);
	}
	if (q->cancelled)
		pr_text_add_c(out, " cancelled");
	log_flags(out, q);
	if (q->ask == SMTP_ASK_WAIT)
		pr_text_addf(out, " %u%s%s", q->seconds, q->attack > 0 ? " attack" : "", q->flood ? " flood" : "");
	pr_text_add_c(out, "\n");
}

static void answer_all(struct play *play)
{
	const struct smtp_question *q;

	while ((q = smtp_machine_question(play->machine)) != NULL) {
		struct smtp_answer yes = {.id = PR_STR("ID")};
		const struct smtp_answer *answer = &yes;
		log_question(play, q);
		for (size_t i = 0; i < play->answer_count; i++) {
			if (play->answers[i].used || !pr_str_equal(play->answers[i].ask, pr_str(ask_names[q->ask])))
				continue;
			play->answers[i].used = true;
			answer = &play->answers[i].answer;
			break;
		}
		smtp_machine_answer(play->machine, answer);
	}
	if (play->early != 0 && play->said.len == 0)
		smtp_machine_talked_early(play->machine);
	struct pr_text *output = smtp_machine_output(play->machine);
	pr_text_add_str(&play->said, pr_text_str(output));
	pr_text_consume(output, output->len);
}

static size_t next_cut(struct play *play, size_t left)
{
	if (play->mode < 2)
		return left;
	if (play->mode == 2)
		return 1;
	play->seed = play->seed * 1664525u + 1013904223u;
	size_t cut = 1 + (play->seed >> 8) % (play->mode % 3 == 0 ? 4 : play->mode % 3 == 1 ? 40 : 4000);
	return cut < left ? cut : left;
}

/* The piece is copied to memory of its own size, so that the sanitizer sees a read behind it. */
static size_t give(struct play *play, const char *data, size_t len)
{
	char *copy = malloc(len);

	memcpy(copy, data, len);
	size_t taken = smtp_machine_input(play->machine, copy, len);
	free(copy);
	return taken;
}

static void say(struct play *play, struct pr_text *words)
{
	size_t at = 0;

	while (at < words->len) {
		size_t taken = give(play, words->data + at, next_cut(play, words->len - at));
		at += taken;
		answer_all(play);
		if (taken == 0 && smtp_machine_is_finished(play->machine))
			break;
	}
	pr_text_clear(words);
}

/* running ------------------------------------------------------------------------------------------- */

static void fail(struct play *play, const char *what, const char *is, const char *expected)
{
	play->failed = true;
	if (strstr(play->name, "wrong-") == NULL)
		printf("%s: %s (mode %d)\n--- is\n%.3000s--- expected\n%.3000s---\n", play->name, what, play->mode, is, expected);
}

static void compare(struct play *play)
{
	if (!play->failed && !pr_str_equal(pr_text_str(&play->said), pr_text_str(&play->said_expected)))
		fail(play, "the server said something else", play->said.data, play->said_expected.data);
}

static void act(struct play *play, const struct step *step)
{
	struct smtp_machine *machine = play->machine;

	if (pr_str_equal(step->text, PR_STR("timeout")))
		smtp_machine_timed_out(machine);
	else if (pr_str_equal(step->text, PR_STR("end")))
		smtp_machine_end(machine);
	else if (pr_str_equal(step->text, PR_STR("shutdown")))
		smtp_machine_shutdown(machine);
	else if (pr_str_equal(step->text, PR_STR("secured")))
		smtp_machine_secured(machine);
	else
		die(play, step->line, "unknown action");
	answer_all(play);
}

static void check(struct play *play, const struct step *step)
{
	const struct smtp_machine *machine = play->machine;
	struct pr_str rest = step->text, what = word(&rest);
	uint64_t number = 0;
	bool good = false;

	pr_str_number(rest, UINT64_MAX, &number);
	if (pr_str_equal(what, PR_STR("finished")))
		good = smtp_machine_is_finished(machine);
	else if (pr_str_equal(what, PR_STR("open")))
		good = !smtp_machine_is_finished(machine);
	else if (pr_str_equal(what, PR_STR("memory")))
		good = smtp_machine_memory(machine) <= number;
	else if (pr_str_equal(what, PR_STR("wait")))
		good = smtp_machine_timeout(machine) == number;
	else if (pr_str_equal(what, PR_STR("data")))
		good = smtp_machine_in_data(machine);
	else if (pr_str_equal(what, PR_STR("authenticated")))
		good = smtp_machine_is_authenticated(machine);
	else if (pr_str_equal(what, PR_STR("protocol")))
		good = pr_str_equal(rest, pr_str(smtp_machine_protocol(machine)));
	else if (pr_str_equal(what, PR_STR("transaction")))
		good = smtp_machine_in_transaction(machine);
	else
		die(play, step->line, "unknown check");
	if (!good && !play->failed)
		fail(play, "not true", step->text.data, "\n");
}

static void start(struct play *play, int mode)
{
	play->mode = mode;
	play->seed = (uint32_t)mode * 2654435761u;
	pr_text_clear(&play->said);
	pr_text_clear(&play->said_expected);
	pr_text_clear(&play->asked);
	pr_text_clear(&play->header);
	pr_text_clear(&play->body);
	for (size_t i = 0; i < play->answer_count; i++)
		play->answers[i].used = false;
	play->machine = smtp_machine_new(&play->settings);
	answer_all(play);
}

static void finish(struct play *play)
{
	log_lines(&play->asked, 'H', &play->header);
	log_lines(&play->asked, 'B', &play->body);
	compare(play);
	if (!play->failed && play->asked_expected.len > 0 &&
	    !pr_str_equal(pr_text_str(&play->asked), pr_text_str(&play->asked_expected)))
		fail(play, "the machine asked something else", play->asked.data, play->asked_expected.data);
	for (size_t i = 0; i < play->answer_count && !play->failed; i++)
		if (!play->answers[i].used)
			fail(play, "an answer nobody asked for", play->answers[i].ask.data, "\n");
	smtp_machine_free(play->machine);
}

static void run(struct play *play, int mode)
{
	struct pr_text words;

	pr_text_init(&words, 256 << 20);
	start(play, mode);
	for (size_t i = 0; i < play->step_count && !play->failed; i++) {
		const struct step *step = &play->steps[i];
		bool whole = mode == 0 || mode > 2;
		if (step->kind == STEP_CLIENT)
			pr_text_add_str(&words, step->text);
		else if (step->kind == STEP_SERVER)
			pr_text_add_str(&play->said_expected, step->text);
		if (step->kind == STEP_ACTION || step->kind == STEP_CHECK || !whole)
			say(play, &words);
		/* an action's own replies stand behind it */
		if (step->kind == STEP_ACTION || step->kind == STEP_CHECK)
			compare(play);
		if (step->kind == STEP_ACTION)
			act(play, step);
		else if (step->kind == STEP_CHECK)
			check(play, step);
	}
	say(play, &words);
	finish(play);
	pr_text_fini(&words);
}

static struct pr_text read_file(const char *path)
{
	struct pr_text bytes;
	char buffer[65536];
	size_t len;
	FILE *file = fopen(path, "rb");

	pr_text_init(&bytes, 16 << 20);
	if (file == NULL) {
		perror(path);
		exit(2);
	}
	while ((len = fread(buffer, 1, sizeof buffer, file)) > 0)
		pr_text_add(&bytes, buffer, len);
	fclose(file);
	return bytes;
}

static bool play_file(const char *path)
{
	struct play *play = pr_alloc(sizeof *play);
	struct pr_text bytes = read_file(path);
	struct pr_str rest = pr_text_str(&bytes), line;
	struct pr_text *texts[] = {&play->said, &play->said_expected, &play->asked, &play->asked_expected, &play->header, &play->body};

	play->name = path;
	pr_arena_init(&play->arena, 256 << 20);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		pr_text_init(texts[i], 64 << 20);
	play->settings = (struct smtp_settings){.host_name = PR_STR("mail.corp.example"),
	    .greeting = PR_STR("mail.corp.example ESMTP postrider"),
	    .client_name = PR_STR("localhost.localdomain"),
	    .client_address = PR_STR("127.0.0.1"),
	    .no_expn = 1,
	    .no_etrn = 1,
	    .no_verb = 1,
	    .deliver_by_min = -1,
	    .reject_nul = 1,
	    .bad_commands_max = 25};
	for (uint32_t number = 1; pr_str_next(&rest, '\n', &line); number++)
		read_line(play, line, number);
	for (int mode = 0; mode < 3 + SEEDS && !play->failed; mode++)
		run(play, mode);
	bool good = play->failed == (strstr(path, "wrong-") != NULL);
	if (!good && !play->failed)
		printf("%s: should have failed\n", path);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		pr_text_fini(texts[i]);
	pr_text_fini(&bytes);
	pr_arena_fini(&play->arena);
	pr_free(play);
	return good;
}

static int is_transcript(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static int play_folder(const char *folder, int *failed)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_transcript, alphasort);

	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		*failed += !play_file(path);
		free(entries[i]);
	}
	free(entries);
	return count > 0 ? count : 0;
}

int main(int argc, char **argv)
{
	int failed = 0, played = 0;

	if (argc == 1)
		played = play_folder(TRANSCRIPT_DIR, &failed);
	for (int i = 1; i < argc; i++, played++)
		failed += !play_file(argv[i]);
	printf("%d transcripts, each in %d cuts: %d failed\n", played, 3 + SEEDS, failed);
	return failed == 0 && played > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
