/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Conversations with the address test mode: NAME.cf, the lines typed, and what the real sendmail answered (NAME.bt, made by
 * tests/oracle/cf/transcript.sh).  An answer that is ours for a reason stands in NAME.ours.
 */
#include "tests/unit/cf_stage.h"

#include <postrider/file.h>
#include <string.h>

static struct pr_text cf_text, wanted, got;

static void data_path(char out[4096], const char *name, const char *ending)
{
	const char *source = getenv("srcdir");

	snprintf(out, 4096, "%s/tests/unit/data/cf/%s%s", source != NULL ? source : ".", name, ending);
}

static void read_file(struct pr_text *text, const char *name, const char *ending)
{
	struct pr_text why;
	char path[4096];

	data_path(path, name, ending);
	pr_text_init(text, 1 << 22);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(pr_file_read(path, 1 << 22, text, &why), PR_OK);
	pr_text_fini(&why);
}

/* The tables are the kernel's, so here they are the world's: every line of a table for each map that names it. */
static void add_map(const char *map, const char *ending)
{
	struct pr_text table;
	struct pr_str rest, line;
	char text[300];

	read_file(&table, "colors", ".txt");
	for (rest = pr_text_str(&table); pr_str_next(&rest, '\n', &line);) {
		if (line.len == 0)
			continue;
		snprintf(text, sizeof text, "map %s %.*s%s", map, PR_PRINT(line), ending);
		fake_world_add(&cf_world, text);
	}
	pr_text_fini(&table);
}

/* What these maps would say; modules have tests of their own. */
static const char *const other_maps[] = { "map word abc-12\tabc", "map word abc-1\tabc", "map bare \"a.b\"\ta.b",
	"map bare \"a\\\"b\"\ta\\\"b", "map host nothing.example\tnothing.example." };

static void ask_all(struct pr_str rest)
{
	struct pr_str line;
	char command[4096];

	while (pr_str_next(&rest, '\n', &line)) {
		if (!pr_str_has_prefix_nocase(line, PR_STR(">>> ")))
			continue;
		snprintf(command, sizeof command, "%.*s", PR_PRINT(pr_str_slice(line, 4, line.len)));
		pr_text_addf(&got, ">>> %s\n%s", command, cf_stage_ask(command));
	}
}

/* The first command whose answer differs. */
static void tell_difference(void)
{
	struct pr_str a = pr_text_str(&wanted), b = pr_text_str(&got), left = PR_NONE, right = PR_NONE, command = PR_NONE;

	while (pr_str_next(&a, '\n', &left) && pr_str_next(&b, '\n', &right)) {
		if (pr_str_has_prefix_nocase(left, PR_STR(">>> ")))
			command = left;
		if (!pr_str_equal(left, right))
			break;
	}
	printf("\n  %.*s\n    wanted %.*s\n    got    %.*s\n", PR_PRINT(command), PR_PRINT(left), PR_PRINT(right));
}

static void transcript(const char *name)
{
	read_file(&cf_text, name, ".cf");
	read_file(&wanted, name, ".bt");
	pr_text_init(&got, 1 << 22);
	cf_stage_begin();
	add_map("colors", "");
	add_map("plus", ".found");
	for (size_t i = 0; i < sizeof other_maps / sizeof other_maps[0]; i++)
		fake_world_add(&cf_world, other_maps[i]);
	cf_stage_read(cf_text.data); /* with complaints, some of them */
	ask_all(pr_text_str(&wanted));
	bool is_same = pr_str_equal(pr_text_str(&wanted), pr_text_str(&got));
	CU_ASSERT(is_same);
	if (!is_same)
		tell_difference();
	cf_stage_close();
	pr_text_fini(&cf_text);
	pr_text_fini(&wanted);
	pr_text_fini(&got);
}

static void test_rewrite(void)
{
	transcript("rewrite");
}

static void test_end(void)
{
	struct pr_text out;

	pr_text_init(&out, 1000);
	CU_ASSERT(cf_stage_open("V10\nMlocal, P=/bin/true, A=true $u\n"));
	CU_ASSERT_EQUAL(cf_stage_ops()->console(fake_call(&cf_engine), PR_STR("/quit"), &out), PR_NOTFOUND);
	CU_ASSERT_EQUAL(cf_stage_ops()->console(fake_call(&cf_engine), PR_STR(""), &out), PR_OK);
	CU_ASSERT_EQUAL(out.len, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(cf_stage_ask("?"), "/tryflags"));
	cf_stage_close();
	pr_text_fini(&out);
}

static void test_messages(void)
{
	struct pr_text out;

	pr_text_init(&out, 1000);
	CU_ASSERT_FALSE(cf_stage_open("V10\nWhat\nMlocal, P=/bin/true, A=true $u\n"));
	CU_ASSERT_EQUAL(cf_stage_ops()->console(fake_call(&cf_engine), PR_NONE, &out), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "line 2: unknown configuration line \"What\""));
	cf_stage_close();
	pr_text_fini(&out);
}

static const struct unit_case cases[] = {
	{ "the language, as the real one answers", test_rewrite },
	{ "the end, the empty line, help", test_end },
	{ "what was wrong with the file", test_messages },
	{ NULL, NULL },
};
UNIT_MAIN("cf console", cases)
