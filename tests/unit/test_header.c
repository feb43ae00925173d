/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header code: every header is read whole, byte by byte and in random cuts, and must come out the same.
 * Completing, dates and rewriting are checked against what sendmail prints.
 */
#include "kernel/mail/header.h"
#include "tests/unit/unit.h"

#include <string.h>

static uint32_t seed;

static size_t random_up_to(size_t most)
{
	seed = seed * 1664525u + 1013904223u;
	return 1 + (seed >> 8) % most;
}

/* Prints fields as "[name|value]", then "rest+body" behind a slash, "!" when too large. */
static void read_header(struct pr_str text, size_t max, int mode, struct pr_text *out)
{
	struct header_reader *reader = header_reader_new(max);
	size_t at = 0, count;
	bool done = false;

	while (at < text.len && !done) {
		size_t piece = mode == 0 ? text.len : mode == 1 ? 1 : random_up_to(7);
		if (piece > text.len - at)
			piece = text.len - at;
		at += header_reader_input(reader, text.data + at, piece, &done);
	}
	if (!done)
		header_reader_end(reader);
	const struct pr_header *fields = header_reader_fields(reader, &count);
	for (size_t i = 0; i < count; i++) {
		pr_text_addf(out, "[%s|%s]", fields[i].name.data, fields[i].value.data);
		CU_ASSERT_EQUAL(strlen(fields[i].name.data), fields[i].name.len);
	}
	pr_text_addf(out, "%s/", header_reader_too_large(reader) ? "!" : "");
	pr_text_add_str(out, header_reader_rest(reader));
	pr_text_add_str(out, pr_str_slice(text, at, text.len));
	header_reader_free(reader);
}

static void check_header(const char *text, size_t max, const char *expected)
{
	struct pr_text out;

	pr_text_init(&out, 1 << 20);
	for (int mode = 0; mode < 30; mode++) {
		pr_text_clear(&out);
		seed = (uint32_t)mode;
		read_header(pr_str(text), max, mode, &out);
		CU_ASSERT_STRING_EQUAL(out.data, expected);
		if (strcmp(out.data, expected) != 0)
			printf("\n  mode %d\n  is       %s\n  expected %s\n", mode, out.data, expected);
	}
	pr_text_fini(&out);
}

static void test_reader(void)
{
	check_header("A: b\nC:d\n\nbody\n", 0, "[A| b][C|d]/body\n");
	check_header("Subject: t\n cont\n\tmore\nX:\n\n", 0, "[Subject| t\n cont\n\tmore][X|]/");
	check_header("Subject : t\n\n", 0, "[Subject| t]/");
	check_header("Subject: t\nBad Header: x\n\nx\n", 0, "[Subject| t]/Bad Header: x\n\nx\n");
	check_header("just text\n", 0, "/just text\n");
	check_header("word", 0, "/word");
	check_header("word ", 0, "/word ");
	check_header(" blank first: x\n\n", 0, "/ blank first: x\n\n");
	check_header(":no name\n", 0, "/:no name\n");
	check_header("\nbody", 0, "/body");
	check_header("", 0, "/");
	check_header("From joe Fri Nov 20\nA: b\n\n", 0, "[A| b]/");
	check_header("From : joe\n\n", 0, "[From| joe]/");
	check_header("From: joe\n\n", 0, "[From| joe]/");
	check_header("A: b\nFrom joe\n\nx", 0, "[A| b]/From joe\n\nx");
	check_header("A: no end", 0, "[A| no end]/");
	check_header("N\xc3\xa9: b\n\n", 0, "/N\xc3\xa9: b\n\n");
}

static void test_reader_limits(void)
{
	check_header("A: 456789\nB: x\n\nbody", 12, "[A| 456789]!/body");
	check_header("A: 456789\n\nbody", 10, "[A| 456789]/body");
	char line[4096];
	memset(line, 'a', sizeof line);
	line[sizeof line - 2] = '\n';
	line[sizeof line - 1] = '\0';
	char expected[sizeof line + 2];
	snprintf(expected, sizeof expected, "/%s", line);
	check_header(line, 32768, expected);
}

