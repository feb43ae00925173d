/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index of queued messages: what is put is found again, walks meet everything once, memory stays within its bound and comes back.
 */
#include "unit.h"

#include "kernel/plan/index.h"
#include "kernel/plan/plan.h"
#include "kernel/queue/row.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define MANY 100000
#define MOST_BYTES 400

static struct plan_index_row make(char *id, char *sender, struct plan_index_recipient *recipient, char *address, int number)
{
	snprintf(id, 24, "6AKD2Kg%07d", number);
	snprintf(sender, 64, "<sender%d@example.com>", number % 5000);
	snprintf(address, 64, "<user%d@host%d.example.net>", number, number % 700);
	*recipient = (struct plan_index_recipient){pr_str(address), PR_STR("Deferred: Connection refused by [127.0.0.1]")};
	return (struct plan_index_row){.id = pr_str(id), .directory = PR_STR("/var/spool/mqueue"), .sender = pr_str(sender),
	                               .body_type = PR_STR("8BITMIME"), .message = PR_STR("Deferred: Connection refused by [127.0.0.1]"),
	                               .size = number, .created = 1795179720 + number, .tries = 1, .priority = 30000 + number,
	                               .recipients = 1, .complete = true, .list = recipient};
}

static void put(struct plan_index *index, int number, uint16_t scan)
{
	char id[24], sender[64], address[64];
	struct plan_index_recipient recipient;
	struct plan_index_row row = make(id, sender, &recipient, address, number);

	CU_ASSERT_TRUE(plan_index_put(index, &row, scan));
}

static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void test_memory(void)
{
	struct plan_limits limits = {.entries = 2 * MANY, .destinations = 100, .per_destination = 10, .parked = 10, .host_status = 60};
	size_t before = in_use();
	struct plan_index *index = plan_index_new(2 * MANY);
	struct plan *plan = plan_new(&limits);

	for (int i = 0; i < MANY; i++) {
		char id[24];
		put(index, i, 1);
		snprintf(id, sizeof id, "6AKD2Kg%07d", i);
		CU_ASSERT_TRUE(plan_add(plan, pr_str(id), 1000 + i));
	}
	size_t both = in_use() - before;
	plan_free(plan);
	size_t alone = in_use() - before;
	printf("  bytes a message: index %zu, with the plan %zu\n", alone / MANY, both / MANY);
	CU_ASSERT_TRUE(both / MANY < MOST_BYTES);
	CU_ASSERT_EQUAL(plan_index_count(index), MANY);
	for (int i = 0; i < MANY; i++) {
		char id[24];
		snprintf(id, sizeof id, "6AKD2Kg%07d", i);
		plan_index_remove(index, pr_str(id));
	}
	CU_ASSERT_EQUAL(plan_index_count(index), 0);
	/* a drained queue keeps next to nothing */
	CU_ASSERT_TRUE(in_use() - before < 100000);
	size_t drained = in_use() - before;
	plan_index_free(index);
	size_t left = in_use() - before;
	printf("  bytes of a drained index: %zu, left afterwards: %zu\n", drained, left);
	CU_ASSERT_TRUE(left < 100000); /* what the allocator keeps at hand counts as used */
}

static void test_change(void)
{
	struct plan_index *index = plan_index_new(10);
	struct plan_index_recipient two[2] = {{PR_STR("<a@x>"), PR_NONE}, {PR_STR("<b@x>"), PR_STR("450 later")}}, got;
	struct plan_index_row row = {.id = PR_STR("A1"), .sender = PR_STR("<>"), .recipients = 2, .list = two, .complete = true,
	                             .directory = PR_STR("/q"), .size = -1, .last_try = 7, .state = PR_ENTRY_HELD}, seen;
	size_t at = 0;

	CU_ASSERT_TRUE(plan_index_touch(index, PR_STR("A1"), 1));
	CU_ASSERT_EQUAL(plan_index_incomplete(index), 1);
	plan_index_run(index, PR_STR("A1"), true);
	CU_ASSERT_TRUE(plan_index_put(index, &row, 1));
	CU_ASSERT_EQUAL(plan_index_incomplete(index), 0);
	row.directory = PR_NONE; /* unknown now: what was known stays */
	CU_ASSERT_TRUE(plan_index_put(index, &row, 1));
	CU_ASSERT_EQUAL(plan_index_count(index), 1);
	CU_ASSERT_FATAL(plan_index_find(index, PR_STR("A1"), &seen));
	CU_ASSERT_TRUE(seen.running && seen.complete && seen.size == -1 && seen.last_try == 7 && seen.state == PR_ENTRY_HELD);
	CU_ASSERT_TRUE(pr_str_equal(seen.directory, PR_STR("/q")) && pr_str_equal(seen.sender, PR_STR("<>")));
	CU_ASSERT_TRUE(seen.message.data == NULL);
	CU_ASSERT_TRUE(plan_index_recipient(index, &seen, &at, &got) && pr_str_equal(got.address, PR_STR("<a@x>")) && got.status.data == NULL);
	CU_ASSERT_TRUE(plan_index_recipient(index, &seen, &at, &got) && pr_str_equal(got.status, PR_STR("450 later")));
	CU_ASSERT_FALSE(plan_index_recipient(index, &seen, &at, &got));
	CU_ASSERT_FALSE(plan_index_find(index, PR_STR("a1"), &seen)); /* ids differ in case */
	plan_index_remove(index, PR_STR("A1"));
	CU_ASSERT_FALSE(plan_index_find(index, PR_STR("A1"), &seen));
	plan_index_free(index);
}

