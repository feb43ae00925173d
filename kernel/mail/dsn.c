/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A delivery status notification from its three parts, with the envelope and header that carry it.
 * The body is written as it is composed, so a returned message of any size costs one buffer; everything that came from
 * outside passes dsn_clean(), for a reply or an address must not become a line, a field or a part of ours.
 *
 * A message from <> never gets one (RFC 3461 section 4.4, RFC 5321 section 4.5.5): PR_MISUSE, unless it is
 * a DSN_POSTMASTER, whose recipient is the local postmaster and not the sender.
 */
#include "kernel/mail/dsn_internal.h"

#include "kernel/mail/header.h"
#include <postrider/address.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void dsn_put(struct dsn *dsn, const void *data, size_t len)
{
	if (dsn->status == PR_OK && len > 0)
		dsn->status = dsn->write(dsn->write_context, data, len);
	dsn->bytes += (int64_t)len;
}

void dsn_putf(struct dsn *dsn, const char *format, ...)
{
	va_list args;

	pr_text_clear(&dsn->line);
	va_start(args, format);
	pr_text_addv(&dsn->line, format, args);
	va_end(args);
	dsn_put(dsn, dsn->line.data, dsn->line.len);
}

void dsn_field(struct dsn *dsn, const char *name, struct pr_str value)
{
	if (value.data != NULL)
		dsn_putf(dsn, "%s: %.*s\n", name, PR_PRINT(dsn_clean(dsn->arena, value, DSN_LINE_MAX)));
}

struct pr_str dsn_clean(struct pr_arena *arena, struct pr_str text, size_t max)
{
	struct pr_str copy = pr_arena_copy(arena, pr_str_slice(pr_str_trim(text), 0, max));
	char *bytes = (char *)(uintptr_t)copy.data;

	if (bytes == NULL)
		return PR_STR("");
	for (size_t i = 0; i < copy.len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\t')
			bytes[i] = ' ';
		else if (c < ' ' || c >= 0x7f) /* the parts that quote it are declared as 7-bit */
			bytes[i] = '?';
	}
	return copy;
}

bool dsn_is_utf8(const struct dsn *dsn)
{
	return (dsn->original->flags & PR_ENVELOPE_UTF8) != 0;
}

struct pr_str dsn_clean_address(const struct dsn *dsn, struct pr_str text)
{
	struct pr_str trimmed = pr_str_trim(text);

	if (!dsn_is_utf8(dsn) || trimmed.len > DSN_LINE_MAX || pr_str_is_ascii(trimmed) || !pr_utf8_is_valid(trimmed))
		return dsn_clean(dsn->arena, text, DSN_LINE_MAX);
	struct pr_str copy = pr_arena_copy(dsn->arena, trimmed);
	char *bytes = (char *)(uintptr_t)copy.data;
	for (size_t i = 0; bytes != NULL && i < copy.len; i++)
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
			bytes[i] = '?';
	return bytes != NULL ? copy : PR_STR("");
}

struct pr_str dsn_interval(struct pr_arena *arena, int64_t seconds)
{
	static const struct {
		int64_t length;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	struct pr_text text;
	struct pr_str result;

	pr_text_init(&text, 200);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		int64_t count = seconds / units[i].length;

		seconds %= units[i].length;
		if (count > 0)
			pr_text_addf(&text, "%s%" PRId64 " %s%s", text.len > 0 ? " " : "", count, units[i].name, count == 1 ? "" : "s");
	}
	if (text.len == 0)
		pr_text_add_c(&text, "0 seconds");
	result = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}

bool dsn_is_program(struct pr_str address)
{
	return address.len > 0 && (address.data[0] == '|' || address.data[0] == '/');
}

struct pr_str dsn_address(const struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_str clean = dsn_clean_address(dsn, dsn_is_program(r->address) ? r->address : pr_address_inner(r->address));

	if (dsn_is_program(r->address))
		return pr_arena_printf(dsn->arena, "\"%.*s\"", PR_PRINT(clean));
	return r->alias.len > 0 ? clean : pr_arena_printf(dsn->arena, "<%.*s>", PR_PRINT(clean));
}

bool dsn_headers_only(const struct dsn *dsn)
{
	/* RFC 3461 section 4.3: RET is about failures */
	return dsn->facts->kind == DSN_SUCCESS || dsn->facts->body_limit == 0 ||
	       (dsn->original->flags & PR_ENVELOPE_RET_HEADERS) != 0;
}

