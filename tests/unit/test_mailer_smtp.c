/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SMTP mailer against a scripted server: what it says, what it makes of the answers, and what it does when
 * the other side is slow, talks too much, or goes away at the worst moment.
 */
#include "tests/unit/mailer_fixture.h"

/* cases ---------------------------------------------------------------------- */
static void test_pipelined(void)
{
	static const char *const script[] = {HELLO_ALL,
		">MAIL From:<a@x.example> SIZE=25\r\n", ">RCPT To:<u1@y.example>\r\n", ">RCPT To:<u2@y.example>\r\n", ">DATA\r\n",
		"<250 2.1.0 ok\r\n250 2.1.5 ok\r\n550 5.1.1 no such mailbox\r\n354 go\r\n", ".", "<250 2.0.0 queued as 77\r\n",
		">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 again\r\n", ">QUIT", "<221 bye\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 2, script);
	size_t length;

	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(f.deliveries[0].code, 250);
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "250 2.0.0 queued as 77"));
	CU_ASSERT_EQUAL(f.deliveries[0].flags, PR_DELIVERY_DSN_TAKEN);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_PERMFAIL);
	CU_ASSERT_EQUAL(f.deliveries[1].code, 550);
	CU_ASSERT_TRUE(pr_str_equal(f.deliveries[1].enhanced, PR_STR("5.1.1")));
	CU_ASSERT_TRUE(pr_str_equal(f.deliveries[1].remote, PR_STR("[127.0.0.1] [127.0.0.1]")));
	CU_ASSERT_STRING_EQUAL(answered, "RCPT To:<u2@y.example>;");
	CU_ASSERT_TRUE(ops()->alive(&f.call));
	deliver(&f, 1); /* the same connection, without RSET */
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	ops()->session_close(&f.call);
	CU_ASSERT_FALSE(f.session.open);
	finish(&f, server);
	(void)length;
}

static struct pr_text watched;

static void watch(struct pr_call *call, uint32_t what, struct pr_str text)
{
	(void)call;
	if (what != PR_PROGRESS_MESSAGE) /* which is shown where somebody asked for all of it */
		pr_text_addf(&watched, "%c %.*s\n", "?C=><."[what], PR_PRINT(text));
}

/* Who watches is told everything in its order; a host table that ends before `progress` is left alone. */
static void test_watched(void)
{
	static const char *const script[] = {HELLO_PLAIN, ">MAIL", "<250 ok\r\n", ">RCPT", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 done\r\n",
		">MAIL", "<250 ok\r\n", ">RCPT", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 done\r\n", ">QUIT", "<221 bye\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);
	struct pr_host here = host;
	char expected[200];

	pr_text_init(&watched, 10000);
	here.progress = watch;
	f.call.host = &here;
	deliver(&f, 1);
	snprintf(expected, sizeof expected, "C [127.0.0.1] port %u\n< 220 fake.example ESMTP\n> EHLO me.example\r\n\n< 250 fake.example\n> MAIL From:", fake_server_port(server));
	CU_ASSERT_TRUE(strncmp(watched.data, expected, strlen(expected)) == 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(watched.data, "< 354 go\n> .\n< 250 done\n"));
	CU_ASSERT_PTR_NULL(strstr(watched.data, "hello\n")); /* and is told as what it is */
	pr_text_clear(&watched);
	here.size = offsetof(struct pr_host, progress);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(watched.len, 0);
	here.size = sizeof here;
	ops()->session_close(&f.call);
	CU_ASSERT_STRING_EQUAL(watched.data, ". [127.0.0.1]\n> QUIT\r\n\n< 221 bye\n");
	finish(&f, server);
	pr_text_fini(&watched);
}

