/* SPDX-License-Identifier: BSD-2-Clause
 *
 * XCLIENT and XFORWARD, as Postfix has published them (XCLIENT_README, XFORWARD_README): a host that we trust says for whom it
 * speaks.  XCLIENT changes who the client is, so the session begins anew with CONNECT and a greeting; XFORWARD is for the log of the next message.
 *
 * Values may be xtext or plain, as the READMEs ask.  What could make a header or a log line of its own is refused here, by one table.
 */
#include "kernel/smtp/internal.h"
#include "kernel/smtp/proxy_header.h"

#include <string.h>

#define VALUE_MAX 255

enum { FOR_XCLIENT = 1, FOR_XFORWARD = 2 };

typedef bool judge(struct smtp_machine *machine, struct pr_str *value);

static bool is_plain(struct smtp_machine *machine, struct pr_str *value)
{
	(void)machine;
	for (size_t i = 0; i < value->len; i++)
		if (value->data[i] <= ' ' || value->data[i] >= 0x7f || strchr("()<>\",;\\", value->data[i]) != NULL)
			return false;
	return value->len <= VALUE_MAX;
}

static bool is_host(struct smtp_machine *machine, struct pr_str *value)
{
	(void)machine;
	return pr_domain_is_valid(*value) && value->data[0] != '[';
}

/* Printed again, so that rules and logs see one form of it. */
static bool is_address(struct smtp_machine *machine, struct pr_str *value)
{
	char text[PROXY_ADDRESS_MAX];

	if (!proxy_address_parse(*value, text))
		return false;
	*value = pr_arena_copy(&machine->arena, pr_str(text));
	return true;
}

static bool is_port(struct smtp_machine *machine, struct pr_str *value)
{
	uint64_t number;

	(void)machine;
	return pr_str_number(*value, UINT16_MAX, &number) && number > 0;
}

static bool is_protocol(struct smtp_machine *machine, struct pr_str *value)
{
	(void)machine;
	return pr_str_equal_nocase(*value, PR_STR("SMTP")) || pr_str_equal_nocase(*value, PR_STR("ESMTP"));
}

static const struct row {
	const char *name;
	enum smtp_attribute attribute;
	uint32_t command;
	judge *is_valid;
} rows[] = {
    {"NAME", SMTP_ATTRIBUTE_NAME, FOR_XCLIENT, is_host},         {"ADDR", SMTP_ATTRIBUTE_ADDR, FOR_XCLIENT, is_address},
    {"PORT", SMTP_ATTRIBUTE_PORT, FOR_XCLIENT, is_port},         {"PROTO", SMTP_ATTRIBUTE_PROTO, FOR_XCLIENT, is_protocol},
    {"HELO", SMTP_ATTRIBUTE_HELO, FOR_XCLIENT, is_plain},        {"LOGIN", SMTP_ATTRIBUTE_LOGIN, FOR_XCLIENT, is_plain},
    {"DESTADDR", SMTP_ATTRIBUTE_DESTADDR, FOR_XCLIENT, is_address},
    {"DESTPORT", SMTP_ATTRIBUTE_DESTPORT, FOR_XCLIENT, is_port}, {"NAME", SMTP_ATTRIBUTE_NAME, FOR_XFORWARD, is_plain},
    {"ADDR", SMTP_ATTRIBUTE_ADDR, FOR_XFORWARD, is_plain},       {"PORT", SMTP_ATTRIBUTE_PORT, FOR_XFORWARD, is_port},
    {"PROTO", SMTP_ATTRIBUTE_PROTO, FOR_XFORWARD, is_plain},     {"HELO", SMTP_ATTRIBUTE_HELO, FOR_XFORWARD, is_plain},
    {"IDENT", SMTP_ATTRIBUTE_IDENT, FOR_XFORWARD, is_plain},     {"SOURCE", SMTP_ATTRIBUTE_SOURCE, FOR_XFORWARD, is_plain},
};

static const struct row *find_row(struct pr_str name, uint32_t command)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].command == command && pr_str_equal_nocase(name, pr_str(rows[i].name)))
			return &rows[i];
	return NULL;
}

