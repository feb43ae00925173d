/* SPDX-License-Identifier: BSD-2-Clause
 *
 * While the body is looked at nothing is written, and a choice is noted for each part that may be encoded; then it is taken.
 */
#include "kernel/mail/mime_internal.h"

#define CHOICES_MAX ((size_t)1 << 20) /* parts of which a choice is kept: what is beyond goes into base64 */
#define SAMPLE 4096                   /* bytes after which a part that is a quarter of eight bits is not counted further */

bool mime_is_verbatim(const struct mime *mime)
{
	return mime->form != MIME_TO_SEVEN;
}

void mime_put(struct mime *mime, struct pr_str text, struct pr_text *out)
{
	if (mime->is_looking || text.len == 0)
		return;
	pr_text_add_str(out, text);
	mime->open_line = text.data[text.len - 1] != '\n';
}

void mime_putf(struct mime *mime, struct pr_text *out, const char *format, ...)
{
	va_list args;

	if (mime->is_looking)
		return;
	va_start(args, format);
	pr_text_addv(out, format, args);
	va_end(args);
	mime->open_line = false;
}

/* The empty line; that of the message itself is the printer's, and one that is missing is none of ours unless we wrote the header. */
void mime_end_header(struct mime *mime, struct pr_text *out)
{
	if (!mime->is_outer && (mime->has_empty_line || !mime_is_verbatim(mime)))
		mime_put(mime, PR_STR("\n"), out);
	mime->is_outer = false;
}

static enum mime_choice choose(const struct mime *mime)
{
	if (mime->leaf_binary && mime->high > 0 && !mime->leaf_quoted)
		return MIME_CHOICE_BASE64;
	if (mime->high == 0)
		return MIME_CHOICE_AS_IT_IS;
	return mime->size / 8 < mime->high && !mime->leaf_quoted ? MIME_CHOICE_BASE64 : MIME_CHOICE_QUOTED;
}

static void note_choice(struct mime *mime)
{
	if (mime->choice_count == CHOICES_MAX)
		return;
	if (mime->choice_count == mime->choice_room) {
		mime->choice_room = mime->choice_room > 0 ? 2 * mime->choice_room : 64;
		mime->choices = pr_resize(mime->choices, mime->choice_room);
	}
	mime->choices[mime->choice_count++] = (unsigned char)choose(mime);
}

static enum mime_choice next_choice(struct mime *mime)
{
	return mime->choice_at < mime->choice_count ? (enum mime_choice)mime->choices[mime->choice_at++] : MIME_CHOICE_BASE64;
}

void mime_begin_leaf(struct mime *mime, const struct mime_type *type, bool is_never, struct pr_text *out)
{
	const struct mime_settings *settings = mime->settings;

	mime->place = MIME_IN_LEAF;
	mime->size = mime->high = 0;
	mime->is_counted_out = false;
	mime->leaf_quoted = mime_type_is_in(type, &settings->quoted);
	mime->leaf_binary = pr_str_equal_nocase(pr_str(type->encoding), PR_STR("binary"));
	mime->choice = is_never || mime_is_verbatim(mime) ? MIME_CHOICE_AS_IT_IS : mime->is_looking ? MIME_CHOICE_COUNTED : next_choice(mime);
	if (mime->choice == MIME_CHOICE_AS_IT_IS) {
		if (type->encoding[0] != '\0' && !mime_is_verbatim(mime))
			mime_putf(mime, out, "Content-Transfer-Encoding: %s\n", type->encoding);
	} else if (mime->choice != MIME_CHOICE_COUNTED) {
		bool quoted = mime->choice == MIME_CHOICE_QUOTED;
		const char *word = quoted ? "quoted-printable" : "base64";
		mime_putf(mime, out, "Content-Transfer-Encoding: %s\nX-MIME-Autoconverted: from 8bit to %s by %.*s id %.*s\n", word, word,
		    PR_PRINT(settings->host_name), PR_PRINT(settings->id));
		mime_encoder_begin(&mime->encoder, quoted ? MIME_QUOTED : MIME_BASE64, settings->quote_from, settings->ebcdic);
	}
	mime_end_header(mime, out);
}

static void count(struct mime *mime, struct pr_str text)
{
	if (mime->is_counted_out)
		return;
	mime->size += text.len;
	for (size_t i = 0; i < text.len; i++)
		mime->high += (unsigned char)text.data[i] >> 7;
	mime->is_counted_out = mime->size >= SAMPLE && mime->high > mime->size / 4;
}

void mime_leaf_line(struct mime *mime, struct pr_str text, struct pr_text *out)
{
	if (mime->choice == MIME_CHOICE_COUNTED)
		count(mime, text);
	else if (mime->choice == MIME_CHOICE_AS_IT_IS)
		mime_put(mime, text, out);
	else
		mime_encoder_add(&mime->encoder, text, out);
}

void mime_end_leaf(struct mime *mime, bool at_boundary, struct pr_text *out)
{
	if (mime->place != MIME_IN_LEAF)
		return;
	if (mime->choice == MIME_CHOICE_COUNTED)
		note_choice(mime);
	else if (mime->choice != MIME_CHOICE_AS_IT_IS)
		mime_encoder_end(&mime->encoder, at_boundary, mime->depth > 0, out);
	if (mime->choice != MIME_CHOICE_AS_IT_IS)
		mime->open_line = false;
}
