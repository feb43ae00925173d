/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every store must do, whatever it is made of.  The store is the shared object named by STORE_MODULE (default: spool of this build).
 * Nothing but the contract of store.h is used.
 */
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <string.h>

#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)

static struct harness store;
static struct harness_call c;
static char scratch[256];

static bool setup(uint32_t role)
{
	const char *path = getenv("STORE_MODULE");

	if (!harness_scratch(scratch) || !harness_open(&store, path == NULL ? ".libs/spool.so" : path, scratch, NULL, role))
		return false;
	harness_call_init(&c, &store);
	return true;
}

static void teardown(void)
{
	harness_call_fini(&c);
	harness_close(&store);
	harness_remove_scratch(scratch);
}

static struct pr_str submit(const char *body)
{
	static char id[64];
	struct harness_envelope e;

	harness_envelope(&e);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, strlen(body), id, NULL), PR_COMMIT_DURABLE);
	return pr_str(id);
}

static void test_round_trip(void)
{
	struct pr_claim claim;
	struct pr_text body;
	struct pr_envelope *e;

	CU_ASSERT_FATAL(setup(BOTH));
	struct pr_str id = submit("one\ntwo\n");

	CU_ASSERT_EQUAL(harness_count(&store), 1);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	e = claim.envelope;
	CU_ASSERT(pr_str_equal(claim.id, id));
	CU_ASSERT(pr_str_equal(e->id, id));
	CU_ASSERT(pr_str_equal(e->sender, PR_STR("<sue@example.com>")));
	CU_ASSERT_EQUAL(e->recipient_count, 2);
	CU_ASSERT(pr_str_equal(e->recipients[1].address, PR_STR("<ann@example.net>")));
	CU_ASSERT_EQUAL(e->header_count, 2);
	CU_ASSERT(pr_str_equal(e->headers[0].value, PR_STR(" from a by b;\n\tFri, 20 Nov 2026 12:32:14 GMT")));
	CU_ASSERT_EQUAL(e->body_size, 8);
	CU_ASSERT_EQUAL(e->created, 1795179740);
	CU_ASSERT_EQUAL(e->priority, 60123);
	pr_text_init(&body, 100);
	CU_ASSERT(harness_read_body(&store, &claim, &body));
	CU_ASSERT(pr_str_equal(pr_text_str(&body), PR_STR("one\ntwo\n")));
	pr_text_fini(&body);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &claim), PR_NOTFOUND);
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	teardown();
}

static void test_exclusive(void)
{
	struct pr_claim first, second;

	CU_ASSERT_FATAL(setup(BOTH));
	struct pr_str id = submit("x\n");

	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &first), PR_OK);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &second), PR_TEMPFAIL);
	store.ops->release(&c.call, &first);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &second), PR_OK);
	CU_ASSERT_NOT_EQUAL(first.epoch, second.epoch);
	store.ops->release(&c.call, &second);
	teardown();
}

static void test_stale_epoch(void)
{
	struct pr_claim first, second;
	struct harness_envelope e;

	CU_ASSERT_FATAL(setup(BOTH));
	struct pr_str id = submit("x\n");

	harness_envelope(&e);
	e.envelope.message = PR_STR("changed by a stale claimer");
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &first), PR_OK);
	store.ops->release(&c.call, &first);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &second), PR_OK);
	CU_ASSERT_EQUAL(store.ops->update(&c.call, &first, &e.envelope), PR_PERMFAIL);
	CU_ASSERT_EQUAL(store.ops->defer(&c.call, &first, &e.envelope), PR_PERMFAIL);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &first), PR_PERMFAIL);
	CU_ASSERT_EQUAL(store.ops->renew(&c.call, &first), PR_PERMFAIL);
	store.ops->release(&c.call, &first); /* must not free the second's claim */
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &first), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(store.ops->renew(&c.call, &second), PR_OK);
	store.ops->release(&c.call, &second);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &first), PR_OK);
	CU_ASSERT_PTR_NULL(first.envelope->message.data);
	store.ops->release(&c.call, &first);
	teardown();
}

