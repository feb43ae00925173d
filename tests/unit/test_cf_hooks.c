/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine as the kernel sees it: routes, forms, verdicts, values, header templates, and the way an address took.
 */
#include "tests/unit/cf_stage.h"

#include <string.h>

static const char text[] =
    "V10/Berkeley\nO DontProbeInterfaces=True\nO OperatorChars=.:%@!^/[]+\nCw corp.example\nD{file}from file\n"
    "Ktable hash /etc/table\nKbroken hash /etc/broken\nKstore macro\n"
    "Mlocal, P=/bin/true, F=lsDFMAw5:/|@qPn, S=10, R=20, A=true $u\nMesmtp, P=[IPC], F=mDFMuXa, S=11/31, R=21, A=TCP $h\n"
    "Sone=1\nStwo=2\nS3\nR$* < $* > $*\t$2\nR$+ @ $+\t$: $1 < @ $2 >\n"
    "S4\nR$+ < @ $+ >\t$1 @ $2\n"
    "S0\nR$+ < @ $=w >\t$#local $: $1\nRnouser < @ $+ >\t$#error $@ 5.1.1 $: \"550 5.1.1 no such user\"\n"
    "Rlater < @ $+ >\t$#error $@ 4.2.0 $: \"450 4.2.0 not now\"\nRbare < @ $+ >\t$#error $: without codes\n"
    "Rfire < @ $+ >\t$: $(broken $1 $: x $) < @ $1 >\nRburnt < @ $+ >\t$: $(broken $1 $: x $) burnt\n"
    "Rjoe < @ name . example >\t$: joe < @ $[ name . example $] . >\nR$+ burnt\t$#error $@ 5.1.1 $: \"550 5.1.1 gone\"\nRtyped < @ $+ >\t$#error $@ 5.1.1 $: \"550 5.1.1 \" $&{addr_type}\nRprogram < @ $+ >\t$#prog $: x\nR$+ < @ $+ >\t$#esmtp $@ $2 $: $1 < @ $2 >\nR$+\t$#local $: $1\n"
    "S10\nR$+ < @ $+ >\t$: $1 < @ s . $2 >\nS11\nR$+ < @ $+ >\t$: $1 < @ senv . $2 >\nS31\nRtyped < @ $+ >\t$: $&{addr_type} < @ $1 >\nR$+ < @ $+ >\t$: $1 < @ shdr . $2 >\n"
    "S21\nR$+ < @ $+ >\t$: $1 < @ rcpt . $2 >\n"
    "Scheck_rcpt\nR< $+ @ bad . example >\t$#error $@ 5.7.1 $: \"550 5.7.1 no \" $1\nR< $+ @ late . example >\t$#error $@ 4.7.1 $: \"451 4.7.1 later\"\n"
    "R< kind @ $+ >\t$#error $@ 5.7.1 $: \"550 5.7.1 \" $&{addr_type}\nR< $+ @ drop . example >\t$#discard\nR< $+ @ hold . example >\t$#error $@ quarantine $: held\nR< $+ @ fire . example >\t$(broken $1 $)\n"
    "R< $+ @ other . example >\t$#something\nR$*\t$: $1\n"
    "Scheck_relay\nR$* $| 192 . 0 . 2 . $-\t$#error $@ 5.7.1 $: \"550 5.7.1 \" $1 is not welcome\n"
    "Scheck_compat\nR$+ $| $+\t$#error $@ 5.7.1 $: \"550 5.7.1 \" $1 to $2\n"
    "Ssubject\nR$* win $*\t$#error $@ 5.7.1 $: \"550 5.7.1 \" $&{hdr_name} $&{hdrlen}\n"
    "Sother\nR$* ( $* )\t$#error $: \"550 5.7.1 comment\"\n"
    "Sgreet_pause\nRslow $| $*\t$# 5000\nRbad $| $*\t$#error $: \"550 no\"\nRfire $| $*\t$(broken x $)\n"
    "Squeuegroup\nR$* @ fast . example\t$# fast\n"
    "HSubject: $>subject\nH*: $>+other\n"
    "H?D?Date: $b\nHReceived: $?sfrom $s $.by $j\n\tfor $u\nH?${set}?X-Set: ${file} $| $&{set}\nH?x?Full: $?{file}yes$|no$.\n";

static void begin(void)
{
	cf_stage_begin();
	fake_world_add(&cf_world, "broken broken");
	fake_world_add(&cf_world, "broken host");
	fake_world_add(&cf_world, "map table a\tb");
	fake_world_add(&cf_world, "macro u joe");
	CU_ASSERT_FATAL(cf_stage_read(text));
}

