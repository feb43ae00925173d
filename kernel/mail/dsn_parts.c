/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The three parts of a notification: for people, for programs (RFC 3464), and what was sent.
 * Wording and order follow sendmail line by line, because mailing list programs read bounces by their wording.
 */
#include "kernel/mail/dsn_internal.h"

#include "kernel/mail/header.h"
#include <postrider/address.h>

#include <string.h>

static bool is_reported(const struct dsn *dsn, size_t i)
{
	return dsn->report == NULL || dsn->report[i];
}

static const char *heading(enum dsn_kind kind)
{
	switch (kind) {
	case DSN_FAILURE:
	case DSN_POSTMASTER:
		return "   ----- The following addresses had permanent fatal errors -----\n";
	case DSN_SUCCESS:
		return "   ----- The following addresses had successful delivery notifications -----\n";
	case DSN_DELAY:
		break;
	}
	return NULL; /* the star box says it all */
}

static const char *remark(const struct pr_recipient *r)
{
	return r->remote.len > 0 ? "  (relayed to non-DSN-aware mailer)" : "  (successfully delivered to mailbox)";
}

static void put_address(struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_arena *arena = dsn->arena;

	dsn_putf(dsn, "%.*s%s\n", PR_PRINT(dsn_address(arena, r->address)), dsn->facts->kind == DSN_SUCCESS ? remark(r) : "");
	if (dsn->facts->kind != DSN_SUCCESS && r->status.len > 0)
		dsn_putf(dsn, "    (reason: %.*s)\n", PR_PRINT(dsn_clean(arena, r->status, DSN_LINE_MAX)));
	if (r->alias.len > 0)
		dsn_putf(dsn, "    (expanded from: %.*s)\n", PR_PRINT(dsn_clean(arena, pr_address_inner(r->alias), DSN_LINE_MAX)));
}

static void put_addresses(struct dsn *dsn)
{
	const char *title = heading(dsn->facts->kind);

	if (title == NULL)
		return;
	dsn_putf(dsn, "%s", title);
	for (size_t i = 0; i < dsn->original->recipient_count; i++)
		if (is_reported(dsn, i))
			put_address(dsn, &dsn->original->recipients[i]);
	dsn_putf(dsn, "\n");
}

static bool is_smtp_reply(struct pr_str status)
{
	return status.len >= 3 && status.data[0] >= '2' && status.data[0] <= '5' && status.data[1] >= '0' && status.data[1] <= '9' &&
	       status.data[2] >= '0' && status.data[2] <= '9' && (status.len == 3 || status.data[3] == ' ' || status.data[3] == '-');
}

/* "Deferred: 450 4.2.1 busy" holds the reply "450 4.2.1 busy" */
static struct pr_str reply_in(struct pr_str status)
{
	struct pr_str prefix = PR_STR("Deferred: ");

	return pr_str_has_prefix_nocase(status, prefix) ? pr_str_slice(status, prefix.len, status.len) : status;
}

