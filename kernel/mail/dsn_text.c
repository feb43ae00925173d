/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of a notification for people.
 * Wording and order follow sendmail line by line, because mailing list programs read bounces by their wording.
 */
#include "kernel/mail/dsn_internal.h"

#include "kernel/mail/header.h"
#include <postrider/address.h>

static const char *remark(const struct dsn *dsn, const struct pr_recipient *r)
{
	enum dsn_by by = dsn_word_of(dsn, r)->by;

	if (by != DSN_BY_NOTHING)
		return by == DSN_BY_TRACE ? "  (Deliver-By trace: relayed)" : "  (Deliver-By notify: relayed)";
	if (dsn_is_expanded(r, PR_STATUS_LIST))
		return "  (successfully delivered to mailing list)";
	if (dsn_is_expanded(r, PR_STATUS_EXPANDED))
		return "  (expanded by alias)";
	return r->remote.len > 0 ? "  (relayed to non-DSN-aware mailer)" : "  (successfully delivered to mailbox)";
}

static struct pr_str without_detail(struct pr_str user)
{
	return pr_str_slice(user, 0, pr_str_find(user, '+'));
}

/* What the client said; or the alias inside of that in which this one stands. */
static void put_origin(struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_address parts;

	pr_address_split(pr_address_inner(r->final), &parts);
	if (r->final.len > 0 && pr_str_equal_nocase(without_detail(parts.local), without_detail(r->alias)))
		dsn_putf(dsn, "    (expanded from: <%.*s>)\n", PR_PRINT(dsn_clean_address(dsn, pr_address_inner(r->final))));
	else
		dsn_putf(dsn, "    (expanded from: %.*s)\n", PR_PRINT(dsn_clean_address(dsn, r->alias)));
}

static void put_address(struct dsn *dsn, const struct pr_recipient *r)
{
	enum dsn_kind kind = dsn_kind_of(dsn, r);
	bool success = kind == DSN_SUCCESS;
	struct pr_str reason = dsn_reason_of(dsn, r);

	dsn_putf(dsn, "%.*s%s\n", PR_PRINT(dsn_address(dsn, r)), success ? remark(dsn, r) : "");
	if (!success && kind != DSN_DELAY && reason.len > 0)
		dsn_putf(dsn, "    (reason: %.*s)\n", PR_PRINT(dsn_clean(dsn->arena, reason, DSN_LINE_MAX)));
	if (r->alias.len > 0)
		put_origin(dsn, r);
}

/* Those with one result under its title; what only waits is told by the star box. */
static void put_addresses(struct dsn *dsn, enum dsn_kind kind, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < dsn->original->recipient_count; i++) {
		const struct pr_recipient *r = &dsn->original->recipients[i];

		if (!dsn_is_reported(dsn, i) || dsn_kind_of(dsn, r) != kind)
			continue;
		if (!any)
			dsn_putf(dsn, "   ----- The following addresses had %s -----\n", title);
		any = true;
		put_address(dsn, r);
	}
	if (any)
		dsn_putf(dsn, "\n");
}

void dsn_text_part(struct dsn *dsn)
{
	const struct pr_envelope *o = dsn->original;
	struct pr_str from = pr_envelope_macro(o, PR_STR("_"));

	if (dsn->facts->kind == DSN_DELAY)
		dsn_putf(dsn, "    **********************************************\n"
		              "    **      THIS IS A WARNING MESSAGE ONLY      **\n"
		              "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n"
		              "    **********************************************\n\n");
	dsn_putf(dsn, "The original message was received at %.*s\n", PR_PRINT(mail_date(dsn->arena, o->created, dsn->facts->zone)));
	if (from.len > 0)
		dsn_putf(dsn, "from %.*s\n", PR_PRINT(dsn_clean(dsn->arena, from, DSN_LINE_MAX)));
	if (dsn->facts->kind == DSN_POSTMASTER && o->id.len > 0)
		dsn_putf(dsn, "with id %.*s\n", PR_PRINT(dsn_clean(dsn->arena, o->id, DSN_LINE_MAX)));
	dsn_putf(dsn, "\n");
	if (dsn->facts->error_header.len > 0) {
		dsn_put(dsn, dsn->facts->error_header.data, dsn->facts->error_header.len); /* a file may be longer than a line */
		dsn_putf(dsn, "\n\n");
	}
	put_addresses(dsn, DSN_FAILURE, "permanent fatal errors");
	if (dsn->facts->late && dsn->facts->kind == DSN_DELAY)
		put_addresses(dsn, DSN_DELAY, "transient non-fatal errors");
	put_addresses(dsn, DSN_SUCCESS, "successful delivery notifications");
	dsn_transcript(dsn);
}