static void test_defer(void)
{
	struct pr_claim claim;

	CU_ASSERT_FATAL(setup(BOTH));
	struct pr_str id = submit("x\n");

	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	claim.envelope->tries = 3;
	claim.envelope->last_try = 1795180000;
	claim.envelope->message = PR_STR("Deferred: Connection refused");
	claim.envelope->recipients[0].state = PR_RECIPIENT_DELIVERED;
	claim.envelope->recipients[0].enhanced = PR_STR("2.0.0");
	claim.envelope->recipients[1].state = PR_RECIPIENT_DEFERRED;
	claim.envelope->recipients[1].status = PR_STR("450 4.2.1 mailbox busy");
	claim.envelope->recipients[1].enhanced = PR_STR("4.2.1");
	claim.envelope->recipients[1].remote = PR_STR("mx1.example.net");
	CU_ASSERT_EQUAL(store.ops->update(&c.call, &claim, claim.envelope), PR_OK);
	CU_ASSERT_EQUAL(store.ops->defer(&c.call, &claim, claim.envelope), PR_OK);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_PERMFAIL);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	CU_ASSERT_EQUAL(claim.envelope->tries, 3);
	CU_ASSERT_EQUAL(claim.envelope->last_try, 1795180000);
	CU_ASSERT(pr_str_equal(claim.envelope->message, PR_STR("Deferred: Connection refused")));
	CU_ASSERT_EQUAL_FATAL(claim.envelope->recipient_count, 2);
	CU_ASSERT_EQUAL(claim.envelope->recipients[0].state, PR_RECIPIENT_DELIVERED);
	CU_ASSERT(pr_str_equal(claim.envelope->recipients[0].enhanced, PR_STR("2.0.0")));
	CU_ASSERT_EQUAL(claim.envelope->recipients[1].state, PR_RECIPIENT_DEFERRED);
	CU_ASSERT(pr_str_equal(claim.envelope->recipients[1].status, PR_STR("450 4.2.1 mailbox busy")));
	CU_ASSERT(pr_str_equal(claim.envelope->recipients[1].remote, PR_STR("mx1.example.net")));
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	teardown();
}

static void test_abort(void)
{
	struct pr_str id;
	void *transaction;
	char *large = malloc(300000);

	CU_ASSERT_FATAL(setup(BOTH));
	memset(large, 'x', 300000);
	CU_ASSERT_EQUAL_FATAL(store.ops->begin(&c.call, &transaction, &id), PR_OK);
	CU_ASSERT_EQUAL(store.ops->body(&c.call, transaction, "abc\n", 4), PR_OK);
	store.ops->abort(&c.call, transaction);
	CU_ASSERT_EQUAL_FATAL(store.ops->begin(&c.call, &transaction, &id), PR_OK);
	CU_ASSERT_EQUAL(store.ops->body(&c.call, transaction, large, 300000), PR_OK);
	store.ops->abort(&c.call, transaction);
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	CU_ASSERT_EQUAL(harness_files(scratch), 0);
	free(large);
	teardown();
}

static void test_large_body(void)
{
	size_t len = 1000003;
	char *large = malloc(len);
	char id[64];
	struct harness_envelope e;
	struct pr_claim claim;
	struct pr_text body;

	CU_ASSERT_FATAL(setup(BOTH));
	for (size_t i = 0; i < len; i++)
		large[i] = i % 70 == 69 ? '\n' : (char)(i * 7 + i / 251); /* NUL and 8-bit among them */
	harness_envelope(&e);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, large, len, id, NULL), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	CU_ASSERT_EQUAL(claim.envelope->body_size, (int64_t)len);
	pr_text_init(&body, len + 10);
	CU_ASSERT(harness_read_body(&store, &claim, &body));
	CU_ASSERT_EQUAL_FATAL(body.len, len);
	CU_ASSERT_EQUAL(memcmp(body.data, large, len), 0);
	pr_text_fini(&body);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	free(large);
	teardown();
}

