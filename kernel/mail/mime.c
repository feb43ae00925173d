/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The message as a whole: it begins as a part begins, but what belongs to its header is kept for whoever prints that.
 */
#include "kernel/mail/mime_internal.h"

#define HEAD_MAX ((size_t)4096)

static bool has_field(const struct mime *mime, struct pr_str name)
{
	return mime_field(mime->fields, mime->count, name) != NULL;
}

static void print_labels(struct mime *mime)
{
	if (!has_field(mime, PR_STR("MIME-Version")))
		pr_text_add_c(&mime->head, "MIME-Version: 1.0\n");
	if (!has_field(mime, PR_STR("Content-Type")))
		pr_text_addf(&mime->head, "Content-Type: text/plain; charset=%.*s\n", PR_PRINT(mime->settings->charset));
	if (mime->form == MIME_LABELLED && !has_field(mime, PR_STR("Content-Transfer-Encoding")))
		pr_text_add_c(&mime->head, "Content-Transfer-Encoding: 8bit\n");
}

static struct pr_str encoding_of(const struct pr_header *fields, size_t count)
{
	const struct pr_header *field = mime_field(fields, count, PR_STR("Content-Transfer-Encoding"));

	return field != NULL ? pr_str_trim(field->value) : PR_STR("");
}

static void begin_decoding(struct mime *mime)
{
	struct pr_str encoding = encoding_of(mime->fields, mime->count);

	pr_text_addf(&mime->head, "Content-Transfer-Encoding: 8bit\nX-MIME-Autoconverted: from %.*s to 8bit by %.*s id %.*s\n", PR_PRINT(encoding),
	    PR_PRINT(mime->settings->host_name), PR_PRINT(mime->settings->id));
	mime_decoder_fini(&mime->decoder);
	mime_decoder_init(&mime->decoder, pr_str_equal_nocase(encoding, PR_STR("base64")));
}

/* From its front; what belongs to the header is told again. */
static void begin_message(struct mime *mime)
{
	while (mime->depth > 0)
		mime_pop(mime);
	pr_text_clear(&mime->head);
	pr_text_clear(&mime->line);
	mime->goes_on = mime->open_line = false;
	mime->nesting = 0;
	mime->choice_at = 0;
	mime->is_outer = true;
	if (mime->form == MIME_TO_EIGHT) {
		begin_decoding(mime);
		return;
	}
	if (mime->form != MIME_CHECKED)
		print_labels(mime);
	mime_begin_entity(mime, mime->fields, mime->count, false, false, &mime->head);
}

struct mime *mime_new(const struct mime_settings *settings, enum mime_form form, const struct pr_header *fields, size_t count)
{
	struct mime *mime = pr_alloc(sizeof *mime);

	mime->settings = settings;
	mime->form = form;
	mime->fields = fields;
	mime->count = count;
	mime->is_looking = form == MIME_TO_SEVEN;
	pr_text_init(&mime->head, HEAD_MAX);
	pr_text_init(&mime->line, MIME_LINE);
	mime_part_init(&mime->part);
	mime_decoder_init(&mime->decoder, false);
	begin_message(mime);
	return mime;
}

void mime_free(struct mime *mime)
{
	if (mime == NULL)
		return;
	while (mime->depth > 0)
		mime_pop(mime);
	mime_part_fini(&mime->part);
	mime_decoder_fini(&mime->decoder);
	pr_text_fini(&mime->head);
	pr_text_fini(&mime->line);
	pr_free(mime->choices);
	pr_free(mime);
}

bool mime_must_look(const struct mime *mime)
{
	return mime->is_looking;
}

void mime_look(struct mime *mime, struct pr_str piece)
{
	mime_walk(mime, piece, NULL);
}

void mime_looked(struct mime *mime)
{
	mime_end_walk(mime, NULL);
	mime->is_looking = false;
	begin_message(mime);
}

bool mime_omits(const struct mime *mime, struct pr_str name)
{
	return (mime->form == MIME_TO_SEVEN || mime->form == MIME_TO_EIGHT) && pr_str_equal_nocase(name, PR_STR("Content-Transfer-Encoding"));
}

struct pr_str mime_head(const struct mime *mime)
{
	return pr_text_str(&mime->head);
}

void mime_feed(struct mime *mime, struct pr_str piece, struct pr_text *out)
{
	size_t before = out->len;

	if (mime->form != MIME_TO_EIGHT) {
		mime_walk(mime, piece, out);
		return;
	}
	mime_decoder_add(&mime->decoder, piece, out);
	if (out->len > before)
		mime->open_line = out->data[out->len - 1] != '\n';
}

/* Decoded text ends with a line end, and where there was one it gets another: sendmail's way. */
void mime_finish(struct mime *mime, struct pr_text *out)
{
	if (mime->form != MIME_TO_EIGHT) {
		mime_end_walk(mime, out);
		return;
	}
	mime_decoder_end(&mime->decoder, out);
	pr_text_add_byte(out, '\n');
}

void mime_rewind(struct mime *mime)
{
	begin_message(mime);
}

bool mime_is_encoded_text(const struct pr_header *fields, size_t count)
{
	const struct pr_header *type = mime_field(fields, count, PR_STR("Content-Type"));
	struct pr_str encoding = encoding_of(fields, count), text = type != NULL ? pr_str_trim(type->value) : PR_STR("");

	if (!pr_str_equal_nocase(encoding, PR_STR("quoted-printable")) && !pr_str_equal_nocase(encoding, PR_STR("base64")))
		return false;
	return pr_str_has_prefix_nocase(text, PR_STR("text/plain")) && (text.len == 10 || text.data[10] == ' ' || text.data[10] == ';');
}

bool mime_has_parts(const struct pr_header *fields, size_t count)
{
	struct mime_type type;

	if (mime_field(fields, count, PR_STR("Content-Type")) == NULL)
		return false;
	mime_type_read(fields, count, false, &type);
	return pr_str_equal_nocase(pr_str(type.type), PR_STR("multipart")) || pr_str_equal_nocase(pr_str(type.type), PR_STR("message"));
}
