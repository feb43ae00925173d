/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pieces of submission: letters, standard input cut at every place, recipients, the two lines of configuration.
 */
#include "kernel/command/sendmail/arguments.h"
#include "kernel/command/sendmail/dialogue.h"
#include "kernel/command/sendmail/places.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sysexits.h>

static int parse(struct arguments *arguments, struct pr_text *error, char **argv)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	pr_text_clear(error);
	return arguments_parse(argc, argv, arguments, error);
}

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})

static void test_letters(void)
{
	struct arguments a;
	struct pr_text error;

	pr_text_init(&error, 1000);
	CU_ASSERT_EQUAL(parse(&a, &error,
			    ARGV("/usr/sbin/sendmail", "-oi", "-t", "-fjoe@example.org", "-F", "Joe Doe", "x@y", "-v")),
	    EX_OK);
	CU_ASSERT(a.ignore_dots && a.from_header && !a.verbose);
	CU_ASSERT_STRING_EQUAL(a.sender, "joe@example.org");
	CU_ASSERT_STRING_EQUAL(a.full_name, "Joe Doe");
	CU_ASSERT_EQUAL(a.address_count, 2); /* flags end at the first address */
	arguments_fini(&a);
	CU_ASSERT_EQUAL(parse(&a, &error, ARGV("mailq", "-v")), EX_OK);
	CU_ASSERT_EQUAL(a.mode, 'p');
	CU_ASSERT_EQUAL(parse(&a, &error, ARGV("sendmail", "-q")), EX_OK);
	CU_ASSERT_EQUAL(a.mode, 'q');
	CU_ASSERT_EQUAL(parse(&a, &error, ARGV("sendmail", "-bd", "-q30m")), EX_OK);
	CU_ASSERT_EQUAL(a.mode, 'd');
	CU_ASSERT_STRING_EQUAL(a.queue, "30m");
	CU_ASSERT_EQUAL(
	    parse(&a, &error,
		ARGV("sendmail", "-odi", "-OTimeout.queuereturn=1d", "-oem", "-N", "never", "-N", "success", "x")),
	    EX_OK);
	CU_ASSERT(pr_str_equal(arguments_override(&a, PR_STR("DeliveryMode")), PR_STR("i")));
	CU_ASSERT(pr_str_equal(arguments_override(&a, PR_STR("timeout.QUEUERETURN")), PR_STR("1d")));
	CU_ASSERT_EQUAL(a.error_mode, 'm');
	CU_ASSERT_STRING_EQUAL(a.notify, "success");
	arguments_fini(&a);
	pr_text_fini(&error);
}

static void test_wrong_letters(void)
{
	static const struct {
		char *argv[5];
		const char *text;
	} rows[] = {
	    {{"sendmail", "-Z"}, "sendmail: illegal option -- Z"},
	    {{"sendmail", "-F"}, "sendmail: option requires an argument -- F"},
	    {{"sendmail", "-bX"}, "Invalid operation mode X"},
	    {{"sendmail", "-bz"}, "Frozen configurations unsupported"},
	    {{"sendmail", "-B", "9BIT"}, "Illegal body type 9BIT"},
	    {{"sendmail", "-h", "1x"}, "Bad hop count (1x)"},
	    {{"sendmail", "-N", "perhaps"}, "Invalid -N argument"},
	    {{"sendmail", "-R", "half"}, "Invalid -R value"},
	    {{"sendmail", "-Rhdrs", "-Rfull"}, "Duplicate -R flag"},
	    {{"sendmail", "-V", "a b"}, "Invalid syntax in -V flag"},
	    {{"sendmail", "-fa", "-rb"}, "More than one \"from\" person"},
	    {{"sendmail", "-q", "-bt"}, "Can not use -q with -bt"},
	    {{"sendmail", "-q", "-bs"}, "550 Can not use -q with -bs"},
	    {{"sendmail", "-Qwhy", "-bd"}, "550 Can not use -Q with -bd"},
	    {{"sendmail", "-d0.1", "-D", "file"}, "-D file must be before -d"},
	};
	struct arguments a;
	struct pr_text error;

	pr_text_init(&error, 1000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CU_ASSERT_EQUAL(parse(&a, &error, (char **)rows[i].argv), EX_USAGE);
		CU_ASSERT_STRING_EQUAL(error.data, rows[i].text);
		arguments_fini(&a);
	}
	pr_text_fini(&error);
}

static bool append(void *context, const char *data, size_t len)
{
	return pr_text_add(context, data, len);
}

