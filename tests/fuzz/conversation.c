/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver of the machine's fuzz targets.  It keeps its own simple account of the transaction, so that a machine that loses
 * or doubles one is caught even when it stays alive.
 */
#include "tests/fuzz/conversation.h"

#include "tests/fuzz/fuzz.h"

#define MEMORY_MAX (DATA_PIECE_MAX + 65536 + 32768)
#define DATA_PIECE_MAX 65536

struct driver {
	struct conversation *conversation;
	struct smtp_machine *machine;
	uint32_t seed;
	bool open;        /* a transaction */
	uint64_t given;   /* bytes of BODY in it */
};

void conversation_settings(struct smtp_settings *settings, uint8_t flags)
{
	*settings = (struct smtp_settings){.host_name = PR_STR("mail.example"),
	    .greeting = PR_STR("mail.example ESMTP"),
	    .client_name = PR_STR("client.example"),
	    .client_address = PR_STR("192.0.2.1"),
	    .bad_commands_max = 25,
	    .max_headers_length = 32768};
	settings->xclient = settings->xforward = SMTP_INTRODUCE_YES;
	settings->reject_nul = flags & 1;
	settings->max_message_size = flags & 2 ? 200 : 0;
	settings->no_expn = (flags & 4) != 0;
	settings->no_etrn = settings->any_address = (flags & 8) != 0;
	settings->starttls = (flags & 16) != 0;
	settings->auth_mechanisms = flags & 16 ? PR_STR("PLAIN CRAM-MD5 LOGIN") : PR_NONE;
	settings->need_helo = (flags & 32) != 0;
	settings->submission = (flags & 64) != 0;
	settings->max_recipients = flags & 128 ? 3 : 0;
}

/* What goes into queue files, logs and the next host's ears. */
static void check_address(const struct smtp_question *q)
{
	struct pr_str full = q->address.full;

	for (size_t i = 0; i < full.len; i++)
		FUZZ_CHECK(((unsigned char)full.data[i] >= 0x20 || full.data[i] == '\t') && (unsigned char)full.data[i] < 0x7f);
}

static void account(struct driver *driver, const struct smtp_question *q, bool yes)
{
	check_address(q);
	if (q->ask == SMTP_ASK_MAIL) {
		FUZZ_CHECK(!driver->open);
		driver->open = yes;
		driver->given = 0;
	} else if (q->ask == SMTP_ASK_AUTH) {
		FUZZ_CHECK(!driver->open);
	} else if (q->ask == SMTP_ASK_RCPT || q->ask == SMTP_ASK_DATA) {
		FUZZ_CHECK(driver->open);
	} else if (q->ask == SMTP_ASK_BODY) {
		FUZZ_CHECK(driver->open && q->data.len > 0 && q->data.len <= DATA_PIECE_MAX);
		FUZZ_CHECK(memchr(q->data.data, '\r', q->data.len) == NULL);
		driver->given += q->data.len;
	} else if (q->ask == SMTP_ASK_END || q->ask == SMTP_ASK_RESET) {
		FUZZ_CHECK(driver->open);
		FUZZ_CHECK(q->ask == SMTP_ASK_RESET || q->size == driver->given);
		driver->open = false;
	}
}

static void note(struct driver *driver, const struct smtp_question *q)
{
	struct pr_text *asked = &driver->conversation->asked;

	driver->conversation->committed += q->ask == SMTP_ASK_END;
	driver->conversation->commands += q->ask != SMTP_ASK_BODY;
	pr_text_addf(asked, "%d %llu ", (int)q->ask, (unsigned long long)q->size);
	pr_text_add_str(asked, q->argument);
	pr_text_add_str(asked, q->data);
	pr_text_add_byte(asked, '\n');
}

