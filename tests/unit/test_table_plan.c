/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The master's table: what a good plan says is kept, and everything a hostile plan child could say is refused whole.
 * Each hostile case is a good plan with one line more, so the refusal can only come from that line.
 */
#include "kernel/master/table.h"
#include "kernel/role/plan_role.h"
#include "tests/unit/unit.h"

#include <string.h>

static const char good[] = "listener MTA tcp 127.0.0.1 2525 0 0 0\n"
                           "listener MTA6 tcp ::1 2525 0 0 0 optional\n"
                           "listener submission unix /run/x/submit.sock 0666 1 0 0 0\n"
                           "user receiver postrider\nuser courier postrider-q\n"
                           "run /run/x\ndrop /var/spool/x/drop\nqueue /var/spool/x/q.*\npidfile /run/x/p.pid\n"
                           "defaultuser mail:mail\nlog syslog\nmailbox mbox /var/mail/%u\nmailbox maildir ~/Maildir\n"
                           "maxmessage 1000\n";

static bool parse(const char *more, size_t len)
{
	static struct table table;
	struct pr_text text, why;

	pr_text_init(&text, 1 << 20);
	pr_text_init(&why, 1000);
	pr_text_add_c(&text, good);
	pr_text_add(&text, more, len);
	bool done = table_parse(pr_text_str(&text), &table, &why);
	CU_ASSERT_EQUAL(done, why.len == 0);
	pr_text_fini(&text);
	pr_text_fini(&why);
	return done;
}

static void test_good(void)
{
	static struct table table;
	struct pr_text why;

	pr_text_init(&why, 1000);
	CU_ASSERT_TRUE(table_parse(pr_str(good), &table, &why));
	CU_ASSERT_EQUAL(table.listener_count, 3);
	CU_ASSERT_EQUAL(table.listeners[0].port, 2525);
	CU_ASSERT_FALSE(table.listeners[0].submission);
	CU_ASSERT(!table.listeners[0].optional && table.listeners[1].optional && !table.listeners[2].optional);
	CU_ASSERT_TRUE(table.listeners[2].is_unix);
	CU_ASSERT_TRUE(table.listeners[2].submission);
	CU_ASSERT_EQUAL(table.listeners[2].mode, 0666);
	CU_ASSERT_STRING_EQUAL(table.queue, "/var/spool/x/q.*");
	CU_ASSERT_STRING_EQUAL(table.default_user, "mail:mail");
	CU_ASSERT_EQUAL(table.mailbox_count, 2);
	CU_ASSERT_TRUE(table.mailboxes[1].maildir);
	CU_ASSERT_EQUAL(table.max_message, 1000);
	pr_text_fini(&why);
	CU_ASSERT_TRUE(parse("", 0));
}

static void test_incomplete(void)
{
	static struct table table;
	struct pr_text why;

	pr_text_init(&why, 1000);
	CU_ASSERT_FALSE(table_parse(PR_STR("run /run/x\n"), &table, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.data, "names no 'drop'"));
	pr_text_fini(&why);
}

static void test_hostile(void)
{
	static const char *const lines[] = {
	    "listener MTA tcp 127.0.0.1 2525 0 0 0", /* twice */
	    "listener M tcp 127.0.0.1 0 0 0 0", "listener M tcp 127.0.0.1 65536 0 0 0", "listener M tcp 127.0.0.1 -1 0 0 0",
	    "listener M tcp example.org 25 0 0 0", "listener M tcp 1.2.3.4 25 0 0 0 more", "listener M tcp 1.2.3.4", "listener M tcp 1.2.3.4 25", "listener M tcp 1.2.3.4 25 0 0", "listener M tcp 1.2.3.4 25 0 0 -1", "listener M tcp 1.2.3.4 25 0 x 0",
	    "listener M tcp 1.2.3.4 25 9999999999 0 0",
	    "listener ../x tcp 1.2.3.4 25 0 0 0", "listener M udp 1.2.3.4 25 0 0 0", "listener M unix relative 0666 0 0 0 0",
	    "listener M unix /a/../etc/shadow 0666 0 0 0 0", "listener M unix /x 7777 0 0 0 0", "listener M unix /x 0999 0 0 0 0",
	    "listener M unix /x 0666 2 0 0 0", "user master root", "user receiver other", "user courier -x",
	    "run /other", "drop ../drop", "queue /q\x01", "pidfile /etc/../x", "log relative", "log /x /y",
	    "mailbox mbox /etc/passwd", "mailbox mbox ~/../x", "mailbox other /x/%u", "mailbox mbox /var/mail/%u/../../x",
	    "defaultuser root:", "defaultuser a:b:c", "maxmessage -1", "maxmessage 99999999999999999999", "exec /bin/sh", " ",
	    "listener", "user", "listener  tcp 1.2.3.4 25 0 0 0"};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (parse(lines[i], strlen(lines[i])))
			(void)printf("\n  accepted: %s\n", lines[i]);
		CU_ASSERT_FALSE(parse(lines[i], strlen(lines[i])));
	}
	CU_ASSERT_FALSE(parse("run /x\0y", 8));
}

