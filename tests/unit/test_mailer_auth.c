/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AUTH as a client: base64, the words of authinfo, which mechanisms may be tried where, and servers whose questions have no end.
 */
#include "modules/mailers/smtp/auth.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct pr_arena arena;
static const char *allowed = "", *letters = "", *certificate = "";

static struct pr_str option(struct pr_call *call, struct pr_str name)
{
	(void)call;
	if (pr_str_equal(name, PR_STR("AuthMechanisms")))
		return pr_str(allowed);
	if (pr_str_equal(name, PR_STR("ClientCertFile")))
		return pr_str(certificate);
	return pr_str_equal(name, PR_STR("AuthOptions")) ? pr_str(letters) : PR_NONE;
}

static enum pr_status feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	(void)call;
	(void)arguments;
	*value_out = PR_STR("\"U:joe\" \"P:secret\"");
	return pr_str_equal(name, PR_STR("authinfo")) ? PR_OK : PR_NOTFOUND;
}

static void log_nothing(struct pr_call *call, uint32_t level, const char *format, ...)
{
	(void)call;
	(void)level;
	(void)format;
}

static const struct pr_host host = {.size = sizeof host, .option = option, .rules_feature = feature, .log = log_nothing};
static struct pr_call call = {.size = sizeof call, .host = &host, .arena = &arena};

static void test_base64(void)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm-_", "Zg=v"};
	struct pr_str bytes;

	pr_arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		CU_ASSERT_TRUE(pr_str_equal(pr_base64_encode(&arena, pr_str(pairs[i][0])), pr_str(pairs[i][1])));
		CU_ASSERT_TRUE(pr_base64_decode(&arena, pr_str(pairs[i][1]), &bytes));
		CU_ASSERT_TRUE(pr_str_equal(bytes, pr_str(pairs[i][0])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(pr_base64_decode(&arena, pr_str(bad[i]), &bytes));
	char all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	struct pr_str whole = {all, sizeof all};
	CU_ASSERT_TRUE(pr_base64_decode(&arena, pr_base64_encode(&arena, whole), &bytes));
	CU_ASSERT_TRUE(pr_str_equal(bytes, whole));
	pr_arena_fini(&arena);
}

static bool is(struct pr_str got, const char *wanted)
{
	return pr_str_equal(got, pr_str(wanted));
}

static void test_words(void)
{
	static const char *const bad[] = {"", "joe secret", "\"X:joe\"", "\"U joe\"", "U:", "\"P:secret\"", "\"U:joe\" \"P=no base64\"", "\"U:a\nb\"", "\"U=YQBi\"", "\"M:PLAIN\"", "\"P:x\"",
	                                   "\"U:a\" \"T:etc/token\"", "\"U:a\" \"T:|\"", "\"U:a\" \"T:joe|token\"", "\"T:/etc/token\""};
	struct auth_identity identity;

	pr_arena_init(&arena, 1u << 20);
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"U:joe\" \"I:john\" \"P:two words\" \"R:example.org\" \"M:PLAIN LOGIN\""), &identity));
	CU_ASSERT_TRUE(is(identity.user, "joe") && is(identity.name, "john") && is(identity.password, "two words") && is(identity.realm, "example.org"));
	CU_ASSERT_TRUE(is(identity.mechanisms, "PLAIN LOGIN"));
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("  U:joe P=c2VjcmV0  "), &identity));
	CU_ASSERT_TRUE(is(identity.user, "joe") && is(identity.name, "joe") && is(identity.password, "secret") && identity.mechanisms.len == 0);
	CU_ASSERT_TRUE(is(identity.token, "") && identity.is_named);
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"U:joe\" \"T:mail|/bin/token a b\""), &identity) && is(identity.token, "mail|/bin/token a b"));
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"U:joe\" T:/etc/token"), &identity) && is(identity.token, "/etc/token"));
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"M:EXTERNAL\""), &identity) && !identity.is_named);
	CU_ASSERT_TRUE(auth_info_parse(&call, PR_STR("\"I:john\""), &identity) && !identity.is_named);
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
		const char *left, *token, *certificate;
	} cases[] = {
		{"EXTERNAL XOAUTH2 CRAM-MD5", "", "", "", true, "XOAUTH2 CRAM-MD5", "/t", ""},
		{"EXTERNAL XOAUTH2 CRAM-MD5", "", "", "", true, "EXTERNAL CRAM-MD5", "", "/c"},
		{"EXTERNAL OAUTHBEARER CRAM-MD5", "CRAM-MD5", "", "", true, "OAUTHBEARER CRAM-MD5", "/t", "/c"},
		{"EXTERNAL XOAUTH2 OAUTHBEARER", "", "OAUTHBEARER EXTERNAL", "", true, "EXTERNAL OAUTHBEARER", "/t", "/c"},
		{"EXTERNAL XOAUTH2 OAUTHBEARER PLAIN", "", "XOAUTH2 OAUTHBEARER EXTERNAL PLAIN", "", false, "PLAIN", "/t", "/c"},
		{"PLAIN LOGIN CRAM-MD5", "", "", "", false, "CRAM-MD5", "", ""},
		{"PLAIN LOGIN CRAM-MD5", "", "", "", true, "CRAM-MD5", "", ""},
		{"PLAIN LOGIN CRAM-MD5", "plain cram-md5", "", "", true, "PLAIN CRAM-MD5", "", ""},
		{"PLAIN LOGIN CRAM-MD5", "PLAIN CRAM-MD5", "", "", false, "CRAM-MD5", "", ""}, /* an option is not about this host */
		{"PLAIN LOGIN CRAM-MD5", "CRAM-MD5", "PLAIN", "", true, "PLAIN", "", ""},
		{"PLAIN LOGIN CRAM-MD5", "CRAM-MD5", "LOGIN PLAIN", "", false, "PLAIN LOGIN", "", ""},
		{"PLAIN LOGIN CRAM-MD5", "", "LOGIN PLAIN", "A,p", false, "", "", ""},
		{"PLAIN LOGIN CRAM-MD5", "", "LOGIN PLAIN", "p", true, "PLAIN LOGIN", "", ""},
		{"FOO ANONYMOUS EXTERNAL", "", "", "", true, "", "", ""},
	};
	struct smtp_session session = {.open = 0};
	struct smtp_run run = {.call = &call, .session = &session};
	static char something;

	pr_arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct auth_identity identity = {.password = PR_STR("secret"), .mechanisms = pr_str(cases[i].entry), .token = pr_str(cases[i].token)};
		snprintf(session.mechanisms, sizeof session.mechanisms, "%s", cases[i].offered);
		allowed = cases[i].option;
		letters = cases[i].letters;
		certificate = cases[i].certificate;
		session.tls = cases[i].tls ? (struct pr_tls *)(void *)&something : NULL;
		struct pr_str left = auth_mechanisms(&run, &identity);
		if (!is(left, cases[i].left)) {
			fprintf(stderr, "case %zu: wanted \"%s\", got \"%.*s\"\n", i, cases[i].left, PR_PRINT(left));
			CU_FAIL("other mechanisms");
		}
	}
	pr_arena_fini(&arena);
}

