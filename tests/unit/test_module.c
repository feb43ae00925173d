/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's side of a module: who is loaded and who is refused, what a call is given, how long memory lives, who waits
 * for whom.  The probe modules tell what they were given; a journal file tells in which order.
 */
#include "tests/unit/test_module.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char stage_journal[64];
struct pr_text stage_errors;
const char *stage_local = "";

static const char preamble[] =
    "mailers = { local = { module = \"debugmailer\"; %s }; prog = { module = \"debugmailer\"; }; file = { module = \"debugmailer\"; };\n"
    "esmtp = { module = \"debugmailer\"; }; relay = { module = \"debugmailer\"; }; discard = { module = \"debugmailer\"; };\n"
    "error = { module = \"debugmailer\"; }; };\n"
    "module_directory = \"%s\";\n%s%s";

bool stage_try(struct stage *stage, const char *text, uint32_t roles, const char *module_directory)
{
	struct pr_text conf;

	memset(stage, 0, sizeof *stage);
	unlink(stage_journal);
	pr_text_init(&conf, 1 << 20);
	pr_text_addf(&conf, preamble, stage_local, module_directory, strstr(text, "store =") == NULL ? "store = { module = \"debugstore\"; }; " : "",
	    strstr(text, "rules =") == NULL ? "rules = { module = \"debugrules\"; }; " : "");
	for (const char *rest = text; *rest != '\0'; rest++) /* J stands for the journal that every probe needs */
		if (rest[0] == 'J' && rest[1] == 'J' && rest++)
			pr_text_addf(&conf, "journal = \"%s\";", stage_journal);
		else
			pr_text_add_byte(&conf, *rest);
	pr_text_fini(&stage_errors);
	pr_text_init(&stage_errors, 65536);
	stage->config = config_parse("a.conf", pr_text_str(&conf), NULL, &stage_errors);
	if (stage->config != NULL)
		stage->set = module_set_open(stage->config, roles, &stage_errors);
	pr_text_fini(&conf);
	if (stage->set == NULL) {
		config_free(stage->config);
		return false;
	}
	stage->thread = module_thread_new(stage->set);
	pr_arena_init(&stage->arena, 64 << 20);
	module_scope_init(&stage->scope, stage->thread, &stage->arena);
	return true;
}

void stage_open(struct stage *stage, const char *text)
{
	bool good = stage_try(stage, text, MODULE_ROLE_RECEIVER | MODULE_ROLE_COURIER, BUILD_DIR);

	if (!good)
		printf("\n%s", stage_errors.data);
	CU_ASSERT_FATAL(good);
}

void stage_close(struct stage *stage)
{
	module_thread_free(stage->thread);
	module_set_close(stage->set);
	pr_arena_fini(&stage->arena);
	config_free(stage->config);
}

enum pr_status stage_ask(struct stage *stage, const char *map, const char *key, struct pr_str *value_out)
{
	return map_lookup(&stage->scope, pr_str(map), pr_str(key), NULL, value_out);
}

bool stage_is(struct pr_str got, const char *wanted)
{
	bool equal = pr_str_equal(got, pr_str(wanted));

	if (!equal)
		printf("\nwanted \"%s\"\ngot    \"%.*s\"\n", wanted, PR_PRINT(got));
	return equal;
}

