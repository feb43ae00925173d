/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MAIL FROM (RFC 5321 section 4.1.1.2, RFC 1870, RFC 2852, RFC 3461, RFC 6152).  The parameters are read into the question,
 * the driver decides, and only its yes opens the transaction.
 */
#include "kernel/smtp/internal.h"

/* The leading digits, as sendmail reads them; false when a 5xx is written. */
static bool take_size(struct smtp_machine *machine, struct pr_str value)
{
	uint64_t max = machine->settings->max_message_size, size = 0;
	size_t digits = 0;

	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "SIZE requires a value");
		return false;
	}
	if (value.len > 0 && (value.data[0] == '-' || value.data[0] == '+')) {
		smtp_reply(machine, 552, "5.2.3", "Message size invalid");
		return false;
	}
	while (digits < value.len && value.data[digits] >= '0' && value.data[digits] <= '9')
		digits++;
	if (digits > 0 && !pr_str_number(pr_str_slice(value, 0, digits), INT64_MAX, &size)) {
		smtp_reply(machine, 552, "5.2.3", "Message size exceeds maximum value");
		return false;
	}
	if (max > 0 && size > max) {
		smtp_reply(machine, 552, "5.2.3", "Message size exceeds fixed maximum message size (%llu)", (unsigned long long)max);
		return false;
	}
	machine->question.declared_size = size;
	return true;
}

static bool take_body(struct smtp_machine *machine, struct pr_str value)
{
	bool eight_bit = pr_str_equal_nocase(value, PR_STR("8BITMIME"));

	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "BODY requires a value");
		return false;
	}
	if (!eight_bit && !pr_str_equal_nocase(value, PR_STR("7BIT"))) {
		smtp_reply(machine, 501, "5.5.4", "Unknown BODY type %s", smtp_shorten(value).text);
		return false;
	}
	machine->question.body_given = true;
	machine->question.eight_bit = eight_bit;
	return true;
}

static bool take_ret(struct smtp_machine *machine, struct pr_str value)
{
	bool headers = pr_str_equal_nocase(value, PR_STR("HDRS"));

	if (machine->question.ret_given) {
		smtp_reply(machine, 501, "5.5.0", "Duplicate RET parameter");
		return false;
	}
	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "RET requires a value");
		return false;
	}
	if (!headers && !pr_str_equal_nocase(value, PR_STR("FULL"))) {
		smtp_reply(machine, 501, "5.5.2", "Bad argument \"%s\" to RET", smtp_shorten(value).text);
		return false;
	}
	machine->question.ret_given = true;
	machine->question.ret_headers = headers;
	return true;
}

/* RFC 4954 section 5; nothing at all is taken too, as sendmail does. */
static bool take_auth(struct smtp_machine *machine, struct pr_str value)
{
	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "AUTH= requires a value");
		return false;
	}
	return value.len == 0 || smtp_take_xtext(machine, "AUTH", value, &machine->question.auth);
}

static bool take_utf8(struct smtp_machine *machine, struct pr_str value)
{
	if (value.data != NULL) {
		smtp_reply(machine, 501, "5.5.4", "SMTPUTF8 takes no value");
		return false;
	}
	machine->question.utf8 = true;
	return true;
}

/* RFC 8689 section 4.1: a promise that can be kept only by who hears it in TLS. */
static bool take_require_tls(struct smtp_machine *machine, struct pr_str value)
{
	if (value.data != NULL) {
		smtp_reply(machine, 501, "5.5.4", "REQUIRETLS takes no value");
		return false;
	}
	if (!machine->secured) {
		smtp_reply(machine, 530, "5.7.10", "REQUIRETLS needs TLS: STARTTLS first");
		return false;
	}
	machine->question.require_tls = true;
	return true;
}

/* Between sendmail(8) and its daemon: the -od of this one message; v: -v, which is i, and nothing is held. */
static bool take_delivery_mode(struct smtp_machine *machine, struct pr_str value)
{
	if (value.len != 1 || pr_str_find(PR_STR("ibqdv"), value.data[0]) == 5) {
		smtp_reply(machine, 501, "5.5.4", "Unknown delivery mode %s", smtp_shorten(value).text);
		return false;
	}
	machine->question.verbose = value.data[0] == 'v';
	machine->question.delivery_mode = machine->question.verbose ? 'i' : value.data[0];
	return true;
}

