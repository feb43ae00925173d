/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pieces the language is made of: names, text with dollars, tokens, classes, frames.
 */
#include "tests/unit/cf_stage.h"

#include "modules/rules/cf/crack.h"

#include <string.h>

static struct pr_text out;

static const char *fresh(void)
{
	pr_text_clear(&out);
	return out.data;
}

static bool same(const char *what, const char *wanted)
{
	return cf_same(what, wanted, out.len == 0 ? "" : out.data);
}

/* names ----------------------------------------------------------------- */

static void test_names(void)
{
	static const struct {
		const char *text, *name, *rest, *problems;
	} rows[] = {
		{ "jabc", "j", "abc", "" },
		{ "{j}x", "j", "x", "" },
		{ "{client_name}", "{client_name}", "", "" },
		{ "{a b}x", "{ab}", "x", "Invalid macro/class character  \n" },
		{ "{", "", "", "Unbalanced { on \nUnable to assign macro/class ID (mid = 0xffffffff)\n" },
		{ "{abc", "", "", "Unbalanced { on abc\nUnable to assign macro/class ID (mid = 0xffffffff)\n" },
		{ "{}x", "", "x", "Name required for macro/class\n" },
		{ "", "", "", "Name required for macro/class\n" },
	};
	struct cf_names names = {0};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_str rest = pr_str(rows[i].text);
		uint16_t number = cf_names_read(&names, &rest);
		fresh();
		if (number != CF_NAME_NONE)
			cf_names_print(&names, number, &out);
		CU_ASSERT(same(rows[i].text, rows[i].name));
		CU_ASSERT(pr_str_equal(rest, pr_str(rows[i].rest)));
		CU_ASSERT(cf_same(rows[i].text, rows[i].problems, names.problems.len == 0 ? "" : names.problems.data));
		pr_text_clear(&names.problems);
	}
	cf_names_fini(&names);
}

/* Numbers stay, whatever comes after; names are told apart by case; there is an end. */
static void test_many_names(void)
{
	struct cf_names names = {0};
	char name[16];

	uint16_t first = cf_names_get(&names, PR_STR("First")), other = cf_names_get(&names, PR_STR("first"));
	CU_ASSERT_NOT_EQUAL(first, other);
	for (int i = 0; i < 70000; i++) {
		snprintf(name, sizeof name, "n%d", i);
		CU_ASSERT_EQUAL(cf_names_get(&names, pr_str(name)) == CF_NAME_NONE, i >= (int)CF_NAMES_MAX - 2);
	}
	CU_ASSERT_EQUAL(cf_names_find(&names, PR_STR("First")), first);
	CU_ASSERT_EQUAL(cf_names_find(&names, PR_STR("never")), CF_NAME_NONE);
	CU_ASSERT_EQUAL(cf_names_find(&names, PR_STR("x")), 'x');
	cf_names_fini(&names);
}

/* code ------------------------------------------------------------------ */

/* Read and printed again. */
static void test_code(void)
{
	static const struct {
		const char *text, *again;
		uint32_t units;
		bool good;
	} rows[] = {
		{ "", "", 0, true }, { "plain", "plain", 5, true }, { "$*$+$-$@", "$*$+$-$@", 4, true }, { "$=w$~{Vir}", "$=w$~{Vir}", 4, true },
		{ "$j${name}", "$j${name}", 4, true }, { "$&j", "$&j", 2, true }, { "$1$9", "$1$9", 4, true }, { "$#a$:b$>c", "$#a$:b$>c", 6, true },
		{ "$?x a$|b$.", "$?x a$|b$.", 7, true }, { "$[h$]$(m k$)", "$[h$]$(m k$)", 8, true }, { "a$$b", "a$b", 3, true },
		{ "a$", "a$", 2, true }, { "a$ b", "a$ b", 4, true }, { "${j}", "$j", 2, true }, { "a${bad", "a$", 2, false }, { "a$={}b", "a$=", 2, false },
		{ "$\377", "$\377", 2, true },
	};
	struct cf_names names = {0};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cf_code code = {0};
		CU_ASSERT_EQUAL(cf_code_parse(&code, &names, pr_str(rows[i].text)), rows[i].good);
		CU_ASSERT_EQUAL(code.count, rows[i].units);
		fresh();
		cf_code_print(&code, &names, &out);
		CU_ASSERT(same(rows[i].text, rows[i].again));
		cf_code_fini(&code);
	}
	cf_names_fini(&names);
}

