/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a notice knows of one recipient: its result, the reply and the command, and who said so.
 * The last try of this process knows more than the queue's one line; without it the line must do.
 */
#include "kernel/mail/dsn_internal.h"

#include <postrider/address.h>

bool dsn_is_reported(const struct dsn *dsn, size_t index)
{
	return dsn->report == NULL || dsn->report[index];
}

enum dsn_kind dsn_kind_of(const struct dsn *dsn, const struct pr_recipient *r)
{
	if (r->state == PR_RECIPIENT_DELIVERED)
		return DSN_SUCCESS;
	if (r->state == PR_RECIPIENT_DEFERRED)
		return DSN_DELAY;
	return dsn->facts->kind == DSN_POSTMASTER ? DSN_FAILURE : dsn->facts->kind;
}

const struct dsn_word *dsn_word_of(const struct dsn *dsn, const struct pr_recipient *r)
{
	static const struct dsn_word nothing;

	return dsn->facts->words != NULL ? &dsn->facts->words[r - dsn->original->recipients] : &nothing;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_smtp_reply(struct pr_str text)
{
	return text.len >= 3 && text.data[0] >= '2' && text.data[0] <= '5' && is_digit(text.data[1]) && is_digit(text.data[2]) &&
	       (text.len == 3 || text.data[3] == ' ' || text.data[3] == '-');
}

/* "Deferred: 450 4.2.1 busy" holds the reply "450 4.2.1 busy" */
struct pr_str dsn_reply_of(const struct dsn *dsn, const struct pr_recipient *r)
{
	const struct dsn_word *word = dsn_word_of(dsn, r);
	struct pr_str prefix = PR_STR("Deferred: "), text = word->reply.len > 0 ? word->reply : r->status;

	if (pr_str_has_prefix_nocase(text, prefix))
		text = pr_str_slice(text, prefix.len, text.len);
	return is_smtp_reply(text) ? text : PR_NONE;
}

struct pr_str dsn_reason_of(const struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_str reply = dsn_reply_of(dsn, r);

	if (dsn_word_of(dsn, r)->closing.len > 0)
		return PR_NONE;
	return dsn_first_line(reply.len > 0 ? reply : dsn_is_own_result(dsn, r) ? dsn_word_of(dsn, r)->reply : PR_NONE);
}

bool dsn_is_own_result(const struct dsn *dsn, const struct pr_recipient *r)
{
	const struct dsn_word *word = dsn_word_of(dsn, r);

	return word->local && word->code != 0 && word->reply.len > 0 && dsn_reply_of(dsn, r).len == 0 && dsn_kind_of(dsn, r) == DSN_FAILURE;
}

struct pr_str dsn_first_line(struct pr_str text)
{
	return pr_str_slice(text, 0, pr_str_find(text, '\n'));
}

struct pr_str dsn_host_of(const struct pr_recipient *r)
{
	struct pr_str host = pr_str_slice(r->remote, 0, pr_str_find(r->remote, ' '));

	return host.len > 1 && host.data[host.len - 1] == '.' ? pr_str_slice(host, 0, host.len - 1) : host;
}

bool dsn_is_expanded(const struct pr_recipient *r, const char *word)
{
	return r->state == PR_RECIPIENT_DELIVERED && pr_str_equal(r->status, pr_str(word));
}
