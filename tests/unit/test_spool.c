/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The spool's own files: ids from many threads and instances, things in the directory that are no messages, crashes between two steps.
 */
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define MODULE ".libs/spool.so"
#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)

static struct harness store;
static struct harness_call c;
static char scratch[256];

/* These are about the files; test_journal.c is about what comes before them. */
static const char *const files_only[] = { "journal_size=0", NULL };

static bool start(void)
{
	bool ok = harness_open(&store, MODULE, scratch, files_only, BOTH);

	harness_call_init(&c, &store);
	return ok;
}

static void stop(void)
{
	harness_call_fini(&c);
	harness_close(&store);
}

static bool setup(void)
{
	return harness_scratch(scratch) && start();
}

static void teardown(void)
{
	stop();
	harness_remove_scratch(scratch);
}

static const char *path(const char *prefix, const char *id)
{
	static char paths[4][512];
	static unsigned turn;
	char *result = paths[turn++ % 4];

	snprintf(result, 512, "%s/%s%s", scratch, prefix, id);
	return result;
}

static const char *submit(void)
{
	static char id[64];
	struct harness_envelope e;

	harness_envelope(&e);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, "hello\n", 6, id, NULL), PR_COMMIT_DURABLE);
	return id;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* ids --------------------------------------------------------------------- */

#define THREADS 8
#define IDS 1500

static char ids[2 * THREADS * IDS][24];
static struct harness second;

static void *take_ids(void *context)
{
	size_t index = *(size_t *)context;
	const struct harness *h = index < THREADS ? &store : &second;
	struct harness_call mine;

	harness_call_init(&mine, h);
	for (size_t i = 0; i < IDS; i++) {
		void *transaction;
		struct pr_str id;

		if (h->ops->begin(&mine.call, &transaction, &id) != PR_OK)
			continue;
		snprintf(ids[index * IDS + i], sizeof ids[0], "%.*s", PR_PRINT(id));
		h->ops->abort(&mine.call, transaction);
	}
	harness_call_fini(&mine);
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void test_ids(void)
{
	pthread_t threads[2 * THREADS];
	size_t indexes[2 * THREADS];
	int equal = 0;

	CU_ASSERT_FATAL(setup());
	CU_ASSERT_FATAL(harness_open(&second, MODULE, scratch, files_only, BOTH)); /* as another process would */
	for (size_t i = 0; i < 2 * THREADS; i++) {
		indexes[i] = i;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, take_ids, &indexes[i]), 0);
	}
	for (size_t i = 0; i < 2 * THREADS; i++)
		pthread_join(threads[i], NULL);
	qsort(ids, 2 * THREADS * IDS, sizeof ids[0], compare_ids);
	for (size_t i = 0; i < 2 * THREADS * IDS; i++) {
		equal += i > 0 && strcmp(ids[i], ids[i - 1]) == 0;
		if (strlen(ids[i]) != 14)
			CU_FAIL("an id is not of sendmail's shape");
	}
	CU_ASSERT_EQUAL(equal, 0);
	harness_close(&second);
	teardown();
}

static void test_damaged_counter(void)
{
	CU_ASSERT_FATAL(setup());
	stop();
	put(path(".id", ""), "rubbish rubbish rubbish\n");
	CU_ASSERT_FATAL(start());
	submit();
	stop();
	put(path(".id", ""), "");
	CU_ASSERT_FATAL(start());
	submit();
	stop();
	put(path(".id", ""), "999999\n");
	CU_ASSERT_FATAL(start());
	submit();
	CU_ASSERT_EQUAL(harness_count(&store), 3);
	teardown();
}

/* what is no message ------------------------------------------------------ */

static void lost(const char *id)
{
	struct pr_claim claim;
	struct pr_envelope *envelope;
	struct pr_entry entry;

	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_PERMFAIL);
	CU_ASSERT(c.call.reason.len > 0);
	CU_ASSERT_FALSE(exists(path("qf", id)));
	CU_ASSERT(exists(path("Qf", id)));
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_NOTFOUND);
	CU_ASSERT_NOT_EQUAL(store.ops->peek(&c.call, pr_str(id), &envelope, &entry), PR_OK);
}

