/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The spool store over several queue directories and groups: messages go everywhere by chance, are found everywhere, and stay where they are.
 * Each case runs with the intake journal and with files only.
 */
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE ".libs/spool.so"
#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)
#define MESSAGES 60

static struct harness store;
static struct harness_call c;
static char scratch[256], pattern[300], groups[600];

static int count(const char *part, const char *prefix)
{
	char path[600];
	int found = 0;

	snprintf(path, sizeof path, "%s/%s", scratch, part);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
		found += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	if (directory != NULL)
		closedir(directory);
	return found;
}

static void make(const char *part)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", scratch, part);
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
}

static bool setup(const char *settings)
{
	setenv("STORE_SETTINGS", settings, 1);
	if (!harness_scratch(scratch))
		return false;
	snprintf(pattern, sizeof pattern, "%s/q*", scratch);
	return true;
}

static bool start(void)
{
	bool ok = harness_open(&store, MODULE, pattern, NULL, BOTH);

	harness_call_init(&c, &store);
	return ok;
}

static void stop(void)
{
	harness_call_fini(&c);
	harness_close(&store);
	harness_remove_scratch(scratch);
	harness_queue_groups = NULL;
	unsetenv("STORE_SETTINGS");
}

static void submit_all(char ids[MESSAGES][64])
{
	struct harness_envelope e;

	harness_envelope(&e);
	for (int i = 0; i < MESSAGES; i++)
		CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, "text\n", 5, ids[i], NULL), PR_COMMIT_DURABLE);
}

static void everywhere(const char *settings)
{
	static char ids[MESSAGES][64];
	struct pr_claim claim;

	CU_ASSERT_FATAL(setup(settings));
	make("q1");
	make("q2");
	make("q2/qf");
	make("q2/df");
	make("q3");
	make("other");
	CU_ASSERT_FATAL(start());
	submit_all(ids);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(harness_count(&store), MESSAGES);
	CU_ASSERT(count("q1", "qf") > 0);
	CU_ASSERT(count("q2/qf", "qf") > 0);
	CU_ASSERT_EQUAL(count("q2/qf", "qf"), count("q2/df", "df"));
	CU_ASSERT(count("q3", "qf") > 0);
	CU_ASSERT_EQUAL(count("q1", "qf") + count("q2/qf", "qf") + count("q3", "qf"), MESSAGES);
	CU_ASSERT_EQUAL(count(".", "qf") + count("other", "qf"), 0);
	for (int i = 0; i < MESSAGES; i++) {
		struct pr_text body;

		pr_text_init(&body, 100);
		CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(ids[i]), &claim), PR_OK);
		CU_ASSERT(harness_read_body(&store, &claim, &body));
		CU_ASSERT(pr_str_equal(pr_text_str(&body), PR_STR("text\n")));
		pr_text_fini(&body);
		if (i % 3 == 0) {
			claim.envelope->tries = 1;
			CU_ASSERT_EQUAL(store.ops->defer(&c.call, &claim, claim.envelope), PR_OK);
		} else {
			CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
		}
	}
	CU_ASSERT_EQUAL(harness_count(&store), MESSAGES / 3);
	CU_ASSERT_EQUAL(store.ops->hold(&c.call, pr_str(ids[0]), PR_STR("why")), PR_OK);
	CU_ASSERT_EQUAL(count("q1", "hf") + count("q2/qf", "hf") + count("q3", "hf"), 1);
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, pr_str(ids[3])), PR_OK);
	CU_ASSERT_EQUAL(harness_count(&store), MESSAGES / 3 - 1);
	stop();
}

static void by_group(const char *settings)
{
	struct pr_intake intake = {.size = sizeof intake, .queue = PR_STR("slow")};
	struct harness_envelope e;
	struct pr_entry entry;
	void *transaction, *cursor = NULL;
	struct pr_str id;

	CU_ASSERT_FATAL(setup(settings));
	make("q1");
	make("slow");
	make("slow/a1");
	make("slow/a2");
	snprintf(groups, sizeof groups, "slow=%s/slow/a*,new=%s/new", scratch, scratch);
	harness_queue_groups = groups;
	CU_ASSERT_FATAL(start());
	harness_envelope(&e);
	CU_ASSERT_EQUAL_FATAL(store.ops->begin_in(&c.call, &intake, &transaction, &id), PR_OK);
	store.ops->abort(&c.call, transaction);
	intake.queue = PR_STR("nowhere");
	CU_ASSERT_EQUAL(store.ops->begin_in(&c.call, &intake, &transaction, &id), PR_NOTFOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.call.reason.data, "nowhere"));
	CU_ASSERT_EQUAL(harness_submit_in(&store, PR_STR("slow"), &e.envelope, "x\n", 2), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL(harness_submit_in(&store, PR_STR("new"), &e.envelope, "x\n", 2), PR_COMMIT_DURABLE); /* its directory was made */
	CU_ASSERT_EQUAL(harness_submit_in(&store, PR_NONE, &e.envelope, "x\n", 2), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(count("slow/a1", "qf") + count("slow/a2", "qf"), 1);
	CU_ASSERT_EQUAL(count("new", "qf"), 1);
	CU_ASSERT_EQUAL(count("q1", "qf"), 1);
	int named = 0;
	while (store.ops->next(&c.call, &cursor, &entry) == PR_OK)
		named += pr_str_equal(entry.queue, PR_STR("slow")) || pr_str_equal(entry.queue, PR_STR("new")) ||
		         pr_str_equal(entry.queue, PR_STR("q1"));
	CU_ASSERT_EQUAL(named, 3);
	stop();
}

static void test_everywhere(void)
{
	everywhere("journal_size=64M");
	everywhere("journal_size=0");
}

static void test_groups(void)
{
	by_group("journal_size=64M");
	by_group("journal_size=0");
}

static void test_bad_patterns(void)
{
	CU_ASSERT_FATAL(setup("journal_size=0"));
	CU_ASSERT_FALSE(start()); /* nothing matches */
	harness_call_fini(&c);
	harness_close(&store);
	snprintf(pattern, sizeof pattern, "%s/q*x", scratch);
	CU_ASSERT_FALSE(start());
	stop();
}

static const struct unit_case cases[] = {
	{"messages go to all directories and are found there", test_everywhere},
	{"each group has its own", test_groups},
	{"patterns that cannot be used", test_bad_patterns},
	{NULL, NULL},
};

UNIT_MAIN("spool places", cases)
