/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine "routes" against what the real sendmail answered with the same tables.  The expected values were made by
 * tests/oracle/routes/make.sh; a line with more columns than the others names our own answer and why it differs.
 */
#include "kernel/route/expand.h"
#include "tests/unit/fake_host.h"
#include "tests/unit/unit.h"

#include <postrider/file.h>
#include <postrider/rules.h>
#include <string.h>

extern const struct pr_module routes_LTX_pr_module;

static const char *const base_options[] = { "local_domains", "corp.example,www.corp.example,lists.example,corp2.example",
	"virtual_domains", "virt.example,virt2.example", "relay_domains", "relayed.example,192.0.2", "masquerade_as", "corp.example",
	"masquerade_domains", "pc1.corp.example,branch.example", "generics_domains", "corp.example,pc1.corp.example",
	"always_add_domain", "true", "remote_names", "", "masquerade_envelope", "true", "accept_null_mx_senders", "true", NULL };
static const char *const smart_options[] = { "local_domains", "corp.example,www.corp.example,lists.example,corp2.example",
	"virtual_domains", "virt.example,virt2.example", "masquerade_as", "corp.example", "masquerade_domains", "pc1.corp.example,branch.example",
	"generics_domains", "corp.example,pc1.corp.example", "always_add_domain", "true", "remote_names", "",
	"smart_host", "relay:[smart.isp.example]", NULL };

static struct fake_world world;
static struct fake_instance engine;

static const struct pr_rules_ops *ops(void)
{
	return routes_LTX_pr_module.ops;
}

static void data_path(struct pr_text *path, const char *name)
{
	const char *source = getenv("srcdir");

	pr_text_init(path, 4096);
	pr_text_addf(path, "%s/tests/unit/data/routes/%s", source != NULL ? source : ".", name);
}

static void start(const char *const *options)
{
	struct pr_text path;

	fake_world_init(&world);
	data_path(&path, "world.txt");
	CU_ASSERT_FATAL(fake_world_read(&world, path.data));
	pr_text_fini(&path);
	CU_ASSERT_FATAL(fake_open(&engine, &world, &routes_LTX_pr_module, options));
}

static void stop(void)
{
	fake_close(&engine);
	fake_world_fini(&world);
}

static bool same(struct pr_str what, struct pr_str wanted, struct pr_str got)
{
	if (pr_str_equal(wanted, got))
		return true;
	printf("\n  %.*s\n    wanted %.*s\n    got    %.*s", PR_PRINT(what), PR_PRINT(wanted), PR_PRINT(got));
	return false;
}

/* Every line of a file as up to six columns. */
static size_t each_line(const char *name, bool (*judge)(const struct pr_str *columns, size_t count))
{
	struct pr_text bytes, why, path;
	struct pr_str rest, line, columns[6];
	size_t lines = 0;

	pr_text_init(&bytes, 1 << 20);
	pr_text_init(&why, 1000);
	data_path(&path, name);
	CU_ASSERT_EQUAL(pr_file_read(path.data, 1 << 20, &bytes, &why), PR_OK);
	for (rest = pr_text_str(&bytes); pr_str_next(&rest, '\n', &line);) {
		size_t count = 0;
		if (line.len == 0)
			continue;
		while (count < 6 && pr_str_next(&line, '\t', &columns[count]))
			count++;
		CU_ASSERT(judge(columns, count));
		lines++;
	}
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	pr_text_fini(&path);
	return lines;
}

/* resolve --------------------------------------------------------------- */

static struct pr_str resolve(struct pr_str address)
{
	struct pr_route route = { .size = sizeof route };
	struct pr_call *call = fake_call(&engine);
	enum pr_status status = ops()->resolve(call, address, PR_STR(""), &route);

	if (status != PR_OK)
		return PR_STR("error");
	return pr_arena_printf(call->arena, "%.*s|%.*s|%.*s", PR_PRINT(route.mailer), PR_PRINT(route.host), PR_PRINT(route.user));
}

static bool judge_resolve(const struct pr_str *columns, size_t count)
{
	return same(columns[0], columns[count > 2 ? 2 : 1], resolve(columns[0]));
}

static void test_resolve(void)
{
	start(base_options);
	CU_ASSERT(each_line("resolve.tsv", judge_resolve) > 200);
	stop();
}

