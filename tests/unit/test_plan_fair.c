/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the plan promises to those who share it: turns between senders, room that is learned, a quarter of the threads for hosts that
 * live, runners of queue groups, the order of a queue run, and memory that is known beforehand.
 */
#include "kernel/plan/order.h"
#include "kernel/plan/load.h"
#include "kernel/plan/plan.h"
#include "tests/unit/unit.h"

#include <malloc.h>
#include <string.h>

static const struct plan_retry no_runs = {.interval = 0};
static const struct plan_limits limits = {.entries = 2000000, .destinations = 1000, .per_destination = 20, .parked = 100, .host_status = 100};

static struct pr_str id_of(unsigned int number, char *room)
{
	snprintf(room, 32, "6AKCWE2x%07u", number);
	return pr_str(room);
}

static void put(struct plan *plan, unsigned int number, int64_t due, int64_t order, const char *sender, uint8_t group)
{
	char room[32];
	struct plan_item item = {.id = id_of(number, room), .due = due, .order = order, .source = plan_source(pr_str(sender)), .group = group};

	CU_ASSERT_TRUE(plan_put(plan, &item));
}

static unsigned int number_of(const struct plan_entry *entry)
{
	return (unsigned int)strtoul(entry->id + 8, NULL, 10);
}

static struct plan_destination *host(struct plan *plan, const char *name, int64_t now)
{
	return plan_destination(plan, PR_STR("esmtp"), pr_str(name), now);
}

static enum plan_answer enter(struct plan *plan, struct plan_entry *entry, struct plan_destination *destination, int64_t now)
{
	struct pr_str reason;

	return plan_enter(plan, entry, destination, now, &reason);
}

/* A hundred thousand new messages of one sender are before the one of another: it is among the next two looks. */
static void test_new_mail_takes_turns(void)
{
	struct plan *plan = plan_new(&limits);
	struct plan_entry *entry;
	unsigned int looks = 0;

	for (unsigned int i = 0; i < 100000; i++)
		put(plan, i, 0, 0, "<many@a.example>", 0);
	put(plan, 100000, 0, 0, "<one@b.example>", 0);
	while ((entry = plan_take(plan, 1)) != NULL && number_of(entry) != 100000) {
		plan_forget(plan, entry);
		looks++;
	}
	CU_ASSERT_PTR_NOT_NULL(entry);
	CU_ASSERT_TRUE(looks <= 1);
	/* within one sender the first comes first */
	entry = plan_take(plan, 1);
	CU_ASSERT_EQUAL(number_of(entry), looks);
	plan_free(plan);
}

/* The same where they all stand in line at one full destination. */
static void test_a_line_takes_turns(void)
{
	struct plan *plan = plan_new(&limits);
	struct plan_destination *full = host(plan, "full.example", 1);
	struct plan_entry *entry;

	for (unsigned int i = 0; i < 102; i++)
		put(plan, i, 0, 0, "<many@a.example>", 0);
	for (unsigned int i = 0; i < 102; i++) {
		entry = plan_take(plan, 1);
		if (enter(plan, entry, full, 1) == PLAN_FULL)
			plan_wait(plan, entry, full, NULL);
	}
	put(plan, 500, 0, 0, "<one@b.example>", 0);
	entry = plan_take(plan, 1);
	CU_ASSERT_EQUAL(enter(plan, entry, full, 1), PLAN_FULL);
	plan_wait(plan, entry, full, NULL);
	plan_leave(plan, full, PLAN_NEUTRAL, PR_NONE, 1);
	entry = plan_take(plan, 1);
	CU_ASSERT_EQUAL(number_of(entry), 2); /* its turn was before */
	CU_ASSERT_EQUAL(enter(plan, entry, full, 1), PLAN_GO);
	plan_leave(plan, full, PLAN_NEUTRAL, PR_NONE, 1);
	entry = plan_take(plan, 1);
	CU_ASSERT_EQUAL(number_of(entry), 500);
	plan_free(plan);
}

