/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Large bodies and the intake journal: in a record while there is room in the journal and in memory, else a file from the start.
 */
#include "modules/stores/spool/journal.h"
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE ".libs/spool.so"
#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)

static struct harness store;
static struct harness_call c;
static char scratch[256];
static const char *const two_segments[] = {"journal_size=8M", NULL};
static const char *const small_bodies[] = {"journal_body=128K", NULL};
static const char *const much_room[] = {"journal_size=256M", NULL};

static bool start_as(uint32_t role, const char *const *settings)
{
	bool ok = harness_open(&store, MODULE, scratch, settings, role);

	harness_call_init(&c, &store);
	return ok;
}

static bool start(void)
{
	return start_as(BOTH, NULL);
}

static void stop(void)
{
	harness_call_fini(&c);
	harness_close(&store);
}

static bool has_file(char kind, const char *id)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof path, "%s/%cf%.63s", scratch, kind, id);
	return stat(path, &st) == 0;
}

/* A body beyond journal_body is df from the start, its envelope a record. */
static void test_large_body(void)
{
	static char body[600000];
	struct harness_envelope e;
	struct pr_claim claim = {.size = sizeof claim};
	struct pr_text text;
	char id[64];

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(BOTH, small_bodies));
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, id, NULL), PR_COMMIT_DURABLE);
	CU_ASSERT(has_file('d', id));
	CU_ASSERT_FALSE(has_file('q', id));
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	CU_ASSERT_EQUAL(claim.envelope->body_size, (int64_t)sizeof body);
	pr_text_init(&text, sizeof body + 1);
	CU_ASSERT(harness_read_body(&store, &claim, &text));
	CU_ASSERT(pr_str_equal(pr_text_str(&text), (struct pr_str){body, sizeof body}));
	pr_text_fini(&text);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	CU_ASSERT_FALSE(has_file('d', id));
	stop();
	harness_remove_scratch(scratch);
}

/* Is the body of this message n times x, after it was claimed? */
static bool is_large_whole(struct pr_claim *claim, size_t len)
{
	struct pr_text text;
	bool whole;

	pr_text_init(&text, len + 1);
	whole = harness_read_body(&store, claim, &text) && text.len == len && strspn(text.data, "x") == len;
	pr_text_fini(&text);
	return whole;
}

/* Up to journal_body it is in the record, and becomes df when it must wait. */
static void test_large_record(void)
{
	static char body[600000];
	struct harness_envelope e;
	struct pr_claim claim = {.size = sizeof claim};
	char id[64];

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, id, NULL), PR_COMMIT_DURABLE);
	CU_ASSERT_FALSE(has_file('d', id));
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	CU_ASSERT(is_large_whole(&claim, sizeof body));
	store.ops->release(&c.call, &claim);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT(has_file('d', id));
	CU_ASSERT(has_file('q', id));
	stop();
	CU_ASSERT_FATAL(start());
	claim = (struct pr_claim){.size = sizeof claim};
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	CU_ASSERT(is_large_whole(&claim, sizeof body));
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	stop();
	harness_remove_scratch(scratch);
}

/* While half of the journal is in use a large body is df, and in a record again when it is free. */
static void test_large_bodies_crowd(void)
{
	static char body[600000];
	struct harness_envelope e;
	char id[20][64];
	int recorded = 0, first_filed = -1;

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(PR_STORE_INTAKE, two_segments));
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	for (int i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, id[i], NULL), PR_COMMIT_DURABLE);
		recorded += !has_file('d', id[i]);
		if (first_filed < 0 && has_file('d', id[i]))
			first_filed = i;
	}
	CU_ASSERT(recorded >= 6 && recorded <= 8);
	CU_ASSERT_EQUAL(first_filed, recorded); /* and all that came later */
	stop();
	CU_ASSERT_FATAL(start_as(BOTH, two_segments));
	CU_ASSERT_EQUAL(harness_count(&store), 20);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	stop();
	CU_ASSERT_FATAL(start_as(PR_STORE_INTAKE, two_segments));
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, id[0], NULL), PR_COMMIT_DURABLE);
	CU_ASSERT_FALSE(has_file('d', id[0]));
	stop();
	harness_remove_scratch(scratch);
}

/* Somebody else accepts, and goes through two segments while nobody looks: what stands in the last one is found as well. */
static void test_next_segments(void)
{
	enum { MESSAGES = 15 }; /* six fit into a segment */
	static char body[600000];
	struct harness accepting;
	struct harness_envelope e;
	char id[MESSAGES][64];
	int found = 0;

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	CU_ASSERT_FATAL(harness_open(&accepting, MODULE, scratch, NULL, PR_STORE_INTAKE));
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	for (int i = 0; i < MESSAGES; i++) {
		CU_ASSERT_EQUAL(harness_submit(&accepting, &e.envelope, body, sizeof body, id[i], NULL), PR_COMMIT_DURABLE);
		/* the lease is taken with the first; then the thread that looks now and then has time to lie down for a second */
		for (int k = i == 0 || i == MESSAGES - 1 ? i : -1; k >= 0 && (k > 0 || i == 0); k--) {
			struct pr_claim claim = {.size = sizeof claim};

			found += store.ops->claim(&c.call, pr_str(id[k]), &claim) == PR_OK && store.ops->finish(&c.call, &claim) == PR_OK;
		}
		if (i == 0)
			usleep(300000);
	}
	CU_ASSERT_EQUAL(found, MESSAGES);
	harness_close(&accepting);
	stop();
	harness_remove_scratch(scratch);
}

/* So much of them is in memory at once; the next one is claimed as files. */
static void test_large_claims(void)
{
	enum { CLAIMS = 120, LENGTH = 600000, FIT = (64 << 20) / LENGTH };
	static char body[LENGTH];
	static struct pr_claim claims[CLAIMS];
	static char id[CLAIMS][64];
	struct harness_envelope e;
	int whole = 0, filed = 0;

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(BOTH, much_room));
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	for (int i = 0; i < CLAIMS; i++) {
		CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, id[i], NULL), PR_COMMIT_DURABLE);
		claims[i] = (struct pr_claim){.size = sizeof claims[i]};
		CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id[i]), &claims[i]), PR_OK);
		filed += has_file('d', id[i]);
		CU_ASSERT_EQUAL(has_file('d', id[i]), filed > 0); /* from the first one on all */
	}
	/* who accepts takes 2 MiB of the same room for a moment */
	CU_ASSERT(filed >= CLAIMS - FIT && filed <= CLAIMS - FIT + (2 << 20) / LENGTH + 1);
	for (int i = 0; i < CLAIMS; i++) {
		whole += is_large_whole(&claims[i], LENGTH);
		CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claims[i]), PR_OK);
	}
	CU_ASSERT_EQUAL(whole, CLAIMS);
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	/* all of it was given back */
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, id[0], NULL), PR_COMMIT_DURABLE);
	claims[0] = (struct pr_claim){.size = sizeof claims[0]};
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id[0]), &claims[0]), PR_OK);
	CU_ASSERT_FALSE(has_file('d', id[0]));
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claims[0]), PR_OK);
	stop();
	harness_remove_scratch(scratch);
}

static const struct unit_case cases[] = {
	{"a body for a file", test_large_body},
	{"a body in a record", test_large_record},
	{"news in two segments", test_next_segments},
	{"half of the journal is in use", test_large_bodies_crowd},
	{"many claims at once", test_large_claims},
	{NULL, NULL},
};

UNIT_MAIN("large bodies and the journal", cases)
