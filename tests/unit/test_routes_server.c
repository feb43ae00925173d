/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the engine "routes" answers to mailers about next hosts: keys of the access table, and what a requirement means.
 * tests/oracle/tls asks the real sendmail the same; here are the corners that no next host can be made to show.
 */
#include "tests/unit/fake_host.h"
#include "tests/unit/unit.h"

#include <postrider/rules.h>
#include <string.h>

extern const struct pr_module routes_LTX_pr_module;

static const char *const plain_options[] = {"local_domains", "corp.example", NULL};
static const char *const *options = plain_options;
static struct fake_world world;
static struct fake_instance engine;

static void start(const char *const *lines)
{
	fake_world_init(&world);
	for (; *lines != NULL; lines++)
		fake_world_add(&world, *lines);
	CU_ASSERT_FATAL(fake_open(&engine, &world, &routes_LTX_pr_module, options));
}

static void stop(void)
{
	fake_close(&engine);
	fake_world_fini(&world);
}

static const struct pr_rules_ops *ops(void)
{
	return routes_LTX_pr_module.ops;
}

/* "454 4.7.0 text", "ok", "?" when the table could not be asked */
static struct pr_str ask_from(const char *address, uint32_t check, const char *argument)
{
	struct pr_str item = pr_str(argument);
	struct pr_list arguments = {&item, 1};
	const struct pr_client client = {.size = sizeof client, .name = {"Host.Far.Example", 16}, .address = pr_str(address)};
	struct pr_check_context context = {.size = sizeof context, .client = &client};
	struct pr_verdict verdict = {.action = PR_CONTINUE};
	struct pr_call *call = fake_call(&engine);

	if (ops()->check(call, check, &context, &arguments, &verdict) != PR_OK)
		return PR_STR("?");
	if (verdict.action == PR_CONTINUE)
		return PR_STR("ok");
	CU_ASSERT_EQUAL(verdict.action, verdict.code / 100 == 4 ? PR_DEFER : PR_REJECT);
	return pr_arena_printf(call->arena, "%u %.*s %.*s", verdict.code, PR_PRINT(verdict.enhanced), PR_PRINT(verdict.text));
}

static struct pr_str ask(uint32_t check, const char *argument)
{
	return ask_from("192.0.2.9", check, argument);
}

static void expect(const char *wanted, struct pr_str got)
{
	if (!pr_str_equal(pr_str(wanted), got)) {
		fprintf(stderr, "wanted: %s\n   got: %.*s\n", wanted, PR_PRINT(got));
		CU_FAIL("another answer");
	}
}

