/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every file call of every phase in the life of a message made to go wrong once, each in a process of its own; then a fresh look at
 * the queue.  First with the intake journal, then with files only.
 *
 *   DURABLE   the message is there, whole
 *   REFUSED   nothing of it is there
 *   otherwise (UNKNOWN, killed) it is there whole, or not there at all, or - torn by a power cut - set aside
 *   defer, update   the message is there, in its old or its new state; the new one when the call said so
 *   finish    gone when finish said so, else there whole; after a power cut it may come again, which is counted
 *   replay, drain, hold, handover   the message is there, whole
 *
 * Actions: errors, a short write, SIGKILL before and after the call, and a power cut (powercut.h).
 * Then the order, of files: both synced before the rename, the directory after it and before the answer.
 * Negative controls: a system that says "done" and does nothing must be noticed by the first check, a left-out sync by the second, and
 * syncs that sync nothing by the power cut.
 *
 * FAULT_FULL=1 takes every call; without it each phase takes every fourth of the later ones, another one than the phase before it, so that
 * among four phases, which all begin with the same calls, none of those is left out.
 */
#include "tests/unit/store_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)
#define BATCH 6
#define BODY_SIZE 100000 /* more than body_memory: df is written in several pieces */

static const char *module_path;
static const char *self;
static char shim_path[4096];
static char body[BODY_SIZE];
static int violations, runs, duplicates;
static bool in_control; /* a negative control: violations are wanted */
static char unwanted[8192]; /* the others, shown once more at the end */
static const char *settings = ""; /* of the store, for children and for the look afterwards */

static void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void wrong(const char *format, ...)
{
	size_t used = strlen(unwanted);
	char line[512];
	va_list args;

	violations++;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	puts(line);
	if (!in_control)
		snprintf(unwanted + used, sizeof unwanted - used, "%s (%s)\n", line, settings);
}

/* the child --------------------------------------------------------------- */

static int fault_count(void)
{
	int (*count)(void) = NULL;
	void *symbol = dlsym(RTLD_DEFAULT, "fault_hits");

	memcpy(&count, &symbol, sizeof count);
	return count == NULL ? 0 : count();
}

static void say(const char *result, const char *id)
{
	printf("%s %d %s\n", result, fault_count(), id);
	fflush(stdout);
}

static void child_commit(const struct harness *h, size_t len)
{
	static const char *const names[] = { "REFUSED", "DURABLE", "REFUSED", "UNKNOWN" };
	struct harness_envelope e;
	char id[64] = "-";

	harness_envelope(&e);
	say(names[harness_submit(h, &e.envelope, body, len, id, NULL)], id);
}

/* What can be done with a claim; the envelope has one recipient delivered, so that it may not be forgotten. */
static enum pr_status end_claim(const struct harness *h, struct harness_call *c, const char *what, struct pr_claim *claim)
{
	enum pr_status status;

	if (strcmp(what, "finish") == 0)
		return h->ops->finish(&c->call, claim);
	if (strcmp(what, "defer") == 0)
		return h->ops->defer(&c->call, claim, claim->envelope);
	if (strcmp(what, "update") == 0) {
		status = h->ops->update(&c->call, claim, claim->envelope);
		h->ops->release(&c->call, claim);
		return status;
	}
	status = h->ops->handover(&c->call);
	return status == PR_OK ? h->ops->finish(&c->call, claim) : status;
}

static void child_claimed(const struct harness *h, const char *what, const char *id)
{
	struct harness_call c;
	struct pr_claim claim;
	enum pr_status status;

	harness_call_init(&c, h);
	status = h->ops->claim(&c.call, pr_str(id), &claim);
	if (status == PR_OK) {
		claim.envelope->tries = 1;
		claim.envelope->recipients[0].state = PR_RECIPIENT_DELIVERED;
		status = end_claim(h, &c, what, &claim);
	}
	say(status == PR_OK ? "OK" : "FAILED", id);
	harness_call_fini(&c);
}

