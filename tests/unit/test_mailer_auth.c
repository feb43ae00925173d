/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of AUTH that have no conversation: base64, the words of authinfo, and which mechanisms may be tried where.
 */
#include "modules/mailers/smtp/auth.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct pr_arena arena;
static const char *allowed = "", *letters = "";

static struct pr_str option(struct pr_call *call, struct pr_str name)
{
	(void)call;
	if (pr_str_equal(name, PR_STR("AuthMechanisms")))
		return pr_str(allowed);
	return pr_str_equal(name, PR_STR("AuthOptions")) ? pr_str(letters) : PR_NONE;
}

static const struct pr_host host = {.size = sizeof host, .option = option};
static struct pr_call call = {.size = sizeof call, .host = &host, .arena = &arena};

static void test_base64(void)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm-_", "Zg=v"};
	struct pr_str bytes;

	pr_arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		CU_ASSERT_TRUE(pr_str_equal(auth_base64_encode(&arena, pr_str(pairs[i][0])), pr_str(pairs[i][1])));
		CU_ASSERT_TRUE(auth_base64_decode(&arena, pr_str(pairs[i][1]), &bytes));
		CU_ASSERT_TRUE(pr_str_equal(bytes, pr_str(pairs[i][0])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(auth_base64_decode(&arena, pr_str(bad[i]), &bytes));
	char all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	struct pr_str whole = {all, sizeof all};
	CU_ASSERT_TRUE(auth_base64_decode(&arena, auth_base64_encode(&arena, whole), &bytes));
	CU_ASSERT_TRUE(pr_str_equal(bytes, whole));
	pr_arena_fini(&arena);
}

static bool is(struct pr_str got, const char *wanted)
{
	return pr_str_equal(got, pr_str(wanted));
}

static void test_words(void)
{
	static const char *const bad[] = {"", "joe secret", "\"X:joe\"", "\"U joe\"", "U:", "\"P:secret\"", "\"U:joe\" \"P=no base64\"", "\"U:a\nb\"", "\"U=YQBi\""};
	struct auth_identity identity;

	pr_arena_init(&arena, 1u << 20);
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"U:joe\" \"I:john\" \"P:two words\" \"R:example.org\" \"M:PLAIN LOGIN\""), &identity));
	CU_ASSERT_TRUE(is(identity.user, "joe") && is(identity.name, "john") && is(identity.password, "two words") && is(identity.realm, "example.org"));
	CU_ASSERT_TRUE(is(identity.mechanisms, "PLAIN LOGIN"));
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("  U:joe P=c2VjcmV0  "), &identity));
	CU_ASSERT_TRUE(is(identity.user, "joe") && is(identity.name, "joe") && is(identity.password, "secret") && identity.mechanisms.len == 0);
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"I:john\""), &identity));
	CU_ASSERT_TRUE(is(identity.user, "john") && is(identity.name, "john"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(auth_info_parse(&call, pr_str(bad[i]), &identity));
	pr_arena_fini(&arena);
}

static void test_mechanisms(void)
{
	static const struct {
		const char *offered, *option, *entry, *letters;
		bool tls;
		const char *left;
	} cases[] = {
		{"PLAIN LOGIN CRAM-MD5", "", "", "", false, "CRAM-MD5"},
		{"PLAIN LOGIN CRAM-MD5", "", "", "", true, "CRAM-MD5"},
		{"PLAIN LOGIN CRAM-MD5", "plain cram-md5", "", "", true, "PLAIN CRAM-MD5"},
		{"PLAIN LOGIN CRAM-MD5", "PLAIN CRAM-MD5", "", "", false, "CRAM-MD5"}, /* an option is not about this host */
		{"PLAIN LOGIN CRAM-MD5", "CRAM-MD5", "PLAIN", "", true, "PLAIN"},
		{"PLAIN LOGIN CRAM-MD5", "CRAM-MD5", "LOGIN PLAIN", "", false, "PLAIN LOGIN"},
		{"PLAIN LOGIN CRAM-MD5", "", "LOGIN PLAIN", "A,p", false, ""},
		{"PLAIN LOGIN CRAM-MD5", "", "LOGIN PLAIN", "p", true, "PLAIN LOGIN"},
		{"FOO ANONYMOUS EXTERNAL", "", "", "", true, ""},
	};
	struct smtp_session session = {.open = 0};
	struct smtp_run run = {.call = &call, .session = &session};
	static char something;

	pr_arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct auth_identity identity = {.mechanisms = pr_str(cases[i].entry)};
		snprintf(session.mechanisms, sizeof session.mechanisms, "%s", cases[i].offered);
		allowed = cases[i].option;
		letters = cases[i].letters;
		session.tls = cases[i].tls ? (struct pr_tls *)(void *)&something : NULL;
		struct pr_str left = auth_mechanisms(&run, &identity);
		if (!is(left, cases[i].left)) {
			fprintf(stderr, "case %zu: wanted \"%s\", got \"%.*s\"\n", i, cases[i].left, PR_PRINT(left));
			CU_FAIL("other mechanisms");
		}
	}
	pr_arena_fini(&arena);
}

static const struct unit_case cases[] = {{"base64", test_base64}, {"words", test_words}, {"mechanisms", test_mechanisms}, {NULL, NULL}};

UNIT_MAIN("smtp mailer and AUTH", cases)
