/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The map classes of sendmail.cf that need no file of their own kind: one table of declarations, keys and answers.
 * The answers are those of sendmail 8.17.1 (address test mode, /map and rules), asked for the same declarations.
 */
#include "tests/unit/fake_host.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <postrider/file.h>
#include <postrider/mapflags.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULES(X) X(null) X(arith) X(dequote) X(regex) X(macro) X(user) X(sequence) X(switch) X(host) X(text) X(stab)
#define DECLARE(name) extern const struct pr_module name##_LTX_pr_module;
MODULES(DECLARE)

#define ROW(name) &name##_LTX_pr_module,
static const struct pr_module *const modules[] = { MODULES(ROW) };

static struct fake_world world;
static char folder[64];

/* An answer: the value, or one of these. */
#define NONE "\1notfound"
#define TEMP "\1tempfail"
#define WRONG "\1misuse" /* of check() */

struct row {
	const char *declaration; /* class and arguments; @ is the scratch folder */
	const char *key;
	const char *args;        /* $@ arguments separated by |, or NULL */
	const char *answer;
};

static const struct row rows[] = {
	{ "null", "x", NULL, NONE },
	{ "null -m", "x", NULL, NONE },
	{ "arith", "+", "3|4", "7" },
	{ "arith", "-", "3|4", "-1" },
	{ "arith", "*", "3|4", "12" },
	{ "arith", "/", "12|5", "2" },
	{ "arith", "/", "12|0", NONE },
	{ "arith", "l", "3|4", "TRUE" },
	{ "arith", "l", "4|3", "FALSE" },
	{ "arith", "l", "010|9", "TRUE" },
	{ "arith", "=", "4|4", "TRUE" },
	{ "arith", "=", "a|b", "TRUE" },
	{ "arith", "&", "12|10", "8" },
	{ "arith", "%", "12|5", "2" },
	{ "arith", "%", "3|0", NONE },
	{ "arith", "r", "12|3", NONE },
	{ "arith", "r", "3|3", "3" },
	{ "arith", "+", "x|y", "0" },
	{ "arith", "+", "0x10|1", "17" },
	{ "arith", "+", "2147483647|1", "2147483648" },
	{ "arith", "*", "65536|65536", "4294967296" },
	{ "arith", "/", "-9223372036854775808|-1", NONE },
	{ "arith", "++", "1|2", "3" },
	{ "arith", "x", "1|2", NONE },
	{ "arith", "+", "3", NONE },
	{ "arith", "+", NULL, NONE },
	{ "arith -a.x", "+", "3|4", "7" },
	{ "dequote", "\"foo\"", NULL, "foo" },
	{ "dequote", "\"foo\"@bar", NULL, "foo@bar" },
	{ "dequote", "\"foo bar\"", NULL, NONE },
	{ "dequote", "\"a@b\"", NULL, "a@b" },
	{ "dequote", "foo", NULL, NONE },
	{ "dequote", "\"a\".\"b\"", NULL, "a.b" },
	{ "dequote", "\"\"", NULL, "" },
	{ "dequote", "\"a<b\"", NULL, NONE },
	{ "dequote", "\"a<b>\"", NULL, "a<b>" },
	{ "dequote", "\"a>b\"", NULL, NONE },
	{ "dequote", "\"a(b\"", NULL, NONE },
	{ "dequote", "\"a(b)c\"", NULL, "a(b)c" },
	{ "dequote", "\"a)b\"", NULL, NONE },
	{ "dequote", "\"a\\\"b\"", NULL, "a\\\"b" },
	{ "dequote", "\"a\\\\b\"", NULL, "a\\\\b" },
	{ "dequote", "\"a", NULL, NONE },
	{ "dequote", "x\"a\"y\"b\"", NULL, "xayb" },
	{ "dequote", "(\"a\")", NULL, NONE },
	{ "dequote", "\"a;b,c\"", NULL, "a;b,c" },
	{ "dequote", "\"a\tb\"", NULL, NONE },
	{ "dequote", "\"a\\ b\"", NULL, "a\\ b" },
	{ "dequote -a.A", "\"foo\"", NULL, "foo.A" },
	{ "dequote -s+", "\"foo bar\"", NULL, "foo+bar" },
	{ "dequote -s-", "\"a b c\"@d", NULL, "a-b-c@d" },
	{ "dequote -d.", "\"a b\"", NULL, NONE },
	{ "dequote -m", "\"foo\"", NULL, "foo" },
	{ "regex -a.YES ^[0-9]+$", "123", NULL, ".YES" },
	{ "regex -a.YES ^[0-9]+$", "12.3", NULL, NONE },
	{ "regex -n ^[0-9]+$", "123", NULL, NONE },
	{ "regex -n ^[0-9]+$", "abc", NULL, "" },
	{ "regex -s1,2 -d: ^(.)(.*)$", "abc", NULL, "a:bc" },
	{ "regex -s1,2 -d: ^(.)(.*)$", "a", NULL, "a:" },
	{ "regex -s1,2 -d ^(.)(.*)$", "abc", NULL, "abc" },
	{ "regex -m -a.M abc", "xabcx", NULL, "xabcx.M" },
	{ "regex -m -a.M abc", "xyz", NULL, NONE },
	{ "regex -m abc", "xABCx", NULL, "xABCx" },
	{ "regex -f ABC", "xabcx", NULL, NONE },
	{ "regex -f ABC", "xABCx", NULL, "" },
	{ "regex -s1,2 (.)(.)", "abcd", NULL, "a" PR_MAP_SEPARATOR "b" },
	{ "regex -s2,1 -d- (.)(.)", "abcd", NULL, "b-a" },
	{ "regex -s (.)(.)", "abcd", NULL, "ab" PR_MAP_SEPARATOR "a" PR_MAP_SEPARATOR "b" },
	{ "regex -b a\\(b\\)c", "abc", NULL, "" },
	{ "regex -n -m abc", "xyz", NULL, "xyz" },
	{ "regex -f -aZ a b", "xa bz", NULL, "Z" },
	{ "regex -s1 -a.A (a)|(b)", "b", NULL, ".A" },
	{ "regex -s1 -a.A (a)|(b)", "a", NULL, "a.A" },
	{ "regex -n -a.N abc", "zzz", NULL, ".N" },
	{ "regex -s3 (a)(b)", "ab", NULL, WRONG "field (3) out of range, only 3 substrings in pattern" },
	{ "regex (a", "a", NULL, WRONG "pattern-compile-error: Unmatched ( or \\(" },
	{ "regex", "a", NULL, WRONG "pattern: the regular expression is missing" },
	{ "regex -x a", "a", NULL, WRONG "Illegal option x" },
	{ "macro", "{a}", "v", "" },
	{ "macro", "{readonly}", "v", TEMP "${readonly}: macros cannot be set here" },
	{ "user", "root", NULL, "root" },
	{ "user -vdir", "ROOT", NULL, "/root" },
	{ "user -v uid", "root", NULL, "0" },
	{ "user -vdir -a/%0", "root", NULL, "/root/%0" },
	{ "user -m -aUSER", "ROOT", NULL, "rootUSER" },
	{ "user -vdir", "no-such-user-here", NULL, NONE },
	{ "user -v3", "root", NULL, TEMP "unknown column name 3" },
	{ "user -f", "ROOT", NULL, NONE },
	{ "sequence first second", "k1", NULL, "f1" },
	{ "sequence first second", "k2", NULL, "s2" },
	{ "sequence first second", "k3", NULL, NONE },
	{ "sequence bad second", "k2", NULL, "s2" },
	{ "sequence bad second", "k3", NULL, TEMP "bad: the disk is on fire" },
	{ "sequence first nope", "k1", NULL, WRONG "unknown member map nope" },
	{ "sequence", "k1", NULL, WRONG "maps: the names of the members are missing" },
	{ "switch both", "k1", NULL, "a1" },
	{ "switch both", "k2", NULL, "b2" },
	{ "switch some", "k2", NULL, "b2" },
	{ "switch other", "k1", NULL, "files" },
	{ "switch", "k1", NULL, WRONG "service: the name of the service is missing" },
	{ "host -a.", "remote.example", NULL, "remote.example." },
	{ "host", "remote.example", NULL, "remote.example" },
	{ "host", "REMOTE.example.", NULL, "REMOTE.example" },
	{ "host -a.", "alias.remote.example", NULL, "host.remote.example." },
	{ "host -m -a+", "alias.remote.example", NULL, "alias.remote.example+" },
	{ "host", "nosuch.invalid", NULL, NONE },
	{ "host", "tempfail.example", NULL, TEMP "tempfail.example: Name server timeout" },
	{ "host -T.T", "tempfail.example", NULL, "tempfail.example.T" },
	{ "host -t", "tempfail.example", NULL, NONE },
	{ "host", "six.example", NULL, "six.example" },
	{ "host", "[127.0.0.2]", NULL, "mx1.remote.example" },
	{ "host", "[127.0.0.1]", NULL, "localhost.localdomain" },
	{ "host", "[IPv6:0:0:0:0:0:0:0:1]", NULL, "six" },
	{ "host", "[127.0.0.2", NULL, NONE },
	{ "host", "[127.0.0.77]", NULL, NONE },
	{ "host", "[foo]", NULL, NONE },
	{ "host", ".", NULL, NONE },
	{ "host", "localhost", NULL, "localhost.localdomain" },
	{ "host -a.", "MAIL", NULL, "mail.corp.example." },
	{ "host", "mail.corp.example", NULL, "mail.corp.example" },
	{ "host", "short", NULL, "short.corp.example" },
	{ "text @/text", "k1", NULL, "k1" },
	{ "text @/text", "K2", NULL, "k2" },
	{ "text -k0 -v1 @/text", "k2", NULL, "v2" },
	{ "text -k1 -v0 @/text", "v2", NULL, "k2" },
	{ "text -v2 @/text", "k2", NULL, "extra" },
	{ "text -v2 @/text", "k1", NULL, NONE },
	{ "text -m -a.A @/text", "K1", NULL, "K1.A" },
	{ "text -f @/text", "upper", NULL, "UPPER" },
	{ "text -v1 @/text", "dup", NULL, "one" },
	{ "text @/text", "lead", NULL, "lead" },
	{ "text @/text", "#", NULL, NONE },
	{ "text -v1 -a.A @/text", "arg", "z", "arg/z/%.A" },
	{ "text -kx @/text", "k1", NULL, WRONG "-k should specify a number, not x" },
	{ "text -k1 -v0 -z: @/colon", "b", NULL, "a" },
	{ "text -z\\t -v1 @/tab", "tab", NULL, "v 1" },
	{ "stab @/aliases", "FOO", NULL, "bar, baz" },
	{ "stab @/aliases", "arg", "x", "arg/x" },
	{ "stab @/aliases", "k9", NULL, NONE },
	{ "stab", "foo", NULL, WRONG "file: the absolute name of the file is missing" },
};

