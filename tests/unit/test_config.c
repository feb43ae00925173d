/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postrider.conf in, structs or sentences out.  Each wrong file is a row with the exact sentences an administrator reads,
 * because a sentence without its line or its hint is half an answer.
 */
#include "kernel/config/config.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pr_text errors;

static struct config *parse_with(const char *text, const struct pr_list *overrides)
{
	pr_text_fini(&errors);
	pr_text_init(&errors, 1 << 20);
	return config_parse("a.conf", pr_str(text), overrides, &errors);
}

static struct config *parse(const char *text)
{
	struct config *config = parse_with(text, NULL);

	if (config == NULL)
		printf("\n%s", errors.data);
	CU_ASSERT_FATAL(config != NULL);
	CU_ASSERT_EQUAL(errors.len, 0);
	return config;
}

static const struct config_instance *instance_of(const struct config *config, enum pr_kind kind, const char *name)
{
	for (size_t i = 0; i < config->instance_count; i++)
		if (config->instances[i].kind == kind && pr_str_equal(config->instances[i].name, pr_str(name)))
			return &config->instances[i];
	return NULL;
}

static bool is(struct pr_str text, const char *wanted)
{
	bool equal = pr_str_equal(text, pr_str(wanted));

	if (!equal)
		printf("\nwanted \"%s\", got \"%.*s\"\n", wanted, PR_PRINT(text));
	return equal;
}

static const char whole[] =
    "module_directory = \"/opt/modules\"; run_directory = \"/opt/run\"; drop_directory = \"/opt/drop\"; log = \"stderr\";\n"
    "users = { receiver = \"r\"; courier = \"c\"; };\n"
    "options = { QueueDirectory = \"/q\"; maxmessagesize = \"50M\"; MaxHopCount = 7; SuperSafe = false; RejectNUL = \"no\";\n"
    "  AliasFile = (\"access\", \"big\"); PrivacyOptions = \"needmailhelo, noexpn\";\n"
    "  Timeout = { mail = \"1h30m\"; QueueReturn = \"5d\"; queuewarn = { urgent = \"1h\"; dsn = 0; }; }; };\n"
    "listeners = ( { name = \"MTA\"; address = \"127.0.0.1\"; port = 2525; }, { address = \"::1\"; port = 25; },\n"
    "  { name = \"local\"; path = \"/opt/run/x.sock\"; mode = \"0600\"; } );\n"
    "maps = { access = { module = \"hash\"; file = \"/a.db\"; }; big = { module = \"text\"; keys = [\"a\", \"b\"]; }; };\n"
    "mailers = { esmtp = { module = \"smtp\"; flags = \"mDFMuXa\"; size_limit = \"10M\"; line_limit = 990; recipients = 5; messages = 3; port = 2526; };\n"
    "  uucp = { module = \"prog\"; }; };\n"
    "filters = ( { name = \"watch\"; module = \"debug\"; on_failure = \"accept\"; quiet = true; }, { module = \"debug\"; } );\n"
    "rules = { module = \"routes\"; local_domains = ( \"example.org\" ); };\n"
    "store = { module = \"debugstore\"; };\n"
    "auth = ( { name = \"door\"; module = \"debugauth\"; } );\n";

