/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A piece that needs no change goes from the store into the mailer's buffer and nowhere else; one that does is written anew into a text of our own,
 * which the mailer empties before the store is asked again.  So does all that is in another form than it lies in the store.
 */
#include "kernel/courier/body.h"

#include "kernel/courier/content.h"

#include <string.h>

#define SHAPED_MAX ((size_t)8 << 20) /* one piece of the store, at most so much longer */
#define RAW_PIECE ((size_t)32 << 10)

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

/* Of a mailer with flag 7, what nobody could encode. */
static void strip_high_bits(const struct body_reader *reader, char *bytes, size_t length)
{
	for (size_t i = 0; reader->content.strip_high && i < length; i++)
		bytes[i] &= 0x7f;
}

/* The next piece of the store, in its form, written behind what is shaped. */
static enum pr_status read_converted(struct body_reader *reader, struct pr_call *call)
{
	size_t length = 0;
	enum pr_status status = read_store(reader, call, reader->raw, RAW_PIECE, &length);

	if (status != PR_OK)
		return status;
	pr_text_clear(&reader->converted);
	reader->is_over = length == 0;
	if (reader->is_over)
		mime_finish(reader->mime, &reader->converted);
	else
		mime_feed(reader->mime, (struct pr_str){reader->raw, length}, &reader->converted);
	strip_high_bits(reader, reader->converted.data, reader->converted.len);
	struct pr_str piece = pr_text_str(&reader->converted);
	if (shape_is_plain(&reader->shape) || shaper_passes(&reader->shaper, piece))
		pr_text_add_str(&reader->shaped, piece);
	else
		shaper_feed(&reader->shaper, piece, &reader->shaped);
	if (reader->is_over && !shape_is_plain(&reader->shape))
		shaper_finish(&reader->shaper, &reader->shaped);
	return PR_OK;
}

/* The next piece as it lies in the store: into the buffer when it passes (*length_out), else behind what is shaped. */
static enum pr_status read_as_it_is(struct body_reader *reader, struct pr_call *call, char *buffer, size_t room, size_t *length_out)
{
	enum pr_status status = read_store(reader, call, buffer, room, length_out);

	if (status != PR_OK)
		return status;
	strip_high_bits(reader, buffer, *length_out);
	struct pr_str piece = {buffer, *length_out};
	if (reader->is_plain || shaper_passes(&reader->shaper, piece))
		return PR_OK;
	reader->is_over = piece.len == 0;
	if (reader->is_over)
		shaper_finish(&reader->shaper, &reader->shaped);
	else
		shaper_feed(&reader->shaper, piece, &reader->shaped);
	*length_out = 0;
	return PR_OK;
}

static enum pr_status read_shaped(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct body_reader *reader = body->context;

	while (!give_shaped(reader, buffer, room, length_out)) {
		pr_text_clear(&reader->shaped);
		reader->given = 0;
		*length_out = 0;
		if (reader->is_over)
			return PR_OK;
		enum pr_status status = reader->mime != NULL ? read_converted(reader, call) : read_as_it_is(reader, call, buffer, room, length_out);
		if (status != PR_OK || *length_out > 0 || (reader->is_plain && reader->shaped.len == 0))
			return status;
		if (reader->shaped.overflow || reader->converted.overflow)
			return pr_fail(call, PR_TEMPFAIL, "a piece of the body is too long for this mailer");
	}
	return PR_OK;
}

static enum pr_status rewind_shaped(struct pr_body *body, struct pr_call *call)
{
	struct body_reader *reader = body->context;

	shaper_init(&reader->shaper, &reader->shape);
	pr_text_clear(&reader->shaped);
	if (reader->mime != NULL)
		mime_rewind(reader->mime);
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

static enum pr_status look(struct body_reader *reader, struct pr_call *call)
{
	enum pr_status status;
	size_t length = 0;

	do {
		status = read_store(reader, call, reader->raw, RAW_PIECE, &length);
		if (status == PR_OK)
			mime_look(reader->mime, (struct pr_str){reader->raw, length});
	} while (status == PR_OK && length > 0);
	mime_looked(reader->mime);
	return status;
}

static enum pr_status take_form(struct body_reader *reader, struct pr_call *call, enum mime_form form)
{
	enum pr_status status;

	if (form == reader->form)
		return PR_OK;
	mime_free(reader->mime);
	reader->content.mime = reader->mime = NULL;
	reader->form = MIME_AS_IT_IS;
	status = rewind_shaped(&reader->body, call);
	if (status == PR_OK && form != MIME_AS_IT_IS) {
		if (reader->raw == NULL)
			reader->raw = pr_alloc(RAW_PIECE);
		reader->content.mime = reader->mime = mime_new(&reader->content.settings, form, reader->envelope->headers, reader->envelope->header_count);
		if (mime_must_look(reader->mime))
			status = look(reader, call);
		if (status == PR_OK)
			status = rewind_shaped(&reader->body, call);
	}
	if (status != PR_OK) {
		mime_free(reader->mime);
		reader->content.mime = reader->mime = NULL;
	} else {
		reader->form = form;
	}
	reader->is_plain = reader->mime == NULL && shape_is_plain(&reader->shape);
	reader->body.length = reader->is_plain ? reader->inner->length : -1;
	return status;
}

static enum pr_status fit(struct module_content *content, struct pr_call *call, uint32_t offers, uint32_t *form_out)
{
	struct body_reader *reader = content->context;
	enum pr_status status = take_form(reader, call, content_form(reader->mailer, reader->envelope, offers, &content->strip_high));

	if (status == PR_OK)
		*form_out = content_holds(reader->envelope, reader->form);
	return status;
}

void body_reader_init(struct body_reader *reader, struct module_scope *scope, struct pr_body *inner, const struct module_instance *mailer,
    const struct pr_envelope *envelope)
{
	*reader = (struct body_reader){.scope = scope, .inner = inner, .shape = module_mailer_shape(mailer), .mailer = mailer, .envelope = envelope,
	                               .content = {.fit = fit}};
	reader->content.context = reader;
	content_settings(scope, mailer, envelope, &reader->content.settings);
	reader->is_plain = shape_is_plain(&reader->shape);
	reader->body = (struct pr_body){.size = sizeof reader->body, .length = reader->is_plain ? inner->length : -1, .context = reader,
	                                .read = read_shaped, .rewind = rewind_shaped};
	shaper_init(&reader->shaper, &reader->shape);
	pr_text_init(&reader->shaped, SHAPED_MAX);
	pr_text_init(&reader->converted, SHAPED_MAX);
}

enum pr_status body_reader_begin(struct body_reader *reader)
{
	struct pr_call call = {.arena = reader->scope->arena};
	enum pr_status status =
	    take_form(reader, &call, content_form(reader->mailer, reader->envelope, CONTENT_HOST_UNKNOWN, &reader->content.strip_high));

	if (status != PR_OK)
		reader->scope->reason = call.reason;
	return status;
}

void body_reader_fini(struct body_reader *reader)
{
	mime_free(reader->mime);
	pr_text_fini(&reader->shaped);
	pr_text_fini(&reader->converted);
	pr_free(reader->raw);
}
