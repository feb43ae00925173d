/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expansion of aliases with fake rules, tables and accounts: every form, every refusal, and lists too long and too deep for a careless
 * implementation.
 */
#include "kernel/route/expand.h"
#include "tests/unit/unit.h"

#include <string.h>

struct pair {
	const char *key, *value;
};

static const struct pair aliases[] = {
	{ "mailer-daemon", "postmaster" }, { "postmaster", "root" }, { "team", "alice, bob,carol@remote.example" },
	{ "nospace", "alice,bob" }, { "nested", "team, dave" }, { "escaped", "\\alice" }, { "alice2", "alice2, bob" },
	{ "prog", "\"|/bin/cat -n\"" }, { "prog2", "|/bin/true, |\"/bin/echo a, b\"" }, { "file", "/var/mail/archive" },
	{ "list", ":include:/lists/one" }, { "owner-list", "list-request" }, { "list-request", "bob" }, { "around", "list, carol@remote.example" },
	{ "twolist", "alice, bob" }, { "owner-twolist", "alice, bob" }, { "loop1", "loop2" }, { "loop2", "loop1" },
	{ "mixed", "loop3, alice" }, { "loop3", "mixed" }, { "self", "self" }, { "alice", "alice" }, { "root2", "\\root" },
	{ "plus+*", "carol@remote.example" }, { "plus+exact", "bob" }, { "plus", "alice" }, { "unknown", "nosuch" },
	{ "partly", "nosuch, alice" }, { "bad", "alice, @@" }, { "noinc", ":include:/lists/missing, alice" },
	{ "unsafe", ":include:/lists/programs" }, { "owned", ":include:/lists/owned" }, { "selfinc", ":include:/lists/self" },
	{ "tmp", "tempfail, alice" }, { "empty", ":include:/lists/empty" }, { "remote", "Up@Remote.Example, up@remote.example" },
	{ "quoted", "\"al ice\", bob" }, { "al ice", "carol@remote.example" },
	{ "redirected", "x@gone.example" }, { "many", ":include:/lists/many" }, { "roots", ":include:/lists/roots" }, { "deep0", "deep1" },
};
static const struct pair includes[] = {
	{ "/lists/one", "# members\nalice\n\nbob@remote.example, dave\n" }, { "/lists/programs", "alice\n|/bin/sh\n" },
	{ "/lists/owned", "\"|/home/bob/filter\"\n/home/bob/box\n" }, { "/lists/self", ":include:/lists/self\n" }, { "/lists/empty", "# nobody\n" },
	{ "/lists/roots", "|/usr/bin/archive\n" },
};
static const char *const users[] = { "alice", "alice2", "bob", "dave", "root", NULL };

struct asked {
	struct pr_text many; /* a list of 50,000 */
	struct pr_arena arena;
	unsigned chain;      /* length of the chain chain0 -> chain1 -> ... */
	unsigned lookups;
};
static struct asked asked;

static enum pr_status resolve(void *context, struct pr_str address, struct pr_route *route_out)
{
	size_t at = pr_str_find_last(address, '@');
	struct pr_str domain = pr_str_slice(address, at + 1, address.len);

	(void)context;
	if (pr_str_equal(address, PR_STR("tempfail")))
		return PR_TEMPFAIL;
	if (at < address.len && pr_str_equal(domain, PR_STR("gone.example"))) {
		route_out->code = 551;
		route_out->enhanced = PR_STR("5.1.6");
		route_out->text = PR_STR("Gone away");
		return PR_PERMFAIL;
	}
	bool local = at == address.len || pr_str_equal(domain, PR_STR("us.example"));
	route_out->mailer = local ? PR_STR("local") : PR_STR("esmtp");
	route_out->host = local ? PR_STR("") : domain;
	route_out->user = local ? pr_arena_lower(&asked.arena, pr_str_slice(address, 0, at)) : address;
	return PR_OK;
}