/* Without a claim: a scan after a crash, a clean stop, the operator's hand. */
static void child_whole(const struct harness *h, const char *what, const char *id)
{
	enum pr_status status = PR_OK;
	struct harness_call c;

	harness_call_init(&c, h);
	if (strcmp(what, "hold") == 0)
		status = h->ops->hold(&c.call, pr_str(id), PR_STR("a reason"));
	else if (strcmp(what, "drain") == 0 && h->ops->drain != NULL)
		status = h->ops->drain(&c.call);
	else
		status = harness_count(h) == 1 ? PR_OK : PR_TEMPFAIL;
	say(status == PR_OK ? "OK" : "FAILED", id);
	harness_call_fini(&c);
}

static void say_batch(void *context, enum pr_commit result, struct pr_str reason)
{
	(void)reason;
	say(result == PR_COMMIT_DURABLE ? "DURABLE" : result == PR_COMMIT_REFUSED ? "REFUSED" : "UNKNOWN", context);
}

/* Several submitted without waiting: all but the first share the steps of one batch. */
static void child_batch(const struct harness *h)
{
	static char ids[BATCH][64];
	struct harness_envelope e;
	struct harness_call c;

	harness_envelope(&e);
	harness_call_init(&c, h);
	for (int i = 0; i < BATCH; i++) {
		struct pr_str id;
		void *transaction;

		if (h->ops->begin(&c.call, &transaction, &id) != PR_OK)
			continue;
		snprintf(ids[i], sizeof ids[i], "%.*s", PR_PRINT(id));
		if (h->ops->body(&c.call, transaction, body, 10) != PR_OK)
			h->ops->abort(&c.call, transaction);
		else if (h->ops->commit(&c.call, transaction, &e.envelope, say_batch, ids[i]) != PR_OK)
			say("REFUSED", ids[i]);
	}
	harness_call_fini(&c);
}

static void note_later(void *context, enum pr_commit result, struct pr_str reason)
{
	(void)reason;
	atomic_store((atomic_int *)context, (int)result);
}

/* Written first, one of them delivered, and the others made durable when they are all there. */
static void child_later(const struct harness *h)
{
	static char ids[BATCH][64];
	static atomic_int results[BATCH];
	const struct pr_intake intake = { .size = sizeof intake, .flags = PR_INTAKE_LATER };
	struct harness_envelope e;
	struct harness_call c;
	void *transactions[BATCH];

	harness_envelope(&e);
	harness_call_init(&c, h);
	for (int i = 0; i < BATCH; i++) {
		struct pr_str id;

		atomic_store(&results[i], (int)PR_COMMIT_REFUSED);
		if (h->ops->begin_in(&c.call, &intake, &transactions[i], &id) != PR_OK)
			continue;
		snprintf(ids[i], sizeof ids[i], "%.*s", PR_PRINT(id));
		atomic_store(&results[i], 0);
		if (h->ops->body(&c.call, transactions[i], body, 10) != PR_OK) {
			h->ops->abort(&c.call, transactions[i]);
			atomic_store(&results[i], (int)PR_COMMIT_REFUSED);
		} else if (h->ops->commit(&c.call, transactions[i], &e.envelope, note_later, &results[i]) != PR_OK) {
			atomic_store(&results[i], (int)PR_COMMIT_REFUSED);
		}
		while (atomic_load(&results[i]) == 0)
			usleep(100);
	}
	for (int i = 0; i < BATCH; i++) {
		struct pr_claim claim = { .size = sizeof claim };
		enum pr_commit result = (enum pr_commit)atomic_load(&results[i]);

		if (i == 1 && result == PR_COMMIT_WRITTEN && h->ops->claim(&c.call, pr_str(ids[i]), &claim) == PR_OK &&
		    h->ops->finish(&c.call, &claim) == PR_OK) {
			h->ops->forget(&c.call, transactions[i]);
			say("DELIVERED", ids[i]);
		} else if (result != PR_COMMIT_WRITTEN) {
			say_batch(ids[i], result, PR_NONE);
		} else if (h->ops->secure(&c.call, transactions[i], say_batch, ids[i]) != PR_OK) {
			say("UNKNOWN", ids[i]);
		}
	}
	harness_call_fini(&c);
}