static void complete(const struct header_facts *facts, const char *text, struct pr_text *out)
{
	struct header_reader *reader = header_reader_new(0);
	struct pr_arena arena;
	struct pr_header *fields = NULL;
	size_t count;
	bool done;

	pr_arena_init(&arena, 1 << 20);
	header_reader_input(reader, text, strlen(text), &done);
	const struct pr_header *given = header_reader_fields(reader, &count);
	CU_ASSERT_EQUAL(header_complete(facts, given, count, &arena, &fields, &count), PR_OK);
	for (size_t i = 0; i < count; i++)
		pr_text_addf(out, "%.*s%.*s:%.*s\n", PR_PRINT(fields[i].condition), PR_PRINT(fields[i].name), PR_PRINT(fields[i].value));
	pr_arena_fini(&arena);
	header_reader_free(reader);
}

static void check_complete(const struct header_facts *facts, const char *text, const char *expected)
{
	struct pr_text out;

	pr_text_init(&out, 1 << 20);
	complete(facts, text, &out);
	CU_ASSERT_STRING_EQUAL(out.data, expected);
	if (strcmp(out.data, expected) != 0)
		printf("\n%s\nexpected\n%s\n", out.data, expected);
	pr_text_fini(&out);
}

static struct header_facts facts_smtp(void)
{
	return (struct header_facts){.id = PR_STR("6AKD2KgC025521"),
	    .host_name = PR_STR("mail.corp.example"),
	    .helo = PR_STR("client.example"),
	    .client = PR_STR("localhost [127.0.0.1]"),
	    .protocol = PR_STR("ESMTP"),
	    .version = PR_STR("0.1"),
	    .only_recipient = PR_STR("<bob@corp.example>"),
	    .sender = PR_STR("alice@corp.example"),
	    .now = 1795177934,
	    .add_missing = 1};
}

static void test_complete(void)
{
	struct header_facts facts = facts_smtp();

	check_complete(&facts, "Subject: x\nReturn-Path: <a>\nBcc: c\nTo: b\n\n",
	    "Received: from client.example (localhost [127.0.0.1])\n\tby mail.corp.example (postrider 0.1) with ESMTP id "
	    "6AKD2KgC025521\n\tfor <bob@corp.example>; Fri, 20 Nov 2026 12:32:14 GMT\nDDate: Fri, 20 Nov 2026 12:32:14 GMT\n"
	    "FFrom: alice@corp.example\nMMessage-Id: <202611201232.6AKD2KgC025521@mail.corp.example>\nSubject: x\nTo: b\n");
	facts.secured = PR_STR("version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT");
	check_complete(&facts, "Date: x\nFrom: y\nMessage-Id: z\n\n",
	    "Received: from client.example (localhost [127.0.0.1])\n\tby mail.corp.example (postrider 0.1) with ESMTP id 6AKD2KgC025521\n"
	    "\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT)\n\tfor <bob@corp.example>; Fri, 20 Nov 2026 12:32:14 GMT\n"
	    "Date: x\nFrom: y\nMessage-Id: z\n");
	facts.helo = facts.protocol = facts.only_recipient = facts.secured = PR_NONE;
	facts.client = PR_STR("joe@localhost");
	facts.full_name = PR_STR("Joe Q. Public");
	facts.zone = 3600;
	check_complete(&facts, "Bcc: c\nBCC: d\nDate: x\nMessage-ID: y\n\n",
	    "Received: (from joe@localhost)\n\tby mail.corp.example (postrider 0.1) id 6AKD2KgC025521;\n\tFri, 20 Nov 2026 13:32:14 +0100\n"
	    "FFrom: \"Joe Q. Public\" <alice@corp.example>\nBcc:\nDate: x\nMessage-ID: y\n");
	facts.add_missing = 0;
	check_complete(&facts, "Bcc: c\n\n",
	    "Received: (from joe@localhost)\n\tby mail.corp.example (postrider 0.1) id 6AKD2KgC025521;\n\tFri, 20 Nov 2026 13:32:14 +0100\n"
	    "Bcc:\n");
}

/* RFC 6531: only where the mail is SMTPUTF8, and well-formed; never in what others say of themselves. */
static void test_complete_utf8(void)
{
	struct header_facts facts = facts_smtp();
	static const struct {
		const char *sender, *from;
		bool utf8;
	} cases[] = {{"j\xc3\xb6" "e@corp.example", "j\xc3\xb6" "e@corp.example", true}, {"j\xc3\xb6" "e@corp.example", "j??e@corp.example", false},
	    {"j\xf6" "e@corp.example", "j?e@corp.example", true}, {"j\xc2\x85" "e@corp.example", "j??e@corp.example", true}};
	char expected[600];

	facts.helo = PR_STR("\xc3\xb6.example");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		facts.sender = pr_str(cases[i].sender);
		facts.utf8 = cases[i].utf8;
		pr_print(expected, sizeof expected, "Received: from ??.example (localhost [127.0.0.1])\n\tby mail.corp.example (postrider 0.1) with ESMTP id "
		    "6AKD2KgC025521\n\tfor <bob@corp.example>; Fri, 20 Nov 2026 12:32:14 GMT\nFFrom: %s\nDate: x\nMessage-Id: y\n", cases[i].from);
		check_complete(&facts, "Date: x\nMessage-Id: y\n\n", expected);
	}
}