static void test_whole(void)
{
	struct config *config = parse(whole);
	const struct options *options = &config->options;

	CU_ASSERT(is(config->path, "a.conf") && is(config->module_directory, "/opt/modules") && is(config->run_directory, "/opt/run"));
	CU_ASSERT(is(config->drop_directory, "/opt/drop") && is(config->log, "stderr"));
	CU_ASSERT(is(config->receiver_user, "r") && is(config->courier_user, "c"));
	CU_ASSERT(is(options->queue_directory, "/q"));
	CU_ASSERT_EQUAL(options->max_message_size, 50 << 20); /* names are sendmail's, in any case */
	CU_ASSERT_EQUAL(options->max_hop_count, 7);
	CU_ASSERT(pr_str_equal(options->super_safe, PR_STR("false")) && options->reject_nul == 0);
	CU_ASSERT_EQUAL(options->timeout_mail, 5400);
	CU_ASSERT_EQUAL(options->timeout_queuereturn, 5 * 86400);
	CU_ASSERT(options->timeout_warn_of[TIMEOUT_URGENT] == 3600 && options->timeout_warn_of[TIMEOUT_DSN] == 0);
	CU_ASSERT(options->timeout_warn_of[TIMEOUT_NORMAL] == -1 && options->timeout_return_of[TIMEOUT_DSN] == -1);
	CU_ASSERT_EQUAL(options->timeout_rcpt, 3600);
	CU_ASSERT_FATAL(options->alias_files.count == 2 && options->privacy.count == 2);
	CU_ASSERT(is(options->alias_files.items[1], "big") && is(options->privacy.items[1], "noexpn"));
	config_free(config);
}

static void test_listeners(void)
{
	struct config *config = parse(whole);
	const struct config_listener *listeners = config->listeners;

	CU_ASSERT_FATAL(config->listener_count == 4);
	CU_ASSERT(is(listeners[0].name, "MTA") && is(listeners[0].address, "127.0.0.1") && listeners[0].port == 2525);
	CU_ASSERT(is(listeners[1].name, "MTA") && is(listeners[1].address, "::1") && listeners[1].port == 25);
	CU_ASSERT(is(listeners[2].path, "/opt/run/x.sock") && listeners[2].mode == 0600 && listeners[2].address.data == NULL);
	CU_ASSERT(listeners[2].submission == 0 && listeners[2].line == 7);
	CU_ASSERT(is(listeners[3].path, "/opt/run/submit.sock") && listeners[3].submission == 1 && listeners[3].mode == 0666);
	config_free(config);
}

static void test_instances(void)
{
	struct config *config = parse(whole);
	const struct config_instance *esmtp = instance_of(config, PR_KIND_MAILER, "esmtp");
	const struct config_instance *uucp = instance_of(config, PR_KIND_MAILER, "uucp");
	const struct config_instance *big = instance_of(config, PR_KIND_MAP, "big");
	const struct config_instance *watch = instance_of(config, PR_KIND_FILTER, "watch");
	const struct config_instance *second = instance_of(config, PR_KIND_FILTER, "debug");

	CU_ASSERT_FATAL(esmtp != NULL && uucp != NULL && big != NULL && watch != NULL && second != NULL);
	CU_ASSERT(is(esmtp->flags, "mDFMuXa") && esmtp->size_limit == 10 << 20 && esmtp->line_limit == 990);
	CU_ASSERT(esmtp->recipients == 5 && esmtp->messages == 3 && esmtp->line == 9);
	CU_ASSERT_FATAL(esmtp->setting_count == 1); /* the kernel kept its own, the module gets the rest */
	CU_ASSERT(is(esmtp->settings[0].name, "port") && is(esmtp->settings[0].text, "2526") && esmtp->settings[0].line == 9);
	CU_ASSERT(uucp->flags.data == NULL && uucp->recipients == 100 && uucp->messages == 0);
	CU_ASSERT_FATAL(big->setting_count == 1 && big->settings[0].is_list == 1 && big->settings[0].item_count == 2);
	CU_ASSERT(is(big->settings[0].items[1], "b"));
	CU_ASSERT(is(watch->on_failure, "accept") && watch->setting_count == 1 && is(watch->settings[0].text, "true"));
	CU_ASSERT(second->on_failure.data == NULL && second->setting_count == 0);
	CU_ASSERT(instance_of(config, PR_KIND_AUTH, "door") != NULL);
	CU_ASSERT(is(instance_of(config, PR_KIND_STORE, "store")->module, "debugstore"));
	config_free(config);
}

