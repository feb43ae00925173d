/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The intake journal of the spool store: what a crash leaves is found again, damage is told and never delivered, segments are used again.
 * A crash is a child process that leaves without closing anything; damage is done to the files while nobody has them open.
 */
#include "modules/stores/spool/journal.h"
#include "tests/unit/store_harness.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MODULE ".libs/spool.so"
#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)
#define SEGMENT (4 << 20)
#define MOST 9000

static struct harness store;
static struct harness_call c;
static char scratch[256];
static const char *const two_segments[] = {"journal_size=8M", NULL};
static const char *const small_bodies[] = {"journal_body=128K", NULL};

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

/* Runs `work` in a process that dies as by SIGKILL; its ids come back in *ids. */
struct ids {
	int count;
	char id[MOST][24];
};

static struct ids *in_a_crash(void (*work)(struct ids *ids))
{
	static struct ids ids;
	int channel[2];
	size_t got = 0;

	CU_ASSERT_FATAL(pipe(channel) == 0);
	pid_t child = fork();
	if (child == 0) {
		static struct ids mine;

		close(channel[0]);
		work(&mine);
		for (size_t at = 0; at < sizeof mine;) {
			ssize_t wrote = write(channel[1], (char *)&mine + at, sizeof mine - at);
			if (wrote <= 0)
				break;
			at += (size_t)wrote;
		}
		_exit(0);
	}
	close(channel[1]);
	memset(&ids, 0, sizeof ids);
	for (ssize_t part; (part = read(channel[0], (char *)&ids + got, sizeof ids - got)) > 0;)
		got += (size_t)part;
	close(channel[0]);
	waitpid(child, NULL, 0);
	CU_ASSERT_EQUAL(got, sizeof ids);
	return &ids;
}

/* The body of a message tells its number, so that a mixed-up one is noticed. */
static size_t body_of(int number, char *body, size_t room)
{
	size_t len = (size_t)snprintf(body, room, "this is message %d\n", number);

	for (int line = 0; line < number % 40 && len + 80 < room; line++)
		len += (size_t)snprintf(body + len, room - len, "line %d of message %d, which has some words\n", line, number);
	return len;
}

static bool add(struct ids *ids)
{
	struct harness_envelope e;
	char body[4096], id[64];
	size_t len = body_of(ids->count, body, sizeof body);

	harness_envelope(&e);
	if (harness_submit(&store, &e.envelope, body, len, id, NULL) != PR_COMMIT_DURABLE)
		return false;
	memcpy(ids->id[ids->count++], id, sizeof ids->id[0]);
	return true;
}

static bool has_file(char kind, const char *id)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof path, "%s/%cf%.63s", scratch, kind, id);
	return stat(path, &st) == 0;
}

static int count_files(const char *part, const char *prefix)
{
	char path[512];
	int count = 0;

	snprintf(path, sizeof path, "%s%s", scratch, part);
	DIR *directory = opendir(path);
	for (struct dirent *found; directory != NULL && (found = readdir(directory)) != NULL;)
		count += strncmp(found->d_name, prefix, strlen(prefix)) == 0;
	if (directory != NULL)
		closedir(directory);
	return count;
}

/* Claims it; 1: as it was written, 0: not there, -1: not what was written. */
static int whole(const char *id, int number, bool finish)
{
	char body[4096];
	size_t len = body_of(number, body, sizeof body);
	struct pr_claim claim = {.size = sizeof claim};
	struct pr_text text;
	int result;

	if (store.ops->claim(&c.call, pr_str(id), &claim) != PR_OK)
		return 0;
	pr_text_init(&text, 1 << 20);
	result = harness_read_body(&store, &claim, &text) && pr_str_equal(pr_text_str(&text), (struct pr_str){body, len}) &&
	                 pr_str_equal(claim.envelope->sender, PR_STR("<sue@example.com>")) && claim.envelope->recipient_count == 2
	             ? 1
	             : -1;
	pr_text_fini(&text);
	if (!finish)
		store.ops->release(&c.call, &claim);
	else if (store.ops->finish(&c.call, &claim) != PR_OK)
		result = -1;
	pr_arena_reset(&c.arena);
	return result;
}

static void accept_fifty(struct ids *ids)
{
	if (!start())
		return;
	for (int i = 0; i < 50; i++)
		add(ids);
}

