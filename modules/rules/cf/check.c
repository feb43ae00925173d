/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_mail, check_rcpt and their like: the set of that name, where the file has one, over the arguments with `$|` between them.
 */
#include "hooks.h"

static const char *const sets[] = {
	[PR_CHECK_RELAY] = "check_relay", [PR_CHECK_MAIL] = "check_mail", [PR_CHECK_RCPT] = "check_rcpt", [PR_CHECK_DATA] = "check_data",
	[PR_CHECK_ETRN] = "check_etrn", [PR_CHECK_VRFY] = "check_vrfy", [PR_CHECK_EXPN] = "check_expn", [PR_CHECK_EOH] = "check_eoh",
	[PR_CHECK_EOM] = "check_eom", [PR_CHECK_COMPAT] = "check_compat", [PR_CHECK_TLS_CLIENT] = "tls_client",
	[PR_CHECK_TRY_TLS] = "try_tls", [PR_CHECK_TLS_SERVER] = "tls_server", [PR_CHECK_TLS_RCPT] = "tls_rcpt",
	[PR_CHECK_TRUST_AUTH] = "trust_auth",
};

static bool add_argument(struct cf_run *run, struct pr_str text, struct cf_tokens *tokens)
{
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = text, .flags = CF_SCAN_COMMENTS };

	return cf_scan(&scan, tokens);
}

static void add_bar(struct cf_tokens *tokens)
{
	cf_tokens_add(tokens, (struct cf_token){ .kind = CF_ELSE, .hash = (CF_ELSE + 1u) * 0x9e3779b1u });
}

static bool is_word(const struct cf_tokens *tokens, uint32_t at, const char *word)
{
	return at < tokens->count && cf_is_plain(&tokens->at[at]) &&
	       pr_str_equal_nocase((struct pr_str){ tokens->at[at].text, tokens->at[at].length }, pr_str(word));
}

void cf_judge(struct cf_run *run, const struct cf_tokens *tokens, struct pr_verdict *verdict)
{
	struct cf_address address;

	if (tokens->count < 2 || tokens->at[0].kind != CF_MAILER)
		return;
	if (is_word(tokens, 1, "discard")) {
		verdict->action = PR_DISCARD;
		return;
	}
	if (!is_word(tokens, 1, "error"))
		return;
	cf_build(run, tokens, &address);
	if (pr_str_equal_nocase(address.code, PR_STR("quarantine"))) {
		verdict->action = PR_QUARANTINE;
		verdict->text = address.text;
		return;
	}
	cf_error_of(run, &address, &verdict->code, &verdict->enhanced, &verdict->text);
	verdict->action = verdict->code / 100 == 4 ? PR_DEFER : PR_REJECT;
}

/* The set for a header field: its own, else the one of H*:.  0: none. */
static uint16_t header_set(const struct cf *cf, struct pr_str name, bool *keeps_comments)
{
	uint16_t fallback = 0;

	*keeps_comments = false;
	for (size_t i = 0; i < cf->header_count; i++) {
		const struct cf_header *header = &cf->headers[i];
		if (header->check == 0)
			continue;
		if (!header->is_default && !pr_str_equal_nocase(header->name, name))
			continue;
		if (header->is_default && fallback != 0)
			continue;
		*keeps_comments = header->keeps_comments;
		if (!header->is_default)
			return header->check;
		fallback = header->check;
	}
	return fallback;
}

static void set_macro(struct cf_run *run, const char *name, struct pr_str value)
{
	uint16_t number = cf_names_find(&run->cf->names, pr_str(name));

	if (number != CF_NAME_NONE) /* a name the file never says needs no value */
		cf_overlay_set(run->overlay, number, value);
}

#define FIELD_MAX 255u /* bytes of a value that a set gets to see */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* As one token: in quotes, with a backslash before what would end them, and every line end and tab a blank. */
static struct pr_str quoted(struct pr_arena *arena, struct pr_str text)
{
	char *out = pr_arena_alloc(arena, 2 * text.len + 2);
	size_t len = 0;

