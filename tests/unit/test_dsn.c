/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notifications against what sendmail wrote for the same events (oracle transcripts cli2, cli3), and hostile text in every field.
 */
#include "kernel/mail/dsn.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct pr_arena arena;
static struct pr_text body;
static struct pr_str source;
static size_t failing_after = SIZE_MAX;

static enum pr_status write_body(void *context, const void *data, size_t len)
{
	(void)context;
	if (body.len + len > failing_after)
		return PR_TEMPFAIL;
	return pr_text_add(&body, data, len) ? PR_OK : PR_PERMFAIL;
}

static enum pr_status read_source(void *context, void *buffer, size_t room, size_t *length_out)
{
	size_t len = source.len < room ? source.len : room;

	(void)context;
	memcpy(buffer, source.data, len);
	source = pr_str_slice(source, len, source.len);
	*length_out = len;
	return PR_OK;
}

static struct pr_header headers[2];
static struct pr_recipient recipients[2];
static struct dsn_word words[2];
static struct pr_macro macro;
static struct pr_envelope original;
static struct dsn_facts facts;

static void setup(enum dsn_kind kind)
{
	pr_arena_init(&arena, 1u << 20);
	pr_text_init(&body, 1u << 20);
	source = PR_STR("body text\n");
	failing_after = SIZE_MAX;
	headers[0] = (struct pr_header){ PR_STR("Return-Path"), PR_STR(" <\201g>"), PR_STR("P") };
	headers[1] = (struct pr_header){ PR_STR("Subject"), PR_STR(" fail"), PR_STR("") };
	recipients[0] = (struct pr_recipient){ .address = PR_STR("<rejuser@remote.example>"), .status = PR_STR("550 5.1.1 no such mailbox"),
		                                   .enhanced = PR_STR("5.1.1"), .remote = PR_STR("mx1.remote.example") };
	recipients[1] = (struct pr_recipient){ .address = PR_STR("<dat5user@remote.example>"), .status = PR_STR("554 5.6.0 never"),
		                                   .enhanced = PR_STR("5.6.0"), .remote = PR_STR("mx1.remote.example") };
	words[0] = (struct dsn_word){ .command = PR_STR("RCPT To:<rejuser@remote.example>") };
	words[1] = (struct dsn_word){ .command = PR_STR("DATA") };
	macro = (struct pr_macro){ PR_STR("_"), PR_STR("root@localhost") };
	original = (struct pr_envelope){ .size = sizeof original, .id = PR_STR("6AKD3W29002932"), .sender = PR_STR("<alice@corp.example>"),
		                             .created = 1795179812, .last_try = 1795179812, .envelope_id = PR_STR("id77"), .headers = headers,
		                             .header_count = 2, .recipients = recipients, .recipient_count = 2, .macros = &macro, .macro_count = 1 };
	facts = (struct dsn_facts){ .kind = kind, .id = PR_STR("6AKD3W2A002932"), .host_name = PR_STR("mail.corp.example"),
		                        .to = PR_STR("<alice@corp.example>"), .now = 1795179812, .return_after = 432000, .warn_after = 3600,
		                        .body_limit = 1u << 20, .words = words };
}

static void teardown(void)
{
	pr_text_fini(&body);
	pr_arena_fini(&arena);
}

static enum pr_status build(struct pr_envelope **envelope_out)
{
	return dsn_build(&facts, &original, NULL, read_source, NULL, write_body, NULL, &arena, envelope_out);
}

