/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every hook of every kind, called the way the kernel calls it: through the typed wrappers, on the debug modules.
 */
#include "tests/unit/test_module.h"

#include "kernel/log/log.h"

#include <string.h>
#include <unistd.h>

static void test_map(void)
{
	struct stage stage;
	struct pr_str key = PR_NONE, value = PR_NONE;
	uint64_t cursor = 0;
	uint32_t uid = 77;

	stage_open(&stage, "maps = { m = { module = \"debugmap\"; entries = ( \"a=1\" ); tempfail = ( \"t\" ); permfail = ( \"p\" ); };\n"
	                   " hello = { module = \"hello\"; }; };");
	struct module_instance *map = module_find(stage.set, PR_KIND_MAP, PR_STR("m"));
	struct module_instance *hello = module_find(stage.set, PR_KIND_MAP, PR_STR("hello"));
	CU_ASSERT_FATAL(map != NULL && hello != NULL);
	CU_ASSERT(stage_is(module_name(map), "m") && module_config(map)->kind == PR_KIND_MAP && map_exists(stage.set, PR_STR("m")));
	CU_ASSERT(stage_ask(&stage, "m", "a", &value) == PR_OK && stage_is(value, "1"));
	CU_ASSERT(stage_ask(&stage, "m", "t", &value) == PR_TEMPFAIL && stage_is(stage.scope.reason, "map m: told not to know t now"));
	CU_ASSERT(stage_ask(&stage, "m", "p", &value) == PR_PERMFAIL);
	CU_ASSERT(map_commit(&stage.scope, map) == PR_MISUSE && stage_is(stage.scope.reason, "commit without begin"));
	CU_ASSERT_EQUAL(map_begin(&stage.scope, map), PR_OK);
	CU_ASSERT_EQUAL(map_store(&stage.scope, map, PR_STR("b"), PR_STR("2")), PR_OK);
	CU_ASSERT_EQUAL(map_store(&stage.scope, map, PR_STR("c"), PR_STR("3")), PR_OK);
	CU_ASSERT_EQUAL(map_remove(&stage.scope, map, PR_STR("c")), PR_OK);
	CU_ASSERT_EQUAL(map_commit(&stage.scope, map), PR_OK);
	CU_ASSERT(map_next(&stage.scope, map, &cursor, &key, &value) == PR_OK && stage_is(key, "b") && stage_is(value, "2"));
	CU_ASSERT_EQUAL(map_next(&stage.scope, map, &cursor, &key, &value), PR_NOTFOUND);
	CU_ASSERT(map_owner(&stage.scope, map, &uid) == PR_OK && uid == geteuid());
	/* a small map says which of these it cannot do */
	CU_ASSERT(map_begin(&stage.scope, hello) == PR_MISUSE && stage_is(stage.scope.reason, "maps/hello instance hello cannot be rebuilt"));
	CU_ASSERT(map_next(&stage.scope, hello, &cursor, &key, &value) == PR_MISUSE && stage_is(stage.scope.reason, "maps/hello instance hello cannot list its keys"));
	CU_ASSERT(map_store(&stage.scope, hello, key, value) == PR_MISUSE && map_remove(&stage.scope, hello, key) == PR_MISUSE);
	CU_ASSERT(map_owner(&stage.scope, hello, &uid) == PR_MISUSE && map_commit(&stage.scope, hello) == PR_MISUSE);
	stage_close(&stage);
}

static enum pr_status read_text(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct pr_str *rest = body->context;
	size_t len = rest->len < room ? rest->len : room;

	(void)call;
	memcpy(buffer, rest->data, len);
	*rest = pr_str_slice(*rest, len, rest->len);
	*length_out = len;
	return PR_OK;
}

static enum pr_status rewind_text(struct pr_body *body, struct pr_call *call)
{
	(void)body;
	(void)call;
	return PR_OK;
}

static struct pr_header fields[] = {{PR_STR_INIT("Subject"), PR_STR_INIT(" hi"), PR_STR_INIT("")}, {PR_STR_INIT("From"), PR_STR_INIT(" a@b"), PR_STR_INIT("")}};
static struct pr_recipient recipients[] = {{.address = PR_STR_INIT("<joe@x>")}, {.address = PR_STR_INIT("<ann@x>")}};
static const struct pr_envelope letter = {.size = sizeof letter, .id = PR_STR_INIT("ID1"), .sender = PR_STR_INIT("<me@y>"), .headers = fields,
    .header_count = 2, .recipients = recipients, .recipient_count = 2};

