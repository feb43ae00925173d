/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header as it leaves here: our Received in front, what the message lacks behind it in the order of sendmail's
 * configuration, then the fields that came.  Added fields carry the mailer flag that asks for them (H?D?Date),
 * so that a mailer without that flag does not print them.
 */
#include "kernel/mail/header.h"

#include <string.h>

struct list {
	const struct header_facts *facts;
	const struct pr_header *fields; /* the input */
	size_t field_count;
	struct pr_arena *arena;
	struct pr_header *out;
	size_t count;
};

static const struct pr_header *find(const struct list *list, const char *name)
{
	for (size_t i = 0; i < list->field_count; i++)
		if (pr_str_equal_nocase(list->fields[i].name, pr_str(name)))
			return &list->fields[i];
	return NULL;
}

static void add(struct list *list, const char *name, struct pr_str value, const char *condition)
{
	list->out[list->count++] = (struct pr_header){pr_str(name), value, pr_str(condition)};
}

static struct pr_str visible(struct list *list, struct pr_str text, bool utf8)
{
	char *copy = pr_arena_alloc(list->arena, text.len + 1);

	if (copy == NULL)
		return PR_STR("");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		copy[i] = (byte >= 0x20 && byte < 0x7f) || (byte >= 0x80 && utf8) ? text.data[i] : '?';
	}
	return (struct pr_str){copy, text.len};
}

/* What others told us about themselves must not make header lines: controls and 8-bit bytes become '?'. */
static struct pr_str clean(struct list *list, struct pr_str text)
{
	return visible(list, text, false);
}


static struct pr_str bracketed(struct list *list, struct pr_str address)
{
	struct pr_str inner = clean(list, pr_str_trim(address));

	if (inner.len > 0 && inner.data[0] == '<')
		return inner;
	return pr_arena_printf(list->arena, "<%.*s>", PR_PRINT(inner));
}

static struct pr_str received(struct list *list)
{
	const struct header_facts *facts = list->facts;
	struct pr_str helo = clean(list, facts->helo), client = clean(list, facts->client);
	struct pr_str date = mail_date(list->arena, facts->now, facts->zone);
	struct pr_str from = PR_STR(""), with = PR_STR(""), to = PR_STR("");

	if (facts->helo.len > 0 && facts->client.len > 0)
		from = pr_arena_printf(list->arena, " from %.*s (%.*s)\n\tby", PR_PRINT(helo), PR_PRINT(client));
	else if (facts->helo.len > 0)
		from = pr_arena_printf(list->arena, " from %.*s\n\tby", PR_PRINT(helo));
	else if (facts->client.len > 0)
		from = pr_arena_printf(list->arena, " (from %.*s)\n\tby", PR_PRINT(client));
	else
		from = PR_STR(" by");
	if (facts->authenticated.len > 0)
		from = pr_arena_printf(list->arena, "%.*s(%.*s)\n\tby", (int)(from.len - 2), from.data, PR_PRINT(facts->authenticated));
	if (facts->protocol.len > 0)
		with = pr_arena_printf(list->arena, " with %.*s", PR_PRINT(facts->protocol));
	if (facts->secured.len > 0) /* sendmail's form of it; RFC 8314 section 4.3 asks that it be told */
		to = pr_arena_printf(list->arena, "\n\t(%.*s)", PR_PRINT(facts->secured));
	if (facts->only_recipient.len > 0) {
		struct pr_str recipient = bracketed(list, facts->only_recipient);
		to = pr_arena_printf(list->arena, "%.*s\n\tfor %.*s", PR_PRINT(to), PR_PRINT(recipient));
	}
	return pr_arena_printf(list->arena, "%.*s %.*s (postrider %.*s)%.*s id %.*s%.*s;%s%.*s", PR_PRINT(from),
	    PR_PRINT(facts->host_name), PR_PRINT(facts->version), PR_PRINT(with), PR_PRINT(facts->id), PR_PRINT(to),
	    facts->only_recipient.len > 0 ? " " : "\n\t", PR_PRINT(date));
}

/* A name that is no plain phrase (RFC 5322 section 3.2.5) goes into quotes. */
static struct pr_str phrase(struct list *list, struct pr_str name)
{
	bool plain = true;