/* routes ---------------------------------------------------------------- */

static void test_resolve(void)
{
	static const struct {
		const char *address, *route;
		enum pr_status status;
	} rows[] = {
		{ "joe@corp.example", "local,,joe", PR_OK }, { "JOE", "local,,joe", PR_OK }, { "Joe@Other.Example", "esmtp,other.example,Joe@rcpt.Other.Example", PR_OK },
		{ "nouser@x", "550 5.1.1 no such user", PR_PERMFAIL }, { "later@x", "450 4.2.0 not now", PR_TEMPFAIL },
		{ "bare@x", "553 5.3.0 without codes", PR_PERMFAIL }, { "program@x", "550 5.7.1 Cannot mail directly to programs", PR_PERMFAIL },
		{ "fire@x", "broken: the disk is on fire", PR_TEMPFAIL }, { "burnt@x", "550 5.1.1 gone", PR_PERMFAIL }, { "typed@x", "550 5.1.1 e r", PR_PERMFAIL },
		{ "joe@name.example", "esmtp,,", PR_TEMPFAIL },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_route route = { .size = sizeof route };
		struct pr_call *call = fake_call(&cf_engine);
		char got[300];
		CU_ASSERT_EQUAL(cf_stage_ops()->resolve(call, pr_str(rows[i].address), PR_STR(""), &route), rows[i].status);
		if (route.mailer.len > 0)
			snprintf(got, sizeof got, "%.*s,%.*s,%.*s", PR_PRINT(route.mailer), PR_PRINT(route.host), PR_PRINT(route.user));
		else if (route.code > 0)
			snprintf(got, sizeof got, "%u %.*s %.*s", (unsigned)route.code, PR_PRINT(route.enhanced), PR_PRINT(route.text));
		else
			snprintf(got, sizeof got, "%.*s", PR_PRINT(call->reason));
		CU_ASSERT(cf_same(rows[i].address, rows[i].route, got));
		CU_ASSERT_EQUAL((route.flags & PR_ROUTE_WAITS) != 0, strcmp(rows[i].route, "esmtp,,") == 0);
	}
	cf_stage_close();
}

static void test_rewrite(void)
{
	static const struct {
		uint32_t which;
		const char *mailer, *address, *form;
	} rows[] = {
		{ PR_REWRITE_ENVELOPE_SENDER, "esmtp", "joe@x.y", "joe@senv.x.y" }, { PR_REWRITE_HEADER_SENDER, "esmtp", "joe@x.y", "joe@shdr.x.y" },
		{ PR_REWRITE_ENVELOPE_RECIPIENT, "esmtp", "joe@x.y", "joe@rcpt.x.y" }, { PR_REWRITE_HEADER_RECIPIENT, "esmtp", "joe@x.y", "joe@rcpt.x.y" },
		{ PR_REWRITE_HEADER_SENDER, "local", "joe@x.y", "joe@s.x.y" }, { PR_REWRITE_HEADER_SENDER, "local", "joe", "joe" },
		{ PR_REWRITE_HEADER_SENDER, "esmtp", "typed@x.y", "h s@shdr.x.y" },
		{ PR_REWRITE_HEADER_SENDER, "nosuch", "joe@x.y", "unchanged" },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_str form = PR_STR("unchanged");
		char got[300];
		CU_ASSERT_EQUAL(cf_stage_ops()->rewrite(fake_call(&cf_engine), rows[i].which, pr_str(rows[i].mailer), pr_str(rows[i].address), &form), PR_OK);
		snprintf(got, sizeof got, "%.*s", PR_PRINT(form));
		CU_ASSERT(cf_same(rows[i].address, rows[i].form, got));
	}
	cf_stage_close();
}

/* verdicts -------------------------------------------------------------- */

static const char *verdict_of(uint32_t check, const struct pr_check_context *context, const char *first, const char *second)
{
	static char got[300];
	static const char *const words[] = { "continue", "accept", "reject", "defer", "discard", "quarantine" };
	struct pr_str items[2] = { pr_str(first), pr_str(second) };
	struct pr_list arguments = { items, second == NULL ? 1 : 2 };
	struct pr_verdict verdict = { .action = PR_CONTINUE };
	struct pr_call *call = fake_call(&cf_engine);

	if (cf_stage_ops()->check(call, check, context, &arguments, &verdict) == PR_TEMPFAIL)
		snprintf(got, sizeof got, "cannot: %.*s", PR_PRINT(call->reason));
	else if (verdict.code > 0)
		snprintf(got, sizeof got, "%s %u %.*s %.*s", words[verdict.action], (unsigned)verdict.code, PR_PRINT(verdict.enhanced), PR_PRINT(verdict.text));
	else
		snprintf(got, sizeof got, "%s%s%.*s", words[verdict.action], verdict.text.len > 0 ? " " : "", PR_PRINT(verdict.text));
	return got;
}