static void test_failure(void)
{
	static const char expected[] =
	    "This is a MIME-encapsulated message\n"
	    "\n"
	    "--6AKD3W2A002932.1795179812/mail.corp.example\n"
	    "\n"
	    "The original message was received at Fri, 20 Nov 2026 13:03:32 GMT\n"
	    "from root@localhost\n"
	    "\n"
	    "   ----- The following addresses had permanent fatal errors -----\n"
	    "<rejuser@remote.example>\n"
	    "    (reason: 550 5.1.1 no such mailbox)\n"
	    "<dat5user@remote.example>\n"
	    "    (reason: 554 5.6.0 never)\n"
	    "\n"
	    "   ----- Transcript of session follows -----\n"
	    "... while talking to mx1.remote.example.:\n"
	    ">>> RCPT To:<rejuser@remote.example>\n"
	    "<<< 550 5.1.1 no such mailbox\n"
	    "550 5.1.1 <rejuser@remote.example>... User unknown\n"
	    ">>> DATA\n"
	    "<<< 554 5.6.0 never\n"
	    "554 5.0.0 Service unavailable\n"
	    "\n"
	    "--6AKD3W2A002932.1795179812/mail.corp.example\n"
	    "Content-Type: message/delivery-status\n"
	    "\n"
	    "Original-Envelope-Id: id77\n"
	    "Reporting-MTA: dns; mail.corp.example\n"
	    "Arrival-Date: Fri, 20 Nov 2026 13:03:32 GMT\n"
	    "\n"
	    "Final-Recipient: RFC822; rejuser@remote.example\n"
	    "X-Actual-Recipient: rfc822; rejuser@remote.example\n"
	    "Action: failed\n"
	    "Status: 5.1.1\n"
	    "Remote-MTA: DNS; mx1.remote.example\n"
	    "Diagnostic-Code: SMTP; 550 5.1.1 no such mailbox\n"
	    "Last-Attempt-Date: Fri, 20 Nov 2026 13:03:32 GMT\n"
	    "\n"
	    "Final-Recipient: RFC822; dat5user@remote.example\n"
	    "X-Actual-Recipient: rfc822; dat5user@remote.example\n"
	    "Action: failed\n"
	    "Status: 5.6.0\n"
	    "Remote-MTA: DNS; mx1.remote.example\n"
	    "Diagnostic-Code: SMTP; 554 5.6.0 never\n"
	    "Last-Attempt-Date: Fri, 20 Nov 2026 13:03:32 GMT\n"
	    "\n"
	    "--6AKD3W2A002932.1795179812/mail.corp.example\n"
	    "Content-Type: message/rfc822\n"
	    "\n"
	    "Return-Path: <alice@corp.example>\n"
	    "Subject: fail\n"
	    "\n"
	    "body text\n"
	    "\n"
	    "--6AKD3W2A002932.1795179812/mail.corp.example--\n\n";
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_STRING_EQUAL(body.data, expected);
	CU_ASSERT_EQUAL(e->body_size, (int64_t)body.len);
	CU_ASSERT(pr_str_equal(e->sender, PR_STR("<>")));
	CU_ASSERT_EQUAL(e->recipient_count, 1);
	CU_ASSERT(pr_str_equal(e->recipients[0].address, PR_STR("<alice@corp.example>")));
	CU_ASSERT(pr_str_equal(pr_envelope_header(e, PR_STR("message-id"))->value, PR_STR(" <202611201303.6AKD3W2A002932@mail.corp.example>")));
	CU_ASSERT(pr_str_equal(pr_envelope_header(e, PR_STR("auto-submitted"))->value, PR_STR(" auto-generated (failure)")));
	CU_ASSERT(pr_str_equal(pr_envelope_header(e, PR_STR("subject"))->value, PR_STR(" Returned mail: see transcript for details")));
	CU_ASSERT((e->flags & PR_ENVELOPE_RESPONSE) != 0);
	teardown();
}

static void test_error_header(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	facts.error_header = PR_STR("Call 1234.\nOr write to help@corp.example.");
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "\nfrom root@localhost\n\nCall 1234.\nOr write to help@corp.example.\n\n   ----- The following"));
	teardown();
}