static void test_replay(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	const struct ids *ids = in_a_crash(accept_fifty);

	CU_ASSERT_EQUAL_FATAL(ids->count, 50);
	CU_ASSERT_EQUAL(count_files("", "qf"), 0);
	CU_ASSERT_FATAL(start());
	CU_ASSERT_EQUAL(harness_count(&store), 50);
	for (int i = 0; i < ids->count; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, true), 1);
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	stop();
	CU_ASSERT_FATAL(start());
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	stop();
	harness_remove_scratch(scratch);
}

static void finish_some_defer_some(struct ids *ids)
{
	accept_fifty(ids);
	for (int i = 0; i < 20; i++) {
		struct pr_claim claim = {.size = sizeof claim};

		if (store.ops->claim(&c.call, pr_str(ids->id[i]), &claim) != PR_OK)
			return;
		if (i < 10) {
			store.ops->finish(&c.call, &claim);
			continue;
		}
		claim.envelope->tries = 7;
		claim.envelope->recipients[0].state = i < 15 ? PR_RECIPIENT_DELIVERED : PR_RECIPIENT_DEFERRED;
		store.ops->defer(&c.call, &claim, claim.envelope);
	}
	for (int i = 20; i < 25; i++) { /* claimed when the process dies */
		struct pr_claim claim = {.size = sizeof claim};

		store.ops->claim(&c.call, pr_str(ids->id[i]), &claim);
	}
}

static void test_results_survive(void)
{
	struct pr_claim claim = {.size = sizeof claim};

	CU_ASSERT_FATAL(harness_scratch(scratch));
	const struct ids *ids = in_a_crash(finish_some_defer_some);

	CU_ASSERT_FATAL(start());
	CU_ASSERT_EQUAL(harness_count(&store), 40);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, false), 0);
	for (int i = 10; i < 20; i++) {
		CU_ASSERT_EQUAL_FATAL(store.ops->claim(&c.call, pr_str(ids->id[i]), &claim), PR_OK);
		CU_ASSERT_EQUAL(claim.envelope->tries, 7);
		CU_ASSERT_EQUAL(claim.envelope->recipients[0].state == PR_RECIPIENT_DELIVERED ||
		                    claim.envelope->recipients[1].state == PR_RECIPIENT_DELIVERED, i < 15);
		store.ops->release(&c.call, &claim);
	}
	for (int i = 20; i < 50; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, true), 1);
	stop();
	harness_remove_scratch(scratch);
}

static int open_log(int flags)
{
	char path[512];

	snprintf(path, sizeof path, "%s/journal/000.log", scratch);
	return open(path, flags);
}

/* Where the bytes stand in the first segment; 0: nowhere. */
static off_t find(const char *text)
{
	static char bytes[SEGMENT];
	int fd = open_log(O_RDONLY);
	ssize_t got = read(fd, bytes, sizeof bytes);

	close(fd);
	char *at = got > 0 ? memmem(bytes, (size_t)got, text, strlen(text)) : NULL;
	return at == NULL ? 0 : at - bytes;
}

static void spoil(off_t at, size_t len)
{
	char bytes[512];
	int fd = open_log(O_RDWR);

	CU_ASSERT(pread(fd, bytes, len, at) == (ssize_t)len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)~bytes[i];
	CU_ASSERT(pwrite(fd, bytes, len, at) == (ssize_t)len);
	close(fd);
}

static void test_damaged_payload(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	const struct ids *ids = in_a_crash(accept_fifty);

	spoil(find("this is message 17\n"), 3);
	harness_logged[0] = '\0';
	CU_ASSERT_FATAL(start());
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, ids->id[17]));
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "it was accepted"));
	CU_ASSERT(has_file('Q', ids->id[17])); /* the operator sees it */
	CU_ASSERT_EQUAL(harness_count(&store), 50);
	for (int i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, true), i != 17);
	stop();
	harness_remove_scratch(scratch);
}

static void test_damaged_head(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	const struct ids *ids = in_a_crash(accept_fifty);

	spoil(find(ids->id[30]), 4); /* in the head of its record */
	harness_logged[0] = '\0';
	CU_ASSERT_FATAL(start());
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, "Losing mail that was accepted"));
	CU_ASSERT_EQUAL(count_files("/journal", "damaged."), 1);
	for (int i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, true), i != 30);
	stop();
	harness_remove_scratch(scratch);
}