const char *stage_read(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

	text[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

#define PROBES "maps = { one = { module = \"probe\"; JJ }; two = { module = \"probe\"; JJ }; many = { module = \"probemany\"; JJ };\n" \
	"  hello = { module = \"hello\"; }; };\n"

static struct pr_str my_macro(void *context, struct pr_str name)
{
	if (pr_str_equal(name, PR_STR("where")))
		return pr_str(module_on_stack());
	return pr_str_equal(name, PR_STR("context")) ? pr_str(context) : PR_NONE;
}

static void test_call(void)
{
	static char context[] = "mine";
	struct stage stage;
	struct pr_str value = PR_NONE;

	stage_open(&stage, PROBES "options = { MaxHopCount = 7; };\n");
	CU_ASSERT(module_on_stack() == NULL);
	CU_ASSERT(stage_ask(&stage, "hello", "you", &value) == PR_OK && stage_is(value, "hello, you"));
	CU_ASSERT(stage_ask(&stage, "one", "number", &value) == PR_OK && stage_is(value, "42 0"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "macro where", &value), PR_NOTFOUND); /* no macros in this scope */
	stage.scope.macro = my_macro;
	stage.scope.macro_context = context;
	stage.scope.deadline_ms = 12345;
	CU_ASSERT(stage_ask(&stage, "one", "macro where", &value) == PR_OK && stage_is(value, "maps/probe instance one"));
	CU_ASSERT(stage_ask(&stage, "one", "ask many macro where", &value) == PR_OK && stage_is(value, "maps/probemany instance many"));
	CU_ASSERT(stage_ask(&stage, "one", "macro context", &value) == PR_OK && stage_is(value, "mine"));
	CU_ASSERT(stage_ask(&stage, "one", "deadline", &value) == PR_OK && stage_is(value, "12345"));
	CU_ASSERT(stage_ask(&stage, "one", "option maxhopcount", &value) == PR_OK && stage_is(value, "7"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "option Nonsense", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "exists two", &value), PR_OK);
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "exists three", &value), PR_NOTFOUND);
	CU_ASSERT(stage_ask(&stage, "one", "user root", &value) == PR_OK && stage_is(pr_str_slice(value, 0, 2), "0 "));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "user no_such_account_here", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "deliver joe", &value), PR_TEMPFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: this process does not deliver locally"));
	CU_ASSERT(module_on_stack() == NULL);
	stage_close(&stage);
}

static void test_reasons(void)
{
	struct stage stage;
	struct pr_str value = PR_STR("untouched");

	stage_open(&stage, PROBES);
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "fail the disk burns", &value), PR_TEMPFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: the disk burns"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "ask two fail the disk burns", &value), PR_TEMPFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: map two: the disk burns"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "ask three x", &value), PR_MISUSE);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: no map named three is declared"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "three", "x", &value), PR_MISUSE);
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "status 3", &value), PR_PERMFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: maps/probe instance one failed (permfail) and gave no reason"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "status 17", &value), PR_TEMPFAIL); /* not an answer: nothing may bounce for it */
	CU_ASSERT(stage_is(stage.scope.reason, "map one: maps/probe instance one answered 17, which is no status"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "status -1", &value), PR_TEMPFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: maps/probe instance one answered -1, which is no status"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "novalue", &value), PR_TEMPFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "maps/probe instance one said ok without a value"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "whatever", &value), PR_NOTFOUND);
	CU_ASSERT(stage.scope.reason.data == NULL); /* the old reason is not the next one's */
	CU_ASSERT(stage_is(value, "untouched"));
	stage_close(&stage);
}

static void test_itself(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;

	stage_open(&stage, PROBES);
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "ask one number", &value), PR_MISUSE);
	CU_ASSERT(stage_is(stage.scope.reason, "map one: map one: maps/probe instance one calls itself"));
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "ask two ask one number", &value), PR_MISUSE); /* by a detour */
	CU_ASSERT(stage_ask(&stage, "one", "ask two number", &value) == PR_OK); /* another instance is another thing */
	CU_ASSERT(stage_ask(&stage, "many", "ask many number", &value) == PR_OK); /* its own business */
	CU_ASSERT(stage_ask(&stage, "one", "number", &value) == PR_OK); /* nothing stayed locked */
	stage_close(&stage);
}

struct visitor {
	struct stage *stage;
	const char *map;
	const char *key;
	pthread_t id;
	char value[100];
	enum pr_status status;
};

static void *visit(void *context)
{
	struct visitor *visitor = context;
	struct module_thread *thread = module_thread_new(visitor->stage->set);
	struct module_scope scope;
	struct pr_arena arena;
	struct pr_str value = PR_NONE;

	pr_arena_init(&arena, 1 << 20);
	module_scope_init(&scope, thread, &arena);
	visitor->status = map_lookup(&scope, pr_str(visitor->map), pr_str(visitor->key), NULL, &value);
	snprintf(visitor->value, sizeof visitor->value, "%.*s", PR_PRINT(value));
	module_thread_free(thread);
	pr_arena_fini(&arena);
	return NULL;
}