/* Many hosts: each is told about, in linear time. */
static void test_many_hosts(void)
{
	static struct pr_recipient many[150];
	static char names[150][32];
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	for (size_t i = 0; i < 150; i++) {
		snprintf(names[i], sizeof names[i], "mx%zu.example", i);
		many[i] = recipients[0];
		many[i].remote = pr_str(names[i]);
	}
	original.recipients = many;
	original.recipient_count = 150;
	facts.words = NULL;
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "... while talking to mx99.example.:"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "... while talking to mx100.example.:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Remote-MTA: DNS; mx149.example\n"));
	teardown();
}

static void test_delay(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_DELAY);
	recipients[0].status = PR_STR("Deferred: 450 4.2.1 mailbox busy");
	recipients[0].enhanced = PR_STR("4.2.1");
	original.recipient_count = 1;
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT(pr_str_equal(pr_envelope_header(e, PR_STR("subject"))->value, PR_STR(" Warning: could not send message for past 1 hour")));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "    **********************************************\n"
	                                         "    **      THIS IS A WARNING MESSAGE ONLY      **\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Warning: message still undelivered after 1 hour\n"
	                                         "Will keep trying until message is 5 days old\n\n--"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Action: delayed\nStatus: 4.2.1\nRemote-MTA: DNS; mx1.remote.example\n"
	                                         "Diagnostic-Code: SMTP; 450 4.2.1 mailbox busy\n"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "permanent fatal"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "... while talking to mx1.remote.example.:\n>>> RCPT To:<rejuser@remote.example>\n<<< 450 4.2.1 mailbox busy\n"
	                                         "<rejuser@remote.example>... Deferred: 450 4.2.1 mailbox busy\n"));
	teardown();
}

static void test_success(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_SUCCESS);
	recipients[0] = (struct pr_recipient){ .address = PR_STR("bob"), .enhanced = PR_STR("2.1.5") };
	recipients[1] = (struct pr_recipient){ .address = PR_STR("|/bin/cat -n"), .alias = PR_STR("prog"), .enhanced = PR_STR("2.1.5") };
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "notifications -----\n<bob>  (successfully delivered to mailbox)\n"
	                                         "\"|/bin/cat -n\"  (successfully delivered to mailbox)\n    (expanded from: prog)\n\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "\"|/bin/cat -n\"... Successfully delivered\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Final-Recipient: RFC822; bob@mail.corp.example\nX-Actual-Recipient: rfc822; bob@mail.corp.example\n"
	                                         "Action: delivered (to mailbox)\nStatus: 2.1.5\nLast-Attempt-Date:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Final-Recipient: RFC822; prog@mail.corp.example\nX-Actual-Recipient: X-Unix; |/bin/cat -n\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Content-Type: text/rfc822-headers\n"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "body text"));
	teardown();
}

/* What the client said, whatever its detail; but the alias in which it stands, when that is another. */
static void test_origin(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	recipients[0].final = PR_STR("<outer@corp.example>");
	recipients[0].alias = PR_STR("inner");
	recipients[1] = recipients[0];
	recipients[1].address = PR_STR("<other@remote.example>");
	recipients[1].final = PR_STR("<Plus+More@corp.example>");
	recipients[1].alias = PR_STR("plus+*");
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "    (expanded from: inner)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "    (expanded from: <Plus+More@corp.example>)\n"));
	teardown();
}

/* One reply to MAIL or the dot stands once, and may be told in several lines. */
static void test_one_reply_for_many(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	recipients[1] = recipients[0];
	recipients[1].address = PR_STR("<other@remote.example>");
	words[0] = words[1] = (struct dsn_word){ .command = PR_STR("MAIL From:<alice@corp.example>"), .reply = PR_STR("550-first\n550 last") };
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "<other@remote.example>\n    (reason: 550-first)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "remote.example.:\n>>> MAIL From:<alice@corp.example>\n<<< 550-first\n<<< 550 last\n554 5.0.0 Service unavailable\n\n--"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Diagnostic-Code: SMTP; 550-first\n"));
	teardown();
	setup(DSN_FAILURE);
	recipients[0].status = recipients[1].status = PR_STR("451 not now");
	words[0].command = words[1].command;
	facts.expired = true;
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, ">>> DATA\n<<< 451 not now\n<rejuser@remote.example>,<dat5user@remote.example>... Deferred: 451 not now\n"
	                                         "Message could not be delivered for 5 days\nMessage will be deleted from queue\n\n"));
	teardown();
}