static void test_hostile_directory(void)
{
	struct pr_claim claim;
	char good[64];
	int fd;

	CU_ASSERT_FATAL(setup());
	snprintf(good, sizeof good, "%s", submit());
	put(path("qf", "aEMPTY"), "");
	put(path("qf", "bCUT"), "V8\nT1\nSa\nRP:b\n");
	put(path("qf", "cNODATA"), "V8\nT1\nSa\nRP:b\n.\n");
	put(path("df", "dNEWLINE"), "x");
	put(path("qf", "dNEWLINE"), "V8\nT1\nSa\nRP:b\n c\n.\n");
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path("qf", "eLINK")), 0);
	CU_ASSERT_EQUAL(mkfifo(path("qf", "fFIFO"), 0600), 0);
	CU_ASSERT_EQUAL(mkdir(path("qf", "gDIR"), 0700), 0);
	put(path("qf", "hHUGE"), "V8\n");
	CU_ASSERT_EQUAL(truncate(path("qf", "hHUGE"), 1 << 30), 0);
	put(path("qf", "iHARD"), "V8\nT1\nSa\nRP:b\n.\n");
	CU_ASSERT_EQUAL(link(path("qf", "iHARD"), path("other", "")), 0);
	put(path("qf", "kWORLD"), "V8\nT1\nSa\nRP:b\n.\n");
	CU_ASSERT_EQUAL(chmod(path("qf", "kWORLD"), 0666), 0);
	put(path("qf", "not-an-id"), "x");
	put(path("qf", ""), "x");
	CU_ASSERT_EQUAL(harness_count(&store), 11);
	lost("aEMPTY");
	lost("bCUT");
	lost("cNODATA");
	lost("dNEWLINE");
	lost("eLINK");
	lost("fFIFO");
	lost("gDIR");
	lost("hHUGE");
	lost("iHARD");
	lost("kWORLD");
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, PR_STR("../etc/passwd"), &claim), PR_NOTFOUND);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, PR_STR(""), &claim), PR_NOTFOUND);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(good), &claim), PR_OK);
	store.ops->release(&c.call, &claim);
	/* a lost one can be removed by the operator */
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, PR_STR("bCUT")), PR_OK);
	CU_ASSERT_FALSE(exists(path("Qf", "bCUT")));
	/* another program's lock is respected */
	fd = open(path("qf", good), O_RDONLY);
	CU_ASSERT_EQUAL(flock(fd, LOCK_EX | LOCK_NB), 0);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(good), &claim), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, pr_str(good)), PR_TEMPFAIL);
	close(fd);
	teardown();
}

/* A control file of ours knows how long its body is, also after it was rewritten; one of sendmail's does not. */
static void test_body_length(void)
{
	struct pr_claim claim;
	char id[64];

	CU_ASSERT_FATAL(setup());
	snprintf(id, sizeof id, "%s", submit());
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	int64_t length = claim.envelope->body_size;
	CU_ASSERT(length > 1);
	CU_ASSERT_EQUAL(store.ops->defer(&c.call, &claim, claim.envelope), PR_OK);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	store.ops->release(&c.call, &claim);
	CU_ASSERT_EQUAL(truncate(path("df", id), length - 1), 0);
	lost(id);
	snprintf(id, sizeof id, "%s", submit());
	CU_ASSERT_EQUAL(truncate(path("df", id), length + 1), 0);
	lost(id);
	put(path("qf", "sENDMAIL"), "V8\nT1\nSa\nRP:b\n.\n");
	put(path("df", "sENDMAIL"), "any length");
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, PR_STR("sENDMAIL"), &claim), PR_OK);
	store.ops->release(&c.call, &claim);
	teardown();
}

/* A claim whose file another program replaced changes nothing any more. */
static void test_replaced_from_outside(void)
{
	struct pr_claim claim;
	char id[64];

	CU_ASSERT_FATAL(setup());
	snprintf(id, sizeof id, "%s", submit());
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	put(path("tf", "new"), "V8\nT7\nSa\nRP:b\n.\n");
	CU_ASSERT_EQUAL(rename(path("tf", "new"), path("qf", id)), 0);
	CU_ASSERT_EQUAL(store.ops->defer(&c.call, &claim, claim.envelope), PR_PERMFAIL);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_PERMFAIL);
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	CU_ASSERT_EQUAL(claim.envelope->created, 7);
	store.ops->release(&c.call, &claim);
	teardown();
}

