/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The explanation for people: a line for each thing that happened, indented by the depth of the rules.  All of it came from outside or from
 * tables, so whatever a terminal could obey is escaped.
 */
#include "kernel/command/explain.h"

#include <string.h>

#define SHOWN_MAX 1000
#define DEPTH_MAX 40 /* deeper ones are not indented further */

static void add_indent(struct explain_out *out, uint32_t depth)
{
	for (uint32_t i = 0; i <= depth && i <= DEPTH_MAX; i++)
		pr_text_add_c(&out->text, "  ");
}

static void add(struct explain_out *out, struct pr_str text)
{
	pr_text_add_escaped(&out->text, text, SHOWN_MAX);
}

static void add_quoted(struct explain_out *out, struct pr_str text)
{
	pr_text_add_byte(&out->text, '"');
	add(out, text);
	pr_text_add_byte(&out->text, '"');
}

static void add_time(struct explain_out *out, int64_t nanoseconds)
{
	pr_text_addf(&out->text, "  (%.1f us)\n", (double)nanoseconds / 1000);
}

static void begin(struct explain_out *out, struct pr_str address)
{
	add(out, address);
	pr_text_add_byte(&out->text, '\n');
}

static void add_refusal(struct explain_out *out, uint32_t code, struct pr_str enhanced, struct pr_str text)
{
	pr_text_addf(&out->text, "%u ", code);
	add(out, enhanced);
	pr_text_add_byte(&out->text, ' ');
	add(out, text);
}

static void show_verdict(struct explain_out *out, const char *check, const struct pr_verdict *verdict)
{
	pr_text_addf(&out->text, "  %s: ", check);
	if (verdict->action == PR_REJECT || verdict->action == PR_DEFER)
		add_refusal(out, verdict->code, verdict->enhanced, verdict->text);
	else if (verdict->action == PR_DISCARD)
		pr_text_add_c(&out->text, "discarded");
	else if (verdict->action == PR_QUARANTINE) {
		pr_text_add_c(&out->text, "quarantined: ");
		add(out, verdict->text);
	} else
		pr_text_add_c(&out->text, "accepted");
	pr_text_add_byte(&out->text, '\n');
}

static void show_set(struct explain_out *out, const struct pr_step *step)
{
	add(out, step->name);
	pr_text_add_c(&out->text, ": ");
	add_quoted(out, step->before);
	pr_text_add_byte(&out->text, '\n');
}

static void show_rule(struct explain_out *out, const struct pr_step *step)
{
	add(out, step->file.len > 0 ? step->file : step->name);
	if (step->file.len > 0)
		pr_text_addf(&out->text, ":%u", step->line);
	pr_text_add_c(&out->text, "  ");
	add_quoted(out, step->before);
	pr_text_add_c(&out->text, " -> ");
	add_quoted(out, step->after);
	pr_text_add_byte(&out->text, '\n');
}

static void add_answer(struct explain_out *out, uint32_t status, struct pr_str answer)
{
	pr_text_add_c(&out->text, ": ");
	if (status == PR_OK && answer.data != NULL) {
		add_quoted(out, answer);
		return;
	}
	if (status == PR_OK || status == PR_NOTFOUND) {
		pr_text_add_c(&out->text, status == PR_OK ? "found" : "no answer");
		return;
	}
	pr_text_add_c(&out->text, "could not look");
	if (answer.len > 0) {
		pr_text_add_c(&out->text, ": ");
		add(out, answer);
	}
}

static void show_map(struct explain_out *out, const struct pr_step *step)
{
	pr_text_add_c(&out->text, "map ");
	add(out, step->name);
	pr_text_add_byte(&out->text, ' ');
	add_quoted(out, step->before);
	add_answer(out, step->status, step->status == PR_OK ? step->after : explain_why(step->name, step->after));
	add_time(out, step->nanoseconds);
}

