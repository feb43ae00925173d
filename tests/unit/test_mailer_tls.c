/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SMTP mailer and STARTTLS: which questions the rules are asked in which order, what goes out, and what becomes of the mail.
 * The TLS of this test changes no byte, so that a scripted server can be the other side; what OpenSSL does is test_tls.c's and the stories' matter.
 */
#include "modules/mailers/smtp/smtp.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"

#include <postrider/rules.h>
#include <string.h>
#include <sys/socket.h>

extern const struct pr_module smtp_LTX_pr_module;

#define HELLO_TLS "<220 fake.example ESMTP\r\n", ">EHLO me.example\r\n", "<250-fake.example\r\n250 STARTTLS\r\n"
#define HELLO_AGAIN ">EHLO me.example\r\n", "<250 fake.example\r\n"
#define MAIL_ONE ">MAIL", "<250 ok\r\n", ">RCPT To:<u1@y.example>", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 done\r\n"

struct pr_tls {
	int fd;
};

static char asked[2000];  /* "try_tls [127.0.0.1];tls_server OK;" */
static char refused[200]; /* a question that begins so is refused */
static const char *verify; /* what the handshake gives; NULL: it fails */
static struct pr_tls tls;
static unsigned int open_tls;
static char peer_verify[20];

static void note(const char *name, struct pr_str argument)
{
	size_t length = strlen(asked);

	snprintf(asked + length, sizeof asked - length, "%s %.*s;", name, PR_PRINT(argument));
}

static enum pr_status rules_check(struct pr_call *call, uint32_t check, const struct pr_list *arguments, struct pr_verdict *verdict)
{
	const char *name = check == PR_CHECK_TRY_TLS ? "try_tls" : check == PR_CHECK_TLS_SERVER ? "tls_server" : "tls_rcpt";
	char question[200];

	(void)call;
	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	note(name, arguments->items[0]);
	snprintf(question, sizeof question, "%s %.*s", name, PR_PRINT(arguments->items[0]));
	if (refused[0] != '\0' && strncmp(question, refused, strlen(refused)) == 0)
		*verdict = (struct pr_verdict){.action = PR_DEFER, .code = 454, .enhanced = PR_STR("4.7.5"), .text = PR_STR("not so")};
	return PR_OK;
}

static enum pr_status rules_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	(void)call;
	CU_ASSERT_TRUE(pr_str_equal(name, PR_STR("clt_features")));
	note("clt_features", arguments->items[0]);
	if (strcmp(refused, "clt_features") != 0)
		return PR_NOTFOUND;
	*value_out = PR_STR("temp");
	return PR_OK;
}