/* How many deliveries get in at once; all leave again with the outcome. */
static unsigned int room_of(struct plan *plan, struct plan_destination *destination, enum plan_outcome outcome, int64_t now)
{
	static unsigned int next = 1000000;
	struct plan_entry *entry;
	unsigned int count = 0;

	for (;;) {
		put(plan, next++, 0, 0, "<a@a.example>", 0);
		entry = plan_take(plan, now);
		if (enter(plan, entry, destination, now) != PLAN_GO)
			break;
		plan_forget(plan, entry);
		count++;
	}
	plan_forget(plan, entry);
	for (unsigned int i = 0; i < count; i++)
		plan_leave(plan, destination, outcome, PR_STR("refused"), now);
	return count;
}

static void test_room_is_learned(void)
{
	struct plan *plan = plan_new(&limits);
	struct plan_destination *at = host(plan, "a.example", 1);

	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 1), 2);
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 1), 4);
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 1), 8);
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 1), 16);
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_NEUTRAL, 1), 20); /* never more than MaxConnectionsPerHost */
	struct plan_entry *entry;
	put(plan, 1, 0, 0, "<a@a.example>", 0);
	entry = plan_take(plan, 1);
	CU_ASSERT_EQUAL(enter(plan, entry, at, 1), PLAN_GO);
	plan_leave(plan, at, PLAN_PUSHED_BACK, PR_NONE, 1); /* 421: half of it */
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_NEUTRAL, 1), 10);
	CU_ASSERT_EQUAL(enter(plan, entry, at, 1), PLAN_GO);
	plan_leave(plan, at, PLAN_UNREACHABLE, PR_STR("refused"), 1);
	CU_ASSERT_EQUAL(enter(plan, entry, at, 100), PLAN_DEAD);
	/* its time is over: one probe at a time, and it grows again when that went well */
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_UNREACHABLE, 101), 1);
	CU_ASSERT_EQUAL(enter(plan, entry, at, 200), PLAN_DEAD);
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 201), 1);
	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 201), 2);
	plan_free(plan);
}

static void test_single_thread(void)
{
	struct plan_limits single = limits;
	single.single_thread = true;
	struct plan *plan = plan_new(&single);

	CU_ASSERT_EQUAL(room_of(plan, host(plan, "a.example", 1), PLAN_SERVED, 1), 1);
	CU_ASSERT_EQUAL(room_of(plan, host(plan, "a.example", 1), PLAN_SERVED, 1), 1);
	/* mailboxes are no host */
	struct plan_destination *local = plan_destination(plan, PR_STR("local"), PR_STR(""), 1);
	CU_ASSERT_EQUAL(room_of(plan, local, PLAN_SERVED, 1), 2);
	CU_ASSERT_EQUAL(room_of(plan, local, PLAN_SERVED, 1), 4);
	plan_free(plan);
}

/* Eight threads; ever more hosts swallow what is given to them.  They never get more than six, and one that lives has room. */
static void test_the_shared_quarter(void)
{
	struct plan_limits eight = limits;
	eight.threads = 8;
	struct plan *plan = plan_new(&eight);
	struct plan_destination *good = host(plan, "good.example", 1), *bad;
	struct plan_entry *entry;
	unsigned int hanging = 0;
	char name[32];

	CU_ASSERT_EQUAL(room_of(plan, good, PLAN_SERVED, 1), 2);
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "bad%u.example", i);
		put(plan, i, 0, 0, "<a@a.example>", 0);
		entry = plan_take(plan, 1);
		bad = host(plan, name, 1);
		if (enter(plan, entry, bad, 1) == PLAN_GO)
			hanging++;
		else
			plan_wait(plan, entry, bad, NULL);
	}
	CU_ASSERT_EQUAL(hanging, 6);
	CU_ASSERT_PTR_NULL(plan_take(plan, 1)); /* the others wait, although each has room of its own */
	CU_ASSERT_EQUAL(plan_next_due(plan), PLAN_NEVER);
	CU_ASSERT_TRUE(room_of(plan, good, PLAN_SERVED, 2) >= 2);
	/* silence: what hangs is counted, and as many more may be tried */
	CU_ASSERT_EQUAL(plan_tick(plan, 2), 0);
	CU_ASSERT_EQUAL(plan_tick(plan, 4), 6);
	unsigned int more = 0;
	while ((entry = plan_take(plan, 4)) != NULL) {
		CU_ASSERT_EQUAL(enter(plan, entry, entry->destination, 4), PLAN_GO);
		more++;
	}
	CU_ASSERT_EQUAL(more, 6);
	plan_free(plan);
}