static bool has_flag(void *context, struct pr_str mailer, char flag)
{
	(void)context;
	return pr_str_equal(mailer, PR_STR("local")) && (flag == 'A' || flag == 'w');
}

static enum pr_status alias(void *context, struct pr_str key, struct pr_str *value_out)
{
	unsigned number;
	char name[64];

	(void)context;
	asked.lookups++;
	if (pr_str_equal(key, PR_STR("broken")))
		return PR_TEMPFAIL;
	snprintf(name, sizeof name, "%.*s", PR_PRINT(key));
	if (sscanf(name, "chain%u", &number) == 1 && number < asked.chain) {
		*value_out = number + 1 == asked.chain ? PR_STR("alice@remote.example") : pr_arena_printf(&asked.arena, "chain%u", number + 1);
		return PR_OK;
	}
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (pr_str_equal(key, pr_str(aliases[i].key))) {
			*value_out = pr_str(aliases[i].value);
			return PR_OK;
		}
	return PR_NOTFOUND;
}

static enum pr_status user(void *context, struct pr_str name)
{
	(void)context;
	for (size_t i = 0; users[i] != NULL; i++)
		if (pr_str_equal(name, pr_str(users[i])))
			return PR_OK;
	return pr_str_equal(name, PR_STR("slow")) ? PR_TEMPFAIL : PR_NOTFOUND;
}

static enum pr_status include(void *context, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out)
{
	(void)context;
	if (pr_str_equal(path, PR_STR("/lists/many"))) {
		*contents_out = pr_text_str(&asked.many);
		return PR_OK;
	}
	for (size_t i = 0; i < sizeof includes / sizeof *includes; i++)
		if (pr_str_equal(path, pr_str(includes[i].key))) {
			*contents_out = pr_str(includes[i].value);
			return PR_OK;
		}
	*why_out = PR_STR("No such file or directory");
	return PR_NOTFOUND;
}

static enum pr_status include_owner(void *context, struct pr_str path, struct pr_str *user_out)
{
	(void)context;
	*user_out = pr_str_equal(path, PR_STR("/lists/roots")) ? PR_STR("root") : PR_STR("bob");
	return pr_str_equal(path, PR_STR("/lists/owned")) || pr_str_equal(path, PR_STR("/lists/roots")) ? PR_OK : PR_NOTFOUND;
}

static struct expansion *new_expansion(uint32_t depth, size_t members)
{
	const struct expand_source source = { .resolve = resolve, .mailer_has_flag = has_flag, .alias = alias, .user = user,
		.include = include, .include_owner = include_owner };
	const struct expand_limits limits = { .depth = depth, .members = members };

	pr_arena_init(&asked.arena, (size_t)64 << 20);
	pr_text_init(&asked.many, (size_t)64 << 20);
	return expansion_new(&source, &limits);
}

static void end(struct expansion *expansion)
{
	expansion_free(expansion);
	pr_arena_fini(&asked.arena);
	pr_text_fini(&asked.many);
}

/* "address address ..." of all recipients; programs with their owner as "bob:|prog". */
static struct pr_str shown(struct expansion *expansion)
{
	struct pr_text text;
	size_t count;
	struct pr_recipient *recipients = expansion_recipients(expansion, &count);

	pr_text_init(&text, 1 << 16);
	for (size_t i = 0; i < count; i++)
		pr_text_addf(&text, "%s%.*s%s%.*s", i > 0 ? " " : "", PR_PRINT(recipients[i].owner), recipients[i].owner.len > 0 ? ":" : "",
		             PR_PRINT(recipients[i].address));
	struct pr_str copy = pr_arena_copy(&asked.arena, pr_text_str(&text));
	pr_text_fini(&text);
	return copy;
}

static struct pr_str expand(struct expansion *expansion, const char *address, bool wire)
{
	struct pr_recipient model = { .flags = PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY, .original = PR_STR("rfc822;them@there") };
	struct expand_result result;

