/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two forms of an explanation, from made-up steps: exact lines for people, JSON that stays JSON whatever the bytes; and the reader of
 * lists of addresses.
 */
#include "kernel/command/explain.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>

static struct explain_out out;

static void start(const struct explain_form *form)
{
	out = (struct explain_out){.form = form};
	pr_text_init(&out.text, 1u << 20);
}

/* finish() would write to stdout: the text is looked at before. */
static void expect(const char *wanted)
{
	pr_text_add_byte(&out.text, '\0');
	CU_ASSERT_STRING_EQUAL(out.text.data, wanted);
	pr_text_fini(&out.text);
}

static const struct pr_step steps[] = {
    {.size = sizeof steps[0], .kind = PR_STEP_SET, .name = PR_STR_INIT("parse"), .before = PR_STR_INIT("a < @ b >")},
    {.size = sizeof steps[0], .kind = PR_STEP_MAP, .depth = 1, .name = PR_STR_INIT("virt"), .before = PR_STR_INIT("a@b"),
        .after = PR_STR_INIT("c\033"), .status = PR_OK, .nanoseconds = 1500},
    {.size = sizeof steps[0], .kind = PR_STEP_MAP, .depth = 1, .name = PR_STR_INIT("virt"), .before = PR_STR_INIT("@b"),
        .status = PR_NOTFOUND, .nanoseconds = 7},
    {.size = sizeof steps[0], .kind = PR_STEP_MAP, .depth = 1, .name = PR_STR_INIT("ldap"), .before = PR_STR_INIT("x"),
        .after = PR_STR_INIT("map ldap: no server"), .status = PR_TEMPFAIL, .nanoseconds = 2000000},
    {.size = sizeof steps[0], .kind = 77, .name = PR_STR_INIT("of tomorrow")},
    {.size = sizeof steps[0], .kind = PR_STEP_RULE, .depth = 1, .name = PR_STR_INIT("parse"), .file = PR_STR_INIT("/etc/mail/sendmail.cf"),
        .line = 47, .before = PR_STR_INIT("a < @ b >"), .after = PR_STR_INIT("$# local $: \"c\"")},
    {.size = sizeof steps[0], .kind = PR_STEP_RULE, .depth = 1, .name = PR_STR_INIT("smart_host"), .before = PR_STR_INIT("b"),
        .after = PR_STR_INIT("hub")},
    {.size = sizeof steps[0], .kind = PR_STEP_END, .name = PR_STR_INIT("parse"), .after = PR_STR_INIT("c"), .nanoseconds = 123456},
};
#define STEPS (sizeof steps / sizeof steps[0])

static void test_people(void)
{
	start(&explain_human);
	out.form->begin(&out, PR_STR("a@b"));
	out.form->route(&out, PR_STR("a@b"), steps, STEPS, true);
	expect("a@b\n"
	       "  rules for \"a@b\"\n"
	       "    parse: \"a < @ b >\"\n"
	       "      map virt \"a@b\": \"c\\033\"  (1.5 us)\n"
	       "      map virt \"@b\": no answer  (0.0 us)\n"
	       "      map ldap \"x\": could not look: no server  (2000.0 us)\n"
	       "      /etc/mail/sendmail.cf:47  \"a < @ b >\" -> \"$# local $: \"c\"\"\n"
	       "      smart_host  \"b\" -> \"hub\"\n"
	       "    parse gives \"c\"  (123.5 us)\n"
	       "    ... (8 steps are shown, there were more)\n");
}

static const struct explain_end delivered = {.address = PR_STR_INIT("c"), .alias = PR_STR_INIT("list"), .mailer = PR_STR_INIT("local"),
    .host = PR_STR_INIT("h"), .user = PR_STR_INIT("c"), .sender = PR_STR_INIT("s@d"), .recipient = PR_STR_INIT("c")};
static const struct explain_end refused = {.address = PR_STR_INIT("x"), .code = 550, .enhanced = PR_STR_INIT("5.1.1"),
    .text = PR_STR_INIT("User unknown"), .reason = PR_STR_INIT("alias y: x")};