static void test_few_segments(void)
{
	static const char *const script[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	deliver(&f, 1);
	end(&f);
	CU_ASSERT_TRUE(fake_server_stop(server));
	CU_ASSERT_EQUAL(fake_server_reads(server), 3); /* EHLO; MAIL to DATA; message and dot */
	fake_server_free(server);
}

static void test_one_by_one(void)
{
	static const char *const script[] = {HELLO_PLAIN,
		">MAIL From:<a@x.example>\r\n", "<250 ok\r\n", ">RCPT To:<u1@y.example>\r\n", "<250 ok\r\n",
		">RCPT To:<u2@y.example>\r\n", "<450 4.2.1 busy\r\n", ">DATA\r\n", "<354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 2, script);

	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_TEMPFAIL);
	CU_ASSERT_EQUAL(f.deliveries[1].code, 450);
	CU_ASSERT_EQUAL(f.deliveries[0].flags, 0);
	finish(&f, server);
}

static void test_helo_fallback(void)
{
	static const char *const script[] = {"<220 old\r\n", ">EHLO me.example\r\n", "<500 what\r\n", ">HELO me.example\r\n", "<250 hi\r\n",
		">MAIL From:<>\r\n", "<250 ok\r\n", ">RCPT", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	f.envelope.sender = PR_STR("<>");
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	finish(&f, server);
}

static void test_dsn_parameters(void)
{
	static const char *const script[] = {HELLO_ALL,
		">MAIL From:<a@x.example> SIZE=25 BODY=8BITMIME ENVID=my+20id RET=HDRS\r\n",
		">RCPT To:<u1@y.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Joe+2BA@x\r\n", ">RCPT To:<u2@y.example> NOTIFY=NEVER\r\n",
		">DATA", "<250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 2, script);

	f.envelope.flags = PR_ENVELOPE_RET_GIVEN | PR_ENVELOPE_RET_HEADERS;
	f.envelope.envelope_id = PR_STR("my id");
	f.envelope.body_type = PR_STR("8BITMIME");
	f.recipients[0].flags = PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_DELAY;
	f.recipients[0].original = PR_STR("rfc822;Joe+A@x");
	f.recipients[1].flags = PR_RECIPIENT_NOTIFY;
	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_OK);
	finish(&f, server);
}

/* Whatever lies in the body, whatever its pieces: no bare CR or LF, no early dot, nothing lost. */
static void test_content(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", ".\r\n"}, {"a\n", "a\r\n.\r\n"}, {"a", "a\r\n.\r\n"}, {".\n", "..\r\n.\r\n"}, {".", "..\r\n.\r\n"},
		{"..x\n.y\n", "...x\r\n..y\r\n.\r\n"}, {"a\r\nb\n", "a\r\nb\r\n.\r\n"}, {"a\rb\n", "a b\r\n.\r\n"},
		{"\r.\n", " .\r\n.\r\n"}, {"a\n.\rb\n", "a\r\n.. b\r\n.\r\n"}, {"x\r", "x\r\n.\r\n"}, {"\n\n", "\r\n\r\n.\r\n"},
		{"a\n\r\n.\r\nMAIL\n", "a\r\n\r\n..\r\nMAIL\r\n.\r\n"}, {"\r\r\n", " \r\n.\r\n"},
	};
	static const char *const script[] = {HELLO_PLAIN, ">MAIL", "<250 ok\r\n", ">RCPT", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 ok\r\n", NULL};
	static const size_t pieces[] = {1, 2, 3, 65536};
	size_t prefix = strlen("From: a@x\r\nTo: b@y\r\n\r\n"), length;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			struct fixture f;
			struct fake_server *server = begin_with(&f, 1, script);
			f.bytes = (struct bytes){.all = pr_str(cases[i].in), .piece = pieces[k]};
			deliver(&f, 1);
			CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
			end(&f);
			CU_ASSERT_TRUE(fake_server_stop(server));
			const char *data = fake_server_data(server, &length);
			bool same = length == prefix + strlen(cases[i].out) && memcmp(data + prefix, cases[i].out, length - prefix) == 0;
			if (!same)
				fprintf(stderr, "case %zu piece %zu: \"%.*s\"\n", i, pieces[k], (int)(length - prefix), data + prefix);
			CU_ASSERT_TRUE(same);
			fake_server_free(server);
		}
	}
}