static void test_hold_cut_short(void)
{
	struct pr_claim claim;
	struct pr_envelope *envelope;
	struct pr_entry entry;
	char id[64];

	CU_ASSERT_FATAL(setup());
	snprintf(id, sizeof id, "%s", submit());
	CU_ASSERT_EQUAL(store.ops->hold(&c.call, pr_str(id), PR_STR("why")), PR_OK);
	CU_ASSERT_EQUAL(rename(path("hf", id), path("qf", id)), 0);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_TEMPFAIL);
	CU_ASSERT(exists(path("hf", id)));
	CU_ASSERT_EQUAL_FATAL(store.ops->peek(&c.call, pr_str(id), &envelope, &entry), PR_OK);
	CU_ASSERT_EQUAL(entry.state, PR_ENTRY_QUARANTINED);
	teardown();
}

static void make_old(const char *name)
{
	struct timeval times[2] = { { 1000000, 0 }, { 1000000, 0 } };

	CU_ASSERT_EQUAL(utimes(name, times), 0);
}

static void test_sweep(void)
{
	char id[64];
	int fd;

	CU_ASSERT_FATAL(setup());
	snprintf(id, sizeof id, "%s", submit());
	make_old(path("df", id));
	put(path("df", "old"), "x");
	put(path("tf", "old"), "x");
	put(path("df", "young"), "x");
	put(path("df", "locked"), "x");
	make_old(path("df", "old"));
	make_old(path("tf", "old"));
	make_old(path("df", "locked"));
	fd = open(path("df", "locked"), O_RDONLY);
	CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
	stop();
	CU_ASSERT_FATAL(start());
	CU_ASSERT(exists(path("df", id)));
	CU_ASSERT_FALSE(exists(path("df", "old")));
	CU_ASSERT_FALSE(exists(path("tf", "old")));
	CU_ASSERT(exists(path("df", "young")));
	CU_ASSERT(exists(path("df", "locked")));
	close(fd);
	teardown();
}

static void test_sub_directories(void)
{
	struct pr_claim claim;
	struct stat st;
	char id[64];

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_EQUAL(mkdir(path("qf", ""), 0700), 0);
	CU_ASSERT_EQUAL(mkdir(path("df", ""), 0700), 0);
	umask(077);
	CU_ASSERT_FATAL(start());
	snprintf(id, sizeof id, "%s", submit());
	CU_ASSERT_EQUAL_FATAL(stat(path("qf/qf", id), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0640); /* whatever the umask; the receiver's and the deliverer's alike */
	CU_ASSERT_EQUAL_FATAL(store.ops->role(&c.call, PR_STORE_INTAKE), PR_OK);
	CU_ASSERT_EQUAL_FATAL(stat(path("qf/qf", submit()), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
	CU_ASSERT_EQUAL_FATAL(store.ops->role(&c.call, PR_STORE_INTAKE | PR_STORE_DELIVERY), PR_OK);
	CU_ASSERT(exists(path("df/df", id)));
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(id), &claim), PR_OK);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &claim), PR_OK);
	CU_ASSERT_FALSE(exists(path("df/df", id)));
	teardown();
}