static enum pr_status tls_start(struct pr_call *call, int32_t fd, struct pr_str name, int64_t milliseconds, struct pr_tls **tls_out)
{
	CU_ASSERT_TRUE(pr_str_equal(name, PR_STR("[127.0.0.1]")));
	CU_ASSERT_TRUE(milliseconds > 0);
	if (verify == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no shaking of hands");
	tls.fd = fd;
	open_tls++;
	*tls_out = &tls;
	return PR_OK;
}

static int64_t tls_read(struct pr_tls *with, void *buffer, size_t room)
{
	return recv(with->fd, buffer, room, 0);
}

static int64_t tls_write(struct pr_tls *with, const void *data, size_t len)
{
	return send(with->fd, data, len, MSG_NOSIGNAL);
}

static void tls_end(struct pr_tls *with)
{
	CU_ASSERT_PTR_EQUAL(with, &tls);
	open_tls--;
}

static void talks_to(struct pr_call *call, const struct pr_peer *peer)
{
	(void)call;
	snprintf(peer_verify, sizeof peer_verify, "%.*s", PR_PRINT(peer->tls != NULL ? pr_str(verify) : peer->verify));
}

static struct pr_str macro(struct pr_call *call, struct pr_str name)
{
	(void)call;
	return pr_str_equal(name, PR_STR("verify")) ? pr_str(peer_verify) : PR_NONE;
}

static const char *fallback = "false";

static struct pr_str option(struct pr_call *call, struct pr_str name)
{
	(void)call;
	if (pr_str_equal(name, PR_STR("TLSFallbacktoClear")))
		return pr_str(fallback);
	return pr_str_has_prefix_nocase(name, PR_STR("Timeout.")) ? PR_STR("1s") : PR_NONE;
}

static enum pr_status header_print(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out)
{
	(void)call;
	(void)envelope;
	pr_text_add_c(out, "Subject: x\n\n");
	return PR_OK;
}

static void answered(struct pr_call *call, const struct pr_delivery *delivery, struct pr_str command)
{
	(void)call;
	(void)delivery;
	(void)command;
}

static const struct pr_host host = {.size = sizeof host, .option = option, .macro = macro, .header_print = header_print, .answered = answered,
    .tls_start = tls_start, .tls_read = tls_read, .tls_write = tls_write, .tls_end = tls_end, .talks_to = talks_to, .rules_check = rules_check,
    .rules_feature = rules_feature};

struct fixture {
	struct smtp smtp;
	struct smtp_session session;
	struct pr_arena arena;
	struct pr_call call;
	struct pr_envelope envelope;
	struct pr_delivery deliveries[2];
	struct pr_destination destination;
	struct fake_server *server;
	char host[80];
};

static void begin(struct fixture *f, const char *const *script, const char *use)
{
	static const char *const users[] = {"u1@y.example", "u2@y.example"};
	struct pr_str why;

	memset(f, 0, sizeof *f);
	asked[0] = refused[0] = '\0';
	verify = "OK";
	f->server = fake_server_start(script);
	snprintf(f->host, sizeof f->host, "[127.0.0.1]:%u", fake_server_port(f->server));
	pr_arena_init(&f->arena, 1u << 24);
	f->call = (struct pr_call){.size = sizeof f->call, .host = &host, .arena = &f->arena, .instance = &f->smtp, .session = &f->session};
	CU_ASSERT_EQUAL(pr_option_defaults(smtp_LTX_pr_module.options, &f->smtp, &f->arena, &why), PR_OK);
	f->smtp.tls = pr_str(use);
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.check(&f->call), PR_OK);
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.open(&f->call), PR_OK);
	f->envelope = (struct pr_envelope){.size = sizeof f->envelope, .sender = PR_STR("<a@x.example>")};
	for (size_t i = 0; i < 2; i++)
		f->deliveries[i].user = pr_str(users[i]);
	f->destination = (struct pr_destination){.size = sizeof f->destination, .identity = PR_STR("me.example"), .host = pr_str(f->host)};
}

static void deliver(struct fixture *f, size_t count)
{
	const struct pr_mailer_ops *ops = smtp_LTX_pr_module.ops;

	for (size_t i = 0; i < count; i++)
		f->deliveries[i].status = PR_MISUSE;
	CU_ASSERT_EQUAL(ops->deliver(&f->call, &f->destination, &f->envelope, NULL, f->deliveries, count), PR_OK);
}

static void finish(struct fixture *f)
{
	smtp_drop(&f->session);
	CU_ASSERT_EQUAL(open_tls, 0);
	pr_arena_fini(&f->arena);
	CU_ASSERT_TRUE(fake_server_stop(f->server));
	fake_server_free(f->server);
}

/* One delivery to one recipient: the status, the questions. */
static void play(const char *const *script, const char *use, const char *refuse, const char *result, enum pr_status status, const char *reply, const char *questions)
{
	struct fixture f;

	begin(&f, script, use);
	verify = result;
	snprintf(refused, sizeof refused, "%s", refuse);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, status);
	CU_ASSERT_PTR_NOT_NULL(strstr(f.deliveries[0].reply.data, reply));
	if (strstr(f.deliveries[0].reply.data, reply) == NULL)
		fprintf(stderr, "reply: %s\n", f.deliveries[0].reply.data);
	CU_ASSERT_STRING_EQUAL(asked, questions);
	finish(&f);
}

