/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan, with a clock of our own: retry times, order of due messages, limits and turns of destinations.
 * Every case drives the public functions only, as a worker would.
 */
#include "kernel/plan/plan.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct plan_limits small = {.entries = 100000, .destinations = 64, .per_destination = 2, .parked = 3, .host_status = 100};

static struct pr_str id_of(unsigned int number, char *room)
{
	snprintf(room, 32, "6AKCWE2x%06u", number);
	return pr_str(room);
}

static int64_t delay_of(const struct plan_retry *retry, int64_t tries)
{
	return plan_retry_delay(retry, &(struct plan_tried){.tries = tries});
}

static int64_t due_of(const struct plan_retry *retry, int64_t last_try, int64_t tries, int64_t now)
{
	return plan_retry_due(retry, &(struct plan_tried){.last_try = last_try, .tries = tries}, now, now);
}

/* Nobody set an interval. */
static void test_retry(void)
{
	struct plan_retry fixed = {.interval = 1800};
	struct plan_retry doubling = {.min_age = 300, .longest = 3600, .interval = 60};
	struct plan_retry asked = {.min_age = 300, .longest = 3600, .interval = 0};

	CU_ASSERT_EQUAL(delay_of(&fixed, 1), 1800);
	CU_ASSERT_EQUAL(delay_of(&fixed, 50), 1800);
	CU_ASSERT_EQUAL(delay_of(&doubling, 1), 300);
	CU_ASSERT_EQUAL(delay_of(&doubling, 2), 600);
	CU_ASSERT_EQUAL(delay_of(&doubling, 4), 2400);
	CU_ASSERT_EQUAL(delay_of(&doubling, 5), 3600);
	CU_ASSERT_EQUAL(delay_of(&doubling, INT64_MAX), 3600);
	CU_ASSERT_EQUAL(delay_of(&asked, 1), PLAN_NEVER);
	CU_ASSERT_EQUAL(due_of(&asked, 4000, 1, 5000), PLAN_NEVER);
	CU_ASSERT_EQUAL(due_of(&fixed, 0, 0, 5000), 5000);
	CU_ASSERT_EQUAL(due_of(&fixed, 4000, 1, 5000), 5800);
	/* the clock went back: nobody waits longer than one delay */
	CU_ASSERT_EQUAL(due_of(&fixed, 90000, 1, 5000), 6800);
	CU_ASSERT_EQUAL(plan_retry_run(&fixed, 5000), PLAN_NEVER);
}

struct runs_case {
	int64_t interval, min_age, max_age;
	int64_t tries[9]; /* the first one, and those that follow of it; 0: enough */
};

/* As the real sendmail was seen to do it, tests/oracle/runs; the daemon starts at second 100, the message comes in the second of its first try. */
static const struct runs_case runs_cases[] = {
    {5, 0, 0, {103, 105, 110, 115, 120}},
    {2, 5, 0, {103, 108, 114, 120, 126}},
    {1, 0, 6, {103, 104, 105, 107, 111, 117, 123}},
    {1, 3, 6, {103, 106, 109, 115, 121}},
    {1, 9, 4, {103, 112, 121, 130}},
    {3600, 0, 0, {103, 3700, 7300}},
    {3600, 1, 0, {3699, 3700, 7300}},
};

static void test_runs(void)
{
	const int64_t ahead = 1700000000; /* of the clock of the plan: that of the day */

	for (size_t i = 0; i < sizeof runs_cases / sizeof runs_cases[0]; i++) {
		const struct runs_case *at = &runs_cases[i];
		struct plan_retry retry = {.interval = at->interval, .min_age = at->min_age, .max_age = at->max_age, .longest = 77, .runs = true, .begin = 100};
		struct plan_tried tried = {.created = at->tries[0] + ahead};
		for (int t = 1; t < 9 && at->tries[t] != 0; t++) {
			int64_t now = at->tries[t - 1];
			tried.last_try = now + ahead;
			tried.tries = t;
			CU_ASSERT_EQUAL(plan_retry_due(&retry, &tried, now + ahead, now), at->tries[t]);
			/* a later reading of the queue says the same */
			CU_ASSERT_EQUAL(plan_retry_due(&retry, &tried, at->tries[t] + ahead, at->tries[t]), at->tries[t]);
			CU_ASSERT_FALSE(plan_retry_is_young(&retry, &tried, at->tries[t] + ahead));
			CU_ASSERT_TRUE(at->tries[t] - now <= plan_retry_delay(&retry, &tried));
		}
	}
}