	for (size_t i = 0; i < name.len; i++)
		if (strchr("()<>@,;:\\\".[]", name.data[i]) != NULL)
			plain = false;
	if (plain || (name.len >= 2 && name.data[0] == '"' && name.data[name.len - 1] == '"'))
		return name;
	char *quoted = pr_arena_alloc(list->arena, 2 * name.len + 3);
	size_t len = 0;
	if (quoted == NULL)
		return PR_STR("");
	quoted[len++] = '"';
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == '"' || name.data[i] == '\\')
			quoted[len++] = '\\';
		quoted[len++] = name.data[i];
	}
	quoted[len++] = '"';
	return (struct pr_str){quoted, len};
}

static struct pr_str from_value(struct list *list)
{
	const struct header_facts *facts = list->facts;
	const struct pr_header *given = find(list, "Full-Name");
	/* the field is what the author said (sendmail -F), the fact only what the account is called */
	bool said = given != NULL && pr_str_trim(given->value).len > 0;
	struct pr_str name = said ? given->value : facts->full_name.len > 0 ? facts->full_name : PR_STR("");
	struct pr_str sender = visible(list, facts->sender, facts->utf8 != 0 && pr_utf8_is_valid(facts->sender));

	if (sender.len == 0) /* a bounce without a header of its own */
		sender = pr_arena_printf(list->arena, "MAILER-DAEMON@%.*s", PR_PRINT(facts->host_name));
	name = phrase(list, clean(list, pr_str_trim(name)));
	if (name.len == 0)
		return pr_arena_printf(list->arena, " %.*s", PR_PRINT(sender));
	return pr_arena_printf(list->arena, " %.*s <%.*s>", PR_PRINT(name), PR_PRINT(sender));
}

static struct pr_str message_id(struct list *list)
{
	const struct header_facts *facts = list->facts;
	struct mail_time time = mail_time_split(facts->now, 0);

	return pr_arena_printf(list->arena, " <%04u%02u%02u%02u%02u.%.*s@%.*s>", time.year, time.month + 1, time.day, time.hour,
	    time.minute, PR_PRINT(facts->id), PR_PRINT(facts->host_name));
}

static struct pr_str date_value(struct list *list)
{
	struct pr_str date = mail_date(list->arena, list->facts->now, list->facts->zone);

	return pr_arena_printf(list->arena, " %.*s", PR_PRINT(date));
}

static bool is_empty(const struct pr_header *field)
{
	return pr_str_trim(field->value).len == 0;
}

/* A field without a value is none. */
static bool lacks(const struct list *list, struct pr_str name)
{
	for (size_t i = 0; i < list->field_count; i++)
		if (pr_str_equal_nocase(list->fields[i].name, name) && !is_empty(&list->fields[i]))
			return false;
	return true;
}

static void add_if_missing(struct list *list, const char *name, const char *condition, bool resent,
    struct pr_str (*value)(struct list *))
{
	struct pr_str resent_name = pr_arena_printf(list->arena, "Resent-%s", name);

	if (resent && resent_name.data != NULL && lacks(list, resent_name))
		add(list, resent_name.data, value(list), condition);
	if (lacks(list, pr_str(name)))
		add(list, name, value(list), condition);
}

static bool is_resent(const struct list *list)
{
	for (size_t i = 0; i < list->field_count; i++)
		if (pr_str_has_prefix_nocase(list->fields[i].name, PR_STR("Resent-")))
			return true;
	return false;
}

static void add_missing(struct list *list)
{
	bool resent = is_resent(list);

	add_if_missing(list, "Date", "D", resent, date_value);
	add_if_missing(list, "From", "F", resent, from_value);
	add_if_missing(list, "Message-Id", "M", resent, message_id);
}

/* Every message that passes is marked, whatever it has already. */
static bool is_trace(struct pr_str name)
{
	return pr_str_equal_nocase(name, PR_STR("Received"));
}

/* The Return-Path has its value from the mailer, and here its place, where that is not the first. */
static void add_return_path(struct list *list, size_t place)
{
	if (place > 0)
		list->out[list->count++] = (struct pr_header){PR_STR("Return-Path"), PR_STR(MAIL_RETURN_PATH), PR_STR("P")};
}