/* One value for the host we talk to, with these bits and names. */
static void test_requirements(void)
{
	static const struct {
		const char *value, *verify, *answer;
	} cases[] = {
		{"VERIFY", "OK", "ok"}, {"VERIFY", "TRUSTED", "ok"}, {"VERIFY", "FAIL", "454 4.7.0 authentication failed"},
		{"VERIFY", "NONE", "454 4.7.0 other side does not support STARTTLS"}, {"VERIFY", "NO", "454 4.7.0 not authenticated"},
		{"VERIFY", "NOT", "454 4.7.0 no authentication requested"}, {"VERIFY", "CLEAR", "454 4.7.0 STARTTLS disabled locally"},
		{"VERIFY", "TEMP", "454 4.7.0 authentication failure TEMP"}, {"VERIFY", "", "454 4.7.0 authentication required"},
		{"PERM+VERIFY", "FAIL", "503 5.7.0 authentication failed"}, {"TEMP+VERIFY", "FAIL", "403 4.7.0 authentication failed"},
		{"verify", "FAIL", "454 4.7.0 authentication failed"}, {"VERIFY:128", "OK", "ok"}, {"VERIFY:129", "OK", "454 4.7.0 encryption too weak 128 less than 129"},
		{"VERIFY:12", "FAIL", "454 4.7.0 authentication failed"}, {"ENCR:112", "FAIL", "ok"}, {"ENCR:112", "NONE", "ok"},
		{"ENCR:256", "OK", "454 4.7.0 encryption too weak 128 less than 256"}, {"ENCR", "NONE", "ok"}, {"OK", "NONE", "ok"}, {"SECURE", "NONE", "ok"},
		{"VERIFY+CN", "OK", "ok"}, {"VERIFY+CN:MX.far.example", "OK", "ok"}, {"VERIFY+CN:else", "OK", "454 4.7.0 CN mx.far.example does not match else"},
		{"ENCR:1+CS:/O=x/CN=mx.far.example++CI:/O=root", "FAIL", "ok"}, {"ENCR:1+CS:/O=x/CN=mx.far.example++CI:/O=other", "FAIL", "454 4.7.0 Cert Issuer /O=root does not match /O=other"},
		{"ENCR:1+CITag:Mine", "OK", "ok"}, {"ENCR:1+CITag:Yours", "OK", "454 4.7.0 Cert Issuer /O=root not acceptable"},
		{"OK", "SOFTWARE", "454 4.7.0 TLS handshake failed."}, {"PERM+VERIFY", "SOFTWARE", "503 5.7.0 TLS handshake failed."},
		{"ENCR:1", "PROTOCOL", "454 4.7.0 STARTTLS failed."}, {"ENCR:1", "CONFIG", "454 4.7.0 STARTTLS temporarily not possible."}, {"OK", "TEMP", "ok"},
	};
	char line[200];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *const lines[] = {"macro server_name mx.far.example", "macro server_addr 192.0.2.7", "macro cipher_bits 128", "macro cn_subject mx.far.example",
			"macro cert_subject /O=x/CN=mx.far.example", "macro cert_issuer /O=root", "map access Mine:/O=root\tOK", line, NULL};
		snprintf(line, sizeof line, "map access TLS_Srv:mx.far.example\t%s", cases[i].value);
		start(lines);
		expect(cases[i].answer, ask(PR_CHECK_TLS_SERVER, cases[i].verify));
		stop();
	}
}

static void test_keys(void)
{
	static const char *const lines[] = {"macro server_name MX.Far.Example", "macro server_addr 192.0.2.7", "macro verify NONE",
		"map access Try_TLS:far.example\tNO", "map access TLS_Srv:192.0\tVERIFY", "map access far.example\tREJECT",
		"map access TLS_Rcpt:joe@corp.example\tVERIFY", "map access TLS_Rcpt:ann@\tOK", "map access TLS_Rcpt:example\tPERM+VERIFY", "map access TLS_Rcpt:free.example\tSKIP",
		"map access TLS_Rcpt:\tTEMP+VERIFY", NULL};

	start(lines);
	expect("550 5.7.1 do not try TLS with mx.far.example [192.0.2.7]", ask(PR_CHECK_TRY_TLS, "mx.far.example"));
	expect("454 4.7.0 other side does not support STARTTLS", ask(PR_CHECK_TLS_SERVER, "NONE"));
	expect("454 4.7.0 other side does not support STARTTLS", ask(PR_CHECK_TLS_RCPT, "joe@corp.example"));
	expect("454 4.7.0 other side does not support STARTTLS", ask(PR_CHECK_TLS_RCPT, "<joe@corp.example>"));
	expect("ok", ask(PR_CHECK_TLS_RCPT, "ann@corp.example"));
	expect("503 5.7.0 other side does not support STARTTLS", ask(PR_CHECK_TLS_RCPT, "bob@corp.example"));
	expect("ok", ask(PR_CHECK_TLS_RCPT, "bob@free.example"));
	expect("403 4.7.0 other side does not support STARTTLS", ask(PR_CHECK_TLS_RCPT, "bob@elsewhere.test"));
	stop();
	start((const char *const[]){"macro server_name mx.far.example", "macro server_addr 2001:db8::7", "map access TLS_Srv:IPv6:2001:db8\tVERIFY", "map access TLS_Srv:\tENCR:1", NULL});
	expect("454 4.7.0 authentication failed", ask(PR_CHECK_TLS_SERVER, "FAIL"));
	stop();
	start((const char *const[]){"macro server_name mx.far.example", "macro server_addr 192.0.2.7", "map access TLS_Srv:\tENCR:1", NULL});
	expect("454 4.7.0 encryption too weak 0 less than 1", ask(PR_CHECK_TLS_SERVER, "NONE"));
	expect("ok", ask(PR_CHECK_TRY_TLS, "mx.far.example"));
	stop();
}