	if (expansion_add(expansion, pr_str(address), &model, wire, &result) == PR_OK)
		return shown(expansion);
	return pr_arena_printf(&asked.arena, "%u %.*s %.*s", (unsigned)result.code, PR_PRINT(result.enhanced), PR_PRINT(result.text));
}

static const struct pair answers[] = {
	{ "alice", "<alice>" }, { "BOB", "<BOB>" }, { "bob@us.example", "<bob@us.example>" }, { "ALICE", "<alice>" }, { "x@remote.example", "<x@remote.example>" },
	{ "team", "<alice> <bob> <carol@remote.example>" }, { "TEAM@us.example", "<alice> <bob> <carol@remote.example>" },
	{ "nospace", "<alice> <bob>" }, { "nested", "<alice> <bob> <carol@remote.example> <dave>" }, { "escaped", "<\\alice>" },
	{ "alice2", "<alice2> <bob>" }, { "prog", "|/bin/cat -n" }, { "file", "/var/mail/archive" }, { "prog2", "|/bin/true |/bin/echo a, b" },
	{ "list", "<alice> <bob@remote.example> <dave>" }, { "MAILER-DAEMON", "<root>" }, { "Postmaster@us.example", "<root>" },
	{ "root", "<root>" }, { "root2", "<\\root>" }, { "\\alice", "<\\alice>" }, { "\\team", "550 5.1.1 User unknown" },
	{ "plus", "<alice>" }, { "plus+exact", "<bob>" }, { "plus+other", "<carol@remote.example>" }, { "alice+x", "<alice>" },
	{ "bob+x@us.example", "<bob+x@us.example>" }, { "nosuch", "550 5.1.1 User unknown" }, { "unknown", "550 5.1.1 User unknown" },
	{ "partly", "<nosuch> <alice>" }, { "self", "550 5.1.1 User unknown" }, { "loop1", "554 5.4.6 aliasing/forwarding loop broken" },
	{ "mixed", "<alice>" }, { "noinc", "550 5.2.4 Mailing list cannot be read" },
	{ "unsafe", "550 5.7.1 Address is unsafe for mailing to programs" }, { "owned", "bob:|/home/bob/filter bob:/home/bob/box" }, { "roots", "|/usr/bin/archive" },
	{ "selfinc", "554 5.4.6 aliasing/forwarding loop broken" }, { "empty", "550 5.2.4 Mailing list is empty" },
	{ "tmp", "451 4.3.0 Temporary lookup failure" }, { "broken", "451 4.3.0 Temporary lookup failure" },
	{ "slow", "451 4.3.0 Temporary lookup failure" }, { "remote", "<Up@Remote.Example>" }, { "quoted", "<carol@remote.example> <bob>" },
	{ "redirected", "551 5.1.6 Gone away" }, { "x@gone.example", "551 5.1.6 Gone away" },
	{ "|/bin/sh", "550 5.7.1 Cannot mail directly to programs" }, { "\"|/bin/sh\"", "550 5.7.1 Cannot mail directly to programs" },
	{ "\"|/bin/sh\"@us.example", "550 5.7.1 Cannot mail directly to programs" }, { "/etc/passwd", "550 5.7.1 Cannot mail directly to files" },
	{ "/etc/passwd@us.example", "550 5.7.1 Cannot mail directly to files" }, { "/o=x/c=us@remote.example", "</o=x/c=us@remote.example>" },
	{ ":include:/etc/passwd", "550 5.7.1 Cannot mail directly to :include:s" },
	{ "\":include:/etc/passwd\"@us.example", "550 5.7.1 Cannot mail directly to :include:s" },
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct expansion *expansion = new_expansion(10, 1000);
		struct pr_str got = expand(expansion, answers[i].key, true);
		CU_ASSERT(pr_str_equal(got, pr_str(answers[i].value)));
		if (!pr_str_equal(got, pr_str(answers[i].value)))
			printf("\n  %s: %.*s, not %s", answers[i].key, PR_PRINT(got), answers[i].value);
		size_t count;
		expansion_recipients(expansion, &count);
		CU_ASSERT(answers[i].value[0] != '5' || count == 0); /* a refusal leaves nothing */
		end(expansion);
	}
}