static void test_large_body(void)
{
	static const char *const script[] = {"<220 x\r\n", ">EHLO", "<250-x\r\n250 PIPELINING\r\n", ">MAIL", ">RCPT", ">DATA",
		"<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);
	size_t size = 2000000, length, lines = 0;
	char *body = malloc(size);

	for (size_t i = 0; i < size; i++)
		body[i] = i % 61 == 60 ? '\n' : i % 61 == 0 ? '.' : (char)('a' + i % 26);
	for (size_t i = 0; i < size; i++)
		lines += body[i] == '\n';
	f.bytes = (struct bytes){.all = {body, size}, .piece = 5000};
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	end(&f);
	CU_ASSERT_TRUE(fake_server_stop(server));
	fake_server_data(server, &length);
	/* a CR per line, a dot per line, an end for the last line, the final dot */
	CU_ASSERT_EQUAL(length, strlen("From: a@x\r\nTo: b@y\r\n\r\n") + size + lines * 2 + 1 + 2 + 3);
	fake_server_free(server);
	free(body);
}

static void test_too_large_announced(void)
{
	static const char *const script[] = {HELLO_ALL, NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	f.envelope.body_size = 200000;
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	CU_ASSERT_EQUAL(f.deliveries[0].code, 552);
	CU_ASSERT_TRUE(pr_str_equal(f.deliveries[0].enhanced, PR_STR("5.3.4")));
	finish(&f, server);
}

static void test_all_refused(void)
{
	static const char *const script[] = {HELLO_ALL, ">MAIL", ">RCPT", ">RCPT", ">DATA",
		"<250 ok\r\n550 no\r\n450 4.2.1 later\r\n354 well\r\n", ".", "<554 no recipients\r\n",
		/* and a server that refuses DATA gets RSET at once */
		">MAIL", ">RCPT", ">DATA", "<250 ok\r\n550 5.1.1 no\r\n503 no\r\n",
		">RSET", "<250 ok\r\n", ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 2, script);

	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_TEMPFAIL);
	CU_ASSERT_TRUE(f.session.open);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	finish(&f, server);
}

static void test_mail_refused(void)
{
	static const char *const script[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<553 5.1.8 domain of sender\r\n503 no\r\n503 no\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	CU_ASSERT_EQUAL(f.deliveries[0].code, 553);
	CU_ASSERT_STRING_EQUAL(answered, "MAIL From:<a@x.example> SIZE=25;");
	finish(&f, server);
}

/* FAULTS 46: what the next hop does in the middle of things */
static void expect_one(const char *const *script, enum pr_status status, uint32_t code, const char *text)
{
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, status);
	CU_ASSERT_EQUAL(f.deliveries[0].code, code);
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], text));
	finish(&f, server);
}