static void test_smart_host(void)
{
	start(smart_options);
	CU_ASSERT(each_line("smart.tsv", judge_resolve) > 20);
	stop();
}

/* rewrite --------------------------------------------------------------- */

static const char *wanted_set;

static bool judge_rewrite(const struct pr_str *columns, size_t count)
{
	static const char *const names[] = { "", "ES", "ER", "HS", "HR" };
	struct pr_str result = PR_NONE;
	char label[256];
	uint32_t which = 1;

	if (!pr_str_equal(columns[0], pr_str(wanted_set)))
		return true;
	while (which < 4 && !pr_str_equal(columns[2], pr_str(names[which])))
		which++;
	CU_ASSERT_EQUAL(ops()->rewrite(fake_call(&engine), which, columns[1], columns[3], &result), PR_OK);
	snprintf(label, sizeof label, "%.*s %.*s %.*s", PR_PRINT(columns[1]), PR_PRINT(columns[2]), PR_PRINT(columns[3]));
	return same(pr_str(label), columns[count > 5 ? 5 : 4], result);
}

static void test_rewrite(void)
{
	start(base_options);
	wanted_set = "envelope";
	CU_ASSERT(each_line("rewrite.tsv", judge_rewrite) > 200);
	stop();
	start(smart_options);
	wanted_set = "header";
	each_line("rewrite.tsv", judge_rewrite);
	stop();
}

/* verdicts -------------------------------------------------------------- */

static struct pr_str words_of(const char *kind, struct pr_str name, size_t column)
{
	for (size_t i = 0; i < world.count; i++)
		if (pr_str_equal(world.lines[i].words[0], pr_str(kind)) && pr_str_equal(world.lines[i].words[1], name))
			return world.lines[i].words[column];
	return PR_NONE;
}

/* As the receiver does it: the name counts only when it leads back to the address. */
static void make_client(struct pr_str address, struct pr_client *client)
{
	struct pr_str name = words_of("ptr", address, 2);

	*client = (struct pr_client){ .size = sizeof *client, .address = address, .resolve = name.len == 0 };
	client->name = pr_arena_printf(&world.arena, "[%.*s]", PR_PRINT(address));
	if (name.len > 0) {
		client->resolve = pr_str_equal(words_of("dns", name, 3), address) ? 0 : 2;
		for (size_t i = 0; i < world.count; i++)
			if (pr_str_equal(world.lines[i].words[1], name) && pr_str_equal(world.lines[i].words[3], address))
				client->resolve = 0;
	}
	if (client->resolve == 0)
		client->name = name;
}

static enum pr_status ask_resolve(void *context, struct pr_str address, struct pr_route *route_out)
{
	return ops()->resolve(context, address, PR_STR(""), route_out);
}

static bool ask_flag(void *context, struct pr_str mailer, char flag)
{
	(void)context;
	return pr_str_equal(mailer, PR_STR("local")) ? flag == 'A' || flag == 'w' : flag == 'u';
}

static enum pr_status ask_alias(void *context, struct pr_str key, struct pr_str *value_out)
{
	struct pr_call *call = context;

	return call->host->map_lookup(call, PR_STR("aliases"), key, NULL, value_out);
}

static enum pr_status ask_user(void *context, struct pr_str name)
{
	struct pr_call *call = context;
	uint32_t uid;

	return call->host->user_find(call, name, &uid, NULL);
}

static struct pr_str spell(struct pr_call *call, uint32_t code, struct pr_str enhanced, struct pr_str text)
{
	return pr_arena_printf(call->arena, "%u %.*s %.*s", (unsigned)code, PR_PRINT(enhanced), PR_PRINT(text));
}

static struct pr_str rcpt(struct pr_call *call, struct pr_str recipient)
{
	struct expand_source source = { .context = call, .resolve = ask_resolve, .mailer_has_flag = ask_flag, .alias = ask_alias,
		.user = ask_user };
	struct expand_limits limits = { .depth = 10, .members = 100 };
	struct pr_recipient model = {0};
	struct expand_result result;
	struct expansion *expansion = expansion_new(&source, &limits);
	struct pr_str answer = PR_STR("250");

	if (expansion_add(expansion, pr_str_slice(recipient, 1, recipient.len - 1), &model, true, &result) != PR_OK)
		answer = spell(call, result.code, result.enhanced, result.text);
	expansion_free(expansion);
	return answer;
}

