/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A rule engine for tests: every address goes to one mailer, and words in options refuse the rest.
 */
#include <postrider/rules.h>

#include <string.h>

struct debugrules {
	struct pr_str mailer;
	struct pr_list reject;
	struct pr_list defer;
	struct pr_str suffix;
};

static const struct pr_option options[] = {
    PR_OPTION(struct debugrules, mailer, "mailer", PR_OPTION_STRING, 0, "debugmailer", "where everything goes"),
    PR_OPTION(struct debugrules, reject, "reject", PR_OPTION_LIST, 0, NULL, "words in an address or argument that are refused"),
    PR_OPTION(struct debugrules, defer, "defer", PR_OPTION_LIST, 0, NULL, "words that are put off"),
    PR_OPTION(struct debugrules, suffix, "suffix", PR_OPTION_STRING, 0, NULL, "what rewrite() adds to an address"),
    PR_OPTION_END,
};

static bool contains_any(const struct pr_list *words, struct pr_str text)
{
	for (size_t i = 0; i < words->count; i++)
		if (text.len > 0 && memmem(text.data, text.len, words->items[i].data, words->items[i].len) != NULL)
			return true;
	return false;
}

static enum pr_status resolve(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out)
{
	const struct debugrules *rules = call->instance;
	size_t at = pr_str_find_last(address, '@');

	(void)sender;
	if (contains_any(&rules->reject, address)) {
		route_out->code = 550;
		route_out->enhanced = PR_STR("5.1.1");
		route_out->text = PR_STR("told to refuse");
		return pr_fail(call, PR_PERMFAIL, "told to refuse");
	}
	if (contains_any(&rules->defer, address))
		return pr_fail(call, PR_TEMPFAIL, "told to wait");
	route_out->mailer = pr_arena_copy(call->arena, rules->mailer);
	route_out->host = pr_arena_copy(call->arena, pr_str_slice(address, at + 1, address.len));
	route_out->user = pr_arena_copy(call->arena, address);
	return PR_OK;
}

static enum pr_status rewrite(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address, struct pr_str *address_out)
{
	const struct debugrules *rules = call->instance;

	(void)which;
	(void)mailer;
	*address_out = pr_arena_printf(call->arena, "%.*s%.*s", PR_PRINT(address), PR_PRINT(rules->suffix));
	return address_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the address does not fit");
}

static enum pr_status check(struct pr_call *call, uint32_t check, const struct pr_check_context *context, const struct pr_list *arguments,
    struct pr_verdict *verdict)
{
	const struct debugrules *rules = call->instance;

	(void)check;
	(void)context;
	for (size_t i = 0; arguments != NULL && i < arguments->count; i++) {
		if (contains_any(&rules->reject, arguments->items[i]))
			*verdict = (struct pr_verdict){PR_REJECT, 550, PR_STR("5.7.1"), PR_STR("told to refuse")};
		else if (contains_any(&rules->defer, arguments->items[i]))
			*verdict = (struct pr_verdict){PR_DEFER, 451, PR_STR("4.7.1"), PR_STR("told to wait")};
	}
	return PR_OK;
}

static enum pr_status headers(struct pr_call *call, const struct pr_header **headers_out, size_t *count_out)
{
	(void)call;
	*headers_out = NULL;
	*count_out = 0;
	return PR_OK;
}

static enum pr_status console(struct pr_call *call, struct pr_str line, struct pr_text *out)
{
	(void)call;
	pr_text_addf(out, "debug: %.*s\n", PR_PRINT(line));
	return line.len > 0 ? PR_OK : PR_NOTFOUND;
}

static const struct pr_rules_ops ops = {
    .size = sizeof ops,
    .resolve = resolve,
    .rewrite = rewrite,
    .check = check,
    .headers = headers,
    .console = console,
};

PR_MODULE(debugrules) = {
    PR_MODULE_HEAD(PR_KIND_RULES),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct debugrules),
    .name = "debugrules",
    .version = "1.0",
    .summary = "sends everything to one mailer",
    .options = options,
    .ops = &ops,
};