#define ME "[127.0.0.1]"
#define SECURED "clt_features " ME ";try_tls " ME ";tls_server OK;tls_rcpt u1@y.example;"

static void test_secured(void)
{
	static const char *const script[] = {HELLO_TLS, ">STARTTLS\r\n", "<220 go\r\n", HELLO_AGAIN, MAIL_ONE, NULL};
	static const char *const injected[] = {HELLO_TLS, ">STARTTLS\r\n", "<220 go\r\n250-evil.example\r\n250 PIPELINING\r\n", HELLO_AGAIN, MAIL_ONE, NULL};

	play(script, "may", "", "OK", PR_OK, "250 done", SECURED);
	play(script, "must", "", "OK", PR_OK, "250 done", SECURED);
	play(injected, "may", "", "OK", PR_OK, "250 done", SECURED); /* each command waits for its reply: PIPELINING was not believed */
}

static void test_in_the_clear(void)
{
	static const char *const not_offered[] = {"<220 hi\r\n", ">EHLO", "<250 fake.example\r\n", MAIL_ONE, NULL};
	static const char *const offered[] = {HELLO_TLS, MAIL_ONE, NULL};
	static const char *const later[] = {HELLO_TLS, ">STARTTLS", "<454 not now\r\n", MAIL_ONE, NULL};
	static const char *const unknown[] = {HELLO_TLS, ">STARTTLS", "<500 what\r\n", MAIL_ONE, NULL};
	static const char *const refuses[] = {HELLO_TLS, ">STARTTLS", "<454 not now\r\n", ">QUIT", "<221 bye\r\n", NULL};

	play(not_offered, "may", "", "OK", PR_OK, "250 done", "clt_features " ME ";tls_server NONE;tls_rcpt u1@y.example;");
	play(offered, "never", "", "OK", PR_OK, "250 done", "clt_features " ME ";tls_server NONE;tls_rcpt u1@y.example;");
	play(offered, "may", "try_tls", "OK", PR_OK, "250 done", "clt_features " ME ";try_tls " ME ";tls_server NONE;tls_rcpt u1@y.example;");
	play(later, "may", "", "OK", PR_OK, "250 done", "clt_features " ME ";try_tls " ME ";tls_server TEMP;tls_rcpt u1@y.example;");
	play(unknown, "may", "", "OK", PR_OK, "250 done", "clt_features " ME ";try_tls " ME ";tls_server NONE;tls_rcpt u1@y.example;");
	play(refuses, "must", "", "OK", PR_TEMPFAIL, "403 4.7.0", "clt_features " ME ";try_tls " ME ";tls_server TEMP;");
	play(refuses, "may", "tls_server TEMP", "OK", PR_TEMPFAIL, "454 4.7.5 not so", "clt_features " ME ";try_tls " ME ";tls_server TEMP;");
}

static void test_failed(void)
{
	static const char *const script[] = {HELLO_TLS, ">STARTTLS", "<220 go\r\n", NULL};
	static const char *const away[] = {HELLO_TLS, ">STARTTLS", "<421 4.3.2 full\r\n", NULL};
	static const char *const twice[] = {HELLO_TLS, ">STARTTLS", "<220 go\r\n", "+", HELLO_TLS, MAIL_ONE, NULL};

	play(script, "may", "", NULL, PR_TEMPFAIL, "403 4.7.0 server not authenticated.", "clt_features " ME ";try_tls " ME ";tls_server SOFTWARE;");
	play(script, "may", "tls_server", NULL, PR_TEMPFAIL, "454 4.7.5 not so", "clt_features " ME ";try_tls " ME ";tls_server SOFTWARE;");
	play(away, "may", "", "OK", PR_TEMPFAIL, "421 4.3.2 full", "clt_features " ME ";try_tls " ME ";tls_server TEMP;");
	fallback = "true";
	play(twice, "may", "", NULL, PR_OK, "250 done",
	    "clt_features " ME ";try_tls " ME ";tls_server SOFTWARE;clt_features " ME ";tls_server CLEAR;tls_rcpt u1@y.example;");
	play(script, "must", "", NULL, PR_TEMPFAIL, "403 4.7.0", "clt_features " ME ";try_tls " ME ";tls_server SOFTWARE;");
	fallback = "false";
}

