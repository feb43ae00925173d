/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Modules through the kernel's own loader: one source works shared and pre-opened, each bad one is refused with a
 * sentence that names the trouble, and the hooks of the good ones do what their headers promise.
 */
#include "kernel/module/loader.h"
#include "tests/unit/unit.h"

#include <postrider/auth.h>
#include <postrider/map.h>
#include <postrider/store.h>
#include <string.h>
#include <unistd.h>

static struct pr_arena arena;
static char instance[4096];
static struct pr_call call;

static const struct pr_module *load(enum pr_kind kind, const char *name, const char *directory, struct pr_text *why)
{
	pr_text_init(why, 2000);
	return loader_open(kind, pr_str(name), pr_str(directory), (uint32_t)getuid(), why);
}

/* Loaded, options set ("name=value", NULL at the end), checked and opened. */
static const void *start(enum pr_kind kind, const char *name, const char *const *settings)
{
	struct pr_text why;
	struct pr_str reason = PR_NONE;
	const struct pr_module *module = load(kind, name, BUILD_DIR, &why);

	if (module == NULL)
		printf("\n%s\n", why.data);
	pr_text_fini(&why);
	CU_ASSERT_FATAL(module != NULL && module->instance_size <= sizeof instance);
	memset(instance, 0, sizeof instance);
	call = (struct pr_call){.size = sizeof call, .arena = &arena, .instance = instance};
	CU_ASSERT_EQUAL(pr_option_defaults(module->options, instance, &arena, &reason), PR_OK);
	for (; settings != NULL && *settings != NULL; settings++) {
		struct pr_str setting = pr_str(*settings);
		size_t equals = pr_str_find(setting, '=');
		const struct pr_option *option = pr_option_find(module->options, pr_str_slice(setting, 0, equals));
		CU_ASSERT_FATAL(option != NULL);
		CU_ASSERT_EQUAL(pr_option_parse(option, pr_str_slice(setting, equals + 1, setting.len), instance, &arena, &reason), PR_OK);
	}
	CU_ASSERT_FATAL(module->check == NULL || module->check(&call) == PR_OK);
	CU_ASSERT_FATAL(module->open == NULL || module->open(&call) == PR_OK);
	return module->ops;
}

static void test_both_ways(void)
{
	static const char *const directories[] = {BUILD_DIR, "/nowhere"};
	const struct pr_module *modules[2];

	for (size_t i = 0; i < 2; i++) {
		struct pr_text why;
		struct pr_str value = PR_NONE;
		modules[i] = load(PR_KIND_MAP, "hello", directories[i], &why);
		if (modules[i] == NULL)
			printf("\n%s\n", why.data);
		pr_text_fini(&why);
		CU_ASSERT_FATAL(modules[i] != NULL);
		const struct pr_map_ops *map = modules[i]->ops;
		call = (struct pr_call){.size = sizeof call, .arena = &arena};
		CU_ASSERT_EQUAL(map->lookup(&call, PR_STR("world"), NULL, &value), PR_OK);
		CU_ASSERT(pr_str_equal(value, PR_STR("hello, world")));
	}
	/* really two: one mapped from the file, one linked in */
	CU_ASSERT(modules[0] != modules[1]);
}

static void test_bad(void)
{
	static const struct {
		const char *name;
		const char *sentence;
	} cases[] = {
	    {"bad_major", "ABI"}, {"bad_minor", "newer"}, {"bad_magic", "magic"}, {"bad_symbol", "bad_symbol_LTX_pr_module"},
	    {"bad_unresolved", "a_function_that_nobody_has"}, {"bad_absent", "bad_absent.so"}, {"debugauth", "kind"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_text why;
		CU_ASSERT(load(PR_KIND_MAP, cases[i].name, BUILD_DIR, &why) == NULL);
		CU_ASSERT(strstr(why.data, cases[i].sentence) != NULL);
		if (strstr(why.data, cases[i].sentence) == NULL)
			printf("\n%s: %s\n", cases[i].name, why.data);
		pr_text_fini(&why);
	}
}

static void test_reasons(void)
{
	struct pr_text why;
	const struct pr_module *failing = load(PR_KIND_MAP, "bad_open", BUILD_DIR, &why);

	pr_text_fini(&why);
	CU_ASSERT_FATAL(failing != NULL);
	call = (struct pr_call){.size = sizeof call, .arena = &arena};
	CU_ASSERT_EQUAL(failing->open(&call), PR_TEMPFAIL);
	CU_ASSERT_STRING_EQUAL(call.reason.data, "the directory server does not answer");
	const struct pr_module *refusing = load(PR_KIND_MAP, "bad_check", BUILD_DIR, &why);
	pr_text_fini(&why);
	CU_ASSERT_FATAL(refusing != NULL);
	CU_ASSERT_EQUAL(refusing->check(&call), PR_MISUSE);
	static const char *const there[] = {"bad_crash", "bad_hang"};
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT(load(PR_KIND_MAP, there[i], BUILD_DIR, &why) != NULL);
		pr_text_fini(&why);
	}
}