static void test_next_hop_breaks(void)
{
	static const char *const greeting_421[] = {"<421 4.3.2 busy\r\n", ">QUIT", "<221 bye\r\n", NULL};
	static const char *const greeting_554[] = {"<554 no service\r\n", ">QUIT", "<221 bye\r\n", NULL};
	static const char *const at_mail[] = {HELLO_ALL, ">MAIL", "<421 4.3.2 going down\r\n", "$", NULL};
	static const char *const at_rcpt[] = {HELLO_ALL, ">MAIL", ">RCPT", "<250 ok\r\n421 4.3.2 going down\r\n", "$", NULL};
	static const char *const after_354[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", "$", NULL};
	static const char *const after_dot[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "~", NULL};
	static const char *const dot_5yz[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<554 5.7.1 spam\r\n", NULL};
	static const char *const dot_421[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<421 4.3.0 oops\r\n", NULL};
	static const char *const no_reply[] = {"<ssh-2.0 hello\r\n", NULL};
	static const char *const dot_250_reset[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", "$", NULL};

	expect_one(greeting_421, PR_TEMPFAIL, 421, "421 4.3.2 busy");
	expect_one(greeting_554, PR_PERMFAIL, 554, "554 no service");
	CU_ASSERT_STRING_EQUAL(answered, ";"); /* a greeting answers nothing */
	expect_one(at_mail, PR_TEMPFAIL, 421, "going down");
	expect_one(at_rcpt, PR_TEMPFAIL, 421, "going down");
	expect_one(after_354, PR_TEMPFAIL, 0, "Connection reset by [127.0.0.1]");
	expect_one(after_dot, PR_TEMPFAIL, 0, "Connection reset by [127.0.0.1]");
	CU_ASSERT_STRING_EQUAL(answered, ";");
	expect_one(dot_5yz, PR_PERMFAIL, 554, "554 5.7.1 spam");
	CU_ASSERT_STRING_EQUAL(answered, "DATA;");
	expect_one(dot_421, PR_TEMPFAIL, 421, "oops");
	expect_one(no_reply, PR_TEMPFAIL, 0, "Protocol error");
	expect_one(dot_250_reset, PR_OK, 250, "250 ok");
	CU_ASSERT_STRING_EQUAL(answered, "");
}

/* FAULTS 45: the next hop stops; every wait ends in time and in a deferral */
static void test_next_hop_stops(void)
{
	static const char *const in_greeting[] = {"z25", NULL};
	static const char *const in_mail[] = {HELLO_ALL, ">MAIL", "z25", NULL};
	static const char *const in_data[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n", "z25", NULL};
	static const char *const after_dot[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "z25", NULL};
	static const char *const dripping[] = {HELLO_ALL, ">MAIL", "<2", "z5", "<5", "z5", "<0", "z5", "< ", "z5", "<x", "z9", NULL};
	const char *const *const scripts[] = {in_greeting, in_mail, in_data, after_dot, dripping};

	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		int64_t start = smtp_now_ms();
		struct fixture f;
		struct fake_server *server = begin_with(&f, 1, scripts[i]);
		deliver(&f, 1);
		CU_ASSERT_EQUAL(f.deliveries[0].status, PR_TEMPFAIL);
		CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "Connection timed out with [127.0.0.1]"));
		CU_ASSERT_TRUE(smtp_now_ms() - start < 2400); /* one second, and a slice */
		end(&f);
		fake_server_stop(server);
		fake_server_free(server);
	}
}

/* FAULTS 47: too much, or poison */
static void test_next_hop_talks(void)
{
	static const char *const endless[] = {"<220 x\r\n", ">EHLO", "#10000000", NULL};
	static const char *const poison[] = {"<220 x\r\n", ">EHLO", "<250 x\r\n", ">MAIL",
		"<550-first\rRCPT TO:<evil>\033[2J\r\n550 5.1.1 second\x7f\r\n", NULL};
	static const char *const two_codes[] = {"<220 x\r\n", ">EHLO", "<250-x\r\n550 y\r\n", NULL};
	struct fixture f;

	expect_one(endless, PR_TEMPFAIL, 0, "reply");
	expect_one(two_codes, PR_TEMPFAIL, 0, "two codes");
	struct fake_server *server = begin_with(&f, 1, poison);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	for (size_t i = 0; i < f.deliveries[0].reply.len; i++) {
		unsigned char byte = (unsigned char)f.deliveries[0].reply.data[i];
		CU_ASSERT_TRUE((byte >= 0x20 && byte != 0x7f) || byte == '\n');
	}
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "550-first?RCPT"));
	finish(&f, server);
	/* a NUL and one line without end */
	char *long_line = malloc(200001);
	memset(long_line, 'x', 200000);
	memcpy(long_line, "<220 ", 5);
	long_line[200000] = '\0';
	const char *const no_end[] = {long_line, NULL};
	expect_one(no_end, PR_TEMPFAIL, 0, "reply longer");
	free(long_line);
}

static void test_reused_connection_died(void)
{
	static const char *const script[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n",
		">MAIL", "~", "+", HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 second\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	deliver(&f, 1); /* lost before the message was sent: a new connection, not a deferral */
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "250 second"));
	finish(&f, server);
}