static const struct {
	const char *subject;
	const char *submitted;
} kinds[] = {
	[DSN_FAILURE] = { "Returned mail: see transcript for details", "failure" },
	[DSN_DELAY] = { "Warning: could not send message for past ", "warning-timeout" },
	[DSN_SUCCESS] = { "Return receipt", "return-receipt" },
	[DSN_POSTMASTER] = { "Postmaster notify: see transcript for details", "postmaster-notification" },
};

struct header_list {
	struct pr_arena *arena;
	struct pr_header *fields;
	size_t count;
};

#define MOST_FIELDS 11

static void add_field(struct header_list *list, struct pr_str name, struct pr_str value)
{
	list->fields[list->count++] = (struct pr_header){ name, value, PR_STR("") };
}

/* "<YYYYMMDDhhmm.ID@host>" of the date the header shows, as sendmail composes it */
static struct pr_str message_id(const struct dsn *dsn, struct pr_str date)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	unsigned day = 0, year = 0, hour = 0, minute = 0, number = 0;

	if (sscanf(date.data, "%*4s %u %3s %u %u:%u", &day, month, &year, &hour, &minute) == 5 && strstr(months, month) != NULL)
		number = (unsigned)(strstr(months, month) - months) / 3 + 1;
	return pr_arena_printf(dsn->arena, " <%04u%02u%02u%02u%02u.%.*s@%.*s>", year, number, day, hour, minute, PR_PRINT(dsn->facts->id),
	                       PR_PRINT(dsn->facts->host_name));
}

static void add_mime_fields(const struct dsn *dsn, struct header_list *list)
{
	add_field(list, PR_STR("MIME-Version"), PR_STR(" 1.0"));
	add_field(list, PR_STR("Content-Type"),
	          pr_arena_printf(dsn->arena, " multipart/report; report-type=delivery-status;\n\tboundary=\"%.*s\"", PR_PRINT(dsn->boundary)));
	if ((dsn->original->flags & PR_ENVELOPE_EIGHT_BIT) != 0 || dsn_is_utf8(dsn))
		add_field(list, PR_STR("Content-Transfer-Encoding"), PR_STR(" 8bit"));
}

static void add_fields(const struct dsn *dsn, struct header_list *list)
{
	const struct dsn_facts *f = dsn->facts;
	struct pr_arena *arena = dsn->arena;
	struct pr_str date = mail_date(arena, f->now, f->zone);
	struct pr_str past = f->kind == DSN_DELAY ? dsn_interval(arena, f->warn_after) : PR_STR("");
	struct pr_deliver_by by;
	bool late = f->kind == DSN_DELAY && f->late && pr_envelope_deliver_by(dsn->original, &by);

	add_field(list, PR_STR("Received"),
	          pr_arena_printf(arena, " from localhost (localhost)\n\tby %.*s (postrider) id %.*s;\n\t%.*s", PR_PRINT(f->host_name),
	                          PR_PRINT(f->id), PR_PRINT(date)));
	add_field(list, PR_STR("Date"), pr_arena_printf(arena, " %.*s", PR_PRINT(date)));
	add_field(list, PR_STR("From"), PR_STR(" Mail Delivery Subsystem <MAILER-DAEMON>"));
	add_field(list, PR_STR("Message-Id"), message_id(dsn, date));
	add_field(list, PR_STR("To"), pr_arena_printf(arena, " %.*s", PR_PRINT(dsn_clean_address(dsn, f->to))));
	if (!f->plain)
		add_mime_fields(dsn, list);
	if (late)
		add_field(list, PR_STR("Subject"), pr_arena_printf(arena, " Warning: Delivery time (%llds) exceeded", (long long)by.seconds));
	else
		add_field(list, PR_STR("Subject"), pr_arena_printf(arena, " %s%.*s", kinds[f->kind].subject, PR_PRINT(past)));
	add_field(list, PR_STR("Auto-Submitted"), pr_arena_printf(arena, " auto-generated (%s)", kinds[f->kind].submitted));
}

static struct pr_envelope *make_envelope(const struct dsn *dsn)
{
	const struct dsn_facts *f = dsn->facts;
	struct pr_arena *arena = dsn->arena;
	struct pr_envelope *e = pr_arena_alloc(arena, sizeof *e);
	struct header_list list = { arena, pr_arena_alloc(arena, MOST_FIELDS * sizeof *list.fields), 0 };
	struct pr_recipient *recipient = pr_arena_alloc(arena, sizeof *recipient);
	struct pr_macro *macro = pr_arena_alloc(arena, sizeof *macro);

