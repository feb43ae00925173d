/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happened to an address, step by step, for `postriderctl explain`.  Steps are noted only when somebody asks, into an array made before.
 */
#include "hooks.h"

#include <time.h>

#define STEPS_MAX 10000u

int64_t cf_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct pr_step *add(struct cf_run *run, uint32_t kind)
{
	struct cf_steps *steps = run->steps;

	if (steps->count >= steps->most)
		return NULL;
	struct pr_step *step = &steps->items[steps->count++];
	*step = (struct pr_step){ .size = sizeof *step, .kind = kind, .depth = run->depth };
	return step;
}

static struct pr_str shown(struct cf_run *run, const struct cf_tokens *tokens)
{
	struct pr_text text;

	pr_text_init(&text, CF_CODE_MAX);
	cf_show(&run->cf->names, tokens->at, tokens->count, &text);
	struct pr_str result = pr_arena_copy(run->call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}

static struct pr_str label(struct cf_run *run, uint16_t set)
{
	char buffer[12];

	return pr_arena_copy(run->call->arena, cf_set_label(run->cf, set, buffer));
}

void cf_step_set(struct cf_run *run, uint16_t set, const struct cf_tokens *tokens)
{
	struct pr_step *step = add(run, PR_STEP_SET);

	if (step == NULL)
		return;
	step->name = label(run, set);
	step->before = shown(run, tokens);
}

void cf_step_end(struct cf_run *run, uint16_t set, const struct cf_tokens *tokens, int64_t began)
{
	struct pr_step *step = add(run, PR_STEP_END);

	if (step == NULL)
		return;
	step->name = label(run, set);
	step->after = shown(run, tokens);
	step->nanoseconds = cf_now() - began;
}

void cf_step_rule(struct cf_run *run, uint16_t set, const struct cf_rule *rule, const struct cf_tokens *before, const struct cf_tokens *after)
{
	struct pr_step *step = add(run, PR_STEP_RULE);

	if (step == NULL)
		return;
	step->name = label(run, set);
	step->file = run->cf->file;
	step->line = rule->line;
	step->before = shown(run, before);
	step->after = shown(run, after);
}

void cf_step_map(struct cf_run *run, struct pr_str map, struct pr_str key, struct pr_str value, int status, int64_t began)
{
	struct pr_step *step = add(run, PR_STEP_MAP);

	if (step == NULL)
		return;
	step->name = map;
	step->before = key;
	step->after = status == CF_OK ? value : run->call->reason;
	step->status = status == CF_TEMPFAIL ? PR_TEMPFAIL : status != CF_OK ? PR_PERMFAIL : value.data == NULL ? PR_NOTFOUND : PR_OK;
	step->nanoseconds = cf_now() - began;
}

enum pr_status cf_explain_op(struct pr_call *call, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
                             const struct pr_step **steps_out, size_t *count_out)
{
	struct cf_steps steps = { .most = most < STEPS_MAX ? most : STEPS_MAX };
	struct cf_run run;

	steps.items = pr_arena_alloc(call->arena, (steps.most + 1) * sizeof *steps.items);
	if (steps.items == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the steps");
	cf_run_begin(&run, call);
	run.steps = &steps;
	enum pr_status status = cf_resolve(&run, address, sender, route_out);
	*steps_out = steps.items;
	*count_out = steps.count;
	return status;
}