/* The most that were inside one instance at once, of four threads that all wait there for company. */
static int most_inside(struct stage *stage, const char *map)
{
	struct visitor visitors[4];
	int most = 0;

	for (size_t i = 0; i < 4; i++) {
		visitors[i] = (struct visitor){.stage = stage, .map = map, .key = "meet"};
		CU_ASSERT_FATAL(pthread_create(&visitors[i].id, NULL, visit, &visitors[i]) == 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(visitors[i].id, NULL);
		CU_ASSERT_EQUAL(visitors[i].status, PR_OK);
		int seen = visitors[i].value[0] - '0';
		most = seen > most ? seen : most;
	}
	return most;
}

static void test_threads(void)
{
	struct stage stage;

	stage_open(&stage, PROBES);
	CU_ASSERT_EQUAL(most_inside(&stage, "one"), 1);
	CU_ASSERT(most_inside(&stage, "many") >= 2);
	stage_close(&stage);
}

static void count_wait(void *context)
{
	(*(int *)context)++;
}

/* Before a map that may wait for a server another thread is called to help; not before one that says PR_PROMPT. */
static void test_waits(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;
	int waits = 0;

	stage_open(&stage, PROBES);
	module_thread_set_wait(stage.thread, count_wait, &waits);
	CU_ASSERT_EQUAL(stage_ask(&stage, "hello", "x", &value), PR_OK);
	CU_ASSERT_EQUAL(waits, 1);
	CU_ASSERT_EQUAL(stage_ask(&stage, "many", "number", &value), PR_OK);
	CU_ASSERT_EQUAL(waits, 1);
	stage_close(&stage);
}

static void test_lifetimes(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;
	struct visitor visitor = {.stage = &stage, .map = "one", .key = "thread"};

	stage_open(&stage, "maps = { one = { module = \"probe\"; JJ }; };\n");
	CU_ASSERT(strcmp(stage_read(stage_journal), "probe open -\n") == 0); /* no thread before there is a call */
	for (int i = 1; i <= 3; i++)
		CU_ASSERT(stage_ask(&stage, "one", "thread", &value) == PR_OK && value.data[0] == '0' + i);
	visit(&visitor); /* another thread's memory starts at zero */
	CU_ASSERT_STRING_EQUAL(visitor.value, "1");
	CU_ASSERT(stage_ask(&stage, "one", "thread", &value) == PR_OK && value.data[0] == '4');
	stage_close(&stage);
	CU_ASSERT_STRING_EQUAL(stage_read(stage_journal), "probe open -\nprobe thread_open -\nprobe thread_open -\nprobe thread_close 1\n"
	                                                  "probe thread_close 4\nprobe close -\n");
}

static void test_thread_refused(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;

	stage_open(&stage, "maps = { one = { module = \"probe\"; JJ refuse_thread = 2; }; };\n");
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(stage_ask(&stage, "one", "thread", &value), PR_TEMPFAIL);
		CU_ASSERT(stage_is(stage.scope.reason, "map one: no thread wanted"));
	}
	CU_ASSERT(stage_ask(&stage, "one", "thread", &value) == PR_OK); /* asked again each time */
	stage_close(&stage);
	CU_ASSERT_STRING_EQUAL(stage_read(stage_journal), "probe open -\nprobe thread_open -\nprobe thread_close 1\nprobe close -\n");
}

/* open(), close() and thread_open() may ask what was opened before; what was not says so. */
static void test_asking_early(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;

	stage_open(&stage, "maps = { hello = { module = \"hello\"; }; one = { module = \"probe\"; JJ ask_open = \"hello\"; ask_close = \"hello\";"
	                   " ask_thread = \"hello\"; }; };\n");
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "thread", &value), PR_OK);
	stage_close(&stage);
	CU_ASSERT_STRING_EQUAL(stage_read(stage_journal),
	    "probe open hello, key\nprobe thread_open hello, key\nprobe thread_close 1\nprobe close hello, key\n");
	CU_ASSERT(!stage_try(&stage, "maps = { one = { module = \"probe\"; JJ ask_open = \"hello\"; }; hello = { module = \"hello\"; }; };\n",
	    MODULE_ROLE_RECEIVER, BUILD_DIR));
	CU_ASSERT(stage_is(pr_text_str(&stage_errors), "a.conf:5: maps one: open: map hello: maps/hello instance hello is not open here\n"));
	CU_ASSERT(!stage_try(&stage, "maps = { one = { module = \"probe\"; JJ ask_open = \"one\"; }; };\n", MODULE_ROLE_RECEIVER, BUILD_DIR));
	CU_ASSERT(stage_is(pr_text_str(&stage_errors), "a.conf:5: maps one: open: map one: maps/probe instance one calls itself\n"));
}

