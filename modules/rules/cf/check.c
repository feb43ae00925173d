/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_mail, check_rcpt and their like: the set of that name, where the file has one, over the arguments with `$|` between them.
 */
#include "hooks.h"

static const char *const sets[] = {
	[PR_CHECK_RELAY] = "check_relay", [PR_CHECK_MAIL] = "check_mail", [PR_CHECK_RCPT] = "check_rcpt", [PR_CHECK_DATA] = "check_data",
	[PR_CHECK_ETRN] = "check_etrn", [PR_CHECK_VRFY] = "check_vrfy", [PR_CHECK_EXPN] = "check_expn", [PR_CHECK_EOH] = "check_eoh",
	[PR_CHECK_EOM] = "check_eom", [PR_CHECK_COMPAT] = "check_compat",
};

static bool add_argument(struct cf_run *run, struct pr_str text, struct cf_tokens *tokens)
{
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = text, .flags = CF_SCAN_COMMENTS };

	return cf_scan(&scan, tokens);
}

static void add_bar(struct cf_tokens *tokens)
{
	cf_tokens_add(tokens, (struct cf_token){ .text = "", .kind = CF_ELSE, .hash = (CF_ELSE + 1u) * 0x9e3779b1u });
}

static bool is_word(const struct cf_tokens *tokens, uint32_t at, const char *word)
{
	return at < tokens->count && cf_is_plain(&tokens->at[at]) &&
	       pr_str_equal_nocase((struct pr_str){ tokens->at[at].text, tokens->at[at].length }, pr_str(word));
}

static void judge(struct cf_run *run, const struct cf_tokens *tokens, struct pr_verdict *verdict)
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

enum pr_status cf_check_op(struct pr_call *call, uint32_t check, const struct pr_check_context *context, const struct pr_list *arguments,
                           struct pr_verdict *verdict)
{
	struct cf_tokens tokens = {0};
	struct cf_run run;
	enum pr_status result = PR_OK;

	cf_run_begin(&run, call);
	const char *name = check < sizeof sets / sizeof sets[0] ? sets[check] : NULL;
	uint16_t set = name == NULL ? 0 : cf_set_find(run.cf, pr_str(name));
	if (set == 0 || run.cf->sets[set - 1].count == 0)
		return PR_OK;
	if (check == PR_CHECK_RELAY && context != NULL && context->client != NULL) {
		add_argument(&run, context->client->name, &tokens);
		add_bar(&tokens);
		add_argument(&run, context->client->address, &tokens);
	}
	for (size_t i = 0; check != PR_CHECK_RELAY && i < arguments->count; i++) {
		if (i > 0)
			add_bar(&tokens);
		add_argument(&run, arguments->items[i], &tokens);
	}
	run.about = arguments != NULL && arguments->count > 0 ? arguments->items[0] : PR_STR("");
	int status = cf_rewrite(&run, (uint16_t)(set - 1), &tokens);
	if (status == CF_TEMPFAIL)
		result = pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(run.complaint));
	else
		judge(&run, &tokens, verdict);
	cf_tokens_fini(&tokens);
	return result;
}
