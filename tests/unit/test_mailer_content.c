/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SMTP mailer against a scripted server: the form in which a message goes out, chunks, and UTF-8 in addresses and names of hosts.
 */
#include "tests/unit/mailer_fixture.h"

#define HELLO_CHUNKS "<220 x ESMTP\r\n", ">EHLO", "<250-x\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"
#define HEADER_LINES ">From: a@x\r\n", ">To: b@y\r\n", ">\r\n"

/* RFC 3030: no dot is doubled, none ends it; the next message on the same connection, and one whose recipients are all refused. */
static void test_chunks(void)
{
	static const char *const script[] = {HELLO_CHUNKS, ">MAIL From:<a@x.example>\r\n", ">RCPT To:<u1@y.example>\r\n", ">RCPT To:<u2@y.example>\r\n",
		"<250 ok\r\n250 ok\r\n550 no\r\n", ">BDAT 29 LAST\r\n", HEADER_LINES, ">.x\r\n", ">.\r\n", "<250 2.0.0 taken\r\n",
		">MAIL", ">RCPT", "<250 ok\r\n550 5.1.1 no\r\n", ">RSET\r\n", "<250 ok\r\n", ">MAIL", ">RCPT", "<250 ok\r\n250 ok\r\n", ">BDAT 29 LAST\r\n", HEADER_LINES, ">.x\r\n",
		">.\r\n", "<552 5.3.4 too much\r\n", ">QUIT", "<221 bye\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 2, script);

	f.smtp.chunking = 1;
	f.bytes.all = PR_STR(".x\n.\n");
	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "250 2.0.0 taken"));
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_PERMFAIL);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_PERMFAIL);
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].code, 552);
	CU_ASSERT_TRUE(strstr(answered, "BDAT;") != NULL);
	ops()->session_close(&f.call);
	finish(&f, server);
}

/* The second chunk is under way when the first one is refused: both answers are read, nothing more is sent, and the connection goes on. */
static void test_refused_chunk(void)
{
	static const char *const script[] = {HELLO_CHUNKS, ">MAIL", ">RCPT", "<250 ok\r\n250 ok\r\n", ">BDAT 65536\r\n", "%65536", "<452 4.3.1 full\r\n", ">BDAT 65536\r\n", "%65536",
		"<503 5.5.1 what\r\n", ">RSET\r\n", "<250 ok\r\n", ">MAIL", ">RCPT", "<250 ok\r\n250 ok\r\n", ">BDAT 29 LAST\r\n", HEADER_LINES, ">.x\r\n", ">.\r\n", "<250 ok\r\n", NULL};
	static char body[200000];

	memset(body, 'x', sizeof body);
	body[sizeof body - 1] = '\n';
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);
	f.smtp.chunking = 1;
	f.bytes = (struct bytes){.all = {body, sizeof body}, .piece = 5000};
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_TEMPFAIL);
	CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "452 4.3.1 full"));
	f.bytes = (struct bytes){.all = PR_STR(".x\n.\n"), .piece = 100};
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	finish(&f, server);
}

