/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Control files: written and read back, sendmail's own read, and every damaged one refused or harmless - never another address.
 */
#include "modules/stores/spool/spool.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct pr_arena arena;
static struct pr_call call;
static struct pr_text text;

static void setup(void)
{
	pr_arena_init(&arena, 4u << 20);
	call = (struct pr_call){ .size = sizeof call, .arena = &arena };
	pr_text_init(&text, SPOOL_CONTROL_MAX);
}

static void teardown(void)
{
	pr_text_fini(&text);
	pr_arena_fini(&arena);
}

static struct pr_recipient recipients[5];
static struct pr_header headers[3];
static struct pr_macro macros[5];
static struct pr_envelope full;

static void fill(void)
{
	recipients[0] = (struct pr_recipient){ .address = PR_STR("<joe@example.org>"), .original = PR_STR("rfc822;Joe=X+Y@example.org"),
		.flags = PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_SUCCESS };
	recipients[1] = (struct pr_recipient){ .address = PR_STR("|/bin/prog -a \"b c\""), .owner = PR_STR("joe"), .owner_uid = 1000,
		.owner_gid = 100, .alias = PR_STR("list"), .final = PR_STR("<list@example.org>"), .state = PR_RECIPIENT_DEFERRED,
		.status = PR_STR("Deferred: exit 75"), .enhanced = PR_STR("4.3.0") };
	recipients[2] = (struct pr_recipient){ .address = PR_STR("<done@example.net>"), .state = PR_RECIPIENT_DELIVERED,
		.flags = PR_RECIPIENT_PRIMARY, .status = PR_STR("250 ok = 100%"), .enhanced = PR_STR("2.0.0"), .remote = PR_STR("mx"),
		.original = PR_STR(""), .alias = PR_STR("a b") };
	recipients[3] = (struct pr_recipient){ .address = PR_STR("<bad@example.net>"), .state = PR_RECIPIENT_FAILED,
		.status = PR_STR("550 no"), .enhanced = PR_STR("5.1.1"), .remote = PR_STR("mx.example.net"), .alias = PR_STR("x:y") };
	recipients[4] = (struct pr_recipient){ .address = PR_STR("/var/mail/archive"), .flags = PR_RECIPIENT_NOTIFY_DELAY };
	headers[0] = (struct pr_header){ PR_STR("Return-Path"), PR_STR(" <\201g>"), PR_STR("P") };
	headers[1] = (struct pr_header){ PR_STR("Received"), PR_STR(" from a by b;\n\tdate"), PR_STR("") };
	headers[2] = (struct pr_header){ PR_STR("X-Odd"), PR_STR("no blank: \344\0\001 :"), PR_STR("") };
	macros[0] = (struct pr_macro){ PR_STR("_"), PR_STR("host [192.0.2.1]") };
	macros[1] = (struct pr_macro){ PR_STR("r"), PR_STR("ESMTP") };
	macros[2] = (struct pr_macro){ PR_STR("s"), PR_STR("client.example") };
	macros[3] = (struct pr_macro){ PR_STR("daemon_flags"), PR_STR("") };
	macros[4] = (struct pr_macro){ PR_STR("!"), PR_STR("\x12 60000") };
	full = (struct pr_envelope){ .size = sizeof full, .sender = PR_STR("<sue@example.com>"), .body_type = PR_STR("8BITMIME"),
		.envelope_id = PR_STR("xx+=\344"), .auth = PR_STR("sue@example.com"), .message = PR_STR("Deferred: busy"),
		.quarantine = PR_STR("by hand"), .created = 1795179740, .last_try = 1795179741, .tries = 7, .priority = -149948,
		.flags = PR_ENVELOPE_EIGHT_BIT | PR_ENVELOPE_WARNED | PR_ENVELOPE_RET_HEADERS | PR_ENVELOPE_RET_GIVEN,
		.headers = headers, .header_count = 3, .recipients = recipients, .recipient_count = 5, .macros = macros, .macro_count = 5 };
}