static enum pr_status deliver(struct stage *stage, struct module_session *session, struct pr_delivery *deliveries, const char *first, const char *second)
{
	struct pr_destination destination = {.size = sizeof destination, .mailer = module_name(session->instance), .host = PR_STR("x")};
	struct pr_str rest = PR_STR("hello\n");
	struct pr_body body = {.size = sizeof body, .length = 6, .context = &rest, .read = read_text, .rewind = rewind_text};

	deliveries[0] = (struct pr_delivery){.recipient = &recipients[0], .user = pr_str(first)};
	deliveries[1] = (struct pr_delivery){.recipient = &recipients[1], .user = pr_str(second)};
	return mailer_deliver(&stage->scope, session, &destination, &letter, &body, deliveries, 2);
}

static void test_mailer(void)
{
	struct stage stage;
	struct module_session session;
	struct pr_delivery deliveries[2];
	struct pr_destination good = {.size = sizeof good, .host = PR_STR("x")};

	stage_open(&stage, "");
	struct module_instance *mailer = module_find(stage.set, PR_KIND_MAILER, PR_STR("esmtp"));
	CU_ASSERT(stage_is(module_mailer_flags(mailer), "lsDFMXmn") && module_mailer_has_flag(mailer, 'l') && !module_mailer_has_flag(mailer, 'q'));
	module_session_init(&session, mailer);
	CU_ASSERT_EQUAL(deliver(&stage, &session, deliveries, "joe", "ann"), PR_MISUSE);
	CU_ASSERT(stage_is(stage.scope.reason, "deliver without session_open"));
	CU_ASSERT(deliveries[0].status == PR_MISUSE && stage_is(deliveries[1].reply, "deliver without session_open"));
	CU_ASSERT(!mailer_alive(&stage.scope, &session));
	CU_ASSERT_EQUAL(mailer_open(&stage.scope, &session, &good), PR_OK);
	CU_ASSERT(mailer_alive(&stage.scope, &session));
	CU_ASSERT_EQUAL(deliver(&stage, &session, deliveries, "joe", "ann"), PR_OK);
	CU_ASSERT(deliveries[0].status == PR_OK && deliveries[1].status == PR_OK && deliveries[0].code == 250);
	CU_ASSERT(stage_is(stage.scope.mailer, "esmtp") && stage_is(stage.scope.host, "x"));
	uint64_t *memory = session.memory; /* what debugmailer keeps: messages, opened */
	CU_ASSERT(memory[0] == 1 && memory[1] == 1);
	mailer_close(&stage.scope, &session);
	module_session_fini(&session);
	CU_ASSERT(session.memory == NULL && session.instance == NULL);
	stage_close(&stage);
}

static void test_mailer_results(void)
{
	char folder[] = "/tmp/postrider-mailer-XXXXXX", settings[300], path[100];
	struct stage stage;
	struct module_session session;
	struct pr_delivery deliveries[2];
	struct pr_destination nowhere = {.size = sizeof nowhere, .host = PR_STR("nowhere")}, good = {.size = sizeof good, .host = PR_STR("x")};

	CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
	snprintf(settings, sizeof settings,
	    "flags = \"lP\"; directory = \"%s\"; defer = (\"slow\"); reject = (\"bad\"); unfilled = (\"open\"); fail = \"nowhere\"; session_most = 1;", folder);
	stage_local = settings;
	stage_open(&stage, "rules = { module = \"debugrules\"; suffix = \".add\"; };");
	stage_local = "";
	module_session_init(&session, module_find(stage.set, PR_KIND_MAILER, PR_STR("local")));
	CU_ASSERT(mailer_open(&stage.scope, &session, &nowhere) == PR_TEMPFAIL && stage_is(stage.scope.reason, "told not to reach nowhere"));
	CU_ASSERT_EQUAL(mailer_open(&stage.scope, &session, &good), PR_OK);
	CU_ASSERT_EQUAL(deliver(&stage, &session, deliveries, "slow", "bad"), PR_OK); /* answers are results, not failures */
	CU_ASSERT(deliveries[0].status == PR_TEMPFAIL && deliveries[0].code == 450 && deliveries[1].status == PR_PERMFAIL && deliveries[1].code == 550);
	CU_ASSERT(!mailer_alive(&stage.scope, &session)); /* session_most */
	snprintf(path, sizeof path, "%s/%ld.0", folder, (long)getpid());
	CU_ASSERT(strstr(stage_read(path), "\nReturn-Path: <me@y>\nSubject: hi\nFrom: a@b.add\n\nhello\n") != NULL);
	unlink(path);
	CU_ASSERT_EQUAL(deliver(&stage, &session, deliveries, "joe", "open"), PR_TEMPFAIL);
	CU_ASSERT(deliveries[0].status == PR_OK); /* what was filled stands, the rest shares deliver()'s fate */
	CU_ASSERT(deliveries[1].status == PR_TEMPFAIL && stage_is(deliveries[1].reply, "told to leave a result open"));
	mailer_close(&stage.scope, &session);
	module_session_fini(&session);
	stage_close(&stage);
	snprintf(path, sizeof path, "%s/%ld.1", folder, (long)getpid());
	unlink(path);
	CU_ASSERT(rmdir(folder) == 0);
}