static void test_torn_end(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	const struct ids *ids = in_a_crash(accept_fifty);
	off_t at = find("this is message 49\n");
	int fd = open_log(O_RDWR);
	char zeros[512] = {0};

	CU_ASSERT(pwrite(fd, zeros, sizeof zeros, at) == (ssize_t)sizeof zeros);
	close(fd);
	CU_ASSERT_FATAL(start());
	for (int i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, true), i != 49);
	stop();
	harness_remove_scratch(scratch);
}

static void test_damaged_segment_head(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	const struct ids *ids = in_a_crash(accept_fifty);

	spoil(8, 4);
	CU_ASSERT_FATAL(start());
	CU_ASSERT_EQUAL(harness_count(&store), 50);
	CU_ASSERT_EQUAL(whole(ids->id[3], 3, true), 1);
	stop();
	harness_remove_scratch(scratch);
}

/* Anything may be in the files, and nothing but what was written may come out. */
static void test_any_damage(void)
{
	unsigned seed = 20261125;

	for (int round = 0; round < 60; round++) {
		CU_ASSERT_FATAL(harness_scratch(scratch));
		const struct ids *ids = in_a_crash(accept_fifty);

		for (int flips = 0; flips <= round % 8; flips++) {
			seed = seed * 1103515245u + 12345u;
			spoil((off_t)(seed >> 8) % (120 * 1024), 1 + seed % 5);
		}
		CU_ASSERT_FATAL(start());
		for (int i = 0; i < ids->count; i++)
			CU_ASSERT_NOT_EQUAL(whole(ids->id[i], i, true), -1);
		stop();
		harness_remove_scratch(scratch);
	}
}

static void test_used_again(void)
{
	static struct ids ids;

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(BOTH, two_segments));
	/* about 24 MiB through two segments of 4 */
	for (int round = 0; round < 6; round++) {
		memset(&ids, 0, sizeof ids);
		for (int i = 0; i < 2000; i++)
			CU_ASSERT(add(&ids));
		for (int i = 0; i < ids.count; i++)
			CU_ASSERT_EQUAL(whole(ids.id[i], i, true), 1);
	}
	CU_ASSERT_EQUAL(harness_count(&store), 0);
	CU_ASSERT_EQUAL(count_files("/journal", "00"), 6); /* log, done and mark of two */
	stop();
	CU_ASSERT_EQUAL(count_files("", "qf") + count_files("", "df"), 0);
	harness_remove_scratch(scratch);
}

static void accept_many(struct ids *ids)
{
	if (!start_as(PR_STORE_INTAKE, two_segments))
		return;
	for (int i = 0; i < MOST; i++)
		if (!add(ids))
			return;
}

static void open_and_leave(struct ids *ids)
{
	(void)ids;
	start_as(BOTH, two_segments);
}

/* Nobody delivers: what does not fit becomes files, and nothing is refused. */
static void test_full(void)
{
	CU_ASSERT_FATAL(harness_scratch(scratch));
	in_a_crash(open_and_leave); /* makes the journal's directory, which is the courier's */
	const struct ids *ids = in_a_crash(accept_many);

	CU_ASSERT_EQUAL(ids->count, MOST);
	CU_ASSERT(count_files("", "qf") > 0);
	CU_ASSERT(count_files("", "qf") < MOST);
	CU_ASSERT_FATAL(start_as(BOTH, two_segments));
	CU_ASSERT_EQUAL(harness_count(&store), MOST);
	for (int i = 0; i < ids->count; i++)
		CU_ASSERT_EQUAL(whole(ids->id[i], i, true), 1);
	stop();
	harness_remove_scratch(scratch);
}