static void add_templates(struct list *list)
{
	const struct header_facts *facts = list->facts;
	bool resent = is_resent(list);

	for (size_t i = 0; i < facts->template_count; i++) {
		const struct pr_header *template = &facts->templates[i];
		struct pr_str name = pr_arena_copy(list->arena, template->name);
		bool twin = pr_str_has_prefix_nocase(template->name, PR_STR("Resent-"));
		if (name.data == NULL || pr_str_equal_nocase(name, PR_STR("Full-Name")) || (twin && !resent))
			continue;
		if (pr_str_equal_nocase(name, PR_STR("Return-Path"))) {
			add_return_path(list, i);
			continue;
		}
		if (is_empty(template))
			continue;
		if (is_trace(name) || (facts->add_missing && lacks(list, name)))
			list->out[list->count++] = *template;
	}
}

static bool is_bcc(const struct pr_header *field)
{
	return pr_str_equal_nocase(field->name, PR_STR("Bcc")) || pr_str_equal_nocase(field->name, PR_STR("Resent-Bcc"));
}

/* Fields that are made where they are missing: an empty one counts as that. */
static bool is_made(const struct list *list, struct pr_str name)
{
	static const char *const names[] = {"Date", "From", "Message-Id", "Resent-Date", "Resent-From", "Resent-Message-Id"};
	const struct header_facts *facts = list->facts;

	if (facts->add_missing == 0 || is_trace(name))
		return false;
	for (size_t i = 0; i < facts->template_count; i++)
		if (pr_str_equal_nocase(facts->templates[i].name, name))
			return true;
	for (size_t i = 0; facts->template_count == 0 && i < sizeof names / sizeof names[0]; i++)
		if (pr_str_equal_nocase(pr_str(names[i]), name))
			return true;
	return false;
}

/* Not passed on: what we ask for ourselves, what was counted elsewhere, and what is made anew. */
static bool is_dropped(const struct list *list, const struct pr_header *field)
{
	return pr_str_equal_nocase(field->name, PR_STR("Full-Name")) || pr_str_equal_nocase(field->name, PR_STR("Return-Path")) ||
	       pr_str_equal_nocase(field->name, PR_STR("Content-Length")) || (is_empty(field) && is_made(list, field->name));
}

static void add_given(struct list *list)
{
	bool others = false;

	for (size_t i = 0; i < list->field_count; i++)
		others = others || (header_is_recipient(list->fields[i].name) && !is_bcc(&list->fields[i]));
	for (size_t i = 0; i < list->field_count; i++) {
		const struct pr_header *field = &list->fields[i];
		if (is_dropped(list, field))
			continue;
		if (!is_bcc(field)) {
			list->out[list->count++] = *field;
		} else if (!others) {
			/* a message must name its recipients somehow, but not these; one empty field says so */
			list->out[list->count++] = (struct pr_header){field->name, PR_STR(""), PR_STR("")};
			others = true;
		}
	}
}

/* Resent-To and the like do not count. */
static bool names_nobody(const struct list *list)
{
	static const char *const names[] = {"To", "Cc", "Bcc", "Apparently-To"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (find(list, names[i]) != NULL)
			return false;
	return true;
}

enum pr_status header_complete(const struct header_facts *facts, const struct pr_header *fields, size_t count,
    struct pr_arena *arena, struct pr_header **fields_out, size_t *count_out)
{
	const size_t most_added = 7; /* Received, and three with their Resent- twins */
	struct list list = {.facts = facts, .fields = fields, .field_count = count, .arena = arena};

	list.out = pr_arena_alloc(arena, (count + most_added + facts->template_count + facts->last_count) * sizeof *list.out);
	if (list.out == NULL)
		return PR_TEMPFAIL;
	if (facts->templates != NULL) {
		add_templates(&list);
	} else {
		add(&list, "Received", received(&list), "");
		if (facts->add_missing)
			add_missing(&list);
	}
	add_given(&list);
	size_t last = facts->last_count > 0 && names_nobody(&list) ? facts->last_count : 0;
	for (size_t i = 0; i < last; i++)
		list.out[list.count++] = facts->last[i];
	for (size_t i = 0; i < list.count; i++)
		if (list.out[i].name.data == NULL || list.out[i].value.data == NULL)
			return PR_TEMPFAIL; /* the arena is full */
	*fields_out = list.out;
	*count_out = list.count;
	return PR_OK;
}