static int child(char **argv)
{
	struct harness h;

	if (!harness_open(&h, argv[2], argv[4], NULL, BOTH)) {
		say("REFUSED", "-");
		return 0;
	}
	uint64_t len;

	if (strcmp(argv[3], "later") == 0)
		child_later(&h);
	else if (strcmp(argv[3], "batch") == 0)
		child_batch(&h);
	else if (strcmp(argv[3], "commit") == 0 && pr_str_number(pr_str(argv[5]), BODY_SIZE, &len))
		child_commit(&h, (size_t)len);
	else if (strcmp(argv[3], "hold") == 0 || strcmp(argv[3], "drain") == 0 || strcmp(argv[3], "replay") == 0)
		child_whole(&h, argv[3], argv[5]);
	else
		child_claimed(&h, argv[3], argv[5]);
	harness_close(&h);
	return 0;
}

/* the parent -------------------------------------------------------------- */

struct outcome {
	char result[16];
	char id[64];
	int hits;
	char text[1024]; /* all lines */
};

struct fault {
	const char *calls;
	const char *action;
	int at;
	int log; /* descriptor or -1 */
};

static void set_environment(const struct fault *fault, const char *directory)
{
	char number[16];

	setenv("LD_PRELOAD", shim_path, 1);
	setenv("FAULT_DIR", directory, 1);
	setenv("FAULT_CALLS", fault->calls, 1);
	setenv("FAULT_ACTION", fault->action, 1);
	snprintf(number, sizeof number, "%d", fault->at);
	setenv("FAULT_AT", number, 1);
	setenv("FAULT_SEED", number, 1);
	if (fault->log >= 0) {
		snprintf(number, sizeof number, "%d", fault->log);
		setenv("FAULT_LOG", number, 1);
	}
	/* the shim comes before a sanitizer's runtime */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
}

static void read_outcome(int fd, struct outcome *outcome)
{
	size_t len = 0;
	ssize_t got;

	*outcome = (struct outcome){ .result = "KILLED", .id = "-", .hits = 1 };
	while (len < sizeof outcome->text - 1 && (got = read(fd, outcome->text + len, sizeof outcome->text - 1 - len)) > 0)
		len += (size_t)got;
	if (len > 0 && sscanf(outcome->text, "%15s %d %63s", outcome->result, &outcome->hits, outcome->id) != 3)
		wrong("a child said something else: %.300s", outcome->text);
}

static void run(const char *what, const char *directory, const char *argument, const struct fault *fault, struct outcome *outcome)
{
	int pipes[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes) != 0 || (pid = fork()) < 0) {
		perror("fork");
		exit(99);
	}
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		/* what the store complains of is expected; without a fault it is not */
		int quiet = fault == NULL ? pipes[1] : open("/dev/null", O_WRONLY);

		if (quiet >= 0)
			dup2(quiet, STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		if (fault != NULL)
			set_environment(fault, directory);
		execl(self, self, "child", module_path, what, directory, argument, (char *)NULL);
		_exit(99);
	}
	close(pipes[1]);
	read_outcome(pipes[0], outcome);
	close(pipes[0]);
	waitpid(pid, &status, 0);
	runs++;
	/* died of anything but what was asked for */
	if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0) && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		wrong("%s: child ended with status %d", what, status);
}

static void violated(const char *what, const struct fault *fault, const struct outcome *outcome, const char *how)
{
	wrong("%s, call %d of %s, %s: answered %s, but %s", what, fault->at, *fault->calls == '\0' ? "all" : fault->calls, fault->action,
	      outcome->result, how);
}

