/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The explanation for programs: one object a line, {"address", "verdicts": [], "steps": [], "recipients": []}, written as it comes.
 * A thing that belongs into a later array closes those before it, so the order is always the same and nothing is gathered.
 */
#include "kernel/command/explain.h"

#include "kernel/command/json.h"

#include <string.h>

enum section { SECTION_NONE = 0, SECTION_VERDICTS, SECTION_STEPS, SECTION_RECIPIENTS, SECTION_COUNT };

static const char *const names[] = {"", "verdicts", "steps", "recipients"};

static void open_section(struct explain_out *out, int section)
{
	while (out->section < section) {
		pr_text_addf(&out->text, "%s,\"%s\":[", out->section == SECTION_NONE ? "" : "]", names[out->section + 1]);
		out->section++;
		out->has_member = false;
	}
}

/* The next member of that array. */
static void open_member(struct explain_out *out, int section)
{
	open_section(out, section);
	if (out->has_member)
		pr_text_add_byte(&out->text, ',');
	out->has_member = true;
}

static void add(struct explain_out *out, const char *key, struct pr_str value)
{
	pr_text_addf(&out->text, ",\"%s\":", key);
	if (value.data == NULL)
		pr_text_add_c(&out->text, "null");
	else
		json_add(&out->text, value);
}

static void add_number(struct explain_out *out, const char *key, uint32_t number)
{
	pr_text_addf(&out->text, ",\"%s\":%u", key, number);
}

static void add_time(struct explain_out *out, int64_t nanoseconds)
{
	pr_text_addf(&out->text, ",\"microseconds\":%lld.%03d", (long long)nanoseconds / 1000, (int)(nanoseconds % 1000));
}

static void close_member(struct explain_out *out)
{
	pr_text_add_byte(&out->text, '}');
	explain_flush(out, false);
}

static void begin(struct explain_out *out, struct pr_str address)
{
	out->section = SECTION_NONE;
	pr_text_add_c(&out->text, "{\"address\":");
	json_add(&out->text, address);
}

static void add_refusal(struct explain_out *out, uint32_t code, struct pr_str enhanced, struct pr_str text)
{
	add_number(out, "code", code);
	add(out, "enhanced", enhanced);
	add(out, "text", text);
}

static void tell_verdict(struct explain_out *out, const char *check, const struct pr_verdict *verdict)
{
	static const char *const actions[] = {[PR_CONTINUE] = "accept", [PR_ACCEPT] = "accept", [PR_REJECT] = "reject", [PR_DEFER] = "defer",
	    [PR_DISCARD] = "discard", [PR_QUARANTINE] = "quarantine"};

	open_member(out, SECTION_VERDICTS);
	pr_text_addf(&out->text, "{\"check\":\"%s\",\"action\":\"%s\"", check, actions[verdict->action <= PR_QUARANTINE ? verdict->action : 0]);
	if (verdict->action == PR_REJECT || verdict->action == PR_DEFER)
		add_refusal(out, verdict->code, verdict->enhanced, verdict->text);
	else if (verdict->action == PR_QUARANTINE)
		add(out, "text", verdict->text);
	close_member(out);
}

/* "answer", or "why" there is none. */
static void add_answer(struct explain_out *out, uint32_t status, struct pr_str answer)
{
	bool looked = status == PR_OK || status == PR_NOTFOUND;

	pr_text_addf(&out->text, ",\"status\":\"%s\"", status == PR_OK ? "found" : looked ? "none" : "failed");
	if (looked)
		add(out, "answer", status == PR_OK ? answer : PR_NONE);
	else
		add(out, "why", answer);
}

