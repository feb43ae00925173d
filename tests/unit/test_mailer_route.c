/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the name of a destination to the hosts that are called, in the SMTP mailer: MX records, loops, lists, hosts of last resort.
 * Nobody listens on port 1 of 127.0.0.1, so the one that was called last is named by the reason why the mail waits.
 */
#include "modules/mailers/smtp/smtp.h"
#include "tests/unit/unit.h"

#include <string.h>

extern const struct pr_module smtp_LTX_pr_module;

/* the host --------------------------------------------------------------- */
static const struct pr_mx *mx_answer;
static size_t mx_count;
static enum pr_status mx_status;
static struct pr_str fallback_mx, fallback_smart, try_null_mx, dane, letters;
static char dane_asked[400]; /* "mx.example;" */

static enum pr_status fake_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out)
{
	if (pr_str_has_suffix_nocase(domain, PR_STR("fallback.example")))
		return pr_fail(call, PR_NOTFOUND, "no such record");
	*mx_out = mx_answer;
	*count_out = mx_count;
	return mx_status == PR_OK ? PR_OK : pr_fail(call, mx_status, "no answer");
}

static enum pr_status fake_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out)
{
	static const struct pr_str here[] = {{"127.0.0.1", 9}};

	if (pr_str_has_prefix_nocase(name, PR_STR("none")))
		return pr_fail(call, PR_NOTFOUND, "no such name");
	if (pr_str_has_prefix_nocase(name, PR_STR("later")))
		return pr_fail(call, PR_TEMPFAIL, "no answer");
	*addresses_out = (struct pr_list){here, 1};
	return PR_OK;
}

static struct pr_str fake_option(struct pr_call *call, struct pr_str name)
{
	(void)call;
	if (pr_str_equal(name, PR_STR("FallbackMXhost")))
		return fallback_mx;
	if (pr_str_equal(name, PR_STR("FallbackSmartHost")))
		return fallback_smart;
	if (pr_str_equal(name, PR_STR("TryNullMXList")))
		return try_null_mx;
	if (pr_str_equal(name, PR_STR("DANE")))
		return dane;
	return pr_str_has_prefix_nocase(name, PR_STR("Timeout.")) ? PR_STR("1s") : PR_NONE;
}

static struct pr_str fake_macro(struct pr_call *call, struct pr_str name)
{
	(void)call;
	(void)name;
	return PR_NONE;
}

static enum pr_status fake_header(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out)
{
	(void)call;
	(void)envelope;
	pr_text_add_c(out, "From: a@x\n\n");
	return PR_OK;
}

/* also.example is another name of this host */
static enum pr_status fake_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	(void)call;
	if (pr_str_equal(name, PR_STR("clt_features")) && letters.len > 0) {
		*value_out = letters;
		return PR_OK;
	}
	return pr_str_equal(name, PR_STR("local_host_name")) && pr_str_equal_nocase(arguments->items[0], PR_STR("also.example")) ? PR_OK : PR_NOTFOUND;
}

static enum pr_status fake_check(struct pr_call *call, uint32_t check, const struct pr_list *arguments, struct pr_verdict *verdict)
{
	(void)call;
	(void)check;
	(void)arguments;
	(void)verdict;
	return PR_OK;
}

static enum pr_status fake_dane(struct pr_call *call, struct pr_str name, uint32_t port, const struct pr_dane **dane_out)
{
	size_t length = strlen(dane_asked);

	(void)dane_out;
	snprintf(dane_asked + length, sizeof dane_asked - length, "%.*s:%u;", PR_PRINT(name), port);
	return pr_fail(call, PR_TEMPFAIL, "it is forged");
}

static void fake_answered(struct pr_call *call, const struct pr_delivery *delivery, struct pr_str command)
{
	(void)call;
	(void)delivery;
	(void)command;
}

static void fake_talks_to(struct pr_call *call, const struct pr_peer *peer)
{
	(void)call;
	(void)peer;
}

static const struct pr_host host = {.size = sizeof host, .option = fake_option, .macro = fake_macro, .dns_mx = fake_mx, .dns_addresses = fake_addresses,
    .header_print = fake_header, .answered = fake_answered, .rules_feature = fake_feature, .rules_check = fake_check, .talks_to = fake_talks_to,
    .dane_find = fake_dane};

/* one delivery ------------------------------------------------------------ */
static enum pr_status nothing(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	(void)body;
	(void)call;
	(void)buffer;
	(void)room;
	*length_out = 0;
	return PR_OK;
}