/* No call is made before the rules know what they want. */
static void test_features(void)
{
	static const char *const script[] = {HELLO_TLS, ">STARTTLS", "<220 go\r\n", HELLO_AGAIN, MAIL_ONE, NULL};
	struct fixture f;

	begin(&f, script, "may");
	snprintf(refused, sizeof refused, "clt_features");
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_TEMPFAIL);
	CU_ASSERT_STRING_EQUAL(f.deliveries[0].reply.data, "Deferred: clt_features=TEMPFAIL");
	CU_ASSERT_STRING_EQUAL(asked, "clt_features " ME ";");
	refused[0] = '\0';
	memset(&f.session, 0, sizeof f.session); /* one that is not open is not kept */
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	finish(&f);
}

static void test_recipients(void)
{
	static const char *const script[] = {HELLO_TLS, ">STARTTLS", "<220 go\r\n", HELLO_AGAIN, MAIL_ONE, NULL};
	struct fixture f;

	begin(&f, script, "may");
	snprintf(refused, sizeof refused, "tls_rcpt u2");
	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_TEMPFAIL);
	CU_ASSERT_STRING_EQUAL(f.deliveries[1].reply.data, "454 4.7.5 not so");
	CU_ASSERT_EQUAL(f.deliveries[1].code, 454);
	finish(&f);
}

/* A kept connection is asked about again, and is left when the rules do not want it any more. */
static void test_kept(void)
{
	static const char *const script[] = {HELLO_TLS, ">STARTTLS", "<454 not now\r\n", MAIL_ONE, MAIL_ONE, ">QUIT", "<221 bye\r\n", "$", "+",
	    HELLO_TLS, ">STARTTLS", "<220 go\r\n", HELLO_AGAIN, MAIL_ONE, NULL};
	struct fixture f;

	begin(&f, script, "may");
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(f.session.served, 2);
	snprintf(refused, sizeof refused, "tls_server TEMP");
	asked[0] = '\0';
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_STRING_EQUAL(asked, "tls_server TEMP;" SECURED);
	CU_ASSERT_TRUE(((const struct pr_mailer_ops *)smtp_LTX_pr_module.ops)->alive(&f.call));
	finish(&f);
}

/* A kernel of before has no such calls. */
static void test_older_kernel(void)
{
	static const char *const script[] = {HELLO_TLS, MAIL_ONE, NULL};
	struct pr_host older = host;
	struct fixture f;

	begin(&f, script, "may");
	older.size = offsetof(struct pr_host, tls_start);
	f.call.host = &older;
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_STRING_EQUAL(asked, "");
	finish(&f);
}

static void test_word(void)
{
	struct smtp smtp = {.port = 25, .tls = PR_STR("always")};
	struct pr_arena arena;

	pr_arena_init(&arena, 4096);
	struct pr_call call = {.size = sizeof call, .host = &host, .arena = &arena, .instance = &smtp};
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.check(&call), PR_MISUSE);
	CU_ASSERT_STRING_EQUAL(call.reason.data, "tls: always is not one of may, never, must");
	pr_arena_fini(&arena);
}

static const struct unit_case cases[] = {
	{"secured", test_secured}, {"in the clear", test_in_the_clear}, {"failed", test_failed}, {"features", test_features}, {"recipients", test_recipients},
	{"kept", test_kept}, {"older kernel", test_older_kernel}, {"word", test_word}, {NULL, NULL},
};

UNIT_MAIN("smtp mailer and TLS", cases)