static void test_code_end(void)
{
	struct cf_names names = {0};
	struct cf_code code = {0};
	char *long_text = pr_alloc(CF_CODE_MAX + 2);

	memset(long_text, 'x', CF_CODE_MAX + 1);
	CU_ASSERT_FALSE(cf_code_parse(&code, &names, pr_str(long_text)));
	CU_ASSERT_EQUAL(code.count, CF_CODE_MAX);
	pr_free(long_text);
	cf_code_fini(&code);
	cf_names_fini(&names);
}

/* tokens ---------------------------------------------------------------- */

static struct pr_arena arena;
static struct cf_alphabet alphabet;
static struct cf_tokens tokens;

static struct cf_scan scan(struct pr_str text, uint32_t flags, char delimiter, bool *good_out)
{
	struct cf_scan scan = { .alphabet = &alphabet, .arena = &arena, .text = text, .flags = flags, .delimiter = delimiter };

	pr_arena_reset(&arena);
	tokens.count = 0;
	*good_out = cf_scan(&scan, &tokens);
	fresh();
	for (uint32_t i = 0; i < tokens.count; i++)
		pr_text_addf(&out, "%s%.*s", i == 0 ? "" : "|", (int)tokens.at[i].length, tokens.at[i].text);
	return scan;
}

static void test_scan(void)
{
	static const struct {
		const char *text, *tokens, *problem;
		uint32_t flags;
	} rows[] = {
		{ "joe@example.org", "joe|@|example|.|org", NULL, CF_SCAN_COMMENTS },
		{ "", "", NULL, 0 }, { " \t ", "", NULL, 0 }, { "a b", "a|b", NULL, 0 }, { "a.b", "a|.|b", NULL, 0 }, { "..", ".|.", NULL, 0 },
		{ "\"a b\"@c", "\"a b\"|@|c", NULL, 0 }, { "a\"b\"c", "a|\"b\"|c", NULL, 0 }, { "\"a\\\"b\"", "\"a\\\"b\"", NULL, 0 },
		{ "\"a", "\"a\"", "553 Unbalanced '\"'", 0 }, { "\"a", "\"a", NULL, CF_SCAN_LOOSE },
		{ "<a", "<|a|>", "553 Unbalanced '<'", 0 }, { "a>", "a", "553 Unbalanced '>'", 0 }, { "<a", "<|a", NULL, CF_SCAN_LOOSE },
		{ "a>", "a|>", NULL, CF_SCAN_LOOSE }, { "a(c)b", "a|b", NULL, CF_SCAN_COMMENTS }, { "a (c) b", "a|b", NULL, CF_SCAN_COMMENTS }, { "a(c)b", "a|(|c|)|b", NULL, 0 },
		{ "((a)", "", "553 Unbalanced '('", CF_SCAN_COMMENTS }, { "a)", "a", "553 Unbalanced ')'", CF_SCAN_COMMENTS },
		{ "(a\\)b)c", "c", NULL, CF_SCAN_COMMENTS }, { "a\\b", "a\\b", NULL, 0 }, { "\\.a", "\\.a", NULL, 0 }, { "a\\", "a", NULL, 0 },
		{ "a\\!b", "a|!|b", NULL, 0 }, { "a=b", "a=b", NULL, 0 }, { "[1.2]", "[|1|.|2|]", NULL, 0 }, { "\351\303@h", "\351\303|@|h", NULL, 0 },
		{ "a;b,c", "a|;|b|,|c", NULL, 0 },
	};
	bool good;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cf_scan result = scan(pr_str(rows[i].text), rows[i].flags, '\0', &good);
		CU_ASSERT(good);
		CU_ASSERT(same(rows[i].text, rows[i].tokens));
		CU_ASSERT_EQUAL(result.problem_count, rows[i].problem == NULL ? 0 : 1);
		CU_ASSERT(rows[i].problem == NULL || cf_same(rows[i].text, rows[i].problem, result.problems[0]));
	}
}

