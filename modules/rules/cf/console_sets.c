/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `3,0 a@b, c@d`: each address of the list through each set of the list.
 */
#include "console.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

void cf_console_fault(struct cf_run *run, struct pr_str name)
{
	struct pr_str fault = cf_set_fault(run->call->arena, name);

	if (fault.data != NULL)
		cf_run_complain(run, false, "%.*s", PR_PRINT(fault));
}

/* One address through all sets. */
static void run_sets(struct cf_run *run, struct pr_str names, struct cf_tokens *tokens)
{
	struct pr_str rest = names;

	while (rest.len > 0) {
		struct pr_str all = rest, name = PR_NONE;
		pr_str_next(&rest, ',', &name);
		uint16_t set = cf_set_find(run->cf, pr_str_trim(name));
		if (set == 0) {
			cf_console_fault(run, all);
			pr_text_addf(run->trace, "Undefined ruleset %.*s\n", PR_PRINT(all));
			return;
		}
		int status = cf_rewrite(run, (uint16_t)(set - 1), tokens);
		if (status != CF_OK)
			pr_text_addf(run->trace, "== Ruleset %.*s (%u) status %d\n", PR_PRINT(all), set - 1u, status);
		if (rest.data == NULL)
			return;
	}
}

void cf_console_sets(struct cf_run *run, struct pr_str line)
{
	size_t start = 0, end;
	struct cf_tokens tokens = {0};

	while (start < line.len && is_blank(line.data[start]))
		start++;
	for (end = start; end < line.len && !is_blank(line.data[end]);)
		end++;
	if (end >= line.len) {
		pr_text_add_c(run->trace, "No address!\n");
		return;
	}
	struct pr_str names = pr_str_slice(line, start, end), rest = pr_str_slice(line, end + 1, line.len);
	if (!cf_address_is_valid(run, rest, true))
		return;
	for (;;) {
		struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = rest, .delimiter = ',' };
		if (run->cf->level < 9)
			scan.flags |= CF_SCAN_COMMENTS;
		tokens.count = 0;
		bool good = cf_scan_shown(run, &scan, &tokens);
		run->about = rest;
		for (uint32_t i = 0; i < scan.problem_count; i++)
			cf_run_complain(run, true, "%s", scan.problems[i]);
		run->about = PR_STR(""); /* what sets say is about no address */
		if (good && tokens.count > 0)
			run_sets(run, names, &tokens);
		if (scan.end >= rest.len)
			break;
		rest = pr_str_slice(rest, scan.end + 1, rest.len);
	}
	cf_tokens_fini(&tokens);
}