static void test_hold(void)
{
	struct pr_claim claim;
	struct pr_envelope *envelope;
	struct pr_entry entry;

	CU_ASSERT_FATAL(setup(BOTH));
	struct pr_str id = submit("x\n");

	CU_ASSERT_EQUAL(store.ops->hold(&c.call, id, PR_STR("testing")), PR_OK);
	CU_ASSERT_NOT_EQUAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	CU_ASSERT_EQUAL_FATAL(store.ops->peek(&c.call, id, &envelope, &entry), PR_OK);
	CU_ASSERT_EQUAL(entry.state, PR_ENTRY_QUARANTINED);
	CU_ASSERT(pr_str_equal(envelope->quarantine, PR_STR("testing")));
	CU_ASSERT_EQUAL(store.ops->unhold(&c.call, id), PR_OK);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	CU_ASSERT_PTR_NULL(claim.envelope->quarantine.data);
	CU_ASSERT_EQUAL(store.ops->hold(&c.call, id, PR_STR("testing")), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, id), PR_TEMPFAIL);
	store.ops->release(&c.call, &claim);
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, id), PR_OK);
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, id), PR_NOTFOUND);
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	teardown();
}

static void test_requeue(void)
{
	struct pr_claim claim;

	CU_ASSERT_FATAL(setup(BOTH));
	struct pr_str id = submit("x\n");

	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	claim.envelope->tries = 5;
	claim.envelope->last_try = 1795180000;
	CU_ASSERT_EQUAL(store.ops->defer(&c.call, &claim, claim.envelope), PR_OK);
	CU_ASSERT_EQUAL(store.ops->requeue(&c.call, id), PR_OK);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, id, &claim), PR_OK);
	CU_ASSERT_EQUAL(claim.envelope->last_try, 0);
	store.ops->release(&c.call, &claim);
	teardown();
}

static void test_scan(void)
{
	struct pr_entry entry;
	void *cursor = NULL;
	bool seen[20] = { false };
	char ids[20][64];
	struct pr_claim claim;

	CU_ASSERT_FATAL(setup(BOTH));
	for (int i = 0; i < 20; i++)
		snprintf(ids[i], sizeof ids[i], "%s", submit("x\n").data);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(ids[7]), &claim), PR_OK);
	while (store.ops->next(&c.call, &cursor, &entry) == PR_OK)
		for (int i = 0; i < 20; i++)
			if (pr_str_equal(entry.id, pr_str(ids[i]))) {
				CU_ASSERT_FALSE(seen[i]);
				seen[i] = true;
				CU_ASSERT_EQUAL(entry.state, i == 7 ? PR_ENTRY_CLAIMED : PR_ENTRY_READY);
				CU_ASSERT_EQUAL(entry.created, 1795179740);
				CU_ASSERT_EQUAL(entry.body_size, 2);
			}
	CU_ASSERT_PTR_NULL(cursor);
	for (int i = 0; i < 20; i++)
		CU_ASSERT(seen[i]);
	CU_ASSERT_EQUAL(store.ops->next(&c.call, &cursor, &entry), PR_OK);
	store.ops->next_end(&c.call, &cursor);
	CU_ASSERT_PTR_NULL(cursor);
	store.ops->release(&c.call, &claim);
	teardown();
}

static void test_refused_at_write(void)
{
	const struct pr_str bad[] = { PR_STR("<a\nR:<b@c>"), PR_STR("<a\0b@c>"), PR_STR("<a\rb@c>"), PR_STR("") };
	struct harness_envelope e;
	char id[64];

	CU_ASSERT_FATAL(setup(BOTH));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		harness_envelope(&e);
		e.recipients[1].address = bad[i];
		CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, "x\n", 2, id, NULL), 0);
		harness_envelope(&e);
		if (bad[i].len > 0) {
			e.envelope.sender = bad[i];
			CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, "x\n", 2, id, NULL), 0);
		}
	}
	harness_envelope(&e);
	e.headers[1].value = PR_STR(" x\nBcc: y");
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, "x\n", 2, id, NULL), 0);
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	teardown();
}