/* What a filter asked to be edited, one line each. */
static struct pr_text edited;
static void *edit_seen;

static enum pr_status record(struct pr_call *call, const char *what, struct pr_str first, struct pr_str second)
{
	edit_seen = filter_edit_context(call);
	pr_text_addf(&edited, "%s|%.*s|%.*s\n", what, PR_PRINT(first), PR_PRINT(second));
	return PR_OK;
}

static enum pr_status on_add(struct pr_call *call, struct pr_str name, struct pr_str value)
{
	return record(call, "add", name, value);
}

static enum pr_status on_insert(struct pr_call *call, uint32_t index, struct pr_str name, struct pr_str value)
{
	CU_ASSERT_EQUAL(index, 0);
	return record(call, "insert", name, value);
}

static enum pr_status on_change(struct pr_call *call, struct pr_str name, uint32_t index, struct pr_str value)
{
	CU_ASSERT_EQUAL(index, 1);
	return record(call, "change", name, value);
}

static enum pr_status on_sender(struct pr_call *call, struct pr_str sender)
{
	return record(call, "sender", sender, PR_STR(""));
}

static enum pr_status on_recipient(struct pr_call *call, struct pr_str address)
{
	return record(call, "recipient", address, PR_STR(""));
}

static enum pr_status on_remove(struct pr_call *call, struct pr_str address)
{
	record(call, "remove", address, PR_STR(""));
	return pr_fail(call, PR_TEMPFAIL, "told not to");
}

static enum pr_status on_body(struct pr_call *call, const void *data, size_t len)
{
	return record(call, "body", (struct pr_str){data, len}, PR_STR(""));
}

static const struct pr_filter_edit edits = {.size = sizeof edits, .header_add = on_add, .header_insert = on_insert, .header_change = on_change,
    .sender_change = on_sender, .recipient_add = on_recipient, .recipient_remove = on_remove, .body_replace = on_body};

static void walk(struct stage *stage, struct module_session *session, struct pr_verdict *verdicts)
{
	static const struct pr_str parameter[] = {PR_STR_INIT("SIZE=5")};
	const struct pr_list parameters = {parameter, 1};
	const struct pr_client client = {.size = sizeof client, .name = PR_STR("host"), .address = PR_STR("192.0.2.1")};
	struct module_scope *scope = &stage->scope;

	CU_ASSERT_EQUAL(filter_connect(scope, session, &client, &verdicts[0]), PR_OK);
	CU_ASSERT_EQUAL(filter_helo(scope, session, PR_STR("me"), &verdicts[1]), PR_OK);
	CU_ASSERT_EQUAL(filter_mail(scope, session, PR_STR("<a@b>"), &parameters, &verdicts[2]), PR_OK);
	CU_ASSERT_EQUAL(filter_rcpt(scope, session, PR_STR("<c@d>"), &parameters, &verdicts[3]), PR_OK);
	CU_ASSERT_EQUAL(filter_data(scope, session, &verdicts[4]), PR_OK);
	CU_ASSERT_EQUAL(filter_header(scope, session, &fields[0], &verdicts[5]), PR_OK);
	CU_ASSERT_EQUAL(filter_eoh(scope, session, &verdicts[6]), PR_OK);
	CU_ASSERT_EQUAL(filter_body(scope, session, "hello\n", 6, &verdicts[7]), PR_OK);
	CU_ASSERT_EQUAL(filter_message(scope, session, &letter, &edits, stage, &verdicts[8]), PR_OK);
	filter_abort(scope, session);
	filter_close(scope, session);
}

