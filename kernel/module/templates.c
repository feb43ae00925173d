/* SPDX-License-Identifier: BSD-2-Clause
 *
 * While the engine writes its templates it may ask for the macros of the header that is being made: $i and $u are of this part of the
 * message, which the session does not know.
 */
#include "kernel/module/templates.h"

#include <string.h>

#define EXPANDED_MAX (128u << 10)

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

/* Values are kept as fields keep them: a blank behind the colon, no line end that would begin another field; UTF-8 of the sender's address in mail
 * that may have it, but not in a trace field, where it would be the client's own words. */
static struct pr_str kept_value(struct pr_arena *arena, const struct pr_header *field, bool utf8)
{
	struct pr_str value = field->value;
	bool wide = utf8 && !pr_str_equal_nocase(field->name, PR_STR("Received")) && pr_utf8_is_valid(value);
	char *copy = pr_arena_alloc(arena, value.len + 2);

	if (copy == NULL)
		return PR_NONE;
	copy[0] = ' ';
	for (size_t i = 0; i < value.len; i++) {
		bool folds = value.data[i] == '\n' && i + 1 < value.len && (value.data[i + 1] == ' ' || value.data[i + 1] == '\t');
		unsigned char byte = (unsigned char)value.data[i];
		copy[i + 1] = folds || byte == '\t' || (byte >= 0x20 && byte < 0x7f) || (byte >= 0x80 && wide) ? value.data[i] : '?';
	}
	return (struct pr_str){copy, value.len + 1};
}

static struct module_scope scope_of(const struct module_scope *scope, const struct header_facts *facts, struct facts_context *context)
{
	struct module_scope inner = *scope;

	*context = (struct facts_context){.facts = facts, .arena = scope->arena, .outer = scope};
	inner.macro = macro;
	inner.macro_context = context;
	return inner;
}

static struct pr_str plain_macro(struct facts_context *context, struct pr_str name)
{
	if (pr_str_equal(name, PR_STR("j")))
		return context->facts->host_name;
	return pr_str_equal(name, PR_STR("v")) ? context->facts->version : macro(context, name);
}

/* Behind a $: what it names, and how long that is; $$ is a $. */
static struct pr_str macro_at(struct facts_context *context, struct pr_str rest, size_t *length_out)
{
	size_t end = pr_str_find(rest, '}');

	*length_out = 1;
	if (rest.data[0] == '$')
		return PR_STR("$");
	if (rest.data[0] != '{' || end == rest.len)
		return plain_macro(context, pr_str_slice(rest, 0, 1));
	*length_out = end + 1;
	return plain_macro(context, pr_str_slice(rest, 1, end));
}

static enum pr_status expand_plainly(struct facts_context *context, struct pr_str text, struct pr_str *text_out)
{
	struct pr_text out;

	pr_text_init(&out, EXPANDED_MAX);
	for (size_t i = 0, length = 1; i < text.len; i += length) {
		length = 1;
		if (text.data[i] != '$' || i + 1 == text.len) {
			pr_text_add_byte(&out, text.data[i]);
			continue;
		}
		pr_text_add_str(&out, macro_at(context, pr_str_slice(text, i + 1, text.len), &length));
		length++;
	}
	*text_out = out.overflow ? PR_NONE : pr_arena_copy(context->arena, pr_text_str(&out));
	pr_text_fini(&out);
	return text_out->data == NULL ? PR_TEMPFAIL : PR_OK;
}

enum pr_status templates_expand(struct module_scope *scope, const struct header_facts *facts, struct pr_str text, struct pr_str *text_out)
{
	struct facts_context context;
	struct module_scope inner = scope_of(scope, facts, &context);
	struct pr_str expanded = PR_NONE;
	enum pr_status status = rules_expand(&inner, text, &expanded);

	scope->reason = inner.reason;
	if (status == PR_NOTFOUND)
		status = expand_plainly(&context, text, &expanded);
	if (status == PR_OK)
		*text_out = expanded;
	return status;
}

bool templates_fill(struct module_scope *scope, struct pr_arena *arena, struct header_facts *facts)
{
	struct facts_context context;
	struct module_scope inner = scope_of(scope, facts, &context);
	const struct pr_header *headers = NULL;
	size_t count = 0;

	enum pr_status status = rules_headers(&inner, &headers, &count);
	scope->reason = inner.reason;
	if (status != PR_OK || headers == NULL)
		return status == PR_OK || status == PR_NOTFOUND;
	struct pr_header *kept = pr_arena_alloc(arena, (count + 1) * sizeof *kept);
	for (size_t i = 0; kept != NULL && i < count; i++) {
		kept[i] = (struct pr_header){pr_arena_copy(arena, headers[i].name), kept_value(arena, &headers[i], facts->utf8 != 0),
		    pr_arena_copy(arena, headers[i].condition.data == NULL ? PR_STR("") : headers[i].condition)};
		if (kept[i].name.data == NULL || kept[i].value.data == NULL || kept[i].condition.data == NULL)
			return false;
	}
	facts->templates = kept;
	facts->template_count = count;
	return kept != NULL;
}