static void test_check(void)
{
	static const struct {
		uint32_t check;
		const char *first, *second, *verdict;
	} rows[] = {
		{ PR_CHECK_RCPT, "<joe@x.example>", NULL, "continue" }, { PR_CHECK_RCPT, "<joe@bad.example>", NULL, "reject 550 5.7.1 no joe" },
		{ PR_CHECK_RCPT, "<joe@late.example>", NULL, "defer 451 4.7.1 later" }, { PR_CHECK_RCPT, "<joe@drop.example>", NULL, "discard" },
		{ PR_CHECK_RCPT, "<kind@drop.example>", NULL, "reject 550 5.7.1 e r" },
		{ PR_CHECK_RCPT, "<joe@hold.example>", NULL, "quarantine held" },
		{ PR_CHECK_RCPT, "<joe@fire.example>", NULL, "cannot: broken: the disk is on fire" }, { PR_CHECK_RCPT, "<joe@name.example>", NULL, "continue" },
		/* the address itself comes first: an error by the rules, or nothing that can be read */
		{ PR_CHECK_RCPT, "<nouser@bad.example>", NULL, "reject 550 5.1.1 no such user" }, { PR_CHECK_RCPT, "<later@x>", NULL, "defer 450 4.2.0 not now" },
		{ PR_CHECK_RCPT, "<>", NULL, "continue" }, { PR_CHECK_RCPT, "<program@x>", NULL, "continue" }, { PR_CHECK_MAIL, "<program@x>", NULL, "reject 553 5.1.7 Invalid sender address" },
		{ PR_CHECK_MAIL, "<nouser@x>", NULL, "reject 550 5.1.1 no such user" }, { PR_CHECK_RCPT, "<joe@other.example>", NULL, "continue" },
		{ PR_CHECK_MAIL, "<joe@bad.example>", NULL, "continue" }, { PR_CHECK_HELO, "x", NULL, "continue" },
		{ PR_CHECK_COMPAT, "a@b", "c@d", "reject 550 5.7.1 a@b to c@d" },
		{ PR_CHECK_HEADER, "Subject", "you win", "reject 550 5.7.1 Subject 7" }, { PR_CHECK_HEADER, "SUBJECT", "nothing", "continue" },
		{ PR_CHECK_HEADER, "Subject", "(win) x", "continue" }, { PR_CHECK_HEADER, "To", "a (b)", "reject 550 5.7.1 comment" },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CU_ASSERT(cf_same(rows[i].first, rows[i].verdict, verdict_of(rows[i].check, NULL, rows[i].first, rows[i].second)));
	cf_stage_close();
}

/* The client's name and address, whatever the arguments are. */
static void test_check_relay(void)
{
	struct pr_client client = { .size = sizeof client, .name = PR_STR("mail.x.example"), .address = PR_STR("192.0.2.7") };
	struct pr_check_context context = { .size = sizeof context, .client = &client };

	begin();
	CU_ASSERT(cf_same("relay", "reject 550 5.7.1 mail.x.example is not welcome", verdict_of(PR_CHECK_RELAY, &context, "", NULL)));
	client.address = PR_STR("203.0.113.7");
	CU_ASSERT(cf_same("relay", "continue", verdict_of(PR_CHECK_RELAY, &context, "", NULL)));
	cf_stage_close();
}

/* values ---------------------------------------------------------------- */

static void test_feature(void)
{
	static const struct {
		const char *name, *argument, *value;
		enum pr_status status;
	} rows[] = { { "greet_pause", "slow", "5000", PR_OK }, { "greet_pause", "fast", "", PR_NOTFOUND }, { "greet_pause", "bad", "", PR_PERMFAIL },
		{ "greet_pause", "fire", "", PR_TEMPFAIL }, { "nosuchset", "slow", "", PR_NOTFOUND } };

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_str items[2] = { pr_str(rows[i].argument), PR_STR("192.0.2.1") }, value = PR_STR("");
		struct pr_list arguments = { items, 2 };
		CU_ASSERT_EQUAL(cf_stage_ops()->feature(fake_call(&cf_engine), pr_str(rows[i].name), &arguments, &value), rows[i].status);
		CU_ASSERT(rows[i].status != PR_OK || pr_str_equal(value, pr_str(rows[i].value)));
	}
	struct pr_str group = PR_NONE;
	CU_ASSERT_EQUAL(cf_stage_ops()->queue_group(fake_call(&cf_engine), PR_STR("a@fast.example"), &group), PR_OK);
	CU_ASSERT(pr_str_equal(group, PR_STR("fast")));
	CU_ASSERT_EQUAL(cf_stage_ops()->queue_group(fake_call(&cf_engine), PR_STR("a@slow.example"), &group), PR_NOTFOUND);
	cf_stage_close();
}

