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

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MODULES(X) X(null) X(arith) X(dequote) X(regex) X(macro) X(user) X(sequence) X(switch) X(host) X(text) X(stab) \
	X(dns) X(bestmx) X(arpa) X(syslog) X(program) X(socket) X(userdb) X(implicit)
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
	{ "regex -s1 -d. ^(.)(.*)$", "abc", "2,1", "bc.a" },
	{ "regex -s1 ^(.)(.*)$", "abc", "x", "abc" },
	{ "regex -s1 ^(.)(.*)$", "abc", "7", NONE },
	{ "regex -aA ^(.)(.*)$", "abc", "2", "A" },
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
	{ "dns -R A", "host.remote.example", NULL, "127.0.0.2" },
	{ "dns -R A -a.A", "HOST.remote.example.", NULL, "127.0.0.2.A" },
	{ "dns -R A", "alias.remote.example", NULL, "127.0.0.2" },
	{ "dns -R A", "remote.example", NULL, NONE },
	{ "dns -R A", "tempfail.example", NULL, TEMP "name server failed" },
	{ "dns -R TXT -T.T", "tempfail.example", NULL, "tempfail.example.T" },
	{ "dns -R A -a.B -Bbl.corp.example", "66.0.0.127", NULL, "127.0.0.2.B" },
	{ "dns -R MX -z,", "remote.example", NULL, "mx1.remote.example,mx2.remote.example" },
	{ "dns -R MX", "remote.example", NULL, "mx1.remote.example" },
	{ "dns -R MX -z: -Z1 -d5 -r2", "remote.example", NULL, "mx1.remote.example" },
	{ "dns -R TXT", "66.0.0.127.bl.corp.example", NULL, "listed at bl.corp.exampleXX" },
	{ "dns -R CNAME", "alias.remote.example", NULL, "host.remote.example" },
	{ "dns -R CNAME", "host.remote.example", NULL, NONE },
	{ "dns -R aaaa", "six.example", NULL, "IPv6:0:0:0:0:0:0:0:1" },
	{ "dns -R A -m -a.M", "host.remote.example", NULL, "host.remote.example.M" },
	{ "dns", "x", NULL, WRONG "type: the type of record is missing (-R)" },
	{ "dns -R WKS", "x", NULL, WRONG "type: WKS is none of A AAAA AFSDB CNAME MX NS PTR SRV TXT" },
	{ "dns -R A -dsoon", "x", NULL, WRONG "-d: \"soon\" is no time" },
	{ "bestmx", "remote.example", NULL, "mx1.remote.example." },
	{ "bestmx -z: -a.B", "remote.example", NULL, "mx1.remote.example.:mx2.remote.example..B" },
	{ "bestmx", "equal.example", NULL, "mail.corp.example." },
	{ "bestmx -z,", "equal.example", NULL, "mail.corp.example.,mx1.remote.example.,mx2.remote.example." },
	{ "bestmx -m", "remote.example", NULL, "remote.example" },
	{ "bestmx", "host.remote.example", NULL, "host.remote.example." },
	{ "bestmx", "six.example", NULL, "six.example." },
	{ "bestmx", "alias.remote.example", NULL, NONE },
	{ "bestmx", "nullmx.example", NULL, NONE },
	{ "bestmx", "nosuch.invalid", NULL, NONE },
	{ "bestmx", "[127.0.0.2]", NULL, "[127.0.0.2]" },
	{ "bestmx", "tempfail.example", NULL, TEMP "name server failed" },
	{ "arpa", "1.2.3.4", NULL, "4.3.2.1" },
	{ "arpa -a.z", "1.2.3.4", NULL, "4.3.2.1.z" },
	{ "arpa", "IPv6:1:2:dead:beef:9876:0:0:1", NULL, "1.0.0.0.0.0.0.0.0.0.0.0.6.7.8.9.f.e.e.b.d.a.e.d.2.0.0.0.1.0.0.0" },
	{ "arpa", "::1", NULL, NONE },
	{ "arpa", "1.2.3", NULL, NONE },
	{ "arpa", "[1.2.3.4]", NULL, NONE },
	{ "syslog -L notice", "x", NULL, "" },
	{ "syslog", "x", NULL, "" },
	{ "syslog -L loud", "x", NULL, WRONG "level: loud is none of emerg alert crit err warning notice info debug" },
	{ "program @/prog", "x", NULL, "1:x" },
	{ "program @/prog", "X@y", NULL, "1:X@y" },
	{ "program -a.P @/prog fix two2", "z", NULL, "3:fix two2 z.P" },
	{ "program @/prog", "empty", NULL, NONE },
	{ "program @/prog", "two", NULL, "one" },
	{ "program @/prog", "open", NULL, "no" },
	{ "program @/prog", "one1", NULL, NONE },
	{ "program @/prog", "nf", NULL, NONE },
	{ "program -T.T @/prog", "temp", NULL, "temp.T" },
	{ "program @/prog", "temp", NULL, TEMP "FOLDER/prog: exit status 75" },
	{ "program @/prog", "killed", NULL, TEMP "FOLDER/prog: killed by a signal" },
	{ "program @/prog", "stdin", NULL, "nothing" },
	{ "program @/prog", "environment", NULL, "3" },
	{ "program @/nowhere", "x", NULL, WRONG "FOLDER/nowhere: No such file or directory" },
	{ "program prog", "x", NULL, WRONG "program: the absolute path of the program is missing" },
	{ "socket bogus", "x", NULL, WRONG "endpoint: \"bogus\" is neither inet:port@host, inet6:port@host nor unix:/path" },
	{ "socket unix:@/nosocket", "x", NULL, TEMP "unix:FOLDER/nosocket: No such file or directory" },
	{ "userdb maildrop", "ALICE", NULL, "bob@x" },
	{ "userdb -m maildrop", "Alice", NULL, "Alice" },
	{ "userdb -a.U mailname", "alice", NULL, "A.Lice.U" },
	{ "userdb maildrop", "bob", NULL, NONE },
	{ "userdb", "bob", NULL, WRONG "field: the name of the field is missing" },
	{ "implicit @/udb", "alice:maildrop", NULL, "bob@x" },
	{ "implicit -o @/aliases", "foo", NULL, NONE },
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

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* With the module itself, as makemap does. */
static void build_userdb(void)
{
	static const char *const pairs[][2] = { { "alice:maildrop", "bob@x" }, { "alice:mailname", "A.Lice" } };
	const struct pr_map_ops *ops = implicit_LTX_pr_module.ops;
	struct fake_instance map;

	CU_ASSERT_FATAL(fake_open(&map, &world, &implicit_LTX_pr_module, (const char *const[]){ "file", in_folder("udb"), NULL }));
	CU_ASSERT_EQUAL(ops->begin(fake_call(&map)), PR_OK);
	for (size_t i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(ops->store(fake_call(&map), pr_str(pairs[i][0]), pr_str(pairs[i][1])), PR_OK);
	CU_ASSERT_EQUAL(ops->commit(fake_call(&map)), PR_OK);
	fake_close(&map);
}

static void setup(void)
{
	static const char *const lines[] = { "map first k1\tf1", "map second k1\ts1", "map second k2\ts2", "broken bad", "map own.a k1\ta1",
		"map own.b k1\tb1", "map own.b k2\tb2", "map own.files k1\tfiles", "macro m corp.example", "dns remote.example mx 10 mx1.remote.example",
		"dns alias.remote.example cname host.remote.example", "dns host.remote.example a 127.0.0.2", "dns tempfail.example fail",
		"dns six.example aaaa ::1", "ptr 127.0.0.2 mx1.remote.example",
		"dns remote.example mx 20 mx2.remote.example", "dns 66.0.0.127.bl.corp.example a 127.0.0.2",
		"dns 66.0.0.127.bl.corp.example txt listed at bl.corp.example\1\377", "dns nullmx.example mx 0 ",
		"dns equal.example mx 10 mx1.remote.example", "dns equal.example mx 20 mx2.remote.example", "dns equal.example mx 10 mail.corp.example" };
	char option[128];

	snprintf(folder, sizeof folder, "/tmp/test-maps-%d", (int)getpid());
	CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0755), 0); /* programs run as DefaultUser */
	fake_world_init(&world);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		fake_world_add(&world, lines[i]);
	snprintf(option, sizeof option, "option ServiceSwitchFile %s/switch", folder);
	fake_world_add(&world, option);
	snprintf(option, sizeof option, "option UserDatabaseSpec @host,%s/udb", folder);
	fake_world_add(&world, option);
	build_userdb();
	write_file("prog", "#!/bin/sh\ncase $1 in\nempty) ;;\ntwo) echo one; echo two;;\none1) echo out; exit 1;;\ntemp) echo out; exit 75;;\n"
	                   "nf) exit 67;;\nkilled) kill -9 $$;;\nstdin) read x || echo nothing;;\nenvironment) env | grep -c '^PATH=\\|^AGENT=\\|^PWD=';;\n"
	                   "slow) sleep 20; echo late;;\nopen) [ -e /proc/$$/fd/77 ] && echo yes || echo no;;\n*) echo \"$#:$*\";;\nesac\n");
	CU_ASSERT_EQUAL(chmod(in_folder("prog"), 0755), 0);
	CU_ASSERT_EQUAL(dup2(2, 77), 77); /* as a library leaves it: open for every program */
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