/* A field without a value is made anew where there is a template of its name; Content-Length is nobody's business any more. */
static void test_complete_empty(void)
{
	static const struct pr_header templates[] = {{{"X-First", 7}, {" 1", 2}, {"", 0}}, {{"Return-Path", 11}, {" <x>", 4}, {"P", 1}},
	    {{"Date", 4}, {" now", 4}, {"D", 1}}, {{"From", 4}, {" ", 1}, {"F", 1}}};
	struct header_facts facts = facts_smtp();

	facts.templates = templates;
	facts.template_count = 4;
	check_complete(&facts, "Date: \t\nFrom:\nSubject:\nContent-Length: 5\nReceived:\nTo: b\n\n",
	    "X-First: 1\nPReturn-Path: <\201g>\nDDate: now\nSubject:\nReceived:\nTo: b\n");
	facts.templates++; /* the first field needs no place */
	facts.template_count = 2;
	check_complete(&facts, "Date: then\n\n", "Date: then\n");
	facts.add_missing = 0;
	check_complete(&facts, "Date:\n\n", "Date:\n");
}

static void test_complete_no_recipient(void)
{
	static const struct pr_header last[] = {{{"To", 2}, {" undisclosed-recipients:;", 25}, {"", 0}}};
	const char *received = "Received: (from joe@localhost)\n\tby mail.corp.example (postrider 0.1) id 6AKD2KgC025521;\n\tFri, 20 Nov 2026 12:32:14 GMT\n";
	static const struct {
		const char *header;
		bool added;
	} cases[] = {{"Subject: x\n", true}, {"Resent-To: a\nResent-Date: x\nResent-From: y\nResent-Message-Id: z\n", true}, {"to: a\n", false},
	    {"Cc: a\n", false}, {"Bcc:\n", false}, {"Apparently-To: a\n", false}};
	struct header_facts facts = facts_smtp();
	char given[200], expected[600];

	facts.helo = facts.protocol = facts.only_recipient = PR_NONE;
	facts.client = PR_STR("joe@localhost");
	facts.add_missing = 0;
	facts.last = last;
	facts.last_count = 1;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		pr_print(given, sizeof given, "%s\n", cases[i].header);
		pr_print(expected, sizeof expected, "%s%s%s", received, cases[i].header, cases[i].added ? "To: undisclosed-recipients:;\n" : "");
		check_complete(&facts, given, expected);
	}
}

static void test_complete_resent(void)
{
	struct header_facts facts = facts_smtp();
	struct pr_text out;

	pr_text_init(&out, 65536);
	complete(&facts, "Resent-To: x\nFrom: y\nFull-Name: Z\n\n", &out);
	CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "DResent-Date:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "FResent-From: Z <alice@corp.example>\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "MResent-Message-Id:"));
	CU_ASSERT_PTR_NULL(strstr(out.data, "FFrom:"));
	CU_ASSERT_PTR_NULL(strstr(out.data, "Full-Name"));
	pr_text_fini(&out);
}

static void test_complete_hostile(void)
{
	struct header_facts facts = facts_smtp();
	struct pr_text out;

	pr_text_init(&out, 65536);
	facts.client = PR_STR("evil\r\nX-Injected: 1\x1b[0m [127.0.0.1]");
	facts.sender = PR_STR("a\nBcc: b");
	complete(&facts, "\n", &out);
	CU_ASSERT_PTR_NULL(strstr(out.data, "\nX-Injected"));
	CU_ASSERT_PTR_NULL(strstr(out.data, "\nBcc"));
	CU_ASSERT_PTR_NULL(strchr(out.data, '\x1b'));
	CU_ASSERT_PTR_NULL(strchr(out.data, '\r'));
	pr_text_fini(&out);
}