struct input_case {
	const char *input;
	const char *header;
	const char *body;
	bool ignore_dots;
};

static const struct input_case inputs[] = {
    {"Subject: a\n\nhello\n", "Subject: a\n", "hello\n", false},
    {"Subject: a\r\nX: y\r\n z\r\n\r\nhello\r\n", "Subject: a\nX: y\n z\n", "hello\n", false},
    {"hello", "", "hello\n", false},
    {"From joe Mon\nSubject: a\n\nb", "Subject: a\n", "b\n", false},
    {"\nSubject: body\n", "", "Subject: body\n", false},
    {"a: b\nno header\nc: d\n", "a: b\n", "no header\nc: d\n", false},
    {"a: b\n\n.\nrest\n", "a: b\n", "", false},
    {"a: b\n.\nrest\n", "a: b\n", "", false},
    {"a: b\n\n.\nrest\n", "a: b\n", ".\nrest\n", true},
    {"a: b\n\nx\r\n.\r\nrest", "a: b\n", "x\n", false},
    {"a: b\n\n..\n.x\n.", "a: b\n", "..\n.x\n", false},
    {"a: b\n\none\rtwo\r\r\nend\r", "a: b\n", "one\ntwo\n\nend\n", false},
    {"a: b\n\none\r.\rtwo\n", "a: b\n", "one\n.\ntwo\n", false},
    {"", "", "", false},
    {"a: b", "a: b\n", "", false},
};

static void check_input(const struct input_case *row, size_t piece)
{
	struct message message;
	struct pr_text error, body;
	size_t len = strlen(row->input);

	pr_text_init(&error, 1000);
	pr_text_init(&body, 10000);
	message_init(&message, row->ignore_dots);
	for (size_t at = 0; at < len; at += piece)
		CU_ASSERT_EQUAL(
		    message_input(&message, row->input + at, len - at < piece ? len - at : piece, &error), EX_OK);
	CU_ASSERT_EQUAL(message_end(&message, &error), EX_OK);
	CU_ASSERT(spool_replay(&message.body, append, &body));
	CU_ASSERT_STRING_EQUAL(message.header.data, row->header);
	CU_ASSERT_STRING_EQUAL(body.data, row->body);
	message_fini(&message);
	pr_text_fini(&error);
	pr_text_fini(&body);
}

static void test_input(void)
{
	for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
		for (size_t piece = 1; piece < 40; piece++)
			check_input(&inputs[i], piece);
}

static void test_large_body(void)
{
	struct message message;
	struct pr_text error, body;
	char block[1000];

	memset(block, 'x', sizeof block);
	pr_text_init(&error, 1000);
	pr_text_init(&body, 4u << 20);
	message_init(&message, false);
	for (int i = 0; i < 1000; i++) /* no header, no line end at all */
		CU_ASSERT_EQUAL(message_input(&message, block, sizeof block, &error), EX_OK);
	CU_ASSERT_EQUAL(message_end(&message, &error), EX_OK);
	CU_ASSERT_EQUAL(spool_size(&message.body), 1000001);
	CU_ASSERT(message.body.memory.room <= 2 * MESSAGE_MEMORY_MAX);
	CU_ASSERT(spool_replay(&message.body, append, &body));
	CU_ASSERT_EQUAL(body.len, 1000001);
	CU_ASSERT_EQUAL(strspn(body.data, "x"), 1000000);
	message_fini(&message);
	pr_text_fini(&error);
	pr_text_fini(&body);
}

static void list_is(const struct recipients *recipients, const char *wanted)
{
	struct pr_text text;

	pr_text_init(&text, 10000);
	for (size_t i = 0; i < recipients->count; i++)
		if (recipients->items[i].fate == RECIPIENT_WAITING)
			pr_text_addf(&text, "%.*s;", PR_PRINT(recipients->items[i].address));
	CU_ASSERT_STRING_EQUAL(text.data, wanted);
	pr_text_fini(&text);
}

