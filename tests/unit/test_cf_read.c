/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a sendmail.cf: what is wrong is told as the real one tells it (broken.cf, broken.out), and what is right is in the tables.
 */
#include "tests/unit/cf_stage.h"

#include <postrider/file.h>
#include <string.h>

static void read_file(struct pr_text *text, const char *name)
{
	const char *source = getenv("srcdir");
	struct pr_text why;
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/unit/data/cf/%s", source != NULL ? source : ".", name);
	pr_text_init(text, 1 << 20);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(pr_file_read(path, 1 << 20, text, &why), PR_OK);
	pr_text_fini(&why);
}

static void test_diagnostics(void)
{
	struct pr_text text, wanted;

	read_file(&text, "broken.cf");
	read_file(&wanted, "broken.out");
	CU_ASSERT_FALSE(cf_stage_open(text.data));
	CU_ASSERT(cf_same("messages", wanted.data, cf_stage_messages()));
	CU_ASSERT_PTR_NOT_NULL(strstr(cf_engine.call.reason.data, "line 5: unknown configuration line"));
	cf_stage_close();
	pr_text_fini(&text);
	pr_text_fini(&wanted);
}

#define HEAD "V10\nO DontProbeInterfaces=True\nMlocal, P=/bin/true, A=true $u\n"

static const struct {
	const char *text, *messages;
} files[] = {
	{ HEAD, "" },
	{ HEAD "R$*\tx\n", "line 4: missing valid ruleset for \"R\001*\tx\"\n" },
	{ HEAD "S*\nR$*\tx\n", "line 4: invalid ruleset name: \"*\"\nline 5: missing valid ruleset for \"R\001*\tx\"\n" },
	{ HEAD "S1\nR$*\t$: x # a remark\n# a line\n\nR$*\n\t$: y\n", "" },
	{ HEAD "S1\nR$-\t\"\\#\"\nR$-\tx$#\n", "" },
	{ HEAD "S1\nR$*\n", "line 5: invalid rewrite line \"R\001*\" (tab expected)\n" },
	{ HEAD "S1\r\nR$*\tx\r\n", "" },
	{ "V10\nO DontProbeInterfaces=True\n", "No local mailer defined\n" },
	{ HEAD "Dfirst\nDf$f\nD{long}$?f has$|has not$.\n", "" },
	{ HEAD "Mlocal, P=/bin/false, A=false\n", "" },
	{ HEAD "O Timeout.initial=5m\nO Timeout.nosuch=1m\n", "line 5: settimeout: invalid timeout nosuch\n" },
	{ HEAD "S1\n^@\n", "line 5: unknown configuration line \"^@\"\n" },
};

static void test_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		cf_stage_open(files[i].text);
		CU_ASSERT(cf_same(files[i].text, files[i].messages, cf_stage_messages()));
		cf_stage_close();
	}
}

static void test_missing_file(void)
{
	static const char *const options[] = { "file", "/nonexistent/sendmail.cf", NULL };
	extern const struct pr_module cf_LTX_pr_module;

	fake_world_init(&cf_world);
	CU_ASSERT_FALSE(fake_open(&cf_engine, &cf_world, &cf_LTX_pr_module, options));
	CU_ASSERT_PTR_NOT_NULL(strstr(cf_engine.call.reason.data, "/nonexistent/sendmail.cf"));
	fake_close(&cf_engine);
	fake_world_fini(&cf_world);
}

/* What is declared, in the order of the file. */
static void test_declared(void)
{
	static const struct {
		uint32_t kind;
		const char *name, *module, *first;
	} wanted[] = {
		{ PR_DECLARED_MAILER, "local", "prog", "/bin/true" }, { PR_DECLARED_MAILER, "esmtp", "smtp", "[IPC]" },
		{ PR_DECLARED_MAILER, "keep", "file", "[FILE]" }, { PR_DECLARED_MAP, "access", "hash", "-T<TMPF> /etc/access" },
		{ PR_DECLARED_OPTION, "QueueDirectory", NULL, "/var/q" }, { PR_DECLARED_OPTION, "Timeout.queuereturn", NULL, "432000s" },
		{ PR_DECLARED_PRECEDENCE, "junk", NULL, "-100" }, { PR_DECLARED_ENVIRONMENT, "TZ", NULL, "UTC" },
		{ PR_DECLARED_TRUSTED, "root", NULL, NULL }, { PR_DECLARED_TRUSTED, "daemon", NULL, NULL },
		{ PR_DECLARED_FILTER, "spam", "milter", "local:/run/x" }, { PR_DECLARED_QUEUE_GROUP, "fast", NULL, "/var/q/f" },
		{ PR_DECLARED_MAP, "host", "host", "-a." },
	};
	const struct pr_declared *declared = NULL;
	size_t count = 0;

	CU_ASSERT(cf_stage_open("V10\nMlocal, P=/bin/true, A=true $u\nMesmtp, P=[IPC], A=TCP $h\nMkeep, P=[FILE], A=FILE $u\n"
	                        "Kaccess hash -T<TMPF> /etc/access\nKcount arith\nO QueueDirectory=/var/q\nO Timeout.queuereturn=5d\nPjunk=-100\n"
	                        "ETZ=UTC\nTroot daemon\nXspam, S=local:/run/x\nQfast, P=/var/q/f\n"));
	CU_ASSERT_EQUAL(cf_stage_ops()->declare(fake_call(&cf_engine), &declared, &count), PR_OK);
	CU_ASSERT_EQUAL_FATAL(count, sizeof wanted / sizeof wanted[0]);
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_EQUAL(declared[i].kind, wanted[i].kind);
		CU_ASSERT(pr_str_equal(declared[i].name, pr_str(wanted[i].name)));
		CU_ASSERT(wanted[i].module == NULL || pr_str_equal(declared[i].module, pr_str(wanted[i].module)));
		CU_ASSERT_FATAL(wanted[i].first == NULL || declared[i].count > 0);
		struct pr_str first = wanted[i].first == NULL ? PR_STR("") : declared[i].settings[0].value;
		char got[300];
		snprintf(got, sizeof got, "%.*s", PR_PRINT(first));
		CU_ASSERT(cf_same(wanted[i].name, wanted[i].first == NULL ? "" : wanted[i].first, got));
		CU_ASSERT(declared[i].file.len > 0);
	}
	cf_stage_close();
}

