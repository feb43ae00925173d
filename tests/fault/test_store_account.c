/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The account of a store that is used by many threads when one call goes wrong, the process is killed or the power is cut.
 *
 * A child takes messages in with several threads - so that commits share a sync - while others deliver, defer, hold, edit and let go; in the
 * end it drains.  It tells what it was answered through a pipe, before and after each step.  One call, chosen by chance, goes
 * wrong (shim.c).  Then a fresh process opens the store, which replays what was left, and every message is accounted for:
 *
 *   called durable    it is in the queue, byte for byte, or its finish() had begun
 *   refused           it is not in the queue and nobody was given it
 *   not answered      it is whole, or not there, or - after a power cut - set aside
 *
 * One whose finish() had begun may be set aside, when its body went before the note that it is done: counted.
 *
 * A message that is queued although its finish() said that it was done comes twice: counted, and printed with its fault.
 * Negative control: where no sync does anything, a power cut must cost mail that was called durable.
 *
 * FAULT_SEED_BASE=n takes the same faults again (the threads still run as they like); FAULT_FULL=1 makes twenty times as many;
 * FAULT_KEEP=1 keeps the queue where something is wrong.
 */
#include "tests/unit/store_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY)
#define ACCEPTERS 6
#define EACH 30
#define MAILS (ACCEPTERS * EACH)
#define BODY_MOST 200000

static char body[BODY_MOST + MAILS];
static const char *module_path;
static char shim_path[4096];

/* What the n-th message holds: a piece of one long text, so that no two begin alike. */
static struct pr_str body_of(int number)
{
	static const size_t lengths[] = { 10, 700, 40000, 0, 3000, 60000, 100, 5 };
	size_t len = number % 23 == 7 ? BODY_MOST : lengths[number % 8];

	return (struct pr_str){ body + number, len };
}

/* the child -------------------------------------------------------------- */

static struct harness store;
static atomic_int accepters_left;

/* Short enough for one write to a pipe: it is there whole or not at all. */
static void say(char what, int number, const char *id)
{
	char line[120];
	int len = snprintf(line, sizeof line, "%c %d %s\n", what, number, id);

	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		abort();
}

static void *accept_some(void *context)
{
	static const char answers[] = { 'R', 'D', 'R', 'U' };
	int first = *(int *)context;

	for (int number = first; number < first + EACH; number++) {
		struct harness_envelope e;
		struct pr_str bytes = body_of(number);
		char address[64], id[64] = "-";

		harness_envelope(&e);
		snprintf(address, sizeof address, "<%d@example.org>", number);
		e.recipients[0].address = pr_str(address);
		enum pr_commit result = harness_submit(&store, &e.envelope, bytes.data, bytes.len, id, NULL);
		say(answers[result], number, id);
	}
	atomic_fetch_sub(&accepters_left, 1);
	return NULL;
}

static int number_of(const struct pr_envelope *envelope)
{
	int number;

	return envelope->recipient_count == 2 && sscanf(envelope->recipients[0].address.data, "<%d@", &number) == 1 && number >= 0 && number < MAILS
	           ? number
	           : -1;
}

static void finish(struct harness_call *c, struct pr_claim *claim, int number)
{
	char id[64];

	snprintf(id, sizeof id, "%.*s", PR_PRINT(claim->id));
	say('F', number, id);
	if (store.ops->finish(&c->call, claim) == PR_OK)
		say('f', number, id);
	else
		store.ops->release(&c->call, claim);
}

static bool can_edit(void)
{
	return store.ops->size > offsetof(struct pr_store_ops, edit) && store.ops->edit != NULL;
}

/* What is done with a message is a matter of its number; half of them stay. */
static void work_on(struct harness_call *c, struct pr_claim *claim)
{
	int number = number_of(claim->envelope);

	claim->envelope->tries++;
	if (number % 4 == 0 || (number % 4 == 1 && claim->envelope->tries > 1)) {
		finish(c, claim, number);
	} else if (number % 4 == 3) {
		store.ops->update(&c->call, claim, claim->envelope);
		store.ops->release(&c->call, claim);
	} else if (store.ops->defer(&c->call, claim, claim->envelope) != PR_OK) {
		store.ops->release(&c->call, claim);
	} else if (number % 8 == 2 && store.ops->hold(&c->call, claim->id, PR_STR("a reason")) == PR_OK) {
		store.ops->unhold(&c->call, claim->id);
	} else if (number % 8 == 6 && can_edit()) {
		struct pr_edit edit = { .size = sizeof edit, .sender = PR_STR("<new@example.com>") };

		store.ops->edit(&c->call, claim->id, &edit);
	}
}