static void test_handover(void)
{
	struct harness next;
	struct harness_call next_call;
	struct pr_claim kept = {.size = sizeof kept}, claim = {.size = sizeof claim};
	struct ids ids = {0};

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	for (int i = 0; i < 3; i++)
		CU_ASSERT(add(&ids));
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(ids.id[0]), &kept), PR_OK);
	CU_ASSERT_FATAL(harness_open(&next, MODULE, scratch, NULL, BOTH));
	harness_call_init(&next_call, &next);
	/* the lease is the first one's */
	CU_ASSERT_EQUAL(next.ops->claim(&next_call.call, pr_str(ids.id[1]), &claim), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(store.ops->handover(&c.call), PR_OK);
	CU_ASSERT_EQUAL(store.ops->claim(&c.call, pr_str(ids.id[2]), &claim), PR_TEMPFAIL);
	/* what was claimed stays the first one's, the rest is the next one's */
	CU_ASSERT_EQUAL(next.ops->claim(&next_call.call, pr_str(ids.id[0]), &claim), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(next.ops->claim(&next_call.call, pr_str(ids.id[1]), &claim), PR_OK);
	CU_ASSERT_EQUAL(next.ops->finish(&next_call.call, &claim), PR_OK);
	CU_ASSERT_EQUAL(store.ops->finish(&c.call, &kept), PR_OK);
	CU_ASSERT_EQUAL(next.ops->claim(&next_call.call, pr_str(ids.id[0]), &claim), PR_NOTFOUND);
	CU_ASSERT_EQUAL(harness_count(&next), 1);
	stop();
	harness_call_fini(&next_call);
	harness_close(&next);
	harness_remove_scratch(scratch);
}

static void test_drain(void)
{
	struct ids ids = {0};

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	for (int i = 0; i < 30; i++)
		CU_ASSERT(add(&ids));
	CU_ASSERT_EQUAL(count_files("", "qf"), 0);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(count_files("", "qf"), 30);
	CU_ASSERT_EQUAL(count_files("", "df"), 30);
	CU_ASSERT_EQUAL(harness_count(&store), 30);
	for (int i = 0; i < 30; i++)
		CU_ASSERT_EQUAL(whole(ids.id[i], i, true), 1);
	stop();
	CU_ASSERT_EQUAL(count_files("", "qf") + count_files("", "df"), 0);
	harness_remove_scratch(scratch);
}

/* Nobody claims it: after some seconds it is a file, which sendmail and the operator can see. */
static void test_what_waits_becomes_a_file(void)
{
	struct timespec pause = {0, 50000000};
	struct ids ids = {0};

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	CU_ASSERT(add(&ids));
	for (int i = 0; i < 200 && !has_file('q', ids.id[0]); i++)
		nanosleep(&pause, NULL);
	CU_ASSERT(has_file('q', ids.id[0]));
	CU_ASSERT_EQUAL(harness_count(&store), 1);
	CU_ASSERT_EQUAL(whole(ids.id[0], 0, true), 1);
	stop();
	harness_remove_scratch(scratch);
}

static void test_wait_ready(void)
{
	struct timespec now;
	struct ids ids = {0};
	struct pr_list ready = {NULL, 0};

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	CU_ASSERT(add(&ids));
	clock_gettime(CLOCK_MONOTONIC, &now);
	c.call.deadline_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 + 5000;
	CU_ASSERT_EQUAL_FATAL(store.ops->wait_ready(&c.call, &ready), PR_OK);
	CU_ASSERT_EQUAL_FATAL(ready.count, 1);
	CU_ASSERT(pr_str_equal(ready.items[0], pr_str(ids.id[0])));
	c.call.deadline_ms = 0;
	stop();
	harness_remove_scratch(scratch);
}

static void test_operators_hands(void)
{
	struct ids ids = {0};

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start());
	for (int i = 0; i < 3; i++)
		CU_ASSERT(add(&ids));
	CU_ASSERT_EQUAL(store.ops->hold(&c.call, pr_str(ids.id[0]), PR_STR("because")), PR_OK);
	CU_ASSERT(has_file('h', ids.id[0]));
	CU_ASSERT_EQUAL(store.ops->remove(&c.call, pr_str(ids.id[1])), PR_OK);
	CU_ASSERT_EQUAL(harness_count(&store), 2);
	CU_ASSERT_EQUAL(store.ops->unhold(&c.call, pr_str(ids.id[0])), PR_OK);
	CU_ASSERT_EQUAL(whole(ids.id[0], 0, true), 1);
	CU_ASSERT_EQUAL(whole(ids.id[2], 2, true), 1);
	stop();
	harness_remove_scratch(scratch);
}