static void test_filter(void)
{
	static const char *const hooks[] = {"connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "message"};
	struct pr_verdict verdicts[9];
	struct module_session session;
	struct stage stage;
	char text[300];

	for (size_t i = 0; i < 9; i++) {
		snprintf(text, sizeof text, "filters = ( { module = \"debug\"; quiet = true; at = \"%s\"; action = \"reject\"; code = 557; text = \"no\"; } );", hooks[i]);
		stage_open(&stage, text);
		module_session_init(&session, module_at(stage.set, PR_KIND_FILTER, 0));
		memset(verdicts, 0xff, sizeof verdicts); /* a wrapper clears the verdict first */
		walk(&stage, &session, verdicts);
		for (size_t j = 0; j < 9; j++)
			CU_ASSERT_EQUAL(verdicts[j].action, j == i ? PR_REJECT : PR_CONTINUE);
		CU_ASSERT(verdicts[i].code == 557 && stage_is(verdicts[i].text, "no"));
		CU_ASSERT_EQUAL(*(int64_t *)session.memory, 11); /* its count of hooks lives as long as the session */
		module_session_fini(&session);
		stage_close(&stage);
	}
}

static void test_filter_log(void)
{
	static const char *const lines[] = {"connect host [192.0.2.1]", "helo me", "mail <a@b> SIZE=5", "rcpt <c@d> SIZE=5", "data ", "header Subject: hi",
	    "eoh ", "body hello", "message ID1 from <me@y>: 2 recipients, 2 fields, 6 bytes seen", "abort ", "close after 10 hooks"};
	char path[] = "/tmp/postrider-log-XXXXXX", wanted[200];
	int fd = mkstemp(path);
	struct pr_verdict verdicts[9];
	struct module_session session;
	struct stage stage;

	CU_ASSERT_FATAL(fd >= 0 && log_open(path, "postrider"));
	stage_open(&stage, "filters = ( { name = \"watch\"; module = \"debug\"; } );");
	module_session_init(&session, module_at(stage.set, PR_KIND_FILTER, 0));
	walk(&stage, &session, verdicts);
	module_session_fini(&session);
	stage_close(&stage);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		snprintf(wanted, sizeof wanted, "filters/debug instance watch: debug: %s", lines[i]);
		CU_ASSERT(strstr(stage_read(path), wanted) != NULL);
	}
	log_open("stderr", "postrider");
	close(fd);
	unlink(path);
}

static void test_edits(void)
{
	struct pr_verdict verdict;
	struct module_session session;
	struct stage stage;

	pr_text_init(&edited, 10000);
	stage_open(&stage, "filters = ( { module = \"debug\"; quiet = true; add_header = ( \"X-A: 1\" ); insert_header = ( \"X-B: 2\" );\n"
	                   "change_header = ( \"Subject: new\", \"From:\" ); change_sender = \"<s@t>\"; add_recipient = ( \"<r@s>\" ); replace_body = \"text\"; },\n"
	                   "{ name = \"second\"; module = \"debug\"; quiet = true; remove_recipient = ( \"<c@d>\" ); } );");
	module_session_init(&session, module_at(stage.set, PR_KIND_FILTER, 0));
	CU_ASSERT_EQUAL(filter_message(&stage.scope, &session, &letter, &edits, &stage, &verdict), PR_OK);
	CU_ASSERT(edit_seen == &stage);
	CU_ASSERT(stage_is(pr_text_str(&edited), "add|X-A| 1\ninsert|X-B| 2\nchange|Subject| new\nchange|From|\nsender|<s@t>|\nrecipient|<r@s>|\nbody|text|\n"));
	module_session_fini(&session);
	module_session_init(&session, module_at(stage.set, PR_KIND_FILTER, 1));
	CU_ASSERT_EQUAL(filter_message(&stage.scope, &session, &letter, &edits, &stage, &verdict), PR_TEMPFAIL);
	CU_ASSERT(stage_is(stage.scope.reason, "told not to")); /* the edit's reason is the filter's */
	module_session_fini(&session);
	stage_close(&stage);
	pr_text_fini(&edited);
}