static void *deliver_some(void *context)
{
	int rounds = 3;

	(void)context;
	while (rounds > 0) {
		struct harness_call c;
		struct pr_entry entry;
		struct pr_claim claim;
		void *cursor = NULL;

		rounds -= atomic_load(&accepters_left) == 0;
		harness_call_init(&c, &store);
		while (store.ops->next(&c.call, &cursor, &entry) == PR_OK)
			if (entry.tries < 2 && store.ops->claim(&c.call, entry.id, &claim) == PR_OK)
				work_on(&c, &claim);
		harness_call_fini(&c);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	return NULL;
}

static int child(const char *directory)
{
	pthread_t accepters[ACCEPTERS], deliverers[2];
	int firsts[ACCEPTERS];
	struct harness_call c;

	if (!harness_open(&store, module_path, directory, NULL, BOTH))
		return 0; /* it could not be opened, so nothing was promised */
	atomic_store(&accepters_left, ACCEPTERS);
	for (int i = 0; i < ACCEPTERS; i++) {
		firsts[i] = i * EACH;
		if (pthread_create(&accepters[i], NULL, accept_some, &firsts[i]) != 0)
			abort();
	}
	for (int i = 0; i < 2; i++)
		if (pthread_create(&deliverers[i], NULL, deliver_some, NULL) != 0)
			abort();
	for (int i = 0; i < ACCEPTERS; i++)
		pthread_join(accepters[i], NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(deliverers[i], NULL);
	harness_call_init(&c, &store);
	if (store.ops->drain != NULL)
		store.ops->drain(&c.call);
	harness_call_fini(&c);
	harness_close(&store);
	return 0;
}

/* the parent ------------------------------------------------------------- */

struct fault {
	const char *action;
	const char *settings;
	int at;
	unsigned int seed;
	int log; /* descriptor or -1 */
	bool liar;
};

struct mail {
	char answer; /* D R U, 0: none */
	bool begun, finished, seen;
	char id[64];
};

static int remains; /* set aside although finish() had begun: delivered, and in the operator's way */
static int lost, wrong, duplicates, runs, seen_faults;

static void complain(const struct fault *fault, int number, const char *how)
{
	if (!fault->liar)
		printf("%s at call %d, %s, seed %u: message %d %s\n", fault->action, fault->at, fault->settings, fault->seed, number, how);
}

static void set_environment(const struct fault *fault, const char *directory)
{
	char number[20];

	setenv("LD_PRELOAD", shim_path, 1);
	setenv("FAULT_DIR", directory, 1);
	setenv("FAULT_ACTION", fault->action, 1);
	snprintf(number, sizeof number, "%d", fault->at);
	setenv("FAULT_AT", number, 1);
	snprintf(number, sizeof number, "%u", fault->seed);
	setenv("FAULT_SEED", number, 1);
	if (fault->log >= 0) {
		snprintf(number, sizeof number, "%d", fault->log);
		setenv("FAULT_LOG", number, 1);
	}
	if (fault->liar)
		setenv("FAULT_LIAR", "1", 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
}

static void read_lines(FILE *file, struct mail mails[MAILS])
{
	char line[200], what, id[64];
	int number;

	while (fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "%c %d %63s", &what, &number, id) != 3 || number < 0 || number >= MAILS)
			continue;
		memcpy(mails[number].id, id, sizeof id);
		mails[number].begun |= what == 'F';
		mails[number].finished |= what == 'f';
		if (what == 'D' || what == 'R' || what == 'U')
			mails[number].answer = what;
	}
}

static void run(const struct fault *fault, const char *directory, struct mail mails[MAILS])
{
	int pipes[2], status = 0;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes) != 0 || (pid = fork()) < 0)
		exit(99);
	if (pid == 0) {
		int quiet = open("/dev/null", O_WRONLY);

		dup2(pipes[1], STDOUT_FILENO);
		if (quiet >= 0)
			dup2(quiet, STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		set_environment(fault, directory);
		execl("/proc/self/exe", "child", "child", directory, (char *)NULL);
		_exit(99);
	}
	close(pipes[1]);

	FILE *file = fdopen(pipes[0], "r");

	if (file == NULL)
		exit(99);
	read_lines(file, mails);
	fclose(file);
	waitpid(pid, &status, 0);
	runs++;
	seen_faults += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0) && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
		complain(fault, -1, "the child ended in another way than it should");
		wrong++;
	}
}