static void test_scan_delimiter(void)
{
	static const struct {
		const char *text, *tokens;
		size_t end;
	} rows[] = { { "a,b", "a", 1 }, { "\"a,b\",c", "\"a,b\"", 5 }, { "(a,b)c,d", "c", 6 }, { "<@a,@b:c@d>,e", "<|@|a|,|@|b|:|c|@|d|>", 11 },
		{ "<a@b,c", "<|a|@|b|>", 4 }, { "a", "a", 1 } };
	bool good;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cf_scan result = scan(pr_str(rows[i].text), CF_SCAN_COMMENTS, ',', &good);
		CU_ASSERT(same(rows[i].text, rows[i].tokens));
		CU_ASSERT_EQUAL(result.end, rows[i].end);
	}
}

static void test_scan_ends(void)
{
	char text[3000];
	bool good;

	memset(text, 'a', sizeof text);
	CU_ASSERT_STRING_EQUAL(scan((struct pr_str){ text, CF_TOKEN_LENGTH_MAX }, 0, '\0', &good).problem_count == 0 && good ? "good" : "", "good");
	CU_ASSERT_STRING_EQUAL(scan((struct pr_str){ text, CF_TOKEN_LENGTH_MAX + 1 }, 0, '\0', &good).problems[0], "553 5.1.0 prescan: token too long");
	CU_ASSERT_FALSE(good);
	CU_ASSERT_STRING_EQUAL(scan((struct pr_str){ text, 2000 }, 0, '\0', &good).problems[0], "553 5.1.1 Address too long");
	CU_ASSERT_FALSE(good);
	scan((struct pr_str){ "a\0b", 3 }, 0, '\0', &good); /* a NUL ends it */
	CU_ASSERT(same("NUL", "a"));
	CU_ASSERT(cf_tokens_reserve(&tokens, CF_TOKENS_MAX));
	CU_ASSERT_FALSE(cf_tokens_reserve(&tokens, CF_TOKENS_MAX + 1));
}

static void test_join(void)
{
	static const struct {
		const char *text, *joined, *spaced;
	} rows[] = { { "joe @ x . y", "joe@x.y", "joe@x.y" }, { "a b", "a_b", "a b" }, { "\"a\" b", "\"a\"b", "\"a\"b" }, { "", "", "" }, { "a", "a", "a" } };
	bool good;

	alphabet.blank = '_';
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		scan(pr_str(rows[i].text), 0, '\0', &good);
		CU_ASSERT(pr_str_equal(cf_join_arena(&alphabet, tokens.at, tokens.count, '\0', &arena), pr_str(rows[i].joined)));
		fresh();
		cf_join(&alphabet, tokens.at, tokens.count, ' ', &out);
		CU_ASSERT(same(rows[i].text, rows[i].spaced));
	}
	alphabet.blank = ' ';
}

static void test_show(void)
{
	static const struct {
		struct pr_str text;
		const char *shown;
	} rows[] = { { PR_STR_INIT("a.b"), "a . b" }, { PR_STR_INIT("\"\t\r\n\""), "\"\\t\\r\\n\"" }, { PR_STR_INIT("\001\177"), "" },
		{ PR_STR_INIT("\351\201"), "M-iM-" } };
	struct cf_names names = {0};
	bool good;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		scan(rows[i].text, 0, '\0', &good);
		fresh();
		cf_show(&names, tokens.at, tokens.count, &out);
		CU_ASSERT(same(rows[i].shown, rows[i].shown));
	}
}

/* classes --------------------------------------------------------------- */