/* A host that takes eight bits, and then one that does not: each gets header and body in its own form. */
static void test_fit(void)
{
	static const char *const script[] = {"<220 x ESMTP\r\n", ">EHLO", "<250-x\r\n250 8BITMIME\r\n", ">MAIL From:<a@x.example> BODY=8BITMIME\r\n", "<250 ok\r\n", ">RCPT", "<450 not now\r\n",
		">QUIT", "<221 bye\r\n", "+", "<220 y ESMTP\r\n", ">EHLO", "<250 y\r\n", ">MAIL From:<a@x.example>\r\n", "<250 ok\r\n", ">RCPT", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 ok\r\n",
		">MAIL From:<a@x.example>\r\n", "<250 ok\r\n", ">RCPT", "<250 ok\r\n", ">DATA", "<354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, script);
	char list[200];
	size_t length;

	fits = true;
	offered_count = 0;
	snprintf(list, sizeof list, "%s:%s", f.host, f.host);
	f.destination.host = pr_str(list);
	f.envelope.flags = PR_ENVELOPE_EIGHT_BIT;
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(offered_count, 2);
	CU_ASSERT_EQUAL(offered[0], PR_OFFERS_EIGHT_BIT);
	CU_ASSERT_EQUAL(offered[1], 0);
	deliver(&f, 1); /* the next message over the same connection is asked about too */
	CU_ASSERT_EQUAL(offered_count, 3);
	end(&f);
	CU_ASSERT_TRUE(fake_server_stop(server));
	CU_ASSERT_TRUE(strncmp(fake_server_data(server, &length), "X-Form: 0\r\nFrom: a@x\r\n", 22) == 0);
	fake_server_free(server);
	fits = false;
}

static struct pr_str asked_for; /* of the name server */

static enum pr_status note_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out)
{
	(void)mx_out;
	(void)count_out;
	asked_for = pr_arena_copy(call->arena, domain);
	return pr_fail(call, PR_TEMPFAIL, "no answer");
}

/* RFC 5891 section 5: DNS is asked for the A-label. */
static void test_idn(void)
{
	struct pr_host noting = host;
	struct fixture f;

	noting.dns_mx = note_mx;
	begin(&f, 1, "d\xc3\xb6rf.example");
	f.call.host = &noting;
	deliver(&f, 1);
	if (f.deliveries[0].status == PR_PERMFAIL) /* built without the library */
		CU_ASSERT_TRUE(reply_has(&f.deliveries[0], "built without libidn2"))
	else
		CU_ASSERT_TRUE(pr_str_equal(asked_for, PR_STR("xn--drf-sna.example")));
	end(&f);
}

/* RFC 6531 section 3.2: said where it is needed and known; what needs it is returned by a host that does not know it, and what does not is sent. */
static void test_utf8(void)
{
	static const char *const known[] = {HELLO_CHUNKS, ">MAIL From:<\xc3\xa4@x.example> SMTPUTF8\r\n", ">RCPT To:<u1@y.example>\r\n", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n",
		">MAIL From:<a@x.example>\r\n", ">RCPT", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", NULL};
	static const char *const unknown[] = {HELLO_ALL, ">MAIL From:<a@x.example> SIZE=25\r\n", ">RCPT To:<u1@y.example>\r\n", ">DATA", "<250 ok\r\n250 ok\r\n354 go\r\n", ".", "<250 ok\r\n", NULL};
	struct fixture f;
	struct fake_server *server = begin_with(&f, 1, known);

	f.envelope.flags = PR_ENVELOPE_UTF8;
	f.envelope.sender = PR_STR("<\xc3\xa4@x.example>");
	deliver(&f, 1);
	f.envelope.sender = PR_STR("<a@x.example>");
	deliver(&f, 1);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	finish(&f, server);

	server = begin_with(&f, 2, unknown);
	f.envelope.flags = PR_ENVELOPE_UTF8;
	f.deliveries[1].user = PR_STR("j\xc3\xb6" "e@y.example");
	deliver(&f, 2);
	CU_ASSERT_EQUAL(f.deliveries[0].status, PR_OK);
	CU_ASSERT_EQUAL(f.deliveries[1].status, PR_PERMFAIL);
	CU_ASSERT_TRUE(pr_str_equal(f.deliveries[1].enhanced, PR_STR("5.6.7")));
	CU_ASSERT_TRUE(reply_has(&f.deliveries[1], "does not support SMTPUTF8"));
	finish(&f, server);
}

static const struct unit_case cases[] = {{"BDAT", test_chunks}, {"a chunk that is refused", test_refused_chunk}, {"SMTPUTF8", test_utf8}, {"the form for each host", test_fit},
	{"names beyond ASCII", test_idn}, {NULL, NULL}};
UNIT_MAIN("mailer content", cases)