	if (out == NULL)
		return PR_STR("");
	out[len++] = '"';
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			out[len++] = '\\';
		out[len++] = is_blank(text.data[i]) ? ' ' : text.data[i];
	}
	out[len++] = '"';
	return (struct pr_str){out, len};
}

/* Name and value of a field: the macros that header checks look at, and the tokens of the value. */
static uint16_t take_header(struct cf_run *run, const struct pr_list *arguments, struct cf_tokens *tokens)
{
	struct pr_str name = arguments->count > 0 ? arguments->items[0] : PR_STR(""), value = arguments->count > 1 ? arguments->items[1] : PR_STR("");
	struct pr_str shown = pr_str_slice(value, 0, FIELD_MAX);
	bool keeps_comments;
	uint16_t set = header_set(run->cf, name, &keeps_comments);
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = pr_str_trim(shown),
		.flags = keeps_comments ? 0 : CF_SCAN_COMMENTS };

	if (set == 0)
		return 0;
	set_macro(run, "hdr_name", name);
	set_macro(run, "currHeader", quoted(run->call->arena, shown));
	set_macro(run, "hdrlen", pr_arena_printf(run->call->arena, "%zu", value.len));
	return cf_scan(&scan, tokens) ? set : 0;
}

void cf_take_arguments(struct cf_run *run, const struct pr_list *arguments, struct cf_tokens *tokens)
{
	for (size_t i = 0; i < arguments->count; i++) {
		if (i > 0)
			add_bar(tokens);
		add_argument(run, arguments->items[i], tokens);
	}
}

/* The set to ask, and its argument.  0: the file has none. */
static uint16_t prepare(struct cf_run *run, uint32_t check, const struct pr_check_context *context, const struct pr_list *arguments,
                        struct cf_tokens *tokens)
{
	const char *name = check < sizeof sets / sizeof sets[0] ? sets[check] : NULL;
	struct pr_str client[2];
	struct pr_list both = { client, 2 };

	if (check == PR_CHECK_HEADER)
		return take_header(run, arguments, tokens);
	uint16_t set = name == NULL ? 0 : cf_set_find(run->cf, pr_str(name));
	if (set == 0 || run->cf->sets[set - 1].count == 0)
		return 0;
	if (check == PR_CHECK_RELAY && context != NULL && context->client != NULL) {
		client[0] = context->client->name;
		client[1] = context->client->address;
		arguments = &both;
	}
	cf_take_arguments(run, arguments, tokens);
	return set;
}

/* The address between the brackets of "<joe@example.org>". */
static struct pr_str inner(struct pr_str path)
{
	bool has_brackets = path.len >= 2 && path.data[0] == '<' && path.data[path.len - 1] == '>';

	return has_brackets ? pr_str_slice(path, 1, path.len - 1) : path;
}

static const char *const address_macros[2][3] = {{"mail_mailer", "mail_host", "mail_addr"}, {"rcpt_mailer", "rcpt_host", "rcpt_addr"}};

/* What the address turned out to be: ${mail_mailer} and its like; those of a recipient until the next one. */
static void tell_address(struct cf_run *run, const struct cf_address *address, bool is_recipient)
{
	const char *const *names = address_macros[is_recipient];

	set_macro(run, names[0], address->mailer != NULL ? address->mailer->name : PR_STR(""));
	set_macro(run, names[1], address->host.data != NULL ? address->host : PR_STR(""));
	set_macro(run, names[2], address->user.data != NULL ? address->user : PR_STR(""));
}

static void forget_recipient(struct cf_run *run)
{
	for (size_t i = 0; i < 3; i++)
		set_macro(run, address_macros[1][i], PR_NONE);
}

/* The null sender is the MAILER-DAEMON of this host. */
static void tell_null_sender(struct cf_run *run)
{
	struct cf_address address = { .mailer = cf_mailer_find(run->cf, PR_STR("local")) };

	tell_address(run, &address, false);
}

/* Before check_mail and check_rcpt are asked, the address is parsed; what cannot be read, or is an error by the rules, is refused whoever sends it.
 * And to whom could an answer go?  A sender that is a program or a file is refused too; of a recipient the kernel says so.  False: refused. */
