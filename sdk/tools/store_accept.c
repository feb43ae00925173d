/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a store takes in is what it has, to the last byte; what it did not take is nowhere.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* The one message there is, claimed, compared and released. */
static void check_mail(struct suite *s, struct pr_str id, const struct pr_envelope *envelope, struct pr_str body)
{
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };

	store_call_init(&c, &s->main, 0);
	if (CHECK(s, s->main.ops->claim(&c.call, id, &claim) == PR_OK)) {
		CHECK(s, pr_str_equal(claim.id, id));
		CHECK(s, pr_str_equal(claim.envelope->id, id));
		CHECK(s, claim.envelope->body_size == (int64_t)body.len);
		store_same_envelope(s, claim.envelope, envelope);
		store_same_body(s, &s->main, &claim, body);
		s->main.ops->release(&c.call, &claim);
	}
	store_call_fini(&c);
}

static void round_trip(struct suite *s)
{
	struct store_mail plain, rich;
	char first[STORE_ID], second[STORE_ID];

	store_mail_plain(&plain);
	store_mail_rich(&rich);
	CHECK(s, store_submit(s, &s->main, &plain.envelope, PR_STR("one\ntwo\n"), first) == PR_COMMIT_DURABLE);
	CHECK(s, store_submit(s, &s->main, &rich.envelope, PR_STR("\n"), second) == PR_COMMIT_DURABLE);
	CHECK(s, strcmp(first, second) != 0);
	check_mail(s, pr_str(first), &plain.envelope, PR_STR("one\ntwo\n"));
	check_mail(s, pr_str(second), &rich.envelope, PR_STR("\n"));
}

static void bounce_sender(struct suite *s)
{
	struct store_mail mail;
	char id[STORE_ID];

	store_mail_plain(&mail);
	mail.envelope.sender = PR_STR("<>");
	mail.envelope.flags = PR_ENVELOPE_RESPONSE;
	CHECK(s, store_submit(s, &s->main, &mail.envelope, PR_STR("x\n"), id) == PR_COMMIT_DURABLE);
	check_mail(s, pr_str(id), &mail.envelope, PR_STR("x\n"));
}

static void survives(struct suite *s)
{
	struct store_mail mail;
	char id[STORE_ID], bytes[3000];

	if (s->forgets) {
		store_skip(s, "-v: this store forgets");
		return;
	}
	store_mail_rich(&mail);
	store_fill(bytes, sizeof bytes, 5);
	CHECK(s, store_submit(s, &s->main, &mail.envelope, (struct pr_str){ bytes, sizeof bytes }, id) == PR_COMMIT_DURABLE);
	REQUIRE(s, store_reopen(s));
	check_mail(s, pr_str(id), &mail.envelope, (struct pr_str){ bytes, sizeof bytes });
	CHECK(s, store_count(&s->main) == 1);
}

static void bodies(struct suite *s)
{
	static const size_t lengths[] = { 0, 1, 2, 511, 4096, 65535, 65536, 65537, 131071, 131073, 300000, 5u << 20 };
	struct store_mail mail;
	char *bytes = pr_alloc(5u << 20), id[STORE_ID];

	store_mail_plain(&mail);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		store_fill(bytes, lengths[i], (uint32_t)i + 3);
		CHECK(s, store_submit(s, &s->main, &mail.envelope, (struct pr_str){ bytes, lengths[i] }, id) == PR_COMMIT_DURABLE);
		check_mail(s, pr_str(id), &mail.envelope, (struct pr_str){ bytes, lengths[i] });
	}
	CHECK(s, store_count(&s->main) == (int)(sizeof lengths / sizeof lengths[0]));
	pr_free(bytes);
}

static void many_recipients(struct suite *s)
{
	enum { MANY = 5000 };
	struct store_mail mail;
	struct pr_recipient *recipients = pr_alloc(MANY * sizeof *recipients);
	struct store_call c;
	char id[STORE_ID];

	store_mail_plain(&mail);
	store_call_init(&c, &s->main, 0);
	for (int i = 0; i < MANY; i++)
		recipients[i] = (struct pr_recipient){ .address = pr_arena_printf(&c.arena, "<user%d@example.org>", i) };
	mail.envelope.recipients = recipients;
	mail.envelope.recipient_count = MANY;
	CHECK(s, store_submit(s, &s->main, &mail.envelope, PR_STR("x\n"), id) == PR_COMMIT_DURABLE);
	check_mail(s, pr_str(id), &mail.envelope, PR_STR("x\n"));
	store_call_fini(&c);
	pr_free(recipients);
}

