/* SPDX-License-Identifier: BSD-2-Clause
 *
 * While the engine writes its templates it may ask for the macros of the header that is being made: $i and $u are of this part of the
 * message, which the session does not know.
 */
#include "kernel/session/templates.h"

#include <string.h>

struct facts_context {
	const struct header_facts *facts;
	struct pr_arena *arena;
	const struct module_scope *outer;
};

static struct pr_str sender(const struct facts_context *context)
{
	return context->facts->sender;
}

static struct pr_str id(const struct facts_context *context)
{
	return context->facts->id;
}

static struct pr_str helo(const struct facts_context *context)
{
	return context->facts->helo;
}

static struct pr_str client(const struct facts_context *context)
{
	return context->facts->client;
}

static struct pr_str protocol(const struct facts_context *context)
{
	return context->facts->protocol;
}

static struct pr_str only_recipient(const struct facts_context *context)
{
	struct pr_str address = context->facts->only_recipient;

	if (address.len == 0 || address.data[0] == '<')
		return address;
	return pr_arena_printf(context->arena, "<%.*s>", PR_PRINT(address));
}

static struct pr_str full_name(const struct facts_context *context)
{
	return context->facts->full_name;
}

static struct pr_str date(const struct facts_context *context)
{
	return mail_date(context->arena, context->facts->now, context->facts->zone);
}

static struct pr_str ctime_date(const struct facts_context *context)
{
	return mail_ctime(context->arena, context->facts->now, context->facts->zone);
}

static struct pr_str digits(const struct facts_context *context)
{
	struct mail_time time = mail_time_split(context->facts->now, 0);

	return pr_arena_printf(context->arena, "%04u%02u%02u%02u%02u", time.year, time.month + 1, time.day, time.hour, time.minute);
}

static const struct {
	char name;
	struct pr_str (*value)(const struct facts_context *context);
} macros[] = {
    {'_', client}, {'a', date}, {'b', date}, {'d', ctime_date}, {'f', sender}, {'g', sender}, {'i', id}, {'r', protocol},
    {'s', helo}, {'t', digits}, {'u', only_recipient}, {'x', full_name},
};

static struct pr_str macro(void *opaque, struct pr_str name)
{
	const struct facts_context *context = opaque;

	for (size_t i = 0; name.len == 1 && i < sizeof macros / sizeof macros[0]; i++)
		if (macros[i].name == name.data[0])
			return macros[i].value(context);
	return context->outer->macro == NULL ? PR_NONE : context->outer->macro(context->outer->macro_context, name);
}

/* Values are kept as fields keep them: a blank behind the colon, no line end that would begin another field. */
static struct pr_str kept_value(struct pr_arena *arena, struct pr_str value)
{
	char *copy = pr_arena_alloc(arena, value.len + 2);

	if (copy == NULL)
		return PR_NONE;
	copy[0] = ' ';
	for (size_t i = 0; i < value.len; i++) {
		bool folds = value.data[i] == '\n' && i + 1 < value.len && (value.data[i + 1] == ' ' || value.data[i + 1] == '\t');
		unsigned char byte = (unsigned char)value.data[i];
		copy[i + 1] = folds || byte == '\t' || (byte >= 0x20 && byte < 0x7f) ? value.data[i] : '?';
	}
	return (struct pr_str){copy, value.len + 1};
}

bool templates_fill(struct module_scope *scope, struct pr_arena *arena, struct header_facts *facts)
{
	struct facts_context context = {.facts = facts, .arena = scope->arena, .outer = scope};
	struct module_scope inner = *scope;
	const struct pr_header *headers = NULL;
	size_t count = 0;

	inner.macro = macro;
	inner.macro_context = &context;
	enum pr_status status = rules_headers(&inner, &headers, &count);
	scope->reason = inner.reason;
	if (status != PR_OK || headers == NULL)
		return status == PR_OK || status == PR_NOTFOUND;
	struct pr_header *kept = pr_arena_alloc(arena, (count + 1) * sizeof *kept);
	for (size_t i = 0; kept != NULL && i < count; i++) {
		kept[i] = (struct pr_header){pr_arena_copy(arena, headers[i].name), kept_value(arena, headers[i].value),
		    pr_arena_copy(arena, headers[i].condition.data == NULL ? PR_STR("") : headers[i].condition)};
		if (kept[i].name.data == NULL || kept[i].value.data == NULL || kept[i].condition.data == NULL)
			return false;
	}
	facts->templates = kept;
	facts->template_count = count;
	return kept != NULL;
}
