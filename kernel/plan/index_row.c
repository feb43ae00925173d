/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message as one piece of memory, and back.  Recipients are packed behind it: number of the status, length, bytes.
 */
#include "kernel/plan/index_internal.h"

#include <string.h>

#define PART_MAX UINT16_MAX
#define RECIPIENT_HEAD 6 /* number of the status, length of the address */

static size_t cut(struct pr_str text)
{
	return text.len < PART_MAX ? text.len : PART_MAX;
}

static size_t packed_size(const struct plan_index_row *facts)
{
	size_t size = 0;

	for (size_t i = 0; facts->list != NULL && i < facts->recipients; i++)
		size += RECIPIENT_HEAD + cut(facts->list[i].address);
	return size < NONE ? size : 0;
}

static void pack(struct plan_index *index, const struct plan_index_row *facts, char *at)
{
	for (size_t i = 0; i < facts->recipients; i++) {
		uint32_t status = intern_take(&index->shared, facts->list[i].status);
		uint16_t length = (uint16_t)cut(facts->list[i].address);
		memcpy(at, &status, sizeof status);
		memcpy(at + sizeof status, &length, sizeof length);
		if (length > 0)
			memcpy(at + RECIPIENT_HEAD, facts->list[i].address.data, length);
		at += RECIPIENT_HEAD + length;
	}
}

void index_row_drop(struct plan_index *index, const struct row *row)
{
	const char *at = row->bytes + row->id + row->sender, *end = at + row->packed;
	uint32_t status;
	uint16_t length;

	intern_drop(&index->shared, row->directory);
	intern_drop(&index->shared, row->body_type);
	intern_drop(&index->shared, row->message);
	intern_drop(&index->shared, row->quarantine);
	while (at < end) {
		memcpy(&status, at, sizeof status);
		memcpy(&length, at + sizeof status, sizeof length);
		intern_drop(&index->shared, status);
		at += RECIPIENT_HEAD + length;
	}
}

struct row *index_row_make(struct plan_index *index, const struct plan_index_row *facts)
{
	size_t packed = packed_size(facts), sender = cut(facts->sender);
	struct row *row = pr_alloc(sizeof *row + facts->id.len + sender + packed);

	row->id = (uint8_t)facts->id.len;
	row->sender = (uint16_t)sender;
	row->packed = (uint32_t)packed;
	memcpy(row->bytes, facts->id.data, facts->id.len);
	if (sender > 0)
		memcpy(row->bytes + row->id, facts->sender.data, sender);
	if (packed > 0)
		pack(index, facts, row->bytes + row->id + sender);
	row->directory = intern_take(&index->shared, facts->directory);
	row->body_type = intern_take(&index->shared, facts->body_type);
	row->message = intern_take(&index->shared, facts->message);
	row->quarantine = intern_take(&index->shared, facts->quarantine);
	row->recipients = facts->recipients;
	row->flags = facts->flags;
	row->tries = facts->tries < 0 ? 0 : facts->tries < UINT32_MAX ? (uint32_t)facts->tries : UINT32_MAX;
	row->state = (uint8_t)facts->state;
	row->running = facts->running;
	row->complete = facts->complete;
	row->unreadable = facts->unreadable;
	row->size = facts->size;
	row->created = facts->created;
	row->last_try = facts->last_try;
	row->priority = facts->priority;
	return row;
}

struct pr_str index_row_id(const struct row *row)
{
	return (struct pr_str){row->bytes, row->id};
}

void index_row_show(const struct plan_index *index, const struct row *row, struct plan_index_row *out)
{
	const char *sender = row->bytes + row->id;

	*out = (struct plan_index_row){
	    .id = index_row_id(row), .sender = {row->sender > 0 ? sender : NULL, row->sender}, .packed = {sender + row->sender, row->packed},
	    .directory = intern_text(&index->shared, row->directory), .body_type = intern_text(&index->shared, row->body_type),
	    .message = intern_text(&index->shared, row->message), .quarantine = intern_text(&index->shared, row->quarantine),
	    .size = row->size, .created = row->created, .last_try = row->last_try, .tries = row->tries, .priority = row->priority,
	    .flags = row->flags, .state = row->state, .recipients = row->recipients, .running = row->running,
	    .complete = row->complete, .unreadable = row->unreadable};
}

bool plan_index_recipient(const struct plan_index *index, const struct plan_index_row *row, size_t *at,
                          struct plan_index_recipient *recipient_out)
{
	uint32_t status;
	uint16_t length;

	if (*at + RECIPIENT_HEAD > row->packed.len)
		return false;
	memcpy(&status, row->packed.data + *at, sizeof status);
	memcpy(&length, row->packed.data + *at + sizeof status, sizeof length);
	recipient_out->address = (struct pr_str){row->packed.data + *at + RECIPIENT_HEAD, length};
	recipient_out->status = intern_text(&index->shared, status);
	*at += RECIPIENT_HEAD + (size_t)length;
	return true;
}
