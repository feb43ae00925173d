/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of a notification for programs: message/delivery-status (RFC 3464), field by field in sendmail's order.
 */
#include "kernel/mail/dsn_internal.h"

#include "kernel/mail/header.h"
#include <postrider/address.h>

/* a@b, and a local user's name with our own behind it */
static struct pr_str qualified(struct dsn *dsn, struct pr_str address)
{
	struct pr_str inner = dsn_clean_address(dsn, pr_address_inner(address));

	if (pr_str_find(inner, '@') != inner.len || inner.len == 0)
		return inner;
	return pr_arena_printf(dsn->arena, "%.*s@%.*s", PR_PRINT(inner), PR_PRINT(dsn->facts->host_name));
}

static struct pr_str status_code(const struct dsn *dsn, const struct pr_recipient *r)
{
	enum dsn_kind kind = dsn_kind_of(dsn, r);
	const char first = kind == DSN_SUCCESS ? '2' : kind == DSN_DELAY ? '4' : '5';

	if (kind == DSN_SUCCESS && r->remote.len == 0 && !dsn_is_expanded(r, PR_STATUS_LIST) && !dsn_is_expanded(r, PR_STATUS_EXPANDED))
		return PR_STR("2.1.5"); /* in a mailbox: the address was good */
	/* RFC 3464 2.3.4: the class must fit the action; a reason for deferral that became final is still 4 */
	if (r->enhanced.len >= 5 && (r->enhanced.data[0] == first || (first == '5' && r->enhanced.data[0] == '4')))
		return r->enhanced;
	return first == '2' ? PR_STR("2.1.5") : first == '4' ? PR_STR("4.0.0") : PR_STR("5.0.0");
}

static const char *success_action(const struct dsn *dsn, const struct pr_recipient *r)
{
	enum dsn_by by = dsn_word_of(dsn, r)->by;

	if (by != DSN_BY_NOTHING)
		return by == DSN_BY_TRACE ? "relayed (Deliver-By trace mode)" : "relayed (Deliver-By notify mode)";
	if (dsn_is_expanded(r, PR_STATUS_LIST))
		return "delivered (to mailing list)";
	if (dsn_is_expanded(r, PR_STATUS_EXPANDED))
		return "expanded (to multi-recipient alias)";
	return r->remote.len > 0 ? "relayed (to non-DSN-aware mailer)" : "delivered (to mailbox)";
}

static const char *action(const struct dsn *dsn, const struct pr_recipient *r)
{
	switch (dsn_kind_of(dsn, r)) {
	case DSN_DELAY:
		return "delayed";
	case DSN_SUCCESS:
		return success_action(dsn, r);
	case DSN_FAILURE:
	case DSN_POSTMASTER:
		break;
	}
	return "failed";
}

/* What the mailer calls its hosts (0), addresses (1) or diagnostics (2). */
static struct pr_str type_of(struct dsn *dsn, const struct pr_recipient *r, size_t index, const char *usual)
{
	struct pr_str rest = dsn_word_of(dsn, r)->types, type = PR_NONE;

	for (size_t i = 0; i <= index; i++)
		if (rest.len == 0 || !pr_str_next(&rest, '/', &type))
			return pr_str(usual);
	return type.len > 0 ? dsn_clean(dsn->arena, type, 100) : pr_str(usual);
}

static void put_actual_as(struct dsn *dsn, struct pr_str type, struct pr_str user)
{
	dsn_putf(dsn, "X-Actual-Recipient: %.*s; %.*s\n", PR_PRINT(pr_str_is_ascii(user) ? type : PR_STR("utf-8")), PR_PRINT(user));
}

static void put_actual(struct dsn *dsn, const struct pr_recipient *r)
{
	const struct dsn_word *word = dsn_word_of(dsn, r);
	struct pr_str type = type_of(dsn, r, 1, "rfc822"), user = word->user.len > 0 ? word->user : r->address;
	bool is_mail = pr_str_equal_nocase(type, PR_STR("rfc822")); /* other worlds have no domains */

	if (dsn_is_program(r->address))
		dsn_putf(dsn, "X-Actual-Recipient: X-Unix; %.*s\n", PR_PRINT(dsn_clean(dsn->arena, r->address, DSN_LINE_MAX)));
	else
		put_actual_as(dsn, type, is_mail ? qualified(dsn, user) : dsn_clean(dsn->arena, user, DSN_LINE_MAX));
}

