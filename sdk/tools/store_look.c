/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking at the queue: scans while it changes, queries against a matcher of our own, health.
 */
#include "store.h"

#include <stdio.h>
#include <string.h>

#define MAILS 24

struct seen {
	char ids[MAILS][STORE_ID];
	int times[MAILS];
};

static int index_of(const struct seen *seen, struct pr_str id)
{
	for (int i = 0; i < MAILS; i++)
		if (pr_str_equal(pr_str(seen->ids[i]), id))
			return i;
	return -1;
}

static void scan(struct suite *s)
{
	struct seen seen = { 0 };
	struct store_call c;
	struct pr_entry entry = { .size = sizeof entry };
	struct pr_claim claim = { .size = sizeof claim };
	void *cursor = NULL;

	for (int i = 0; i < MAILS; i++)
		store_put(s, seen.ids[i]);
	store_call_init(&c, &s->main, 0);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(seen.ids[7]), &claim) == PR_OK);
	while (s->main.ops->next(&c.call, &cursor, &entry) == PR_OK) {
		int i = index_of(&seen, entry.id);
		REQUIRE(s, i >= 0);
		seen.times[i]++;
		CHECK(s, entry.state == (i == 7 ? PR_ENTRY_CLAIMED : PR_ENTRY_READY));
		CHECK(s, entry.created == 1795179740 && entry.body_size == 8 && entry.priority == 60123);
		CHECK(s, entry.queue.len > 0);
		/* it need not look, but it must not invent */
		CHECK(s, entry.sender.data == NULL || pr_str_equal(entry.sender, PR_STR("<sue@example.com>")));
		CHECK(s, entry.recipient.data == NULL || pr_str_equal(entry.recipient, PR_STR("<joe@example.org>")));
		CHECK(s, entry.recipients == 0 || entry.recipients == 2);
	}
	CHECK(s, cursor == NULL);
	for (int i = 0; i < MAILS; i++)
		CHECK(s, seen.times[i] == 1);
	CHECK(s, s->main.ops->next(&c.call, &cursor, &entry) == PR_OK);
	s->main.ops->next_end(&c.call, &cursor);
	CHECK(s, cursor == NULL);
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
}

/* What was there all the time is seen once, whatever comes and goes meanwhile. */
static void scan_while_it_changes(struct suite *s)
{
	struct seen seen = { 0 };
	struct store_call c;
	struct pr_entry entry = { .size = sizeof entry };
	void *cursor = NULL;
	char more[STORE_ID];
	int step = 0;

	for (int i = 0; i < MAILS; i++)
		store_put(s, seen.ids[i]);
	store_call_init(&c, &s->main, 0);
	while (step < 10 * MAILS && s->main.ops->next(&c.call, &cursor, &entry) == PR_OK) {
		int i = index_of(&seen, entry.id);
		if (i >= 0)
			seen.times[i]++;
		/* the one that was just shown goes, every third time; and now and then one comes */
		if (i >= 0 && step % 3 == 0)
			CHECK(s, s->main.ops->remove(&c.call, pr_str(seen.ids[i])) == PR_OK);
		if (step % 5 == 0 && step < 40)
			store_put(s, more);
		step++;
	}
	CHECK(s, cursor == NULL);
	s->main.ops->next_end(&c.call, &cursor);
	for (int i = 0; i < MAILS; i++)
		CHECK(s, seen.times[i] == 1);
	store_call_fini(&c);
}

static void two_scans(struct suite *s)
{
	char id[STORE_ID];
	struct store_call c;
	struct pr_entry entry = { .size = sizeof entry };
	void *one = NULL, *two = NULL;

	store_put(s, id);
	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	CHECK(s, s->main.ops->next(&c.call, &one, &entry) == PR_OK);
	CHECK(s, s->main.ops->next(&c.call, &two, &entry) == PR_OK);
	CHECK(s, s->main.ops->next(&c.call, &one, &entry) == PR_OK);
	CHECK(s, s->main.ops->next(&c.call, &one, &entry) == PR_NOTFOUND && one == NULL);
	CHECK(s, s->main.ops->next(&c.call, &two, &entry) == PR_OK);
	CHECK(s, s->main.ops->next(&c.call, &two, &entry) == PR_NOTFOUND && two == NULL);
	store_call_fini(&c);
}

/* query ----------------------------------------------------------------- */

static bool finds(struct pr_str text, struct pr_str wanted)
{
	for (size_t i = 0; i + wanted.len <= text.len; i++)
		if (pr_str_equal_nocase(pr_str_slice(text, i, i + wanted.len), wanted))
			return true;
	return wanted.data == NULL;
}

static const char *const senders[] = { "<sue@example.com>", "<Bob@Example.ORG>", "<>" };
static const char *const domains[] = { "example.org", "mail.example.org", "other.test", "EXAMPLE.org" };

/* The i-th message of the queue that is asked. */
static void make_mail(struct suite *s, int i, char id_out[STORE_ID])
{
	struct store_mail mail;
	struct store_call c;
	char body[200];

	store_call_init(&c, &s->main, 0);
	store_mail_plain(&mail);
	mail.envelope.sender = pr_str(senders[i % 3]);
	mail.envelope.created += i * 100;
	mail.envelope.message = i % 2 == 0 ? PR_STR("Deferred: Connection refused by mx") : PR_NONE;
	mail.recipients[0].address = pr_arena_printf(&c.arena, "<user%d@%s>", i, domains[i % 4]);
	mail.recipients[1].address = pr_arena_printf(&c.arena, "<done%d@delivered.test>", i);
	mail.recipients[1].state = PR_RECIPIENT_DELIVERED;
	memset(body, 'x', sizeof body);
	CHECK(s, store_submit(s, &s->main, &mail.envelope, (struct pr_str){ body, (size_t)i * 5 }, id_out) == PR_COMMIT_DURABLE);
	store_call_fini(&c);
}