static void check_recipient(const struct pr_recipient *a, const struct pr_recipient *b)
{
	CU_ASSERT(pr_str_equal(a->address, b->address));
	CU_ASSERT(pr_str_equal(a->original, b->original) && (a->original.data == NULL) == (b->original.data == NULL));
	CU_ASSERT(pr_str_equal(a->final, b->final) && (a->final.data == NULL) == (b->final.data == NULL));
	CU_ASSERT(pr_str_equal(a->owner, b->owner));
	CU_ASSERT(pr_str_equal(a->alias, b->alias));
	CU_ASSERT(pr_str_equal(a->status, b->status));
	CU_ASSERT(pr_str_equal(a->enhanced, b->enhanced));
	CU_ASSERT(pr_str_equal(a->remote, b->remote));
	CU_ASSERT_EQUAL(a->flags, b->flags);
	CU_ASSERT_EQUAL(a->state, b->state);
	CU_ASSERT_EQUAL(a->owner_uid, b->owner_uid);
	CU_ASSERT_EQUAL(a->owner_gid, b->owner_gid);
}

static void test_round_trip(void)
{
	struct pr_envelope *e = NULL;

	setup();
	fill();
	CU_ASSERT_EQUAL_FATAL(qf_write(&call, &full, &text), PR_OK);
	CU_ASSERT_EQUAL_FATAL(qf_read(&call, pr_text_str(&text), &e), PR_OK);
	CU_ASSERT(pr_str_equal(e->sender, full.sender));
	CU_ASSERT(pr_str_equal(e->body_type, full.body_type));
	CU_ASSERT(pr_str_equal(e->envelope_id, full.envelope_id));
	CU_ASSERT(pr_str_equal(e->auth, full.auth));
	CU_ASSERT(pr_str_equal(e->message, full.message));
	CU_ASSERT(pr_str_equal(e->quarantine, full.quarantine));
	CU_ASSERT_EQUAL(e->created, full.created);
	CU_ASSERT_EQUAL(e->last_try, full.last_try);
	CU_ASSERT_EQUAL(e->tries, full.tries);
	CU_ASSERT_EQUAL(e->priority, full.priority);
	CU_ASSERT_EQUAL(e->flags, full.flags);
	CU_ASSERT_EQUAL(e->hops, 1);
	CU_ASSERT_EQUAL_FATAL(e->recipient_count, full.recipient_count);
	for (size_t i = 0; i < full.recipient_count; i++)
		check_recipient(&e->recipients[i], &recipients[i]);
	CU_ASSERT_EQUAL_FATAL(e->header_count, full.header_count);
	for (size_t i = 0; i < full.header_count; i++) {
		CU_ASSERT(pr_str_equal(e->headers[i].name, headers[i].name));
		CU_ASSERT(pr_str_equal(e->headers[i].value, headers[i].value));
		CU_ASSERT(pr_str_equal(e->headers[i].condition, headers[i].condition));
	}
	CU_ASSERT_EQUAL_FATAL(e->macro_count, full.macro_count);
	for (size_t i = 0; i < full.macro_count; i++) {
		CU_ASSERT(pr_str_equal(e->macros[i].name, macros[i].name));
		CU_ASSERT(pr_str_equal(e->macros[i].value, macros[i].value));
	}
	teardown();
}