/* FOLDER stands for the scratch folder. */
static bool is_wanted(struct pr_str got, const char *wanted)
{
	const char *at = strstr(wanted, "FOLDER");
	char full[256];

	if (at == NULL)
		return pr_str_equal(got, pr_str(wanted));
	snprintf(full, sizeof full, "%.*s%s%s", (int)(at - wanted), wanted, folder, at + 6);
	return pr_str_equal(got, pr_str(full));
}

static void test_rows(void)
{
	struct pr_text answer;

	setup();
	pr_text_init(&answer, 4096);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pr_text_clear(&answer);
		answer_of(&rows[i], &answer);
		bool good = is_wanted(pr_text_str(&answer), rows[i].answer);
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

/* An alias file without a table is read itself; a program that takes too long is ended with its children. */
static void test_implicit_and_slow(void)
{
	struct fake_instance map;
	struct pr_str value = PR_NONE;
	const struct pr_map_ops *ops = implicit_LTX_pr_module.ops;

	setup();
	CU_ASSERT_FATAL(fake_open(&map, &world, &implicit_LTX_pr_module, (const char *const[]){ "file", in_folder("aliases"), "alias", "true", NULL }));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("FOO"), NULL, &value), PR_OK);
	CU_ASSERT(pr_str_equal(value, PR_STR("bar, baz")));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("nope"), NULL, &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ops->begin(fake_call(&map)), PR_OK); /* newaliases */
	CU_ASSERT_EQUAL(ops->store(fake_call(&map), PR_STR("Foo"), PR_STR("table")), PR_OK);
	CU_ASSERT_EQUAL(ops->commit(fake_call(&map)), PR_OK);
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("foo"), NULL, &value), PR_OK);
	CU_ASSERT(pr_str_equal(value, PR_STR("table")));
	fake_close(&map);
	ops = program_LTX_pr_module.ops;
	CU_ASSERT_FATAL(fake_open(&map, &world, &program_LTX_pr_module, (const char *const[]){ "program", in_folder("prog"), "timeout", "1s", NULL }));
	CU_ASSERT_EQUAL(ops->lookup(fake_call(&map), PR_STR("slow"), NULL, &value), PR_TEMPFAIL);
	CU_ASSERT_PTR_NOT_NULL(strstr(map.call.reason.data, "timed out"));
	fake_close(&map);
	teardown();
}