static void test_map(void)
{
	static const char *const settings[] = {"entries=a=1,b=2", "tempfail=t", "permfail=p", NULL};
	const struct pr_map_ops *map = start(PR_KIND_MAP, "debugmap", settings);
	struct pr_str key, value = PR_NONE;
	uint64_t cursor = 0, count = 0;

	CU_ASSERT(map->lookup(&call, PR_STR("b"), NULL, &value) == PR_OK && pr_str_equal(value, PR_STR("2")));
	CU_ASSERT_EQUAL(map->lookup(&call, PR_STR("c"), NULL, &value), PR_NOTFOUND);
	CU_ASSERT(map->lookup(&call, PR_STR("t"), NULL, &value) == PR_TEMPFAIL && call.reason.len > 0);
	CU_ASSERT_EQUAL(map->lookup(&call, PR_STR("p"), NULL, &value), PR_PERMFAIL);
	CU_ASSERT_EQUAL(map->commit(&call), PR_MISUSE);
	CU_ASSERT_EQUAL(map->begin(&call), PR_OK);
	CU_ASSERT_EQUAL(map->store(&call, PR_STR("c"), PR_STR("3")), PR_OK);
	CU_ASSERT_EQUAL(map->lookup(&call, PR_STR("a"), NULL, &value), PR_OK); /* the old table still answers */
	CU_ASSERT_EQUAL(map->commit(&call), PR_OK);
	CU_ASSERT_EQUAL(map->lookup(&call, PR_STR("a"), NULL, &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(map->store(&call, PR_STR("d"), PR_STR("4")), PR_OK);
	while (map->next(&call, &cursor, &key, &value) == PR_OK)
		count++;
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(map->remove(&call, PR_STR("c")), PR_OK);
	CU_ASSERT_EQUAL(map->remove(&call, PR_STR("c")), PR_NOTFOUND);
	CU_ASSERT_EQUAL(map->begin(&call), PR_OK);
	struct pr_text why;
	load(PR_KIND_MAP, "debugmap", BUILD_DIR, &why)->close(&call);
	pr_text_fini(&why);
}

static void test_auth(void)
{
	const struct pr_auth_ops *auth = start(PR_KIND_AUTH, "debugauth", NULL);
	struct pr_auth_step step = {.size = sizeof step, .mechanism = PR_STR("DEBUG")};
	struct pr_list names;

	CU_ASSERT(auth->mechanisms(&call, 0, &names) == PR_OK && names.count == 1);
	CU_ASSERT(auth->server_step(&call, &step) == PR_OK && step.done == 0 && pr_str_equal(step.output, PR_STR("who?")));
	step.input = PR_STR("joe wrong");
	CU_ASSERT_EQUAL(auth->server_step(&call, &step), PR_NOTFOUND);
	CU_ASSERT_EQUAL(auth->client_step(&call, &step), PR_OK);
	step.input = step.output;
	CU_ASSERT(auth->server_step(&call, &step) == PR_OK && step.done == 1 && pr_str_equal(step.name, PR_STR("joe")));
}

struct committed {
	enum pr_commit result;
	_Atomic unsigned int calls;
};

static void committed(void *context, enum pr_commit result, struct pr_str reason)
{
	struct committed *answer = context;

	(void)reason;
	answer->result = result;
	answer->calls++;
}

static struct pr_str submit(const struct pr_store_ops *store, struct committed *answer)
{
	static const struct pr_recipient recipient = {.address = PR_STR_INIT("<a@b>")};
	struct pr_recipient recipients[] = {recipient};
	struct pr_envelope envelope = {.size = sizeof envelope, .sender = PR_STR("<>"), .recipients = recipients, .recipient_count = 1};
	struct pr_str id = PR_NONE;
	void *transaction = NULL;

	*answer = (struct committed){0};
	CU_ASSERT_EQUAL(store->begin(&call, &transaction, &id), PR_OK);
	CU_ASSERT_EQUAL(store->body(&call, transaction, "hello ", 6), PR_OK);
	CU_ASSERT_EQUAL(store->body(&call, transaction, "world\n", 6), PR_OK);
	CU_ASSERT_EQUAL(store->commit(&call, transaction, &envelope, committed, answer), PR_OK);
	return id;
}

static void close_store(void)
{
	struct pr_text why;

	load(PR_KIND_STORE, "debugstore", BUILD_DIR, &why)->close(&call);
	pr_text_fini(&why);
}

static void test_store(void)
{
	const struct pr_store_ops *store = start(PR_KIND_STORE, "debugstore", NULL);
	struct committed answer;
	struct pr_claim claim, second;
	struct pr_body body;
	char buffer[100];
	size_t got = 0;
	struct pr_str id = submit(store, &answer);

	CU_ASSERT(answer.calls == 1 && answer.result == PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL(store->claim(&call, PR_STR("none"), &claim), PR_NOTFOUND);
	CU_ASSERT_EQUAL(store->claim(&call, id, &claim), PR_OK);
	CU_ASSERT_EQUAL(store->claim(&call, id, &second), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(store->remove(&call, id), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(store->body_open(&call, &claim, &body), PR_OK);
	struct pr_claim stale = claim;
	claim.envelope->recipients[0].status = PR_STR("waits");
	CU_ASSERT_EQUAL(store->defer(&call, &claim, claim.envelope), PR_OK);
	CU_ASSERT_EQUAL(store->finish(&call, &stale), PR_PERMFAIL);
	CU_ASSERT_EQUAL(store->claim(&call, id, &second), PR_OK);
	CU_ASSERT(pr_str_equal(second.envelope->recipients[0].status, PR_STR("waits")));
	CU_ASSERT_EQUAL(store->finish(&call, &stale), PR_PERMFAIL); /* the epoch fences, though it is claimed again */
	CU_ASSERT_EQUAL(store->finish(&call, &second), PR_OK);
	CU_ASSERT_EQUAL(store->claim(&call, id, &second), PR_NOTFOUND);
	CU_ASSERT(body.read(&body, &call, buffer, sizeof buffer, &got) == PR_OK && got == 12); /* open bodies outlive the message */
	store->body_close(&call, &body);
	close_store();
}

static void test_store_hands(void)
{
	const struct pr_store_ops *store = start(PR_KIND_STORE, "debugstore", NULL);
	struct committed answer;
	struct pr_entry entry;
	struct pr_claim claim;
	struct pr_envelope *envelope;
	struct pr_str id = submit(store, &answer);
	void *cursor = NULL;
	unsigned int count = 0;

	submit(store, &answer);
	CU_ASSERT_EQUAL(store->hold(&call, id, PR_STR("smells")), PR_OK);
	CU_ASSERT_EQUAL(store->claim(&call, id, &claim), PR_TEMPFAIL);
	CU_ASSERT(store->peek(&call, id, &envelope, &entry) == PR_OK && pr_str_equal(envelope->quarantine, PR_STR("smells")));
	CU_ASSERT_EQUAL(entry.state, PR_ENTRY_HELD);
	CU_ASSERT_EQUAL(store->unhold(&call, id), PR_OK);
	while (store->next(&call, &cursor, &entry) == PR_OK)
		count++;
	CU_ASSERT(count == 2 && cursor == NULL);
	CU_ASSERT_EQUAL(store->requeue(&call, id), PR_OK);
	CU_ASSERT_EQUAL(store->remove(&call, id), PR_OK);
	CU_ASSERT_EQUAL(store->role(&call, PR_STORE_INTAKE), PR_OK);
	CU_ASSERT_EQUAL(store->claim(&call, id, &claim), PR_MISUSE);
	close_store();
}

static void test_store_commits(void)
{
	static const struct {
		const char *setting;
		enum pr_commit result;
	} cases[] = {
	    {"commit=late", PR_COMMIT_DURABLE}, {"commit=unknown", PR_COMMIT_UNKNOWN}, {"commit=refused", PR_COMMIT_REFUSED},
	    {"commit=full", PR_COMMIT_REFUSED},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *const settings[] = {cases[i].setting, NULL};
		const struct pr_store_ops *store = start(PR_KIND_STORE, "debugstore", settings);
		struct committed answer;
		submit(store, &answer);
		CU_ASSERT_EQUAL(store->drain(&call), PR_OK);
		CU_ASSERT(answer.calls == 1 && answer.result == cases[i].result);
		close_store();
	}
}

static const struct unit_case cases[] = {
    {"one source, shared and pre-opened", test_both_ways}, {"bad modules are refused", test_bad}, {"reasons of open and check", test_reasons},
    {"debugmap", test_map}, {"debugauth", test_auth}, {"debugstore: claims and epochs", test_store},
    {"debugstore: the operator's hands", test_store_hands}, {"debugstore: five ways to commit", test_store_commits}, {NULL, NULL},
};

int main(void)
{
	pr_arena_init(&arena, 16 << 20);
	int result = unit_run("modules", cases);
	pr_arena_fini(&arena);
	return result;
}