/* The same question, answered from what we put in; the 3rd is claimed, the 5th held. */
static bool matches(const struct pr_query *q, int i, struct pr_str id)
{
	char user[100];
	uint32_t state = i == 3 ? 1u << PR_ENTRY_CLAIMED : i == 5 ? 1u << PR_ENTRY_HELD | 1u << PR_ENTRY_QUARANTINED : 1u << PR_ENTRY_READY;
	int64_t created = 1795179740 + i * 100, size = i * 5;
	struct pr_str reason = i == 5 ? PR_STR("smells") : i % 2 == 0 ? PR_STR("Deferred: Connection refused by mx") : PR_STR("");

	snprintf(user, sizeof user, "<user%d@%s>", i, domains[i % 4]);
	return finds(id, q->id) && finds(pr_str(senders[i % 3]), q->sender) && finds(pr_str(user), q->recipient) &&
	       (q->domain.data == NULL || pr_str_equal_nocase(pr_str(domains[i % 4]), q->domain)) && finds(reason, q->reason) &&
	       (q->created_from == 0 || created >= q->created_from) && (q->created_before == 0 || created < q->created_before) &&
	       (q->size_from == 0 || size >= q->size_from) && (q->size_to == 0 || size <= q->size_to) &&
	       (q->states == 0 || (q->states & state) != 0);
}

static void ask(struct suite *s, const struct seen *put, const struct pr_query *query, const char *what)
{
	struct seen got = { 0 };
	struct store_call c;
	struct pr_entry entry = { .size = sizeof entry };
	void *cursor = NULL;
	enum pr_status status;
	unsigned int wrong = 0;

	store_call_init(&c, &s->main, 0);
	while ((status = s->main.ops->query(&c.call, query, &cursor, &entry)) == PR_OK) {
		int i = index_of(put, entry.id);
		if (CHECK(s, i >= 0))
			got.times[i]++;
	}
	CHECK(s, status == PR_NOTFOUND && cursor == NULL);
	for (int i = 0; i < MAILS; i++)
		wrong += got.times[i] != (matches(query, i, pr_str(put->ids[i])) ? 1 : 0);
	bool the_query_finds_what_it_should = wrong == 0;
	if (!CHECK(s, the_query_finds_what_it_should))
		printf("     (query: %s; %u of %d are wrong)\n", what, wrong, MAILS);
	store_call_fini(&c);
}

#define ASK(...) ask(s, &put, &(struct pr_query){ .size = sizeof(struct pr_query), __VA_ARGS__ }, #__VA_ARGS__)

static void query(struct suite *s)
{
	struct seen put = { 0 };
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };

	NEEDS(s, query);
	for (int i = 0; i < MAILS; i++)
		make_mail(s, i, put.ids[i]);
	store_call_init(&c, &s->main, 0);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(put.ids[3]), &claim) == PR_OK);
	CHECK(s, s->main.ops->hold(&c.call, pr_str(put.ids[5]), PR_STR("smells")) == PR_OK);
	ASK(.states = 0);
	ASK(.id = pr_str(put.ids[4]));
	ASK(.sender = PR_STR("SUE@"));
	ASK(.sender = PR_STR("example.org"));
	ASK(.recipient = PR_STR("user1"));
	ASK(.recipient = PR_STR("done"));
	ASK(.domain = PR_STR("example.org"));
	ASK(.domain = PR_STR("delivered.test"));
	ASK(.domain = PR_STR("ample.org"));
	ASK(.reason = PR_STR("connection REFUSED"));
	ASK(.reason = PR_STR("smells"));
	ASK(.created_from = 1795179740 + 500);
	ASK(.created_before = 1795179740 + 500);
	ASK(.size_from = 50);
	ASK(.size_to = 51);
	ASK(.states = 1u << PR_ENTRY_CLAIMED);
	ASK(.states = 1u << PR_ENTRY_HELD | 1u << PR_ENTRY_QUARANTINED);
	ASK(.states = 1u << PR_ENTRY_READY | 1u << PR_ENTRY_CLAIMED, .sender = PR_STR("sue"));
	ASK(.sender = PR_STR("bob"), .domain = PR_STR("example.org"), .reason = PR_STR("refused"));
	ASK(.created_from = 1795179740 + 300, .created_before = 1795179740 + 1500, .size_from = 30, .size_to = 61);
	ASK(.recipient = PR_STR("user"), .domain = PR_STR("other.test"), .states = 1u << PR_ENTRY_READY);
	ASK(.sender = PR_STR("nobody at all"));
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
}

static void health(struct suite *s)
{
	struct pr_store_health found = { .size = sizeof found };
	char id[STORE_ID];

	store_put(s, id);
	CHECK(s, s->main.ops->health(&s->main.loaded.call, &found) == PR_OK);
	CHECK(s, found.can_accept == 1);
	CHECK(s, found.bytes_free > 0);
	CHECK(s, found.files_free > 0);
	CHECK(s, found.messages == -1 || found.messages == 1);
}

const struct store_case store_look_cases[] = {
	{ "a scan sees each message once", scan },
	{ "a scan while the queue changes", scan_while_it_changes },
	{ "two scans at a time", two_scans },
	{ "query: each condition and several", query },
	{ "health", health },
	{ NULL, NULL },
};