/* Built without Cyrus SASL nothing can be tried. */
static bool can_try(const struct smtp_session *session)
{
	struct auth_identity identity = {.user = PR_STR("joe"), .name = PR_STR("joe"), .password = PR_STR("secret")};
	struct auth_dialogue *dialogue = auth_dialogue_new(&call, session, &identity, 0);
	struct pr_str mechanism, bytes;
	bool can = dialogue != NULL && auth_dialogue_start(dialogue, &call, pr_str(session->mechanisms), &mechanism, &bytes);

	auth_dialogue_free(dialogue);
	return can;
}

/* The conversation with a server that plays `script`. */
static void converse(const char *const *script, enum pr_status wanted, bool is_open)
{
	static struct smtp smtp;
	struct smtp_session session = {.open = 1, .host = &host};
	struct smtp_run run = {.call = &call, .smtp = &smtp, .session = &session};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct smtp_outcome outcome = {.status = PR_OK};

	pr_arena_init(&arena, 1u << 20);
	snprintf(session.mechanisms, sizeof session.mechanisms, "CRAM-MD5");
	snprintf(session.server, sizeof session.server, "mx.example");
	allowed = letters = "";
	for (size_t i = 0; i < SMTP_WAITS; i++)
		smtp.wait[i] = 10;
	if (can_try(&session)) {
		struct fake_server *server = fake_server_start(script);
		address.sin_port = htons((uint16_t)fake_server_port(server));
		session.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CU_ASSERT_EQUAL_FATAL(connect(session.fd, (struct sockaddr *)&address, sizeof address), 0);
		CU_ASSERT_EQUAL(smtp_authenticate(&run, &outcome), wanted);
		CU_ASSERT_EQUAL(outcome.status, wanted);
		CU_ASSERT_EQUAL(session.open, is_open);
		smtp_drop(&session);
		CU_ASSERT_TRUE(fake_server_stop(server));
		fake_server_free(server);
	}
	pr_arena_fini(&arena);
}