enum found { ABSENT, WHOLE, WHOLE_CHANGED, ASIDE, BROKEN };

/* Lifts a hold; one that was cut short is completed by the first who tries to claim the message. */
static bool is_free(const struct harness *h, struct harness_call *c, const struct pr_entry *entry)
{
	struct pr_claim claim;

	if (entry->state != PR_ENTRY_QUARANTINED && entry->state != PR_ENTRY_HELD)
		return true;
	if (h->ops->unhold(&c->call, entry->id) == PR_OK)
		return true;
	return h->ops->claim(&c->call, entry->id, &claim) != PR_OK && h->ops->unhold(&c->call, entry->id) == PR_OK;
}

static enum found inspect(const char *directory, size_t len)
{
	struct harness h;
	struct harness_call c;
	struct pr_entry entry;
	struct pr_claim claim;
	struct pr_text text;
	void *cursor = NULL;
	enum found found = BROKEN;

	if (!harness_open(&h, module_path, directory, NULL, BOTH))
		return BROKEN;
	harness_call_init(&c, &h);
	pr_text_init(&text, 2 * BODY_SIZE);
	if (h.ops->next(&c.call, &cursor, &entry) != PR_OK) {
		found = ABSENT;
	} else if (entry.state == PR_ENTRY_LOST) {
		found = ASIDE;
	} else if (is_free(&h, &c, &entry) && h.ops->claim(&c.call, entry.id, &claim) == PR_OK && claim.envelope->recipient_count == 2 &&
	           harness_read_body(&h, &claim, &text) && text.len == len && memcmp(text.data, body, len) == 0) {
		found = claim.envelope->tries == 0 && claim.envelope->recipients[0].state == PR_RECIPIENT_WAITING       ? WHOLE
		        : claim.envelope->tries == 1 && claim.envelope->recipients[0].state == PR_RECIPIENT_DELIVERED ? WHOLE_CHANGED
		                                                                                                      : BROKEN;
	}
	h.ops->next_end(&c.call, &cursor);
	pr_text_fini(&text);
	harness_call_fini(&c);
	harness_close(&h);
	return found;
}

static bool is_cut(const struct fault *fault)
{
	return strcmp(fault->action, "cut") == 0;
}

static void check_commit(const char *directory, const struct fault *fault, const struct outcome *outcome, size_t len)
{
	int files = harness_files(directory);
	enum found found = inspect(directory, len);
	bool torn = found == ASIDE && is_cut(fault) && strcmp(outcome->result, "KILLED") == 0;

	if (found == BROKEN || found == WHOLE_CHANGED || (found == ASIDE && !torn))
		violated("commit", fault, outcome, "it is not whole");
	else if (strcmp(outcome->result, "DURABLE") == 0 && found != WHOLE)
		violated("commit", fault, outcome, "it is not there");
	else if (strcmp(outcome->result, "REFUSED") == 0 && found != ABSENT)
		violated("commit", fault, outcome, "it is there");
	else if (strcmp(outcome->result, "REFUSED") == 0 && files != 0 && !is_cut(fault))
		violated("commit", fault, outcome, "files are left");
}

static void check_claimed(const char *what, const char *directory, const struct fault *fault, const struct outcome *outcome)
{
	bool finish = strcmp(what, "finish") == 0 || strcmp(what, "handover") == 0, ok = strcmp(outcome->result, "OK") == 0;
	bool failed = strcmp(outcome->result, "FAILED") == 0;
	enum found found = inspect(directory, 10);

	if (found == BROKEN || found == ASIDE)
		violated(what, fault, outcome, "it is not whole");
	else if (found == ABSENT && !(finish && !failed))
		violated(what, fault, outcome, "it is lost");
	else if (ok && finish && found == WHOLE && is_cut(fault))
		duplicates++; /* its mark was not durable yet: it is delivered once more */
	else if (ok && found != (finish ? ABSENT : WHOLE_CHANGED))
		violated(what, fault, outcome, "nothing happened");
	else if (finish && found == WHOLE_CHANGED)
		violated(what, fault, outcome, "it was changed");
}

