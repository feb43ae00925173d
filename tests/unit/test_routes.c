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
	"always_add_domain", "true", "remote_names", "", "masquerade_envelope", "true", NULL };
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

static const struct unit_case cases[] = { { "resolve as sendmail", test_resolve }, { "smart host", test_smart_host },
	{ "rewrite as sendmail", test_rewrite }, { "verdicts as sendmail", test_verdicts }, { NULL, NULL } };
UNIT_MAIN("routes", cases)
