/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Deep copies of envelopes, and looking things up in one.
 * The copy goes field by field through one helper that knows "absent" from "no
 * room", so that a full arena can never turn into a recipient without an address.
 */
#include <postrider/envelope.h>
#include <string.h>

static bool keep(struct pr_arena *arena, struct pr_str *str)
{
	if (str->data == NULL)
		return true;
	*str = pr_arena_copy(arena, *str);
	return str->data != NULL;
}

/* The array itself; *items is replaced by the copy. */
static bool keep_array(struct pr_arena *arena, void *items, size_t count, size_t size)
{
	void *original, *copy;

	memcpy(&original, items, sizeof original);
	if (count == 0)
		return true;
	if (count > SIZE_MAX / size || (copy = pr_arena_alloc(arena, count * size)) == NULL)
		return false;
	memcpy(copy, original, count * size);
	memcpy(items, &copy, sizeof copy);
	return true;
}

static bool keep_headers(struct pr_arena *arena, struct pr_envelope *copy)
{
	bool kept = keep_array(arena, &copy->headers, copy->header_count, sizeof *copy->headers);

	for (size_t i = 0; kept && i < copy->header_count; i++) {
		struct pr_header *header = &copy->headers[i];
		kept = keep(arena, &header->name) && keep(arena, &header->value) && keep(arena, &header->condition);
	}
	return kept;
}

static bool keep_recipients(struct pr_arena *arena, struct pr_envelope *copy)
{
	bool kept = keep_array(arena, &copy->recipients, copy->recipient_count, sizeof *copy->recipients);

	for (size_t i = 0; kept && i < copy->recipient_count; i++) {
		struct pr_recipient *recipient = &copy->recipients[i];
		kept = keep(arena, &recipient->address) && keep(arena, &recipient->original) && keep(arena, &recipient->final) &&
		       keep(arena, &recipient->owner) && keep(arena, &recipient->alias) && keep(arena, &recipient->status) &&
		       keep(arena, &recipient->enhanced) && keep(arena, &recipient->remote);
	}
	return kept;
}

static bool keep_macros(struct pr_arena *arena, struct pr_envelope *copy)
{
	bool kept = keep_array(arena, &copy->macros, copy->macro_count, sizeof *copy->macros);

	for (size_t i = 0; kept && i < copy->macro_count; i++)
		kept = keep(arena, &copy->macros[i].name) && keep(arena, &copy->macros[i].value);
	return kept;
}

struct pr_envelope *pr_envelope_copy(const struct pr_envelope *envelope, struct pr_arena *arena)
{
	struct pr_envelope *copy = pr_arena_alloc(arena, sizeof *copy);

	if (copy == NULL)
		return NULL;
	/* what a program built with an older SDK does not have stays zero */
	memcpy(copy, envelope, envelope->size > 0 && envelope->size < sizeof *copy ? envelope->size : sizeof *copy);
	copy->size = sizeof *copy;
	bool kept = keep(arena, &copy->id) && keep(arena, &copy->sender) && keep(arena, &copy->body_type) &&
	            keep(arena, &copy->envelope_id) && keep(arena, &copy->auth) && keep(arena, &copy->message) &&
	            keep(arena, &copy->quarantine) && keep_headers(arena, copy) && keep_recipients(arena, copy) &&
	            keep_macros(arena, copy);
	return kept ? copy : NULL;
}

struct pr_str pr_envelope_macro(const struct pr_envelope *envelope, struct pr_str name)
{
	for (size_t i = 0; i < envelope->macro_count; i++)
		if (pr_str_equal(envelope->macros[i].name, name))
			return envelope->macros[i].value;
	return PR_NONE;
}

const struct pr_header *pr_envelope_header(const struct pr_envelope *envelope, struct pr_str name)
{
	for (size_t i = 0; i < envelope->header_count; i++)
		if (pr_str_equal_nocase(envelope->headers[i].name, name))
			return &envelope->headers[i];
	return NULL;
}

bool pr_envelope_deliver_by(const struct pr_envelope *envelope, struct pr_deliver_by *by_out)
{
	struct pr_str value = pr_envelope_macro(envelope, PR_STR("!"));
	bool late = value.len > 1 && value.data[1] == '-';
	uint64_t seconds = 0;

	if (value.len < 2 || !pr_str_number(pr_str_slice(value, late ? 2 : 1, value.len), INT32_MAX, &seconds))
		return false;
	*by_out = (struct pr_deliver_by){.flags = (unsigned char)value.data[0], .seconds = late ? -(int64_t)seconds : (int64_t)seconds};
	return true;
}

struct pr_str pr_deliver_by_print(const struct pr_deliver_by *by, struct pr_arena *arena)
{
	return pr_arena_printf(arena, "%c%lld", (int)by->flags, (long long)by->seconds);
}