/* A setting is found as its module finds it: in any case, the last of two; and a yes has the words of a module's option. */
static void test_settings(void)
{
	static const struct {
		const char *value;
		bool is_true;
	} words[] = {{"true", true}, {"\"Yes\"", true}, {"\"on\"", true}, {"1", true}, {"false", false}, {"\"no\"", false}, {"\"off\"", false}, {"0", false}, {"\"2\"", false}, {"\"\"", false}};
	char text[200];

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		snprintf(text, sizeof text, "maps = { m = { module = \"text\"; optional = false; Optional = %s; file = \"/a\"; }; };", words[i].value);
		struct config *config = parse(text);
		const struct config_instance *map = instance_of(config, PR_KIND_MAP, "m");
		CU_ASSERT_EQUAL(config_setting_is_true(map, "optional"), words[i].is_true);
		CU_ASSERT(is(config_setting_text(map, "FILE"), "/a") && config_setting_find(map, "file")->line == 1);
		CU_ASSERT(config_setting_find(map, "unsafe") == NULL && config_setting_text(map, "unsafe").data == NULL && !config_setting_is_true(map, "unsafe"));
		config_free(config);
	}
	struct config *config = parse("mailers = { a = { module = \"prog\"; hide_dots = \"yes\"; strip_nul = 1; blank_end = \"off\"; }; };");
	const struct config_instance *mailer = instance_of(config, PR_KIND_MAILER, "a");
	CU_ASSERT(mailer->hide_dots == 1 && mailer->strip_nul == 1 && mailer->blank_end == 0);
	config_free(config);
	CU_ASSERT_PTR_NULL(parse_with("mailers = { a = { module = \"prog\"; hide_dots = \"perhaps\"; }; };", NULL));
	CU_ASSERT(is(pr_text_str(&errors), "a.conf:1: hide_dots is true or false (yes, no, on, off, 1, 0)\n"));
}

/* What is not declared is added, what is declared is left alone. */
static void test_defaults(void)
{
	static const char *const mailers[][2] = {{"local", "local"}, {"prog", "prog"}, {"file", "file"}, {"esmtp", "smtp"}, {"relay", "smtp"},
	    {"discard", "discard"}, {"error", "error"}};
	struct config *config = parse("");

	for (size_t i = 0; i < sizeof mailers / sizeof mailers[0]; i++) {
		const struct config_instance *mailer = instance_of(config, PR_KIND_MAILER, mailers[i][0]);
		CU_ASSERT_FATAL(mailer != NULL);
		CU_ASSERT(is(mailer->module, mailers[i][1]));
		CU_ASSERT_STRING_EQUAL(mailer->file, "a.conf");
	}
	CU_ASSERT_EQUAL(config->instance_count, 9);
	CU_ASSERT(is(instance_of(config, PR_KIND_RULES, "rules")->module, "routes"));
	CU_ASSERT(is(instance_of(config, PR_KIND_STORE, "store")->module, "spool"));
	CU_ASSERT(config->options.host_name.len > 0 && config->options.max_hop_count == 25);
	CU_ASSERT_EQUAL(config->listener_count, 1);
	CU_ASSERT(pr_str_has_suffix_nocase(config->options.pid_file, PR_STR("/postrider.pid")));
	config_free(config);
	config = parse("mailers = { local = { module = \"prog\"; }; }; run_directory = \"/r\"; rules = { module = \"debugrules\"; };");
	CU_ASSERT_EQUAL(config->instance_count, 9);
	CU_ASSERT(is(instance_of(config, PR_KIND_MAILER, "local")->module, "prog"));
	CU_ASSERT(is(instance_of(config, PR_KIND_RULES, "rules")->module, "debugrules"));
	CU_ASSERT(is(config->options.pid_file, "/r/postrider.pid"));
	config_free(config);
}

#define REPEAT4(text) text text text text
#define REPEAT16(text) REPEAT4(REPEAT4(text))
#define LONG_PATH "/" REPEAT16("0123456789")