static void test_limits(void)
{
	struct plan_index *index = plan_index_new(1);

	CU_ASSERT_FALSE(plan_index_touch(index, PR_STR(""), 1));
	CU_ASSERT_FALSE(plan_index_touch(index, PR_STR("012345678901234567890123456789012"), 1));
	CU_ASSERT_TRUE(plan_index_touch(index, PR_STR("A"), 1));
	CU_ASSERT_FALSE(plan_index_touch(index, PR_STR("B"), 1));
	CU_ASSERT_TRUE(plan_index_touch(index, PR_STR("A"), 2));
	plan_index_free(index);
}

/* Half of it goes and more comes in the middle of a walk: those that stay are met once. */
static void test_walk(void)
{
	struct plan_index *index = plan_index_new(MANY);
	struct plan_index_row row;
	uint32_t cursor = 0;
	static unsigned char met[10000];

	memset(met, 0, sizeof met);
	for (int i = 0; i < 5000; i++)
		put(index, i, 1);
	for (int step = 0; plan_index_next(index, &cursor, &row); step++) {
		met[row.size]++;
		if (step == 2000)
			for (int i = 0; i < 5000; i += 2) {
				char id[24];
				snprintf(id, sizeof id, "6AKD2Kg%07d", i);
				plan_index_remove(index, pr_str(id));
				put(index, 5000 + i, 1);
				put(index, i + 1, 1);
			}
	}
	for (int i = 1; i < 5000; i += 2)
		CU_ASSERT_EQUAL(met[i], 1);
	for (int i = 0; i < 10000; i++)
		CU_ASSERT_TRUE(met[i] <= 1);
	plan_index_free(index);
}

static void test_sweep(void)
{
	struct plan_index *index = plan_index_new(100);
	struct plan_index_row row;

	put(index, 1, 65534);
	put(index, 2, 65535);
	put(index, 3, 0);
	put(index, 4, 65534);
	plan_index_run(index, PR_STR("6AKD2Kg0000004"), true);
	plan_index_sweep(index, 0); /* the number has gone round */
	CU_ASSERT_EQUAL(plan_index_count(index), 3);
	CU_ASSERT_FALSE(plan_index_find(index, PR_STR("6AKD2Kg0000001"), &row));
	CU_ASSERT_TRUE(plan_index_find(index, PR_STR("6AKD2Kg0000004"), &row));
	plan_index_free(index);
}

static void test_row(void)
{
	struct plan_index_recipient list[2] = {{PR_STR("<a@x>"), PR_STR("why")}, {PR_STR("<b@x>"), PR_NONE}}, got;
	struct plan_index_row row = {.id = PR_STR("A1"), .sender = PR_STR("<s@x>"), .recipients = 2, .list = list, .message = PR_STR("why"),
	                             .complete = true, .priority = -5, .size = 12}, back;
	struct pr_text text;

	pr_text_init(&text, 100000);
	CU_ASSERT_FATAL(row_write(NULL, &row, &text));
	struct pr_str bytes = pr_text_str(&text);
	CU_ASSERT_FATAL(row_read(bytes, &back));
	CU_ASSERT_TRUE(back.priority == -5 && back.size == 12 && back.complete && !back.running && back.quarantine.data == NULL);
	CU_ASSERT_TRUE(row_next(&back, &got) && pr_str_equal(got.status, PR_STR("why")));
	CU_ASSERT_TRUE(row_next(&back, &got) && got.status.data == NULL);
	CU_ASSERT_FALSE(row_next(&back, &got));
	/* cut anywhere it is refused, or recipients end early; never a byte beyond is read (run it with a sanitizer) */
	for (size_t i = 0; i < bytes.len; i++) {
		char *copy = pr_alloc(i + 1);
		memcpy(copy, bytes.data, i);
		if (row_read((struct pr_str){copy, i}, &back)) {
			while (row_next(&back, &got))
				;
			CU_ASSERT_TRUE(i > sizeof(struct row_head));
		}
		pr_free(copy);
	}
	pr_text_fini(&text);
}

static const struct unit_case cases[] = {
	{"memory of a backlog", test_memory}, {"a message changes", test_change}, {"limits", test_limits}, {"a walk while it changes", test_walk},
	{"what is gone is swept", test_sweep}, {"rows on their way", test_row}, {NULL, NULL},
};

UNIT_MAIN("index", cases)