static void test_bounds(void)
{
	struct pr_text text;

	pr_text_init(&text, 1 << 20);
	for (int i = 0; i < TABLE_LISTENERS_MAX + 1; i++)
		pr_text_addf(&text, "listener M%d tcp 127.0.0.2 %d\n", i, 1000 + i);
	CU_ASSERT_FALSE(parse(text.data, text.len));
	pr_text_clear(&text);
	for (int i = 0; i < TABLE_BYTES_MAX; i++)
		pr_text_add_byte(&text, '\n');
	CU_ASSERT_FALSE(parse(text.data, text.len));
	pr_text_clear(&text);
	pr_text_add_c(&text, "mailbox mbox /%u/");
	for (int i = 0; i < TABLE_PATH_MAX; i++)
		pr_text_add_byte(&text, 'a');
	CU_ASSERT_FALSE(parse(text.data, text.len));
	pr_text_fini(&text);
}

/* Any cut of a good plan is refused or good, never read past its end (the sanitizer looks on). */
static void test_every_cut(void)
{
	static struct table table;
	struct pr_text why;
	unsigned int accepted = 0;

	pr_text_init(&why, 1000);
	for (size_t len = 0; len < sizeof good; len++) {
		char *copy = pr_copy_str((struct pr_str){good, len});
		char *exact = malloc(len + 1); /* one byte more than nothing, so that malloc(0) is no case */
		memcpy(exact, copy, len);
		pr_text_clear(&why);
		accepted += table_parse((struct pr_str){exact, len}, &table, &why) ? 1 : 0;
		free(exact);
		pr_free(copy);
	}
	CU_ASSERT_TRUE(accepted > 0 && accepted < sizeof good);
	pr_text_fini(&why);
}

/* What the plan prints of a configuration, as the master reads it. */
static const struct table *plan_with(const char *options, const char *mailers)
{
	static struct table table;
	struct pr_text text, why;

	pr_text_init(&text, 1 << 20);
	pr_text_init(&why, 10000);
	pr_text_addf(&text, "options = { QueueDirectory = \"/q\"; %s }; mailers = { %s };", options, mailers);
	struct config *config = config_parse("a.conf", pr_text_str(&text), NULL, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	pr_text_clear(&text);
	CU_ASSERT_TRUE(plan_print(config, &text));
	CU_ASSERT_TRUE_FATAL(table_parse(pr_text_str(&text), &table, &why));
	config_free(config);
	pr_text_fini(&text);
	pr_text_fini(&why);
	return &table;
}

static const struct table *plan_of(const char *mailers)
{
	return plan_with("", mailers);
}

/* A yes is a yes in every word that the module takes for one, and words are cut as it cuts them. */
static void test_programs(void)
{
	static const struct {
		const char *owner, *argv, *text;
	} cases[] = {
		{"true", "\"a -b c\"", "/bin/a - a -b c"}, {"\"yes\"", "\"a  -b\\t c \"", "/bin/a - a -b c"}, {"\"On\"", "\"a\"", "/bin/a - a"}, {"1", "\"a\"", "/bin/a - a"},
		{"false", "\"a\"", NULL}, {"\"no\"", "\"a\"", NULL}, {"0", "\"a\"", NULL}, {"\"perhaps\"", "\"a\"", NULL},
	};
	char mailers[300];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(mailers, sizeof mailers, "p = { module = \"prog\"; path = \"/bin/a\"; owner = %s; argv = %s; };", cases[i].owner, cases[i].argv);
		const struct table *table = plan_of(mailers);
		CU_ASSERT_EQUAL_FATAL(table->program_count, cases[i].text != NULL);
		if (cases[i].text != NULL)
			CU_ASSERT_STRING_EQUAL(table->programs[0].text, cases[i].text);
	}
}

/* However many mailers run the same program as the same account, each takes one place. */
static void test_accounts(void)
{
	char mailers[100 * (TABLE_ACCOUNTS_MAX + 2)];
	size_t used = 0;

	for (size_t i = 0; i <= TABLE_ACCOUNTS_MAX; i++)
		used += (size_t)snprintf(mailers + used, sizeof mailers - used, "p%zu = { module = \"prog\"; path = \"/bin/a\"; argv = \"a\"; user = \"mail:adm\"; };", i);
	const struct table *table = plan_of(mailers);
	CU_ASSERT_EQUAL(table->account_count, 1);
	CU_ASSERT_EQUAL(table->program_count, 1);
	CU_ASSERT_STRING_EQUAL(table->accounts[0].spec, "mail:adm");
	table = plan_of("p = { module = \"prog\"; path = \"/bin/a\"; argv = \"a\"; user = \"mail:adm\"; }; q = { module = \"prog\"; path = \"/bin/a\"; argv = \"a\"; user = \"7\"; };");
	CU_ASSERT_EQUAL(table->account_count, 2);
}

/* What the master may lend is what is named, once, and what somebody else than the plan could not read by himself. */
static void test_files(void)
{
	const struct table *table = plan_with("ClientCertFile = \"/a/c\"; ClientKeyFile = \"/a/k, /a/c\"; ServerCertFile = \"/nowhere/s\"; ServerKeyFile = \"/etc/passwd\";", "");

	CU_ASSERT_EQUAL_FATAL(table->file_count, 3);
	CU_ASSERT_STRING_EQUAL(table->files[0], "/a/c");
	CU_ASSERT_STRING_EQUAL(table->files[1], "/a/k");
	CU_ASSERT_STRING_EQUAL(table->files[2], "/nowhere/s");
}

static const struct unit_case cases[] = {{"a good plan", test_good},
                                         {"files that are lent", test_files},
                                         {"programs of a configuration", test_programs},
                                         {"accounts of a configuration", test_accounts},
                                         {"a plan that names too little", test_incomplete},
                                         {"hostile lines", test_hostile},
                                         {"bounds", test_bounds},
                                         {"every cut", test_every_cut},
                                         {NULL, NULL}};
UNIT_MAIN("table", cases)
