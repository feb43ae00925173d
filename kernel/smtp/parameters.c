/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands behind MAIL and RCPT: "FROM:", the path, and the ESMTP parameters (RFC 5321 section 4.1.2).
 * One loop cuts the parameters and the verb takes them one by one, so both verbs speak of errors in the same words.
 */
#include "kernel/smtp/internal.h"

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct pr_str skip_blanks(struct pr_str text)
{
	size_t i = 0;

	while (i < text.len && is_blank(text.data[i]))
		i++;
	return pr_str_slice(text, i, text.len);
}

bool smtp_skip_word(struct smtp_machine *machine, struct pr_str word, struct pr_str *rest_out)
{
	struct pr_str text = machine->argument;
	size_t end = 0;

	while (end < text.len && text.data[end] != ':' && !is_blank(text.data[end]))
		end++;
	struct pr_str rest = skip_blanks(pr_str_slice(text, end, text.len));
	bool colon = rest.len > 0 && rest.data[0] == ':';
	rest = skip_blanks(pr_str_slice(rest, 1, rest.len));
	if (!colon || rest.len == 0 || !pr_str_equal_nocase(pr_str_slice(text, 0, end), word)) {
		smtp_reply(machine, 501, "5.5.2", "Syntax error in parameters scanning \"%s\"",
		    smtp_shorten(pr_str_slice(text, 0, end)).text);
		return false;
	}
	*rest_out = rest;
	return true;
}

/* sendmail takes the high bit off and so mails somebody else; we say that we cannot. */
static bool has_high_bit(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] > 0x7e)
			return true;
	return false;
}

/* RFC 6531 section 3.3.  In MAIL the parameter that allows it comes later, and mail.c looks for it then. */
static bool may_be_utf8(const struct smtp_machine *machine, struct pr_str path)
{
	return machine->settings->utf8 && (machine->utf8 || !machine->in_transaction) && pr_str_find(path, 0x7f) == path.len && pr_utf8_is_valid(path);
}

bool smtp_refuses_bytes(struct smtp_machine *machine, struct pr_str path)
{
	if (!has_high_bit(path) || may_be_utf8(machine, path))
		return false;
	smtp_reply(machine, 553, "5.6.7", "%s... Address is not ASCII", smtp_shorten(path).text);
	return true;
}

bool smtp_parse_path(struct smtp_machine *machine, struct pr_str text, struct pr_str *rest_out)
{
	if (machine->settings->any_address)
		return smtp_take_path(machine, text, rest_out);
	struct pr_str rest = PR_NONE, why = PR_NONE;
	enum pr_status status = (machine->settings->utf8 ? pr_address_path_utf8 : pr_address_path)(text, &machine->arena, &machine->question.address, &rest, &why);
	struct pr_str path = pr_str_trim(pr_str_slice(text, 0, rest.data != NULL ? text.len - rest.len : text.len));

	if (smtp_refuses_bytes(machine, path))
		return false;
	if (status != PR_OK) {
		bool route = pr_str_find(why, '@') < why.len || pr_str_find(why, ',') < why.len ||
		             pr_str_has_prefix_nocase(why, PR_STR("Comma"));
		if (route) /* sendmail's words for a second @ and for a list */
			smtp_reply(machine, 553, "5.1.3", "%s... Invalid route address", smtp_shorten(path).text);
		else
			smtp_reply(machine, 553, "5.0.0", "%s... %.*s", smtp_shorten(path).text, PR_PRINT(why));
		return false;
	}
	machine->question.argument = path;
	*rest_out = rest;
	return true;
}

static bool is_key_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-';
}

/* Takes one "KEY" or "KEY=VALUE" off the front; value is absent without '='.  A key ends where no key can go on, as with sendmail. */
static void next_parameter(struct pr_str *rest, struct pr_str *whole, struct pr_str *key, struct pr_str *value)
{
	size_t end = 0, key_end = 0;

	while (end < rest->len && !is_blank(rest->data[end]))
		end++;
	*whole = pr_str_slice(*rest, 0, end);
	while (key_end < end && is_key_byte(rest->data[key_end]))
		key_end++;
	*key = pr_str_slice(*rest, 0, key_end);
	*value = PR_NONE;
	if (key_end < end && rest->data[key_end] == '=') {
		struct pr_str text = pr_str_slice(*rest, key_end + 1, end);
		*value = pr_str_slice(text, 0, pr_str_find(text, '='));
		end = key_end + 1 + value->len; /* a second = is cut off with its value, and what follows it is the next one */
		*whole = pr_str_slice(*rest, 0, end);
		end += end < rest->len && rest->data[end] == '=';
	}
	*rest = skip_blanks(pr_str_slice(*rest, end, rest->len));
}

bool smtp_parse_parameters(struct smtp_machine *machine, struct pr_str text, smtp_parameter *take)
{
	struct pr_str rest = skip_blanks(text), whole, key, value;

	/* something glued to the path: "<bob>x" */
	if (text.len > 0 && !is_blank(text.data[0])) {
		smtp_reply(machine, 501, "5.5.2", "Syntax error in parameters scanning \"%s\"", smtp_shorten(text).text);
		return false;
	}
	if (rest.len == 0)
		return true;
	struct pr_str *items = pr_arena_alloc(&machine->arena, SMTP_PARAMETERS_MAX * sizeof *items);
	size_t count = 0;
	while (rest.len > 0) {
		next_parameter(&rest, &whole, &key, &value);
		if (items == NULL || count == SMTP_PARAMETERS_MAX) {
			smtp_reply(machine, 501, "5.5.4", "Too many parameters");
			return false;
		}
		if (!take(machine, key, value))
			return false;
		items[count++] = whole;
	}
	machine->question.parameters = (struct pr_list){items, count};
	return true;
}

bool smtp_refuses_dsn(struct smtp_machine *machine, struct pr_str key)
{
	static const char *const keys[] = {"RET", "ENVID", "NOTIFY", "ORCPT"};

	for (size_t i = 0; machine->settings->no_dsn && !machine->settings->submission && i < sizeof keys / sizeof keys[0]; i++) {
		if (!pr_str_equal_nocase(key, pr_str(keys[i])))
			continue;
		smtp_reply(machine, 504, "5.7.0", "Sorry, %s not supported, we do not allow DSN", keys[i]);
		return true;
	}
	return false;
}

bool smtp_take_xtext(struct smtp_machine *machine, const char *name, struct pr_str value, struct pr_str *decoded_out)
{
	struct pr_str decoded = PR_NONE;

	if (decoded_out->data != NULL) {
		smtp_reply(machine, 501, "5.5.0", "Duplicate %s parameter", name);
		return false;
	}
	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "%s requires a value", name);
		return false;
	}
	if (!pr_xtext_decode(value, &machine->arena, &decoded)) {
		smtp_reply(machine, 501, "5.5.4", "Syntax error in %s parameter value", name);
		return false;
	}
	*decoded_out = decoded;
	return true;
}
