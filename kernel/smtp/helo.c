/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HELO and EHLO (RFC 5321 section 4.1.1.1).  Both end a transaction that is under way, as a client that lost its place
 * expects; a refused client is greeted too, but told of nothing it could use.
 */
#include "kernel/smtp/internal.h"

#include <string.h>

#define NAME_MAX_BYTES 255

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       (byte != '\0' && strchr("[].-_#:", byte) != NULL);
}

static bool is_name(struct pr_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!is_name_byte(name.data[i]))
			return false;
	return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

static bool is_valid(struct smtp_machine *machine, const char *verb)
{
	struct pr_str name = pr_str_trim(machine->argument);
	bool bogus_allowed = machine->settings->allow_bogus_helo != 0;

	if (name.len == 0 && !bogus_allowed) {
		smtp_reply(machine, 501, "5.0.0", "%s requires domain address", verb);
		return false;
	}
	if (name.len > NAME_MAX_BYTES || (!bogus_allowed && !is_name(name))) {
		smtp_reply(machine, 501, "5.0.0", "Invalid domain name");
		return false;
	}
	return true;
}

/* RFC 9422 */
static void offer_limits(struct smtp_machine *machine)
{
	const struct smtp_settings *settings = machine->settings;
	uint64_t most = smtp_most_recipients(machine);
	char messages[40] = "", recipients[40] = "";

	if (settings->max_messages > 0)
		pr_print(messages, sizeof messages, " MAILMAX=%llu", (unsigned long long)settings->max_messages);
	if (most > 0)
		pr_print(recipients, sizeof recipients, " RCPTMAX=%llu", (unsigned long long)most);
	if (messages[0] != '\0' || recipients[0] != '\0')
		smtp_reply_part(machine, 250, NULL, "LIMITS%s%s", messages, recipients);
}

static void offer(struct smtp_machine *machine)
{
	const struct smtp_settings *settings = machine->settings;

	smtp_reply_part(machine, 250, NULL, "ENHANCEDSTATUSCODES");
	if (!settings->no_pipelining)
		smtp_reply_part(machine, 250, NULL, "PIPELINING");
	if (!settings->no_expn)
		smtp_reply_part(machine, 250, NULL, "EXPN");
	if (!settings->no_verb)
		smtp_reply_part(machine, 250, NULL, "VERB");
	smtp_reply_part(machine, 250, NULL, "8BITMIME");
	if (!settings->no_chunking)
		smtp_reply_part(machine, 250, NULL, "CHUNKING");
	if (settings->max_message_size > 0)
		smtp_reply_part(machine, 250, NULL, "SIZE %llu", (unsigned long long)settings->max_message_size);
	else
		smtp_reply_part(machine, 250, NULL, "SIZE");
	if (!settings->no_dsn)
		smtp_reply_part(machine, 250, NULL, "DSN");
	if (settings->utf8)
		smtp_reply_part(machine, 250, NULL, "SMTPUTF8");
	if (!settings->no_etrn)
		smtp_reply_part(machine, 250, NULL, "ETRN");
	if (settings->auth_mechanisms.len > 0)
		smtp_reply_part(machine, 250, NULL, "AUTH %.*s", PR_PRINT(settings->auth_mechanisms));
	if (settings->starttls && !machine->secured)
		smtp_reply_part(machine, 250, NULL, "STARTTLS");
	if (!settings->no_requiretls && machine->secured)
		smtp_reply_part(machine, 250, NULL, "REQUIRETLS");
	if (settings->deliver_by_min > 0)
		smtp_reply_part(machine, 250, NULL, "DELIVERBY %lld", (long long)settings->deliver_by_min);
	else if (settings->deliver_by_min == 0)
		smtp_reply_part(machine, 250, NULL, "DELIVERBY");
	offer_limits(machine);
	smtp_offer_introductions(machine);
	smtp_reply(machine, 250, NULL, "HELP");
}

static void welcome(struct smtp_machine *machine, bool extended)
{
	const char *client = smtp_client(machine).text;
	struct pr_str host = machine->settings->host_name;

	pr_free(machine->helo);
	machine->helo = pr_copy_str(pr_str_trim(machine->argument));
	machine->extended = extended;
	if (!extended) {
		smtp_reply(machine, 250, NULL, "%.*s Hello %s, pleased to meet you", PR_PRINT(host), client);
		return;
	}
	smtp_reply_part(machine, 250, NULL, "%.*s Hello %s, pleased to meet you", PR_PRINT(host), client);
	if (machine->client.code != 0)
		smtp_reply(machine, 250, NULL, "ENHANCEDSTATUSCODES");
	else
		offer(machine);
}

static void answered(struct smtp_machine *machine, const struct smtp_answer *answer, bool extended)
{
	static const struct smtp_standard standard = {
	    550, "5.7.1", "Access denied", 451, "4.3.2", "Please try again later"};

	if (smtp_is_yes(answer))
		welcome(machine, extended);
	else
		smtp_reply_refused(machine, answer, PR_NONE, &standard);
}

static void helo_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	answered(machine, answer, false);
}

static void ehlo_answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	answered(machine, answer, true);
}

static void ask(struct smtp_machine *machine, bool extended)
{
	/* rules and filters have spoken about a refused client already */
	if (machine->client.code != 0) {
		welcome(machine, extended);
		return;
	}
	machine->question.argument = pr_str_trim(machine->argument);
	machine->question.extended = extended;
	smtp_ask(machine, SMTP_ASK_HELO, extended ? ehlo_answered : helo_answered);
}

static void ask_helo(struct smtp_machine *machine)
{
	ask(machine, false);
}

static void ask_ehlo(struct smtp_machine *machine)
{
	ask(machine, true);
}

/* RFC 2033 section 4.1: each protocol has its own, and knows no other. */
static bool is_other(struct smtp_machine *machine, bool lmtp)
{
	bool other = (machine->settings->lmtp != 0) != lmtp;

	if (other)
		smtp_unknown(machine);
	return other;
}

void smtp_lhlo(struct smtp_machine *machine)
{
	if (!is_other(machine, true) && is_valid(machine, "LHLO"))
		smtp_reset_then(machine, ask_ehlo);
}

void smtp_helo(struct smtp_machine *machine)
{
	if (!is_other(machine, false) && is_valid(machine, "HELO"))
		smtp_reset_then(machine, ask_helo);
}

void smtp_ehlo(struct smtp_machine *machine)
{
	if (!is_other(machine, false) && is_valid(machine, "EHLO"))
		smtp_reset_then(machine, ask_ehlo);
}