/* A host that was well goes silent: it counts among the unproven then, and is well again after one success. */
static void test_silence_is_noticed(void)
{
	struct plan_limits eight = limits;
	eight.threads = 8;
	struct plan *plan = plan_new(&eight);
	struct plan_destination *at = host(plan, "a.example", 1), *other = host(plan, "b.example", 1);
	struct plan_entry *entries[4];

	CU_ASSERT_EQUAL(room_of(plan, at, PLAN_SERVED, 1), 2);
	for (unsigned int i = 0; i < 4; i++) {
		put(plan, i, 0, 0, "<a@a.example>", 0);
		entries[i] = plan_take(plan, 1);
		CU_ASSERT_EQUAL(enter(plan, entries[i], at, 1), PLAN_GO);
	}
	CU_ASSERT_EQUAL(plan_tick(plan, 3), 0);
	CU_ASSERT_EQUAL(plan_tick(plan, 10), 4);
	CU_ASSERT_EQUAL(room_of(plan, other, PLAN_NEUTRAL, 10), 2); /* threads were added for those that hang */
	plan_leave(plan, at, PLAN_SERVED, PR_NONE, 10);
	CU_ASSERT_EQUAL(plan_tick(plan, 11), 0);
	CU_ASSERT_EQUAL(room_of(plan, other, PLAN_NEUTRAL, 11), 2);
	plan_free(plan);
}

/* Nobody has two deliveries where the next host would have none: first contacts come first. */
static void test_first_contacts(void)
{
	struct plan_limits forty = limits;
	forty.threads = 40;
	struct plan *plan = plan_new(&forty);
	unsigned int entered[21] = {0};
	char name[32];

	for (unsigned int i = 0; i < 42; i++) {
		snprintf(name, sizeof name, "h%u.example", i / 2);
		put(plan, i, 0, 0, "<a@a.example>", 0);
		struct plan_entry *entry = plan_take(plan, 1);
		struct plan_destination *at = host(plan, name, 1);
		if (enter(plan, entry, at, 1) == PLAN_GO)
			entered[i / 2]++;
		else
			plan_wait(plan, entry, at, NULL);
	}
	for (unsigned int i = 0; i < 21; i++)
		CU_ASSERT_EQUAL(entered[i], i < 5 ? 2 : 1);
	plan_free(plan);
}

static void test_order_of_a_run(void)
{
	struct plan *plan = plan_new(&limits);
	struct plan_entry *entry;
	unsigned int taken = 0;
	int64_t last = INT64_MIN;

	for (unsigned int i = 0; i < 2000; i++)
		put(plan, i, 100 + (int64_t)(i % 50), (int64_t)((i * 7919u) % 2000u), "<a@a.example>", 0);
	for (int i = 0; i < 10; i++) /* looks that find nothing yet */
		CU_ASSERT_PTR_NULL(plan_take(plan, 99));
	put(plan, 5000, 50, -1, "<a@a.example>", 0);
	entry = plan_take(plan, 200); /* all are due; some hundreds are sorted with each look */
	CU_ASSERT_EQUAL(number_of(entry), 5000);
	plan_forget(plan, entry);
	for (unsigned int i = 0; i < 10; i++) {
		entry = plan_take(plan, 200);
		plan_retry(plan, entry, 300);
	}
	for (; taken < 1990 && (entry = plan_take(plan, 200)) != NULL; taken++) {
		CU_ASSERT_TRUE(entry->order >= last);
		last = entry->order;
		plan_forget(plan, entry);
	}
	CU_ASSERT_EQUAL(taken, 1990);
	CU_ASSERT_PTR_NULL(plan_take(plan, 299));
	plan_free(plan);
}

