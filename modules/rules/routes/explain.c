/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps of resolve(), for `postriderctl explain`: every table that is asked, and every list that decides.  They are noted where they
 * happen, into an array that hangs at the thread while explain() runs; without one each note is a look at a pointer.
 */
#include "routes.h"

#include <time.h>

#define STEPS_MAX 10000u

struct routes_steps {
	struct pr_step *items;
	size_t count, most;
	uint32_t depth;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct routes_steps *steps_of(struct pr_call *call)
{
	const struct routes_thread *thread = call->thread;

	return thread != NULL ? thread->steps : NULL;
}

static struct pr_step *add(struct routes_steps *steps, uint32_t kind, const char *name)
{
	if (steps->count >= steps->most)
		return NULL;
	struct pr_step *step = &steps->items[steps->count++];
	*step = (struct pr_step){ .size = sizeof *step, .kind = kind, .depth = steps->depth, .name = pr_str(name) };
	return step;
}

int64_t routes_step_clock(struct pr_call *call)
{
	return steps_of(call) != NULL ? now() : 0;
}

void routes_step_begin(struct pr_call *call, const char *name, struct pr_str address)
{
	struct routes_steps *steps = steps_of(call);
	struct pr_step *step = steps != NULL ? add(steps, PR_STEP_SET, name) : NULL;

	if (step != NULL)
		step->before = pr_arena_copy(call->arena, address);
	if (steps != NULL)
		steps->depth++;
}

void routes_step_end(struct pr_call *call, const char *name, struct pr_str address, int64_t began)
{
	struct routes_steps *steps = steps_of(call);

	if (steps == NULL)
		return;
	steps->depth--;
	struct pr_step *step = add(steps, PR_STEP_END, name);
	if (step == NULL)
		return;
	step->after = pr_arena_copy(call->arena, address);
	step->nanoseconds = now() - began;
}

void routes_step_list(struct pr_call *call, const char *option, struct pr_str before, struct pr_str after)
{
	struct routes_steps *steps = steps_of(call);
	struct pr_step *step = steps != NULL ? add(steps, PR_STEP_RULE, option) : NULL;

	if (step == NULL)
		return;
	step->before = pr_arena_copy(call->arena, before);
	step->after = pr_arena_copy(call->arena, after);
}

void routes_step_map(struct pr_call *call, struct pr_str map, struct pr_str key, enum pr_status status, struct pr_str value, int64_t began)
{
	struct routes_steps *steps = steps_of(call);
	struct pr_step *step = steps != NULL ? add(steps, PR_STEP_MAP, NULL) : NULL;

	if (step == NULL)
		return;
	step->name = map;
	step->before = pr_arena_copy(call->arena, key);
	step->after = status == PR_NOTFOUND ? PR_NONE : pr_arena_copy(call->arena, status == PR_OK ? value : call->reason);
	step->status = status;
	step->nanoseconds = now() - began;
}

/* What comes out at the end, in one line. */
static struct pr_str outcome(struct pr_call *call, enum pr_status status, const struct pr_route *route)
{
	return status == PR_OK ? pr_arena_printf(call->arena, "%.*s:%.*s:%.*s", PR_PRINT(route->mailer), PR_PRINT(route->host), PR_PRINT(route->user))
	                       : pr_arena_printf(call->arena, "error:%u %.*s", route->code, PR_PRINT(route->text));
}

enum pr_status routes_explain(struct pr_call *call, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
                              const struct pr_step **steps_out, size_t *count_out)
{
	struct routes_steps steps = { .most = most < STEPS_MAX ? most : STEPS_MAX };
	struct routes_thread *thread = call->thread;

	steps.items = pr_arena_alloc(call->arena, (steps.most + 1) * sizeof *steps.items);
	if (steps.items == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the steps");
	thread->steps = &steps;
	int64_t began = now();
	routes_step_begin(call, "routes", address);
	enum pr_status status = routes_resolve(call, address, sender, route_out);
	routes_step_end(call, "routes", outcome(call, status, route_out), began);
	thread->steps = NULL;
	*steps_out = steps.items;
	*count_out = steps.count;
	return status;
}