static void expect_route(const char *host_text, enum pr_status status, const char *enhanced, const char *text)
{
	struct smtp smtp = {0};
	struct smtp_session session = {0};
	struct pr_arena arena;
	struct pr_call call = {.size = sizeof call, .host = &host, .arena = &arena, .instance = &smtp, .session = &session};
	struct pr_body body = {.size = sizeof body, .read = nothing};
	struct pr_envelope envelope = {.size = sizeof envelope, .sender = PR_STR("<a@x.example>")};
	struct pr_recipient recipient = {0};
	struct pr_delivery delivery = {.recipient = &recipient, .user = PR_STR("u@y.example"), .status = PR_MISUSE};
	struct pr_destination destination = {.size = sizeof destination, .identity = PR_STR("me.example"), .host = pr_str(host_text)};
	const struct pr_mailer_ops *ops = smtp_LTX_pr_module.ops;
	struct pr_str why;

	pr_arena_init(&arena, 1u << 20);
	CU_ASSERT_EQUAL(pr_option_defaults(smtp_LTX_pr_module.options, &smtp, &arena, &why), PR_OK);
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.check(&call), PR_OK);
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.open(&call), PR_OK);
	smtp.port = 1;
	CU_ASSERT_EQUAL(ops->deliver(&call, &destination, &envelope, &body, &delivery, 1), PR_OK);
	CU_ASSERT_EQUAL(delivery.status, status);
	CU_ASSERT_TRUE(pr_str_equal(delivery.enhanced, pr_str(enhanced)));
	if (delivery.reply.data == NULL || strstr(delivery.reply.data, text) == NULL) {
		fprintf(stderr, "%s: \"%.*s\", not \"%s\"\n", host_text, PR_PRINT(delivery.reply), text);
		CU_FAIL("another reply");
	}
	smtp_drop(&session);
	pr_arena_fini(&arena);
}

static void answer(enum pr_status status, const struct pr_mx *mx, size_t count)
{
	mx_status = status;
	mx_answer = mx;
	mx_count = count;
}

/* cases -------------------------------------------------------------------- */
static const struct pr_mx null_mx[] = {{.name = {"", 0}}};
static const struct pr_mx self_only[] = {{.name = {"ME.example", 10}, .preference = 5}, {.name = {"worse.example", 13}, .preference = 9}};
static const struct pr_mx other_self[] = {{.name = {"also.example", 12}, .preference = 5}};
static const struct pr_mx better[] = {{.name = {"better.example", 14}, .preference = 1}, {.name = {"me.example", 10}, .preference = 5},
    {.name = {"none.example", 12}, .preference = 9}};

static void test_records(void)
{
	answer(PR_OK, null_mx, 1);
	expect_route("null.example", PR_PERMFAIL, "5.1.10", "556 5.1.10 Host does not accept mail: MX 0 .");
	answer(PR_OK, self_only, 2);
	expect_route("loop.example", PR_PERMFAIL, "5.3.5", "554 5.3.5 MX list for loop.example points back to me.example");
	answer(PR_OK, other_self, 1);
	expect_route("loop.example", PR_PERMFAIL, "5.3.5", "554 5.3.5 MX list for loop.example points back to me.example");
	answer(PR_OK, better, 3);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by better.example.");
}

static void test_no_records(void)
{
	answer(PR_TEMPFAIL, NULL, 0);
	expect_route("y.example", PR_TEMPFAIL, "4.4.3", "host name lookup failure");
	answer(PR_PERMFAIL, NULL, 0);
	expect_route("y.example", PR_PERMFAIL, "5.4.6", "no answer");
	answer(PR_NOTFOUND, NULL, 0);
	expect_route("none.example", PR_PERMFAIL, "5.1.2", "Host unknown");
	expect_route("later.example", PR_TEMPFAIL, "4.4.3", "later.example");
	expect_route("[none.example]", PR_PERMFAIL, "5.1.2", "Host unknown");
	expect_route("none.example:later.example", PR_TEMPFAIL, "4.4.3", "later.example");
	expect_route("bad host", PR_PERMFAIL, "5.1.2", "not valid");
	expect_route("", PR_PERMFAIL, "5.1.2", "No host name");
	expect_route("[127.0.0.1", PR_PERMFAIL, "5.1.2", "Host unknown");
}