static void test_sort_keys(void)
{
	struct plan_facts a = {.id = PR_STR("6AKCWE2x026116"), .recipient = PR_STR("<joe@a.example>"), .priority = 30000, .created = 500, .last_try = 900};
	struct plan_facts b = {.id = PR_STR("6AKCWF0a000001"), .recipient = PR_STR("<ann@A.Example>"), .priority = -149948, .created = 400, .last_try = 950};
	struct plan_facts c = {.id = PR_STR("6AKCWG0a000001"), .recipient = PR_STR("<ann@b.example>"), .priority = 29999};
	enum plan_sort sort = PLAN_UNSORTED;

	CU_ASSERT_TRUE(plan_sort_parse(PR_STR("Priority"), &sort) && sort == PLAN_BY_PRIORITY);
	CU_ASSERT_TRUE(plan_sort_parse(PR_STR("host"), &sort) && sort == PLAN_BY_HOST);
	CU_ASSERT_TRUE(plan_sort_parse(PR_STR("modification"), &sort) && sort == PLAN_BY_MODIFICATION);
	CU_ASSERT_FALSE(plan_sort_parse(PR_STR("zzz"), &sort));
	CU_ASSERT_FALSE(plan_sort_parse(PR_STR(""), &sort));
	CU_ASSERT_EQUAL(plan_sort_key(PLAN_BY_PRIORITY, &b), -149948);
	CU_ASSERT_TRUE(plan_sort_key(PLAN_BY_FILENAME, &a) < plan_sort_key(PLAN_BY_FILENAME, &b));
	CU_ASSERT_TRUE(plan_sort_key(PLAN_BY_TIME, &a) > plan_sort_key(PLAN_BY_TIME, &b));
	CU_ASSERT_TRUE(plan_sort_key(PLAN_BY_MODIFICATION, &a) < plan_sort_key(PLAN_BY_MODIFICATION, &b));
	/* a and b go to one host, the smaller priority first; c is not between them */
	int64_t x = plan_sort_key(PLAN_BY_HOST, &a), y = plan_sort_key(PLAN_BY_HOST, &b), z = plan_sort_key(PLAN_BY_HOST, &c);
	CU_ASSERT_TRUE(y < x && (z < y || z > x));
	CU_ASSERT_TRUE(plan_sort_key(PLAN_BY_CHANCE, &a) != plan_sort_key(PLAN_BY_CHANCE, &b));
	CU_ASSERT_EQUAL(plan_sort_key(PLAN_UNSORTED, &b), 0);
}

