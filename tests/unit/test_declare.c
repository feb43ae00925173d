/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail.cf beside postrider.conf: which of the two a file is, and what the lines of the first become in the tables of the second.
 */
#include "kernel/config/config.h"
#include "kernel/config/dialect.h"
#include "kernel/config/mailer_flags.h"
#include "kernel/config/options_idle.h"
#include "kernel/helper/helper.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void test_dialect(void)
{
	static const struct {
		const char *text;
		bool is_cf;
	} rows[] = {
	    {"V10/Berkeley\n", true},
	    {"# a comment\n\n  \nV10\n", true},
	    {"Djmail.example.org\n", true},
	    {"Cwlocalhost\n", true},
	    {"O QueueDirectory=/q\n", true},
	    {"OQ/q\n", true},
	    {"H?D?Date: $a\n", true},
	    {"HDate: $a\n", true},
	    {"Mlocal, P=/bin/false\n", true},
	    {"Kaccess hash /etc/access\n", true},
	    {"Sparse=0\nR$+\t$#local $: $1\n", true},
	    {"Troot\n", true},
	    {"Pjunk=-100\nTroot\n", true},      /* the first line could be either */
	    {"Pjunk=-100\n", false},            /* and never says */
	    {"", false},
	    {"# only comments\n", false},
	    {"run_directory = \"/run\";\n", false},
	    {"// a comment\nV10\n", false},
	    {"/* V10 */\n", false},
	    {"options = {\n", false},
	    {"Options = {\n  QueueDirectory = \"/q\"; };\n", false}, /* a mistake, in postrider.conf */
	    {"@include \"a.conf\"\n", false},
	    {"V\n", false},
	    {"V = 3;\n", false},
	    {"{", false},
	    {"\xff\xfe\x01", false},
	    {" V10\n", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool got = dialect_is_cf(pr_str(rows[i].text));
		if (got != rows[i].is_cf)
			printf("\n%s", rows[i].text);
		CU_ASSERT_EQUAL(got, rows[i].is_cf);
	}
	CU_ASSERT(!dialect_file_is_cf("/nonexistent/file"));
}

static void test_site_path(void)
{
	CU_ASSERT(setenv("POSTRIDER_CONF", "/tmp/x.conf", 1) == 0);
	CU_ASSERT_STRING_EQUAL(dialect_site_path(), "/tmp/x.conf");
	CU_ASSERT(setenv("POSTRIDER_CONF", "x.conf", 1) == 0); /* which would be another file in another directory */
	CU_ASSERT_STRING_EQUAL(dialect_site_path(), CONFIG_DEFAULT_PATH);
	unsetenv("POSTRIDER_CONF");
	CU_ASSERT_STRING_EQUAL(dialect_site_path(), CONFIG_DEFAULT_PATH);
}

/* declarations ---------------------------------------------------------- */

static struct pr_text errors;

struct said {
	uint32_t kind;
	const char *name, *module;
	const char *settings[12][2]; /* letter, value */
};

static struct config *declare(const char *conf, const struct pr_list *overrides, const struct said *said, size_t count, bool wanted)
{
	struct pr_declared items[32] = {0};
	struct pr_declared_setting settings[32][12];

	pr_text_fini(&errors);
	pr_text_init(&errors, 1 << 20);
	struct config *config = config_parse("a.conf", pr_str(conf), overrides, &errors);
	CU_ASSERT_FATAL(config != NULL && count <= 32);
	for (size_t i = 0; i < count; i++) {
		items[i] = (struct pr_declared){.size = sizeof items[i], .kind = said[i].kind, .line = (uint32_t)(i + 1), .file = PR_STR("x.cf"),
		    .name = pr_str(said[i].name), .module = pr_str(said[i].module), .settings = settings[i]};
		while (items[i].count < 12 && said[i].settings[items[i].count][1] != NULL) {
			const char *const *setting = said[i].settings[items[i].count];
			settings[i][items[i].count++] = (struct pr_declared_setting){pr_str(setting[0]), pr_str(setting[1])};
		}
	}
	bool good = config_declare(config, items, count, &errors);
	if (good != wanted)
		printf("\n%s", errors.data);
	CU_ASSERT_EQUAL(good, wanted);
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
	bool equal = wanted == NULL ? text.data == NULL : pr_str_equal(text, pr_str(wanted));

	if (!equal)
		printf("\nwanted \"%s\", got \"%.*s\"\n", wanted == NULL ? "nothing" : wanted, PR_PRINT(text));
	return equal;
}

static struct pr_str setting_of(const struct config_instance *instance, const char *name)
{
	for (size_t i = 0; i < instance->setting_count; i++)
		if (pr_str_equal(instance->settings[i].name, pr_str(name)))
			return instance->settings[i].text;
	return PR_NONE;
}

static void test_maps(void)
{
	static const struct said said[] = {
	    {PR_DECLARED_MAP, "access", "hash", {{"arguments", "-T<TMPF> /etc/mail/access"}}},
	    {PR_DECLARED_MAP, "empty", "null", {{NULL, NULL}}},
	};
	struct config *config = declare("maps = { access = { module = \"text\"; file = \"/x\"; }; };", NULL, said, 2, true);
	const struct config_instance *access = instance_of(config, PR_KIND_MAP, "access");

	CU_ASSERT_FATAL(access != NULL && instance_of(config, PR_KIND_MAP, "empty") != NULL);
	CU_ASSERT(is(access->module, "hash")); /* the cf wins */
	CU_ASSERT(is(setting_of(access, "arguments"), "-T<TMPF> /etc/mail/access"));
	CU_ASSERT(is(setting_of(access, "file"), NULL));
	CU_ASSERT(access->line == 1 && strcmp(access->file, "x.cf") == 0);
	config_free(config);
}

static void test_mailers(void)
{
	static const struct said said[] = {
	    {PR_DECLARED_MAILER, "esmtp", "smtp", {{"P", "[IPC]"}, {"F", "mDFMuXa0k"}, {"S", "1/2"}, {"E", "\r\n"}, {"L", "990"}, {"r", "50"}, {"m", "7"},
	                                              {"T", "DNS/RFC822/SMTP"}, {"A", "TCP $h 2525"}}},
	    {PR_DECLARED_MAILER, "hub", "smtp", {{"P", "[IPC]"}, {"F", "mz2"}, {"A", "FILE /run/lmtp"}}},
	    {PR_DECLARED_MAILER, "local", "prog", {{"P", "/usr/bin/procmail"}, {"F", "lsDFMAw5:/|@qSnf9"}, {"A", "procmail -a $h -d $u"}, {"M", "1000"}}},
	    {PR_DECLARED_MAILER, "prog", "prog", {{"P", "/usr/bin/smrsh"}, {"F", "lsDFMoqeu9"}, {"A", "smrsh -c $u"}, {"D", "$z:/"}}},
	    {PR_DECLARED_MAILER, "bare", "smtp", {{"P", "[IPC]"}, {"A", "TCP mx.example.org"}}},
	};
	struct config *config = declare("", NULL, said, 5, true);
	const struct config_instance *esmtp = instance_of(config, PR_KIND_MAILER, "esmtp"), *hub = instance_of(config, PR_KIND_MAILER, "hub");
	const struct config_instance *local = instance_of(config, PR_KIND_MAILER, "local"), *prog = instance_of(config, PR_KIND_MAILER, "prog");
	const struct config_instance *bare = instance_of(config, PR_KIND_MAILER, "bare");

	CU_ASSERT_FATAL(esmtp != NULL && hub != NULL && local != NULL && prog != NULL && bare != NULL);
	CU_ASSERT(is(esmtp->flags, "mDFMuXa0k") && esmtp->line_limit == 990 && esmtp->recipients == 50 && esmtp->messages == 7);
	CU_ASSERT(is(setting_of(esmtp, "port"), "2525") && is(setting_of(esmtp, "host"), NULL));
	CU_ASSERT(is(setting_of(esmtp, "mx"), "false") && is(setting_of(esmtp, "loop_check"), "false") && is(setting_of(esmtp, "lmtp"), NULL));
	CU_ASSERT(is(setting_of(hub, "host"), "/run/lmtp") && is(setting_of(hub, "lmtp"), "true") && is(setting_of(hub, "esmtp"), "false"));
	CU_ASSERT(is(setting_of(local, "path"), "/usr/bin/procmail") && is(setting_of(local, "argv"), "procmail -a $h -d $u"));
	CU_ASSERT(is(setting_of(local, "owner"), "true") && is(setting_of(local, "from_line"), "false") && is(setting_of(local, "sender_flag"), "-f"));
	CU_ASSERT(is(setting_of(local, "strip_quotes"), "true") && local->size_limit == 1000);
	CU_ASSERT(is(setting_of(prog, "owner"), NULL) && is(setting_of(prog, "directory"), "~:/"));
	CU_ASSERT(is(setting_of(bare, "host"), "mx.example.org") && is(bare->flags, "") && bare->flags.data != NULL);
	CU_ASSERT(strstr(config->notices.data, "x.cf:3: mailer local, F=S: accepted, no effect here: ") != NULL);
	CU_ASSERT(is(esmtp->types, "DNS/RFC822/SMTP") && is(setting_of(esmtp, "announced"), NULL) && is(setting_of(hub, "announced"), "true"));
	CU_ASSERT(instance_of(config, PR_KIND_MAILER, "discard") != NULL); /* what is there without being declared stays */
	config_free(config);
}

/* What runs a program, and how. */
static void test_mailer_programs(void)
{
	static const struct said said[] = {
	    {PR_DECLARED_MAILER, "lmtp", "smtp", {{"P", "/usr/bin/lmtpd"}, {"F", "lmz"}, {"A", "lmtpd -x"}, {"U", "cyrus:mail"}, {"N", "5"}, {"D", "/x:$z/y"}, {"/", "/jail"}}},
	    {PR_DECLARED_MAILER, "own", "smtp", {{"P", "/usr/bin/lmtpd"}, {"F", "wzS"}, {"A", "lmtpd"}, {"E", "\r\n"}}},
	    {PR_DECLARED_MAILER, "fax", "prog", {{"P", "/bin/fax"}, {"F", "E1bX"}, {"A", "fax $u"}, {"E", "\r\n"}, {"L", "80"}, {"W", "30s"}}},
	    {PR_DECLARED_MAILER, "long", "smtp", {{"P", "[IPC]"}, {"F", "L"}, {"A", "TCP $h smtp"}}},
	    {PR_DECLARED_MAILER, "mine", "prog", {{"P", "/bin/x"}, {"F", "w"}, {"A", "x $u"}}},
	    {PR_DECLARED_MAILER, "box", "local", {{"P", "/usr/lib/sm.bin/mail.local"}, {"F", "lsS"}, {"A", "mail.local -l -h mbox"}}},
	};
	struct config *config = declare("", NULL, said, 6, true);
	const struct config_instance *lmtp = instance_of(config, PR_KIND_MAILER, "lmtp"), *own = instance_of(config, PR_KIND_MAILER, "own");
	const struct config_instance *fax = instance_of(config, PR_KIND_MAILER, "fax"), *box = instance_of(config, PR_KIND_MAILER, "box");
	const struct config_instance *longer = instance_of(config, PR_KIND_MAILER, "long");

	CU_ASSERT_FATAL(lmtp != NULL && own != NULL && fax != NULL && box != NULL && longer != NULL);
	CU_ASSERT(is(setting_of(lmtp, "path"), "/usr/bin/lmtpd") && is(setting_of(lmtp, "argv"), "lmtpd -x") && is(setting_of(lmtp, "host"), NULL));
	CU_ASSERT(is(setting_of(lmtp, "user"), "cyrus:mail") && is(setting_of(lmtp, "niceness"), "5") && is(setting_of(lmtp, "directory"), "/x:~/y"));
	CU_ASSERT(is(setting_of(lmtp, "root"), "/jail") && is(setting_of(lmtp, "lmtp"), "true") && is(setting_of(lmtp, "owner"), NULL));
	CU_ASSERT(is(setting_of(instance_of(config, PR_KIND_MAILER, "mine"), "owner"), NULL)); /* without F=S it is DefaultUser's */
	CU_ASSERT(is(setting_of(own, "owner"), "true") && own->end_of_line.len == 0); /* the protocol has its own */
	CU_ASSERT(fax->quote_from == 1 && fax->strip_nul == 1 && fax->blank_end == 1 && fax->hide_dots == 1 && fax->line_limit == 80);
	CU_ASSERT(is(fax->end_of_line, "\r\n") && is(setting_of(fax, "timeout"), "30s"));
	CU_ASSERT(longer->line_limit == 990 && is(setting_of(longer, "port"), "25"));
	CU_ASSERT(is(setting_of(box, "path"), "~/mbox"));
	CU_ASSERT(strstr(config->notices.data, "mailer box, P=: accepted, no effect here: mail.local would have to be root") != NULL);
	config_free(config);
}

static void test_mailer_refused(void)
{
	static const struct {
		struct said said;
		const char *why;
	} rows[] = {
	    {{PR_DECLARED_MAILER, "x", "smtp", {{"P", "[LPC]"}, {"A", "TCP $h"}}}, "x.cf: line 1: mailer x: P=[LPC] speaks over the standard input"},
	    {{PR_DECLARED_MAILER, "x", "prog", {{"P", "/bin/x"}, {"U", "root:mail"}, {"A", "x $u"}}}, "x.cf: line 1: mailer x: U=root: no program is run as root here"},
	    {{PR_DECLARED_MAILER, "x", "smtp", {{"P", "/bin/x"}, {"U", "0"}, {"A", "x"}}}, "x.cf: line 1: mailer x: U=0: no program is run as root here"},
	    {{PR_DECLARED_MAILER, "x", "smtp", {{"P", "[IPC]"}, {"A", "TCP $h nosuchservice"}}}, "x.cf: line 1: mailer x, A=: there is no TCP service nosuchservice"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config *config = declare("", NULL, &rows[i].said, 1, false);
		CU_ASSERT(strstr(errors.data, rows[i].why) != NULL);
		if (strstr(errors.data, rows[i].why) == NULL)
			printf("\n  wanted %s\n  got    %s", rows[i].why, errors.data);
		config_free(config);
	}
}

static void test_flags(void)
{
	static const char all[] = "0123" "56789" "aAbBcCdDeEfFghiIjklLmMnopPqrRsSuUwWxXzZ:|/@%!";
	static const char *const modules[] = {"smtp", "prog", "file"};

	for (const char *letter = all; *letter != '\0'; letter++)
		for (size_t i = 0; i < 3; i++)
			CU_ASSERT(mailer_flag_find(*letter, pr_str(modules[i])) != NULL);
	CU_ASSERT(mailer_flag_find('?', PR_STR("smtp")) == NULL);
	for (const struct mailer_flag *row = mailer_flags; row->letter != 0; row++)
		CU_ASSERT(row->key == NULL || row->why == NULL); /* it does something, or there is a reason */
}

static const struct said plain[] = {
    {PR_DECLARED_OPTION, "QueueDirectory", NULL, {{"value", "/cf/queue"}}},
    {PR_DECLARED_OPTION, "Timeout.queuereturn", NULL, {{"value", "5"}}},
    {PR_DECLARED_OPTION, "Timeout.queuewarn", NULL, {{"value", "4"}}},
    {PR_DECLARED_OPTION, "MinQueueAge", NULL, {{"value", "30"}}},
    {PR_DECLARED_OPTION, "Timeout", NULL, {{"value", "7m"}}},
    {PR_DECLARED_OPTION, "HoldExpensive", NULL, {{"value", "True"}}},
    {PR_DECLARED_OPTION, "AllowBogusHELO", NULL, {{"value", ""}}},
    {PR_DECLARED_OPTION, "RejectNUL", NULL, {{"value", "F"}}},
    {PR_DECLARED_OPTION, "MaxHopCount", NULL, {{"value", "abc"}}},
    {PR_DECLARED_OPTION, "MaxRecipientsPerMessage", NULL, {{"value", "50x"}}},
    {PR_DECLARED_OPTION, "SuperSafe", NULL, {{"value", "PostMilter"}}},
    {PR_DECLARED_OPTION, "PrivacyOptions", NULL, {{"value", "noexpn novrfy,goaway"}}},
    {PR_DECLARED_OPTION, "LDAPDefaultSpec", NULL, {{"value", "-h x"}}},
    {PR_DECLARED_OPTION, "MeToo", NULL, {{"value", "T"}}},
    {PR_DECLARED_OPTION, "QueueSortOrder", NULL, {{"value", "host"}}},
    {PR_DECLARED_PRECEDENCE, "junk", NULL, {{"value", "-100"}}},
    {PR_DECLARED_TRUSTED, "mailman", NULL, {{NULL, NULL}}},
    {PR_DECLARED_ENVIRONMENT, "TZ", NULL, {{NULL, NULL}}},
    {PR_DECLARED_ENVIRONMENT, "ORGANISATION", NULL, {{"value", "ours"}}},
};

static void test_options(void)
{
	const struct pr_str over[] = {PR_STR("MaxHopCount=9"), PR_STR("Timeout.queuewarn=1h")};
	const struct pr_list overrides = {over, 2};
	struct config *config = declare("options = { QueueDirectory = \"/conf/queue\"; MaxHopCount = 3; TrustedUsers = \"root\"; };", &overrides, plain,
	    sizeof plain / sizeof plain[0], true);
	const struct options *options = &config->options;

	CU_ASSERT(is(options->queue_directory, "/cf/queue"));
	CU_ASSERT(options->max_hop_count == 9); /* -O wins over both */
	CU_ASSERT(options->timeout_queuereturn == 5 * 86400 && options->timeout_queuewarn == 3600);
	CU_ASSERT(options->min_queue_age == 1800 && options->timeout_mail == 420 && options->timeout_command == 420);
	CU_ASSERT(options->hold_expensive == 1 && options->allow_bogus_helo == 1 && options->reject_nul == 0);
	CU_ASSERT(options->max_recipients == 50 && is(options->super_safe, "postmilter") && is(options->queue_sort_order, "host"));
	CU_ASSERT(options->privacy.count == 3 && is(options->privacy.items[2], "goaway"));
	CU_ASSERT(options->trusted_users.count == 2 && is(options->trusted_users.items[1], "mailman")); /* added to what was there */
	CU_ASSERT(config->precedence_count == 1 && config->precedences[0].value == -100);
	CU_ASSERT(config->environment_count == 2 && config->environment[0].value.data == NULL && is(config->environment[1].value, "ours"));
	CU_ASSERT(config->other_count == 2 && is(config->others[0].text, "-h x"));
	CU_ASSERT(strstr(config->notices.data, "x.cf:14: option MeToo: accepted, no effect here: ") != NULL);
	CU_ASSERT(strstr(config->notices.data, "x.cf:13: option LDAPDefaultSpec: accepted, no effect here: ") != NULL);
	config_free(config);
}

/* What neither file says is sendmail's; what postrider.conf says stays. */
static void test_defaults(void)
{
	const struct said nothing[] = {{PR_DECLARED_OPTION, "LogLevel", NULL, {{"value", "10"}}}};
	struct config *config = declare("options = { MinQueueAge = \"7m\"; };", NULL, nothing, 1, true);
	const struct options *options = &config->options;

	CU_ASSERT(options->min_queue_age == 420 && options->max_queue_age == -1 && options->queue_interval == -1);
	CU_ASSERT(options->timeout_queuewarn == 0 && options->timeout_queuereturn == 5 * 86400 && options->min_free_blocks == 0);
	CU_ASSERT(options->reject_nul == 0 && options->privacy.count == 0 && options->trusted_users.count == 0);
	CU_ASSERT(options_class(options, PR_STR("bulk")) == 0);
	CU_ASSERT(!is(options->default_user, "nobody")); /* daemon, at least */
	config_free(config);
}

static void test_aliases(void)
{
	static const struct said said[] = {
	    {PR_DECLARED_OPTION, "AliasFile", NULL, {{"value", "/etc/mail/aliases, hash:/etc/more"}}},
	    {PR_DECLARED_OPTION, "AliasFile", NULL, {{"value", "staff"}}},
	    {PR_DECLARED_MAP, "staff", "text", {{"arguments", "/etc/staff"}}},
	};
	struct config *config = declare("maps = { a = { module = \"text\"; file = \"/x\"; }; }; options = { AliasFile = \"a\"; };", NULL, said, 3, true);
	const struct pr_list *list = &config->options.alias_files;

	CU_ASSERT_FATAL(list->count == 3);
	const struct config_instance *first = instance_of(config, PR_KIND_MAP, list->items[0].data);
	const struct config_instance *second = instance_of(config, PR_KIND_MAP, list->items[1].data);
	CU_ASSERT_FATAL(first != NULL && second != NULL);
	CU_ASSERT(is(first->module, "implicit") && is(setting_of(first, "file"), "/etc/mail/aliases"));
	CU_ASSERT(is(second->module, "hash") && is(setting_of(second, "file"), "/etc/more"));
	CU_ASSERT(is(list->items[2], "staff"));
	config_free(config);
}

static void test_listeners(void)
{
	static const struct said said[] = {
	    {PR_DECLARED_OPTION, "DaemonPortOptions", NULL, {{"value", "Name=MTA-v4, Family=inet, Addr=127.0.0.1, Port=2525, M=Ea"}}},
	    {PR_DECLARED_OPTION, "DaemonPortOptions", NULL, {{"value", "Name=MSA, Family=inet6, port=587, Listen=5, SndBufSize=40000, R=50000, children=3, refuseLA=5, delayLA=4, DeliveryMode=queueonly"}}},
	};
	const struct pr_str over[] = {PR_STR("DaemonPortOptions=Port=3535,Addr=127.0.0.2")};
	const struct pr_list overrides = {over, 1};
	struct config *config = declare("listeners = ( { address = \"0.0.0.0\"; port = 25; } );", NULL, said, 2, true);

	CU_ASSERT_FATAL(config->listener_count == 3);
	CU_ASSERT(is(config->listeners[0].name, "MTA-v4") && is(config->listeners[0].address, "127.0.0.1") && config->listeners[0].port == 2525);
	CU_ASSERT(is(config->listeners[0].modifiers, "Ea"));
	CU_ASSERT(is(config->listeners[1].name, "MSA") && is(config->listeners[1].address, "::") && config->listeners[1].port == 587);
	CU_ASSERT(config->listeners[1].children == 3 && config->listeners[1].refuse_la == 5 && config->listeners[1].delay_la == 4);
	CU_ASSERT(config->listeners[1].backlog == 5 && config->listeners[1].send_buffer == 40000 && config->listeners[1].receive_buffer == 50000 && config->listeners[0].backlog == 0);
	CU_ASSERT(config->listeners[1].delivery_mode == 'q' && config->listeners[0].delivery_mode == 0 && config->listeners[0].delay_la == -1);
	CU_ASSERT(config->listeners[2].submission == 1);
	config_free(config);
	config = declare("listeners = ( { address = \"0.0.0.0\"; port = 25; } );", &overrides, said, 2, true);
	CU_ASSERT_FATAL(config->listener_count == 2);
	CU_ASSERT(is(config->listeners[0].address, "127.0.0.2") && config->listeners[0].port == 3535 && config->listeners[1].submission == 1);
	config_free(config);
}

static void test_groups(void)
{
	static const struct said said[] = {
	    {PR_DECLARED_OPTION, "QueueDirectory", NULL, {{"value", "/cf/queue"}}},
	    {PR_DECLARED_QUEUE_GROUP, "slow", NULL, {{"P", "/cf/queue/slow"}, {"I", "1h"}, {"R", "2"}, {"r", "10"}, {"F", "f"}}},
	    {PR_DECLARED_QUEUE_GROUP, "other", NULL, {{"P", "other"}}},
	};
	struct config *config = declare("", NULL, said, 3, true);
	const struct queue_group *slow = config_group(config, PR_STR("slow")), *other = config_group(config, PR_STR("other"));
	CU_ASSERT_FATAL(slow != NULL && other != NULL);
	CU_ASSERT(is(slow->path, "/cf/queue/slow") && slow->interval == 3600 && slow->runners == 2 && slow->recipients == 10);
	CU_ASSERT(is(other->path, "/cf/queue/other"));
	config_free(config);
}

static void test_mistakes(void)
{
	static const struct {
		struct said said;
		const char *sentence;
	} rows[] = {
	    {{PR_DECLARED_OPTION, "QueueSortOrder", NULL, {{"value", "zzz"}}}, "x.cf: line 1: Invalid queue sort order \"zzz\"\n"},
	    {{PR_DECLARED_OPTION, "Timeout.queuereturn", NULL, {{"value", "5x"}}}, "x.cf: line 1: Invalid time unit `x'\n"},
	    {{PR_DECLARED_OPTION, "PrivacyOptions", NULL, {{"value", "nosuch"}}}, "x.cf: line 1: readcf: Op line: nosuch unrecognized\n"},
	    {{PR_DECLARED_OPTION, "DontBlameSendmail", NULL, {{"value", "No"}}}, "x.cf: line 1: readcf: DontBlameSendmail option: No unrecognized\n"},
	    {{PR_DECLARED_OPTION, "DaemonPortOptions", NULL, {{"value", "Port=1,Bogus=1"}}}, "x.cf: line 1: PortOptions parameter \"Bogus=1\" unknown\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config *config = declare("", NULL, &rows[i].said, 1, false);
		CU_ASSERT(is(pr_text_str(&errors), rows[i].sentence));
		config_free(config);
	}
}

/* A sendmail.cf that does not say where to listen. */
static void test_no_listener(void)
{
	const struct said said[] = {{PR_DECLARED_OPTION, "QueueDirectory", NULL, {{NULL, "/q"}}}};
	struct config *config = declare("", NULL, said, 1, true);

	CU_ASSERT_FATAL(config->listener_count == 2);
	CU_ASSERT(is(config->listeners[0].name, "Daemon0") && is(config->listeners[0].address, "0.0.0.0") && config->listeners[0].port == 25);
	CU_ASSERT(config->listeners[1].submission == 1);
	config_free(config);
	config = declare("listeners = ( );", NULL, said, 1, true);
	CU_ASSERT(config->listener_count == 1 && config->listeners[0].submission == 1);
	config_free(config);
	config = declare("listeners = ( { address = \"127.0.0.1\"; port = 2525; } );", NULL, said, 1, true);
	CU_ASSERT(config->listener_count == 2 && config->listeners[0].port == 2525);
	config_free(config);
}

/* Every name of the two option tables is in one of them only. */
static void test_idle(void)
{
	size_t count = 0;

	for (const struct option_idle *row = options_idle; row->name != NULL; row++, count++) {
		CU_ASSERT(pr_option_find(options_table, pr_str(row->name)) == NULL);
		CU_ASSERT(option_idle_find(pr_str(row->name)) == row);
	}
	CU_ASSERT(count > 70);
	CU_ASSERT(option_idle_find(PR_STR("MaxHopCount")) == NULL && option_idle_find(PR_STR("nosuch")) == NULL);
}

/* What a helper runs as the user mail is for. */
static void test_programs(void)
{
	static const struct {
		const char *words[6];
		bool known;
		const char *root;
	} rows[] = {
	    {{"/bin/true", "-a", "detail", "-d", "joe", NULL}, true, NULL},
	    {{"/bin/true", "-a", "", "-d", "joe", NULL}, true, NULL},
	    {{"/bin/true", "-a", "detail", "-d", "-joe", NULL}, false, NULL}, /* would be an option */
	    {{"/bin/true", "-a", "detail", "-d", NULL}, false, NULL},
	    {{"/bin/true", "-m", "detail", "-d", "joe", NULL}, false, NULL},
	    {{"/bin/sh", "-a", "detail", "-d", "joe", NULL}, false, NULL},
	    {{NULL}, false, NULL},
	    {{"/bin/true", "-a", "detail", "-d", "joe", NULL}, false, "/tmp"}, /* whoever chose the root would choose the program */
	    {{"/bin/true", "-l", NULL}, true, "/usr"},
	    {{"/bin/true", "-l", NULL}, false, NULL},
	    {{"/bin/true", "-l", NULL}, false, "/tmp"},
	    {{"/bin/true", "-w", NULL}, false, "/tmp"}, /* anybody may write there */
	};
	struct helper_rights rights = {.user = "joe", .mailbox = true, .program_count = 3,
	    .programs = {"/bin/true - true -a $h -d $u", "/bin/true /usr true -l", "/bin/true /tmp true -w"}};
	struct pr_text why;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_str words[6];
		struct pr_list argv = {words, 0};
		while (argv.count < 6 && rows[i].words[argv.count] != NULL) {
			words[argv.count] = pr_str(rows[i].words[argv.count]);
			argv.count++;
		}
		pr_text_init(&why, 1000);
		struct helper_request request = {.argv = argv, .root = rows[i].root != NULL ? pr_str(rows[i].root) : PR_NONE};
		bool known = helper_may_run(&rights, &request, &why);
		if (known != rows[i].known)
			printf("\nrow %zu: %s", i, why.data);
		CU_ASSERT_EQUAL(known, rows[i].known);
		pr_text_fini(&why);
	}
}

static const struct unit_case cases[] = {
    {"which dialect", test_dialect}, {"the site's file", test_site_path}, {"K", test_maps}, {"M", test_mailers},
    {"M of programs", test_mailer_programs}, {"M that is refused", test_mailer_refused}, {"F=", test_flags},
    {"O P T E", test_options}, {"what nobody says", test_defaults}, {"AliasFile", test_aliases}, {"DaemonPortOptions", test_listeners}, {"no DaemonPortOptions", test_no_listener}, {"Q", test_groups},
    {"sendmail's sentences", test_mistakes}, {"options without effect", test_idle}, {"programs of mailers", test_programs}, {NULL, NULL},
};

int main(void)
{
	pr_text_init(&errors, 1 << 20);
	int result = unit_run("declare", cases);
	pr_text_fini(&errors);
	return result;
}
