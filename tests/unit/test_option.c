/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables: every type with values that are right, nearly right and hostile.
 */
#include "tests/unit/unit.h"

#include <postrider/option.h>
#include <string.h>

struct record {
	uint32_t flag;
	uint32_t mode;
	int64_t number;
	int64_t time;
	int64_t size;
	struct pr_str string;
	struct pr_str path;
	struct pr_list list;
};

enum { FLAG, NUMBER, TIME, SIZE, STRING, PATH, LIST, MODE };

static const struct pr_option table[] = {
    [FLAG] = PR_OPTION(struct record, flag, "Flag", PR_OPTION_BOOL, 0, "yes", "a flag"),
    [NUMBER] = PR_OPTION(struct record, number, "number", PR_OPTION_INT, 0, "-12", "a number"),
    [TIME] = PR_OPTION(struct record, time, "timeout", PR_OPTION_TIME, 0, "5m", "a time"),
    [SIZE] = PR_OPTION(struct record, size, "size", PR_OPTION_SIZE, 0, "10M", "a size"),
    [STRING] = PR_OPTION(struct record, string, "greeting", PR_OPTION_STRING, 0, "hi", "a string"),
    [PATH] = PR_OPTION(struct record, path, "file", PR_OPTION_PATH, PR_OPTION_REQUIRED, NULL, "a path"),
    [LIST] = PR_OPTION(struct record, list, "hosts", PR_OPTION_LIST, 0, "a, b,,c ", "a list"),
    [MODE] = PR_OPTION(struct record, mode, "mode", PR_OPTION_MODE, 0, "0640", "a mode"),
    PR_OPTION_END,
};

static struct pr_arena arena;

