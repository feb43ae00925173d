/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One set of rules over one address.  A rule is skipped without a look when the address lacks one of its literals (the mask of 64 bits)
 * or is too short, which is so for nearly all rules nearly always.
 */
#include "cf.h"

#include <string.h>

static uint64_t mask_of(const struct cf_tokens *tokens)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < tokens->count; i++)
		mask |= cf_mask(tokens->at[i].hash);
	return mask;
}

static void trace(struct cf_run *run, uint16_t number, const char *what, const struct cf_tokens *tokens)
{
	char buffer[12];
	struct pr_str label = cf_set_label(run->cf, number, buffer);

	if (run->trace == NULL)
		return;
	char head[64];
	size_t width = 16, end = strlen(what); /* longer names are cut */
	memset(head, ' ', sizeof head);
	memcpy(head, label.data, label.len < width ? label.len : width);
	memcpy(head + width + 9 - end, what, end); /* right-aligned in a column of eight */
	pr_text_add(run->trace, head, width + 9 + (tokens->count > 0));
	cf_show(&run->cf->names, tokens->at, tokens->count, run->trace);
	pr_text_add_byte(run->trace, '\n');
}

static void show_rule(struct cf_run *run, const char *what, const struct cf_token *tokens, uint32_t count)
{
	pr_text_add_c(run->trace, what);
	if (count > 0)
		pr_text_add_byte(run->trace, ' ');
	cf_show(&run->cf->names, tokens, count, run->trace);
	pr_text_add_byte(run->trace, '\n');
}

static inline void trace_rule(struct cf_run *run, const char *what, const struct cf_token *tokens, uint32_t count)
{
	if (run->trace != NULL && run->tracing >= CF_TRACE_RULES)
		show_rule(run, what, tokens, count);
}

/* A literal at either end of the rule must be at that end of the address. */
static inline bool ends_fit(const struct cf_rule *rule, const struct cf_tokens *tokens)
{
	if (rule->left_count == 0 || tokens->count == 0)
		return true;
	const struct cf_token *first = &rule->left[0], *last = &rule->left[rule->left_count - 1];
	return (!cf_is_plain(first) || first->hash == tokens->at[0].hash) &&
	       (!cf_is_plain(last) || last->hash == tokens->at[tokens->count - 1].hash);
}

void cf_trace_macro(struct cf_run *run, const char *side, uint16_t number, struct pr_str value)
{
	if (run->trace == NULL || run->tracing < CF_TRACE_MACROS)
		return;
	char buffer[2];
	pr_text_addf(run->trace, "rewrite: %s $&{%.*s} => \"%.*s\"\n", side, PR_PRINT(cf_names_text(&run->cf->names, number, buffer)),
	             PR_PRINT(value.data == NULL ? PR_STR("(NULL)") : value));
}

static inline bool may_fit(const struct cf_rule *rule, const struct cf_tokens *tokens, uint64_t mask)
{
	return (rule->need & ~mask) == 0 && rule->least <= tokens->count && ends_fit(rule, tokens);
}

/* The next rule that may fit, when nobody watches how the others fail. */
static uint32_t pass_over(struct cf_run *run, const struct cf_set *set, uint32_t from, const struct cf_tokens *tokens, uint64_t mask)
{
	uint32_t i = from;

	if (run->trace != NULL && run->tracing > 0)
		return from;
	while (i < set->count && !may_fit(&set->rules[i], tokens, mask))
		i++;
	run->work += i - from;
	return i;
}

static bool rule_fits(struct cf_run *run, const struct cf_rule *rule, const struct cf_tokens *tokens, uint64_t mask, struct cf_match *operands)
{
	trace_rule(run, "-----trying rule:", rule->left, rule->left_count);
	bool is_watched = run->trace != NULL && run->tracing >= CF_TRACE_MACROS; /* then it is seen how far the match gets */
	if ((is_watched || may_fit(rule, tokens, mask)) && cf_rule_matches(run, rule, tokens->at, tokens->count, operands))
		return true;
	if (run->trace != NULL && run->tracing >= CF_TRACE_FAILURES)
		show_rule(run, "----- rule fails", NULL, 0);
	return false;
}