/* A greeting answers no command; a program has an exit status and what it printed. */
static void test_no_command(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	recipients[0].status = PR_STR("554 go away");
	recipients[0].enhanced = PR_STR("5.0.0");
	recipients[0].remote = PR_STR("[192.0.2.1] [192.0.2.1]");
	words[0] = (struct dsn_word){ .command = PR_NONE };
	recipients[1] = (struct pr_recipient){ .address = PR_STR("|prog"), .alias = PR_STR("x"), .final = PR_STR("<x@corp.example>"), .enhanced = PR_STR("5.3.0") };
	words[1] = (struct dsn_word){ .reply = PR_STR("unknown mailer error 3\nline one\nline two"), .code = 554, .local = true };
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "... while talking to [192.0.2.1]:\n<<< 554 go away\n554 5.0.0 Service unavailable\n"
	                                         "line one\nline two\n554 5.3.0 \"|prog\"... unknown mailer error 3\n\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "\"|prog\"\n    (reason: unknown mailer error 3)\n    (expanded from: <x@corp.example>)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Diagnostic-Code: X-Unix; unknown mailer error 3\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Remote-MTA: DNS; [192.0.2.1]\n"));
	teardown();
}

static void test_failure_and_success(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	recipients[0].state = PR_RECIPIENT_FAILED;
	recipients[1] = (struct pr_recipient){ .address = PR_STR("<team@corp.example>"), .enhanced = PR_STR("2.0.0"), .state = PR_RECIPIENT_DELIVERED,
		                                   .status = PR_STR(PR_STATUS_LIST) };
	words[1] = (struct dsn_word){ .command = PR_NONE };
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "(reason: 550 5.1.1 no such mailbox)\n\n   ----- The following addresses had successful delivery notifications -----\n"
	                                         "<team@corp.example>  (successfully delivered to mailing list)\n\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Message delivered to mailing list <team@corp.example>\n<team@corp.example>... expanded to multiple addresses\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Action: failed\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Action: delivered (to mailing list)\nStatus: 2.0.0\n"));
	recipients[1].status = PR_STR(PR_STATUS_EXPANDED);
	pr_text_clear(&body);
	source = PR_STR("body text\n");
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "<team@corp.example>  (expanded by alias)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "Action: expanded (to multi-recipient alias)\nStatus: 2.0.0\n"));
	teardown();
}

/* SendMimeErrors is off. */
static void test_plain(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	facts.plain = true;
	original.flags = PR_ENVELOPE_EIGHT_BIT;
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_EQUAL(strncmp(body.data, "The original message was received at ", 37), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "\n\n   ----- Original message follows -----\n\nReturn-Path: <alice@corp.example>\nSubject: fail\n\nbody text\n"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "Reporting-MTA"));
	CU_ASSERT_PTR_NULL(pr_envelope_header(e, PR_STR("mime-version")));
	CU_ASSERT_PTR_NULL(pr_envelope_header(e, PR_STR("content-type")));
	CU_ASSERT_EQUAL(e->flags, PR_ENVELOPE_RESPONSE);
	CU_ASSERT_EQUAL(e->body_size, (int64_t)body.len);
	pr_text_clear(&body);
	facts.body_limit = 0;
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "   ----- Message header follows -----\n\nReturn-Path: <alice@corp.example>\nSubject: fail\n\n"
	                                         "   ----- Message body suppressed -----\n"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "body text"));
	teardown();
}