/* check looks but opens nothing; a role opens only its own kinds */
static void test_roles(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;
	struct module_session session;
	struct pr_destination destination = {.size = sizeof destination, .host = PR_STR("h")};
	struct pr_client client = {.size = sizeof client};
	struct pr_verdict verdict;

	CU_ASSERT_FATAL(stage_try(&stage, PROBES, MODULE_ROLE_CHECK, BUILD_DIR));
	CU_ASSERT_STRING_EQUAL(stage_read(stage_journal), "");
	CU_ASSERT_EQUAL(stage_ask(&stage, "one", "number", &value), PR_MISUSE);
	stage_close(&stage);
	CU_ASSERT_STRING_EQUAL(stage_read(stage_journal), "");
	CU_ASSERT_FATAL(stage_try(&stage, "filters = ( { module = \"debug\"; } );", MODULE_ROLE_RECEIVER, BUILD_DIR));
	module_session_init(&session, module_find(stage.set, PR_KIND_MAILER, PR_STR("local")));
	CU_ASSERT_EQUAL(mailer_open(&stage.scope, &session, &destination), PR_MISUSE);
	CU_ASSERT(stage_is(stage.scope.reason, "mailers/debugmailer instance local is not open here"));
	module_session_fini(&session);
	module_session_init(&session, module_at(stage.set, PR_KIND_FILTER, 0));
	CU_ASSERT_EQUAL(filter_connect(&stage.scope, &session, &client, &verdict), PR_OK);
	module_session_fini(&session);
	CU_ASSERT(module_at(stage.set, PR_KIND_FILTER, 1) == NULL && module_find(stage.set, PR_KIND_MAP, PR_STR("x")) == NULL);
	stage_close(&stage);
}