static void tell_step(struct explain_out *out, const struct pr_step *step)
{
	static const char *const kinds[] = {[PR_STEP_SET] = "set", [PR_STEP_RULE] = "rule", [PR_STEP_MAP] = "map", [PR_STEP_END] = "end"};

	if (step->kind < PR_STEP_SET || step->kind > PR_STEP_END)
		return; /* of a later engine */
	open_member(out, SECTION_STEPS);
	pr_text_addf(&out->text, "{\"kind\":\"%s\",\"depth\":%u", kinds[step->kind], step->depth);
	add(out, "name", step->name);
	if (step->kind == PR_STEP_RULE && step->file.len > 0) {
		add(out, "file", step->file);
		add_number(out, "line", step->line);
	}
	if (step->kind != PR_STEP_END)
		add(out, step->kind == PR_STEP_MAP ? "key" : "before", step->before);
	if (step->kind == PR_STEP_MAP)
		add_answer(out, step->status, step->status == PR_OK ? step->after : explain_why(step->name, step->after));
	else if (step->kind != PR_STEP_SET)
		add(out, "after", step->after);
	if (step->kind == PR_STEP_MAP || step->kind == PR_STEP_END)
		add_time(out, step->nanoseconds);
	close_member(out);
}

static void tell_route(struct explain_out *out, struct pr_str address, const struct pr_step *steps, size_t count, bool cut)
{
	open_member(out, SECTION_STEPS);
	pr_text_add_c(&out->text, "{\"kind\":\"rules\"");
	add(out, "address", address);
	pr_text_addf(&out->text, ",\"cut\":%s", cut ? "true" : "false");
	close_member(out);
	for (size_t i = 0; i < count; i++)
		tell_step(out, &steps[i]);
}

static void add_way(struct explain_out *out, struct pr_str mailer, struct pr_str host, struct pr_str user)
{
	add(out, "mailer", mailer);
	add(out, "host", host.data != NULL ? host : PR_STR(""));
	add(out, "user", user);
}

static void tell_routed(struct explain_out *out, enum pr_status status, const struct pr_route *route)
{
	open_member(out, SECTION_STEPS);
	pr_text_add_c(&out->text, "{\"kind\":\"route\"");
	if (status == PR_OK)
		add_way(out, route->mailer, route->host, route->user);
	else
		add_refusal(out, route->code, route->enhanced, route->text);
	close_member(out);
}

static void tell_lookup(struct explain_out *out, const struct explain_lookup *lookup)
{
	open_member(out, SECTION_STEPS);
	pr_text_addf(&out->text, "{\"kind\":\"%s\"", strcmp(lookup->kind, "map") == 0 ? "alias" : lookup->kind);
	if (lookup->name.len > 0)
		add(out, "name", lookup->name);
	add(out, "key", lookup->key);
	add_answer(out, lookup->status, lookup->answer);
	add_time(out, lookup->nanoseconds);
	close_member(out);
}

static void tell_recipient(struct explain_out *out, const struct explain_end *end)
{
	add_way(out, end->mailer, end->host, end->user);
	if (end->owner.len > 0)
		add(out, "owner", end->owner);
	pr_text_addf(&out->text, ",\"configured\":%s", end->no_mailer ? "false" : "true");
	add(out, "envelope_sender", end->sender.data != NULL ? end->sender : PR_STR(""));
	add(out, "envelope_recipient", end->recipient);
}

static void tell_end(struct explain_out *out, const struct explain_end *end)
{
	open_member(out, SECTION_RECIPIENTS);
	pr_text_add_c(&out->text, "{\"address\":");
	json_add(&out->text, end->address);
	if (end->alias.len > 0)
		add(out, "alias", end->alias);
	if (end->code != 0)
		add_refusal(out, end->code, end->enhanced, end->text);
	else
		tell_recipient(out, end);
	if (end->reason.len > 0)
		add(out, "reason", end->reason);
	close_member(out);
}

static void finish(struct explain_out *out)
{
	open_section(out, SECTION_COUNT - 1);
	pr_text_add_c(&out->text, "]}\n");
	explain_flush(out, true);
}

const struct explain_form explain_json = {.begin = begin, .verdict = tell_verdict, .route = tell_route, .routed = tell_routed,
    .lookup = tell_lookup, .end = tell_end, .finish = finish};
