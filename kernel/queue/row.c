/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A string is its length in two bytes and itself; the length 65535 is "absent", longer ones are cut.
 * Bytes are in the machine's order: the row never leaves it.
 */
#include "kernel/queue/row.h"

#include "kernel/queue/selection.h"

#include <string.h>

#define ABSENT UINT16_MAX
#define RUNNING 1u
#define COMPLETE 2u
#define UNREADABLE 4u

void row_recipients(const struct pr_envelope *envelope, struct pr_arena *arena, struct plan_index_row *row)
{
	struct plan_index_recipient *list = NULL;
	uint32_t count = 0;

	if (envelope->recipient_count > 0)
		list = pr_arena_alloc(arena, envelope->recipient_count * sizeof *list);
	for (size_t i = 0; list != NULL && i < envelope->recipient_count; i++) {
		const struct pr_recipient *recipient = &envelope->recipients[i];
		if (recipient->state == PR_RECIPIENT_DELIVERED)
			continue;
		list[count++] = (struct plan_index_recipient){recipient->address, recipient->status.len > 0 ? recipient->status : PR_NONE};
	}
	row->list = list;
	row->recipients = count;
}

void row_from_store(const struct pr_entry *entry, const struct pr_envelope *envelope, struct pr_arena *arena, struct plan_index_row *row_out)
{
	struct plan_index_row row = {.id = entry->id, .directory = entry->directory, .size = entry->body_size, .created = entry->created,
	                             .last_try = entry->last_try, .tries = entry->tries, .priority = entry->priority,
	                             .flags = entry->flags, .state = entry->state, .running = entry->state == PR_ENTRY_CLAIMED,
	                             .complete = true, .unreadable = envelope == NULL};

	if (envelope != NULL) {
		row.sender = entry->sender.len > 0 ? entry->sender : selection_sender(envelope); /* as the file says it */
		row.body_type = envelope->body_type;
		row.message = envelope->message;
		row.quarantine = envelope->quarantine;
		row_recipients(envelope, arena, &row);
	}
	*row_out = row;
}

static void add_string(struct pr_text *out, struct pr_str text)
{
	uint16_t length = text.data == NULL ? ABSENT : (uint16_t)(text.len < ABSENT ? text.len : ABSENT - 1u);

	pr_text_add(out, &length, sizeof length);
	if (length != ABSENT)
		pr_text_add(out, text.data, length);
}

static uint32_t add_recipients(const struct plan_index *index, const struct plan_index_row *row, struct pr_text *out)
{
	struct plan_index_recipient recipient;
	uint32_t count = 0;
	size_t at = 0;

	for (;; count++) {
		if (index == NULL && (row->list == NULL || count == row->recipients))
			return count;
		if (index == NULL)
			recipient = row->list[count];
		else if (!plan_index_recipient(index, row, &at, &recipient))
			return count;
		add_string(out, recipient.address);
		/* nearly always the reason of the whole message */
		bool same = recipient.status.len > 0 && pr_str_equal(recipient.status, row->message);
		add_string(out, same ? PR_STR("") : recipient.status);
	}
}

bool row_write(const struct plan_index *index, const struct plan_index_row *row, struct pr_text *out)
{
	struct row_head head = {.flags = row->flags, .state = row->state, .size = row->size, .created = row->created,
	                        .last_try = row->last_try, .priority = row->priority};
	size_t start = out->len;

	head.tries = row->tries < UINT32_MAX ? (uint32_t)row->tries : UINT32_MAX;
	head.bits = (row->running ? RUNNING : 0) | (row->complete ? COMPLETE : 0) | (row->unreadable ? UNREADABLE : 0);
	pr_text_add(out, &head, sizeof head);
	const struct pr_str strings[] = {row->id, row->directory, row->sender, row->body_type, row->message, row->quarantine};
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		add_string(out, strings[i]);
	head.recipients = add_recipients(index, row, out);
	head.length = (uint32_t)(out->len - start);
	if (out->overflow || out->len - start > ROW_MAX) {
		pr_text_cut(out, start);
		return false;
	}
	memcpy(out->data + start, &head, sizeof head);
	return true;
}

static bool take_string(struct pr_str *rest, struct pr_str *out)
{
	uint16_t length;

	if (rest->len < sizeof length)
		return false;
	memcpy(&length, rest->data, sizeof length);
	*rest = pr_str_slice(*rest, sizeof length, rest->len);
	*out = PR_NONE;
	if (length == ABSENT)
		return true;
	if (rest->len < length)
		return false;
	*out = (struct pr_str){rest->data, length};
	*rest = pr_str_slice(*rest, length, rest->len);
	return true;
}

bool row_read(struct pr_str bytes, struct plan_index_row *row_out)
{
	struct plan_index_row row = {.list = NULL};
	struct pr_str *const strings[] = {&row.id, &row.directory, &row.sender, &row.body_type, &row.message, &row.quarantine};
	struct row_head head;

	if (bytes.len < sizeof head)
		return false;
	memcpy(&head, bytes.data, sizeof head);
	bytes = pr_str_slice(bytes, sizeof head, bytes.len);
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		if (!take_string(&bytes, strings[i]))
			return false;
	if (row.id.len == 0 || row.id.len > PLAN_INDEX_ID_MAX)
		return false;
	row.packed = bytes;
	row.flags = head.flags;
	row.state = head.state;
	row.recipients = head.recipients;
	row.tries = head.tries;
	row.size = head.size;
	row.created = head.created;
	row.last_try = head.last_try;
	row.priority = head.priority;
	row.running = (head.bits & RUNNING) != 0;
	row.complete = (head.bits & COMPLETE) != 0;
	row.unreadable = (head.bits & UNREADABLE) != 0;
	*row_out = row;
	return true;
}

bool row_next(struct plan_index_row *row, struct plan_index_recipient *recipient_out)
{
	if (!take_string(&row->packed, &recipient_out->address) || !take_string(&row->packed, &recipient_out->status))
		return false;
	if (recipient_out->status.data != NULL && recipient_out->status.len == 0)
		recipient_out->status = row->message;
	return true;
}