static bool take_parameter(struct smtp_machine *machine, struct pr_str key, struct pr_str value)
{
	if (smtp_refuses_dsn(machine, key))
		return false;
	if (pr_str_equal_nocase(key, PR_STR("SIZE")))
		return take_size(machine, value);
	if (pr_str_equal_nocase(key, PR_STR("BODY")))
		return take_body(machine, value);
	if (pr_str_equal_nocase(key, PR_STR("RET")))
		return take_ret(machine, value);
	if (pr_str_equal_nocase(key, PR_STR("ENVID")))
		return smtp_take_xtext(machine, "ENVID", value, &machine->question.envelope_id);
	if (pr_str_equal_nocase(key, PR_STR("BY")) && machine->settings->deliver_by_min >= 0)
		return smtp_take_by(machine, value);
	if (pr_str_equal_nocase(key, PR_STR("AUTH")))
		return take_auth(machine, value);
	if (pr_str_equal_nocase(key, PR_STR("SMTPUTF8")) && machine->settings->utf8)
		return take_utf8(machine, value);
	if (!machine->settings->no_requiretls && pr_str_equal_nocase(key, PR_STR("REQUIRETLS")))
		return take_require_tls(machine, value);
	if (machine->settings->submission && pr_str_equal_nocase(key, PR_STR("XDELIVER")))
		return take_delivery_mode(machine, value);
	smtp_reply(machine, 555, "5.5.4", "%s parameter unrecognized", smtp_shorten(key).text);
	return false;
}

static void answered(struct smtp_machine *machine, const struct smtp_answer *answer)
{
	static const struct smtp_standard standard = {
	    550, "5.7.1", "Access denied", 451, "4.3.2", "Please try again later"};
	struct smtp_short path = smtp_shorten(machine->argument);

	if (!smtp_is_yes(answer)) {
		smtp_reply_refused(machine, answer, machine->argument, &standard);
		return;
	}
	machine->in_transaction = true;
	machine->utf8 = machine->wants_utf8;
	if (answer->verdict.text.data != NULL && answer->verdict.action != PR_QUARANTINE)
		smtp_reply(machine, 250, "2.1.0", "%s... %.*s", path.text, PR_PRINT(answer->verdict.text));
	else
		smtp_reply(machine, 250, "2.1.0", "%s... Sender ok", path.text);
}

/* "@a,@b:joe@c" is joe@c (RFC 5321, appendix F.2): an answer goes to him. */
static void drop_route(struct pr_address *address)
{
	size_t colon = pr_str_find(address->full, ':');

	if (address->full.len > 0 && address->full.data[0] == '@' && colon < address->full.len)
		pr_address_split(pr_str_slice(address->full, colon + 1, address->full.len), address);
}

static void ask(struct smtp_machine *machine)
{
	struct pr_str rest;

	if (!smtp_skip_word(machine, PR_STR("FROM"), &rest) || !smtp_parse_path(machine, rest, &rest) ||
	    !smtp_parse_parameters(machine, rest, take_parameter))
		return;
	if (!machine->question.utf8 && !pr_str_is_ascii(machine->question.argument)) {
		smtp_reply(machine, 553, "5.6.7", "%s... Address is not ASCII", smtp_shorten(machine->question.argument).text);
		return;
	}
	drop_route(&machine->question.address);
	machine->argument = machine->question.argument; /* for the reply; the question is gone by then */
	machine->question.extended = machine->question.parameters.count > 0;
	if (machine->verbose && machine->question.delivery_mode == 0) {
		machine->question.delivery_mode = 'i';
		machine->question.verbose = true;
	}
	machine->wants_utf8 = machine->question.utf8; /* the question is gone by then */
	smtp_ask(machine, SMTP_ASK_MAIL, answered);
}

void smtp_mail(struct smtp_machine *machine)
{
	const struct smtp_settings *settings = machine->settings;

	if (settings->lmtp && machine->helo == NULL)
		smtp_reply(machine, 503, "5.5.1", "Need LHLO command");
	else if (settings->need_helo && !settings->submission && machine->helo == NULL)
		smtp_reply(machine, 503, "5.0.0", "Polite people say HELO first");
	else if (machine->in_transaction)
		smtp_reply(machine, 503, "5.5.0", "Sender already specified");
	else if (settings->max_messages > 0 && !settings->submission && machine->messages++ >= settings->max_messages)
		smtp_reply(machine, 452, "4.5.3", "Too many messages in this connection");
	else if (settings->need_auth && !settings->submission && !machine->authenticated)
		smtp_reply(machine, 530, "5.7.0", "Authentication required");
	else
		ask(machine);
}