static void write_file(const char *name, const char *contents)
{
	struct pr_text why;
	char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(pr_file_replace(path, 0644, pr_str(contents), &why), PR_OK);
	pr_text_fini(&why);
}

static void setup(void)
{
	static const char *const lines[] = { "map first k1\tf1", "map second k1\ts1", "map second k2\ts2", "broken bad", "map own.a k1\ta1",
		"map own.b k1\tb1", "map own.b k2\tb2", "map own.files k1\tfiles", "macro m corp.example", "dns remote.example mx 10 mx1.remote.example",
		"dns alias.remote.example cname host.remote.example", "dns host.remote.example a 127.0.0.2", "dns tempfail.example fail",
		"dns six.example aaaa ::1", "ptr 127.0.0.2 mx1.remote.example" };
	char option[128];

	snprintf(folder, sizeof folder, "/tmp/test-maps-%d", (int)getpid());
	CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
	fake_world_init(&world);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		fake_world_add(&world, lines[i]);
	snprintf(option, sizeof option, "option ServiceSwitchFile %s/switch", folder);
	fake_world_add(&world, option);
	write_file("switch", "# comment\nboth a b # there\nsome nis b\nhosts files dns\n");
	write_file("hosts", "# hosts\n127.0.0.1 localhost.localdomain localhost\n127.0.0.1 mail.corp.example mail\n127.0.0.9 short\n::1 six\n");
	write_file("text", "k1 v1\nk2 v2 extra\n# comment\n#c x\nUPPER lower\nonly\ndup one\ndup two\n lead x\narg %0/%1/%%\n");
	write_file("colon", "a:b:c\n");
	write_file("tab", "tab\tv 1\tw\n");
	write_file("aliases", "# c\nFoo: bar, baz\narg: %0/%1\n");
}

