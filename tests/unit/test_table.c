/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Table files: entries, their line numbers, and lines that are none.
 */
#include "tests/unit/unit.h"

#include <postrider/table.h>
#include <string.h>
#include <time.h>

static struct pr_arena arena;

/* "1 key=value; 3 !fault" */
static void read_table(struct pr_str bytes, bool aliases, struct pr_text *out)
{
	struct pr_table table;
	struct pr_str key, value, why;
	enum pr_status status;

	pr_table_init(&table, bytes);
	for (;;) {
		status = aliases ? pr_table_next_alias(&table, &arena, &key, &value, &why) : pr_table_next_pair(&table, &arena, &key, &value, &why);
		if (status == PR_NOTFOUND)
			break;
		pr_text_addf(out, "%s%u ", out->len > 0 ? "; " : "", (unsigned int)table.line);
		pr_text_add_str(out, key);
		if (status == PR_OK)
			pr_text_addf(out, "=%.*s", PR_PRINT(value));
		else
			pr_text_addf(out, "!%.*s", PR_PRINT(why));
	}
}

static void test_tables(void)
{
	static const struct {
		bool aliases;
		const char *bytes;
		const char *read;
	} cases[] = {
	    {true, "joe: jim\n", "1 joe=jim"}, {true, "joe: jim", "1 joe=jim"}, {true, "# c\n\n  \nJoe :  jim , jane  \r\n", "4 joe=jim , jane"},
	    {true, "list: a,\n b,\n\tc\nx: y\n", "1 list=a, b, c; 4 x=y"}, {true, "list: a,\\\nb\nx: y\n", "1 list=a, b; 3 x=y"},
	    {true, "\"Joe: Smith\": joe\n", "1 joe: smith=joe"}, {true, "\"a\\\"b\": c\n", "1 a\"b=c"}, {true, "nocolon\nx: y\n", "1 !missing colon; 2 x=y"},
	    {true, "empty:\nx: y\n", "1 empty!missing value for alias; 2 x=y"}, {true, ": y\n", "1 !missing name before the colon"},
	    {true, " x: y\n z\na: b\n", "1 !continuation of nothing: the line begins with a blank; 3 a=b"}, {true, "a: b\\", "1 a=b"},
	    {true, "p: \"|prog \\\"x: y\\\"\"\n", "1 p=\"|prog \\\"x: y\\\"\""}, {true, "", ""}, {true, "\n\n#\n", ""}, {true, "a:b\n#c\n d\n", "1 a=b; 3 !continuation of nothing: the line begins with a blank"},
	    {true, "\"open: b\nx: y\n", "1 !missing colon; 2 x=y"}, {true, "a: b\n \nc: d\n", "1 a=b; 3 c=d"}, {true, "x@y: z", "1 x@y=z"},
	    {false, "key value\n", "1 key=value"}, {false, "Key\t  some value  \r\n", "1 Key=some value"}, {false, "# c\n\nk v", "3 k=v"},
	    {false, "lonely\nk v\n", "1 lonely!no RHS for LHS lonely; 2 k=v"}, {false, " k v\n", "1 !syntax error (leading space)"},
	    {false, "k \n", "1 k!no RHS for LHS k"}, {false, "a:b c:d", "1 a:b=c:d"}, {false, "", ""}, {false, "\xff\xfe x", "1 \xff\xfe=x"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_text out;
		pr_text_init(&out, 4096);
		read_table(pr_str(cases[i].bytes), cases[i].aliases, &out);
		CU_ASSERT_STRING_EQUAL(out.data, cases[i].read);
		if (strcmp(out.data, cases[i].read) != 0)
			printf("\n%s\n   gives %s\n  wanted %s\n", cases[i].bytes, out.data, cases[i].read);
		for (size_t cut = 0; cut < strlen(cases[i].bytes); cut++) {
			char *copy = pr_alloc(cut + 1);
			memcpy(copy, cases[i].bytes, cut);
			pr_text_clear(&out);
			read_table((struct pr_str){copy, cut}, cases[i].aliases, &out);
			pr_free(copy);
		}
		pr_text_fini(&out);
		pr_arena_reset(&arena);
	}
}

static void test_nul(void)
{
	struct pr_text out;

	pr_text_init(&out, 1000);
	read_table(PR_STR("a: b\0c\nx: y\n"), true, &out);
	CU_ASSERT_STRING_EQUAL(out.data, "1 !NUL byte in the entry; 2 x=y");
	pr_text_clear(&out);
	read_table(PR_STR("a b\0c\nx y\n"), false, &out);
	CU_ASSERT_STRING_EQUAL(out.data, "1 !NUL byte in the line; 2 x=y");
	pr_text_clear(&out);
	read_table(PR_NONE, false, &out);
	CU_ASSERT_EQUAL(out.len, 0);
	pr_text_fini(&out);
}

static void test_giants(void)
{
	static const char *const units[] = {"\n", " ", "a\n ", "\\\n", "a: b\n", ":", "#", "\"", "a", "\0", "a: b\n c\n", "\377"};
	char *giant = pr_alloc(1000000);
	clock_t before = clock();

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t width = units[i][0] == '\0' ? 1 : strlen(units[i]);
		struct pr_text out;
		for (size_t j = 0; j < 1000000; j++)
			giant[j] = units[i][j % width];
		pr_text_init(&out, 1000);
		read_table((struct pr_str){giant, 1000000}, true, &out);
		pr_arena_reset(&arena);
		read_table((struct pr_str){giant, 1000000}, false, &out);
		pr_arena_reset(&arena);
		pr_text_fini(&out);
	}
	CU_ASSERT((clock() - before) / CLOCKS_PER_SEC < 30);
	struct pr_table table;
	struct pr_str key, value, why;
	struct pr_arena tiny;
	memset(giant, 'x', 1000000);
	memcpy(giant, "a: ", 3);
	memcpy(giant + 999990, "\nc: d\n", 6);
	pr_arena_init(&tiny, 1000);
	pr_table_init(&table, (struct pr_str){giant, 999996});
	CU_ASSERT_EQUAL(pr_table_next_alias(&table, &tiny, &key, &value, &why), PR_PERMFAIL);
	CU_ASSERT_STRING_EQUAL(why.data, "entry too long");
	CU_ASSERT_EQUAL(pr_table_next_alias(&table, &tiny, &key, &value, &why), PR_OK);
	CU_ASSERT_STRING_EQUAL(value.data, "d");
	pr_arena_fini(&tiny);
	pr_free(giant);
}

static const struct unit_case cases[] = {
    {"tables", test_tables}, {"NUL bytes", test_nul}, {"a megabyte of anything is linear", test_giants}, {NULL, NULL},
};

int main(void)
{
	pr_arena_init(&arena, 512 << 20);
	int result = unit_run("table", cases);
	pr_arena_fini(&arena);
	return result;
}