static void test_no_table(void)
{
	start((const char *const[]){"macro server_name mx.far.example", NULL});
	expect("ok", ask(PR_CHECK_TRY_TLS, "mx.far.example"));
	expect("ok", ask(PR_CHECK_TLS_SERVER, "NONE"));
	expect("454 4.7.0 TLS handshake failed.", ask(PR_CHECK_TLS_SERVER, "SOFTWARE"));
	expect("ok", ask(PR_CHECK_TLS_RCPT, "joe@corp.example"));
	stop();
	start((const char *const[]){"macro server_name mx.far.example", "broken access", NULL});
	expect("?", ask(PR_CHECK_TRY_TLS, "mx.far.example")); /* not found and could not look are different answers */
	expect("?", ask(PR_CHECK_TLS_SERVER, "OK"));
	expect("?", ask(PR_CHECK_TLS_RCPT, "joe@corp.example"));
	stop();
}

static enum pr_status feature(const char *name, const char *host, struct pr_str *value)
{
	struct pr_str items[] = {pr_str(host), PR_STR("")};
	struct pr_list arguments = {items, 2};

	return ops()->feature(fake_call(&engine), pr_str(name), &arguments, value);
}

static void test_features(void)
{
	struct pr_str value = PR_NONE;

	start((const char *const[]){"macro server_name mx.far.example", "macro server_addr 192.0.2.7", "map access Clt_Features:far.example\tD",
		"map access AuthInfo:192.0.2\t\"U:relay\" \"P:secret\"", NULL});
	CU_ASSERT_EQUAL(feature("clt_features", "MX.far.example", &value), PR_OK);
	expect("D", value);
	CU_ASSERT_EQUAL(feature("clt_features", "elsewhere.test", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(feature("authinfo", "mx.far.example", &value), PR_OK);
	expect("\"U:relay\" \"P:secret\"", value);
	CU_ASSERT_EQUAL(feature("srv_features", "mx.far.example", &value), PR_NOTFOUND);
	stop();
	start((const char *const[]){"broken access", NULL});
	CU_ASSERT_EQUAL(feature("clt_features", "mx.far.example", &value), PR_TEMPFAIL);
	stop();
}

static void test_clients(void)
{
	static const struct {
		const char *verify, *line, *answer;
	} cases[] = {
		{"OK", "map access CERTISSUER:/CN=root\tRELAY", "ok"}, {"FAIL", "map access CERTISSUER:/CN=root\tRELAY", "550 5.7.1 Relaying denied"},
		{"OK", "map access CERTISSUER:/CN=root\tOK", "550 5.7.1 Relaying denied"}, {"OK", "map access CERTISSUER:/CN=other\tRELAY", "550 5.7.1 Relaying denied"},
		{"OK", "map access CERTISSUER:/CN=root\tSUBJECT", "550 5.7.1 Relaying denied"}, {"OK", "map access CERTSUBJECT:/CN=joe\tRELAY", "550 5.7.1 Relaying denied"},
		{"OK", "broken access", "?"},
	};
	char verify[40];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(verify, sizeof verify, "macro verify %s", cases[i].verify);
		start((const char *const[]){verify, "macro cert_issuer /CN=root", "macro cert_subject /CN=joe", cases[i].line, NULL});
		expect(cases[i].answer, ask(PR_CHECK_RCPT, "<a@elsewhere.test>"));
		stop();
	}
	start((const char *const[]){"macro verify OK", "macro cert_issuer /CN=root", "macro cert_subject /CN=joe", "map access CERTISSUER:/CN=root\tSUBJECT",
		"map access CERTSUBJECT:/CN=joe\tRELAY", "map access TLS_Clt:far.example\tVERIFY", "map access TLS_Clt:\tENCR:4096", NULL});
	expect("ok", ask(PR_CHECK_RCPT, "<a@elsewhere.test>"));
	expect("ok", ask(PR_CHECK_TLS_CLIENT, "OK"));
	expect("454 4.7.0 not authenticated", ask(PR_CHECK_TLS_CLIENT, "NO"));
	stop();
	start((const char *const[]){"macro verify NO", "map access TLS_Clt:192.0.2\tPERM+VERIFY", NULL});
	expect("503 5.7.0 not authenticated", ask(PR_CHECK_MAIL, "<a@elsewhere.test>"));
	stop();
	start((const char *const[]){"macro verify NO", "map access TLS_Clt:IPv6:2001:db8\tPERM+VERIFY", NULL});
	expect("503 5.7.0 not authenticated", ask_from("IPv6:2001:db8::9", PR_CHECK_MAIL, "<a@elsewhere.test>"));
	expect("503 5.7.0 not authenticated", ask_from("2001:db8::9", PR_CHECK_MAIL, "<a@elsewhere.test>"));
	expect("553 5.1.8 Domain of sender address a@elsewhere.test does not exist", ask_from("IPv6:2001:db9::9", PR_CHECK_MAIL, "<a@elsewhere.test>"));
	stop();
}

/* check_mail and check_rcpt, of a stranger */
static struct pr_str ask_address(uint32_t check, const char *address)
{
	struct pr_client client = {.size = sizeof client, .address = PR_STR("192.0.2.99"), .name = PR_STR("a.stranger.test")};
	struct pr_str item = pr_str(address);
	struct pr_list arguments = {&item, 1};
	struct pr_check_context context = {.size = sizeof context, .client = &client, .sender = PR_STR("<>")};
	struct pr_verdict verdict = {.action = PR_CONTINUE};
	struct pr_call *call = fake_call(&engine);

	if (ops()->check(call, check, &context, &arguments, &verdict) != PR_OK)
		return PR_STR("?");
	return verdict.action == PR_CONTINUE ? PR_STR("ok") : pr_arena_printf(call->arena, "%u %.*s %.*s", verdict.code, PR_PRINT(verdict.enhanced), PR_PRINT(verdict.text));
}

static void test_null_mx(void)
{
	static const char *const lines[] = {"dns null.test mx 0 .", "dns null.test a 192.0.2.1", "dns some.test mx 10 mx.some.test", NULL};

	start(lines);
	expect("550 5.7.27 Domain of sender address a@null.test does not accept mail: MX 0 .", ask_address(PR_CHECK_MAIL, "<a@null.test>"));
	expect("ok", ask_address(PR_CHECK_MAIL, "<a@some.test>"));
	stop();
	options = (const char *const[]){"local_domains", "corp.example", "accept_null_mx_senders", "true", NULL};
	start(lines);
	expect("ok", ask_address(PR_CHECK_MAIL, "<a@null.test>"));
	stop();
	options = plain_options;
}

/* A backup MX is one because the domain says so. */
static void test_relay_based_on_mx(void)
{
	static const char *const lines[] = {"dns backed.test mx 10 mx.backed.test", "dns backed.test mx 20 Mail.corp.example", "dns other.test mx 10 mx.other.test",
		"dns failing.test fail", NULL};

	start(lines);
	expect("550 5.7.1 Relaying denied", ask_address(PR_CHECK_RCPT, "<a@backed.test>"));
	stop();
	options = (const char *const[]){"local_domains", "corp.example,mail.corp.example", "relay_based_on_mx", "true", NULL};
	start(lines);
	expect("ok", ask_address(PR_CHECK_RCPT, "<a@backed.test>"));
	expect("550 5.7.1 Relaying denied", ask_address(PR_CHECK_RCPT, "<a@other.test>"));
	expect("550 5.7.1 Relaying denied", ask_address(PR_CHECK_RCPT, "<a%other.test@backed.test>"));
	expect("?", ask_address(PR_CHECK_RCPT, "<a@failing.test>")); /* 451: it may be ours to keep */
	stop();
	options = plain_options;
}

/* What mailers ask before they follow MX records. */
static void test_own_names(void)
{
	struct pr_str value = PR_NONE;

	start((const char *const[]){"macro j mail.corp.example", NULL});
	CU_ASSERT_EQUAL(feature("local_host_name", "CORP.example", &value), PR_OK);
	CU_ASSERT_EQUAL(feature("local_host_name", "far.example", &value), PR_NOTFOUND);
	stop();
}

static const struct unit_case cases[] = {{"null MX", test_null_mx}, {"relay_based_on_mx", test_relay_based_on_mx}, {"names of this host", test_own_names},
	{"requirements", test_requirements}, {"clients", test_clients}, {"keys", test_keys}, {"no table, no answer", test_no_table},
	{"features", test_features}, {NULL, NULL}};
UNIT_MAIN("routes about next hosts", cases)