/* The removal of a large body became durable before the mark that it was delivered: it is not lost mail. */
static void test_finish_cut_by_power(void)
{
	static char body[600000];
	struct harness_envelope e;
	char delivered[64], waiting[64], name[512];

	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(BOTH, small_bodies));
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, delivered, NULL), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL(harness_submit(&store, &e.envelope, body, sizeof body, waiting, NULL), PR_COMMIT_DURABLE);
	stop();
	CU_ASSERT_FALSE(has_file('q', delivered));
	snprintf(name, sizeof name, "%s/df%s", scratch, delivered);
	CU_ASSERT_EQUAL(unlink(name), 0);
	harness_logged[0] = '\0';
	CU_ASSERT_FATAL(start_as(BOTH, small_bodies));
	CU_ASSERT_EQUAL(harness_count(&store), 1);
	CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
	CU_ASSERT_EQUAL(count_files("", "Qf"), 0);
	CU_ASSERT(has_file('q', waiting));
	CU_ASSERT_PTR_NOT_NULL(strstr(harness_logged, delivered));
	CU_ASSERT_PTR_NULL(strstr(harness_logged, "Losing"));
	CU_ASSERT_PTR_NULL(strstr(harness_logged, waiting));
	stop();
	CU_ASSERT_FATAL(start_as(BOTH, small_bodies));
	CU_ASSERT_EQUAL(harness_count(&store), 1); /* the mark stands */
	stop();
	harness_remove_scratch(scratch);
}

static void note_result(void *context, enum pr_commit result, struct pr_str reason)
{
	(void)reason;
	*(enum pr_commit *)context = result;
}

/* The first ones of an idle journal are answered before commit() is back. */
static enum pr_commit add_later(struct ids *ids, void **transaction_out)
{
	const struct pr_intake intake = {.size = sizeof intake, .flags = PR_INTAKE_LATER};
	struct harness_envelope e;
	enum pr_commit result = 0;
	struct pr_str id;
	char body[4096];
	size_t len = body_of(ids->count, body, sizeof body);

	harness_envelope(&e);
	CU_ASSERT_EQUAL_FATAL(store.ops->begin_in(&c.call, &intake, transaction_out, &id), PR_OK);
	snprintf(ids->id[ids->count++], sizeof ids->id[0], "%.*s", PR_PRINT(id));
	CU_ASSERT_EQUAL(store.ops->body(&c.call, *transaction_out, body, len), PR_OK);
	CU_ASSERT_EQUAL(store.ops->commit(&c.call, *transaction_out, &e.envelope, note_result, &result), PR_OK);
	pr_arena_reset(&c.arena);
	return result;
}

static enum pr_commit secure(void *transaction)
{
	enum pr_commit result = 0;

	CU_ASSERT_EQUAL(store.ops->secure(&c.call, transaction, note_result, &result), PR_OK);
	return result;
}

/* SuperSafe=interactive: the first of a segment is durable, the next can be claimed but are not, until somebody asks; what was asked
 * of a segment that has been left is known too. */