static void teardown(void)
{
	CU_ASSERT_EQUAL(scratch_remove(folder), 0);
	fake_world_fini(&world);
}

static const struct pr_module *module_named(struct pr_str name)
{
	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
		if (pr_str_equal(pr_str(modules[i]->name), name))
			return modules[i];
	return NULL;
}

/* The declaration with the folder in its place, in two: class and arguments. */
static const struct pr_module *declare(const char *declaration, char *arguments, size_t room)
{
	struct pr_str rest = pr_str(declaration);
	size_t end = pr_str_find(rest, ' '), at = pr_str_find(rest, '@');

	if (at < rest.len)
		snprintf(arguments, room, "%.*s%s%s", (int)(at - end - 1), rest.data + end + 1, folder, rest.data + at + 1);
	else
		snprintf(arguments, room, "%s", end < rest.len ? rest.data + end + 1 : "");
	return module_named(pr_str_slice(rest, 0, end));
}

static struct pr_list split(const char *args, struct pr_str *items)
{
	struct pr_str rest = pr_str(args);
	size_t count = 0;

	while (count < 4 && pr_str_next(&rest, '|', &items[count]))
		count++;
	return (struct pr_list){ items, count };
}

static void answer_of(const struct row *row, struct pr_text *out)
{
	struct fake_instance map;
	struct pr_str items[4], value = PR_NONE;
	struct pr_list list;
	char arguments[256], hosts[96];
	const struct pr_module *module = declare(row->declaration, arguments, sizeof arguments);

	CU_ASSERT_PTR_NOT_NULL_FATAL(module);
	snprintf(hosts, sizeof hosts, "%s/hosts", folder);
	const char *const options[] = { "arguments", arguments, module == &host_LTX_pr_module ? "hosts_file" : NULL, hosts, NULL };
	if (!fake_open(&map, &world, module, options)) {
		pr_text_addf(out, WRONG "%.*s", PR_PRINT(map.call.reason));
	} else {
		list = split(row->args != NULL ? row->args : "", items);
		const struct pr_map_ops *ops = module->ops;
		enum pr_status status = ops->lookup(fake_call(&map), pr_str(row->key), row->args != NULL ? &list : NULL, &value);
		if (status == PR_OK)
			pr_text_add_str(out, value);
		else
			pr_text_addf(out, "\1%s%.*s", pr_status_name(status), PR_PRINT(status == PR_NOTFOUND ? PR_STR("") : map.call.reason));
	}
	fake_close(&map);
}

