/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MIME: a message read whole and in cuts, once and again, becomes the same message; where nothing is to be changed no byte is; what is
 * encoded has no eighth bit; what was encoded and is decoded is what it was.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/mail/mime_decode.h"
#include "kernel/mail/mime_encode.h"
#include "kernel/mail/mime_form.h"
#include "kernel/mail/mime_limit.h"
#include "kernel/mail/mime_part.h"

#define OUT_MAX ((size_t)4 << 20)

static const struct pr_str never[] = {PR_STR_INIT("multipart/signed")}, encodable[] = {PR_STR_INIT("7bit"), PR_STR_INIT("8bit"), PR_STR_INIT("binary")},
                           messages[] = {PR_STR_INIT("rfc822")}, quoted[] = {PR_STR_INIT("image")};

static size_t cut(struct pr_str rest, uint32_t *cuts)
{
	size_t piece = *cuts != 0 ? 1 + fuzz_random(cuts) % 7 : rest.len;

	return piece < rest.len ? piece : rest.len;
}

static void write_all(struct mime *mime, struct pr_str body, uint32_t cuts, struct pr_text *out)
{
	while (body.len > 0) {
		size_t piece = cut(body, &cuts);
		mime_feed(mime, pr_str_slice(body, 0, piece), out);
		body = pr_str_slice(body, piece, body.len);
	}
	mime_finish(mime, out);
	FUZZ_CHECK(!out->overflow);
}

static struct mime *look_at(const struct mime_settings *settings, enum mime_form form, const struct mime_part *header, struct pr_str body, uint32_t cuts)
{
	struct mime *mime = mime_new(settings, form, header->fields, header->count);

	if (!mime_must_look(mime))
		return mime;
	while (body.len > 0) {
		size_t piece = cut(body, &cuts);
		mime_look(mime, pr_str_slice(body, 0, piece));
		body = pr_str_slice(body, piece, body.len);
	}
	mime_looked(mime);
	return mime;
}

static void check_form(const struct mime_settings *settings, enum mime_form form, const struct mime_part *header, struct pr_str body, uint32_t cuts)
{
	struct mime *whole = look_at(settings, form, header, body, 0), *other = look_at(settings, form, header, body, cuts);
	struct pr_text out, again;

	pr_text_init(&out, OUT_MAX);
	pr_text_init(&again, OUT_MAX);
	FUZZ_CHECK(pr_str_equal(mime_head(whole), mime_head(other)));
	write_all(whole, body, 0, &out);
	write_all(other, body, cuts, &again);
	FUZZ_CHECK(pr_str_equal(pr_text_str(&out), pr_text_str(&again)));
	mime_rewind(other);
	pr_text_clear(&again);
	write_all(other, body, cuts + 1, &again);
	FUZZ_CHECK(pr_str_equal(pr_text_str(&out), pr_text_str(&again)));
	if (form == MIME_CHECKED && settings->header_max == 0)
		FUZZ_CHECK(pr_str_equal(pr_text_str(&out), body));
	mime_free(whole);
	mime_free(other);
	pr_text_fini(&out);
	pr_text_fini(&again);
}

/* base64 wants CR LF line ends, so a CR before one is lost on the way back. */
static bool has_cr(struct pr_str text)
{
	return pr_str_find(text, '\r') < text.len;
}

static void check_round(enum mime_encoding encoding, struct pr_str text, uint32_t flags)
{
	struct mime_encoder encoder;
	struct mime_decoder decoder;
	struct pr_text coded, plain;

	pr_text_init(&coded, OUT_MAX);
	pr_text_init(&plain, OUT_MAX);
	mime_encoder_begin(&encoder, encoding, flags & 1, flags & 2);
	mime_encoder_add(&encoder, text, &coded);
	mime_encoder_end(&encoder, false, false, &coded);
	for (size_t i = 0; i < coded.len; i++)
		FUZZ_CHECK((unsigned char)coded.data[i] < 0x7f);
	mime_decoder_init(&decoder, encoding == MIME_BASE64);
	mime_decoder_add(&decoder, pr_text_str(&coded), &plain);
	mime_decoder_end(&decoder, &plain);
	if (text.len > 0 && text.data[text.len - 1] != '\n' && encoding == MIME_QUOTED)
		pr_text_cut(&plain, plain.len - 1); /* a line that was open has an end */
	if (encoding == MIME_QUOTED || !has_cr(text))
		FUZZ_CHECK(pr_str_equal(pr_text_str(&plain), text));
	mime_decoder_fini(&decoder);
	pr_text_fini(&coded);
	pr_text_fini(&plain);
}

static void check_limit(struct pr_str value, uint32_t flags)
{
	struct pr_text out;

	pr_text_init(&out, OUT_MAX);
	mime_limit_print(flags & 4 ? 50 : 0, flags & 8 ? 20 : 0, flags & 1 ? PR_STR("Content-Type") : PR_STR("Content-ID"), value, &out);
	FUZZ_CHECK(out.len <= value.len + 2 && ((flags & 4) == 0 || out.len <= 51));
	pr_text_fini(&out);
}

/* Up to the empty line. */
static struct pr_str take_header(struct mime_part *part, struct pr_str text)
{
	enum mime_part_line kind = MIME_PART_MORE;

	mime_part_begin(part);
	while (text.len > 0 && kind == MIME_PART_MORE) {
		struct pr_str line = pr_str_slice(text, 0, pr_str_find(text, '\n') + 1);
		kind = mime_part_add(part, line, true);
		if (kind == MIME_PART_MORE || kind == MIME_PART_OVER)
			text = pr_str_slice(text, line.len, text.len);
	}
	mime_part_read(part);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_part header;

	if (size < 2 || size > 65536)
		return 0;
	struct mime_settings settings = {.host_name = PR_STR("h"), .id = PR_STR("ID"), .charset = PR_STR("x"), .never = {never, 1}, .quoted = {quoted, data[0] & 1},
	    .encodable = {encodable, 3}, .messages = {messages, 1}, .header_max = data[0] & 2 ? 100 : 0, .field_max = data[0] & 2 ? 50 : 0,
	    .quote_from = data[0] & 4, .ebcdic = data[0] & 8};
	struct pr_str text = {(const char *)data + 2, size - 2};
	mime_part_init(&header);
	struct pr_str body = take_header(&header, text);
	for (enum mime_form form = MIME_CHECKED; form <= MIME_TO_EIGHT; form++)
		check_form(&settings, form, &header, body, data[1] + 1u);
	check_round(MIME_QUOTED, body, data[0]);
	check_round(MIME_BASE64, body, data[0]);
	check_limit(pr_str_slice(text, 0, pr_str_find(text, '\n')), data[0]);
	mime_part_fini(&header);
	return 0;
}