static const struct {
	const char *text;
	const char *errors;
} wrong[] = {
    {"log = \"x\"\nrules =;\n", "a.conf:2: syntax error\n"},
    {"log = \"a\";\n@include \"/nonexistent/x.conf\"\n",
        "a.conf:2: cannot open include file /nonexistent/x.conf: No such file or directory\n"},
    {"log = \"a\";\nlog = \"b\";\n", "a.conf:2: duplicate setting name\n"},
    {"\nlog = ( \"a\" );\n", "a.conf:2: log takes one value\n"},
    {"modul_directory = \"/m\";\n", "a.conf:1: unknown key modul_directory; did you mean module_directory?\n"},
    {"zebra = 1;\n", "a.conf:1: unknown key zebra\n"},
    {"Log = \"x\";\nlisteners = ();\nfilter = ();\n",
        "a.conf:1: unknown key Log; did you mean log?\na.conf:3: unknown key filter; did you mean filters?\n"},
    {"run_directory = \"here\";\nmodule_directory = \"\";\n",
        "a.conf:2: module_directory must be an absolute path, not \"\"\na.conf:1: run_directory must be an absolute path, not \"here\"\n"},
    {"run_directory = \"" LONG_PATH "\";\n", "a.conf: run_directory is too long: a socket path has at most 107 bytes\n"},
    {"users = \"joe\";\n", "a.conf:1: users takes a group: users = { receiver = \"...\"; courier = \"...\"; };\n"},
    {"users = { reciever = \"joe\"; };\n", "a.conf:1: unknown key reciever in users; it has receiver and courier (check the spelling)\n"},
    {"users = { receiver = { }; };\n", "a.conf:1: receiver takes one value\n"},
    /* options */
    {"options = ();\n", "a.conf:1: options takes a group: options = { Name = value; };\n"},
    {"options = {\n  MaxHopCoutn = 3;\n};\n", "a.conf:2: unknown option MaxHopCoutn; did you mean MaxHopCount?\n"},
    {"options = { Timeout = {\n  male = \"1h\"; }; };\n", "a.conf:2: unknown option Timeout.male; did you mean Timeout.mail?\n"},
    {"options = { Timeout = {\n  mail = \"soon\"; }; };\n",
        "a.conf:2: option Timeout.mail: \"soon\" is not a time such as 30s, 5m, 1h30m or 2d (a bare number is seconds)\n"},
    {"options = { Timeout = { mail = { a = 1; }; }; };\n", "a.conf:1: option Timeout.mail: takes one value, not a list\n"},
    {"\nlog = \"mail.log\";\n", "a.conf:2: log is syslog, stderr or the absolute name of a file, not \"mail.log\"\n"},
    {"options = {\n Resolver = ( \"192.0.2.1\", \"192.0.2.1:x\", \"dns\", \"192.0.2.2:5353\" ); };\n",
        "a.conf:2: option Resolver: \"192.0.2.1:x\" is no address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353\n"
        "a.conf:2: option Resolver: \"dns\" is no address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353\n"},
    {"options = { QueueSortOrder = \"zzz\"; };\n",
        "a.conf:1: option QueueSortOrder: invalid queue sort order \"zzz\"; it is priority, host, filename, time, modification, random or none\n"},
    {"options = { Timeout = { queuereturn = { urgnt = \"1d\"; }; }; };\n",
        "a.conf:1: unknown option Timeout.queuereturn.urgnt; did you mean Timeout.queuereturn.urgent?\n"},
    {"options = { HostName = \"my host\"; };\n", "a.conf:1: option HostName: \"my host\" is no name of a host\n"},
    {"options = { AliasFile = \"nowhere\"; };\n", "a.conf:1: option AliasFile names nowhere, but maps declares no such map\n"},
    {"options = { MaxHopCount = (1, 2); };\n", "a.conf:1: option MaxHopCount: takes one value, not a list\n"},
    {"options = { AliasFile = ( \"a\", ( \"b\" ) ); };\n", "a.conf:1: a list holds values, not lists or groups\n"},
    {"options = { QueueDirectory = \"queue\"; };\n", "a.conf:1: option QueueDirectory: \"queue\" is not an absolute path (it must begin with /)\n"},
    {"options = { SuperSafe = \"maybe\"; };\n", "a.conf:1: option SuperSafe: \"maybe\" is not true, false, postmilter or interactive\n"},
    {"options = { DeliveryMode = \"zap\"; };\n",
        "a.conf:1: option DeliveryMode: unknown delivery mode \"zap\"; it is i (interactive), b (background), q (queue) or d (defer)\n"},
    {"options = { MaxMessageSize = \"5X\"; };\n",
        "a.conf:1: option MaxMessageSize: \"5X\" is not a number of bytes, perhaps with K, M or G\n"},
    {"options = {\n CourierThreads = 1000000;\n MaxThreads = 0; };\n",
        "a.conf:2: option CourierThreads: 1000000 cannot be meant; it is a number from 1 to 2000\n"
        "a.conf:3: option MaxThreads: 0 cannot be meant; it is a number from 1 to 4096\n"},
    {"options = {\n Precedence = ( \"bulk=-60\", \"junk\", \"x=y\" ); };\n",
        "a.conf:2: option Precedence: \"junk\" is no class such as bulk=-60\na.conf:2: option Precedence: \"x=y\" is no class such as bulk=-60\n"},
    {"options = { MinFreeBlocks = -1; };\n", "a.conf:1: option MinFreeBlocks: -1 is less than nothing; it is a number from 0 up\n"},
    {"options = {\n PrivacyOptions = \"goaway,noexpm\"; };\n", "a.conf:2: option PrivacyOptions: unknown word noexpm; did you mean noexpn?\n"},
    {"options = {\n ServerKeyFile = \"/k\"; };\n", "a.conf:2: option ServerKeyFile is set without ServerCertFile; STARTTLS needs both\n"},
    /* listeners */
    {"listeners = { };\n", "a.conf:1: listeners takes a list of groups: listeners = ( { port = 25; } );\n"},
    {"listeners = ( 25 );\n", "a.conf:1: each listener is a group: { name = \"MTA\"; address = \"127.0.0.1\"; port = 25; }\n"},
    {"listeners = ( { adress = \"::1\"; } );\n",
        "a.conf:1: unknown key adress in a listener; did you mean address?\na.conf:1: a listener needs either address and port, or path\n"},
    {"listeners = ( { address = \"localhost\"; port = 25; } );\n", "a.conf:1: address \"localhost\" is no IPv4 or IPv6 address\n"},
    {"listeners = ( { address = \"::1\"; } );\n", "a.conf:1: the listener on ::1 needs a port\n"},
    {"listeners = ( { address = \"::1\"; port = 70000; } );\n",
        "a.conf:1: port takes a number from 0 to 65535\na.conf:1: the listener on ::1 needs a port\n"},
    {"listeners = ( { address = \"::1\"; port = 25; path = \"/s\"; } );\n", "a.conf:1: a listener needs either address and port, or path\n"},
    {"listeners = ( { path = \"s\"; } );\n", "a.conf:1: path takes an absolute path of at most 107 bytes\n"},
    {"listeners = ( { path = \"" LONG_PATH "\"; } );\n", "a.conf:1: path takes an absolute path of at most 107 bytes\n"},
    {"listeners = ( { path = \"/s\"; proxy = ( \"10.0.0.0/8\", \"10.0.0.0/33\" ); } );\n", "a.conf:1: proxy: \"10.0.0.0/33\" is no network\n"},
    {"listeners = ( { path = \"/s\"; protocol = \"imap\"; } );\n", "a.conf:1: protocol is smtp or lmtp, not imap\n"},
    {"listeners = ( { address = \"::1\"; port = 25; protocol = \"lmtp\"; } );\n",
     "a.conf:1: LMTP cannot be spoken on port 25, which is SMTP's (RFC 2033 section 5)\n"},
    {"listeners = ( { path = \"/s\"; delivery_mode = \"x\"; } );\n", "a.conf:1: Unknown delivery mode x\n"},
    {"listeners = ( { path = \"/s\"; filters = ( \"none\" ); } );\n", "a.conf:1: listener MTA names the filter none, which is not declared\n"},
    {"listeners = ( { path = \"/s\"; mode = \"9\"; } );\n", "a.conf:1: mode: \"9\" is not an octal file mode such as 0640\n"},
    /* instances */
    {"maps = ();\n", "a.conf:1: maps takes a group\n"},
    {"filters = { };\n", "a.conf:1: filters takes a list of groups\n"},
    {"filters = ( \"debug\" );\n", "a.conf:1: filters takes a group: { module = \"...\"; ... }\n"},
    {"rules = \"routes\";\n", "a.conf:1: rules takes a group\n"},
    {"maps = { access = \"x\"; };\n", "a.conf:1: access takes a group: { module = \"...\"; ... }\n"},
    {"maps = {\n access = { file = \"/x\"; }; };\n", "a.conf:2: access does not say which module: module = \"...\";\n"},
    {"filters = (\n { }, { } );\n",
        "a.conf:2: filters does not say which module: module = \"...\";\na.conf:2: filters does not say which module: module = \"...\";\n"},
    {"maps = { a = { module = \"../evil\"; }; };\n",
        "a.conf:1: module \"../evil\" is no module name; it is a file name without folder and .so\n"},
    {"maps = { a = { module = \"hash\"; deep = { }; }; };\n", "a.conf:1: deep is a group; a module's option takes a value or a list\n"},
    {"filters = ( { name = \"w\"; module = \"debug\"; },\n { name = \"w\"; module = \"debug\"; } );\n",
        "a.conf:2: w is declared twice; first in line 1\n"},
    {"filters = ( { module = \"debug\"; on_failure = \"explode\"; } );\n",
        "a.conf:1: on_failure \"explode\" is not known; it is tempfail, accept or reject\n"},
    {"mailers = { m = { module = \"smtp\"; recipients = -1; }; };\n", "a.conf:1: recipients takes a number from 0 to 2147483647\n"},
    {"mailers = { m = { module = \"smtp\"; size_limit = \"many\"; }; };\n", "a.conf:1: size_limit takes a size such as 50M\n"},
    /* all of them at once */
    {"logg = \"x\";\noptions = { MaxHopCount = \"x\"; };\nmaps = { a = { }; };\n",
        "a.conf:1: unknown key logg; did you mean log?\na.conf:2: option MaxHopCount: \"x\" is not a whole decimal number\n"
        "a.conf:3: a does not say which module: module = \"...\";\n"},
};