static void test_rows(void)
{
	struct pr_text answer;

	setup();
	pr_text_init(&answer, 4096);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pr_text_clear(&answer);
		answer_of(&rows[i], &answer);
		bool good = pr_str_equal(pr_text_str(&answer), pr_str(rows[i].answer));
		CU_ASSERT(good);
		if (!good)
			printf("\n  %s (%s): %s, not %s", rows[i].declaration, rows[i].key, answer.data, rows[i].answer);
	}
	pr_text_fini(&answer);
	teardown();
}

/* A value is an argument or none, in two forms of a name. */
static void test_macro(void)
{
	struct fake_instance map;
	struct pr_str value, one = PR_STR("value");
	struct pr_list none = { NULL, 0 }, some = { &one, 1 };
	const struct pr_map_ops *ops = macro_LTX_pr_module.ops;

	setup();
	CU_ASSERT_FATAL(fake_open(&map, &world, &macro_LTX_pr_module, NULL));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("{Name}"), &some, &value), PR_OK);
	CU_ASSERT(pr_str_equal(world.set_name, PR_STR("Name")) && pr_str_equal(world.set_value, PR_STR("value")));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("Z"), &none, &value), PR_OK);
	CU_ASSERT(pr_str_equal(world.set_name, PR_STR("Z")) && world.set_value.data == NULL);
	fake_close(&map);
	teardown();
}

/* The same by readable options. */
static void test_options(void)
{
	static const char *const options[] = { "pattern", "^(.)(.)", "parts", "2,1", "separator", "-", "append", "!", NULL };
	struct fake_instance map;
	struct pr_str value = PR_NONE;
	const struct pr_map_ops *ops = regex_LTX_pr_module.ops;

	setup();
	CU_ASSERT_FATAL(fake_open(&map, &world, &regex_LTX_pr_module, options));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("abc"), NULL, &value), PR_OK);
	CU_ASSERT(pr_str_equal(value, PR_STR("b-a!")));
	fake_close(&map);
	CU_ASSERT_FALSE(fake_open(&map, &world, &user_LTX_pr_module, (const char *const[]){ "field", "colour", NULL }));
	fake_close(&map);
	CU_ASSERT_FALSE(fake_open(&map, &world, &null_LTX_pr_module, (const char *const[]){ "nul", "sometimes", NULL }));
	fake_close(&map);
	teardown();
}

/* -D: not asked in DeliveryMode deferred; the cache of hosts: a second question asks nobody. */
static void test_modes(void)
{
	struct fake_instance map;
	struct pr_str value = PR_NONE;
	const struct pr_map_ops *ops = host_LTX_pr_module.ops;

	setup();
	CU_ASSERT_FATAL(fake_open(&map, &world, &host_LTX_pr_module, (const char *const[]){ "arguments", "-D", NULL }));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("remote.example"), NULL, &value), PR_OK);
	map.host.dns_records = NULL;
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("Remote.example"), NULL, &value), PR_OK);
	CU_ASSERT(pr_str_equal(value, PR_STR("Remote.example")));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("six.example"), NULL, &value), PR_TEMPFAIL);
	fake_world_add(&world, "macro deliveryMode d");
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("remote.example"), NULL, &value), PR_NOTFOUND);
	fake_close(&map);
	teardown();
}

static const struct unit_case cases[] = { { "declarations and answers", test_rows }, { "macro", test_macro }, { "options", test_options },
	{ "modes", test_modes }, { NULL, NULL } };
UNIT_MAIN("map classes", cases)
