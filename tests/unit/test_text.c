/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings, texts, arenas and calls of the SDK.
 * Tables where there is a rule, plain lines where there is a life cycle; limits are always tried from both sides.
 */
#include "tests/unit/unit.h"

#include <postrider/call.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void test_compare(void)
{
	CU_ASSERT(pr_str(NULL).data == NULL);
	CU_ASSERT(pr_str_equal(PR_NONE, PR_NONE));
	CU_ASSERT(pr_str_equal(PR_NONE, PR_STR("")));
	CU_ASSERT(pr_str_equal(PR_STR("a\0b"), PR_STR("a\0b")));
	CU_ASSERT(!pr_str_equal(PR_STR("a\0b"), PR_STR("a\0c")));
	CU_ASSERT(pr_str_equal_nocase(PR_STR("Example.ORG"), PR_STR("eXAMPLE.org")));
	/* '@' and '`' differ by the bit that tells A from a */
	CU_ASSERT(!pr_str_equal_nocase(PR_STR("@"), PR_STR("`")));
	CU_ASSERT(!pr_str_equal_nocase(PR_STR("\xc4"), PR_STR("\xe4")));
	CU_ASSERT(pr_str_has_prefix_nocase(PR_STR("MAIL From:"), PR_STR("mail ")));
	CU_ASSERT(!pr_str_has_prefix_nocase(PR_STR("MA"), PR_STR("mail")));
	CU_ASSERT(pr_str_has_suffix_nocase(PR_STR("a.EXAMPLE"), PR_STR(".example")));
	CU_ASSERT(!pr_str_has_suffix_nocase(PR_STR("ample"), PR_STR("example")));
	CU_ASSERT(pr_str_has_suffix_nocase(PR_NONE, PR_STR("")));
}

static void test_words(void)
{
	struct pr_str rest = pr_str_slice(PR_STR(" ,one, \0two three"), 0, 17), word;
	struct pr_str nul = {"\0two", 4};

	CU_ASSERT(pr_str_word(&rest, ", ", &word) && pr_str_equal(word, PR_STR("one")));
	CU_ASSERT(pr_str_word(&rest, ", ", &word) && pr_str_equal(word, nul)); /* a NUL byte separates nothing */
	CU_ASSERT(pr_str_word(&rest, ", ", &word) && pr_str_equal(word, PR_STR("three")));
	CU_ASSERT(!pr_str_word(&rest, ", ", &word) && word.len == 0 && rest.len == 0);
	rest = PR_STR(" , ");
	CU_ASSERT(!pr_str_word(&rest, ", ", &word) && rest.len == 0);
}

static void test_cut(void)
{
	struct pr_str rest = PR_STR("a,,b,"), piece;
	static const char *const pieces[] = {"a", "", "b"};

	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT(pr_str_next(&rest, ',', &piece));
		CU_ASSERT(pr_str_equal(piece, pr_str(pieces[i])));
	}
	CU_ASSERT(!pr_str_next(&rest, ',', &piece));
	rest = PR_NONE;
	CU_ASSERT(!pr_str_next(&rest, ',', &piece));
	CU_ASSERT(pr_str_equal(pr_str_trim(PR_STR(" \t\r\nx y\r\n ")), PR_STR("x y")));
	CU_ASSERT(pr_str_trim(PR_STR("  ")).len == 0);
	CU_ASSERT(pr_str_trim(PR_NONE).data == NULL);
	CU_ASSERT(pr_str_equal(pr_str_slice(PR_STR("hello"), 1, 3), PR_STR("el")));
	CU_ASSERT(pr_str_slice(PR_STR("hello"), 9, 12).len == 0);
	CU_ASSERT(pr_str_slice(PR_STR("hello"), 3, 1).len == 0);
	CU_ASSERT(pr_str_equal(pr_str_slice(PR_STR("hello"), 1, SIZE_MAX), PR_STR("ello")));
	CU_ASSERT(pr_str_slice(PR_NONE, 1, 2).data == NULL);
	CU_ASSERT_EQUAL(pr_str_find(PR_STR("a@b@c"), '@'), 1);
	CU_ASSERT_EQUAL(pr_str_find_last(PR_STR("a@b@c"), '@'), 3);
	CU_ASSERT_EQUAL(pr_str_find(PR_STR("abc"), '@'), 3);
	CU_ASSERT_EQUAL(pr_str_find_last(PR_NONE, '@'), 0);
}