/* the account ------------------------------------------------------------ */

static bool is_whole(const struct harness *h, struct pr_claim *claim, int number)
{
	struct pr_text text;

	pr_text_init(&text, BODY_MOST + 1000);
	bool whole = harness_read_body(h, claim, &text) && pr_str_equal(pr_text_str(&text), body_of(number));
	pr_text_fini(&text);
	return whole;
}

/* A hold is lifted; one that was cut short is completed by the first who tries to claim the message. */
static enum pr_status claim_freed(const struct harness *h, struct harness_call *c, struct pr_str id, struct pr_claim *claim)
{
	enum pr_status status = h->ops->claim(&c->call, id, claim);

	for (int i = 0; i < 2 && (status == PR_TEMPFAIL || status == PR_NOTFOUND); i++) {
		h->ops->unhold(&c->call, id);
		status = h->ops->claim(&c->call, id, claim);
	}
	return status;
}

static bool had_begun(const struct mail mails[MAILS], struct pr_str id)
{
	for (int i = 0; i < MAILS; i++)
		if (mails[i].begun && pr_str_equal(pr_str(mails[i].id), id))
			return true;
	return false;
}

/* Every entry of the queue; the number of those that were set aside. */
static int look_at_queue(const struct fault *fault, const struct harness *h, struct mail mails[MAILS])
{
	struct harness_call c;
	struct pr_entry entry;
	struct pr_claim claim;
	void *cursor = NULL;
	int aside = 0;

	harness_call_init(&c, h);
	while (h->ops->next(&c.call, &cursor, &entry) == PR_OK) {
		enum pr_status status = entry.state == PR_ENTRY_LOST ? PR_PERMFAIL : claim_freed(h, &c, entry.id, &claim);

		if (status != PR_OK) {
			if (!fault->liar)
				printf("%.*s, state %u: %s: %.*s\n", PR_PRINT(entry.id), entry.state, pr_status_name(status), PR_PRINT(c.call.reason));
			bool delivered = had_begun(mails, entry.id);

			remains += delivered;
			aside += !delivered;
			continue;
		}
		int number = number_of(claim.envelope);

		if (number < 0 || !is_whole(h, &claim, number)) {
			if (!fault->liar)
				printf("%.*s, state %u, %lld bytes\n", PR_PRINT(entry.id), entry.state, (long long)claim.envelope->body_size);
			complain(fault, number, "is not what was put in");
			wrong++;
		} else {
			mails[number].seen = true;
		}
		h->ops->release(&c.call, &claim);
	}
	harness_call_fini(&c);
	return aside;
}

/* Does the process die of it? */
static bool ends_it(const struct fault *fault)
{
	return strcmp(fault->action, "cut") == 0 || strcmp(fault->action, "kill") == 0 || strcmp(fault->action, "late") == 0;
}

static void check_account(const struct fault *fault, const char *directory, struct mail mails[MAILS])
{
	struct harness h;

	if (!harness_open(&h, module_path, directory, NULL, BOTH)) {
		complain(fault, -1, "the store cannot be opened any more");
		wrong++;
		return;
	}
	int aside = look_at_queue(fault, &h, mails);

	harness_close(&h);
	if (aside > 0 && strcmp(fault->action, "cut") != 0) {
		complain(fault, aside, "messages were set aside, without a power cut");
		wrong++;
	}
	for (int i = 0; i < MAILS; i++) {
		if (mails[i].answer == 'D' && !mails[i].seen && !mails[i].begun) {
			complain(fault, i, "was called durable and is lost");
			lost++;
		}
		if (mails[i].answer == 'R' && (mails[i].seen || mails[i].begun)) {
			complain(fault, i, "was refused and is there");
			wrong++;
		}
		if (mails[i].finished && mails[i].seen) {
			complain(fault, i, "was finished and comes once more");
			duplicates++;
			wrong += !ends_it(fault); /* only an end that was not written down yet explains it */
		}
	}
}