static void test_wrong(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct config *config = parse_with(wrong[i].text, NULL);
		CU_ASSERT(config == NULL);
		CU_ASSERT(is(pr_text_str(&errors), wrong[i].errors));
		config_free(config);
	}
}

static void test_overrides(void)
{
	static const struct pr_str good[] = {PR_STR_INIT("MaxHopCount=9"), PR_STR_INIT("maxhopcount = 11"), PR_STR_INIT("Timeout.mail=2h"),
	    PR_STR_INIT("SendMimeErrors"), PR_STR_INIT("PrivacyOptions=noexpn,novrfy"), PR_STR_INIT("DoubleBounceAddress=x=y")};
	static const struct pr_str bad[] = {PR_STR_INIT("MaxHopCount=9"), PR_STR_INIT("MaxHopCuont=9"), PR_STR_INIT("RejectNUL=perhaps"),
	    PR_STR_INIT("=5"), PR_STR_INIT("")};
	const struct pr_list overrides = {good, sizeof good / sizeof good[0]}, refused = {bad, sizeof bad / sizeof bad[0]};
	struct config *config = parse_with("options = { MaxHopCount = 5; SendMimeErrors = false; };", &overrides);

	CU_ASSERT_FATAL(config != NULL);
	CU_ASSERT(config->options.max_hop_count == 11 && config->options.timeout_mail == 7200); /* the last one wins */
	CU_ASSERT(config->options.send_mime_errors == 1 && config->options.privacy.count == 2);
	CU_ASSERT(is(config->options.double_bounce, "x=y"));
	config_free(config);
	CU_ASSERT(parse_with("", &refused) == NULL);
	CU_ASSERT(is(pr_text_str(&errors), "-O:2: unknown option MaxHopCuont; did you mean MaxHopCount?\n"
	                                   "-O:3: option RejectNUL: \"perhaps\" is not true or false (yes, no, on, off, 1, 0)\n"
	                                   "-O:4: unknown option \n-O:5: unknown option \n"));
}

