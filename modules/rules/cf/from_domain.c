/* SPDX-License-Identifier: BSD-2-Clause
 *
 * F=C: a mailer whose senders lend their domain to header addresses that have none.
 * It is the sender's mailer that counts, not the one that delivers, so the sender is resolved here once more; in files where no mailer has
 * the flag nothing is asked.
 */
#include "address.h"

#include <string.h>

static bool any_mailer_lends(const struct cf *cf)
{
	for (size_t i = 0; i < cf->mailer_count; i++)
		if (cf_mailer_has(&cf->mailers[i], 'C'))
			return true;
	return false;
}

static bool is_at(const struct cf_token *token)
{
	return token->length == 1 && token->text[0] == '@';
}

static bool cut(struct cf_run *run, struct pr_str text, struct cf_tokens *out)
{
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = text, .flags = CF_SCAN_COMMENTS };

	out->count = 0;
	return cf_scan(&scan, out) && out->count > 0;
}

struct pr_str cf_sender_domain(struct pr_call *call)
{
	struct cf_run run;
	struct cf_address address;

	cf_run_begin(&run, call);
	struct pr_str sender = any_mailer_lends(run.cf) ? call->host->macro(call, PR_STR("f")) : PR_NONE;
	if (sender.len == 0 || !cf_parse(&run, sender, false, &address) || address.mailer == NULL || !cf_mailer_has(address.mailer, 'C'))
		return PR_NONE;
	struct cf_tokens *tokens = &run.thread->address;
	if (!cut(&run, sender, tokens))
		return PR_NONE;
	cf_rewrite(&run, 3, tokens);
	cf_rewrite(&run, 1, tokens);
	cf_rewrite(&run, 4, tokens);
	uint32_t at = tokens->count;
	while (at > 0 && !is_at(&tokens->at[at - 1]))
		at--;
	return at == 0 ? PR_NONE : cf_join_arena(&run.cf->alphabet, tokens->at + at - 1, tokens->count - at + 1, '\0', call->arena);
}

void cf_lend_domain(struct cf_run *run, struct cf_tokens *tokens)
{
	struct cf_tokens *domain = &run->thread->user;

	for (uint32_t i = 0; i < tokens->count; i++)
		if (is_at(&tokens->at[i]))
			return;
	if (!cut(run, run->domain, domain))
		return;
	for (uint32_t i = 0; i < domain->count; i++)
		cf_tokens_add(tokens, domain->at[i]);
	cf_rewrite(run, 3, tokens);
}