	if (e == NULL || list.fields == NULL || recipient == NULL || macro == NULL)
		return NULL;
	add_fields(dsn, &list);
	recipient->address = dsn_clean_address(dsn, f->to);
	/* no NOTIFY: that a notice is reported to nobody lies in its sender, as everywhere */
	recipient->flags = PR_RECIPIENT_PRIMARY;
	*macro = (struct pr_macro){ PR_STR("_"), PR_STR("localhost") };
	*e = (struct pr_envelope){
		.size = sizeof *e, .id = pr_arena_copy(arena, f->id), .sender = PR_STR("<>"), .created = f->now, .priority = 30000,
		.flags = PR_ENVELOPE_RESPONSE | (f->plain ? 0 : dsn->original->flags & PR_ENVELOPE_EIGHT_BIT), .hops = 1, .headers = list.fields,
		.header_count = list.count, .recipients = recipient, .recipient_count = 1, .macros = macro, .macro_count = 1,
	};
	if (dsn_is_utf8(dsn)) /* its parts say so; the notice itself has UTF-8 in its header only when its recipient has */
		e->flags |= PR_ENVELOPE_EIGHT_BIT | (pr_str_is_ascii(f->to) ? 0 : PR_ENVELOPE_UTF8);
	if ((e->flags & PR_ENVELOPE_EIGHT_BIT) != 0)
		e->body_type = PR_STR("8BITMIME");
	for (size_t i = 0; i < list.count; i++)
		if (list.fields[i].value.data == NULL)
			return NULL;
	return recipient->address.data == NULL ? NULL : e;
}

static bool may_notify(const struct dsn_facts *facts, const struct pr_envelope *original)
{
	if (facts->kind < DSN_FAILURE || facts->kind > DSN_POSTMASTER || pr_address_inner(facts->to).len == 0)
		return false;
	return facts->kind == DSN_POSTMASTER || pr_address_inner(original->sender).len > 0;
}

static void write_original(struct dsn *dsn, dsn_read *read, void *read_context)
{
	if (dsn->status == PR_OK)
		dsn->status = dsn_original_part(dsn, read, read_context);
}

static void write_report(struct dsn *dsn, dsn_read *read, void *read_context)
{
	bool utf8 = dsn_is_utf8(dsn);

	dsn_putf(dsn, "This is a MIME-encapsulated message\n\n--%.*s\n%s\n", PR_PRINT(dsn->boundary),
	         utf8 ? "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n" : "");
	dsn_text_part(dsn);
	dsn_putf(dsn, "--%.*s\nContent-Type: message/%s\n\n", PR_PRINT(dsn->boundary),
	         utf8 ? "global-delivery-status\nContent-Transfer-Encoding: 8bit" : "delivery-status");
	dsn_status_part(dsn);
	dsn_putf(dsn, "--%.*s\n", PR_PRINT(dsn->boundary));
	write_original(dsn, read, read_context);
	dsn_putf(dsn, "\n--%.*s--\n\n", PR_PRINT(dsn->boundary));
}

static void write_plain(struct dsn *dsn, dsn_read *read, void *read_context)
{
	dsn_text_part(dsn);
	write_original(dsn, read, read_context);
}

enum pr_status dsn_build(const struct dsn_facts *facts, const struct pr_envelope *original, const bool *report,
                         dsn_read *read, void *read_context, dsn_write *write, void *write_context,
                         struct pr_arena *arena, struct pr_envelope **envelope_out)
{
	struct dsn dsn = { .facts = facts, .original = original, .report = report, .arena = arena,
		               .write = write, .write_context = write_context };
	struct pr_envelope *envelope;

	if (!may_notify(facts, original))
		return PR_MISUSE;
	dsn.boundary = pr_arena_printf(arena, "%.*s.%" PRId64 "/%.*s", PR_PRINT(facts->id), facts->now, PR_PRINT(facts->host_name));
	envelope = make_envelope(&dsn);
	if (envelope == NULL)
		return PR_TEMPFAIL;
	pr_text_init(&dsn.line, 4 * DSN_LINE_MAX);
	if (facts->plain)
		write_plain(&dsn, read, read_context);
	else
		write_report(&dsn, read, read_context);
	pr_text_fini(&dsn.line);
	envelope->body_size = dsn.bytes;
	envelope->priority += dsn.bytes;
	if (dsn.status == PR_OK)
		*envelope_out = envelope;
	return dsn.status;
}