static void test_runners_of_groups(void)
{
	struct plan *plan = plan_new(&limits);
	struct plan_entry *entry, *ones[3];
	unsigned int by_group[2] = {0, 0};

	plan_set_group(plan, 1, 3, &no_runs);
	for (unsigned int i = 0; i < 20; i++)
		put(plan, i, 10, 0, "<a@a.example>", i % 2 == 0 ? 0 : 1);
	while ((entry = plan_take(plan, 10)) != NULL) {
		if (entry->group == 1 && by_group[1] < 3)
			ones[by_group[1]] = entry;
		by_group[entry->group]++;
	}
	CU_ASSERT_EQUAL(by_group[0], 10);
	CU_ASSERT_EQUAL(by_group[1], 3);
	CU_ASSERT_EQUAL(plan_next_due(plan), PLAN_NEVER);
	/* one that stands in line is still running */
	plan_wait(plan, ones[0], host(plan, "a.example", 10), NULL);
	CU_ASSERT_EQUAL(plan_take(plan, 10), ones[0]);
	CU_ASSERT_PTR_NULL(plan_take(plan, 10));
	plan_retry(plan, ones[0], 50);
	CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 10));
	CU_ASSERT_PTR_NULL(plan_take(plan, 10));
	/* it turns out to belong elsewhere: its place is free */
	plan_regroup(plan, ones[1], 0);
	CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 10));
	/* a first try waits for no runner */
	put(plan, 100, 0, 0, "<a@a.example>", 1);
	CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 10));
	plan_free(plan);
}

/* A run does not take a message for one of the first group before the reading has told whose it is. */
static void test_run_waits_for_the_group(void)
{
	struct plan *plan = plan_new(&limits);
	unsigned int taken = 0;

	plan_set_group(plan, 1, 2, &no_runs);
	for (unsigned int i = 0; i < 9; i++)
		put(plan, i, 1000 - i, 0, "<a@a.example>", PLAN_GROUP_UNKNOWN);
	put(plan, 9, 2000, 0, "<a@a.example>", 0);
	plan_run_all(plan, 10);
	CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 10));
	CU_ASSERT_PTR_NULL(plan_take(plan, 10));
	for (unsigned int i = 0; i < 9; i++) {
		char room[32];
		struct plan_item item = {.id = id_of(i, room), .group = 1, .order = 1};
		CU_ASSERT_TRUE(plan_run_put(plan, &item, 10));
	}
	while (plan_take(plan, 10) != NULL)
		taken++;
	CU_ASSERT_EQUAL(taken, 2);
	plan_free(plan);
}

static void test_load(void)
{
	const struct plan_load busy = {.queue_la = 8, .factor = 600000};
	const struct plan_load none = {.queue_la = 0, .factor = 1};
	static const struct {
		const char *text;
		int64_t load;
	} texts[] = {{"0.49 1.00 2.00 1/2 3\n", 0}, {"0.50 0 0", 1}, {"12.94 1 1", 13}, {"", -1}, {"7", -1}, {"x.5", -1}, {"7.x", -1}, {"-1.5", -1}, {"99999999.1", -1}};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		int64_t load = -1;
		CU_ASSERT_EQUAL(plan_load_parse(pr_str(texts[i].text), &load), texts[i].load >= 0);
		CU_ASSERT_EQUAL(load, texts[i].load);
	}
	CU_ASSERT_FALSE(plan_load_queues(&none, 1000, 1000000));
	CU_ASSERT_FALSE(plan_load_queues(&busy, 7, 10000000)); /* below: everything goes */
	CU_ASSERT_FALSE(plan_load_queues(&busy, 8, 600000));
	CU_ASSERT_TRUE(plan_load_queues(&busy, 8, 600001));
	CU_ASSERT_FALSE(plan_load_queues(&busy, 27, 30000)); /* 600000 / 20 */
	CU_ASSERT_TRUE(plan_load_queues(&busy, 27, 30001));
	CU_ASSERT_FALSE(plan_load_queues(&busy, 1000000, -149948)); /* special-delivery goes at any load */
}

static void test_runners_of_all(void)
{
	struct plan_limits two = limits;
	two.runners = 2;
	struct plan *plan = plan_new(&two);
	unsigned int taken = 0;

	plan_set_group(plan, 3, 0, &no_runs);
	for (unsigned int i = 0; i < 20; i++)
		put(plan, i, 10, 0, "<a@a.example>", (uint8_t)(i % 4));
	while (plan_take(plan, 10) != NULL)
		taken++;
	CU_ASSERT_EQUAL(taken, 2);
	plan_free(plan);
}