static void abort_one(struct suite *s, size_t len)
{
	char *bytes = pr_alloc(len + 1);
	struct pr_call *call = &s->main.loaded.call;
	void *transaction = NULL;
	struct pr_str id = PR_NONE;

	store_fill(bytes, len, 9);
	if (CHECK(s, s->main.ops->begin(call, &transaction, &id) == PR_OK)) {
		CHECK(s, len == 0 || s->main.ops->body(call, transaction, bytes, len) == PR_OK);
		s->main.ops->abort(call, transaction);
	}
	pr_free(bytes);
}

static void aborted(struct suite *s)
{
	abort_one(s, 0);
	abort_one(s, 10);
	abort_one(s, 300000);
	CHECK(s, store_count(&s->main) == 0);
	if (store_reopen(s))
		CHECK(s, store_count(&s->main) == 0);
}

/* Neither taken nor half there; a store that refuses it at commit() or by REFUSED is right both ways. */
static void check_refused(struct suite *s, const struct pr_envelope *envelope)
{
	char id[STORE_ID];
	enum pr_commit result = store_submit(s, &s->main, envelope, PR_STR("x\n"), id);

	CHECK(s, result == 0 || result == PR_COMMIT_REFUSED);
}

static void line_ends(struct suite *s)
{
	static const struct pr_str bad[] = { PR_STR_INIT("<a\nR:<b@c>"), PR_STR_INIT("<a\0b@c>"), PR_STR_INIT("<a\rb@c>"), PR_STR_INIT("") };
	struct store_mail mail;
	char id[STORE_ID];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		store_mail_plain(&mail);
		mail.recipients[1].address = bad[i];
		check_refused(s, &mail.envelope);
		if (bad[i].len == 0)
			continue;
		store_mail_plain(&mail);
		mail.envelope.sender = bad[i];
		check_refused(s, &mail.envelope);
	}
	store_mail_plain(&mail);
	mail.headers[1].value = PR_STR(" x\nBcc: y");
	check_refused(s, &mail.envelope);
	store_mail_plain(&mail);
	mail.envelope.recipient_count = 0;
	check_refused(s, &mail.envelope);
	CHECK(s, store_count(&s->main) == 0);
	store_put(s, id);
	CHECK(s, store_count(&s->main) == 1);
}

/* roles ----------------------------------------------------------------- */

static void receiver(struct suite *s)
{
	struct store other;
	struct store_mail mail;
	struct pr_claim claim = { .size = sizeof claim };
	char id[STORE_ID];

	REQUIRE(s, store_open(s, &other, PR_STORE_INTAKE));
	struct pr_call *call = &other.loaded.call;
	store_mail_plain(&mail);
	CHECK(s, store_submit(s, &other, &mail.envelope, PR_STR("x\n"), id) == PR_COMMIT_DURABLE);
	CHECK(s, other.ops->claim(call, pr_str(id), &claim) == PR_MISUSE);
	CHECK(s, other.ops->hold(call, pr_str(id), PR_NONE) == PR_MISUSE);
	CHECK(s, other.ops->requeue(call, pr_str(id)) == PR_MISUSE);
	CHECK(s, other.ops->remove(call, pr_str(id)) == PR_MISUSE);
	store_close(&other);
	check_mail(s, pr_str(id), &mail.envelope, PR_STR("x\n"));
}

static void reader(struct suite *s)
{
	struct store other;
	struct pr_claim claim = { .size = sizeof claim };
	struct pr_str id;
	void *transaction = NULL;
	char put[STORE_ID];

	store_put(s, put);
	REQUIRE(s, store_open(s, &other, PR_STORE_READ));
	struct pr_call *call = &other.loaded.call;
	CHECK(s, store_count(&other) == 1);
	CHECK(s, other.ops->claim(call, pr_str(put), &claim) == PR_MISUSE);
	CHECK(s, other.ops->remove(call, pr_str(put)) == PR_MISUSE);
	CHECK(s, other.ops->begin(call, &transaction, &id) == PR_MISUSE);
	store_close(&other);
	CHECK(s, store_count(&s->main) == 1);
}

/* since 1.1 ------------------------------------------------------------- */