/* TryNullMXList: the address of the domain itself, if it has one. */
static void test_own_list(void)
{
	try_null_mx = PR_STR("true");
	answer(PR_OK, self_only, 2);
	expect_route("loop.example", PR_TEMPFAIL, "4.4.1", "Connection refused by loop.example.");
	expect_route("none.example", PR_PERMFAIL, "5.3.5", "points back");
	expect_route("later.example", PR_TEMPFAIL, "4.4.3", "later.example");
	try_null_mx = PR_NONE;
}

/* Behind all that the destination names; not where its own list ends at us, and the smart host not in a circle. */
static void test_fallbacks(void)
{
	fallback_mx = PR_STR("[fallback.example]");
	answer(PR_NOTFOUND, NULL, 0);
	expect_route("none.example", PR_TEMPFAIL, "4.4.1", "Connection refused by [fallback.example]");
	answer(PR_TEMPFAIL, NULL, 0);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by [fallback.example]");
	answer(PR_OK, null_mx, 1);
	expect_route("null.example", PR_PERMFAIL, "5.1.10", "MX 0 .");
	answer(PR_OK, better, 3);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by better.example.");
	fallback_mx = PR_STR("none.fallback.example");
	answer(PR_TEMPFAIL, NULL, 0); /* that the fallback is unknown does not make the domain so */
	expect_route("y.example", PR_TEMPFAIL, "4.4.3", "y.example: host name lookup failure");
	fallback_mx = PR_STR("also.example"); /* ourselves */
	answer(PR_NOTFOUND, NULL, 0);
	expect_route("none.example", PR_PERMFAIL, "5.1.2", "Host unknown");
	fallback_mx = PR_NONE;
}

static void test_smart_host(void)
{
	fallback_smart = PR_STR("[smart.example]");
	answer(PR_NOTFOUND, NULL, 0);
	expect_route("none.example", PR_TEMPFAIL, "4.4.1", "Connection refused by [smart.example]");
	answer(PR_OK, better, 3);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by [smart.example]");
	answer(PR_OK, self_only, 2);
	expect_route("loop.example", PR_PERMFAIL, "5.3.5", "points back to me.example");
	fallback_smart = PR_NONE;
}

/* TLSA records are asked for where the host was found by proven means; a host of which they cannot be told is not called. */
static void test_dane(void)
{
	static const struct pr_mx proven[] = {{.name = {"mx1.example", 11}, .preference = 1, .flags = PR_DNS_SECURE}, {.name = {"mx2.example", 11}, .preference = 2, .flags = PR_DNS_SECURE}};
	static const struct pr_mx unproven[] = {{.name = {"mx1.example", 11}, .preference = 1}};

	answer(PR_OK, proven, 2);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by mx2.example.");
	CU_ASSERT_STRING_EQUAL(dane_asked, ""); /* the option is off */
	dane = PR_STR("true");
	expect_route("y.example", PR_TEMPFAIL, "4.7.0", "Deferred: DANE of mx2.example cannot be told: it is forged");
	CU_ASSERT_STRING_EQUAL(dane_asked, "mx1.example:1;mx2.example:1;");
	dane_asked[0] = '\0';
	expect_route("[relay.example]", PR_TEMPFAIL, "4.7.0", "DANE of relay.example");
	CU_ASSERT_STRING_EQUAL(dane_asked, "relay.example:1;");
	answer(PR_NOTFOUND, NULL, 0);
	expect_route("bare.example", PR_TEMPFAIL, "4.7.0", "DANE of bare.example");
	dane_asked[0] = '\0';
	expect_route("[127.0.0.1]", PR_TEMPFAIL, "4.4.1", "Connection refused by [127.0.0.1]");
	answer(PR_OK, unproven, 1);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by mx1.example.");
	letters = PR_STR("MD");
	answer(PR_OK, proven, 1);
	expect_route("y.example", PR_TEMPFAIL, "4.4.1", "Connection refused by mx1.example.");
	CU_ASSERT_STRING_EQUAL(dane_asked, "");
	dane = letters = PR_NONE;
}

static const struct unit_case cases[] = {{"MX records", test_records}, {"no MX records", test_no_records}, {"TryNullMXList", test_own_list},
    {"FallbackMXhost", test_fallbacks}, {"FallbackSmartHost", test_smart_host}, {"DANE", test_dane}, {NULL, NULL}};
UNIT_MAIN("routes of the SMTP mailer", cases)