/* What a module hears of a K line: a flag that its class does not know is gone and takes no word along; of classes that are none of
 * sendmail's nothing is gone. */
static void test_map_words(void)
{
	static const struct {
		const char *line, *words, *messages;
	} lines[] = {
		{ "Ky hash -L /etc/y", "/etc/y", "line 4: Illegal option L map y\n" },
		{ "Ky hash -k 1 -v 2 -L -o /etc/y", "-k1 -v2 -o /etc/y", "line 4: Illegal option L map y\n" },
		{ "Ky syslog -L debug -D", "-Ldebug -D", "" },
		{ "Ky dns -R MX -r 2 -a.", "-RMX -r2 -a.", "" },
		{ "Ky colour -shade 5 -L red -x /etc/y z", "-shade 5 -L red -x /etc/y z", "" },
	};
	const struct pr_declared *declared = NULL;
	size_t count = 0;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char text[500], words[200];
		snprintf(text, sizeof text, HEAD "%s\n", lines[i].line);
		cf_stage_open(text);
		CU_ASSERT(cf_same(lines[i].line, lines[i].messages, cf_stage_messages()));
		cf_stage_ops()->declare(fake_call(&cf_engine), &declared, &count);
		for (size_t j = 0; j < count && !pr_str_equal(declared->name, PR_STR("y")); j++)
			declared++;
		CU_ASSERT_FATAL(pr_str_equal(declared->name, PR_STR("y")) && declared->count == 1);
		snprintf(words, sizeof words, "%.*s", PR_PRINT(declared->settings[0].value));
		CU_ASSERT(cf_same(lines[i].line, lines[i].words, words));
		cf_stage_close();
	}
}

/* -q is found behind a flag whose value is a word of its own. */
static void test_key_flags(void)
{
	CU_ASSERT(cf_stage_open(HEAD "Kplain text -k 1 -v 2 /etc/y\nKquoted text -k 1 -v 2 -S+ -q /etc/y\n"));
	CU_ASSERT_FALSE(cf_map_find(cf_stage_cf(), PR_STR("plain"))->keeps_quotes);
	CU_ASSERT_TRUE(cf_map_find(cf_stage_cf(), PR_STR("quoted"))->keeps_quotes);
	CU_ASSERT_EQUAL(cf_map_find(cf_stage_cf(), PR_STR("quoted"))->space, '+');
	cf_stage_close();
}

/* Words that a class got from maps; "fruit" and "broken" are tables of the world. */
static void test_class_maps(void)
{
	static const struct {
		const char *line, *words, *messages;
	} lines[] = {
		{ "F{X}red@null:fruit", "apple cherry", "" },
		{ "FXred@null:fruit", "apple cherry", "" },
		{ "F{X}green@null:fruit", "", "" },
		{ "F{X}red@null:broken", "", "line 4: broken: the disk is on fire\nline 4: fileclass: F{X}: map open failed\n" },
		{ "F{X}-o red@null:broken", "", "line 4: broken: the disk is on fire\n" },
		{ "F{X}red@nosuch:fruit", "", "line 4: fileclass: F{X}: class nosuch not available\n" },
		{ "F{X}red@ldap:fruit", "", "line 4: fileclass: F{X}: class ldap not available\n" },
		{ "F{X}red@hash:/nonexistent/t", "", "line 4: hash map \"X\": missing map file /nonexistent/t.db: No such file or directory\n"
		  "line 4: fileclass: F{X}: map open failed\n" },
		{ "F{X}red@hash:-o /nonexistent/t", "", "" },
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char text[500], answer[500];
		cf_stage_begin();
		fake_world_add(&cf_world, "map fruit red\tapple cherry");
		fake_world_add(&cf_world, "broken broken");
		snprintf(text, sizeof text, HEAD "%s\n", lines[i].line);
		cf_stage_read(text);
		CU_ASSERT(cf_same(lines[i].line, lines[i].messages, cf_stage_messages()));
		snprintf(answer, sizeof answer, "%s", cf_stage_ask("$=X"));
		CU_ASSERT((strstr(answer, "apple") != NULL && strstr(answer, "cherry") != NULL) == (lines[i].words[0] != '\0'));
		cf_stage_close();
	}
}

static const struct unit_case cases[] = {
	{ "what is wrong, in sendmail's words", test_diagnostics },
	{ "small files", test_files },
	{ "no file", test_missing_file },
	{ "what the kernel is told", test_declared },
	{ "arguments of maps", test_map_words },
	{ "flags about the key", test_key_flags },
	{ "classes from maps", test_class_maps },
	{ NULL, NULL },
};
UNIT_MAIN("cf read", cases)