static void check_whole(const char *what, const char *directory, const struct fault *fault, const struct outcome *outcome)
{
	if (strcmp(what, "drain") == 0 && strcmp(outcome->result, "OK") == 0 && harness_files(directory) != 2)
		violated(what, fault, outcome, "it is not in two files");
	if (inspect(directory, 10) != WHOLE)
		violated(what, fault, outcome, "it is not there");
}

static void check_batch(const char *directory, const struct fault *fault, struct outcome *outcome)
{
	struct pr_str rest = pr_str(outcome->text), line;
	struct harness h;
	struct harness_call c;
	int lines = 0;

	if (!harness_open(&h, module_path, directory, NULL, BOTH))
		exit(99);
	harness_call_init(&c, &h);
	while (pr_str_next(&rest, '\n', &line) && sscanf(line.data, "%15s %d %63s", outcome->result, &outcome->hits, outcome->id) == 3) {
		struct pr_claim claim;
		enum pr_status status = h.ops->claim(&c.call, pr_str(outcome->id), &claim);

		lines++;
		if (strcmp(outcome->result, "DURABLE") == 0 && (status != PR_OK || claim.envelope->body_size != 10))
			violated("batch", fault, outcome, "it is not there");
		if (strcmp(outcome->result, "REFUSED") == 0 && status != PR_NOTFOUND)
			violated("batch", fault, outcome, "it is there");
	}
	if (lines < BATCH)
		outcome->hits = 1; /* killed on the way */
	harness_call_fini(&c);
	harness_close(&h);
}

/* One fault; false when the path has no n-th call any more. */
static bool one_fault(const char *what, const struct fault *fault, size_t len)
{
	char directory[256], argument[64];
	struct outcome before, outcome;

	if (!harness_scratch(directory))
		exit(99);
	snprintf(argument, sizeof argument, "%zu", len);
	bool committed = strcmp(what, "commit") != 0 && strcmp(what, "batch") != 0 && strcmp(what, "later") != 0;

	if (committed) {
		run("commit", directory, "10", NULL, &before);
		if (strcmp(before.result, "DURABLE") != 0)
			wrong("%s: the message to begin with was not taken: %s", what, before.text);
		snprintf(argument, sizeof argument, "%s", before.id);
	}
	run(what, directory, argument, fault, &outcome);
	if (strcmp(what, "batch") == 0 || strcmp(what, "later") == 0)
		check_batch(directory, fault, &outcome);
	else if (strcmp(what, "commit") == 0)
		check_commit(directory, fault, &outcome, len);
	else if (strcmp(what, "replay") == 0 || strcmp(what, "drain") == 0 || strcmp(what, "hold") == 0)
		check_whole(what, directory, fault, &outcome);
	else
		check_claimed(what, directory, fault, &outcome);
	harness_remove_scratch(directory);
	return outcome.hits > 0;
}

static void all_faults(const char *what, const char *calls, const char *action, size_t len)
{
	struct fault fault = { calls, action, 1, -1 };
	int before = violations;

	bool full = getenv("FAULT_FULL") != NULL;
	static unsigned turn;

	turn++;
	while (fault.at < 400 && one_fault(what, &fault, len))
		fault.at += full || fault.at < 12 ? 1 : fault.at == 12 ? 1 + turn % 4 : 4;
	printf("%-8s %6zu bytes, %-6s: %d calls, %d violations\n", what, len, action, fault.at - 1, violations - before);
	if (fault.at == 1)
		wrong("%s, %s: no call was hit, so nothing was tested", what, action);
}

/* the order --------------------------------------------------------------- */