static void answer_all(struct driver *driver)
{
	static const struct pr_str lines[] = {{"one\r\n250 two", 12}, {"<three@x>", 9}};
	const struct smtp_question *q;

	while ((q = smtp_machine_question(driver->machine)) != NULL) {
		struct smtp_answer answer = {.id = PR_STR("ID"), .lines = {lines, 2}};
		uint32_t dice = driver->seed != 0 ? fuzz_random(&driver->seed) : 0;
		if (dice % 8 == 7)
			answer.verdict = (struct pr_verdict){.action = PR_REJECT + dice / 8 % 4,
			    .code = dice / 32 % 4 == 0 ? 421 : dice / 32 % 4 == 1 ? 250 : 0,
			    .text = dice & 4096 ? PR_STR("bad\r\n250 \xff text") : PR_NONE};
		if (q->ask == SMTP_ASK_AUTH && dice % 3 != 0) {
			answer.goes_on = true;
			answer.challenge = dice & 64 ? PR_STR("\xff\r\n250 x") : PR_STR("");
		}
		bool yes = answer.verdict.action != PR_REJECT && answer.verdict.action != PR_DEFER;
		account(driver, q, yes);
		note(driver, q);
		smtp_machine_answer(driver->machine, &answer);
		/* TLS is left to the driver; in here it always works */
		smtp_machine_secured(driver->machine);
	}
	struct pr_text *output = smtp_machine_output(driver->machine);
	pr_text_add_str(&driver->conversation->said, pr_text_str(output));
	pr_text_consume(output, output->len);
	FUZZ_CHECK(smtp_machine_memory(driver->machine) <= MEMORY_MAX);
}

static void play(struct driver *driver, struct pr_str bytes, uint32_t cuts)
{
	size_t at = 0;

	answer_all(driver);
	while (at < bytes.len && !smtp_machine_is_finished(driver->machine)) {
		size_t piece = bytes.len - at;
		size_t cut = cuts != 0 ? 1 + fuzz_random(&cuts) % (cuts & 256 ? 3 : 50) : piece;
		char *copy = malloc(cut < piece ? cut : piece);
		size_t len = cut < piece ? cut : piece;
		memcpy(copy, bytes.data + at, len);
		size_t taken = smtp_machine_input(driver->machine, copy, len);
		free(copy);
		answer_all(driver);
		FUZZ_CHECK(taken > 0 || smtp_machine_is_finished(driver->machine));
		at += taken;
	}
	smtp_machine_end(driver->machine);
	answer_all(driver);
	FUZZ_CHECK(smtp_machine_is_finished(driver->machine));
	FUZZ_CHECK(!driver->open);
}

void conversation_run(struct conversation *conversation, const struct smtp_settings *settings, struct pr_str bytes,
    uint32_t answers, uint32_t cuts)
{
	struct driver driver = {.conversation = conversation, .seed = answers};

	*conversation = (struct conversation){0};
	pr_text_init(&conversation->said, SIZE_MAX / 4);
	pr_text_init(&conversation->asked, SIZE_MAX / 4);
	driver.machine = smtp_machine_new(settings);
	play(&driver, bytes, cuts);
	smtp_machine_free(driver.machine);
}

void conversation_fini(struct conversation *conversation)
{
	pr_text_fini(&conversation->said);
	pr_text_fini(&conversation->asked);
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

void conversation_check_replies(struct pr_str said)
{
	char code[4] = "";

	for (size_t at = 0; at < said.len;) {
		const char *line = said.data + at;
		const char *end = memchr(line, '\n', said.len - at);
		FUZZ_CHECK(end != NULL && end - line >= 5 && end[-1] == '\r');
		FUZZ_CHECK(line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) && is_digit(line[2]));
		FUZZ_CHECK(line[3] == ' ' || line[3] == '-');
		for (const char *byte = line; byte < end - 1; byte++)
			FUZZ_CHECK(*byte == '\t' || (unsigned char)*byte > 0x7f || (*byte >= 0x20 && *byte < 0x7f));
		FUZZ_CHECK(pr_utf8_is_valid((struct pr_str){line, (size_t)(end - 1 - line)}));
		FUZZ_CHECK(code[0] == '\0' || memcmp(code, line, 3) == 0);
		memcpy(code, line, 3);
		if (line[3] == ' ')
			code[0] = '\0';
		at = (size_t)(end - said.data) + 1;
	}
	FUZZ_CHECK(code[0] == '\0');
}