static void run_put(struct plan *plan, unsigned int number, int64_t now)
{
	char room[32];
	struct plan_item item = {.id = id_of(number, room), .due = 9999};

	plan_run_put(plan, &item, now);
}

/* The run reads the directory while its own results are written there. */
static void test_a_run_tries_once(void)
{
	struct plan *plan = plan_new(&limits);
	struct plan_entry *before, *entry;

	put(plan, 1, 5, 0, "<a@a.example>", 0);
	put(plan, 2, 5000, 0, "<a@a.example>", 0);
	before = plan_take(plan, 5); /* began before the run */
	plan_run_all(plan, 10);
	run_put(plan, 1, 10);
	run_put(plan, 2, 10);
	run_put(plan, 3, 10); /* only the directory knows it */
	for (unsigned int i = 0; i < 2; i++) {
		entry = plan_take(plan, 10);
		CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
		CU_ASSERT_TRUE(number_of(entry) != 1);
		plan_retry(plan, entry, 6000);
	}
	run_put(plan, 2, 11);
	run_put(plan, 3, 11);
	CU_ASSERT_PTR_NULL(plan_take(plan, 11));
	/* who was on the way already is tried by this run as well: its try may have begun before the reason for the run */
	plan_retry(plan, before, 6000);
	CU_ASSERT_EQUAL(plan_take(plan, 11), before);
	plan_retry(plan, before, 6000);
	run_put(plan, 1, 12);
	CU_ASSERT_PTR_NULL(plan_take(plan, 12));
	/* the next run takes all */
	plan_run_all(plan, 20);
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 20));
	plan_free(plan);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool counted = false; /* their malloc tells nothing */
#else
static const bool counted = true;
#endif

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* A million deferred messages, then all of them in a queue run: every table has its size then. */
static void test_memory(void)
{
	const unsigned int many = 1000000;
	size_t before = allocated();
	struct plan *plan = plan_new(&limits);
	struct plan_counts counts;

	for (unsigned int i = 0; i < many; i++)
		put(plan, i, 100 + i, (int64_t)i, i % 2 == 0 ? "<a@a.example>" : "<b@b.example>", 0);
	double waiting = (double)(allocated() - before) / many;
	plan_run_all(plan, 50);
	for (unsigned int i = 0; i < 5000; i++)
		plan_retry(plan, plan_take(plan, 50), 5000000);
	double running = (double)(allocated() - before) / many;
	plan_count(plan, 50, &counts);
	CU_ASSERT_EQUAL(counts.entries, many);
	printf(" %.1f bytes a message waiting, %.1f in a run ...", waiting, running);
	CU_ASSERT_TRUE(waiting < 130);
	CU_ASSERT_TRUE(running < 130);
	plan_free(plan);
	CU_ASSERT_TRUE(allocated() <= before + 4096);
	CU_ASSERT_TRUE(waiting > 90 || !counted); /* it is measured */
}

static const struct unit_case cases[] = {
	{"new mail: senders take turns", test_new_mail_takes_turns},
	{"a line: senders take turns", test_a_line_takes_turns},
	{"room at a destination is learned", test_room_is_learned},
	{"SingleThreadDelivery", test_single_thread},
	{"a quarter of the threads is for hosts that live", test_the_shared_quarter},
	{"first contacts come first", test_first_contacts},
	{"a host that goes silent", test_silence_is_noticed},
	{"the order of a queue run", test_order_of_a_run},
	{"QueueSortOrder as a number", test_sort_keys},
	{"runners of a queue group", test_runners_of_groups},
	{"load average", test_load},
	{"a run waits for the group", test_run_waits_for_the_group},
	{"MaxQueueChildren", test_runners_of_all},
	{"a run tries each message once", test_a_run_tries_once},
	{"bytes of a million messages", test_memory},
	{NULL, NULL},
};

UNIT_MAIN("plan_fair", cases)