static void test_headers(void)
{
	static const struct {
		const char *name, *value, *flags;
	} wanted[] = { { "Date", "", "D" }, { "Received", "by mail.corp.example\n\tfor joe", "" }, { "Full", "yes", "x" } };
	const struct pr_header *headers = NULL;
	size_t count = 0;

	begin();
	CU_ASSERT_EQUAL(cf_stage_ops()->headers(fake_call(&cf_engine), &headers, &count), PR_OK);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	for (size_t i = 0; i < count; i++) {
		char got[300];
		snprintf(got, sizeof got, "%.*s: %.*s", PR_PRINT(headers[i].name), PR_PRINT(headers[i].value));
		char line[300];
		snprintf(line, sizeof line, "%s: %s", wanted[i].name, wanted[i].value);
		CU_ASSERT(cf_same("header", line, got));
		CU_ASSERT(pr_str_equal(headers[i].condition, pr_str(wanted[i].flags)));
	}
	fake_world_add(&cf_world, "macro set value");
	CU_ASSERT_EQUAL(cf_stage_ops()->headers(fake_call(&cf_engine), &headers, &count), PR_OK);
	CU_ASSERT_EQUAL_FATAL(count, 4);
	CU_ASSERT(pr_str_equal(headers[2].value, PR_STR("from file $| value")));
	cf_stage_close();
}

static void test_expand(void)
{
	struct pr_str got = PR_NONE;

	begin();
	CU_ASSERT_EQUAL(cf_stage_ops()->expand(fake_call(&cf_engine), PR_STR("$j ${file} $?{nobody}a$|b$. $u ${never}."), &got), PR_OK);
	CU_ASSERT(pr_str_equal(got, PR_STR("mail.corp.example from file b joe .")));
	cf_stage_close();
}

/* the way --------------------------------------------------------------- */

static void test_explain(void)
{
	struct pr_route route = { .size = sizeof route };
	const struct pr_step *steps = NULL;
	size_t count = 0, kinds[5] = {0}, few;

	begin();
	CU_ASSERT_EQUAL(cf_stage_ops()->explain(fake_call(&cf_engine), PR_STR("joe@x.y"), PR_STR(""), 1000, &route, &steps, &count), PR_OK);
	CU_ASSERT(pr_str_equal(route.mailer, PR_STR("esmtp")));
	CU_ASSERT_FATAL(count > 6);
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_FATAL(steps[i].kind >= PR_STEP_SET && steps[i].kind <= PR_STEP_END);
		kinds[steps[i].kind]++;
	}
	CU_ASSERT_EQUAL(kinds[PR_STEP_SET], kinds[PR_STEP_END]);
	CU_ASSERT(pr_str_equal(steps[0].name, PR_STR("3")) && steps[0].kind == PR_STEP_SET && pr_str_equal(steps[0].before, PR_STR("joe @ x . y")));
	CU_ASSERT(steps[1].kind == PR_STEP_RULE && steps[1].line > 10 && pr_str_equal(steps[1].after, PR_STR("joe < @ x . y >")));
	CU_ASSERT_EQUAL(cf_stage_ops()->explain(fake_call(&cf_engine), PR_STR("fire@x.y"), PR_STR(""), 1000, &route, &steps, &count), PR_TEMPFAIL);
	bool has_map = false;
	for (size_t i = 0; i < count; i++)
		has_map = has_map || (steps[i].kind == PR_STEP_MAP && steps[i].status == PR_TEMPFAIL && pr_str_equal(steps[i].name, PR_STR("broken")));
	CU_ASSERT(has_map);
	CU_ASSERT_EQUAL(cf_stage_ops()->explain(fake_call(&cf_engine), PR_STR("joe@x.y"), PR_STR(""), 2, &route, &steps, &few), PR_OK);
	CU_ASSERT_EQUAL(few, 2);
	cf_stage_close();
}

