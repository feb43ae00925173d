/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A piece that needs no change goes from the store into the mailer's buffer and nowhere else; one that does is written anew into a text of our own,
 * which the mailer empties before the store is asked again.
 */
#include "kernel/courier/body.h"

#include <string.h>

#define SHAPED_MAX ((size_t)8 << 20) /* one piece of the store, at most so much longer */

static enum pr_status read_store(struct body_reader *reader, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	*length_out = 0;
	if (reader->inner->length >= 0 && reader->at == reader->inner->length)
		return PR_OK;
	enum pr_status status = body_read(reader->scope, reader->inner, buffer, room, length_out);
	if (status != PR_OK)
		call->reason = reader->scope->reason;
	else if (*length_out == 0 && reader->at < reader->inner->length)
		return pr_fail(call, PR_TEMPFAIL, "the body ends before its time");
	reader->at += (int64_t)*length_out;
	return status;
}

/* The next bytes of what was written anew; false: there are none. */
static bool give_shaped(struct body_reader *reader, char *buffer, size_t room, size_t *length_out)
{
	size_t left = reader->shaped.len - reader->given, take = left < room ? left : room;

	if (left == 0)
		return false;
	memcpy(buffer, reader->shaped.data + reader->given, take);
	reader->given += take;
	*length_out = take;
	return true;
}

static enum pr_status read_shaped(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct body_reader *reader = body->context;
	enum pr_status status;

	if (reader->is_plain)
		return read_store(reader, call, buffer, room, length_out);
	while (!give_shaped(reader, buffer, room, length_out)) {
		pr_text_clear(&reader->shaped);
		reader->given = 0;
		if (reader->is_over) {
			*length_out = 0;
			return PR_OK;
		}
		status = read_store(reader, call, buffer, room, length_out);
		if (status != PR_OK)
			return status;
		struct pr_str piece = {buffer, *length_out};
		if (shaper_passes(&reader->shaper, piece))
			return PR_OK;
		reader->is_over = piece.len == 0;
		if (reader->is_over)
			shaper_finish(&reader->shaper, &reader->shaped);
		else
			shaper_feed(&reader->shaper, piece, &reader->shaped);
		if (reader->shaped.overflow)
			return pr_fail(call, PR_TEMPFAIL, "a piece of the body is too long for this mailer");
	}
	return PR_OK;
}

static enum pr_status rewind_shaped(struct pr_body *body, struct pr_call *call)
{
	struct body_reader *reader = body->context;

	shaper_init(&reader->shaper, &reader->shape);
	pr_text_clear(&reader->shaped);
	reader->given = 0;
	reader->is_over = false;
	if (reader->at == 0)
		return PR_OK;
	reader->at = 0;
	enum pr_status status = body_rewind(reader->scope, reader->inner);
	if (status != PR_OK)
		call->reason = reader->scope->reason;
	return status;
}

void body_reader_init(struct body_reader *reader, struct module_scope *scope, struct pr_body *inner, const struct module_instance *mailer)
{
	*reader = (struct body_reader){.scope = scope, .inner = inner, .shape = module_mailer_shape(mailer)};
	reader->is_plain = shape_is_plain(&reader->shape);
	reader->body = (struct pr_body){.size = sizeof reader->body, .length = reader->is_plain ? inner->length : -1, .context = reader,
	                                .read = read_shaped, .rewind = rewind_shaped};
	shaper_init(&reader->shaper, &reader->shape);
	pr_text_init(&reader->shaped, SHAPED_MAX);
}

void body_reader_fini(struct body_reader *reader)
{
	pr_text_fini(&reader->shaped);
}