static void put_host(struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_str host = dsn_host_of(r), reply = dsn_reason_of(dsn, r);
	const char *type = host.len == 0 && dsn_word_of(dsn, r)->local ? "X-Unix" : "SMTP";

	if (host.len > 0)
		dsn_putf(dsn, "Remote-MTA: %.*s; %.*s\n", PR_PRINT(type_of(dsn, r, 0, "DNS")), PR_PRINT(dsn_clean(dsn->arena, host, DSN_LINE_MAX)));
	if (reply.len > 0 && (host.len > 0 || dsn_kind_of(dsn, r) != DSN_SUCCESS))
		dsn_putf(dsn, "Diagnostic-Code: %.*s; %.*s\n", PR_PRINT(type_of(dsn, r, 2, type)), PR_PRINT(dsn_clean(dsn->arena, reply, DSN_LINE_MAX)));
}

static void put_recipient(struct dsn *dsn, const struct pr_recipient *r)
{
	const struct dsn_facts *f = dsn->facts;
	const struct pr_envelope *o = dsn->original;
	struct pr_str final = r->final.len > 0 ? r->final : dsn_is_program(r->address) && r->alias.len > 0 ? r->alias : r->address;

	dsn_putf(dsn, "\n");
	dsn_field(dsn, "Original-Recipient", r->original);
	struct pr_str shown = qualified(dsn, final);
	dsn_putf(dsn, "Final-Recipient: %s; %.*s\n", pr_str_is_ascii(shown) ? "RFC822" : "utf-8", PR_PRINT(shown));
	put_actual(dsn, r);
	dsn_putf(dsn, "Action: %s\n", action(dsn, r));
	dsn_field(dsn, "Status", status_code(dsn, r));
	put_host(dsn, r);
	dsn_putf(dsn, "Last-Attempt-Date: %.*s\n", PR_PRINT(mail_date(dsn->arena, o->last_try > 0 ? o->last_try : f->now, f->zone)));
	if (dsn_kind_of(dsn, r) == DSN_DELAY && !f->late)
		dsn_putf(dsn, "Will-Retry-Until: %.*s\n", PR_PRINT(mail_date(dsn->arena, o->created + f->return_after, f->zone)));
}

void dsn_status_part(struct dsn *dsn)
{
	const struct pr_envelope *o = dsn->original;
	struct pr_str from = pr_envelope_macro(o, PR_STR("_"));
	struct pr_deliver_by by;

	dsn_field(dsn, "Original-Envelope-Id", o->envelope_id);
	dsn_putf(dsn, "Reporting-MTA: dns; %.*s\n", PR_PRINT(dsn->facts->host_name));
	/* only what came over the network has a name to tell */
	if (from.len > 0 && (pr_envelope_macro(o, PR_STR("r")).len > 0 || (o->flags & PR_ENVELOPE_RESPONSE) != 0))
		dsn_putf(dsn, "Received-From-MTA: DNS; %.*s\n",
		         PR_PRINT(dsn_clean(dsn->arena, pr_str_slice(from, 0, pr_str_find(from, ' ')), DSN_LINE_MAX)));
	dsn_putf(dsn, "Arrival-Date: %.*s\n", PR_PRINT(mail_date(dsn->arena, o->created, dsn->facts->zone)));
	if (pr_envelope_deliver_by(o, &by))
		dsn_putf(dsn, "Deliver-By-Date: %.*s\n", PR_PRINT(mail_date(dsn->arena, o->created + by.seconds, dsn->facts->zone)));
	for (size_t i = 0; i < o->recipient_count; i++)
		if (dsn_is_reported(dsn, i))
			put_recipient(dsn, &o->recipients[i]);
	dsn_putf(dsn, "\n");
}