static void test_receiver_may_only_accept(void)
{
	struct pr_claim claim;

	CU_ASSERT_FATAL(setup(PR_STORE_INTAKE));
	struct pr_str id = submit("x\n");

	CU_ASSERT_EQUAL(store.ops->claim(&c.call, id, &claim), PR_MISUSE);
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, id), PR_MISUSE);
	teardown();
}

static void test_health(void)
{
	struct pr_store_health health;

	CU_ASSERT_FATAL(setup(BOTH));
	CU_ASSERT_EQUAL(store.ops->health(&c.call, &health), PR_OK);
	CU_ASSERT_EQUAL(health.can_accept, 1);
	CU_ASSERT(health.bytes_free > 0);
	teardown();
}

#define THREADS 8
#define MESSAGES 40

static struct {
	pthread_mutex_t lock;
	int delivered, accepted;
	char ids[THREADS * MESSAGES][64];
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *accepter(void *context)
{
	struct harness_envelope e;
	char id[64];

	(void)context;
	harness_envelope(&e);
	for (int i = 0; i < MESSAGES; i++) {
		if (harness_submit(&store, &e.envelope, "hello\n", 6, id, NULL) != PR_COMMIT_DURABLE)
			continue;
		pthread_mutex_lock(&shared.lock);
		snprintf(shared.ids[shared.accepted++], 64, "%s", id);
		pthread_mutex_unlock(&shared.lock);
	}
	return NULL;
}

static void note_delivery(void)
{
	pthread_mutex_lock(&shared.lock);
	shared.delivered++;
	pthread_mutex_unlock(&shared.lock);
}

static void *deliverer(void *context)
{
	const int *rounds = context;

	for (int round = 0; round < *rounds; round++) {
		struct harness_call mine;
		struct pr_entry entry;
		struct pr_claim claim;
		void *cursor = NULL;

		harness_call_init(&mine, &store);
		while (store.ops->next(&mine.call, &cursor, &entry) == PR_OK) {
			if (store.ops->claim(&mine.call, entry.id, &claim) != PR_OK)
				continue;
			if (claim.envelope->tries == 0) {
				claim.envelope->tries = 1;
				store.ops->defer(&mine.call, &claim, claim.envelope);
			} else if (store.ops->finish(&mine.call, &claim) == PR_OK) {
				note_delivery();
			}
		}
		harness_call_fini(&mine);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t accepters[THREADS], deliverers[4];
	int rounds = 10;

	CU_ASSERT_FATAL(setup(BOTH));
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&accepters[i], NULL, accepter, NULL), 0);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&deliverers[i], NULL, deliverer, &rounds), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(accepters[i], NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(deliverers[i], NULL);
	while (harness_count(&store) > 0)
		deliverer(&rounds);
	CU_ASSERT_EQUAL(shared.accepted, THREADS * MESSAGES);
	CU_ASSERT_EQUAL(shared.delivered, THREADS * MESSAGES);
	for (int i = 0; i < shared.accepted; i++)
		for (int k = 0; k < i; k++)
			if (strcmp(shared.ids[i], shared.ids[k]) == 0)
				CU_FAIL("two messages have one id");
	CU_ASSERT_EQUAL(harness_files(scratch), 0);
	teardown();
}

static const struct unit_case cases[] = {
	{ "what was accepted is what is delivered", test_round_trip },
	{ "one claimer at a time", test_exclusive },
	{ "a stale epoch changes nothing", test_stale_epoch },
	{ "the state of each recipient survives defer", test_defer },
	{ "abort leaves nothing", test_abort },
	{ "a large body with every byte", test_large_body },
	{ "hold and release", test_hold },
	{ "requeue makes due now", test_requeue },
	{ "a scan sees each message once", test_scan },
	{ "line ends and NUL in addresses are refused", test_refused_at_write },
	{ "the receiver may only accept", test_receiver_may_only_accept },
	{ "health", test_health },
	{ "many threads, each message once", test_threads },
	{ NULL, NULL },
};

UNIT_MAIN("store conformance", cases)
