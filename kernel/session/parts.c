/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Divides the recipients by the sender their copy will have, by queue group, and into pieces of as many as a group takes; and opens
 * one store transaction for each.  The division is made at DATA, when all recipients are known and no byte of the message has
 * come, so the body is read once.  Without queue groups and lists with owners there is one part, and nobody is asked anything.
 */
#include "kernel/session/macros.h"
#include "kernel/session/transaction.h"
#include "kernel/session/word.h"

#include <postrider/address.h>

struct division {
	struct transaction *transaction;
	struct module_scope *scope;
	const struct config *config;
	size_t room; /* for parts */
};

static enum pr_status fail(struct module_scope *scope, const char *reason)
{
	scope->reason = pr_str(reason);
	return PR_TEMPFAIL;
}

static struct pr_str group_of(const struct division *division, const struct pr_recipient *recipient)
{
	return module_queue_group(division->scope, pr_address_inner(recipient->address), pr_address_inner(division->transaction->sender));
}

static bool is_full(const struct division *division, const struct part *part)
{
	struct pr_str name = part->group.len > 0 ? part->group : PR_STR("mqueue");
	const struct queue_group *group = config_group(division->config, name);

	/* with no room for more parts the last one takes what comes */
	return group != NULL && group->recipients > 0 && (int64_t)part->recipient_count >= group->recipients &&
	       division->transaction->part_count < division->room;
}

static struct part *part_of(struct division *division, struct pr_str owner, struct pr_str group)
{
	struct transaction *transaction = division->transaction;

	for (size_t i = transaction->part_count; i-- > 0;) {
		struct part *part = &transaction->parts[i];
		if (pr_str_equal(part->owner, owner) && pr_str_equal_nocase(part->group, group) && !is_full(division, part))
			return part;
	}
	if (transaction->part_count == division->room)
		return NULL;
	struct part *part = &transaction->parts[transaction->part_count++];
	part->transaction = transaction;
	part->owner = pr_arena_copy(&transaction->arena, owner);
	part->group = pr_arena_copy(&transaction->arena, group);
	return part;
}

/* Puts each recipient into its part: counted first, so that each list is allocated once. */
static enum pr_status divide(struct transaction *transaction, struct module_scope *scope)
{
	struct division division = {transaction, scope, module_set_config(module_thread_set(scope->thread)), PARTS_MAX};
	size_t count = 0;
	const struct pr_recipient *all = expansion_recipients(transaction->expansion, &count);

	if (division.config->group_count > 0)
		division.room = PARTS_SPLIT_MAX;
	transaction->parts = pr_arena_alloc(&transaction->arena, division.room * sizeof *transaction->parts);
	struct part **parts = pr_arena_alloc(&transaction->arena, (count + 1) * sizeof *parts);
	if (transaction->parts == NULL || parts == NULL)
		return fail(scope, "too much memory for one message");
	for (size_t i = 0; i < count; i++) {
		parts[i] = part_of(&division, expansion_recipient_owner(transaction->expansion, i), group_of(&division, &all[i]));
		if (parts[i] == NULL)
			return fail(scope, "too many lists with owners in one message");
		parts[i]->recipient_count++;
	}
	if (count == 0 && transaction->discard) /* for nobody, and thrown away: it still gets an id */
		(void)part_of(&division, PR_NONE, PR_NONE);
	for (size_t i = 0; i < transaction->part_count; i++) {
		struct part *part = &transaction->parts[i];
		part->recipients = pr_arena_alloc(&transaction->arena, (part->recipient_count + 1) * sizeof *part->recipients);
		if (part->recipients == NULL)
			return fail(scope, "too much memory for one message");
		part->recipient_count = 0;
	}
	for (size_t i = 0; i < count; i++)
		parts[i]->recipients[parts[i]->recipient_count++] = all[i];
	if (transaction->part_count > 1 && division.config->group_count > 0)
		transaction->flags |= PR_ENVELOPE_SPLIT;
	return PR_OK;
}

/* SuperSafe=interactive: what is delivered before the answer need not be durable. */
static bool may_be_late(const struct transaction *transaction)
{
	return word_is_wanted(transaction) && session_super_safe(transaction->session) == 'i';
}

static uint32_t intake_flags(const struct transaction *transaction)
{
	bool company = atomic_load_explicit(&transaction->session->receiver->open, memory_order_relaxed) > 1;

	return (may_be_late(transaction) ? PR_INTAKE_LATER : 0) | (company ? PR_INTAKE_COMPANY : 0);
}

enum pr_status parts_begin(struct transaction *transaction, struct module_scope *scope)
{
	enum pr_status status = PR_OK;

	if (transaction->parts == NULL)
		status = divide(transaction, scope);
	for (size_t i = 0; i < transaction->part_count && status == PR_OK; i++) {
		struct part *part = &transaction->parts[i];
		struct pr_str id = PR_NONE;
		const struct pr_intake intake = {.size = sizeof intake, .queue = part->group.len > 0 ? part->group : PR_NONE,
		                                 .flags = intake_flags(transaction)};
		status = store_begin_in(scope, &intake, &part->store, &id);
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

void parts_forget(struct transaction *transaction, struct module_scope *scope)
{
	for (size_t i = 0; i < transaction->part_count; i++) {
		if (transaction->parts[i].late != NULL)
			store_forget(scope, transaction->parts[i].late);
		transaction->parts[i].late = NULL;
	}
}