static void queue_groups(struct suite *s)
{
	struct pr_call *call = &s->main.loaded.call;
	struct pr_intake intake = { .size = sizeof intake, .queue = PR_STR("no-such-group"), .expected = 100 };
	void *transaction = NULL;
	struct pr_str id;

	NEEDS(s, begin_in);
	CHECK(s, s->main.ops->begin_in(call, &intake, &transaction, &id) == PR_NOTFOUND);
	intake.queue = PR_NONE;
	intake.expected = 0;
	REQUIRE(s, s->main.ops->begin_in(call, &intake, &transaction, &id) == PR_OK);
	s->main.ops->abort(call, transaction);
	CHECK(s, store_count(&s->main) == 0);
}

static void *put_soon(void *context)
{
	char id[STORE_ID];

	store_sleep(100);
	store_put(context, id);
	return NULL;
}

/* Until nothing is new; at most a few rounds, because hints may be given twice. */
static enum pr_status wait_for_quiet(struct suite *s)
{
	enum pr_status status = PR_OK;

	for (int i = 0; i < 20 && status == PR_OK; i++) {
		struct store_call c;
		struct pr_list ids = { NULL, 0 };

		store_call_init(&c, &s->main, 100);
		status = s->main.ops->wait_ready(&c.call, &ids);
		store_call_fini(&c);
	}
	return status;
}

static void waiting(struct suite *s)
{
	pthread_t thread;
	struct store_call c;
	struct pr_list ids = { NULL, 0 };

	NEEDS(s, wait_ready);
	enum pr_status quiet = wait_for_quiet(s);
	if (quiet == PR_MISUSE) {
		store_skip(s, "with these options there is nothing to wait for");
		return;
	}
	CHECK(s, quiet == PR_NOTFOUND);
	REQUIRE(s, pthread_create(&thread, NULL, put_soon, s) == 0);
	int64_t from = store_clock();
	store_call_init(&c, &s->main, 10000);
	CHECK(s, s->main.ops->wait_ready(&c.call, &ids) == PR_OK);
	int64_t waited = store_clock() - from;
	CHECK(s, waited < 5000);
	store_call_fini(&c);
	pthread_join(thread, NULL);
}

/* A store may know nothing of it, and then everything is durable; what is only written can be delivered, and be made durable. */
static void later(struct suite *s)
{
	struct store_mail mail;
	char ids[4][STORE_ID];

	NEEDS(s, begin_in);
	store_mail_plain(&mail);
	CHECK(s, STORE_HAS(s->main.ops, secure) == STORE_HAS(s->main.ops, forget));
	for (int i = 0; i < 4; i++) {
		void *transaction = NULL;
		enum pr_commit result = store_submit_later(s, &mail.envelope, PR_STR("one\ntwo\n"), ids[i], &transaction);
		bool written = result == PR_COMMIT_WRITTEN && STORE_HAS(s->main.ops, secure);
		REQUIRE(s, result == PR_COMMIT_DURABLE || written);
		if (i == 2)
			check_mail(s, pr_str(ids[i]), &mail.envelope, PR_STR("one\ntwo\n"));
		if (written && i == 2)
			s->main.ops->forget(&s->main.loaded.call, transaction);
		else if (written)
			CHECK(s, store_make_secure(s, transaction) == PR_COMMIT_DURABLE);
	}
	if (!s->forgets)
		REQUIRE(s, store_reopen(s));
	for (int i = 0; i < 4; i++)
		if (i != 2)
			check_mail(s, pr_str(ids[i]), &mail.envelope, PR_STR("one\ntwo\n"));
}

const struct store_case store_accept_cases[] = {
	{ "what was accepted is what is delivered", round_trip },
	{ "a message with the empty sender", bounce_sender },
	{ "durable means after close and open too", survives },
	{ "bodies of 0 bytes to 5 MiB in random cuts", bodies },
	{ "5,000 recipients", many_recipients },
	{ "abort leaves nothing", aborted },
	{ "line ends, NUL and nothing are refused as addresses", line_ends },
	{ "a receiver may accept and nothing else", receiver },
	{ "a reader may look and nothing else", reader },
	{ "begin_in: an unknown queue group", queue_groups },
	{ "secure and forget: durable later, or never", later },
	{ "wait_ready: over with the deadline or with the next message", waiting },
	{ NULL, NULL },
};