static void show_end(struct explain_out *out, const struct pr_step *step)
{
	add(out, step->name);
	pr_text_add_c(&out->text, " gives ");
	add_quoted(out, step->after);
	add_time(out, step->nanoseconds);
}

static void show_route(struct explain_out *out, struct pr_str address, const struct pr_step *steps, size_t count, bool cut)
{
	static void (*const shown[])(struct explain_out *, const struct pr_step *) = {
	    [PR_STEP_SET] = show_set, [PR_STEP_RULE] = show_rule, [PR_STEP_MAP] = show_map, [PR_STEP_END] = show_end};

	pr_text_add_c(&out->text, "  rules for ");
	add_quoted(out, address);
	pr_text_add_byte(&out->text, '\n');
	for (size_t i = 0; i < count; i++) {
		if (steps[i].kind >= sizeof shown / sizeof shown[0] || shown[steps[i].kind] == NULL)
			continue; /* of a later engine */
		add_indent(out, steps[i].depth + 1);
		shown[steps[i].kind](out, &steps[i]);
		explain_flush(out, false);
	}
	if (cut)
		pr_text_addf(&out->text, "    ... (%zu steps are shown, there were more)\n", count);
}

static void add_way(struct explain_out *out, struct pr_str mailer, struct pr_str host, struct pr_str user)
{
	pr_text_add_c(&out->text, "mailer ");
	add(out, mailer);
	if (host.len > 0) {
		pr_text_add_c(&out->text, ", host ");
		add(out, host);
	}
	pr_text_add_c(&out->text, ", user ");
	add(out, user);
}

static void show_routed(struct explain_out *out, enum pr_status status, const struct pr_route *route)
{
	pr_text_add_c(&out->text, "  rules say ");
	if (status == PR_OK)
		add_way(out, route->mailer, route->host, route->user);
	else
		add_refusal(out, route->code, route->enhanced, route->text);
	pr_text_add_byte(&out->text, '\n');
}

static void show_lookup(struct explain_out *out, const struct explain_lookup *lookup)
{
	pr_text_addf(&out->text, "  %s ", strcmp(lookup->kind, "map") == 0 ? "alias map" : lookup->kind);
	if (lookup->name.len > 0) {
		add(out, lookup->name);
		pr_text_add_byte(&out->text, ' ');
	}
	add_quoted(out, lookup->key);
	add_answer(out, lookup->status, lookup->answer);
	add_time(out, lookup->nanoseconds);
	explain_flush(out, false);
}

static void add_bracketed(struct explain_out *out, const char *label, struct pr_str address)
{
	pr_text_add_c(&out->text, label);
	pr_text_add_byte(&out->text, '<');
	add(out, address);
	pr_text_add_byte(&out->text, '>');
}

static void show_recipient(struct explain_out *out, const struct explain_end *end)
{
	add_way(out, end->mailer, end->host, end->user);
	if (end->owner.len > 0) {
		pr_text_add_c(&out->text, ", as ");
		add(out, end->owner);
	}
	if (end->no_mailer)
		pr_text_add_c(&out->text, " (there is no such mailer: its mail would wait)");
	add_bracketed(out, "\n     envelope from ", end->sender);
	add_bracketed(out, " to ", end->recipient);
}

static void end_shown(struct explain_out *out, const struct explain_end *end)
{
	pr_text_add_c(&out->text, "  => ");
	add(out, end->address);
	pr_text_add_c(&out->text, ": ");
	if (end->code != 0)
		add_refusal(out, end->code, end->enhanced, end->text);
	else
		show_recipient(out, end);
	if (end->reason.len > 0) {
		pr_text_add_c(&out->text, "\n     because of ");
		add(out, end->reason);
	}
	pr_text_add_byte(&out->text, '\n');
	explain_flush(out, false);
}

static void finish(struct explain_out *out)
{
	explain_flush(out, true);
}

const struct explain_form explain_human = {.begin = begin, .verdict = show_verdict, .route = show_route, .routed = show_routed,
    .lookup = show_lookup, .end = end_shown, .finish = finish};