static void test_recipients(void)
{
	struct recipients r;
	struct pr_text error;

	pr_text_init(&error, 10000);
	recipients_init(&r);
	CU_ASSERT_EQUAL(recipients_add_list(&r, PR_STR("alice bob"), true, RECIPIENT_WAITING, &error), EX_OK);
	CU_ASSERT_EQUAL(
	    recipients_add_list(&r, PR_STR("Carl Smith <carl@example.org>, alice"), true, RECIPIENT_WAITING, &error),
	    EX_OK);
	list_is(&r, "alice;bob;carl@example.org;");
	CU_ASSERT_EQUAL(
	    recipients_add_list(&r, PR_STR("x@y\nRCPT TO:<evil@z>"), true, RECIPIENT_WAITING, &error), EX_DATAERR);
	list_is(&r, "alice;bob;carl@example.org;");
	CU_ASSERT_EQUAL(recipients_add_list(&r, PR_STR("BOB"), true, RECIPIENT_EXCLUDED, &error), EX_OK);
	list_is(&r, "alice;carl@example.org;");
	recipients_fini(&r);
	pr_text_fini(&error);
}

static void header_recipients_are(const char *text, const char *wanted, const char *header_left)
{
	struct message message;
	struct recipients r;
	struct pr_text error;

	pr_text_init(&error, 10000);
	recipients_init(&r);
	message_init(&message, false);
	message_input(&message, text, strlen(text), &error);
	message_end(&message, &error);
	recipients_add_header(&r, &message, &error);
	message_drop_bcc(&message);
	list_is(&r, wanted);
	CU_ASSERT_STRING_EQUAL(message.header.data, header_left);
	message_fini(&message);
	recipients_fini(&r);
	pr_text_fini(&error);
}

static void test_header_recipients(void)
{
	header_recipients_are("To: a@b,\n\tc@d (x)\nSubject: s\nBCC: e@f\n\nBcc: no@no\n", "a@b;c@d;e@f;",
	    "To: a@b,\n\tc@d (x)\nSubject: s\n");
	header_recipients_are("Bcc: e@f\n\n", "e@f;", "Bcc:\n");
	header_recipients_are("To: a@b\nResent-To: r@s\n\n", "r@s;", "To: a@b\nResent-To: r@s\n");
	header_recipients_are("Subject: x\n\n", "", "Subject: x\n");
}

static void test_many_recipients(void)
{
	struct recipients r;
	struct pr_text error, list;

	pr_text_init(&error, 10000);
	pr_text_init(&list, 8u << 20);
	for (int i = 0; i < 100000; i++)
		pr_text_addf(&list, "user%d@example.org, ", i);
	recipients_init(&r);
	CU_ASSERT_EQUAL(recipients_add_list(&r, pr_text_str(&list), false, RECIPIENT_WAITING, &error), EX_OK);
	CU_ASSERT_EQUAL(r.count, 100000);
	recipients_fini(&r);
	pr_text_fini(&error);
	pr_text_fini(&list);
}

static void test_places(void)
{
	static const char text[] =
	    "# run_directory = \"/comment\"\n/* drop_directory = \"/comment\" */ module_directory=\"/m\";\n"
	    "users = { run_directory = \"/inner\"; };\nlog = \"has run_directory = in it\";\n"
	    "run_directory : \"/run/a\"; // drop_directory = \"/x\"\ndrop_directory=\"/drop/a\"";
	struct places places = {"/r", "/d", "", ""};

	CU_ASSERT(places_scan(PR_STR(text), &places));
	CU_ASSERT_STRING_EQUAL(places.run_directory, "/run/a");
	CU_ASSERT_STRING_EQUAL(places.drop_directory, "/drop/a");
	CU_ASSERT_FALSE(
	    places_scan(PR_STR("run_directory = \"relative\"; drop_directory = \"/un\\\"quoted\"; \"open"), &places));
	CU_ASSERT_FALSE(places_scan(PR_STR("run_directory = /* open"), &places));
	CU_ASSERT_STRING_EQUAL(places.run_directory, "/run/a");
}

static void test_exit_status(void)
{
	CU_ASSERT_EQUAL(dialogue_exit_status(PR_STR("550 5.1.1 <x>... User unknown")), EX_NOUSER);
	CU_ASSERT_EQUAL(dialogue_exit_status(PR_STR("550 5.1.2 x")), EX_NOHOST);
	CU_ASSERT_EQUAL(dialogue_exit_status(PR_STR("552")), EX_UNAVAILABLE);
}

static const struct unit_case cases[] = {
    {"letters", test_letters},
    {"wrong letters", test_wrong_letters},
    {"standard input, all cuts", test_input},
    {"a body larger than memory allows", test_large_body},
    {"recipients of the command line", test_recipients},
    {"recipients of the header", test_header_recipients},
    {"a hundred thousand recipients", test_many_recipients},
    {"two lines of configuration", test_places},
    {"exit status of a reply", test_exit_status},
    {NULL, NULL},
};

UNIT_MAIN("sendmail", cases)