static void test_young(void)
{
	struct plan_retry retry = {.min_age = 60, .interval = 300, .longest = 14400};
	struct plan_tried tried = {.created = 1000, .last_try = 1200, .tries = 1};

	CU_ASSERT_TRUE(plan_retry_is_young(&retry, &tried, 1259));
	CU_ASSERT_FALSE(plan_retry_is_young(&retry, &tried, 1260));
	CU_ASSERT_FALSE(plan_retry_is_young(&retry, &tried, 1100)); /* the clock went back */
	retry.max_age = 150; /* tried at an age of 200 */
	CU_ASSERT_TRUE(plan_retry_is_young(&retry, &tried, 1349));
	CU_ASSERT_FALSE(plan_retry_is_young(&retry, &tried, 1350));
	tried.tries = 0;
	CU_ASSERT_FALSE(plan_retry_is_young(&retry, &tried, 1201));
}

/* A dead host is asked anew by the next run, whichever group it is of. */
static void test_dead_until_a_run(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_retry slow = {.interval = 80, .runs = true, .begin = 1000}, quick = {.interval = 30, .runs = true, .begin = 1000};
	struct pr_str reason;
	char room[32];

	plan_set_group(plan, 0, 0, &slow);
	for (int turn = 0; turn < 2; turn++) {
		int64_t died = 1015, run = turn == 0 ? 1080 : 1030;
		plan_add(plan, id_of(1, room), 0);
		struct plan_entry *entry = plan_take(plan, died);
		struct plan_destination *destination = plan_destination(plan, PR_STR("smtp"), PR_STR("far.example"), died);
		CU_ASSERT_EQUAL(plan_enter(plan, entry, destination, died, &reason), PLAN_GO);
		plan_leave(plan, destination, PLAN_UNREACHABLE, PR_STR("gone"), died);
		CU_ASSERT_EQUAL(plan_enter(plan, entry, destination, run - 1, &reason), PLAN_DEAD);
		CU_ASSERT_EQUAL(plan_enter(plan, entry, destination, run, &reason), PLAN_GO);
		plan_leave(plan, destination, PLAN_SERVED, PR_NONE, run);
		plan_forget(plan, entry);
		plan_set_group(plan, 1, 0, &quick);
	}
	plan_free(plan);
}

static bool is_expired(const struct plan_retry *retry, int64_t created, int64_t last_try, int64_t tries, int64_t limit, int64_t now)
{
	return plan_is_expired(retry, &(struct plan_tried){.created = created, .last_try = last_try, .tries = tries}, limit, now);
}

static void test_expiry(void)
{
	struct plan_retry retry = {.interval = 1800};
	int64_t day = 86400;

	CU_ASSERT_TRUE(is_expired(&retry, 0, 5 * day, 240, 5 * day, 5 * day + 1000));
	CU_ASSERT_FALSE(is_expired(&retry, 0, 4 * day, 240, 5 * day, 5 * day - 1));
	/* ten years forward at once: one more try first */
	CU_ASSERT_FALSE(is_expired(&retry, 0, 1000, 1, 5 * day, 3650 * day));
	CU_ASSERT_FALSE(is_expired(&retry, 0, 0, 0, 5 * day, 6 * day));
	/* Timeout.queuereturn=now: any failure is the last; and never */
	CU_ASSERT_TRUE(is_expired(&retry, 1000, 0, 0, 0, 1000));
	CU_ASSERT_FALSE(is_expired(&retry, 0, 5 * day, 240, -1, 50 * day));
}