static bool address_is_sound(struct cf_run *run, struct pr_str path, bool is_recipient, struct pr_verdict *verdict)
{
	struct cf_address address;

	if (pr_str_trim(inner(path)).len == 0) {
		if (!is_recipient)
			tell_null_sender(run);
		return true;
	}
	bool is_read = cf_parse(run, path, is_recipient, &address) && !address.is_refused;
	run->about = path;
	if (!is_read && run->complaint.len == 0)
		return true; /* nothing but comments: the SMTP parser knows */
	if (!is_read)
		address = (struct cf_address){ .is_error = true, .code = PR_STR("5.1.3"), .text = run->complaint };
	if (is_read && address.is_broken) {
		verdict->code = 554;
		verdict->enhanced = PR_STR("5.0.0");
		verdict->text = run->complaint;
	} else if (address.is_error) {
		cf_error_of(run, &address, &verdict->code, &verdict->enhanced, &verdict->text);
	} else if (!is_recipient && cf_refusal_of(address.mailer) != NULL) {
		verdict->code = 553;
		verdict->enhanced = PR_STR("5.1.7");
		verdict->text = PR_STR("Invalid sender address");
	} else {
		tell_address(run, &address, is_recipient);
		return true;
	}
	verdict->action = verdict->code / 100 == 4 ? PR_DEFER : PR_REJECT;
	return false;
}

static void tell_set(struct cf_run *run, uint16_t set, const struct pr_check_context *context)
{
	char number[12];

	if (context == NULL || context->size < offsetof(struct pr_check_context, set_out) + sizeof context->set_out || context->set_out == NULL)
		return;
	*context->set_out = pr_arena_copy(run->call->arena, cf_set_label(run->cf, set, number));
}

/* The checks whose argument is an address that must be sound first. */
static bool is_about_address(uint32_t check, const struct pr_list *arguments)
{
	return (check == PR_CHECK_MAIL || check == PR_CHECK_RCPT) && arguments->count > 0;
}

/* ${addr_type} */
static const char *type_of(uint32_t check)
{
	switch (check) {
	case PR_CHECK_MAIL: return "e s";
	case PR_CHECK_RCPT:
	case PR_CHECK_DATA: return "e r";
	case PR_CHECK_HEADER:
	case PR_CHECK_EOH:
	case PR_CHECK_EOM: return "h";
	default: return NULL;
	}
}

enum pr_status cf_check_op(struct pr_call *call, uint32_t check, const struct pr_check_context *context, const struct pr_list *arguments,
                           struct pr_verdict *verdict)
{
	struct cf_run run;
	enum pr_status result = PR_OK;

	if (check == PR_CHECK_MAIL || check == PR_CHECK_TRUST_AUTH) /* which is asked first */
		cf_transaction_begin(call);
	cf_run_begin(&run, call);
	if (is_about_address(check, arguments) && !address_is_sound(&run, arguments->items[0], check == PR_CHECK_RCPT, verdict))
		return PR_OK;
	struct cf_tokens *tokens = &run.thread->address;
	tokens->count = 0;
	uint16_t set = prepare(&run, check, context, arguments, tokens);
	if (set != 0) {
		tell_set(&run, (uint16_t)(set - 1), context);
		bool is_server = check == PR_CHECK_TRY_TLS || check == PR_CHECK_TLS_SERVER || check == PR_CHECK_TLS_RCPT;
		/* the mailer says for whom it asked */
		run.about = arguments->count > 0 && !is_server ? arguments->items[0] : PR_STR("");
		cf_run_type(&run, type_of(check));
		int status = cf_rewrite(&run, (uint16_t)(set - 1), tokens);
		bool has_said = tokens->count > 1 && tokens->at[0].kind == CF_MAILER;
		/* A set that could not be worked off has not said yes; but a host whose name DNS cannot complete is no table that could not be read. */
		if (status != CF_OK && !has_said && (status != CF_TEMPFAIL || run.is_blind))
			result = pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(run.complaint));
		else
			cf_judge(&run, tokens, verdict);
		if (check == PR_CHECK_MAIL || check == PR_CHECK_RCPT)
			cf_run_type(&run, NULL);
	}
	if (check == PR_CHECK_RCPT)
		forget_recipient(&run);
	return result;
}