static void test_alive(void)
{
	static const char *const script[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", "z3",
		"<421 idle too long\r\n", "$", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	CU_ASSERT_FALSE(ops()->alive(&f.call));
	deliver(&f, 1);
	CU_ASSERT_TRUE(ops()->alive(&f.call));
	CU_ASSERT_TRUE(fake_server_stop(server));
	CU_ASSERT_FALSE(ops()->alive(&f.call));
	end(&f);
	fake_server_free(server);
}

static void test_body_breaks(void)
{
	static const char *const script[] = {HELLO_ALL, ">MAIL", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);

	f.bytes.breaks = true;
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_TEMPFAIL);
	end(&f);
	CU_ASSERT_FALSE(fake_server_stop(server)); /* the final dot never came */
	fake_server_free(server);
}

static void test_unsendable(void)
{
	struct fixture f;

	begin(&f, 2, "[127.0.0.1]:1");
	f.deliveries[0].user = PR_STR("a\r\nRCPT TO:<b>@x");
	f.deliveries[1].user = PR_STR("a@x");
	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_TEMPFAIL); /* nobody listens on port 1 */
	CU_ASSERT_TRUE(pr_str_equal(f.deliveries[1].enhanced, PR_STR("4.4.1")));
	CU_ASSERT_TRUE(reply_has(&f.deliveries[1], "Deferred: Connection refused by [127.0.0.1]"));
	end(&f);
}

/* 4xx for a recipient: the next host of the list is asked for that one only. */
static void test_next_candidate(void)
{
	static const char *const first[] = {HELLO_PLAIN, ">MAIL", "<250 ok\r\n", ">RCPT To:<u1", "<250 ok\r\n", ">RCPT To:<u2", "<450 busy\r\n",
		">DATA", "<354 go\r\n", ".", "<250 first\r\n", ">QUIT", "<221 bye\r\n", NULL};
	static const char *const second[] = {HELLO_PLAIN, ">MAIL", "<250 ok\r\n", ">RCPT To:<u2", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".",
		"<250 second\r\n", NULL};
	struct fake_server *one = fake_server_start(first), *two = fake_server_start(second);
	struct fixture f;
	char text[80];

	snprintf(text, sizeof text, "[127.0.0.1]:1:[127.0.0.1]:%u:[127.0.0.1]:%u", fake_server_port(one), fake_server_port(two));
	begin(&f, 2, text);
	deliver(&f, 2);
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "250 first"));
	CU_ASSERT_TRUE(reply_has(&f.deliveries[1], "250 second"));
	end(&f);
	CU_ASSERT_TRUE(fake_server_stop(one));
	CU_ASSERT_TRUE(fake_server_stop(two));
	fake_server_free(one);
	fake_server_free(two);
}

static void test_lmtp(void)
{
	static const char *const script[] = {"<220 box LMTP\r\n", ">LHLO me.example\r\n", "<250-box\r\n250 PIPELINING\r\n", ">MAIL", ">RCPT", ">RCPT", ">DATA",
		"<250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 2.1.5 in\r\n452 4.2.2 full\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 2, script);

	f.smtp.lmtp = 1;
	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(f.deliveries[0].flags, PR_DELIVERY_FINAL);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_TEMPFAIL);
	finish(&f, server);
}

static const struct unit_case cases[] = {
	{"pipelined, per recipient, re-used", test_pipelined},
	{"three segments for one message", test_few_segments},
	{"who watches sees the conversation", test_watched},
	{"without PIPELINING", test_one_by_one},
	{"HELO after EHLO is refused", test_helo_fallback},
	{"DSN parameters only when offered", test_dsn_parameters},
	{"content: dots and line ends in any pieces", test_content},
	{"a body larger than every buffer", test_large_body},
	{"larger than the announced SIZE", test_too_large_announced},
	{"every recipient refused", test_all_refused},
	{"MAIL refused", test_mail_refused},
	{"the next hop breaks off", test_next_hop_breaks},
	{"the next hop stops", test_next_hop_stops},
	{"the next hop says too much", test_next_hop_talks},
	{"a cached connection had died", test_reused_connection_died},
	{"alive", test_alive},
	{"a body that cannot be read has no end", test_body_breaks},
	{"addresses that would be commands", test_unsendable},
	{"4xx goes to the next host", test_next_candidate},
	{"LMTP", test_lmtp},
	{NULL, NULL},
};

UNIT_MAIN("smtp mailer", cases)
