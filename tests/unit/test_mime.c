/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forms of a message.  Each is written whole, byte by byte and in random cuts: the same comes out.  What it is was written by real sendmail, but for the rows
 * that say otherwise; tests/oracle/mime asks it about many more.
 */
#include "kernel/mail/mime_decode.h"
#include "kernel/mail/mime_form.h"
#include "kernel/mail/mime_limit.h"
#include "kernel/mail/mime_part.h"
#include "kernel/mail/mime_type.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct pr_str never[] = {PR_STR_INIT("multipart/signed")}, messages[] = {PR_STR_INIT("rfc822")},
                           encodable[] = {PR_STR_INIT("7bit"), PR_STR_INIT("8bit"), PR_STR_INIT("binary")};
static const struct mime_settings usual = {.host_name = PR_STR_INIT("h.example"), .id = PR_STR_INIT("ID"), .charset = PR_STR_INIT("unknown-8bit"),
    .never = {never, 1}, .encodable = {encodable, 3}, .messages = {messages, 1}, .header_max = 200, .field_max = 60};

#define AUTO(word) "Content-Transfer-Encoding: " word "\nX-MIME-Autoconverted: from 8bit to " word " by h.example id ID\n"
#define EIGHT "Content-Transfer-Encoding: 8bit\n"