static void test_duplicates(void)
{
	struct expansion *expansion = new_expansion(10, 1000);
	struct pr_recipient model = {0};
	struct expand_result result;

	CU_ASSERT(pr_str_equal(expand(expansion, "team", true), PR_STR("<alice> <bob> <carol@remote.example>")));
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("nested"), &model, true, &result), PR_OK);
	CU_ASSERT_EQUAL(result.added, 1); /* dave */
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("Bob@us.example"), &model, true, &result), PR_OK);
	CU_ASSERT_EQUAL(result.added, 0);
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("partly+x"), &model, true, &result), PR_OK);
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("noinc"), &model, true, &result), PR_PERMFAIL);
	CU_ASSERT(result.reason.len > 0 && strstr(result.reason.data, "/lists/missing") != NULL);
	CU_ASSERT_PTR_NULL(strstr(result.text.data, "/lists")); /* the client learns no path */
	CU_ASSERT(pr_str_equal(shown(expansion), PR_STR("<alice> <bob> <carol@remote.example> <dave> <nosuch>")));
	expansion_clear(expansion);
	CU_ASSERT(pr_str_equal(expand(expansion, "noinc", true), PR_STR("550 5.2.4 Mailing list cannot be read")));
	CU_ASSERT(pr_str_equal(expand(expansion, "bob", true), PR_STR("<bob>")));
	end(expansion);
}

static void test_fields(void)
{
	struct expansion *expansion = new_expansion(10, 1000);
	size_t count;

	expand(expansion, "prog", true);
	expand(expansion, "bob", true);
	struct pr_recipient *recipients = expansion_recipients(expansion, &count);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT(pr_str_equal(recipients[0].alias, PR_STR("prog")));
	CU_ASSERT_PTR_NULL(recipients[0].owner.data); /* DefaultUser */
	CU_ASSERT(pr_str_equal(recipients[0].final, PR_STR("<prog>")));
	CU_ASSERT(pr_str_equal(recipients[0].original, PR_STR("rfc822;them@there")));
	CU_ASSERT_EQUAL(recipients[0].flags, PR_RECIPIENT_NOTIFY);
	CU_ASSERT_PTR_NULL(recipients[1].alias.data);
	CU_ASSERT_PTR_NULL(recipients[1].final.data);
	CU_ASSERT_EQUAL(recipients[1].flags, PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY);
	end(expansion);
}

static void test_owner(void)
{
	struct expansion *expansion = new_expansion(10, 1000);

	expand(expansion, "list", true);
	CU_ASSERT(pr_str_equal(expansion_owner(expansion), PR_STR("list-request")));
	expand(expansion, "x@remote.example", true);
	CU_ASSERT_PTR_NULL(expansion_owner(expansion).data); /* no longer one for all */
	CU_ASSERT(pr_str_equal(expansion_recipient_owner(expansion, 0), PR_STR("list-request")));
	CU_ASSERT_PTR_NULL(expansion_recipient_owner(expansion, 3).data);
	expansion_clear(expansion);
	expand(expansion, "twolist", true);
	CU_ASSERT(pr_str_equal(expansion_owner(expansion), PR_STR("owner-twolist")));
	end(expansion);
}