static const struct {
	const char *text;
	const char *errors;
} refused[] = {
    {"maps = { one = { module = \"probe\"; }; };", "a.conf:5: maps one: needs journal (file that gets a line for each event)\n"},
    {"maps = { one = { module = \"probe\"; JJ nmber = 3; }; };", "a.conf:5: unknown key nmber for module probe; did you mean number?\n"},
    {"maps = { one = { module = \"hello\"; x = 3; }; };", "a.conf:5: unknown key x for module hello\n"},
    {"maps = { one = { module = \"probe\"; JJ\n number = \"many\"; }; };", "a.conf:6: number: \"many\" is not a whole decimal number\n"},
    {"maps = { one = { module = \"probe\"; JJ\n number = ( 1, 2 ); }; };", "a.conf:6: number takes one value, not a list\n"},
    {"maps = { one = { module = \"probe\"; journal = \"here\"; }; };",
        "a.conf:5: journal: \"here\" is not an absolute path (it must begin with /)\n"},
    {"maps = { one = { module = \"bad_major\"; }; };",
        "a.conf:5: maps one: " BUILD_DIR "/.libs/bad_major.so: was built for ABI 2.0, this postrider speaks 1.5; rebuild it against the installed SDK\n"},
    {"maps = { one = { module = \"bad_minor\"; }; };", "a.conf:5: maps one: " BUILD_DIR
        "/.libs/bad_minor.so: was built for ABI 1.6, newer than this postrider's 1.5; upgrade postrider or rebuild the module\n"},
    {"maps = { one = { module = \"bad_magic\"; }; };", "a.conf:5: maps one: " BUILD_DIR
        "/.libs/bad_magic.so: is no postrider module (wrong magic); build it with PR_MODULE and PR_MODULE_HEAD\n"},
    {"maps = { one = { module = \"bad_symbol\"; }; };", "a.conf:5: maps one: " BUILD_DIR
        "/.libs/bad_symbol.so: has no symbol bad_symbol_LTX_pr_module; is it built with PR_MODULE(bad_symbol)?\n"},
    {"maps = { one = { module = \"bad_unresolved\"; }; };", "a.conf:5: maps one: " BUILD_DIR "/.libs/bad_unresolved.so: cannot be loaded: " BUILD_DIR
        "/.libs/bad_unresolved.so: undefined symbol: a_function_that_nobody_has\n"},
    {"maps = { one = { module = \"bad_open\"; }; };", "a.conf:5: maps one: open: the directory server does not answer\n"},
    {"maps = { one = { module = \"bad_check\"; }; };", "a.conf:5: maps one: check: option a excludes option b\n"},
    {"maps = { one = { module = \"absent\"; }; };", "a.conf:5: maps one: " BUILD_DIR
        "/maps/absent.so: no such module; install it, or correct module_directory or module\n"},
    {"maps = { one = { module = \"debugauth\"; }; };", "a.conf:5: maps one: " BUILD_DIR "/.libs/debugauth.so: is of another kind: it belongs under auth, not maps\n"},
    /* every culprit of a round is named at once */
    {"maps = { a = { module = \"bad_check\"; }; b = { module = \"bad_open\"; }; c = { module = \"bad_check\"; }; };",
        "a.conf:5: maps a: check: option a excludes option b\na.conf:5: maps c: check: option a excludes option b\n"},
    {"maps = { a = { module = \"hello\"; x = 1; }; b = { module = \"bad_check\"; }; c = { module = \"hello\"; y = 1; }; };",
        "a.conf:5: unknown key x for module hello\na.conf:5: unknown key y for module hello\n"},
};

static void test_refused(void)
{
	struct stage stage;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		CU_ASSERT(!stage_try(&stage, refused[i].text, MODULE_ROLE_RECEIVER, BUILD_DIR));
		CU_ASSERT(stage_is(pr_text_str(&stage_errors), refused[i].errors));
	}
	/* the good ones that were opened before the culprit are closed again */
	CU_ASSERT(!stage_try(&stage, "maps = { a = { module = \"probe\"; JJ }; c = { module = \"bad_open\"; }; };", MODULE_ROLE_RECEIVER, BUILD_DIR));
	CU_ASSERT_STRING_EQUAL(stage_read(stage_journal), "probe open -\nprobe close -\n");
}

static bool copy_file(const char *from, const char *to)
{
	static char buffer[1 << 22];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t got = in >= 0 ? read(in, buffer, sizeof buffer) : -1;
	bool good = got > 0 && out >= 0 && write(out, buffer, (size_t)got) == got;

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return good;
}

/* Loads probe from TOP/modules; the errors tell what it thought of it. */
static bool loads_from(const char *directory)
{
	struct stage stage;
	bool good = stage_try(&stage, "maps = { one = { module = \"probe\"; JJ }; }; store = { module = \"none\"; };", MODULE_ROLE_CHECK, directory);

	CU_ASSERT(!good); /* the rest is not there; only what is said of probe counts */
	return strstr(stage_errors.data, "maps one:") == NULL;
}

static bool said(const char *path, const char *sentence)
{
	char wanted[400];

	snprintf(wanted, sizeof wanted, "%s%s", path, sentence);
	bool found = strstr(stage_errors.data, wanted) != NULL;
	if (!found)
		printf("\nwanted \"%s\" in\n%s", wanted, stage_errors.data);
	return found;
}

