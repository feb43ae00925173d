/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands of the address test mode and what the real sendmail answered, for hand-written configurations: data/cf/NAME.cf and NAME.out,
 * where ">>> " begins a command.  data/cf/README.md says how the answers were made.
 */
#include "tests/unit/cf_stage.h"

#include <postrider/file.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)

static void read_text(const char *name, const char *ending, struct pr_text *text)
{
	const char *source = getenv("srcdir");
	struct pr_text why;
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/unit/data/cf/%s%s", source != NULL ? source : ".", name, ending);
	pr_text_init(text, TEXT_MAX);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(pr_file_read(path, TEXT_MAX, text, &why), PR_OK);
	pr_text_fini(&why);
}

/* Everything up to the next command; *rest stands at it afterwards. */
static struct pr_str take_answer(struct pr_str *rest)
{
	const char *begin = rest->data;
	size_t length = 0;
	struct pr_str line;

	while (rest->len > 0 && !pr_str_has_prefix_nocase(*rest, PR_STR(">>> "))) {
		pr_str_next(rest, '\n', &line);
		length += line.len + 1;
	}
	return (struct pr_str){ begin, length };
}

static bool judge(struct pr_str command, struct pr_str wanted)
{
	char line[3000];

	snprintf(line, sizeof line, "%.*s", PR_PRINT(command));
	struct pr_str got = pr_str(cf_stage_ask(line));
	if (pr_str_equal(got, wanted))
		return true;
	printf("\n  %s\n--- wanted\n%.*s--- got\n%.*s---", line, PR_PRINT(wanted), PR_PRINT(got));
	return false;
}

/* The table is the kernel's, so here it is the world's. */
static void add_table(void)
{
	struct pr_text table;
	struct pr_str rest, line;
	char text[300];

	read_text("table", "", &table);
	for (rest = pr_text_str(&table); rest.len > 0 && pr_str_next(&rest, '\n', &line);) {
		snprintf(text, sizeof text, "map t %.*s", PR_PRINT(line));
		fake_world_add(&cf_world, text);
	}
	pr_text_fini(&table);
}

static void play(const char *name)
{
	struct pr_text file, answers;
	size_t commands = 0;

	read_text(name, ".cf", &file);
	read_text(name, ".out", &answers);
	cf_stage_begin();
	add_table();
	cf_stage_read(file.data); /* with complaints, some of them */
	struct pr_str rest = pr_text_str(&answers), line;
	take_answer(&rest); /* those */
	while (rest.len > 0) {
		pr_str_next(&rest, '\n', &line);
		CU_ASSERT(judge(pr_str_slice(line, 4, line.len), take_answer(&rest)));
		commands++;
	}
	CU_ASSERT(commands > 40);
	cf_stage_close();
	pr_text_fini(&file);
	pr_text_fini(&answers);
}

static void test_match(void) { play("match"); }
static void test_apply(void) { play("apply"); }
static void test_lookup(void) { play("lookup"); }
static void test_mail(void) { play("mail"); }
static void test_scan(void) { play("scan"); }

static const struct unit_case cases[] = { { "left sides", test_match }, { "right sides", test_apply }, { "lookups", test_lookup },
	{ "addresses", test_mail }, { "cutting and framing", test_scan }, { NULL, NULL } };
UNIT_MAIN("cf transcripts", cases)