/* "[UNAVAILABLE]" is an empty value. */
static bool take_value(struct smtp_machine *machine, const struct row *row, struct pr_str value)
{
	struct pr_str *place = (struct pr_str *)(uintptr_t)&machine->question.attributes[row->attribute];
	struct pr_str decoded = value;

	if (row->attribute == SMTP_ATTRIBUTE_NAME)
		machine->question.name_later = pr_str_equal_nocase(value, PR_STR("[TEMPUNAVAIL]"));
	*place = PR_STR("");
	if (pr_str_equal_nocase(value, PR_STR("[UNAVAILABLE]")) || (row->attribute == SMTP_ATTRIBUTE_NAME && machine->question.name_later))
		return true;
	if (!pr_xtext_decode(value, &machine->arena, &decoded) && pr_str_find(value, '+') < value.len)
		return false;
	*place = decoded;
	return decoded.len > 0 && row->is_valid(machine, place);
}

/* False when the 501 is written. */
static bool take_all(struct smtp_machine *machine, uint32_t command)
{
	struct pr_str rest = machine->argument, word;
	size_t count = 0;

	machine->question.attributes = pr_arena_alloc(&machine->arena, SMTP_ATTRIBUTES * sizeof *machine->question.attributes);
	while (machine->question.attributes != NULL && pr_str_word(&rest, " \t", &word)) {
		size_t equals = pr_str_find(word, '=');
		const struct row *row = find_row(pr_str_slice(word, 0, equals), command);
		if (equals == word.len || row == NULL || !take_value(machine, row, pr_str_slice(word, equals + 1, word.len))) {
			smtp_reply(machine, 501, "5.5.4", "Bad attribute: %s", smtp_shorten(word).text);
			return false;
		}
		count++;
	}
	if (count == 0)
		smtp_reply(machine, 501, "5.5.4", "Attributes required");
	return count > 0;
}

static const struct smtp_standard standard = {550, "5.7.1", "Access denied", 451, "4.3.2", "Please try again later"};

static void xclient_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	if (smtp_is_yes(answer))
		smtp_begin_again(machine);
	else
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
}

static void xforward_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	if (smtp_is_yes(answer))
		smtp_reply(machine, 250, "2.0.0", "OK");
	else
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
}

/* False when the refusal is written.  Who has no such friends knows no such verbs, as sendmail. */
static bool may_say(struct smtp_machine *machine, uint32_t may)
{
	if (may == SMTP_INTRODUCE_UNKNOWN)
		smtp_unknown(machine);
	else if (may == SMTP_INTRODUCE_NO)
		smtp_reply(machine, 550, "5.7.1", "Insufficient authorization");
	else if (machine->in_transaction)
		smtp_reply(machine, 503, "5.5.1", "Mail transaction in progress");
	return may == SMTP_INTRODUCE_YES && !machine->in_transaction;
}

void smtp_xclient(struct smtp_machine *machine)
{
	if (!may_say(machine, machine->settings->xclient) || !take_all(machine, FOR_XCLIENT))
		return;
	const struct pr_str *said = machine->question.attributes;
	if (said[SMTP_ATTRIBUTE_PROTO].len > 0)
		machine->extended = pr_str_equal_nocase(said[SMTP_ATTRIBUTE_PROTO], PR_STR("ESMTP"));
	if (said[SMTP_ATTRIBUTE_HELO].data != NULL || said[SMTP_ATTRIBUTE_ADDR].data != NULL) { /* the name of another is none of his */
		pr_free(machine->helo);
		machine->helo = said[SMTP_ATTRIBUTE_HELO].len > 0 ? pr_copy_str(said[SMTP_ATTRIBUTE_HELO]) : NULL;
	}
	machine->introduced_login = said[SMTP_ATTRIBUTE_LOGIN].len > 0;
	smtp_ask(machine, SMTP_ASK_XCLIENT, xclient_answered);
}

void smtp_xforward(struct smtp_machine *machine)
{
	if (may_say(machine, machine->settings->xforward) && take_all(machine, FOR_XFORWARD))
		smtp_ask(machine, SMTP_ASK_XFORWARD, xforward_answered);
}

void smtp_offer_introductions(struct smtp_machine *machine)
{
	if (machine->settings->xclient == SMTP_INTRODUCE_YES)
		smtp_reply_part(machine, 250, NULL, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
	if (machine->settings->xforward == SMTP_INTRODUCE_YES)
		smtp_reply_part(machine, 250, NULL, "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE");
}