static void test_provenance(void)
{
	char top[] = "/tmp/postrider-provenance-XXXXXX", folder[100], maps[120], file[140], link_name[120];

	CU_ASSERT_FATAL(mkdtemp(top) != NULL);
	snprintf(folder, sizeof folder, "%s/modules", top);
	snprintf(maps, sizeof maps, "%s/maps", folder);
	snprintf(file, sizeof file, "%s/probe.so", maps);
	snprintf(link_name, sizeof link_name, "%s/link", top);
	CU_ASSERT_FATAL(chmod(top, 0755) == 0 && mkdir(folder, 0755) == 0 && mkdir(maps, 0755) == 0);
	CU_ASSERT_FATAL(copy_file(BUILD_DIR "/.libs/probe.so", file) && chmod(file, 0755) == 0);
	CU_ASSERT(loads_from(folder));
	CU_ASSERT(chmod(file, 0757) == 0 && !loads_from(folder) && said(file, " is writable by everybody (mode 0757)"));
	CU_ASSERT(chmod(file, 0775) == 0 && !loads_from(folder) && said(file, " is writable by its group (mode 0775)"));
	CU_ASSERT(chmod(file, 0644) == 0 && chmod(maps, 0777) == 0 && !loads_from(folder) && said(maps, " is writable by everybody (mode 0777)"));
	CU_ASSERT(chmod(maps, 0755) == 0 && chmod(top, 0777) == 0 && !loads_from(folder) && said(top, " is writable by everybody (mode 0777)"));
	CU_ASSERT(chmod(top, 0755) == 0 && symlink(folder, link_name) == 0 && loads_from(link_name)); /* an honest link leads where it leads */
	CU_ASSERT(chmod(maps, 0777) == 0 && !loads_from(link_name) && said(maps, " is writable by everybody (mode 0777)"));
	CU_ASSERT(chmod(maps, 0755) == 0);
	if (geteuid() == 0) {
		CU_ASSERT(chown(file, 65534, 65534) == 0 && !loads_from(folder) && said(file, " is owned by uid 65534, not by root or uid 0"));
		module_trust(65534); /* a process of that user may load what is its own */
		CU_ASSERT(loads_from(folder));
		module_trust(UINT32_MAX);
		CU_ASSERT(chown(file, 0, 0) == 0 && lchown(link_name, 65534, 65534) == 0 && !loads_from(link_name));
		CU_ASSERT(said(link_name, " is owned by uid 65534, not by root or uid 0")); /* he may turn it any day */
	}
	module_trust(1);
	CU_ASSERT(geteuid() == 0 || !loads_from(folder)); /* nobody trusts me but me */
	module_trust(UINT32_MAX);
	unlink(file);
	unlink(link_name);
	rmdir(maps);
	rmdir(folder);
	rmdir(top);
}

static void test_preopened(void)
{
	struct stage stage;
	struct pr_str value = PR_NONE;

	CU_ASSERT(!stage_try(&stage, "maps = { greet = { module = \"hello\"; }; };", MODULE_ROLE_RECEIVER, "/nowhere"));
	CU_ASSERT(strstr(stage_errors.data, "maps greet") == NULL); /* of nine instances only this one was found */
	CU_ASSERT(strstr(stage_errors.data, "/nowhere/stores/debugstore.so: no such module") != NULL);
	stage_open(&stage, "maps = { a = { module = \"hello\"; }; b = { module = \"hello\"; }; };"); /* two instances of one file */
	CU_ASSERT(stage_ask(&stage, "a", "x", &value) == PR_OK && stage_ask(&stage, "b", "y", &value) == PR_OK && stage_is(value, "hello, y"));
	stage_close(&stage);
}

static const struct unit_case cases[] = {
    {"what a call is given", test_call}, {"reasons travel", test_reasons}, {"a module that calls itself", test_itself},
    {"serialised and concurrent", test_threads}, {"who may wait", test_waits}, {"instance, thread, call", test_lifetimes}, {"thread_open fails", test_thread_refused},
    {"asking in open and close", test_asking_early}, {"check and roles", test_roles}, {"refusals, each one sentence", test_refused},
    {"provenance", test_provenance}, {"pre-opened", test_preopened}, {NULL, NULL},
};

int main(void)
{
	int fd;

	snprintf(stage_journal, sizeof stage_journal, "/tmp/postrider-journal-XXXXXX");
	if ((fd = mkstemp(stage_journal)) >= 0)
		close(fd);
	pr_text_init(&stage_errors, 65536);
	int result = unit_run("module", cases) == EXIT_SUCCESS && unit_run("module hooks", hook_cases) == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
	pr_text_fini(&stage_errors);
	unlink(stage_journal);
	return result;
}