static void test_number(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t number;
	} cases[] = {
	    {"0", 0, true, 0}, {"7", 7, true, 7}, {"8", 7, false, 0}, {"0007", 7, true, 7}, {"", 9, false, 0},
	    {"-1", 9, false, 0}, {"+1", 9, false, 0}, {" 1", 9, false, 0}, {"1 ", 9, false, 0}, {"0x1", 99, false, 0},
	    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX}, {"18446744073709551616", UINT64_MAX, false, 0},
	    {"99999999999999999999", UINT64_MAX, false, 0}, {"100", 99, false, 0}, {"99", 99, true, 99},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t number = 4711;
		CU_ASSERT_EQUAL(pr_str_number(pr_str(cases[i].text), cases[i].max, &number), cases[i].good);
		CU_ASSERT_EQUAL(number, cases[i].good ? cases[i].number : 4711);
	}
	CU_ASSERT(pr_str_hash_nocase(PR_STR("Joe")) == pr_str_hash_nocase(PR_STR("jOE")));
	/* the published FNV-1a value of "a" */
	CU_ASSERT(pr_str_hash_nocase(PR_STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
}

static void test_text_limits(void)
{
	struct pr_text text;

	for (size_t max = 0; max < 200; max++) {
		size_t added = 0;
		pr_text_init(&text, max);
		CU_ASSERT_STRING_EQUAL(text.data, "");
		while (pr_text_add_byte(&text, 'x'))
			added++;
		CU_ASSERT_EQUAL(added, max);
		CU_ASSERT_EQUAL(text.len, max);
		CU_ASSERT_EQUAL(text.overflow, 1);
		CU_ASSERT_EQUAL(text.data[max], '\0');
		pr_text_clear(&text);
		CU_ASSERT(text.overflow == 0 && text.len == 0);
		CU_ASSERT_EQUAL(pr_text_addf(&text, "%*s", 150, ""), max >= 150);
		CU_ASSERT_EQUAL(text.overflow, max < 150);
		pr_text_fini(&text);
		pr_text_fini(&text);
	}
	struct pr_text zeroed = {0};
	CU_ASSERT(pr_text_str(&zeroed).data == NULL);
	CU_ASSERT(!pr_text_add_c(&zeroed, "x"));
	pr_text_fini(&zeroed);
	pr_text_init(&text, SIZE_MAX);
	CU_ASSERT(pr_text_add_c(&text, "unbounded"));
	CU_ASSERT(!pr_text_add(&text, "", SIZE_MAX));
	CU_ASSERT_STRING_EQUAL(text.data, "unbounded");
	pr_text_fini(&text);
}

static void test_text_edit(void)
{
	struct pr_text text;

	pr_text_init(&text, 100);
	pr_text_consume(&text, 3);
	pr_text_cut(&text, 3);
	CU_ASSERT(pr_text_add(&text, "a\0b", 3));
	CU_ASSERT(pr_text_addf(&text, "%s-%d", "c", 7));
	CU_ASSERT(pr_str_equal(pr_text_str(&text), PR_STR("a\0bc-7")));
	pr_text_consume(&text, 2);
	CU_ASSERT_STRING_EQUAL(text.data, "bc-7");
	pr_text_cut(&text, 9);
	pr_text_cut(&text, 2);
	CU_ASSERT_STRING_EQUAL(text.data, "bc");
	pr_text_consume(&text, 99);
	CU_ASSERT_EQUAL(text.len, 0);
	CU_ASSERT(pr_text_add_str(&text, PR_NONE));
	pr_text_fini(&text);
}

static void test_reserve(void)
{
	struct pr_text text;

	pr_text_init(&text, 1000);
	pr_text_extend(&text, 1); /* nothing was reserved */
	CU_ASSERT_EQUAL(text.len, 0);
	CU_ASSERT(pr_text_add_c(&text, "ab"));
	CU_ASSERT(pr_text_reserve(&text, 998));
	memset(text.data + text.len, 'c', 998);
	pr_text_extend(&text, 998);
	CU_ASSERT_EQUAL(text.len, 1000);
	CU_ASSERT_EQUAL(strlen(text.data), 1000);
	CU_ASSERT_EQUAL(text.overflow, 0);
	CU_ASSERT_FALSE(pr_text_reserve(&text, 1));
	CU_ASSERT_EQUAL(text.overflow, 1);
	pr_text_fini(&text);
}

static void test_escape(void)
{
	static const struct {
		struct pr_str in;
		size_t max;
		const char *out;
	} cases[] = {
	    {{"plain", 5}, 80, "plain"}, {{"a\r\nb", 4}, 80, "a\\015\\012b"}, {{"\0\033\177\377", 4}, 80, "\\000\\033\\177\\377"},
	    {{"a\\b", 3}, 80, "a\\134b"}, {{"abcdef", 6}, 6, "abcdef"}, {{"abcdef", 6}, 5, "abcde..."}, {{"ab\n", 3}, 5, "ab..."},
	    {{"", 0}, 5, ""}, {{NULL, 0}, 5, ""}, {{"%n%s", 4}, 9, "%n%s"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_text text;
		pr_text_init(&text, 100);
		CU_ASSERT(pr_text_add_escaped(&text, cases[i].in, cases[i].max));
		CU_ASSERT_STRING_EQUAL(text.data, cases[i].out);
		pr_text_fini(&text);
	}
	struct pr_text small;
	pr_text_init(&small, 6);
	CU_ASSERT(pr_text_add_c(&small, "log:"));
	CU_ASSERT(!pr_text_add_escaped(&small, PR_STR("\n\n"), 80));
	CU_ASSERT_STRING_EQUAL(small.data, "log:"); /* nothing half done */
	CU_ASSERT_EQUAL(small.overflow, 1);
	pr_text_fini(&small);
}

static void same(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the C library says is right, whatever the room. */
static void same(const char *format, ...)
{
	for (size_t room = 0; room <= 64; room++) {
		char ours[65] = "#", theirs[65] = "#";
		va_list args;
		va_start(args, format);
		int need = vsnprintf(room > 0 ? theirs : NULL, room, format, args);
		va_end(args);
		va_start(args, format);
		CU_ASSERT_EQUAL(pr_format(ours, room, format, args), need);
		va_end(args);
		CU_ASSERT_STRING_EQUAL(ours, theirs);
	}
}

static void test_print(void)
{
	same("plain");
	same("%s", "");
	same("<%s>%%%c.", "a@b.example", 'x');
	same("%.*s|%.*s|%.*s|%.3s|%.0s", 3, "abcdef", 9, "abc", 0, "abc", "abcdef", "x");
	same("%d %i %u %d %d", 0, -1, 7u, INT32_MAX, INT32_MIN);
	same("%ld %lu %lld %llu %zu", -5L, 5UL, (long long)INT64_MIN, (unsigned long long)UINT64_MAX, SIZE_MAX);
	same("%02d:%02d:%02d %03u %03o %06ld %016llx", 1, 12, -3, 7u, 9u, 42L, 0xabcdefULL);
	same("%5d|%3u|%x|%o", -42, 1234u, 255u, 8u);
	/* what only vsnprintf knows */
	same("%-5d|%5s|%-6s|%+d|%#x|%.3d|%hd", 4, "ab", "ab", 4, 255u, 5, (short)3);
	CU_ASSERT_EQUAL(pr_print(NULL, 0, "%s:%d", "abc", 12), 6);
	same("%d %s %.2f %s", 1, "two", 3.0, "four");
	same("%*d %p", 7, 42, (void *)0);
}

static void test_addf(void)
{
	struct pr_text text;
	char expected[1200] = "";

	pr_text_init(&text, 1000);
	for (int i = 0; strlen(expected) <= 1000; i++) {
		size_t before = text.len;
		snprintf(expected + strlen(expected), 100, "%d:%.*s;", i, i % 17, "abcdefghijklmnopqrstuvwxyz");
		bool fits = pr_text_addf(&text, "%d:%.*s;", i, i % 17, "abcdefghijklmnopqrstuvwxyz");
		CU_ASSERT_EQUAL(fits, strlen(expected) <= 1000);
		CU_ASSERT(fits || (text.len == before && text.overflow != 0));
		CU_ASSERT(strncmp(text.data, expected, text.len) == 0);
		CU_ASSERT_EQUAL(strlen(text.data), text.len);
	}
	pr_text_fini(&text);
}

static void test_arena(void)
{
	struct pr_arena arena;

	pr_arena_init(&arena, 1000);
	CU_ASSERT(pr_arena_alloc(&arena, 1001) == NULL);
	CU_ASSERT(pr_arena_alloc(&arena, SIZE_MAX) == NULL);
	CU_ASSERT(pr_arena_alloc(&arena, 0) != NULL);
	unsigned char *memory = pr_arena_alloc(&arena, 900);
	CU_ASSERT_FATAL(memory != NULL);
	CU_ASSERT_EQUAL((uintptr_t)memory % 16, 0);
	memset(memory, 0xff, 900);
	CU_ASSERT(pr_arena_alloc(&arena, 200) == NULL);
	CU_ASSERT(pr_arena_printf(&arena, "%*s", 500, "").data == NULL);
	pr_arena_reset(&arena);
	memory = pr_arena_alloc(&arena, 900);
	CU_ASSERT_FATAL(memory != NULL);
	CU_ASSERT(memory[0] == 0 && memory[899] == 0); /* zeroed again */
	pr_arena_fini(&arena);
	pr_arena_fini(&arena);
	CU_ASSERT_EQUAL(arena.used, 0);
}

static void test_arena_blocks(void)
{
	struct pr_arena arena;

	pr_arena_init(&arena, SIZE_MAX);
	for (size_t round = 0; round < 3; round++) {
		for (size_t size = 1; size < 3000; size += 7) {
			char *memory = pr_arena_alloc(&arena, size);
			CU_ASSERT_FATAL(memory != NULL);
			memset(memory, 'x', size);
		}
		CU_ASSERT(pr_arena_alloc(&arena, 200000) != NULL);
		pr_arena_reset(&arena);
	}
	CU_ASSERT(pr_arena_copy(&arena, PR_NONE).data == NULL);
	CU_ASSERT(pr_str_equal(pr_arena_copy(&arena, PR_STR("a\0b")), PR_STR("a\0b")));
	CU_ASSERT_STRING_EQUAL(pr_arena_lower(&arena, PR_STR("Joe@EXAMPLE")).data, "joe@example");
	CU_ASSERT_STRING_EQUAL(pr_arena_printf(&arena, "%s=%d", "n", 5).data, "n=5");
	CU_ASSERT_EQUAL(pr_arena_printf(&arena, "%s", "").len, 0);
	pr_arena_fini(&arena);
}

static void test_fail(void)
{
	struct pr_arena arena;
	struct pr_call call = {.size = sizeof call, .arena = &arena};

	pr_arena_init(&arena, 4096);
	CU_ASSERT_EQUAL(pr_fail(&call, PR_TEMPFAIL, "%s: %d", "ldap", 3), PR_TEMPFAIL);
	CU_ASSERT_STRING_EQUAL(call.reason.data, "ldap: 3");
	CU_ASSERT_EQUAL(pr_fail(&call, PR_PERMFAIL, "%*s", 5000, "x"), PR_PERMFAIL);
	CU_ASSERT_EQUAL(call.reason.len, 1000);
	while (pr_arena_alloc(&arena, 1) != NULL)
		continue;
	pr_fail(&call, PR_TEMPFAIL, "no room");
	CU_ASSERT(call.reason.len > 0); /* some reason, always */
	pr_arena_fini(&arena);
	CU_ASSERT_STRING_EQUAL(pr_status_name(PR_NOTFOUND), "notfound");
	CU_ASSERT_STRING_EQUAL(pr_status_name((enum pr_status)99), "?");
}

static void test_remaining(void)
{
	struct pr_call call = {.size = sizeof call};
	struct timespec now;

	CU_ASSERT_EQUAL(pr_call_remaining(&call, 500), 500);
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	call.deadline_ms = now_ms + 60000;
	int64_t left = pr_call_remaining(&call, 100000);
	CU_ASSERT(left > 50000 && left <= 60000);
	CU_ASSERT_EQUAL(pr_call_remaining(&call, 10), 10);
	call.deadline_ms = now_ms > 5 ? now_ms - 5 : 1;
	CU_ASSERT_EQUAL(pr_call_remaining(&call, 10), 0);
}

static void test_memory(void)
{
	char *memory = pr_alloc(0);

	CU_ASSERT_EQUAL(memory[0], 0);
	memory = pr_resize(memory, 10);
	pr_free(memory);
	pr_free(NULL);
	CU_ASSERT(pr_copy_c(NULL) == NULL);
	memory = pr_copy_str(pr_str_slice(PR_STR("hello"), 1, 3));
	CU_ASSERT_STRING_EQUAL(memory, "el");
	pr_free(memory);
}

static const struct unit_case cases[] = {
    {"comparing", test_compare}, {"cutting", test_cut}, {"words", test_words}, {"numbers and hashes", test_number},
    {"a text never passes its maximum", test_text_limits}, {"editing a text", test_text_edit},
    {"printing as the C library does", test_print}, {"printing into a text", test_addf},
    {"room reserved and written in place", test_reserve}, {"escaping for the log", test_escape}, {"an arena never passes its maximum", test_arena},
    {"arena blocks", test_arena_blocks}, {"failing with a reason", test_fail}, {"time left", test_remaining},
    {"heap", test_memory}, {NULL, NULL},
};

UNIT_MAIN("text", cases)
