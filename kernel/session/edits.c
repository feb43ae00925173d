/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a filter may change in the message it has seen.  Every value is made safe here, whatever the filter hands over: one
 * added field is one field, one address is one address.
 */
#include "kernel/session/transaction.h"

#include "kernel/session/submission.h"

#include <string.h>

#define FIELDS_MAX 10000
#define VALUE_MAX 65536

static bool make_room(struct transaction *transaction)
{
	if (transaction->field_count < transaction->field_room)
		return true;
	size_t room = transaction->field_room * 2 + 16;
	struct pr_header *fields = room > 2 * FIELDS_MAX ? NULL : pr_arena_alloc(&transaction->arena, room * sizeof *fields);
	if (fields == NULL)
		return false;
	if (transaction->field_count > 0)
		memcpy(fields, transaction->fields, transaction->field_count * sizeof *fields);
	transaction->fields = fields;
	transaction->field_room = room;
	return true;
}

static bool insert(struct transaction *transaction, size_t at, const struct pr_header *field)
{
	if (!make_room(transaction))
		return false;
	if (at > transaction->field_count)
		at = transaction->field_count;
	memmove(&transaction->fields[at + 1], &transaction->fields[at],
	    (transaction->field_count - at) * sizeof *transaction->fields);
	transaction->fields[at] = *field;
	transaction->field_count++;
	return true;
}

bool edits_start(struct transaction *transaction)
{
	size_t count = 0;
	const struct pr_header *fields = header_reader_fields(transaction->reader, &count);

	transaction->field_count = 0;
	for (size_t i = 0; i < count; i++)
		if (!insert(transaction, i, &fields[i]))
			return false;
	struct pr_str warning = submission_warning(transaction->session, transaction->sender, &transaction->arena);
	if (warning.data == NULL)
		return true;
	struct pr_header field = {.name = PR_STR("X-Authentication-Warning"), .value = warning};
	return insert(transaction, 0, &field);
}

static struct transaction *of(const struct pr_call *call)
{
	return filter_edit_context(call);
}

static bool name_is_valid(struct pr_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] >= 127 || name.data[i] == ':')
			return false;
	return name.len > 0 && name.len <= 200;
}

/* Begins with a blank; no CR, no NUL; a line end is followed by a blank, so it stays one field. */
static struct pr_str safe_value(struct pr_arena *arena, struct pr_str value)
{
	struct pr_text text;
	struct pr_str trimmed = value;

	while (trimmed.len > 0 && (trimmed.data[trimmed.len - 1] == '\n' || trimmed.data[trimmed.len - 1] == '\r'))
		trimmed.len--;
	pr_text_init(&text, 2 * VALUE_MAX);
	if (trimmed.len == 0 || (trimmed.data[0] != ' ' && trimmed.data[0] != '\t'))
		pr_text_add_byte(&text, ' ');
	for (size_t i = 0; i < trimmed.len; i++) {
		char byte = trimmed.data[i];
		if (byte == '\r' || byte == '\0')
			continue;
		pr_text_add_byte(&text, byte);
		if (byte == '\n' && (i + 1 == trimmed.len || (trimmed.data[i + 1] != ' ' && trimmed.data[i + 1] != '\t')))
			pr_text_add_byte(&text, '\t');
	}
	struct pr_str result = text.overflow != 0 ? PR_NONE : pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}

static enum pr_status make_field(struct pr_call *call, struct pr_str name, struct pr_str value, struct pr_header *field)
{
	struct transaction *transaction = of(call);

	if (!name_is_valid(name))
		return pr_fail(call, PR_MISUSE, "a header field cannot have this name");
	*field = (struct pr_header){
	    .name = pr_arena_copy(&transaction->arena, name), .value = safe_value(&transaction->arena, value)};
	if (field->name.data == NULL || field->value.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no room for a header field of %zu bytes", value.len);
	return PR_OK;
}

static enum pr_status insert_at(struct pr_call *call, size_t at, struct pr_str name, struct pr_str value)
{
	struct pr_header field;
	enum pr_status status = make_field(call, name, value, &field);

	if (status == PR_OK && !insert(of(call), at, &field))
		status = pr_fail(call, PR_TEMPFAIL, "no room for another header field");
	return status;
}

static enum pr_status header_add(struct pr_call *call, struct pr_str name, struct pr_str value)
{
	return insert_at(call, SIZE_MAX, name, value);
}

static enum pr_status header_insert(struct pr_call *call, uint32_t index, struct pr_str name, struct pr_str value)
{
	return insert_at(call, index, name, value);
}

static enum pr_status header_change(struct pr_call *call, struct pr_str name, uint32_t index, struct pr_str value)
{
	struct transaction *transaction = of(call);
	struct pr_header field;
	uint32_t seen = 0;

