/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A query: the scan, and what it shows compared with what is asked.
 * The first bytes of a control file answer nearly everything; only for further recipients, and for a reason that stands with one of them, the
 * whole file is read.
 */
#include "spool.h"

#include <postrider/address.h>

static bool contains(struct pr_str text, struct pr_str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (pr_str_has_prefix_nocase(pr_str_slice(text, i, text.len), part))
			return true;
	return false;
}

static bool in_range(int64_t value, int64_t from, int64_t to)
{
	return (from == 0 || value >= from) && (to == 0 || value <= to);
}

static bool is_wanted(const struct pr_query *query, const struct pr_entry *entry)
{
	return (query->states == 0 || (query->states & (1u << entry->state)) != 0) &&
	       (query->queue.data == NULL || pr_str_equal(query->queue, entry->queue)) &&
	       (query->id.data == NULL || contains(entry->id, query->id)) &&
	       (query->sender.data == NULL || contains(entry->sender, query->sender)) &&
	       (query->created_from == 0 || entry->created >= query->created_from) &&
	       (query->created_before == 0 || entry->created < query->created_before) &&
	       in_range(entry->body_size, query->size_from, query->size_to);
}

static bool is_at(struct pr_str address, struct pr_str domain)
{
	struct pr_str inner = pr_address_inner(address);
	size_t at = pr_str_find_last(inner, '@');

	return at < inner.len && pr_str_equal_nocase(pr_str_slice(inner, at + 1, inner.len), domain);
}

static bool has_recipient(const struct pr_envelope *envelope, const struct pr_query *query)
{
	bool recipient = query->recipient.data == NULL, domain = query->domain.data == NULL;

	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct pr_recipient *r = &envelope->recipients[i];

		if (r->state == PR_RECIPIENT_DELIVERED)
			continue;
		recipient = recipient || contains(r->address, query->recipient);
		domain = domain || is_at(r->address, query->domain);
	}
	return recipient && domain;
}

static bool has_reason(const struct pr_envelope *envelope, struct pr_str reason)
{
	if (contains(envelope->message, reason) || contains(envelope->quarantine, reason))
		return true;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (contains(envelope->recipients[i].status, reason))
			return true;
	return false;
}

static bool is_wanted_inside(struct pr_call *call, const struct pr_query *query, const struct pr_entry *entry)
{
	struct pr_envelope *envelope = NULL;

	if (query->recipient.data == NULL && query->domain.data == NULL && query->reason.data == NULL)
		return true;
	return spool_peek(call, entry->id, &envelope, NULL) == PR_OK && has_recipient(envelope, query) &&
	       (query->reason.data == NULL || has_reason(envelope, query->reason));
}

enum pr_status spool_query(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out)
{
	for (;;) {
		struct pr_entry entry = {.size = sizeof entry};
		enum pr_status status = spool_next(call, cursor, &entry);

		if (status != PR_OK)
			return status;
		if (!is_wanted(query, &entry) || !is_wanted_inside(call, query, &entry))
			continue;
		*entry_out = entry;
		return PR_OK;
	}
}
