/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of a notification that gives back what was sent: all of it or its header, as a part of its own or below a line of dashes.
 * The header goes out as it is stored, never through the line buffer: a field may be long.
 */
#include "kernel/mail/dsn_internal.h"

#include "kernel/mail/header.h"
#include <postrider/address.h>

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

	if (sender.len == 0 && (o->flags & PR_ENVELOPE_RESPONSE) != 0)
		sender = PR_STR("MAILER-DAEMON"); /* a notice of our own */
	dsn_putf(dsn, "Return-Path: <%.*s>\n", PR_PRINT(dsn_clean_address(dsn, sender)));
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

static void put_title(struct dsn *dsn, bool headers_only)
{
	if (dsn->facts->plain) {
		dsn_putf(dsn, "   ----- %s follows -----\n\n", headers_only ? "Message header" : "Original message");
		return;
	}
	if (dsn_is_utf8(dsn))
		dsn_putf(dsn, "Content-Type: %s\n", headers_only ? "message/global-headers" : "message/global");
	else
		dsn_putf(dsn, "Content-Type: %s\n", headers_only ? "text/rfc822-headers" : "message/rfc822");
	if ((dsn->original->flags & PR_ENVELOPE_EIGHT_BIT) != 0 || dsn_is_utf8(dsn))
		dsn_putf(dsn, "Content-Transfer-Encoding: 8bit\n");
	dsn_putf(dsn, "\n");
}

enum pr_status dsn_original_part(struct dsn *dsn, dsn_read *read, void *read_context)
{
	bool headers_only = dsn_headers_only(dsn) || read == NULL;

	put_title(dsn, headers_only);
	put_header(dsn);
	if (headers_only && dsn->facts->plain)
		dsn_putf(dsn, "\n   ----- Message body suppressed -----\n");
	if (headers_only)
		return dsn->status;
	dsn_put(dsn, "\n", 1);
	return copy_body(dsn, read, read_context);
}
