/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Divides the recipients by the sender their copy will have, and opens one store transaction for each.  The division is
 * made at DATA, when all recipients are known and no byte of the message has come, so the body is read once.
 */
#include "kernel/session/transaction.h"

static struct part *part_of(struct transaction *transaction, struct pr_str owner)
{
	for (size_t i = 0; i < transaction->part_count; i++)
		if (pr_str_equal(transaction->parts[i].owner, owner))
			return &transaction->parts[i];
	if (transaction->part_count == PARTS_MAX)
		return NULL;
	struct part *part = &transaction->parts[transaction->part_count++];
	part->transaction = transaction;
	part->owner = pr_arena_copy(&transaction->arena, owner);
	return part;
}

static enum pr_status fail(struct module_scope *scope, const char *reason)
{
	scope->reason = pr_str(reason);
	return PR_TEMPFAIL;
}

static enum pr_status divide(struct transaction *transaction, struct module_scope *scope)
{
	size_t count = 0;
	const struct pr_recipient *all = expansion_recipients(transaction->expansion, &count);

	transaction->parts = pr_arena_alloc(&transaction->arena, PARTS_MAX * sizeof *transaction->parts);
	if (transaction->parts == NULL)
		return fail(scope, "too much memory for one message");
	for (size_t i = 0; i < count; i++) {
		struct part *part = part_of(transaction, expansion_recipient_owner(transaction->expansion, i));
		if (part == NULL)
			return fail(scope, "too many lists with owners in one message");
		part->recipient_count++;
	}
	for (size_t i = 0; i < transaction->part_count; i++) {
		struct part *part = &transaction->parts[i];
		part->recipients = pr_arena_alloc(&transaction->arena, part->recipient_count * sizeof *part->recipients);
		if (part->recipients == NULL)
			return fail(scope, "too much memory for one message");
		part->recipient_count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct part *part = part_of(transaction, expansion_recipient_owner(transaction->expansion, i));
		part->recipients[part->recipient_count++] = all[i];
	}
	return PR_OK;
}

enum pr_status parts_begin(struct transaction *transaction, struct module_scope *scope)
{
	enum pr_status status = PR_OK;

	if (transaction->parts == NULL)
		status = divide(transaction, scope);
	for (size_t i = 0; i < transaction->part_count && status == PR_OK; i++) {
		struct part *part = &transaction->parts[i];
		struct pr_str id = PR_NONE;
		status = store_begin(scope, &part->store, &id);
		if (status == PR_OK)
			part->id = pr_arena_copy(&transaction->arena, id);
		else
			part->store = NULL;
	}
	if (status != PR_OK)
		parts_abort(transaction, scope);
	return status;
}

enum pr_status parts_body(struct transaction *transaction, struct module_scope *scope, struct pr_str data)
{
	enum pr_status status = PR_OK;

	for (size_t i = 0; i < transaction->part_count && status == PR_OK; i++)
		if (transaction->parts[i].store != NULL)
			status = store_body(scope, transaction->parts[i].store, data.data, data.len);
	transaction->body_size += (int64_t)data.len;
	return status;
}

void parts_abort(struct transaction *transaction, struct module_scope *scope)
{
	for (size_t i = 0; i < transaction->part_count; i++) {
		if (transaction->parts[i].store != NULL)
			store_abort(scope, transaction->parts[i].store);
		transaction->parts[i].store = NULL;
	}
}