static const struct row {
	enum mime_form form;
	const char *header, *body, *head, *wanted;
} rows[] = {
    {MIME_TO_SEVEN, "", "caf\xe9 and some more words\n", "MIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\n" AUTO("quoted-printable"), "caf=E9 and some more words\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\n", "\xe9\xe8\n", "Content-Type: text/plain; charset=unknown-8bit\n" AUTO("base64"), "6egNCg==\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: text/plain\n", "plain\n", "", "plain\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: text/plain\n" EIGHT, "plain\n", EIGHT, "plain\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: application/x\nContent-Transfer-Encoding: binary\n", "many, many words and one \xe9\n", AUTO("base64"), "bWFueSwgbWFueSB3b3JkcyBhbmQgb25lIOkNCg==\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: x-own\n", "\xe9\n", "Content-Transfer-Encoding: x-own\n", "\xe9\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b\n" EIGHT, "--b\n\n\xe9\n--b--\n", EIGHT, "--b\n\n\xe9\n--b--\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b b\"\n" EIGHT,
     "before\n--b b\nX-One:  1 \n" EIGHT "\ncaf\xe9, coffee\n\n--b b \n\nplain\n--b b--\nafter\n", "",
     "before\n--b b\nX-One:  1 \n" AUTO("quoted-printable") "\ncaf=E9, coffee\n\n--b b\n\nplain\n--b b--\nafter\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=b\n", "--b\n\nSubject: x\n\n\xe9, and on and on\n--b--\n", "",
     "--b\n\nSubject: x\nMIME-Version: 1.0\n" AUTO("quoted-printable") "\n=E9, and on and on\n--b--\n"},
    /* ours: the outer boundary closes the inner multipart */
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n", "--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\na\n--b\n\nb\n--b--\n", "",
     "--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\na\n--c--\n--b\n\nb\n--b--\n"},
    {MIME_TO_SEVEN, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n", "--b\n\nopen \xe9, and on and on", "", "--b\n" AUTO("quoted-printable") "\nopen =E9, and on and on\n--b--\n"},
    {MIME_LABELLED, "", "caf\xe9\n", "MIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\n" EIGHT, "caf\xe9\n"},
    {MIME_LABELLED, "Content-Type: text/x\n", "caf\xe9\n", "MIME-Version: 1.0\n" EIGHT, "caf\xe9\n"},
    {MIME_TO_EIGHT, "Content-Type: text/plain\nContent-Transfer-Encoding: Quoted-Printable\n", "caf=C3=A9=\n and =3D =zz = \n=2E\n",
     EIGHT "X-MIME-Autoconverted: from Quoted-Printable to 8bit by h.example id ID\n", "caf\xc3\xa9 and = =zz .\n\n"},
    {MIME_TO_EIGHT, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", "Y2Fmw6kN\nCg==\nrest\n", EIGHT "X-MIME-Autoconverted: from base64 to 8bit by h.example id ID\n", "caf\xc3\xa9\n\n"},
    {MIME_CHECKED, "Content-Type: multipart/mixed; boundary=b\n", "--b  \nA : 1\nno header\n--b--\n", "", "--b  \nA : 1\nno header\n--b--\n"},
    {MIME_CHECKED, "Content-Type: multipart/mixed; boundary=b\n",
     "--b\nContent-Type: text/plain; name=\"0123456789012345678901234567890123456789012345678901234567890123456789\"; x=y\n\n--b--\n", "",
     "--b\nContent-Type: text/plain; name=\"01234567890123456789012345678901234567890123456789012\"; x=y\n\n--b--\n"},
};

static struct pr_str take(struct pr_str *rest, unsigned int mode)
{
	size_t length = mode == 0 ? rest->len : mode == 1 ? 1 : 1 + (size_t)rand() % 9;
	struct pr_str piece = pr_str_slice(*rest, 0, length);

	*rest = pr_str_slice(*rest, length, rest->len);
	return piece;
}

static void read_header(struct mime_part *part, struct pr_str text)
{
	mime_part_init(part);
	mime_part_begin(part);
	while (text.len > 0) {
		size_t length = pr_str_find(text, '\n') + 1;
		CU_ASSERT_EQUAL(mime_part_add(part, pr_str_slice(text, 0, length), true), MIME_PART_MORE);
		text = pr_str_slice(text, length, text.len);
	}
	mime_part_read(part);
}

static void run(const struct row *row, unsigned int mode, struct pr_text *head, struct pr_text *out)
{
	struct mime_part part;
	struct pr_str body = pr_str(row->body), rest = body;

	read_header(&part, pr_str(row->header));
	struct mime *mime = mime_new(&usual, row->form, part.fields, part.count);
	if (mime_must_look(mime)) {
		while (rest.len > 0)
			mime_look(mime, take(&rest, mode));
		mime_looked(mime);
	}
	pr_text_add_str(head, mime_head(mime));
	for (unsigned int turn = 0; turn < 2; turn++) { /* the second time as the first */
		pr_text_clear(out);
		for (rest = body; rest.len > 0;)
			mime_feed(mime, take(&rest, mode), out);
		mime_finish(mime, out);
		mime_rewind(mime);
	}
	mime_free(mime);
	mime_part_fini(&part);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (unsigned int mode = 0; mode < 20; mode++) {
			struct pr_text head, out;
			pr_text_init(&head, 10000);
			pr_text_init(&out, 10000);
			run(&rows[i], mode, &head, &out);
			CU_ASSERT_STRING_EQUAL(head.data, rows[i].head);
			CU_ASSERT_STRING_EQUAL(out.data, rows[i].wanted);
			if (strcmp(out.data, rows[i].wanted) != 0 || strcmp(head.data, rows[i].head) != 0) {
				printf("\n  row %zu, mode %u\n  wanted %s|%s\n  got    %s|%s", i, mode, rows[i].head, rows[i].wanted, head.data, out.data);
				mode = 20;
			}
			pr_text_fini(&head);
			pr_text_fini(&out);
		}
}

static void test_forms(void)
{
	static const struct pr_header mime[] = {{PR_STR_INIT("MIME-Version"), PR_STR_INIT(" 1.0"), PR_STR_INIT("")}};
	static const struct pr_header coded[] = {{PR_STR_INIT("content-type"), PR_STR_INIT(" Text/Plain; x=y"), PR_STR_INIT("")},
	    {PR_STR_INIT("Content-Transfer-Encoding"), PR_STR_INIT(" BASE64"), PR_STR_INIT("")}};
	static const struct pr_header parts[] = {{PR_STR_INIT("Content-Type"), PR_STR_INIT(" multipart/mixed"), PR_STR_INIT("")}};
	static const struct {
		struct mime_question question;
		enum mime_form wanted;
	} asked[] = {
	    {{NULL, 0, false, false, 'm', true, false, false, true, true}, MIME_AS_IT_IS},
	    {{NULL, 0, true, false, 'p', false, false, false, true, true}, MIME_AS_IT_IS},
	    {{NULL, 0, true, true, 'p', false, false, false, true, true}, MIME_TO_SEVEN},
	    {{mime, 1, true, false, 'p', false, false, false, true, true}, MIME_TO_SEVEN},
	    {{mime, 1, true, false, 'p', false, true, false, true, true}, MIME_AS_IT_IS},
	    {{NULL, 0, true, false, 'p', true, true, false, false, true}, MIME_TO_SEVEN},
	    {{NULL, 0, true, false, 's', false, false, false, true, true}, MIME_TO_SEVEN},
	    {{NULL, 0, true, false, 'm', false, false, false, false, true}, MIME_LABELLED},
	    {{NULL, 0, true, false, 'm', false, true, false, false, true}, MIME_AS_IT_IS},
	    {{coded, 2, false, false, 'p', false, false, true, false, true}, MIME_TO_EIGHT},
	    {{coded, 2, false, false, 'p', true, false, true, false, true}, MIME_AS_IT_IS},
	    {{coded, 2, false, false, 'p', false, false, false, false, true}, MIME_AS_IT_IS},
	    {{parts, 1, false, false, 'p', false, false, false, false, true}, MIME_CHECKED},
	    {{parts, 1, false, false, 'p', false, false, false, false, false}, MIME_AS_IT_IS},
	};

	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
		CU_ASSERT_EQUAL(mime_choose(&asked[i].question), asked[i].wanted);
}

/* The second part is worth base64, and none of it is kept: 40 MB go through in pieces, and no more than a piece is ever there. */
static void test_large(void)
{
	static const struct pr_header fields[] = {{PR_STR_INIT("Content-Type"), PR_STR_INIT(" multipart/mixed; boundary=b"), PR_STR_INIT("")}};
	struct mime *mime = mime_new(&usual, MIME_TO_SEVEN, fields, 1);
	char piece[40000];
	struct pr_text out;
	size_t total = 0;

	memset(piece, '\xe9', sizeof piece);
	for (size_t i = 79; i < sizeof piece; i += 80)
		piece[i] = '\n';
	mime_look(mime, PR_STR("--b\n\nplain\n--b\n\n"));
	for (int i = 0; i < 1000; i++)
		mime_look(mime, (struct pr_str){piece, sizeof piece});
	mime_looked(mime);
	pr_text_init(&out, 3 * sizeof piece);
	mime_feed(mime, PR_STR("--b\n\nplain\n--b\n\n"), &out);
	for (int i = 0; i < 1000; i++) {
		pr_text_clear(&out);
		mime_feed(mime, (struct pr_str){piece, sizeof piece}, &out);
		total += out.len;
		CU_ASSERT_FALSE(out.overflow);
	}
	mime_finish(mime, &out);
	CU_ASSERT(total > 54000000 && total < 55500000); /* 81 bytes for 80, four for three, 73 for 72 */
	pr_text_fini(&out);
	mime_free(mime);
}

/* 30 parts in parts, and a header of a part without end: they pass. */
static void test_too_much(void)
{
	static const struct pr_header fields[] = {{PR_STR_INIT("Content-Type"), PR_STR_INIT(" multipart/mixed; boundary=b"), PR_STR_INIT("")}};
	struct pr_text body, out;

	pr_text_init(&body, 1 << 20);
	pr_text_init(&out, 1 << 20);
	for (int i = 0; i < 30; i++)
		pr_text_addf(&body, "--%s\nContent-Type: multipart/mixed; boundary=b%d\n\n", i == 0 ? "b" : "x", i);
	pr_text_add_c(&body, "--b\n");
	while (body.len < 2 * PART_HEADER_MAX)
		pr_text_add_c(&body, "X-Name: and so on\n");
	pr_text_add_c(&body, "\nbody\n--b--\n");
	struct mime *mime = mime_new(&usual, MIME_CHECKED, fields, 1);
	mime_feed(mime, pr_text_str(&body), &out);
	mime_finish(mime, &out);
	CU_ASSERT_TRUE(pr_str_equal(pr_text_str(&body), pr_text_str(&out)));
	mime_free(mime);
	pr_text_fini(&body);
	pr_text_fini(&out);
}

static void test_types(void)
{
	static const struct {
		const char *value, *type, *subtype, *boundary;
	} typed[] = {
	    {" multipart/mixed; boundary=b", "multipart", "mixed", "b"}, {"Text / Plain (a;b) ; charset=x", "Text", "Plain", ""},
	    {"a/b; boundary=\"x \\\" y\"; boundary=z", "a", "b", "x \" y"}, {"a/b; boundary=----=_Part.1:2; x", "a", "b", "----=_Part.1:2"},
	    {"a/b; boundary=", "a", "b", ""}, {"a", "a", "-none-", ""}, {"", "-none-", "-none-", ""}, {"a/b;;boundary = c", "a", "b", "c"},
	};

	for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
		struct pr_header field = {PR_STR("Content-Type"), pr_str(typed[i].value), PR_STR("")};
		struct mime_type type;
		mime_type_read(&field, 1, false, &type);
		CU_ASSERT_STRING_EQUAL(type.type, typed[i].type);
		CU_ASSERT_STRING_EQUAL(type.subtype, typed[i].subtype);
		CU_ASSERT_STRING_EQUAL(type.boundary, typed[i].boundary);
	}
}

static const struct unit_case cases[] = {{"whole, by bytes, in cuts", test_rows}, {"which form", test_forms}, {"40 MB", test_large}, {"too much", test_too_much},
    {"types", test_types}, {NULL, NULL}};
UNIT_MAIN("mime", cases)