/* The words sendmail has for a refusal, with its own code; {address} when it names one. */
static void put_own_words(struct dsn *dsn, const struct pr_recipient *r)
{
	static const struct {
		const char *enhanced, *code, *words;
	} known[] = {
		{ "5.1.1", "550 5.1.1 ", "User unknown" }, { "5.1.2", "550 5.1.2 ", "Host unknown" }, { "5.1.3", "553 5.1.3 ", "Bad address" },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (pr_str_equal(r->enhanced, pr_str(known[i].enhanced))) {
			dsn_putf(dsn, "%s%.*s... %s\n", known[i].code, PR_PRINT(dsn_address(dsn->arena, r->address)), known[i].words);
			return;
		}
	dsn_putf(dsn, "554 5.0.0 Service unavailable\n");
}

/* Did a host say it, in the conversation? */
static bool was_said(const struct dsn *dsn, const struct pr_recipient *r)
{
	return dsn->facts->kind != DSN_SUCCESS && r->remote.len > 0 && is_smtp_reply(reply_in(r->status));
}

static struct pr_str host_name(const struct pr_recipient *r)
{
	return pr_str_slice(r->remote, 0, pr_str_find(r->remote, ' '));
}

/* All that one host said, under its name. */
static void put_conversation(struct dsn *dsn, size_t first)
{
	const struct pr_envelope *o = dsn->original;
	struct pr_str host = host_name(&o->recipients[first]);

	dsn_putf(dsn, "... while talking to %.*s.:\n>>> DATA\n", PR_PRINT(dsn_clean(dsn->arena, host, DSN_LINE_MAX)));
	for (size_t i = first; i < o->recipient_count; i++) {
		const struct pr_recipient *r = &o->recipients[i];
		struct pr_str said = dsn_clean(dsn->arena, reply_in(r->status), DSN_LINE_MAX);

		if (!is_reported(dsn, i) || !was_said(dsn, r) || !pr_str_equal_nocase(host_name(r), host))
			continue;
		dsn_putf(dsn, "<<< %.*s\n", PR_PRINT(said));
		if (dsn->facts->kind == DSN_DELAY)
			dsn_putf(dsn, "%.*s... Deferred: %.*s\n", PR_PRINT(dsn_address(dsn->arena, r->address)), PR_PRINT(said));
		else
			put_own_words(dsn, r);
	}
}

static bool is_first_of_host(const struct dsn *dsn, size_t index)
{
	const struct pr_envelope *o = dsn->original;

	for (size_t i = 0; i < index; i++)
		if (is_reported(dsn, i) && was_said(dsn, &o->recipients[i]) &&
		    pr_str_equal_nocase(host_name(&o->recipients[i]), host_name(&o->recipients[index])))
			return false;
	return true;
}

static void put_last_word(struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_str said = r->status.len > 0 ? r->status
	                     : dsn->facts->kind == DSN_SUCCESS ? PR_STR("Successfully delivered") : PR_STR("Unknown reason");

	dsn_putf(dsn, "%.*s... %.*s\n", PR_PRINT(dsn_address(dsn->arena, r->address)), PR_PRINT(dsn_clean(dsn->arena, said, DSN_LINE_MAX)));
}

/* What hosts said, host by host; where nobody was talked to, the last word on the recipient.  Hosts beyond some dozens are not sorted
 * together: a message to thousands of domains is reported in linear time. */
static void put_transcript(struct dsn *dsn)
{
	const struct pr_envelope *o = dsn->original;
	size_t hosts = 0;

	dsn_putf(dsn, "   ----- Transcript of session follows -----\n");
	for (size_t i = 0; i < o->recipient_count; i++) {
		if (!is_reported(dsn, i))
			continue;
		if (!was_said(dsn, &o->recipients[i]) || hosts >= DSN_HOSTS_MAX)
			put_last_word(dsn, &o->recipients[i]);
		else if (is_first_of_host(dsn, i) && ++hosts > 0)
			put_conversation(dsn, i);
	}
	if (dsn->facts->kind == DSN_DELAY)
		dsn_putf(dsn, "Warning: message still undelivered after %.*s\nWill keep trying until message is %.*s old\n",
		         PR_PRINT(dsn_interval(dsn->arena, dsn->facts->warn_after)),
		         PR_PRINT(dsn_interval(dsn->arena, dsn->facts->return_after)));
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
	if (dsn->facts->error_header.len > 0)
		dsn_putf(dsn, "%.*s\n\n", PR_PRINT(dsn->facts->error_header));
	dsn_putf(dsn, "The original message was received at %.*s\n", PR_PRINT(mail_date(dsn->arena, o->created, dsn->facts->zone)));
	if (from.len > 0)
		dsn_putf(dsn, "from %.*s\n", PR_PRINT(dsn_clean(dsn->arena, from, DSN_LINE_MAX)));
	if (dsn->facts->kind == DSN_POSTMASTER && o->id.len > 0)
		dsn_putf(dsn, "with id %.*s\n", PR_PRINT(dsn_clean(dsn->arena, o->id, DSN_LINE_MAX)));
	dsn_putf(dsn, "\n");
	put_addresses(dsn);
	put_transcript(dsn);
}

/* a@b, and a local user's name with our own behind it */
static struct pr_str qualified(struct dsn *dsn, struct pr_str address)
{
	struct pr_str inner = dsn_clean(dsn->arena, pr_address_inner(address), DSN_LINE_MAX);

	if (pr_str_find(inner, '@') != inner.len || inner.len == 0)
		return inner;
	return pr_arena_printf(dsn->arena, "%.*s@%.*s", PR_PRINT(inner), PR_PRINT(dsn->facts->host_name));
}

static struct pr_str status_code(const struct dsn *dsn, const struct pr_recipient *r)
{
	const char first = dsn->facts->kind == DSN_SUCCESS ? '2' : dsn->facts->kind == DSN_DELAY ? '4' : '5';

	/* RFC 3464 2.3.4: the class must fit the action; a reason for deferral that became final is still 4 */
	if (r->enhanced.len >= 5 && (r->enhanced.data[0] == first || (first == '5' && r->enhanced.data[0] == '4')))
		return r->enhanced;
	return first == '2' ? PR_STR("2.1.5") : first == '4' ? PR_STR("4.0.0") : PR_STR("5.0.0");
}

static const char *action(const struct dsn *dsn, const struct pr_recipient *r)
{
	switch (dsn->facts->kind) {
	case DSN_DELAY:
		return "delayed";
	case DSN_SUCCESS:
		return r->remote.len > 0 ? "relayed (to non-DSN-aware mailer)" : "delivered (to mailbox)";
	case DSN_FAILURE:
	case DSN_POSTMASTER:
		break;
	}
	return "failed";
}

static void put_recipient(struct dsn *dsn, const struct pr_recipient *r)
{
	bool program = dsn_is_program(r->address);
	struct pr_str final = r->final.len > 0 ? r->final : program && r->alias.len > 0 ? r->alias : r->address;
	struct pr_str reply = reply_in(r->status);

	dsn_putf(dsn, "\n");
	dsn_field(dsn, "Original-Recipient", r->original);
	dsn_putf(dsn, "Final-Recipient: RFC822; %.*s\n", PR_PRINT(qualified(dsn, final)));
	if (program)
		dsn_putf(dsn, "X-Actual-Recipient: X-Unix; %.*s\n", PR_PRINT(dsn_clean(dsn->arena, r->address, DSN_LINE_MAX)));
	else
		dsn_putf(dsn, "X-Actual-Recipient: rfc822; %.*s\n", PR_PRINT(qualified(dsn, r->address)));
	dsn_putf(dsn, "Action: %s\n", action(dsn, r));
	dsn_field(dsn, "Status", status_code(dsn, r));
	if (r->remote.len > 0)
		dsn_putf(dsn, "Remote-MTA: DNS; %.*s\n", PR_PRINT(dsn_clean(dsn->arena, r->remote, DSN_LINE_MAX)));
	if (r->remote.len > 0 && dsn->facts->kind != DSN_SUCCESS && is_smtp_reply(reply))
		dsn_putf(dsn, "Diagnostic-Code: SMTP; %.*s\n", PR_PRINT(dsn_clean(dsn->arena, reply, DSN_LINE_MAX)));
	dsn_putf(dsn, "Last-Attempt-Date: %.*s\n",
	         PR_PRINT(mail_date(dsn->arena, dsn->original->last_try > 0 ? dsn->original->last_try : dsn->facts->now, dsn->facts->zone)));
}

void dsn_status_part(struct dsn *dsn)
{
	const struct pr_envelope *o = dsn->original;
	struct pr_str from = pr_envelope_macro(o, PR_STR("_"));

	dsn_field(dsn, "Original-Envelope-Id", o->envelope_id);
	dsn_putf(dsn, "Reporting-MTA: dns; %.*s\n", PR_PRINT(dsn->facts->host_name));
	/* only what came over the network has a name to tell */
	if (from.len > 0 && pr_envelope_macro(o, PR_STR("r")).len > 0)
		dsn_putf(dsn, "Received-From-MTA: DNS; %.*s\n",
		         PR_PRINT(dsn_clean(dsn->arena, pr_str_slice(from, 0, pr_str_find(from, ' ')), DSN_LINE_MAX)));
	dsn_putf(dsn, "Arrival-Date: %.*s\n", PR_PRINT(mail_date(dsn->arena, o->created, dsn->facts->zone)));
	for (size_t i = 0; i < o->recipient_count; i++)
		if (is_reported(dsn, i))
			put_recipient(dsn, &o->recipients[i]);
	dsn_putf(dsn, "\n");
}

/* Never to be shown to the sender or not part of the message as it travelled */
static bool is_private(struct pr_str name)
{
	return pr_str_equal_nocase(name, PR_STR("Return-Path")) || pr_str_equal_nocase(name, PR_STR("Full-Name")) ||
	       pr_str_equal_nocase(name, PR_STR("Bcc"));
}

static void put_header(struct dsn *dsn)
{
	const struct pr_envelope *o = dsn->original;
	struct pr_str sender = pr_address_inner(o->sender);

	dsn_putf(dsn, "Return-Path: <%.*s>\n", PR_PRINT(dsn_clean(dsn->arena, sender, DSN_LINE_MAX)));
	for (size_t i = 0; i < o->header_count; i++) {
		const struct pr_header *h = &o->headers[i];

		if (is_private(h->name))
			continue;
		dsn_put(dsn, h->name.data, h->name.len);
		dsn_put(dsn, ":", 1);
		dsn_put(dsn, h->value.data, h->value.len);
		dsn_put(dsn, "\n", 1);
	}
}

static enum pr_status copy_body(struct dsn *dsn, dsn_read *read, void *context)
{
	size_t left = dsn->facts->body_limit, len = 1;
	char buffer[8192];
	char last = '\n';

	while (left > 0 && len > 0 && dsn->status == PR_OK) {
		enum pr_status status = read(context, buffer, left < sizeof buffer ? left : sizeof buffer, &len);

		if (status != PR_OK)
			return status;
		if (len > 0)
			last = buffer[len - 1];
		dsn_put(dsn, buffer, len);
		left -= len;
	}
	/* the boundary must begin a line */
	if (last != '\n')
		dsn_put(dsn, "\n", 1);
	return dsn->status;
}

enum pr_status dsn_original_part(struct dsn *dsn, dsn_read *read, void *read_context)
{
	bool headers_only = dsn_headers_only(dsn) || read == NULL;

	dsn_putf(dsn, "Content-Type: %s\n", headers_only ? "text/rfc822-headers" : "message/rfc822");
	if ((dsn->original->flags & PR_ENVELOPE_EIGHT_BIT) != 0)
		dsn_putf(dsn, "Content-Transfer-Encoding: 8bit\n");
	dsn_putf(dsn, "\n");
	put_header(dsn);
	if (headers_only)
		return dsn->status;
	dsn_put(dsn, "\n", 1);
	return copy_body(dsn, read, read_context);
}