static void test_due_order(void)
{
	struct plan *plan = plan_new(&small);
	char room[32];
	int64_t last = -1;
	unsigned int taken = 0;

	for (unsigned int i = 0; i < 5000; i++)
		CU_ASSERT_TRUE(plan_add(plan, id_of(i, room), (int64_t)((i * 7919u) % 1000u) + 1));
	CU_ASSERT_PTR_NULL(plan_take(plan, 0));
	CU_ASSERT_EQUAL(plan_next_due(plan), 1);
	for (int64_t now = 1; now <= 1000; now++) {
		struct plan_entry *entry;
		while ((entry = plan_take(plan, now)) != NULL) {
			CU_ASSERT_TRUE(entry->due >= last && entry->due <= now);
			last = entry->due;
			taken++;
			plan_forget(plan, entry);
		}
	}
	CU_ASSERT_EQUAL(taken, 5000);
	CU_ASSERT_EQUAL(plan_next_due(plan), PLAN_NEVER);
	CU_ASSERT_FALSE(plan_knows(plan, id_of(1, room)));
	plan_free(plan);
}

static void test_known_ids(void)
{
	struct plan_limits two = small;
	two.entries = 2;
	struct plan *plan = plan_new(&two);
	struct plan_entry *entry;

	CU_ASSERT_TRUE(plan_add(plan, PR_STR("aa"), 50));
	CU_ASSERT_TRUE(plan_add(plan, PR_STR("aA"), 60)); /* case matters in queue ids */
	CU_ASSERT_FALSE(plan_add(plan, PR_STR("ab"), 60));
	CU_ASSERT_FALSE(plan_add(plan, PR_STR(""), 60));
	CU_ASSERT_FALSE(plan_add(plan, PR_STR("0123456789012345678901234567890123456789"), 1));
	CU_ASSERT_TRUE(plan_add(plan, PR_STR("aA"), 10)); /* sooner */
	CU_ASSERT_TRUE(plan_add(plan, PR_STR("aa"), 90)); /* later: no change */
	entry = plan_take(plan, 10);
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_STRING_EQUAL(entry->id, "aA");
	CU_ASSERT_TRUE(plan_add(plan, PR_STR("aA"), 0)); /* asked for while taken: due at once afterwards */
	plan_retry(plan, entry, 1000);
	entry = plan_take(plan, 10);
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	plan_retry(plan, entry, 1000);
	CU_ASSERT_PTR_NULL(plan_take(plan, 49));
	plan_run_all(plan, 49);
	CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 49));
	CU_ASSERT_PTR_NOT_NULL(plan_take(plan, 49));
	plan_free(plan);
}

static enum plan_answer enter(struct plan *plan, struct plan_entry *entry, const char *host, int64_t now, struct plan_destination **out)
{
	struct pr_str reason;

	*out = plan_destination(plan, PR_STR("esmtp"), pr_str(host), now);
	return plan_enter(plan, entry, *out, now, &reason);
}

static void test_limit_and_line(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_entry *entries[4];
	struct plan_destination *host;
	char room[32];
	int job;

	for (unsigned int i = 0; i < 4; i++) {
		plan_add(plan, id_of(i, room), 0);
		entries[i] = plan_take(plan, 1);
	}
	CU_ASSERT_EQUAL(enter(plan, entries[0], "a.example", 1, &host), PLAN_GO);
	CU_ASSERT_EQUAL(enter(plan, entries[1], "A.Example", 1, &host), PLAN_GO);
	CU_ASSERT_EQUAL(enter(plan, entries[2], "a.example", 1, &host), PLAN_FULL);
	plan_wait(plan, entries[2], host, &job);
	plan_wait(plan, entries[3], host, NULL);
	CU_ASSERT_PTR_NULL(plan_take(plan, 1));
	plan_leave(plan, host, PLAN_SERVED, PR_NONE, 1);
	struct plan_entry *next = plan_take(plan, 1);
	CU_ASSERT_PTR_EQUAL(next, entries[2]);
	CU_ASSERT_PTR_EQUAL(next->job, &job);
	/* the place is kept for it: nobody else gets in */
	plan_add(plan, PR_STR("other"), 0);
	struct plan_entry *other = plan_take(plan, 1);
	CU_ASSERT_EQUAL(enter(plan, other, "a.example", 1, &host), PLAN_FULL);
	CU_ASSERT_EQUAL(enter(plan, next, "a.example", 1, &host), PLAN_GO);
	/* a kept place is given back when the message turns out to go elsewhere or nowhere */
	plan_leave(plan, host, PLAN_SERVED, PR_NONE, 1);
	next = plan_take(plan, 1);
	CU_ASSERT_PTR_EQUAL(next, entries[3]);
	plan_forget(plan, next);
	CU_ASSERT_EQUAL(enter(plan, other, "a.example", 1, &host), PLAN_GO);
	struct plan_counts counts;
	plan_count(plan, 1, &counts);
	CU_ASSERT_EQUAL(counts.running, 2);
	CU_ASSERT_EQUAL(counts.in_line, 0);
	CU_ASSERT_EQUAL(counts.parked, 0);
	plan_free(plan);
}