static void test_dates(void)
{
	struct pr_arena arena;

	pr_arena_init(&arena, 65536);
	CU_ASSERT_STRING_EQUAL(mail_date(&arena, 0, 0).data, "Thu, 1 Jan 1970 00:00:00 GMT");
	CU_ASSERT_STRING_EQUAL(mail_date(&arena, 1709164800, 0).data, "Thu, 29 Feb 2024 00:00:00 GMT");
	CU_ASSERT_STRING_EQUAL(mail_date(&arena, 1704067199, 0).data, "Sun, 31 Dec 2023 23:59:59 GMT");
	CU_ASSERT_STRING_EQUAL(mail_date(&arena, 951782400, 0).data, "Tue, 29 Feb 2000 00:00:00 GMT");
	CU_ASSERT_STRING_EQUAL(mail_date(&arena, 4107542400, 0).data, "Mon, 1 Mar 2100 00:00:00 GMT");
	CU_ASSERT_STRING_EQUAL(mail_date(&arena, 1795177934, -12600).data, "Fri, 20 Nov 2026 09:02:14 -0330");
	CU_ASSERT_STRING_EQUAL(mail_ctime(&arena, 1795177934, 0).data, "Fri Nov 20 12:32:14 2026");
	CU_ASSERT_STRING_EQUAL(mail_ctime(&arena, 1793577600, 0).data, "Mon Nov  2 00:00:00 2026");
	CU_ASSERT_PTR_NOT_NULL(mail_date(&arena, INT64_MAX, 86400).data);
	CU_ASSERT_PTR_NOT_NULL(mail_date(&arena, INT64_MIN, -86400).data);
	pr_arena_fini(&arena);
}

static struct pr_str mark(void *context, struct pr_str address)
{
	return pr_arena_printf(context, "{%.*s}", PR_PRINT(address));
}

static struct pr_str same(void *context, struct pr_str address)
{
	(void)context;
	return address;
}

static void check_rewrite(const char *value, const char *expected)
{
	struct pr_arena arena;
	struct pr_str out = PR_NONE, again = PR_NONE;

	pr_arena_init(&arena, 1 << 20);
	CU_ASSERT_EQUAL(header_rewrite_addresses(PR_STR("To"), pr_str(value), mark, &arena, &arena, &out), PR_OK);
	CU_ASSERT_STRING_EQUAL(out.data, expected);
	if (out.data != NULL && strcmp(out.data, expected) != 0)
		printf("\n  is       %s\n  expected %s\n", out.data, expected);
	CU_ASSERT_EQUAL(header_rewrite_addresses(PR_STR("To"), pr_str(value), same, &arena, &arena, &out), PR_OK);
	CU_ASSERT_EQUAL(header_rewrite_addresses(PR_STR("To"), out, same, &arena, &arena, &again), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(out, again)); /* what was laid out once stays so */
	pr_arena_fini(&arena);
}

static void test_rewrite(void)
{
	check_rewrite(" joe", " {joe}");
	check_rewrite(" Joe Doe <joe@x>, ann", " Joe Doe <{joe@x}>, {ann}");
	check_rewrite(" \"Doe, Joe\" <joe@x> (a, b)", " \"Doe, Joe\" <{joe@x}> (a, b)");
	check_rewrite(" joe (Joe) @ x", " {joe@x} (Joe)");
	check_rewrite(" joe@x (Joe (nested)),\n\tann@y", " {joe@x} (Joe (nested)), {ann@y}");
	check_rewrite(" undisclosed-recipients:;", " undisclosed-recipients:;");
	check_rewrite(" team: a@x, b@y;, c", " team: {a@x}, {b@y};, {c}");
	check_rewrite(" <@a,@b:joe@c>", " <{@a,@b:joe@c}>");
	check_rewrite(" Joe Doe", " {Joe.Doe}");
	check_rewrite(" \"joe doe\"@x", " {\"joe doe\"@x}");
	check_rewrite(" joe@[192.0.2.1]", " {joe@[192.0.2.1]}");
	check_rewrite(" <joe", " <joe");
	check_rewrite(" joe>", " joe>");
	check_rewrite(" \"open,   joe", " \"open,   joe");
	check_rewrite(" (open,joe", " (open,joe");
	check_rewrite(" <>", " <>");
	check_rewrite(" ,, ,", " ");
	check_rewrite(" joe\\", " joe\\");
	check_rewrite("", "");
}