static void test_rules(void)
{
	static const struct pr_str argument[] = {PR_STR_INIT("<bad@x>")};
	const struct pr_list arguments = {argument, 1};
	const struct pr_header *headers = fields;
	struct pr_check_context context = {.size = sizeof context};
	struct pr_verdict verdict;
	struct pr_route route;
	struct pr_str address = PR_NONE;
	struct pr_text out;
	struct stage stage;
	size_t count = 9;

	stage_open(&stage, "rules = { module = \"debugrules\"; mailer = \"esmtp\"; reject = ( \"bad\" ); defer = ( \"later\" ); suffix = \".add\"; };");
	CU_ASSERT(rules_resolve(&stage.scope, PR_STR("joe@x"), PR_STR("a@b"), &route) == PR_OK && stage_is(route.mailer, "esmtp") && stage_is(route.host, "x"));
	CU_ASSERT(rules_resolve(&stage.scope, PR_STR("bad@x"), PR_STR("a@b"), &route) == PR_PERMFAIL && route.code == 550 && stage_is(stage.scope.reason, "told to refuse"));
	CU_ASSERT(rules_resolve(&stage.scope, PR_STR("later@x"), PR_STR("a@b"), &route) == PR_TEMPFAIL);
	CU_ASSERT(rules_rewrite(&stage.scope, PR_REWRITE_HEADER_SENDER, PR_STR("esmtp"), PR_STR("joe@x"), &address) == PR_OK && stage_is(address, "joe@x.add"));
	CU_ASSERT(rules_check(&stage.scope, PR_CHECK_RCPT, &context, &arguments, &verdict) == PR_OK && verdict.action == PR_REJECT && verdict.code == 550);
	CU_ASSERT(rules_check(&stage.scope, PR_CHECK_RCPT, &context, NULL, &verdict) == PR_OK && verdict.action == PR_CONTINUE);
	CU_ASSERT(rules_headers(&stage.scope, &headers, &count) == PR_OK && headers == NULL && count == 0);
	pr_text_init(&out, 1000);
	CU_ASSERT(rules_console(&stage.scope, PR_STR("x"), &out) == PR_OK && stage_is(pr_text_str(&out), "debug: x\n"));
	CU_ASSERT_EQUAL(rules_console(&stage.scope, PR_STR(""), &out), PR_NOTFOUND);
	pr_text_fini(&out);
	stage_close(&stage);
}

static void test_auth(void)
{
	struct pr_auth_step step = {.size = sizeof step, .mechanism = PR_STR("DEBUG")};
	struct pr_list names = {NULL, 0};
	struct stage stage;

	stage_open(&stage, "auth = ( { module = \"debugauth\"; tls_only = true; }, { name = \"broken\"; module = \"debugauth\"; broken = true; } );");
	struct module_instance *auth = module_at(stage.set, PR_KIND_AUTH, 0);
	struct module_session exchange, broken;
	module_session_init(&exchange, auth);
	module_session_init(&broken, module_at(stage.set, PR_KIND_AUTH, 1));
	CU_ASSERT(auth_mechanisms(&stage.scope, auth, PR_AUTH_NO_PLAINTEXT, &names) == PR_OK && names.count == 0);
	CU_ASSERT(auth_mechanisms(&stage.scope, auth, PR_AUTH_TLS, &names) == PR_OK && names.count == 1 && stage_is(names.items[0], "DEBUG"));
	CU_ASSERT(auth_server_step(&stage.scope, &exchange, &step) == PR_OK && step.done == 0 && stage_is(step.output, "who?"));
	step.input = PR_STR("joe guess");
	CU_ASSERT_EQUAL(auth_server_step(&stage.scope, &exchange, &step), PR_NOTFOUND);
	CU_ASSERT(auth_client_step(&stage.scope, &exchange, &step) == PR_OK && stage_is(step.output, "joe secret"));
	step.input = step.output;
	CU_ASSERT(auth_server_step(&stage.scope, &exchange, &step) == PR_OK && step.done == 1 && stage_is(step.name, "joe"));
	CU_ASSERT(auth_server_step(&stage.scope, &broken, &step) == PR_TEMPFAIL && stage_is(stage.scope.reason, "told not to read the passwords"));
	auth_server_end(&stage.scope, &exchange);
	auth_server_end(&stage.scope, &broken);
	CU_ASSERT(exchange.instance == NULL && broken.memory == NULL);
	stage_close(&stage);
}

struct answer {
	enum pr_commit result;
	int calls;
};

static void committed(void *context, enum pr_commit result, struct pr_str reason)
{
	struct answer *answer = context;

	(void)reason;
	answer->result = result;
	answer->calls++;
}