/* socket ---------------------------------------------------------------- */

static const char *const talks[][2] = { /* what comes, what goes: one connection for each row that ends in a close */
	{ "7:own key,", "6:OK v 1," },      { "6:own nf,", "8:NOTFOUND," }, { "8:own temp,", "8:TEMP why," }, { "6:own to,", "9:TIMEOUT x," },
	{ "8:own perm,", "7:PERM no," },    { "9:own empty,", "3:OK ," },   { "7:own ok2,", "2:OK," },        { "7:own bad,", "4:WHAT," },
	{ "7:own net,", "junk" },           { "7:own big,", "9999999:" },   { "8:own gone,", NULL },
};

static void serve(int client)
{
	char bytes[64];
	ssize_t got;

	while ((got = read(client, bytes, sizeof bytes - 1)) > 0) {
		const char *answer = NULL;
		bytes[got] = '\0';
		for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++)
			if (strcmp(talks[i][0], bytes) == 0)
				answer = talks[i][1];
		if (answer == NULL || write(client, answer, strlen(answer)) < 0)
			break;
	}
	close(client);
}

static void *server(void *argument)
{
	int client;

	while ((client = accept(*(int *)argument, NULL, NULL)) >= 0)
		serve(client);
	return NULL;
}

static void test_socket(void)
{
	static const struct { const char *key; enum pr_status status; const char *value; } asked[] = { { "Key", PR_OK, "v 1" },
		{ "nf", PR_NOTFOUND, "" }, { "temp", PR_TEMPFAIL, "" }, { "to", PR_TEMPFAIL, "" }, { "perm", PR_PERMFAIL, "" }, { "empty", PR_OK, "" },
		{ "ok2", PR_OK, "" }, { "bad", PR_PERMFAIL, "" }, { "net", PR_TEMPFAIL, "" }, { "key", PR_OK, "v 1" }, { "big", PR_TEMPFAIL, "" },
		{ "gone", PR_TEMPFAIL, "" }, { "key", PR_OK, "v 1" } };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct pr_map_ops *ops = socket_LTX_pr_module.ops;
	struct fake_instance map;
	struct pr_str value = PR_NONE;
	pthread_t thread;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	setup();
	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", in_folder("s"));
	CU_ASSERT_EQUAL_FATAL(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	CU_ASSERT_EQUAL_FATAL(listen(listener, 5), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, server, &listener), 0);
	CU_ASSERT_FATAL(fake_open(&map, &world, &socket_LTX_pr_module, (const char *const[]){ "endpoint", address.sun_path, "timeout", "2s", NULL }));
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		enum pr_status status = ops->lookup(fake_call(&map), pr_str(asked[i].key), NULL, &value);
		CU_ASSERT_EQUAL(status, asked[i].status);
		CU_ASSERT(status != PR_OK || pr_str_equal(value, pr_str(asked[i].value)));
		if (status != asked[i].status)
			printf("\n  %s: %s: %.*s", asked[i].key, pr_status_name(status), PR_PRINT(map.call.reason));
	}
	fake_close(&map);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	teardown();
}

static const struct unit_case cases[] = { { "declarations and answers", test_rows }, { "macro", test_macro }, { "options", test_options },
	{ "modes", test_modes }, { "implicit aliases, a slow program", test_implicit_and_slow }, { "socket", test_socket }, { NULL, NULL } };
UNIT_MAIN("map classes", cases)