static int position(const char *log, const char *pattern)
{
	const char *at = strstr(log, pattern);

	return at == NULL ? -1 : (int)(at - log);
}

static bool order_is_right(const char *log, const char *directory, const char *id)
{
	char data[600], control[600], renamed[1200], parent[600];
	const char *tail;

	snprintf(data, sizeof data, "fdatasync %s/df%s\n", directory, id);
	snprintf(control, sizeof control, "fdatasync %s/tf%s\n", directory, id);
	snprintf(renamed, sizeof renamed, "renameat %s/tf%s %s/qf%s\n", directory, id, directory, id);
	snprintf(parent, sizeof parent, "fsync %s\n", directory);
	tail = strstr(log, renamed);
	return tail != NULL && position(log, data) >= 0 && position(log, data) < tail - log && position(log, control) >= 0 &&
	       position(log, control) < tail - log && strstr(tail, parent) != NULL;
}

/* In a batch one syncfs after the last write may stand for the fdatasync of both files. */
static bool batch_order_is_right(const char *log, const char *directory, const char *id)
{
	char written[600], renamed[1200], parent[600];
	const char *last, *sync, *tail;

	if (order_is_right(log, directory, id))
		return true;
	snprintf(written, sizeof written, "write %s/tf%s\n", directory, id);
	snprintf(renamed, sizeof renamed, "renameat %s/tf%s %s/qf%s\n", directory, id, directory, id);
	snprintf(parent, sizeof parent, "fsync %s\n", directory);
	last = strstr(log, written);
	sync = last == NULL ? NULL : strstr(last, "\nsyncfs ");
	tail = sync == NULL ? NULL : strstr(sync, renamed);
	return tail != NULL && strstr(tail, parent) != NULL;
}

/* The log of one child; every message it called DURABLE must have come about in the right order. */
static bool run_ordered(const char *what, const char *calls, int at, bool *syncfs_out)
{
	char directory[256], log[65536];
	struct outcome outcome;
	struct pr_str rest, line;
	FILE *file = tmpfile();
	struct fault fault = { calls, "lie", at, -1 };
	bool right = true;

	if (file == NULL || !harness_scratch(directory))
		exit(99);
	fault.log = dup(fileno(file));
	run(what, directory, "1000", &fault, &outcome);
	rewind(file);
	log[fread(log, 1, sizeof log - 1, file)] = '\0';
	for (rest = pr_str(outcome.text); pr_str_next(&rest, '\n', &line) && line.len > 0;)
		if (sscanf(line.data, "%15s %d %63s", outcome.result, &outcome.hits, outcome.id) != 3 ||
		    strcmp(outcome.result, "DURABLE") != 0 || !batch_order_is_right(log, directory, outcome.id))
			right = false;
	*syncfs_out = strstr(log, "syncfs ") != NULL || outcome.hits > 0;
	close(fault.log);
	fclose(file);
	harness_remove_scratch(directory);
	return right;
}

static void check_order(void)
{
	bool has_syncfs, ignored;

	if (!run_ordered("commit", "none", 0, &ignored) || !run_ordered("batch", "none", 0, &has_syncfs))
		wrong("order: a file was not synced before the rename, or the directory not after it");
	/* negative controls: each of the syncs left out by the system */
	if (run_ordered("commit", "fdatasync", 1, &ignored) || run_ordered("commit", "fdatasync", 2, &ignored) ||
	    run_ordered("commit", "fsync", 1, &ignored) ||
	    (has_syncfs && run_ordered("batch", "syncfs", 1, &has_syncfs) && has_syncfs))
		wrong("order: a left-out sync went unnoticed");
}