static struct pr_str submit(struct stage *stage)
{
	struct answer answer = {0};
	struct pr_str id = PR_NONE;
	void *transaction = NULL;

	CU_ASSERT_EQUAL(store_begin(&stage->scope, &transaction, &id), PR_OK);
	CU_ASSERT_EQUAL(store_body(&stage->scope, transaction, "hello\n", 6), PR_OK);
	CU_ASSERT_EQUAL(store_commit(&stage->scope, transaction, &letter, committed, &answer), PR_OK);
	CU_ASSERT(answer.calls == 1 && answer.result == PR_COMMIT_DURABLE);
	return id;
}

static void read_body(struct stage *stage, struct pr_claim *claim)
{
	struct pr_body body = {.size = sizeof body};
	char buffer[100];
	size_t got = 0;

	CU_ASSERT_EQUAL(store_body_open(&stage->scope, claim, &body), PR_OK);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT(body_read(&stage->scope, &body, buffer, sizeof buffer, &got) == PR_OK && got == 6 && memcmp(buffer, "hello\n", 6) == 0);
		CU_ASSERT(body_read(&stage->scope, &body, buffer, sizeof buffer, &got) == PR_OK && got == 0);
		CU_ASSERT_EQUAL(body_rewind(&stage->scope, &body), PR_OK);
	}
	store_body_close(&stage->scope, &body);
}

static void test_store(void)
{
	struct stage stage;
	struct pr_claim claim = {.size = sizeof claim}, second = {.size = sizeof second};
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_store_health health = {.size = sizeof health};
	struct pr_envelope *envelope = NULL;
	struct pr_str id = PR_NONE;
	void *cursor = NULL, *transaction = NULL;

	stage_open(&stage, "");
	CU_ASSERT(store_role(&stage.scope, PR_STORE_INTAKE | PR_STORE_DELIVERY | PR_STORE_READ) && !store_role(&stage.scope, 0));
	CU_ASSERT(store_begin(&stage.scope, &transaction, &id) == PR_OK);
	store_abort(&stage.scope, transaction);
	id = submit(&stage);
	CU_ASSERT(store_next(&stage.scope, &cursor, &entry) == PR_OK && pr_str_equal(entry.id, id));
	store_next_end(&stage.scope, &cursor);
	CU_ASSERT(cursor == NULL);
	CU_ASSERT(store_peek(&stage.scope, id, &envelope, &entry) == PR_OK && stage_is(envelope->sender, "<me@y>"));
	CU_ASSERT_EQUAL(store_claim(&stage.scope, id, &claim), PR_OK);
	CU_ASSERT_EQUAL(store_claim(&stage.scope, id, &second), PR_TEMPFAIL);
	CU_ASSERT(store_renew(&stage.scope, &claim) == PR_OK && store_update(&stage.scope, &claim, claim.envelope) == PR_OK);
	read_body(&stage, &claim);
	CU_ASSERT_EQUAL(store_defer(&stage.scope, &claim, claim.envelope), PR_OK);
	CU_ASSERT(store_hold(&stage.scope, id, PR_STR("why")) == PR_OK && store_unhold(&stage.scope, id) == PR_OK && store_requeue(&stage.scope, id) == PR_OK);
	CU_ASSERT_EQUAL(store_claim(&stage.scope, id, &claim), PR_OK);
	store_release(&stage.scope, &claim);
	CU_ASSERT_EQUAL(store_claim(&stage.scope, id, &claim), PR_OK);
	CU_ASSERT(store_health(&stage.scope, &health) == PR_OK && health.messages == 1 && health.can_accept == 1);
	CU_ASSERT_EQUAL(store_finish(&stage.scope, &claim), PR_OK);
	CU_ASSERT_EQUAL(store_remove(&stage.scope, id), PR_NOTFOUND);
	id = submit(&stage);
	CU_ASSERT(store_remove(&stage.scope, id) == PR_OK && store_drain(&stage.scope) == PR_OK);
	stage_close(&stage);
}

const struct unit_case hook_cases[] = {
    {"map", test_map}, {"mailer", test_mailer}, {"mailer results", test_mailer_results}, {"filter", test_filter}, {"filter log", test_filter_log},
    {"edits", test_edits}, {"rules", test_rules}, {"auth", test_auth}, {"store", test_store}, {NULL, NULL},
};