static void show_workspace(struct cf_run *run, const struct cf_tokens *tokens)
{
	if (run->trace == NULL || run->tracing < CF_TRACE_WORKSPACE)
		return;
	pr_text_add_c(run->trace, "workspace:  ");
	cf_show(&run->cf->names, tokens->at, tokens->count, run->trace);
	pr_text_add_byte(run->trace, '\n');
}

static void swap(struct cf_tokens *a, struct cf_tokens *b)
{
	struct cf_tokens old = *a;

	*a = *b;
	*b = old;
}

/* Sets that call themselves many times over: 50 levels of 100 calls are more than anybody waits for. */
static int too_much(struct cf_run *run, uint16_t number)
{
	char buffer[12];

	if (!run->is_exhausted)
		cf_run_complain(run, false, "rewrite: too much work for one address, ruleset %.*s", PR_PRINT(cf_set_label(run->cf, number, buffer)));
	run->is_exhausted = true;
	return CF_CONFIG;
}

static int rules(struct cf_run *run, uint16_t number, struct cf_tokens *tokens, bool *is_given_up)
{
	const struct cf_set *set = &run->cf->sets[number];
	struct cf_tokens *built = &run->thread->levels[run->depth].work;
	struct cf_match operands[CF_OPERANDS];
	uint64_t mask = mask_of(tokens);
	uint32_t loops = 0;
	int worst = CF_OK;
	char buffer[12];

	for (uint32_t i = 0; i < set->count;) {
		uint32_t next = pass_over(run, set, i, tokens, mask);
		loops = next == i ? loops : 0;
		i = next;
		if (i == set->count)
			break;
		const struct cf_rule *rule = &set->rules[i];
		bool is_failed;
		if (++run->work > CF_WORK_MAX)
			return too_much(run, number);
		if (!rule_fits(run, rule, tokens, mask, operands)) {
			i++;
			loops = 0;
			continue;
		}
		if (++loops > CF_LOOPS_MAX) {
			cf_run_complain(run, false, "Infinite loop in ruleset %.*s, rule %u", PR_PRINT(cf_set_label(run->cf, number, buffer)), i + 1);
			show_workspace(run, tokens);
			return worst;
		}
		run->work += CF_WORK_APPLY;
		trace_rule(run, "-----rule matches:", rule->right, rule->right_count);
		int status = cf_rule_apply(run, rule, tokens->at, operands, built, &is_failed);
		worst = cf_status(worst, status);
		if (is_failed) {
			*is_given_up = true;
			return worst;
		}
		if (run->steps != NULL)
			cf_step_rule(run, number, rule, tokens, built);
		swap(tokens, built);
		mask = mask_of(tokens);
		if (run->tracing >= CF_TRACE_RESULTS && run->trace != NULL)
			show_rule(run, "rewritten as:", tokens->at, tokens->count);
		if (rule->action >= CF_RETURN || (tokens->count > 0 && tokens->at[0].kind == CF_MAILER))
			break;
		if (rule->action == CF_ONCE) {
			i++;
			loops = 0;
		}
	}
	return worst;
}

int cf_rewrite(struct cf_run *run, uint16_t number, struct cf_tokens *tokens)
{
	int status;
	char buffer[12];

	trace(run, number, "input:", tokens);
	if (run->depth > CF_DEPTH_MAX) {
		cf_run_complain(run, false, "rewrite: excessive recursion (max %u), ruleset %.*s", CF_DEPTH_MAX,
		                PR_PRINT(cf_set_label(run->cf, number, buffer)));
		return CF_CONFIG;
	}
	int64_t began = run->steps == NULL ? 0 : cf_now();
	if (run->steps != NULL)
		cf_step_set(run, number, tokens);
	run->depth++;
	bool is_given_up = false;
	status = rules(run, number, tokens, &is_given_up);
	run->depth--;
	if (run->steps != NULL)
		cf_step_end(run, number, tokens, began);
	if (!is_given_up) /* an expansion that is too long has no end; the set that called goes on */
		trace(run, number, "returns:", tokens);
	return status;
}
