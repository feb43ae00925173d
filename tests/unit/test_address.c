/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses: tables of what is one and what is none, the same input cut at every byte, and megabytes
 * of brackets, which must be refused in linear time.
 */
#include "tests/unit/unit.h"

#include <postrider/address.h>
#include <string.h>
#include <time.h>

#define GIANT 1000000

static struct pr_arena arena;

static void test_path(void)
{
	static const struct {
		const char *text;
		const char *full; /* NULL: refused, and `rest` is the sentence */
		const char *rest;
	} cases[] = {
	    {"<joe@example.org>", "joe@example.org", ""}, {"<joe@example.org> SIZE=5", "joe@example.org", " SIZE=5"},
	    {"  <>", "", ""}, {"<> BODY=8BITMIME", "", " BODY=8BITMIME"}, {"joe@example.org SIZE=5", "joe@example.org", " SIZE=5"},
	    {"<joe>", "joe", ""}, {"<@a.org,@b.org:joe@c.org>", "joe@c.org", ""}, {"<@[1.2.3.4]:joe@c>", "joe@c", ""},
	    {"<@[IPv6:::1],@b:joe@c>", "joe@c", ""}, {"<\"a b\"@x.org>", "\"a b\"@x.org", ""}, {"<\"a>b\"@x.org>x", "\"a>b\"@x.org", "x"},
	    {"<\"a@b\"@x.org>", "\"a@b\"@x.org", ""}, {"<\"|/bin/touch x\"@us>", "\"|/bin/touch x\"@us", ""},
	    {"<joe@[192.0.2.1]>", "joe@[192.0.2.1]", ""}, {"<joe@[IPv6:2001:db8::1]>", "joe@[IPv6:2001:db8::1]", ""},
	    {"<joe(a (nested) comment)@x.org>", "joe@x.org", ""}, {"<joe@x.org.>", "joe@x.org", ""}, {"<a..b@x.org>", "a..b@x.org", ""},
	    {"<a\\@b@x.org>", "a\\@b@x.org", ""}, {"<a%b@us>", "a%b@us", ""}, {"<b!a>", "b!a", ""}, {"<a_b@x_y.org>", "a_b@x_y.org", ""},
	    {"<:include:/x@us>", ":include:/x@us", ""}, {"", NULL, "User address required"}, {"   ", NULL, "User address required"},
	    {"<", NULL, "Unbalanced '<'"}, {"<joe@x", NULL, "Unbalanced '<'"}, {"<<joe@x>>", NULL, "Unbalanced '<'"},
	    {"joe@x>", NULL, "Invalid host name"}, {"joe>", NULL, "Unbalanced '>'"}, {"<joe@x:y>", NULL, "Colon illegal in host name part"},
	    {"<@x.org>", NULL, "User address required"}, {"<@a:>", NULL, "User address required"}, {"<@:joe@x>", NULL, "Invalid route address"},
	    {"<joe@>", NULL, "Host name required"}, {"<@>", NULL, "User address required"}, {"<joe smith@x>", NULL, "Blank inside the address"},
	    {"< joe@x>", NULL, "Blank inside the address"}, {"<joe@x..y>", NULL, "Invalid host name"}, {"<joe@.x>", NULL, "Invalid host name"},
	    {"<joe@[1.2.3.4>", NULL, "Invalid host name"}, {"<joe@[]>", NULL, "Invalid host name"}, {"<a@b@c>", NULL, "More than one @ in address"},
	    {"<@us:a@b@c>", NULL, "More than one @ in address"}, {"<\"joe@x>", NULL, "Unbalanced '\"'"}, {"<joe(@x>", NULL, "Unbalanced '('"},
	    {"<joe)@x>", NULL, "Unbalanced ')'"}, {"<jo\303\274@x>", NULL, "8-bit character in address"}, {"<joe\r\n@x>", NULL, "Blank inside the address"},
	    {"<\"joe\r\n\"@x>", NULL, "Control character in address"}, {"<\"joe\177\"@x>", NULL, "Control character in address"},
	    {"<joe,jim@x>", NULL, "Comma or semicolon in address"}, {"<joe\\", NULL, "Nothing follows the backslash"},
	    {"<joe@x y>", NULL, "Blank inside the address"}, {"<joe@x/y>", NULL, "Invalid host name"}, {"joe\\", NULL, "Nothing follows the backslash"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_address address = {PR_NONE, PR_NONE, PR_NONE};
		struct pr_str rest = PR_NONE, why = PR_NONE;
		enum pr_status status = pr_address_path(pr_str(cases[i].text), &arena, &address, &rest, &why);
		struct pr_str got = cases[i].full != NULL ? rest : why;
		CU_ASSERT_EQUAL(status, cases[i].full != NULL ? PR_OK : PR_PERMFAIL);
		CU_ASSERT(pr_str_equal(got, pr_str(cases[i].rest)));
		CU_ASSERT(pr_str_equal(address.full, pr_str(cases[i].full)));
		if (!pr_str_equal(got, pr_str(cases[i].rest)) || !pr_str_equal(address.full, pr_str(cases[i].full)))
			printf("\n%s: %.*s, %.*s\n", cases[i].text, PR_PRINT(address.full), PR_PRINT(got));
		/* every prefix must be answered too: what matters is that ASan is silent */
		for (size_t cut = 0; cut < strlen(cases[i].text); cut++) {
			char *copy = pr_alloc(cut + 1);
			memcpy(copy, cases[i].text, cut);
			pr_address_path((struct pr_str){copy, cut}, &arena, &address, &rest, &why);
			pr_free(copy);
		}
		pr_arena_reset(&arena);
	}
}

static void test_path_limits(void)
{
	struct pr_address address;
	struct pr_str rest, why;
	char path[400];

	for (size_t len = 240; len < 260; len++) {
		snprintf(path, sizeof path, "<%0*d@example.org>", (int)len - 14, 7);
		enum pr_status status = pr_address_path(pr_str(path), &arena, &address, &rest, &why);
		CU_ASSERT_EQUAL(strlen(path), len);
		CU_ASSERT_EQUAL(status, len <= PR_ADDRESS_MAX ? PR_OK : PR_PERMFAIL);
	}
	CU_ASSERT_EQUAL(pr_address_path(PR_STR("<a\0b@x>"), &arena, &address, &rest, &why), PR_PERMFAIL);
	CU_ASSERT_EQUAL(pr_address_path(PR_NONE, &arena, &address, &rest, &why), PR_PERMFAIL);
	struct pr_arena tiny;
	pr_arena_init(&tiny, 16);
	CU_ASSERT_EQUAL(pr_address_path(PR_STR("<joe@example.org>"), &tiny, &address, &rest, &why), PR_PERMFAIL);
	pr_arena_fini(&tiny);
}

/* The list as "a|b|!fault|c"; a bar inside stands for itself. */
static void read_list(struct pr_str list, bool alias, struct pr_text *out)
{
	struct pr_str address, why;
	enum pr_status status;

	while ((status = pr_address_next(&list, alias, &arena, &address, &why)) != PR_NOTFOUND) {
		if (out->len > 0)
			pr_text_add_c(out, " & ");
		if (status != PR_OK)
			pr_text_add_byte(out, '!');
		pr_text_add_str(out, status == PR_OK ? address : why);
	}
}

static void test_list(void)
{
	static const struct {
		bool alias;
		const char *list;
		const char *read;
	} cases[] = {
	    {false, "joe@x", "joe@x"}, {false, "joe@x, jim@y", "joe@x & jim@y"}, {false, "Joe Smith <joe@x>, <jim@y>", "joe@x & jim@y"},
	    {false, "\"Smith, Joe\" <joe@x>", "joe@x"}, {false, "joe@x (Joe, of (the) X)", "joe@x"}, {false, "(c) joe (c) @ (c) x . org", "joe@x.org"},
	    {false, "friends: a@x, Bob <b@y>;, c@z", "a@x & b@y & c@z"}, {false, "undisclosed-recipients:;", ""}, {false, "", ""}, {false, " ,, ,", ""},
	    {false, "Joe <@a,@b:joe@c>, d@e", "joe@c & d@e"}, {false, "joe\r\n @x,\r\n jim@y", "joe@x & jim@y"}, {false, "[List] Joe <j@x>, k@y", "j@x & k@y"},
	    {false, "joe@[IPv6:2001:db8::1], k@y", "joe@[IPv6:2001:db8::1] & k@y"}, {false, "Jos\303\251 <j@x>", "j@x"},
	    {false, "joe smith, k@y", "!Blank inside the address & k@y"}, {false, "<a@b> <c@d>, k@y", "!Text behind the address in brackets & k@y"},
	    {false, "<a@b> c, k@y", "!Text behind the address in brackets & k@y"}, {false, "a@b (x", "!Unbalanced '('"}, {false, "\"a@b, c@d", "!Unbalanced '\"'"},
	    {false, "<a@b, c@d", "!Unbalanced '<'"}, {false, "a@b>, c@d", "!Unbalanced '>' & c@d"}, {false, "a@b), c@d", "!Unbalanced ')' & c@d"},
	    {false, "<>", "!User address required"}, {false, "\"a b\"@x", "\"a b\"@x"}, {false, "a@@b", "!More than one @ in address"},
	    {false, "\"|prog\"", "\"|prog\""}, {true, "joe, jim@y", "joe & jim@y"}, {true, "\"|prog -a, b\", joe", "|prog -a, b & joe"},
	    {true, "|\"prog -a, b\", joe", "|prog -a, b & joe"}, {true, "|prog -a \"x, y\" z, joe", "|prog -a \"x, y\" z & joe"},
	    {true, "\"|prog \\\"q\\\" \\$x\"", "|prog \"q\" \\$x"}, {true, "/var/mail/x, joe", "/var/mail/x & joe"}, {true, "\"/with, comma\"", "/with, comma"},
	    {true, ":include:/etc/list, joe", ":include:/etc/list & joe"}, {true, "\":Include:/etc/l\"", ":Include:/etc/l"}, {true, "\\joe, \"\\joe\"", "\\joe & \"\\joe\""},
	    {true, "|/bin/echo (hi", "|/bin/echo (hi"}, {true, "joe\njim\n\"unbalanced\njane", "joe & jim & !Unbalanced '\"' & jane"},
	    {true, "|prog\001", "!Control character in address"}, {true, "a:b@c", "a:b@c"}, {true, "\"|p\" x", "\"|p\" x"}, {true, "|", "|"}, {true, "\"", "!Unbalanced '\"'"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_text out;
		pr_text_init(&out, 1000);
		read_list(pr_str(cases[i].list), cases[i].alias, &out);
		CU_ASSERT_STRING_EQUAL(out.data, cases[i].read);
		if (strcmp(out.data, cases[i].read) != 0)
			printf("\n%s\n   gives %s\n  wanted %s\n", cases[i].list, out.data, cases[i].read);
		for (size_t cut = 0; cut < strlen(cases[i].list); cut++) {
			char *copy = pr_alloc(cut + 1);
			memcpy(copy, cases[i].list, cut);
			pr_text_clear(&out);
			read_list((struct pr_str){copy, cut}, cases[i].alias, &out);
			pr_free(copy);
		}
		pr_text_fini(&out);
		pr_arena_reset(&arena);
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t count_pieces(struct pr_str list, bool alias)
{
	struct pr_str address, why;
	size_t count = 0;

	while (pr_address_next(&list, alias, &arena, &address, &why) != PR_NOTFOUND) {
		count++;
		pr_arena_reset(&arena);
	}
	return count;
}

static void test_giants(void)
{
	static const char *const units[] = {"(", ")", "<", ">", "\"", "\\", ",", ";", ":", "@", "[", "a", "a,", "\0,", "\377", "|,", "\"|\",", "(),", "<>,",
	    ".", " ", "\n", "x:;", "\"a\" <b@c>,", "@a,"};
	char *giant = pr_alloc(GIANT);
	double before = seconds();

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t width = units[i][0] == '\0' ? 2 : strlen(units[i]);
		for (size_t j = 0; j < GIANT; j++)
			giant[j] = units[i][j % width];
		struct pr_str text = {giant, GIANT}, rest, why;
		struct pr_address address;
		count_pieces(text, false);
		count_pieces(text, true);
		pr_address_path(text, &arena, &address, &rest, &why);
		pr_address_split(text, &address);
		pr_address_inner(text);
		CU_ASSERT(!pr_domain_is_valid(text));
	}
	/* a quadratic reader would need minutes, a linear one needs a second even under a sanitizer */
	CU_ASSERT(seconds() - before < 30);
	memset(giant, '(', 10000);
	memset(giant + 10000, ')', 10000);
	memcpy(giant + 20000, "joe@x", 5);
	struct pr_str nested = {giant, 20005}, found, why;
	CU_ASSERT_EQUAL(pr_address_next(&nested, false, &arena, &found, &why), PR_OK);
	CU_ASSERT(pr_str_equal(found, PR_STR("joe@x")));
	for (size_t j = 0; j < GIANT; j++)
		giant[j] = "a,"[j % 2];
	CU_ASSERT_EQUAL(count_pieces((struct pr_str){giant, GIANT}, true), GIANT / 2);
	pr_free(giant);
}

static void test_parts(void)
{
	struct pr_address address;

	CU_ASSERT(pr_str_equal(pr_address_inner(PR_STR(" <joe@x> ")), PR_STR("joe@x")));
	CU_ASSERT(pr_str_equal(pr_address_inner(PR_STR("joe@x")), PR_STR("joe@x")));
	CU_ASSERT(pr_address_inner(PR_STR("<>")).len == 0);
	CU_ASSERT(pr_str_equal(pr_address_inner(PR_STR("<")), PR_STR("<")));
	CU_ASSERT(pr_address_inner(PR_NONE).len == 0);
	pr_address_split(PR_STR("\"a@b\"@c.d"), &address);
	CU_ASSERT(pr_str_equal(address.local, PR_STR("\"a@b\"")) && pr_str_equal(address.domain, PR_STR("c.d")));
	pr_address_split(PR_STR("joe"), &address);
	CU_ASSERT(pr_str_equal(address.local, PR_STR("joe")) && address.domain.len == 0 && address.domain.data != NULL);
	pr_address_split(PR_NONE, &address);
	CU_ASSERT(address.local.len == 0 && address.domain.len == 0);
	CU_ASSERT(pr_domain_is_valid(PR_STR("a-b_c.example.org.")));
	CU_ASSERT(!pr_domain_is_valid(PR_STR("")) && !pr_domain_is_valid(PR_STR("a..b")) && !pr_domain_is_valid(PR_STR(".")));
	CU_ASSERT(!pr_domain_is_valid(PR_STR("a b")) && !pr_domain_is_valid(PR_STR("a\0b")) && !pr_domain_is_valid(PR_STR("a\n")));
	CU_ASSERT(pr_domain_is_valid(PR_STR("[IPv6:::1]")) && !pr_domain_is_valid(PR_STR("[a]b]")) && !pr_domain_is_valid(PR_STR("[a\n]")));
}

static void test_xtext(void)
{
	static const struct {
		struct pr_str encoded;
		const char *decoded; /* NULL: refused */
	} cases[] = {
	    {{"abc", 3}, "abc"}, {{"a+2Bb+3Dc", 9}, "a+b=c"}, {{"+2b", 3}, "+"}, {{"", 0}, ""}, {{"+", 1}, NULL}, {{"+4", 2}, NULL}, {{"+4G", 3}, NULL},
	    {{"a=b", 3}, NULL}, {{"a b", 3}, NULL}, {{"+0D+0A", 6}, NULL}, {{"+00", 3}, NULL}, {{"+7F", 3}, NULL}, {{"a\0b", 3}, NULL},
	    {{"\377", 1}, NULL}, {{"+E4", 3}, "\344"}, {{"+20", 3}, " "}, {{NULL, 0}, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_str decoded = PR_NONE;
		CU_ASSERT_EQUAL(pr_xtext_decode(cases[i].encoded, &arena, &decoded), cases[i].decoded != NULL);
		CU_ASSERT(pr_str_equal(decoded, pr_str(cases[i].decoded)));
	}
	struct pr_text out;
	pr_text_init(&out, 4096);
	CU_ASSERT(pr_xtext_encode(PR_STR("a+b=c d\0\377\n"), &out));
	CU_ASSERT_STRING_EQUAL(out.data, "a+2Bb+3Dc+20d+00+FF+0A");
	pr_text_clear(&out);
	for (int byte = ' '; byte < 0x7f; byte++) {
		char one = (char)byte;
		struct pr_str back = PR_NONE;
		pr_text_clear(&out);
		CU_ASSERT(pr_xtext_encode((struct pr_str){&one, 1}, &out) && pr_xtext_decode(pr_text_str(&out), &arena, &back));
		CU_ASSERT(pr_str_equal(back, (struct pr_str){&one, 1}));
	}
	pr_text_fini(&out);
}

/* RFC 6531 section 3.3 and RFC 3629: letters beyond ASCII in both parts, when they are asked for and well-formed */
static void test_utf8(void)
{
	static const struct {
		const char *path, *local, *domain; /* NULL: refused */
	} paths[] = {
		{"<j\xc3\xb6" "e@d\xc3\xb6rf.example> x", "j\xc3\xb6" "e", "d\xc3\xb6rf.example"}, {"<joe@example.org>", "joe", "example.org"},
		{"<\"j \xe4\xbd\xa0\"@x.example>", "\"j \xe4\xbd\xa0\"", "x.example"}, {"<@d\xc3\xb6rf.example:joe@x>", "joe", "x"},
		{"<j\xf6" "e@x>", NULL, NULL}, {"<j\xc3@x>", NULL, NULL}, {"<j\xc0\xbc@x>", NULL, NULL}, {"<j\xed\xa0\x80@x>", NULL, NULL},
		{"<j\xf4\x90\x80\x80@x>", NULL, NULL}, {"<j\xc2\x85@x>", NULL, NULL}, {"<j\xe0\x80\xaf@x>", NULL, NULL}, {"<joe@x\xc3\xb6..y>", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct pr_address address = {PR_STR(""), PR_STR(""), PR_STR("")};
		struct pr_str rest, why = PR_NONE;
		enum pr_status status = pr_address_path_utf8(pr_str(paths[i].path), &arena, &address, &rest, &why);
		CU_ASSERT_EQUAL(status, paths[i].local != NULL ? PR_OK : PR_PERMFAIL);
		if (paths[i].local != NULL)
			CU_ASSERT_TRUE(pr_str_equal(address.local, pr_str(paths[i].local)) && pr_str_equal(address.domain, pr_str(paths[i].domain)));
		bool ascii = pr_str_is_ascii(pr_str(paths[i].path));
		CU_ASSERT_EQUAL(pr_address_path(pr_str(paths[i].path), &arena, &address, &rest, &why), ascii ? PR_OK : PR_PERMFAIL);
	}
}

static const struct unit_case cases[] = {
    {"paths of MAIL and RCPT", test_path}, {"path limits", test_path_limits}, {"lists", test_list},
    {"a megabyte of anything is linear", test_giants}, {"parts", test_parts}, {"xtext", test_xtext}, {"UTF-8", test_utf8}, {NULL, NULL},
};

int main(void)
{
	pr_arena_init(&arena, 16 << 20);
	int result = unit_run("address", cases);
	pr_arena_fini(&arena);
	return result;
}