#define CHALLENGE "<334 PDFAbXguZXhhbXBsZT4=\r\n"

static void test_questions_without_end(void)
{
	static const char *const known[] = {">AUTH CRAM-MD5\r\n", CHALLENGE, ">am9lI", "<235 2.0.0 welcome\r\n", NULL};
	static const char *const given_up[] = {">AUTH CRAM-MD5\r\n", "<334 no base64!\r\n", ">*\r\n", "<501 5.7.0 as you like\r\n", NULL};
	static const char *const asks_on[] = {">AUTH CRAM-MD5\r\n", "<334 no base64!\r\n", ">*\r\n", "<334 no base64!\r\n", ">QUIT\r\n", "<334 no base64!\r\n", NULL};
	static const char *const again[] = {">AUTH CRAM-MD5\r\n", CHALLENGE, ">am9lI", CHALLENGE, ">*\r\n", CHALLENGE, ">QUIT\r\n", CHALLENGE, NULL};

	converse(known, PR_OK, true);
	converse(given_up, PR_OK, true);
	converse(asks_on, PR_TEMPFAIL, false);
	converse(again, PR_TEMPFAIL, false);
}

/* What is said of a token, byte by byte (RFC 7628 section 4.1), and that it is not shown for ever. */
static void test_tokens(void)
{
	static const char *const script[] = {">AUTH OAUTHBEARER bixhPWpvZT0yQ2E9M0RiLAFob3N0PW14LmV4YW1wbGUBYXV0aD1CZWFyZXIgdGgzdG9rZW4BAQ==\r\n", "<334 eyJzdGF0dXMiOiI0MDEifQ==\r\n",
		">AQ==\r\n", "<535 5.7.8 no\r\n", NULL};
	static const char *const other[] = {">AUTH XOAUTH2 dXNlcj1qb2UsYT1iAWF1dGg9QmVhcmVyIHRoM3Rva2VuAQE=\r\n", "<334 eyJzdGF0dXMiOiI0MDEifQ==\r\n", ">\r\n", "<535 5.7.8 no\r\n", NULL};
	static struct smtp smtp;
	char path[] = "/tmp/postrider-token-XXXXXX";
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0 && write(fd, "th3token\n", 9) == 9 && close(fd) == 0);
	pr_arena_init(&arena, 1u << 20);
	for (int i = 0; i < SMTP_WAITS; i++)
		smtp.wait[i] = 10;
	for (int i = 0; i < 2; i++) {
		struct smtp_session session = {.open = 1, .host = &host};
		struct smtp_run run = {.call = &call, .smtp = &smtp, .session = &session};
		struct auth_identity identity = {.user = PR_STR("joe,a=b"), .token = pr_str(path)};
		struct fake_server *server = fake_server_start(i == 0 ? script : other);
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)fake_server_port(server))};
		session.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		snprintf(session.server, sizeof session.server, "mx.example");
		CU_ASSERT_EQUAL_FATAL(connect(session.fd, (struct sockaddr *)&address, sizeof address), 0);
		CU_ASSERT_EQUAL(auth_own(&run, &identity, i == 0 ? PR_STR("OAUTHBEARER") : PR_STR("XOAUTH2")), AUTH_LATER); /* refused; the file has no other */
		smtp_drop(&session);
		CU_ASSERT_TRUE(fake_server_stop(server));
		fake_server_free(server);
	}
	unlink(path);
	pr_arena_fini(&arena);
}

static const struct unit_case cases[] = {{"base64", test_base64}, {"words", test_words}, {"mechanisms", test_mechanisms},
	{"questions without end", test_questions_without_end}, {"tokens", test_tokens}, {NULL, NULL}};

UNIT_MAIN("smtp mailer and AUTH", cases)