/* What can be judged only in the end is still the fault of who said it last. */
static void test_blame(void)
{
	static const struct pr_str bad[] = {PR_STR_INIT("QueueSortOrder=zzz"), PR_STR_INIT("CourierThreads=0")};
	const struct pr_list overrides = {bad, 2};

	CU_ASSERT(parse_with("options = {\n QueueSortOrder = \"time\";\n CourierThreads = 3; };", &overrides) == NULL);
	CU_ASSERT(is(pr_text_str(&errors), "-O:2: option CourierThreads: 0 cannot be meant; it is a number from 1 to 2000\n"
	                                   "-O:1: option QueueSortOrder: invalid queue sort order \"zzz\"; it is priority, host, filename, time, "
	                                   "modification, random or none\n"));
}

static void test_precedence(void)
{
	struct config *config = parse("");

	CU_ASSERT(options_class(&config->options, PR_STR("Special-Delivery")) == 100 && options_class(&config->options, PR_STR("junk")) == -100);
	CU_ASSERT_EQUAL(options_class(&config->options, PR_STR("nothing")), 0);
	config_free(config);
	config = parse("options = { Precedence = ( \"urgent = 7\", \"junk=-3\" ); };");
	CU_ASSERT(options_class(&config->options, PR_STR("urgent")) == 7 && options_class(&config->options, PR_STR("junk")) == -3);
	CU_ASSERT_EQUAL(options_class(&config->options, PR_STR("list")), 0);
	config_free(config);
}