	for (size_t i = 0; i < transaction->field_count; i++) {
		if (!pr_str_equal_nocase(transaction->fields[i].name, name) || ++seen != (index > 0 ? index : 1))
			continue;
		if (value.data == NULL) {
			transaction->field_count--;
			memmove(&transaction->fields[i], &transaction->fields[i + 1],
			    (transaction->field_count - i) * sizeof *transaction->fields);
			return PR_OK;
		}
		enum pr_status status = make_field(call, transaction->fields[i].name, value, &field);
		if (status == PR_OK)
			transaction->fields[i] = field;
		return status;
	}
	/* as sendmail: changing what is not there adds it, deleting it is nothing */
	return value.data == NULL ? PR_OK : header_add(call, name, value);
}

static enum pr_status parse(struct pr_call *call, struct pr_str text, struct pr_address *address)
{
	struct pr_str rest = PR_NONE, why = PR_NONE;

	if (memchr(text.data, '\n', text.len) != NULL || memchr(text.data, '\r', text.len) != NULL)
		return pr_fail(call, PR_MISUSE, "an address cannot hold a line end");
	if (pr_address_path(text, call->arena, address, &rest, &why) != PR_OK)
		return pr_fail(call, PR_MISUSE, "%.*s", PR_PRINT(why.data != NULL ? why : PR_STR("not an address")));
	return PR_OK;
}

static enum pr_status sender_change(struct pr_call *call, struct pr_str sender)
{
	struct transaction *transaction = of(call);
	struct pr_address address;
	enum pr_status status = parse(call, sender, &address);

	if (status == PR_OK)
		transaction->sender = pr_arena_printf(&transaction->arena, "<%.*s>", PR_PRINT(address.full));
	return status;
}

/* The recipients of the first part, with room for `more`. */
static struct pr_recipient *recipients_with_room(struct transaction *transaction, size_t more)
{
	struct part *part = &transaction->parts[0];
	struct pr_recipient *copy =
	    pr_arena_alloc(&transaction->arena, (part->recipient_count + more + 1) * sizeof *copy);

	if (copy != NULL && part->recipient_count > 0)
		memcpy(copy, part->recipients, part->recipient_count * sizeof *copy);
	return copy;
}

static enum pr_status recipient_add(struct pr_call *call, struct pr_str text)
{
	struct transaction *transaction = of(call);
	struct part *part = &transaction->parts[0];
	struct expand_result result = {0};
	struct pr_address address;
	size_t before = 0, after = 0;
	enum pr_status status = parse(call, text, &address);

	if (status != PR_OK)
		return status;
	expansion_recipients(transaction->expansion, &before);
	struct pr_recipient model = {.address = pr_arena_printf(call->arena, "<%.*s>", PR_PRINT(address.full)),
	    .flags = PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY};
	status = expansion_add(transaction->expansion, address.full, &model, true, &result);
	if (status != PR_OK)
		return pr_fail(call, status, "%.*s: %.*s", PR_PRINT(address.full), PR_PRINT(result.text));
	const struct pr_recipient *all = expansion_recipients(transaction->expansion, &after);
	struct pr_recipient *recipients = recipients_with_room(transaction, after - before);
	if (recipients == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no room for more recipients");
	for (size_t i = before; i < after; i++)
		recipients[part->recipient_count++] = all[i];
	part->recipients = recipients;
	return PR_OK;
}

static enum pr_status recipient_remove(struct pr_call *call, struct pr_str text)
{
	struct transaction *transaction = of(call);
	struct pr_str wanted = pr_address_inner(pr_str_trim(text));

	for (size_t p = 0; p < transaction->part_count; p++) {
		struct part *part = &transaction->parts[p];
		size_t kept = 0;
		for (size_t i = 0; i < part->recipient_count; i++) {
			const struct pr_recipient *one = &part->recipients[i];
			bool named = pr_str_equal_nocase(pr_address_inner(one->address), wanted) ||
			             (one->final.data != NULL && pr_str_equal_nocase(pr_address_inner(one->final), wanted));
			if (!named)
				part->recipients[kept++] = *one;
		}
		part->recipient_count = kept;
	}
	return PR_OK;
}

/* The store only appends, so a new body is a new store transaction; the queue id changes with it. */
static enum pr_status body_replace(struct pr_call *call, const void *data, size_t len)
{
	struct transaction *transaction = of(call);
	struct pr_str bytes = {data, len};
	enum pr_status status = PR_OK;

	if (!transaction->body_replaced) {
		parts_abort(transaction, transaction->scope);
		transaction->body_replaced = 1;
		transaction->body_size = 0;
		status = parts_begin(transaction, transaction->scope);
	}
	if (status == PR_OK)
		status = parts_body(transaction, transaction->scope, bytes);
	if (status == PR_OK)
		return PR_OK;
	struct pr_verdict verdict = {.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"),
	                             .text = PR_STR("Queue file error; try again later")};
	transaction_refuse(transaction, &verdict);
	return pr_fail(call, PR_TEMPFAIL, "cannot store the new body: %.*s", PR_PRINT(transaction->scope->reason));
}

const struct pr_filter_edit transaction_edits = {
    .size = sizeof transaction_edits,
    .header_add = header_add,
    .header_insert = header_insert,
    .header_change = header_change,
    .sender_change = sender_change,
    .recipient_add = recipient_add,
    .recipient_remove = recipient_remove,
    .body_replace = body_replace,
};