static void test_bare(void)
{
	static const char *const rows[][2] = {
		{ " Joe Doe <joe@x> (home), ann (Ann),  bob@y", "{joe@x}, {ann}, {bob@y}" },
		{ " team: a@x, B <b@y>;", "team:{a@x}, {b@y};" },
		{ "joe", "{joe}" }, { "", "" }, { " <joe", "<joe" },
	};
	struct pr_arena arena;
	struct pr_str out;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pr_arena_init(&arena, 1 << 20);
		out = PR_NONE;
		CU_ASSERT_EQUAL(header_bare_addresses(PR_STR("To"), pr_str(rows[i][0]), mark, &arena, &arena, &out), PR_OK);
		CU_ASSERT_STRING_EQUAL(out.data, rows[i][1]);
		pr_arena_fini(&arena);
	}
}

/* Column 78 is the last one; the comma behind an entry is not counted. */
static void test_fold(void)
{
	check_rewrite("   joe  ,ann  ", "   {joe}, {ann}");
	check_rewrite("\t joe", "  {joe}");
	check_rewrite("\n joe,\n\n ann", "  {joe}, {ann}");
	check_rewrite("joe", "{joe}");
	check_rewrite(" joe\\ , ann", " {joe\\ }, {ann}"); /* the backslash must not come to stand before the comma */
	check_rewrite(" 123456789 123456789 123456789 1 <joe@corp.example>, ann@x.example.corp", /* 78 with its marks */
	    " 123456789 123456789 123456789 1 <{joe@corp.example}>, {ann@x.example.corp}");
	check_rewrite(" 123456789 123456789 123456789 12 <joe@corp.example>, ann@x.example.corp",
	    " 123456789 123456789 123456789 12 <{joe@corp.example}>,\n        {ann@x.example.corp}");
	check_rewrite(" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, b, c",
	    " {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa},\n        {b}, {c}");
	check_rewrite(" A Name\n  that was folded and is so long that its first line alone would pass the edge <a>, b",
	    " A Name\n  that was folded and is so long that its first line alone would pass the edge <{a}>,\n        {b}");
}

static void test_rewrite_nested(void)
{
	enum { DEEP = 100000 };
	char *value = malloc(2 * DEEP + 8);
	struct pr_arena arena;
	struct pr_str out = PR_NONE;

	memset(value, '(', DEEP);
	memset(value + DEEP, ')', DEEP);
	memcpy(value + 2 * DEEP, " joe", 5);
	pr_arena_init(&arena, 4 << 20);
	CU_ASSERT_EQUAL(header_rewrite_addresses(PR_STR("To"), pr_str(value), mark, &arena, &arena, &out), PR_OK);
	CU_ASSERT_TRUE(pr_str_has_suffix_nocase(out, PR_STR(") {joe}")));
	memset(value, ',', 2 * DEEP);
	CU_ASSERT_EQUAL(header_rewrite_addresses(PR_STR("To"), pr_str(value), mark, &arena, &arena, &out), PR_OK);
	pr_arena_fini(&arena);
	free(value);
}

static void test_names(void)
{
	struct pr_header fields[] = {{PR_STR("received"), PR_STR(""), PR_STR("")}, {PR_STR("To"), PR_STR(""), PR_STR("")},
	    {PR_STR("Received"), PR_STR(""), PR_STR("")}};

	CU_ASSERT_EQUAL(header_hops(fields, 3), 2);
	CU_ASSERT_TRUE(header_is_sender(PR_STR("Resent-From")));
	CU_ASSERT_TRUE(header_is_sender(PR_STR("disposition-notification-TO")));
	CU_ASSERT_FALSE(header_is_sender(PR_STR("To")));
	CU_ASSERT_TRUE(header_is_recipient(PR_STR("CC")));
	CU_ASSERT_TRUE(header_is_recipient(PR_STR("Apparently-To")));
	CU_ASSERT_FALSE(header_is_recipient(PR_STR("Subject")));
}

static const struct unit_case cases[] = {
    {"fields in any cut", test_reader},
    {"limits", test_reader_limits},
    {"completed as sendmail does", test_complete},
    {"empty fields", test_complete_empty},
    {"addresses in UTF-8", test_complete_utf8},
    {"no recipient in the header", test_complete_no_recipient},
    {"Resent- fields", test_complete_resent},
    {"hostile facts make no header lines", test_complete_hostile},
    {"dates", test_dates},
    {"addresses rewritten in place", test_rewrite},
    {"deep comments, many commas", test_rewrite_nested}, {"addresses alone", test_bare},
    {"address fields folded", test_fold},
    {"names", test_names},
    {NULL, NULL},
};

UNIT_MAIN("header", cases)