static int mode_of(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

/* What sendmail would set aside because the group may write it is written anew; what somebody prepared is not followed. */
static void test_drain_mends_modes(void)
{
	struct pr_envelope *envelope;
	struct pr_claim claim;
	char good[64], held[64], busy[64];
	int fd;

	CU_ASSERT_FATAL(setup());
	snprintf(good, sizeof good, "%s", submit());
	snprintf(held, sizeof held, "%s", submit());
	snprintf(busy, sizeof busy, "%s", submit());
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(store.ops->hold(&c.call, pr_str(held), PR_STR("why")), PR_OK);
	CU_ASSERT_EQUAL(chmod(path("qf", good), 0660), 0);
	CU_ASSERT_EQUAL(chmod(path("hf", held), 0660), 0);
	CU_ASSERT_EQUAL(chmod(path("qf", busy), 0660), 0);
	fd = open(path("qf", good), O_RDWR); /* who has the old one open */
	CU_ASSERT_FATAL(fd >= 0);
	put(path("other", ""), "V8\nT1\nSa\nRP:b\n.\n");
	CU_ASSERT_EQUAL(chmod(path("other", ""), 0660), 0);
	CU_ASSERT_EQUAL(symlink("other", path("qf", "eLINK")), 0);
	CU_ASSERT_EQUAL(link(path("other", ""), path("qf", "iHARD")), 0);
	put(path("qf", "zDAMAGED"), "V8\nT1\nRP:b\n.\n");
	CU_ASSERT_EQUAL(chmod(path("qf", "zDAMAGED"), 0660), 0);
	/* in a delivery: it is told of, and done once that is over */
	CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(busy), &claim), PR_OK);
	CU_ASSERT_NOT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(mode_of(path("qf", busy)), 0660);
	store.ops->release(&c.call, &claim);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(mode_of(path("qf", busy)), 0640);
	CU_ASSERT_EQUAL(mode_of(path("qf", good)), 0640);
	CU_ASSERT_EQUAL(mode_of(path("hf", held)), 0640);
	CU_ASSERT_EQUAL(write(fd, "broken", 6), 6);
	close(fd);
	CU_ASSERT_EQUAL(store.ops->peek(&c.call, pr_str(good), &envelope, NULL), PR_OK);
	CU_ASSERT_EQUAL(store.ops->peek(&c.call, pr_str(held), &envelope, NULL), PR_OK);
	CU_ASSERT(pr_str_equal(envelope->quarantine, PR_STR("why")));
	/* neither link was followed, and what it led to is as it was */
	CU_ASSERT(exists(path("qf", "eLINK")));
	CU_ASSERT_EQUAL(mode_of(path("other", "")), 0660);
	CU_ASSERT(exists(path("Qf", "iHARD")));
	CU_ASSERT(exists(path("Qf", "zDAMAGED")));
	teardown();
}

/* Root's tool: the successor of what the receiver left belongs to the owner of the queue, but never a copy of a stranger's file. */
static void test_drain_gives_to_owner(void)
{
	struct stat st;
	char good[64], strange[64];

	if (geteuid() != 0)
		return;
	CU_ASSERT_FATAL(setup());
	snprintf(good, sizeof good, "%s", submit());
	snprintf(strange, sizeof strange, "%s", submit());
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(chown(path("", ""), 2, 1), 0);
	CU_ASSERT_EQUAL(chown(path("qf", good), 1, 1), 0);
	CU_ASSERT_EQUAL(chmod(path("qf", good), 0660), 0);
	CU_ASSERT_EQUAL(chown(path("qf", strange), 0, 42), 0);
	CU_ASSERT_EQUAL(chmod(path("qf", strange), 0660), 0);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_TEMPFAIL);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.call.reason.data, strange));
	CU_ASSERT_EQUAL_FATAL(stat(path("qf", good), &st), 0);
	CU_ASSERT(st.st_uid == 2 && st.st_gid == 1 && (st.st_mode & 0777) == 0640);
	CU_ASSERT_EQUAL_FATAL(stat(path("qf", strange), &st), 0);
	CU_ASSERT(st.st_uid == 0 && st.st_gid == 42 && (st.st_mode & 0777) == 0660);
	teardown();
}

static void test_bad_options(void)
{
	static const char *const world[] = { "file_mode=0666", NULL };
	static const char *const none[] = { "file_mode=0060", NULL };

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FALSE(harness_open(&store, MODULE, scratch, world, BOTH));
	harness_close(&store);
	CU_ASSERT_FALSE(harness_open(&store, MODULE, scratch, none, BOTH));
	harness_close(&store);
	CU_ASSERT_FALSE(harness_open(&store, MODULE, "/nonexistent/queue", NULL, BOTH));
	harness_close(&store);
	CU_ASSERT_FALSE(harness_open(&store, MODULE, "/var/spool/q.*", NULL, BOTH));
	harness_close(&store);
	harness_remove_scratch(scratch);
}

static const struct unit_case cases[] = {
	{ "ids of many threads and two processes differ", test_ids },
	{ "a damaged counter file", test_damaged_counter },
	{ "what is no message is set aside, others go on", test_hostile_directory },
	{ "a body that is not as long as it was", test_body_length },
	{ "a claim replaced from outside changes nothing", test_replaced_from_outside },
	{ "a hold cut short stays held", test_hold_cut_short },
	{ "remains of a crash are swept, nothing else", test_sweep },
	{ "qf/ and df/ are used, and the mode is set", test_sub_directories },
	{ "a drain leaves nothing that the group may write", test_drain_mends_modes },
	{ "what root rewrites there is the queue owner's", test_drain_gives_to_owner },
	{ "options that would be unsafe", test_bad_options },
	{ NULL, NULL },
};

UNIT_MAIN("spool", cases)