static void test_values(void)
{
	static const struct {
		int row;
		const char *text;
		const char *printed; /* NULL: refused */
	} cases[] = {
	    {FLAG, "true", "true"}, {FLAG, "NO", "false"}, {FLAG, "On", "true"}, {FLAG, "0", "false"}, {FLAG, "2", NULL},
	    {FLAG, "", NULL}, {NUMBER, "42", "42"}, {NUMBER, "-42", "-42"}, {NUMBER, "4 2", NULL}, {NUMBER, "-", NULL},
	    {NUMBER, "--1", NULL}, {NUMBER, "9223372036854775807", "9223372036854775807"}, {NUMBER, "9223372036854775808", NULL},
	    {TIME, "30", "30s"}, {TIME, "90s", "1m30s"}, {TIME, "1h30m", "1h30m"}, {TIME, "5d", "5d"}, {TIME, "1w2d3h4m5s", "1w2d3h4m5s"},
	    {TIME, "1h30", "1h30s"}, {TIME, "0", "0"}, {TIME, "", NULL}, {TIME, "h", NULL}, {TIME, "12x", NULL}, {TIME, "-5s", NULL},
	    {TIME, "9223372036854775807w", NULL}, {TIME, "1 h", NULL}, {SIZE, "4096", "4K"}, {SIZE, "10m", "10M"}, {SIZE, "3G", "3G"},
	    {SIZE, "1000", "1000"}, {SIZE, "1KK", NULL}, {SIZE, "1T", NULL}, {SIZE, "8589934592G", NULL}, {SIZE, "K", NULL},
	    {SIZE, "", NULL}, {SIZE, "0", "0"}, {STRING, "", ""}, {STRING, "any thing", "any thing"}, {PATH, "/etc/x", "/etc/x"},
	    {PATH, "etc/x", NULL}, {PATH, "", NULL}, {LIST, "x", "x"}, {LIST, " x , y ", "x, y"}, {LIST, "", ""}, {LIST, ",,,", ""},
	    {MODE, "600", "0600"}, {MODE, "01777", "01777"}, {MODE, "8", NULL}, {MODE, "10000", NULL}, {MODE, "", NULL},
	    {MODE, "000600", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct record record = {0};
		struct pr_str why = PR_NONE;
		struct pr_text text;
		const struct pr_option *option = &table[cases[i].row];
		enum pr_status status = pr_option_parse(option, pr_str(cases[i].text), &record, &arena, &why);
		pr_text_init(&text, 200);
		CU_ASSERT_EQUAL(status, cases[i].printed != NULL ? PR_OK : PR_MISUSE);
		if (status == PR_OK && cases[i].printed != NULL) {
			CU_ASSERT(pr_option_print(option, &record, &text));
			CU_ASSERT_STRING_EQUAL(text.data, cases[i].printed);
			if (strcmp(text.data, cases[i].printed) != 0)
				printf("\n%s: %s printed as %s\n", option->name, cases[i].text, text.data);
		} else {
			CU_ASSERT(why.len > 0);
		}
		pr_text_fini(&text);
		pr_arena_reset(&arena);
	}
}

static void test_odd_values(void)
{
	struct record record = {0};
	struct pr_str why;
	char *giant = pr_alloc(1000000);

	memset(giant, '7', 1000000);
	struct pr_str giants = {giant, 1000000};
	for (size_t i = 0; i < sizeof table / sizeof table[0] - 1; i++) {
		pr_option_parse(&table[i], PR_NONE, &record, &arena, &why);
		pr_option_parse(&table[i], PR_STR("\0\377\n\0"), &record, &arena, &why);
		pr_option_parse(&table[i], giants, &record, &arena, &why);
	}
	CU_ASSERT_EQUAL(pr_option_parse(&table[PATH], PR_STR("/etc\0/x"), &record, &arena, &why), PR_MISUSE);
	CU_ASSERT_EQUAL(pr_option_parse(&table[NUMBER], giants, &record, &arena, &why), PR_MISUSE);
	CU_ASSERT(why.len < 400); /* the sentence stays a sentence */
	memset(giant, ',', 1000000);
	CU_ASSERT_EQUAL(pr_option_parse(&table[LIST], giants, &record, &arena, &why), PR_OK);
	CU_ASSERT_EQUAL(record.list.count, 0);
	struct pr_arena tiny;
	pr_arena_init(&tiny, 16);
	CU_ASSERT_EQUAL(pr_option_parse(&table[STRING], giants, &record, &tiny, &why), PR_MISUSE);
	CU_ASSERT(why.len > 0);
	const struct pr_option unknown = {"x", 77, 0, 0, NULL, NULL};
	CU_ASSERT_EQUAL(pr_option_parse(&unknown, giants, &record, &arena, &why), PR_MISUSE);
	pr_arena_fini(&tiny);
	pr_free(giant);
	pr_arena_reset(&arena);
}

static void test_defaults(void)
{
	struct record record = {0};
	struct pr_str why = PR_NONE;

	CU_ASSERT_EQUAL(pr_option_defaults(table, &record, &arena, &why), PR_OK);
	CU_ASSERT(record.flag == 1 && record.number == -12 && record.time == 300 && record.size == 10 << 20);
	CU_ASSERT(record.mode == 0640 && record.path.data == NULL && record.list.count == 3);
	CU_ASSERT_STRING_EQUAL(record.list.items[2].data, "c");
	CU_ASSERT_EQUAL(pr_option_defaults(NULL, &record, &arena, &why), PR_OK);
	const struct pr_option wrong[] = {PR_OPTION(struct record, time, "timeout", PR_OPTION_TIME, 0, "soon", ""), PR_OPTION_END};
	CU_ASSERT_EQUAL(pr_option_defaults(wrong, &record, &arena, &why), PR_MISUSE);
	CU_ASSERT(strstr(why.data, "timeout") != NULL && strstr(why.data, "soon") != NULL);
}

static void test_list(void)
{
	struct record record = {0};
	struct pr_str why = PR_NONE, items[] = {PR_STR("a,b"), PR_STR(""), PR_NONE};

	CU_ASSERT_EQUAL(pr_option_set_list(&table[LIST], items, 3, &record, &arena, &why), PR_OK);
	CU_ASSERT_EQUAL(record.list.count, 3);
	CU_ASSERT_STRING_EQUAL(record.list.items[0].data, "a,b");
	CU_ASSERT_EQUAL(pr_option_set_list(&table[NUMBER], items, 3, &record, &arena, &why), PR_MISUSE);
	CU_ASSERT_EQUAL(pr_option_set_list(&table[LIST], items, SIZE_MAX, &record, &arena, &why), PR_MISUSE);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		const char *nearest;
	} cases[] = {
	    {"timeuot", "timeout"}, {"TIMEOUTS", "timeout"}, {"hots", "hosts"}, {"fil", "file"}, {"zzzz", NULL}, {"", NULL},
	    {"abcd", NULL}, {"a-name-that-is-much-longer-than-sixty-four-bytes-and-nobody-has-typed-it", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *nearest = pr_option_nearest(table, pr_str(cases[i].name));
		CU_ASSERT(cases[i].nearest == NULL ? nearest == NULL : nearest != NULL && strcmp(nearest, cases[i].nearest) == 0);
	}
	CU_ASSERT(pr_option_find(table, PR_STR("flag")) == &table[FLAG]);
	CU_ASSERT(pr_option_find(table, PR_STR("flags")) == NULL);
	CU_ASSERT(pr_option_find(NULL, PR_STR("flag")) == NULL);
	int64_t seconds;
	CU_ASSERT(pr_parse_time(PR_STR("Now"), 'd', &seconds) && seconds == 0);
	CU_ASSERT(!pr_parse_time(PR_STR("now5m"), 'd', &seconds));
	CU_ASSERT(pr_parse_time(PR_STR("5"), 'd', &seconds) && seconds == 5 * 86400);
	CU_ASSERT(pr_parse_time(PR_STR("1H"), 'd', &seconds) && seconds == 3600);
	CU_ASSERT(!pr_parse_time(PR_STR("5"), 'x', &seconds));
}

static const struct unit_case cases[] = {
    {"each type reads and prints", test_values}, {"odd values", test_odd_values}, {"defaults", test_defaults},
    {"lists", test_list}, {"names", test_names}, {NULL, NULL},
};

int main(void)
{
	pr_arena_init(&arena, 64 << 20);
	int result = unit_run("option", cases);
	pr_arena_fini(&arena);
	return result;
}