/* sendmail would deliver again what stands in an R line */
static void test_delivered_is_no_r_line(void)
{
	setup();
	fill();
	CU_ASSERT_EQUAL_FATAL(qf_write(&call, &full, &text), PR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nRPNS:<joe@example.org>\n"));
	CU_ASSERT_PTR_NULL(strstr(text.data, ":<done@example.net>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nCjoe:1000:100:list\nMDeferred: exit 75\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nrRFC822; list@example.org\nR:|/bin/prog -a \"b c\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\n$_host [192.0.2.1]\n$rESMTP\n$sclient.example\n${daemon_flags}\n!\x12 60000\n${postrider_summed}\nS<sue@"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nF8dnw\n"));
	teardown();
}

static const char sendmails[] =
    "V8\nT1795179740\nK1795179741\nN1\nP240367\nI0/69/11116564\nB7BIT\nMUser unknown\nFbdns\n$_localhost.localdomain [127.0.0.1]\n$rESMTP\n"
    "$sclient.example\n${daemon_flags}\nS<alice@corp.example>\nZxx+2B\nrRFC822; user@down.example\nRPFD:<user@down.example>\n"
    "MDeferred: 450 4.2.1 mailbox busy\nC:bob\nrRFC822; tmpuser@remote.example\nRPFD:<tmpuser@remote.example>\nH?P?Return-Path: <\201g>\n"
    "H??Received: from client.example (localhost.localdomain [127.0.0.1])\n\tby mail.corp.example with ESMTP id 6AKD2KgC025521;\n"
    "\tFri, 20 Nov 2026 13:02:20 GMT\nH?x?Full-Name: Alice A\nH??Subject: test\n.\n";

static void test_sendmails_file(void)
{
	struct pr_envelope *e = NULL;

	setup();
	CU_ASSERT_EQUAL_FATAL(qf_read(&call, pr_str(sendmails), &e), PR_OK);
	CU_ASSERT(pr_str_equal(e->message, PR_STR("User unknown")));
	CU_ASSERT(pr_str_equal(e->envelope_id, PR_STR("xx+")));
	CU_ASSERT_EQUAL(e->recipient_count, 2);
	CU_ASSERT_PTR_NULL(e->recipients[0].status.data);
	CU_ASSERT_PTR_NULL(e->recipients[0].final.data);
	CU_ASSERT_EQUAL(e->recipients[0].flags, PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY);
	CU_ASSERT(pr_str_equal(e->recipients[1].status, PR_STR("Deferred: 450 4.2.1 mailbox busy")));
	CU_ASSERT(pr_str_equal(e->recipients[1].alias, PR_STR("bob")));
	CU_ASSERT_EQUAL(e->recipients[1].state, PR_RECIPIENT_DEFERRED);
	CU_ASSERT_EQUAL(e->header_count, 4);
	CU_ASSERT_EQUAL(e->hops, 1);
	CU_ASSERT_EQUAL(e->flags, PR_ENVELOPE_DELETE_BCC | PR_ENVELOPE_RET_GIVEN | PR_ENVELOPE_RET_HEADERS | PR_ENVELOPE_SPLIT);
	teardown();
}

static void refused(const char *bytes, size_t len, const char *what)
{
	struct pr_envelope *e = NULL;

	setup();
	if (qf_read(&call, (struct pr_str){ bytes, len }, &e) != PR_PERMFAIL) {
		CU_FAIL("a bad file was taken");
		printf("%s\n", what);
	}
	CU_ASSERT(call.reason.len > 0);
	teardown();
}

#define BAD(literal) refused(literal, sizeof(literal) - 1, literal)

static void test_bad_files(void)
{
	BAD("");
	BAD(".\n");
	BAD("V8\n.\n");
	BAD("V9\nT1\nSa\nRP:b\n.\n");
	BAD("T1\nV8\nSa\nRP:b\n.\n");
	BAD("V8\nT1\nSa\n.\n");
	BAD("V8\nT1\nRP:b\n.\n");
	BAD("V8\nSa\nRP:b\n.\n");
	BAD("V8\nTx\nSa\nRP:b\n.\n");
	BAD("V8\nT1\nSa\nRP:b\n");
	BAD("V8\nT1\nSa\nRP:b\n.");
	BAD("V8\nT1\nSa\nRP:b\0c\n.\n");
	BAD("V8\nT1\nSa\nRP:b\n c\n.\n");
	BAD("V8\nT1\nSa\rb\nRP:b\n.\n");
	BAD("V8\nT1\nSa\nSb\nRP:b\n.\n");
	BAD("V8\nT1\nSa\nRP:\n.\n");
	BAD("V8\nT1\nSa\nRPb\n.\n");
	BAD("V8\nT1\nSa\nRP<:b\n.\n");
	BAD("V8\nT1\nSa\nRP:b\nXwhat\n.\n");
	BAD("V8\nT1\nSa\nRP:b\n\n.\n");
	BAD("V8\nT1\nSa\nRP:b\nH??nocolon\n.\n");
	BAD("V8\nT1\nSa\nRP:b\nH?x\n.\n");
	BAD("V8\nT1\nSa\nRP:b\n${unterminated\n.\n");
	BAD("V8\nT1\nSa\n${postrider_done}=P 0 0 =a\n.\n");
	BAD("V8\nT1\nSa\n${postrider_rcpt}1 - -\nRP:b\n.\n");
	BAD("V8\nT1\nSa\n${postrider_other}\nRP:b\n.\n");
	BAD("V8\nT1\nSa\nRP:b\n${postrider_sum}0123456789abcdef\n.\n");
	BAD("V8\nT1\n${postrider_summed}\nSa\nRP:b\n.\n");
	BAD("V8\nT99999999999999999999\nSa\nRP:b\n.\n");
}

static void test_small_good_file(void)
{
	struct pr_envelope *e = NULL;

	setup();
	CU_ASSERT_EQUAL(qf_read(&call, PR_STR("V8\nT1\nSa\nRP:b\n.\n"), &e), PR_OK);
	teardown();
}

static bool is_known_address(struct pr_str address)
{
	for (size_t i = 0; i < full.recipient_count; i++)
		if (pr_str_equal(address, recipients[i].address))
			return true;
	return false;
}

/* The worst a damaged file may do is be refused. */
static void try_damaged(struct pr_str bytes)
{
	struct pr_envelope *e = NULL;

	pr_arena_reset(&arena);
	if (qf_read(&call, bytes, &e) != PR_OK)
		return;
	CU_ASSERT(pr_str_equal(e->sender, full.sender));
	CU_ASSERT_EQUAL(e->recipient_count, full.recipient_count);
	for (size_t i = 0; i < e->recipient_count; i++)
		CU_ASSERT(is_known_address(e->recipients[i].address));
}

/* On the heap and of exact size, so that a sanitizer sees one byte too many. */
static void damage(const char *bytes, size_t len, size_t at, unsigned char flip)
{
	char *copy = malloc(len == 0 ? 1 : len);

	memcpy(copy, bytes, len);
	if (at < len)
		copy[at] = (char)((unsigned char)copy[at] ^ flip);
	try_damaged((struct pr_str){ copy, len });
	free(copy);
}

static void test_truncated(void)
{
	setup();
	fill();
	CU_ASSERT_EQUAL_FATAL(qf_write(&call, &full, &text), PR_OK);
	for (size_t len = 0; len < text.len; len++) {
		struct pr_envelope *e = NULL;
		char *copy = malloc(len + 1);

		memcpy(copy, text.data, len);
		pr_arena_reset(&arena);
		CU_ASSERT_EQUAL(qf_read(&call, (struct pr_str){ copy, len }, &e), PR_PERMFAIL);
		free(copy);
	}
	teardown();
}

static void test_flipped(void)
{
	setup();
	fill();
	CU_ASSERT_EQUAL_FATAL(qf_write(&call, &full, &text), PR_OK);
	for (size_t at = 0; at < text.len; at++)
		for (unsigned bit = 0; bit < 8; bit++)
			damage(text.data, text.len, at, (unsigned char)(1u << bit));
	for (size_t at = 0; at < text.len; at++)
		damage(text.data, text.len, at, (unsigned char)(text.data[at] ^ '\n'));
	teardown();
}

/* sendmail's files carry no sum: anything may come out, but never a crash or a control byte in an address. */
static void test_flipped_sendmails(void)
{
	size_t len = sizeof sendmails - 1;

	setup();
	for (size_t at = 0; at < len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct pr_envelope *e = NULL;
			char *copy = malloc(len);

			memcpy(copy, sendmails, len);
			copy[at] = (char)((unsigned char)copy[at] ^ (1u << bit));
			pr_arena_reset(&arena);
			if (qf_read(&call, (struct pr_str){ copy, len }, &e) == PR_OK)
				for (size_t i = 0; i < e->recipient_count; i++)
					for (size_t k = 0; k < e->recipients[i].address.len; k++)
						CU_ASSERT((unsigned char)e->recipients[i].address.data[k] >= ' ');
			free(copy);
		}
	teardown();
}

static void test_small_arena(void)
{
	struct pr_envelope *e = NULL;
	struct pr_arena small;

	setup();
	fill();
	CU_ASSERT_EQUAL_FATAL(qf_write(&call, &full, &text), PR_OK);
	for (size_t max = 0; max < 8192; max += 16) {
		pr_arena_init(&small, max);
		call.arena = &small;

		enum pr_status status = qf_read(&call, pr_text_str(&text), &e);

		/* short of memory is never taken for damage */
		CU_ASSERT(status == PR_OK || status == PR_TEMPFAIL);
		pr_arena_fini(&small);
	}
	teardown();
}

static const struct unit_case cases[] = {
	{ "what is written is read", test_round_trip },
	{ "what was delivered is no R line", test_delivered_is_no_r_line },
	{ "a file of sendmail's", test_sendmails_file },
	{ "the smallest file", test_small_good_file },
	{ "bad files", test_bad_files },
	{ "cut at every byte", test_truncated },
	{ "every bit flipped", test_flipped },
	{ "every bit flipped, without a sum", test_flipped_sendmails },
	{ "short of memory is not damage", test_small_arena },
	{ NULL, NULL },
};

UNIT_MAIN("spool control files", cases)