static void test_later(void)
{
	static struct ids ids;
	void *transaction, *early;
	enum pr_commit result;
	int number = 0;

	memset(&ids, 0, sizeof ids);
	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(BOTH, two_segments));
	CU_ASSERT_EQUAL(add_later(&ids, &transaction), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL(whole(ids.id[0], 0, true), 1);
	CU_ASSERT_EQUAL_FATAL(add_later(&ids, &transaction), PR_COMMIT_WRITTEN);
	CU_ASSERT_EQUAL(whole(ids.id[1], 1, true), 1); /* delivered before it is durable */
	store.ops->forget(&c.call, transaction);
	CU_ASSERT_EQUAL_FATAL(add_later(&ids, &transaction), PR_COMMIT_WRITTEN);
	CU_ASSERT_EQUAL(whole(ids.id[2], 2, false), 1);
	CU_ASSERT_EQUAL(secure(transaction), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL_FATAL(add_later(&ids, &early), PR_COMMIT_WRITTEN);
	/* until the next segment has begun */
	do {
		CU_ASSERT_FATAL(++number < 10000);
		result = add_later(&ids, &transaction);
		if (result == PR_COMMIT_WRITTEN) {
			store.ops->forget(&c.call, transaction);
			ids.count--;
		}
	} while (result == PR_COMMIT_WRITTEN);
	CU_ASSERT_EQUAL(result, PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL(secure(early), PR_COMMIT_DURABLE);
	for (int i = 2; i < ids.count; i++)
		CU_ASSERT_EQUAL(whole(ids.id[i], i, true), 1);
	stop();
	harness_remove_scratch(scratch);
}

/* What is asked of a segment that somebody has removed was written where nobody will find it: that is no 250. */
static void test_later_removed(void)
{
	static struct ids ids;
	void *transaction;
	char path[512];

	memset(&ids, 0, sizeof ids);
	CU_ASSERT_FATAL(harness_scratch(scratch));
	CU_ASSERT_FATAL(start_as(BOTH, two_segments));
	CU_ASSERT_EQUAL(add_later(&ids, &transaction), PR_COMMIT_DURABLE);
	CU_ASSERT_EQUAL_FATAL(add_later(&ids, &transaction), PR_COMMIT_WRITTEN);
	snprintf(path, sizeof path, "%s/journal/000.log", scratch);
	CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
	CU_ASSERT_EQUAL(secure(transaction), PR_COMMIT_UNKNOWN);
	stop();
	harness_remove_scratch(scratch);
}

/* The check value of the polynomial, and the processor's way against the tables' (which a middle cut makes comparable). */
static void test_checksum(void)
{
	static char bytes[10000];

	CU_ASSERT_EQUAL(journal_crc(0, "123456789", 9), 0xe3069283u);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 13);
	for (size_t cut = 0; cut <= 64; cut++)
		CU_ASSERT_EQUAL(journal_crc(journal_crc(0, bytes, cut), bytes + cut, sizeof bytes - cut), journal_crc(0, bytes, sizeof bytes));
	for (size_t len = 0; journal_crc_is_fast() && len <= 64; len++)
		CU_ASSERT_EQUAL(~journal_crc_fast(~0u, bytes, len), journal_crc_tables(0, bytes, len));
	/* in rows, with and without something before and behind them */
	for (size_t len = 3000; journal_crc_is_fast() && len <= sizeof bytes - 8; len += 37)
		for (size_t from = 0; from < 8; from += 3)
			CU_ASSERT_EQUAL(~journal_crc_fast(~0x12345678u, bytes + from, len), journal_crc_tables(0x12345678u, bytes + from, len));
}

/* Who writes a body cannot know what the records of the next use of its place will have in them. */
static void test_generation(void)
{
	uint64_t seen[2][3];

	for (int round = 0; round < 2; round++) {
		CU_ASSERT_FATAL(harness_scratch(scratch));
		for (int use = 0; use < 3; use++) {
			static struct ids ids;
			struct journal_head head;
			char path[512];
			ids.count = 0;
			CU_ASSERT_FATAL(start());
			CU_ASSERT(add(&ids));
			CU_ASSERT_EQUAL(store.ops->drain(&c.call), PR_OK);
			stop();
			snprintf(path, sizeof path, "%s/journal/000.log", scratch);
			int fd = open(path, O_RDONLY);
			CU_ASSERT(pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && journal_head_is_good(&head, 0));
			close(fd);
			seen[round][use] = head.generation;
			CU_ASSERT(use == 0 || head.generation > seen[round][use - 1]);
		}
		CU_ASSERT_NOT_EQUAL(seen[round][2] - seen[round][1], seen[round][1] - seen[round][0]);
		harness_remove_scratch(scratch);
	}
	CU_ASSERT_NOT_EQUAL(seen[0][0], seen[1][0]);
}

static const struct unit_case cases[] = {
	{"the checksum", test_checksum},
	{"generations", test_generation},
	{"a crash loses nothing", test_replay},
	{"results survive a crash", test_results_survive},
	{"a damaged payload is set aside and told", test_damaged_payload},
	{"a damaged head is set aside and told", test_damaged_head},
	{"a torn end", test_torn_end},
	{"a damaged head of a segment", test_damaged_segment_head},
	{"any damage: nothing false comes out", test_any_damage},
	{"segments are used again", test_used_again},
	{"a full journal makes files", test_full},
	{"handover to the next process", test_handover},
	{"drain makes files of everything", test_drain},
	{"what waits becomes a file", test_what_waits_becomes_a_file},
	{"a lost wake-up", test_wait_ready},
	{"hold and remove what is in the journal", test_operators_hands},
	{"a delivered large message whose body went before its mark", test_finish_cut_by_power},
	{"durable later, or never", test_later}, {"asked of a segment that is gone", test_later_removed},
	{NULL, NULL},
};

UNIT_MAIN("journal", cases)