/* As sendmail parts them, too: one word must not hide behind another. */
static void test_privacy(void)
{
	struct config *config = parse("options = {\n PrivacyOptions = \"needmailhelo noexpn,  restrictexpand\"; };");

	CU_ASSERT_FATAL(config->options.privacy.count == 3);
	CU_ASSERT(is(config->options.privacy.items[1], "noexpn"));
	CU_ASSERT(is(pr_text_str(&config->notices), "a.conf:2: option PrivacyOptions: restrictexpand: accepted, no effect here\n"));
	config_free(config);
}

static void test_hostile(void)
{
	static const char with_nul[] = "log = \"x\";\n\0log = \"y\";";
	struct pr_text deep;

	pr_text_fini(&errors);
	pr_text_init(&errors, 1 << 20);
	CU_ASSERT(config_parse("a.conf", (struct pr_str){with_nul, sizeof with_nul - 1}, NULL, &errors) == NULL);
	CU_ASSERT(is(pr_text_str(&errors), "a.conf:1: the file holds a NUL byte; it is not a configuration file\n"));
	for (size_t depth = 13; depth < 200000; depth *= 10) {
		pr_text_init(&deep, 8 << 20);
		pr_text_add_c(&deep, "a = ");
		for (size_t i = 0; i < depth; i++)
			pr_text_add_byte(&deep, '(');
		for (size_t i = 0; i < depth; i++)
			pr_text_add_byte(&deep, ')');
		pr_text_add_byte(&deep, ';');
		CU_ASSERT(parse_with(deep.data, NULL) == NULL);
		CU_ASSERT(errors.len > 0 && errors.len < 1000);
		if (depth == 13)
			CU_ASSERT(is(pr_text_str(&errors), "a.conf:1: groups and lists are nested deeper than 12\n"));
		pr_text_fini(&deep);
	}
}