static void test_nobody_to_tell(void)
{
	struct pr_envelope *e = NULL;

	setup(DSN_FAILURE);
	original.sender = PR_STR("<>");
	CU_ASSERT_EQUAL(build(&e), PR_MISUSE);
	facts.to = PR_STR("<>");
	facts.kind = DSN_POSTMASTER;
	CU_ASSERT_EQUAL(build(&e), PR_MISUSE);
	facts.to = PR_STR("postmaster");
	CU_ASSERT_EQUAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "from root@localhost\nwith id 6AKD3W29002932\n"));
	CU_ASSERT(pr_str_equal(e->recipients[0].address, PR_STR("postmaster")));
	teardown();
}

/* Nothing from outside starts a line, a field or a part. */
static void test_hostile(void)
{
	struct pr_envelope *e = NULL;
	struct pr_str evil = PR_STR("550 x\r\n\n--6AKD3W2A002932.1795179812/mail.corp.example\nContent-Type: text/html\n\n\033[2J\0z");

	setup(DSN_FAILURE);
	recipients[0].status = recipients[0].remote = recipients[0].address = recipients[0].original = recipients[0].alias = evil;
	recipients[0].enhanced = PR_STR("5.1.1\nX: y");
	words[0] = (struct dsn_word){ .command = evil, .reply = evil, .user = evil, .local = true };
	original.envelope_id = macro.value = original.id = evil;
	facts.to = PR_STR("<a@b\nBcc: c@d>");
	CU_ASSERT_EQUAL_FATAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NULL(strstr(body.data, "\nContent-Type: text/html"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "\nX: y"));
	CU_ASSERT_PTR_NULL(memchr(body.data, '\033', body.len));
	CU_ASSERT_PTR_NULL(memchr(body.data, '\r', body.len));
	CU_ASSERT_PTR_NULL(memchr(body.data, '\0', body.len));
	CU_ASSERT(pr_str_equal(e->recipients[0].address, PR_STR("<a@b?Bcc: c@d>")));
	for (size_t i = 0; i < e->header_count; i++)
		CU_ASSERT_PTR_NULL(strstr(e->headers[i].value.data, "\nBcc"));

	int parts = 0;

	for (const char *at = body.data; (at = strstr(at, "\n--6AKD3W2A002932.1795179812/mail.corp.example")) != NULL; at++)
		parts++;
	CU_ASSERT_EQUAL(parts, 4);
	teardown();
}

static void test_limits(void)
{
	struct pr_envelope *e = NULL;
	bool report[2] = { false, true };

	setup(DSN_FAILURE);
	facts.body_limit = 4;
	CU_ASSERT_EQUAL(dsn_build(&facts, &original, report, read_source, NULL, write_body, NULL, &arena, &e), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "\n\nbody\n\n--"));
	CU_ASSERT_PTR_NULL(strstr(body.data, "rejuser"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body.data, "dat5user"));
	teardown();
	setup(DSN_FAILURE);
	original.flags = PR_ENVELOPE_RET_HEADERS | PR_ENVELOPE_RET_GIVEN;
	CU_ASSERT_EQUAL(build(&e), PR_OK);
	CU_ASSERT_PTR_NULL(strstr(body.data, "body text"));
	teardown();
	setup(DSN_FAILURE);
	e = NULL;
	failing_after = 300;
	CU_ASSERT_EQUAL(build(&e), PR_TEMPFAIL);
	CU_ASSERT_PTR_NULL(e);
	teardown();
}

static const struct unit_case cases[] = {
	{ "a failure as sendmail writes it", test_failure },
	{ "a warning", test_delay },
	{ "ErrorHeader", test_error_header },
	{ "many hosts", test_many_hosts },
	{ "a receipt", test_success },
	{ "expanded from", test_origin }, { "one reply for many", test_one_reply_for_many },
	{ "replies to no command", test_no_command },
	{ "failure and success in one", test_failure_and_success },
	{ "one plain text", test_plain },
	{ "nobody to tell, and the postmaster", test_nobody_to_tell },
	{ "hostile text stays in its line", test_hostile },
	{ "limits and failing writes", test_limits },
	{ NULL, NULL },
};

UNIT_MAIN("dsn", cases)