/* NOTIFY=SUCCESS: an address that means several is the success, its members are asked for failures only. */
static void test_success(void)
{
	struct expansion *expansion = new_expansion(10, 1000);
	struct pr_recipient model = { .flags = PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_FAILURE,
		.original = PR_STR("rfc822;them@there") };
	struct expand_result result;
	size_t count;

	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("nospace"), &model, true, &result), PR_OK);
	CU_ASSERT_EQUAL(result.added, 2);
	struct pr_recipient *all = expansion_recipients(expansion, &count);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT_EQUAL(all[0].flags, PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_FAILURE);
	CU_ASSERT_EQUAL(all[1].flags, PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_FAILURE);
	CU_ASSERT(pr_str_equal(all[2].address, PR_STR("<nospace>")));
	CU_ASSERT(pr_str_equal(all[2].original, PR_STR("rfc822;them@there")));
	CU_ASSERT(pr_str_equal(all[2].status, PR_STR("expanded to multiple addresses")));
	CU_ASSERT_EQUAL(all[2].state, PR_RECIPIENT_DELIVERED);
	CU_ASSERT_EQUAL(all[2].flags, model.flags);
	expansion_clear(expansion);
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("list"), &model, true, &result), PR_OK); /* with an owner */
	all = expansion_recipients(expansion, &count);
	CU_ASSERT(count > 1 && pr_str_equal(all[count - 1].status, PR_STR("delivered to mailing list")));
	CU_ASSERT_EQUAL(all[0].flags, 0); /* the owner hears of every failure */
	CU_ASSERT_PTR_NULL(expansion_recipient_owner(expansion, count - 1).data); /* the author hears of it, not the owner */
	expansion_clear(expansion);
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("around"), &model, true, &result), PR_OK); /* a list is among them, which makes no list of it */
	all = expansion_recipients(expansion, &count);
	CU_ASSERT(count > 2 && pr_str_equal(all[count - 1].status, PR_STR("expanded to multiple addresses")));
	expansion_clear(expansion);
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("escaped"), &model, true, &result), PR_OK); /* one for one: a receipt of its own */
	all = expansion_recipients(expansion, &count);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	CU_ASSERT_EQUAL(all[0].flags, PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_FAILURE);
	end(expansion);
	expansion = new_expansion(10, 2);
	CU_ASSERT_EQUAL(expansion_add(expansion, PR_STR("nospace"), &model, true, &result), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(result.code, 452);
	expansion_recipients(expansion, &count);
	CU_ASSERT_EQUAL(count, 0);
	end(expansion);
}

static void test_depth(void)
{
	struct expansion *expansion = new_expansion(10, 1000);

	asked.chain = 10;
	CU_ASSERT(pr_str_equal(expand(expansion, "chain0", true), PR_STR("<alice@remote.example>")));
	expansion_clear(expansion);
	asked.chain = 11;
	CU_ASSERT(pr_str_equal(expand(expansion, "chain0", true), PR_STR("554 5.4.6 aliasing/forwarding loop broken (11 aliases deep; 10 max)")));
	end(expansion);
	expansion = new_expansion(100000, 1000);
	asked.chain = 10000;
	CU_ASSERT(pr_str_equal(expand(expansion, "chain0", true), PR_STR("<alice@remote.example>")));
	end(expansion);
}

static void test_many(void)
{
	struct expansion *expansion = new_expansion(10, 60000);
	size_t count;

	for (int i = 0; i < 50000; i++)
		pr_text_addf(&asked.many, "member%d@remote.example%s", i, i % 7 == 0 ? "\n" : i % 7 == 1 ? ", " : " ,");
	asked.lookups = 0;
	expand(expansion, "many", true);
	expansion_recipients(expansion, &count);
	CU_ASSERT_EQUAL(count, 50000);
	CU_ASSERT(asked.lookups < 10);
	end(expansion);
	expansion = new_expansion(10, 100);
	for (int i = 0; i < 200; i++)
		pr_text_addf(&asked.many, "member%d@remote.example\n", i);
	CU_ASSERT(pr_str_equal(expand(expansion, "many", true), PR_STR("452 4.5.3 Too many recipients")));
	expansion_recipients(expansion, &count);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT(pr_str_equal(expand(expansion, "bob", true), PR_STR("<bob>")));
	end(expansion);
}

static const struct unit_case cases[] = { { "what addresses mean", test_answers }, { "duplicates", test_duplicates },
	{ "fields of recipients", test_fields }, { "owner-LIST", test_owner }, { "NOTIFY=SUCCESS", test_success }, { "deep chains", test_depth }, { "50,000 members", test_many },
	{ NULL, NULL } };
UNIT_MAIN("expand", cases)