/* A system that lies about writes and renames must make the checks above fail. */
static void check_that_checks_can_fail(void)
{
	int real = violations;

	violations = 0;
	in_control = true;
	printf("(negative control, violations are expected here)\n");
	all_faults("commit", "write,renameat", "lie", 10);
	all_faults("batch", "renameat", "lie", 10);
	int noticed = violations;

	violations = 0;
	all_faults("defer", "write,renameat", "lie", 10);
	all_faults("finish", "unlinkat", "lie", 10);
	int seen = violations;
	bool unnoticed = noticed < 8 || seen < 2;

	in_control = false;
	violations = real;
	if (unnoticed)
		wrong("a system that lies about writes and renames went unnoticed: %d and %d", noticed, seen);
}

/* A power cut where no sync did anything must cost mail that was called durable. */
static void check_that_a_cut_is_noticed(void)
{
	int real = violations;

	violations = 0;
	in_control = true;
	printf("(negative control, violations are expected here)\n");
	setenv("FAULT_LIAR", "1", 1);
	for (int at = 2; at < 120; at += 3) {
		struct fault fault = { "", "cut", at, -1 };

		one_fault("batch", &fault, 10);
	}
	unsetenv("FAULT_LIAR");
	bool unnoticed = violations == 0;

	in_control = false;
	violations = real;
	if (unnoticed)
		wrong("a power cut without any sync went unnoticed");
}

static void all_phases(const char *action)
{
	static const char *const phases[] = { "batch", "later", "defer", "update", "finish", "replay", "drain", "hold", "handover" };
	struct harness h;
	bool can_hand_over, can_drain, can_be_late;
	/* what another error does to the later phases is much the same */
	bool few = getenv("FAULT_FULL") == NULL && (strcmp(action, "EINTR") == 0 || strcmp(action, "EMFILE") == 0 || strcmp(action, "late") == 0);

	if (!harness_open(&h, module_path, "/tmp", NULL, 0))
		exit(99);
	can_hand_over = h.ops->size > offsetof(struct pr_store_ops, handover) && h.ops->handover != NULL;
	can_be_late = h.ops->size > offsetof(struct pr_store_ops, forget) && h.ops->forget != NULL;
	can_drain = h.ops->size > offsetof(struct pr_store_ops, drain) && h.ops->drain != NULL;
	harness_close(&h);
	all_faults("commit", "", action, 10);
	all_faults("commit", "", action, BODY_SIZE);
	for (size_t i = 0; i < (few ? 3 : sizeof phases / sizeof phases[0]); i++)
		if ((can_hand_over || strcmp(phases[i], "handover") != 0) && (can_drain || strcmp(phases[i], "drain") != 0) &&
		    (can_be_late || strcmp(phases[i], "later") != 0))
			all_faults(phases[i], "", action, 10);
}

static void use_settings(const char *text)
{
	settings = text;
	setenv("STORE_SETTINGS", text, 1);
	printf("== %s\n", text);
}

int main(int argc, char **argv)
{
	static const char *const errors[] = { "EIO", "ENOSPC", "EINTR", "EMFILE", "short", "kill", "late", "cut" };
	char cwd[2048];

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = i % 60 == 59 ? '\n' : (char)('a' + i % 23);
	if (argc == 6 && strcmp(argv[1], "child") == 0)
		return child(argv);
	self = "/proc/self/exe";
	module_path = getenv("STORE_MODULE") == NULL ? ".libs/spool.so" : getenv("STORE_MODULE");
	if (getcwd(cwd, sizeof cwd) == NULL)
		return 99;
	snprintf(shim_path, sizeof shim_path, "%s/.libs/faultshim.so", cwd);
	if (access(shim_path, R_OK) != 0) {
		printf("%s is not built\n", shim_path);
		return 99;
	}
	use_settings("journal_size=8M,journal_body=64K");
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		all_phases(errors[i]);
	check_that_a_cut_is_noticed();
	use_settings("journal_size=0");
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		all_phases(errors[i]);
	check_order();
	check_that_checks_can_fail();
	printf("%s%d processes, %d violations; %d delivered once more after a power cut\n", unwanted, runs, violations, duplicates);
	return violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