static bool judge_verdict(const struct pr_str *columns, size_t count)
{
	uint32_t check = pr_str_equal(columns[0], PR_STR("relay")) ? PR_CHECK_RELAY
	                 : pr_str_equal(columns[0], PR_STR("mail")) ? PR_CHECK_MAIL : PR_CHECK_RCPT;
	struct pr_client client;
	struct pr_list arguments = { .items = &columns[2], .count = 1 };
	struct pr_check_context context = { .size = sizeof context, .client = &client };
	struct pr_verdict verdict = {0};
	struct pr_str answer = PR_STR("250");
	char label[300];

	make_client(columns[1], &client);
	struct pr_call *call = fake_call(&engine);
	CU_ASSERT_EQUAL(ops()->check(call, check, &context, &arguments, &verdict), PR_OK);
	if (verdict.action == PR_REJECT || verdict.action == PR_DEFER)
		answer = spell(call, verdict.code, verdict.enhanced, verdict.text);
	else if (check == PR_CHECK_RCPT && verdict.action == PR_CONTINUE)
		answer = rcpt(call, columns[2]);
	snprintf(label, sizeof label, "%.*s %.*s %.*s", PR_PRINT(columns[0]), PR_PRINT(columns[1]), PR_PRINT(columns[2]));
	return same(pr_str(label), columns[count > 4 ? 4 : 3], answer);
}

static void test_verdicts(void)
{
	start(base_options);
	CU_ASSERT(each_line("verdicts.tsv", judge_verdict) > 400);
	stop();
}

/* what the comparison cannot show --------------------------------------- */

static struct pr_str verdict_of(uint32_t check, const char *address, const char *client_name, uint32_t resolve_state, const char *argument)
{
	struct pr_client client = { .size = sizeof client, .name = pr_str(client_name), .address = pr_str(address), .resolve = resolve_state };
	struct pr_check_context context = { .size = sizeof context, .client = &client };
	struct pr_str text = pr_str(argument);
	struct pr_list arguments = { .items = &text, .count = 1 };
	struct pr_verdict verdict = {0};
	struct pr_call *call = fake_call(&engine);

	if (ops()->check(call, check, &context, &arguments, &verdict) != PR_OK)
		return PR_STR("cannot tell");
	if (verdict.action == PR_REJECT || verdict.action == PR_DEFER)
		return spell(call, verdict.code, verdict.enhanced, verdict.text);
	return verdict.action == PR_DISCARD ? PR_STR("discard") : verdict.action == PR_QUARANTINE ? PR_STR("quarantine") : PR_STR("250");
}

static void expect(const char *wanted, struct pr_str got)
{
	CU_ASSERT(same(PR_STR("verdict"), pr_str(wanted), got));
}

