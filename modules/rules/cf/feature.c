/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets that answer with a value instead of a verdict: `Sgreet_pause` says `$# 5000`, `Squeuegroup` says `$# fast`.
 */
#include "hooks.h"

/* What stands behind `$#`, words apart by a blank. */
static struct pr_str value_of(struct cf_run *run, const struct cf_tokens *tokens)
{
	return cf_join_arena(&run->cf->alphabet, tokens->at + 1, tokens->count - 1, ' ', run->call->arena);
}

enum pr_status cf_feature_op(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	struct cf_run run;
	enum pr_status result = PR_NOTFOUND;

	cf_run_begin(&run, call);
	if (pr_str_equal(name, PR_STR("local_host_name"))) /* class w, which is no set */
		return arguments->count > 0 && cf_phrases_has(cf_class_find(run.cf, 'w'), arguments->items[0]) ? PR_OK : PR_NOTFOUND;
	struct cf_tokens *tokens = &run.thread->address;
	tokens->count = 0;
	uint16_t set = cf_set_find(run.cf, name);
	if (set == 0 || run.cf->sets[set - 1].count == 0)
		return PR_NOTFOUND;
	cf_take_arguments(&run, arguments, tokens);
	int status = cf_rewrite(&run, (uint16_t)(set - 1), tokens);
	bool has_value = tokens->count > 1 && tokens->at[0].kind == CF_MAILER;
	if (status == CF_TEMPFAIL && !has_value) {
		result = pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(run.complaint));
	} else if (has_value) {
		struct pr_verdict verdict = { .action = PR_CONTINUE };
		cf_judge(&run, tokens, &verdict);
		*value_out = value_of(&run, tokens);
		result = verdict.action == PR_CONTINUE ? PR_OK : pr_fail(call, PR_PERMFAIL, "%.*s", PR_PRINT(verdict.text));
	}
	return result;
}

enum pr_status cf_queue_group_op(struct pr_call *call, struct pr_str address, struct pr_str *group_out)
{
	struct pr_list arguments = { &address, 1 };

	return cf_feature_op(call, PR_STR("queuegroup"), &arguments, group_out);
}