static void one_run(const struct fault *fault)
{
	struct mail mails[MAILS] = { 0 };
	char directory[256];

	if (!harness_scratch(directory))
		exit(99);
	run(fault, directory, mails);
	int before = lost + wrong;

	check_account(fault, directory, mails);
	if (getenv("FAULT_KEEP") != NULL && lost + wrong > before && !fault->liar)
		printf("kept: %s\n", directory);
	else
		harness_remove_scratch(directory);
}

/* How many calls a run without a fault makes. */
static int count_calls(const char *settings)
{
	FILE *file = tmpfile();
	struct fault none = { .action = "EIO", .settings = settings, .at = 0, .log = file == NULL ? -1 : dup(fileno(file)) };
	int count = 0;

	one_run(&none);
	close(none.log);
	rewind(file);
	for (int byte; (byte = getc(file)) != EOF;)
		count += byte == '\n';
	fclose(file);
	return count;
}

static void all_actions(const char *settings, unsigned int *seed, int times)
{
	static const char *const actions[] = { "EIO", "ENOSPC", "EDQUOT", "EINTR", "EMFILE", "short", "kill", "late", "cut" };
	int calls;

	setenv("STORE_SETTINGS", settings, 1);
	calls = count_calls(settings);
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		for (int k = 0; k < times; k++) {
			struct fault fault = { .action = actions[i], .settings = settings, .seed = ++*seed, .log = -1 };

			srandom(fault.seed);
			fault.at = 1 + (int)(random() % calls);
			one_run(&fault);
		}
	printf("%s: %d calls in a run; %d runs, %d lost, %d wrong, %d came twice\n", settings, calls, runs, lost, wrong, duplicates);
}

/* Syncs that sync nothing: the account must not come out even. */
static bool is_noticed(unsigned int seed)
{
	int real_lost = lost, real_wrong = wrong, real_duplicates = duplicates, real_remains = remains;

	for (int i = 1; i <= 6; i++) {
		struct fault fault = { .action = "cut", .settings = "liar", .at = 150 * i, .seed = seed + (unsigned int)i, .log = -1, .liar = true };

		one_run(&fault);
	}
	printf("negative control: %d messages are lost where no sync does anything\n", lost - real_lost);
	bool noticed = lost > real_lost;

	lost = real_lost;
	wrong = real_wrong;
	duplicates = real_duplicates;
	remains = real_remains;
	return noticed;
}

int main(int argc, char **argv)
{
	const char *base = getenv("FAULT_SEED_BASE");
	unsigned int seed = base == NULL ? (unsigned int)time(NULL) : (unsigned int)strtoul(base, NULL, 10), first = seed;
	int times = getenv("FAULT_FULL") != NULL ? 100 : 5;
	char cwd[2048];

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = i % 61 == 60 ? '\n' : (char)(i * 7 + i / 251);
	module_path = getenv("STORE_MODULE") == NULL ? ".libs/spool.so" : getenv("STORE_MODULE");
	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return child(argv[2]);
	if (getcwd(cwd, sizeof cwd) == NULL)
		return 99;
	snprintf(shim_path, sizeof shim_path, "%s/.libs/faultshim.so", cwd);
	if (access(shim_path, R_OK) != 0) {
		printf("%s is not built\n", shim_path);
		return 99;
	}
	printf("FAULT_SEED_BASE=%u\n", first);
	all_actions("journal_size=8M,journal_body=64K", &seed, times);
	bool noticed = is_noticed(first);
	all_actions("journal_size=0", &seed, times);
	if (!noticed)
		printf("a power cut without any sync went unnoticed\n");
	printf("%d runs, %d ended by force, %d lost, %d wrong, %d came twice, %d delivered ones set aside\n", runs, seen_faults, lost, wrong, duplicates,
	       remains);
	return noticed && seen_faults > 0 && lost == 0 && wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