/* What a rule set shows of a macro within a session. */
static bool shows(struct cf_session *session, enum pr_check check, const char *argument, const char *wanted)
{
	struct pr_str item = pr_str(argument);
	struct pr_list arguments = { &item, 1 };
	struct pr_verdict verdict = { .action = PR_CONTINUE };
	struct pr_call *call = fake_call(&cf_engine);

	call->session = session;
	CU_ASSERT_EQUAL(cf_stage_ops()->check(call, check, NULL, &arguments, &verdict), PR_OK);
	return cf_same(argument, wanted, verdict.text.data == NULL ? "" : pr_arena_copy(call->arena, verdict.text).data);
}

static struct pr_call *call_in(struct cf_session *session)
{
	struct pr_call *call = fake_call(&cf_engine);

	call->session = session;
	return call;
}

/* What a rule stores ends with the transaction, what it stored before the first one with the connection. */
static void test_stored(void)
{
	struct cf_session session = { .has_begun = false };

	cf_stage_begin();
	CU_ASSERT_FATAL(cf_stage_read("V10/Berkeley\nO DontProbeInterfaces=True\nO OperatorChars=.:%@!^/[]+\nKstore macro\nD{file}f\n"
	    "Mlocal, P=/bin/true, F=lsDFMAw5:/|@qPn, A=true $u\nS3\nR$* < $+ > $*\t$2\nS0\nR$+ @ $+\t$#local $@ $2 $: $1\nR$+\t$#local $: $1\n"
	    "Sshow\nR$*\t$#error $@ 5.7.1 $: \"550 5.7.1 \" c $&{conn} m $&{mark} f $&{file} h $&{mail_host} u $&{mail_addr}\n"
	    "Scheck_etrn\nR$*\t$: $(store {conn} $@ yes $)\nScheck_mail\nR$* set $*\t$: $1 $(store {mark} $@ on $) $(store {file} $@ on $)\n"
	    "Scheck_rcpt\nR$* clear $*\t$: $(store {file} $) $(store {conn} $)\nR$*\t$: $>show $1\nScheck_vrfy\nR$*\t$: $>show $1\n"));
	CU_ASSERT(shows(&session, PR_CHECK_ETRN, "x", ""));
	CU_ASSERT(shows(&session, PR_CHECK_MAIL, "<set@a.b>", ""));
	CU_ASSERT(shows(&session, PR_CHECK_RCPT, "<joe>", "c yes m on f on h a.b u set"));
	CU_ASSERT(shows(&session, PR_CHECK_RCPT, "<clear>", "c yes m on f f h a.b u set"));
	cf_stage_ops()->transaction_close(call_in(&session));
	CU_ASSERT(shows(&session, PR_CHECK_VRFY, "x", "c yes m f f h u"));
	CU_ASSERT(shows(&session, PR_CHECK_MAIL, "<joe>", ""));
	CU_ASSERT(shows(&session, PR_CHECK_RCPT, "<joe>", "c yes m f f h u joe"));
	cf_stage_ops()->session_close(call_in(&session));
	cf_stage_close();
}

/* The key of a map is joined as BlankSub was when its line was read. */
static void test_blank_of_keys(void)
{
	cf_stage_begin();
	CU_ASSERT_FATAL(cf_stage_read("V10/Berkeley\nO DontProbeInterfaces=True\nKbefore macro\nO BlankSub=.\nKafter macro\nMlocal, P=/bin/true, F=lsDFMAw5:/|@qPn, A=true $u\n"));
	CU_ASSERT_EQUAL(cf_map_find(cf_stage_cf(), PR_STR("before"))->space, ' ');
	CU_ASSERT_EQUAL(cf_map_find(cf_stage_cf(), PR_STR("after"))->space, '.');
	cf_stage_close();
}

static const struct unit_case cases[] = {
	{ "routes", test_resolve },
	{ "forms of an address", test_rewrite },
	{ "verdicts", test_check },
	{ "the client", test_check_relay },
	{ "values", test_feature },
	{ "header templates", test_headers },
	{ "text with macros", test_expand },
	{ "the way an address took", test_explain },
	{ "what rules store", test_stored },
	{ "keys of maps", test_blank_of_keys },
	{ NULL, NULL },
};
UNIT_MAIN("cf hooks", cases)
