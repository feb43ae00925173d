/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the kernel's questions to rule sets and back.
 */
#include "hooks.h"

enum pr_status cf_rewrite_op(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address, struct pr_str *address_out)
{
	struct cf_run run;
	struct pr_str result;

	bool is_null = address.len == 0, is_header = which == PR_REWRITE_HEADER_SENDER || which == PR_REWRITE_HEADER_RECIPIENT;
	struct pr_str domain = is_header && !is_null ? cf_sender_domain(call) : PR_NONE;

	cf_run_begin(&run, call); /* behind the sender, whose $h is not this mailer's */
	run.domain = domain;
	const struct cf_mailer *known = cf_mailer_find(run.cf, mailer);
	if (known == NULL)
		return PR_OK;
	int status = cf_remote(&run, is_null ? PR_STR("<>") : address, known, which, true, &result);
	if (is_null && pr_str_equal(result, PR_STR("<>")))
		result = address;
	if (status == CF_TEMPFAIL)
		return pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(run.complaint));
	*address_out = result;
	return PR_OK;
}

const char *cf_refusal_of(const struct cf_mailer *mailer)
{
	static const struct {
		const char *mailer, *text;
	} refusals[] = {
		{ "prog", "Cannot mail directly to programs" },
		{ "*file*", "Cannot mail directly to files" },
		{ "*include*", "Cannot mail directly to :include:s" },
	};

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		if (pr_str_equal_nocase(mailer->name, pr_str(refusals[i].mailer)))
			return refusals[i].text;
	return NULL;
}

/* An address as the kernel's route. */
static enum pr_status answer(struct cf_run *run, const struct cf_address *address, struct pr_route *route_out)
{
	const char *refusal = address->is_error ? NULL : cf_refusal_of(address->mailer);

	if (refusal != NULL) {
		route_out->code = 550;
		route_out->enhanced = PR_STR("5.7.1");
		route_out->text = pr_str(refusal);
		return PR_PERMFAIL;
	}
	if (!address->is_error) {
		route_out->mailer = address->mailer->name;
		route_out->host = address->host.data == NULL ? PR_STR("") : address->host;
		route_out->user = address->user;
		route_out->flags = address->skips_set5 ? PR_ROUTE_FINAL : 0;
		return PR_OK;
	}
	cf_error_of(run, address, &route_out->code, &route_out->enhanced, &route_out->text);
	return route_out->code / 100 == 4 ? PR_TEMPFAIL : PR_PERMFAIL;
}

/* The kernel takes the brackets off.  In them a colon or semicolon is a part of a name, and without them it makes a list of it. */
static struct pr_str bracketed(struct cf_run *run, struct pr_str text)
{
	bool is_list = pr_str_find(text, ':') < text.len || pr_str_find(text, ';') < text.len;

	return is_list ? pr_arena_printf(run->call->arena, "<%.*s>", PR_PRINT(text)) : text;
}

enum pr_status cf_resolve(struct cf_run *run, struct pr_str text, struct pr_str sender, struct pr_route *route_out)
{
	struct cf_address address;

	(void)sender;
	if (!cf_parse(run, bracketed(run, text), true, &address) || address.is_refused) {
		address = (struct cf_address){ .is_error = true, .code = PR_STR("5.1.3"), .text = run->complaint };
		cf_error_of(run, &address, &route_out->code, &route_out->enhanced, &route_out->text);
		return PR_PERMFAIL;
	}
	if (address.is_deferred) {
		/* a table that cannot be read may change everything, a host that DNS does not know yet only the form of its name */
		if (!run->is_blind && !address.is_error && address.mailer != NULL) {
			route_out->mailer = address.mailer->name;
			route_out->flags = PR_ROUTE_WAITS;
		}
		return pr_fail(run->call, PR_TEMPFAIL, "%.*s", PR_PRINT(run->complaint));
	}
	return answer(run, &address, route_out);
}

/* Set 5 over a user: another route, or nothing to say. */
static enum pr_status localaddr(struct cf_run *run, struct pr_str user, struct cf_address *address)
{
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = user, .flags = CF_SCAN_COMMENTS };
	struct cf_tokens *tokens = &run->thread->address;
	enum pr_status status = PR_NOTFOUND;

	tokens->count = 0;
	if (cf_scan(&scan, tokens) && tokens->count > 0) {
		if (cf_rewrite(run, 5, tokens) == CF_TEMPFAIL)
			status = pr_fail(run->call, PR_TEMPFAIL, "%.*s", PR_PRINT(run->complaint));
		else if (tokens->count > 1 && tokens->at[0].kind == CF_MAILER) {
			cf_build(run, tokens, address);
			status = PR_OK;
		}
	}
	return status;
}

enum pr_status cf_local_op(struct pr_call *call, struct pr_str mailer, struct pr_str host, struct pr_str user, struct pr_route *route_out)
{
	struct cf_run run;
	struct cf_address address;

	cf_run_begin(&run, call);
	const struct cf_mailer *known = cf_mailer_find(run.cf, mailer);
	if (known == NULL || !cf_mailer_has(known, '5') || run.cf->sets[5].count == 0)
		return PR_NOTFOUND;
	run.about = user;
	cf_overlay_set(run.overlay, 'h', host.data == NULL ? PR_STR("") : host); /* the set asks for $&h: the +detail of before */
	enum pr_status status = localaddr(&run, user, &address);
	if (status != PR_OK)
		return status;
	if (address.mailer == known && pr_str_equal(address.user, user) && pr_str_equal(address.host.data == NULL ? PR_STR("") : address.host, host))
		return PR_NOTFOUND;
	return answer(&run, &address, route_out);
}

enum pr_status cf_resolve_op(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out)
{
	struct cf_run run;

	cf_run_begin(&run, call);
	return cf_resolve(&run, address, sender, route_out);
}

enum pr_status cf_expand_op(struct pr_call *call, struct pr_str text, struct pr_str *text_out)
{
	struct cf_code code = {0};
	struct cf_run run;

	cf_run_begin(&run, call);
	cf_code_parse(&code, &run.cf->names, text); /* a name the file never says has no value */
	*text_out = cf_expand_run(&run, &code);
	cf_code_fini(&code);
	return text_out->data == NULL ? pr_fail(call, PR_TEMPFAIL, "no memory for the text") : PR_OK;
}