static void test_people_ends(void)
{
	struct explain_end lost = delivered;

	lost.no_mailer = true;
	start(&explain_human);
	out.form->verdict(&out, "check_mail", &(struct pr_verdict){.action = PR_CONTINUE});
	out.form->verdict(&out, "check_rcpt", &(struct pr_verdict){.action = PR_REJECT, .code = 550, .enhanced = PR_STR("5.7.1"), .text = PR_STR("no")});
	out.form->lookup(&out, &(struct explain_lookup){.kind = "account", .key = PR_STR("c"), .status = PR_OK});
	out.form->lookup(&out, &(struct explain_lookup){.kind = "map", .name = PR_STR("aliases"), .key = PR_STR("c"), .status = PR_NOTFOUND});
	out.form->end(&out, &delivered);
	out.form->end(&out, &lost);
	out.form->end(&out, &refused);
	expect("  check_mail: accepted\n"
	       "  check_rcpt: 550 5.7.1 no\n"
	       "  account \"c\": found  (0.0 us)\n"
	       "  alias map aliases \"c\": no answer  (0.0 us)\n"
	       "  => c: mailer local, host h, user c\n     envelope from <s@d> to <c>\n"
	       "  => c: mailer local, host h, user c (there is no such mailer: its mail would wait)\n     envelope from <s@d> to <c>\n"
	       "  => x: 550 5.1.1 User unknown\n     because of alias y: x\n");
}

static void test_json(void)
{
	start(&explain_json);
	out.form->begin(&out, PR_STR("a\"\xff@b"));
	out.form->route(&out, PR_STR("a"), steps + 1, 3, false);
	out.form->end(&out, &refused);
	out.form->end(&out, &delivered);
	expect("{\"address\":\"a\\\"\\u00ff@b\",\"verdicts\":[],\"steps\":[{\"kind\":\"rules\",\"address\":\"a\",\"cut\":false},"
	       "{\"kind\":\"map\",\"depth\":1,\"name\":\"virt\",\"key\":\"a@b\",\"status\":\"found\",\"answer\":\"c\\u001b\",\"microseconds\":1.500},"
	       "{\"kind\":\"map\",\"depth\":1,\"name\":\"virt\",\"key\":\"@b\",\"status\":\"none\",\"answer\":null,\"microseconds\":0.007},"
	       "{\"kind\":\"map\",\"depth\":1,\"name\":\"ldap\",\"key\":\"x\",\"status\":\"failed\",\"why\":\"no server\",\"microseconds\":2000.000}"
	       "],\"recipients\":[{\"address\":\"x\",\"code\":550,\"enhanced\":\"5.1.1\",\"text\":\"User unknown\",\"reason\":\"alias y: x\"},"
	       "{\"address\":\"c\",\"alias\":\"list\",\"mailer\":\"local\",\"host\":\"h\",\"user\":\"c\",\"configured\":true,"
	       "\"envelope_sender\":\"s@d\",\"envelope_recipient\":\"c\"}");
}

static void test_client(void)
{
	struct explain_client client;
	struct pr_arena arena;

	pr_arena_init(&arena, 65536);
	CU_ASSERT(explain_client_parse(&arena, PR_STR("192.0.2.1"), &client) && !client.is_verified);
	CU_ASSERT(pr_str_equal(client.name, PR_STR("[192.0.2.1]")));
	CU_ASSERT(explain_client_parse(&arena, PR_STR("2001:db8::1=mx.example"), &client) && client.is_verified);
	CU_ASSERT(pr_str_equal(client.address, PR_STR("IPv6:2001:db8::1")) && pr_str_equal(client.name, PR_STR("mx.example")));
	CU_ASSERT(explain_client_parse(&arena, PR_STR("IPv6:2001:db8::1"), &client));
	for (const char *const *bad = (const char *const[]){"", "=", "192.0.2.1=", "host.example", "192.0.2", "1=2=3", NULL}; *bad != NULL; bad++)
		CU_ASSERT(!explain_client_parse(&arena, pr_str(*bad), &client));
	pr_arena_fini(&arena);
}

static void test_list(void)
{
	char path[] = "/tmp/test_explain.XXXXXX";
	struct explain_list list;
	struct pr_str address;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	fputs("# names\n\n  a@b \r\n<c@d>\n", file);
	for (int i = 0; i < 100000; i++)
		fputc('x', file);
	fputs("\n<>\ne@f", file);
	fclose(file);
	CU_ASSERT_FATAL(explain_list_open(&list, path));
	for (const char *const *wanted = (const char *const[]){"a@b", "c@d", "e@f", NULL}; *wanted != NULL; wanted++) {
		CU_ASSERT(explain_list_next(&list, &address));
		CU_ASSERT(pr_str_equal(address, pr_str(*wanted)));
	}
	CU_ASSERT(!explain_list_next(&list, &address));
	CU_ASSERT_EQUAL(list.bad, 2);
	CU_ASSERT_EQUAL(list.number, 7);
	CU_ASSERT_EQUAL(explain_list_close(&list), 65);
	unlink(path);
	CU_ASSERT(!explain_list_open(&list, path));
	CU_ASSERT(!explain_list_open(&list, "/tmp"));
}

static const struct unit_case cases[] = {{"for people", test_people}, {"for people: ends", test_people_ends}, {"JSON", test_json},
    {"clients", test_client}, {"lists", test_list}, {NULL, NULL}};
UNIT_MAIN("explain", cases)