/* An open relay by a wrong name is the classic mistake: only the address counts. */
static void test_trust(void)
{
	static const char *const denied = "550 5.7.1 Relaying denied";

	start(base_options);
	expect(denied, verdict_of(PR_CHECK_RCPT, "203.0.113.9", "localhost", 0, "<u@elsewhere.example>"));
	expect(denied, verdict_of(PR_CHECK_RCPT, "203.0.113.9", "mail.corp.example", 0, "<u@elsewhere.example>"));
	expect(denied, verdict_of(PR_CHECK_RCPT, "203.0.113.9", "[127.0.0.1]", 0, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "127.0.0.1", "[127.0.0.1]", 1, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "IPv6:::1", "[IPv6:::1]", 1, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "192.0.2.77", "x.example", 0, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "local", "localhost", 0, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_MAIL, "local", "localhost", 0, "<alice>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "IPv6:2001:db8:1::5", "[IPv6:2001:db8:1::5]", 1, "<u@elsewhere.example>"));
	expect(denied, verdict_of(PR_CHECK_RCPT, "IPv6:2001:db8:2::5", "[x]", 0, "<u@elsewhere.example>"));
	expect("450 4.7.1 Relaying temporarily denied. Cannot resolve PTR record for 203.0.113.9",
	       verdict_of(PR_CHECK_RCPT, "203.0.113.9", "[203.0.113.9]", 3, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_MAIL, "127.0.0.11", "mail.corp.example", 0, "<alice>"));
	expect("discard", verdict_of(PR_CHECK_MAIL, "203.0.113.9", "x.example", 0, "<u@discard.example>"));
	expect("quarantine", verdict_of(PR_CHECK_MAIL, "203.0.113.9", "x.example", 0, "<u@quar.example>"));
	stop();
}

/* A table that cannot answer defers, whatever was asked. */
static void test_broken_tables(void)
{
	static const char *const maps[] = { "access", "virtusertable", "mailertable", "domaintable" };
	struct pr_str result;

	for (size_t i = 0; i < 4; i++) {
		char line[64];
		struct pr_route route = { .size = sizeof route };
		start(base_options);
		snprintf(line, sizeof line, "broken %s", maps[i]);
		fake_world_add(&world, line);
		if (i > 0) {
			CU_ASSERT_EQUAL(ops()->resolve(fake_call(&engine), i == 1 ? PR_STR("alice@corp.example") : PR_STR("u@x.example"), PR_STR(""), &route),
			                PR_TEMPFAIL);
			CU_ASSERT_EQUAL(route.code, 451);
			CU_ASSERT_PTR_NOT_NULL(strstr(engine.call.reason.data, "fire"));
		}
		if (i == 0) {
			expect("cannot tell", verdict_of(PR_CHECK_RELAY, "203.0.113.9", "x.example", 0, ""));
			expect("cannot tell", verdict_of(PR_CHECK_MAIL, "203.0.113.9", "x.example", 0, "<u@remote.example>"));
			expect("cannot tell", verdict_of(PR_CHECK_RCPT, "203.0.113.9", "x.example", 0, "<alice@corp.example>"));
		}
		stop();
	}
	start(base_options);
	fake_world_add(&world, "broken genericstable");
	CU_ASSERT_EQUAL(ops()->rewrite(fake_call(&engine), PR_REWRITE_HEADER_SENDER, PR_STR("esmtp"), PR_STR("alice"), &result), PR_TEMPFAIL);
	stop();
}

static void test_options(void)
{
	static const char *const name_trusted[] = { "relay_clients", "localhost", NULL };
	static const char *const networks[] = { "relay_clients", "10.0.0.0/9, 192.168., 2001:db8::/33", "smart_host", "gate.example:587", NULL };
	static const char *const luser[] = { "local_domains", "corp.example", "luser_relay", "local:carol", NULL };

	fake_world_init(&world);
	CU_ASSERT_FALSE(fake_open(&engine, &world, &routes_LTX_pr_module, name_trusted));
	stop();
	start(networks);
	expect("250", verdict_of(PR_CHECK_RCPT, "10.127.255.255", "x.example", 0, "<u@elsewhere.example>"));
	expect("550 5.7.1 Relaying denied", verdict_of(PR_CHECK_RCPT, "10.128.0.0", "x.example", 0, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "192.168.7.9", "x.example", 0, "<u@elsewhere.example>"));
	expect("550 5.7.1 Relaying denied", verdict_of(PR_CHECK_RCPT, "127.0.3.1", "x.example", 0, "<u@elsewhere.example>"));
	expect("250", verdict_of(PR_CHECK_RCPT, "IPv6:2001:db8:7fff::1", "x.example", 0, "<u@elsewhere.example>"));
	expect("550 5.7.1 Relaying denied", verdict_of(PR_CHECK_RCPT, "IPv6:2001:db8:8000::1", "x.example", 0, "<u@elsewhere.example>"));
	expect("relay|gate.example:587|u@elsewhere.example", resolve(PR_STR("u@elsewhere.example")));
	stop();
	start(luser);
	expect("local||carol", resolve(PR_STR("nosuch@corp.example")));
	expect("local||bob+x", resolve(PR_STR("bob+x@corp.example")));
	expect("local||team", resolve(PR_STR("Team@corp.example")));
	stop();
}

/* Nothing that a stranger can write may crash the engine or make it slow. */
static void test_noise(void)
{
	static const char alphabet[] = "a.@%!\"\\<>[]:,+ \t|/\001\377REDIRECT";
	unsigned int seed = 4711;
	char text[300];

	start(base_options);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)rand_r(&seed) % (round % 50 == 0 ? sizeof text : 24);
		for (size_t i = 0; i < length; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
		struct pr_str address = { text, length }, result;
		struct pr_route route = { .size = sizeof route };
		enum pr_status status = ops()->resolve(fake_call(&engine), address, PR_STR(""), &route);
		CU_ASSERT(status != PR_OK || (route.mailer.len > 0 && route.user.data != NULL));
		CU_ASSERT(status == PR_OK || route.code >= 400);
		ops()->rewrite(fake_call(&engine), 1 + (uint32_t)round % 4, PR_STR("esmtp"), address, &result);
		text[length < sizeof text ? length : sizeof text - 1] = '\0';
		verdict_of(PR_CHECK_MAIL, "203.0.113.9", "x.example", 0, text);
		verdict_of(PR_CHECK_RCPT, "203.0.113.9", "x.example", 0, text);
	}
	stop();
}

static void test_console(void)
{
	struct pr_text out;

	start(base_options);
	pr_text_init(&out, 4096);
	CU_ASSERT_EQUAL(ops()->console(fake_call(&engine), PR_STR("info@virt.example"), &out), PR_OK);
	CU_ASSERT_STRING_EQUAL(out.data, "mailer local, user alice\n");
	pr_text_clear(&out);
	ops()->console(fake_call(&engine), PR_STR("check_rcpt <u@x.example> 203.0.113.9"), &out);
	CU_ASSERT_STRING_EQUAL(out.data, "reject 550 5.7.1 Relaying denied\n");
	CU_ASSERT_EQUAL(ops()->console(fake_call(&engine), PR_STR("/quit"), &out), PR_NOTFOUND);
	pr_text_fini(&out);
	stop();
}

/* The steps of one address as "name before>after" lines, maps with their status. */
static struct pr_str steps_of(const char *address, size_t most)
{
	struct pr_route route = { .size = sizeof route };
	struct pr_call *call = fake_call(&engine);
	const struct pr_step *steps = NULL;
	size_t count = 0;
	struct pr_str told = PR_STR("");

	ops()->explain(call, pr_str(address), PR_STR(""), most, &route, &steps, &count);
	CU_ASSERT(count <= most);
	for (size_t i = 0; i < count; i++)
		told = pr_arena_printf(call->arena, "%.*s%u %.*s %.*s>%.*s%s\n", PR_PRINT(told), steps[i].depth, PR_PRINT(steps[i].name),
		                       PR_PRINT(steps[i].before), PR_PRINT(steps[i].after), steps[i].status == PR_TEMPFAIL ? " failed" : "");
	return told;
}

static void test_explain(void)
{
	start(base_options);
	expect("0 routes info@virt.example>\n1 domaintable virt.example>\n1 virtual_domains virt.example>is virtual\n1 virtusertable info@virt.example>alice\n"
	       "1 virtusertable info@virt.example>alice\n1 local_mailer alice>local\n0 routes >local::alice\n",
	       steps_of("info@virt.example", 100));
	expect("0 routes info@virt.example>\n1 domaintable virt.example>\n", steps_of("info@virt.example", 2));
	expect("", steps_of("info@virt.example", 0));
	expect("local||alice", resolve(PR_STR("info@virt.example"))); /* nothing of the steps is left at the thread */
	stop();
	start(smart_options);
	struct pr_str smart = steps_of("u@out.example", 100), decided = PR_STR("1 smart_host out.example>relay:[smart.isp.example]\n");
	CU_ASSERT(memmem(smart.data, smart.len, decided.data, decided.len) != NULL);
	stop();
	fake_world_init(&world);
	fake_world_add(&world, "broken mailertable");
	CU_ASSERT_FATAL(fake_open(&engine, &world, &routes_LTX_pr_module, base_options));
	struct pr_str told = steps_of("u@out.example", 100);
	CU_ASSERT(memmem(told.data, told.len, " failed\n", 8) != NULL);
	CU_ASSERT(memmem(told.data, told.len, "error:451 Temporary lookup failure", 34) != NULL);
	stop();
}

static const struct unit_case cases[] = { { "whom we trust", test_trust }, { "tables that fail", test_broken_tables },
	{ "options", test_options }, { "noise", test_noise }, { "console", test_console }, { "explain", test_explain },
	 { "resolve as sendmail", test_resolve }, { "smart host", test_smart_host },
	{ "rewrite as sendmail", test_rewrite }, { "verdicts as sendmail", test_verdicts }, { NULL, NULL } };
UNIT_MAIN("routes", cases)