/* A destination that never answers keeps its two workers and its line; all other mail goes on. */
/* Chosen by name it is tried although its host is dead; chosen with all others it is not. */
static void test_urged(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_destination *at = NULL;
	char room[32];

	for (unsigned int i = 0; i < 3; i++)
		plan_add(plan, id_of(i, room), 0);
	struct plan_entry *entry = plan_take(plan, 1);
	CU_ASSERT_EQUAL(enter(plan, entry, "dead.example", 1, &at), PLAN_GO);
	plan_leave(plan, at, PLAN_UNREACHABLE, PR_STR("Connection refused"), 2);
	plan_retry(plan, entry, 500);
	while ((entry = plan_take(plan, 3)) != NULL)
		plan_retry(plan, entry, 500);
	for (int patient = 0; patient < 2; patient++) {
		const struct plan_item item = {.id = id_of(1, room), .due = 4, .patient = patient};
		CU_ASSERT(plan_urge(plan, &item));
		entry = plan_take(plan, 4);
		CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
		CU_ASSERT_EQUAL(enter(plan, entry, "dead.example", 4, &at), patient ? PLAN_DEAD : PLAN_GO);
		if (!patient)
			plan_leave(plan, at, PLAN_UNREACHABLE, PR_STR("Connection refused"), 4);
		plan_retry(plan, entry, 500);
	}
	plan_free(plan);
}

static void test_dead_costs_nobody(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_destination *dead = NULL, *good = NULL;
	struct plan_entry *entry;
	char room[32];
	unsigned int served = 0, looks = 0;

	for (unsigned int i = 0; i < 2000; i++)
		plan_add(plan, id_of(i, room), 0);
	/* odd ones go to the stuck host; its deliveries never end */
	while ((entry = plan_take(plan, 1)) != NULL && looks++ < 100000) {
		bool stuck = (entry->id[13] - '0') % 2 == 1;
		enum plan_answer answer = enter(plan, entry, stuck ? "stuck.example" : "good.example", 1, stuck ? &dead : &good);
		if (!stuck) {
			CU_ASSERT_EQUAL(answer, PLAN_GO);
			plan_leave(plan, good, PLAN_SERVED, PR_NONE, 1);
			plan_forget(plan, entry);
			served++;
		} else if (answer == PLAN_FULL) {
			plan_wait(plan, entry, dead, NULL);
		}
	}
	CU_ASSERT_EQUAL(served, 1000);
	CU_ASSERT_EQUAL(looks, 2000); /* each was looked at once */
	/* it is found dead: its line is handed out at once, to be deferred without trying */
	plan_leave(plan, dead, PLAN_UNREACHABLE, PR_STR("Connection refused"), 2);
	plan_leave(plan, dead, PLAN_UNREACHABLE, PR_STR("Connection refused"), 2);
	unsigned int deferred = 0;
	while ((entry = plan_take(plan, 3)) != NULL) {
		struct pr_str reason = PR_NONE;
		CU_ASSERT_EQUAL(plan_enter(plan, entry, dead, 3, &reason), PLAN_DEAD);
		CU_ASSERT_TRUE(pr_str_equal(reason, PR_STR("Connection refused")));
		plan_retry(plan, entry, 500);
		deferred++;
	}
	CU_ASSERT_EQUAL(deferred, 998);
	CU_ASSERT_PTR_NULL(plan_take(plan, 499));
	entry = plan_take(plan, 500);
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(enter(plan, entry, "stuck.example", 500, &dead), PLAN_GO);
	plan_free(plan);
}