static void test_phrases(void)
{
	static const struct {
		const char *text;
		bool is_member, is_hopeless;
	} rows[] = { { "mail", true, false }, { "MAIL.Corp.example", true, false }, { "mail.corp", false, false }, { "mailer", false, false },
		{ "corp", false, true }, { "mail.corp.example.and.more", false, true }, { "two words", true, false } };
	struct cf_phrases phrases = {0};
	bool good, is_hopeless;

	CU_ASSERT_FALSE(cf_phrases_has(&phrases, PR_STR("mail")));
	cf_phrases_add(&phrases, PR_STR("mail.corp.example"));
	cf_phrases_add(&phrases, PR_STR("Mail"));
	cf_phrases_add(&phrases, PR_STR("mail")); /* once is enough */
	cf_phrases_add(&phrases, PR_STR(""));
	cf_phrases_add(&phrases, PR_STR("two words"));
	CU_ASSERT_EQUAL(phrases.count, 3);
	CU_ASSERT(cf_phrases_has(&phrases, PR_STR("mAIL")));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		scan(pr_str(rows[i].text), 0, '\0', &good);
		CU_ASSERT_EQUAL(cf_phrases_match(&phrases, &alphabet, tokens.at, tokens.count, &is_hopeless), rows[i].is_member);
		CU_ASSERT(rows[i].is_member || is_hopeless == rows[i].is_hopeless);
	}
	for (int i = 0; i < 5000; i++) {
		char word[16];
		snprintf(word, sizeof word, "w%d", i);
		cf_phrases_add(&phrases, pr_str(word));
	}
	CU_ASSERT(cf_phrases_has(&phrases, PR_STR("W4999")));
	CU_ASSERT_FALSE(cf_phrases_has(&phrases, PR_STR("w5000")));
	cf_phrases_fini(&phrases);
}

/* frames ---------------------------------------------------------------- */

static void test_crack(void)
{
	static const struct {
		const char *text, *frame;
		bool groups;
	} rows[] = {
		{ "joe@x", "A", false }, { "Joe <joe@x>", "Joe <A>", false }, { "joe@x (Joe)", "A (Joe)", false }, { "(Joe) joe@x", "(Joe) A", false },
		{ "\"Joe, U\" <joe@x>", "\"Joe, U\" <A>", false }, { "Joe. U <joe@x>", "\"Joe. U\" <A>", false }, { "group: a@x;", "group: A;", true },
		{ "group: a@x;", "A", false }, { "host::user", "A", true }, { "<joe", "<A>", false }, { "", "", false },
		{ "joe@x (a(b)c)", "A (a(b)c)", false }, { "joe@x (open", "A (open)", false }, { "a\\b@x", "A", false },
		{ "Joe <joe@x> (home)", "Joe <A> (home)", false },
	};
	struct pr_text frame;

	pr_text_init(&frame, 1000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pr_text_clear(&frame);
		cf_crack(pr_str(rows[i].text), rows[i].groups, "@,;:\\()[].'", &frame);
		fresh();
		cf_frame_print(pr_text_str(&frame), PR_STR("A"), &out);
		CU_ASSERT(same(rows[i].text, rows[i].frame));
	}
	pr_text_fini(&frame);
}

static const struct unit_case cases[] = {
	{ "names", test_names },
	{ "many names", test_many_names },
	{ "text with dollars", test_code },
	{ "text that is too long", test_code_end },
	{ "tokens", test_scan },
	{ "lists", test_scan_delimiter },
	{ "the ends of a scan", test_scan_ends },
	{ "tokens to text", test_join },
	{ "tokens for people", test_show },
	{ "classes", test_phrases },
	{ "frames", test_crack },
	{ NULL, NULL },
};

int main(void)
{
	pr_text_init(&out, 1 << 20);
	pr_arena_init(&arena, 1 << 20);
	cf_alphabet_init(&alphabet, PR_STR(".:%@!^/[]+"), ' ');
	int result = unit_run("cf text", cases);
	cf_tokens_fini(&tokens);
	pr_arena_fini(&arena);
	pr_text_fini(&out);
	return result;
}