static void test_junk(void)
{
	static char junk[1 << 20];
	uint64_t state = 88172645463325252u;

	for (size_t i = 0; i < sizeof junk; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		junk[i] = (char)(1 + state % 255);
	}
	for (size_t start = 0; start < sizeof junk; start += sizeof junk / 16) {
		pr_text_fini(&errors);
		pr_text_init(&errors, 1 << 20);
		CU_ASSERT(config_parse("a.conf", (struct pr_str){junk + start, sizeof junk - start}, NULL, &errors) == NULL);
		CU_ASSERT(errors.len > 0);
	}
	struct pr_text many; /* and 1 MB of good grammar with nothing good in it */
	pr_text_init(&many, 2 << 20);
	pr_text_add_c(&many, "filters = (\n  ");
	for (unsigned int i = 0; many.len < 1 << 20; i++)
		pr_text_addf(&many, "%s%u", i > 0 ? ",\n  " : "", i);
	pr_text_add_c(&many, " );\n");
	CU_ASSERT(parse_with(many.data, NULL) == NULL);
	CU_ASSERT(strncmp(errors.data, "a.conf:2: filters takes a group", 31) == 0);
	CU_ASSERT(errors.overflow == 1 && errors.len <= 1 << 20); /* so many complaints, so much text and no more */
	pr_text_fini(&many);
}

static void test_load(void)
{
	char path[] = "/tmp/postrider-config-XXXXXX";
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(write(fd, "log = \"stderr\";\nnonsense = 1;\n", 30) == 30);
	close(fd);
	pr_text_fini(&errors);
	pr_text_init(&errors, 1 << 20);
	CU_ASSERT(config_load(path, NULL, &errors) == NULL);
	CU_ASSERT(strncmp(errors.data, path, strlen(path)) == 0 && strstr(errors.data, ":2: unknown key nonsense") != NULL);
	unlink(path);
	pr_text_clear(&errors);
	CU_ASSERT(config_load(path, NULL, &errors) == NULL);
	CU_ASSERT(strstr(errors.data, ": cannot open: No such file or directory\n") != NULL);
	pr_text_clear(&errors);
	CU_ASSERT(config_load("/tmp", NULL, &errors) == NULL);
	CU_ASSERT(is(pr_text_str(&errors), "/tmp: cannot open: it must be a readable regular file of at most 4 MiB\n"));
	pr_text_clear(&errors);
	CU_ASSERT(config_load("/dev/zero", NULL, &errors) == NULL);
	CU_ASSERT(mkfifo(path, 0600) == 0);
	CU_ASSERT(config_load(path, NULL, &errors) == NULL); /* a FIFO must not make a daemon wait for ever */
	unlink(path);
}

static const struct unit_case cases[] = {
    {"a file with every section", test_whole}, {"listeners", test_listeners}, {"instances", test_instances}, {"settings", test_settings},
    {"what is added by default", test_defaults}, {"every mistake has its sentence", test_wrong}, {"-O", test_overrides}, {"who said it last is told", test_blame}, {"words of PrivacyOptions", test_privacy}, {"classes of Precedence", test_precedence},
    {"NUL and depth", test_hostile}, {"a megabyte of junk", test_junk}, {"config_load", test_load}, {NULL, NULL},
};

int main(void)
{
	pr_text_init(&errors, 1 << 20);
	int result = unit_run("config", cases);
	pr_text_fini(&errors);
	return result;
}