static void test_turns(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_destination *hosts[3];
	const char *const names[] = {"a.example", "b.example", "c.example"};
	struct plan_entry *entry;
	char room[32];
	unsigned int order[9], count = 0;

	/* a has a long line, b and c short ones; all full */
	for (unsigned int i = 0; i < 3; i++)
		hosts[i] = plan_destination(plan, PR_STR("esmtp"), pr_str(names[i]), 1);
	for (unsigned int i = 0; i < 30; i++) {
		plan_add(plan, id_of(i, room), 0);
		entry = plan_take(plan, 1);
		struct plan_destination *host = hosts[i < 6 ? i / 2 : i < 26 ? 0 : i < 28 ? 1 : 2];
		struct pr_str reason;
		if (i < 6) {
			CU_ASSERT_EQUAL(plan_enter(plan, entry, host, 1, &reason), PLAN_GO);
		} else {
			plan_wait(plan, entry, host, NULL);
		}
	}
	for (unsigned int i = 0; i < 3; i++)
		plan_leave(plan, hosts[i], PLAN_SERVED, PR_NONE, 1);
	while (count < 9 && (entry = plan_take(plan, 1)) != NULL) {
		struct pr_str reason;
		struct plan_destination *host = entry->destination;
		CU_ASSERT_EQUAL(plan_enter(plan, entry, host, 1, &reason), PLAN_GO);
		order[count++] = host == hosts[0] ? 0 : host == hosts[1] ? 1 : 2;
		plan_leave(plan, host, PLAN_SERVED, PR_NONE, 1);
		plan_forget(plan, entry);
	}
	CU_ASSERT_EQUAL(count, 9);
	unsigned int first_six[3] = {0, 0, 0};
	for (unsigned int i = 0; i < 6; i++)
		first_six[order[i]]++;
	/* the short lines were not behind the long one */
	CU_ASSERT_EQUAL(first_six[0], 2);
	CU_ASSERT_EQUAL(first_six[1], 2);
	CU_ASSERT_EQUAL(first_six[2], 2);
	plan_free(plan);
}

static void test_destinations_are_forgotten(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_counts counts;
	char host[64];

	for (int64_t i = 0; i < 10000; i++) {
		snprintf(host, sizeof host, "h%lld.example", (long long)i);
		plan_destination(plan, PR_STR("esmtp"), pr_str(host), i);
	}
	plan_count(plan, 10000, &counts);
	CU_ASSERT_TRUE(counts.destinations <= 64);
	plan_free(plan);
}

static void test_parking(void)
{
	struct plan *plan = plan_new(&small);
	struct plan_destination *host = plan_destination(plan, PR_STR("esmtp"), PR_STR("a.example"), 1);
	char room[32];
	int jobs[4];

	for (unsigned int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(plan_may_park(plan));
		plan_add(plan, id_of(i, room), 0);
		plan_wait(plan, plan_take(plan, 1), host, &jobs[i]);
		/* room was there all the time, so it comes back by its turn; keep the place, it stays in line otherwise */
		struct plan_entry *entry = plan_take(plan, 1);
		CU_ASSERT_PTR_NOT_NULL(entry->job);
		plan_wait(plan, entry, host, entry->job);
	}
	CU_ASSERT_FALSE(plan_may_park(plan));
	unsigned int released = 0;
	while (plan_unpark(plan) != NULL)
		released++;
	CU_ASSERT_EQUAL(released, 3);
	plan_free(plan);
}

static const struct unit_case cases[] = {
	{"retry times", test_retry},
	{"runs of an interval", test_runs},
	{"too young for a run", test_young},
	{"a dead host is asked by the next run", test_dead_until_a_run},
	{"giving up, and not after a standstill", test_expiry},
	{"due messages come in order", test_due_order},
	{"ids are known once", test_known_ids},
	{"a full destination makes a line", test_limit_and_line},
	{"chosen by name, or with all", test_urged},
	{"a dead destination costs nobody", test_dead_costs_nobody},
	{"lines take turns", test_turns},
	{"idle destinations are forgotten", test_destinations_are_forgotten},
	{"claimed jobs in line are counted", test_parking},
	{NULL, NULL},
};

UNIT_MAIN("plan", cases)
