/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many at once: threads that want the same message, threads that do everything, and another process.
 * The other process is this program again, started anew, because a fork would have inherited what it must not know.
 */
#include "store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define THREADS 8
#define EACH 40
#define ROUNDS 30

struct crowd {
	struct suite *s;
	pthread_barrier_t start;
	atomic_int winners;
	char id[STORE_ID];
	/* of the hammer */
	pthread_mutex_t lock;
	int accepted, finished;
	char ids[THREADS * EACH][STORE_ID];
	int times[THREADS * EACH];
};

static void *want(void *context)
{
	struct crowd *crowd = context;
	const struct store *store = &crowd->s->main;

	for (int round = 0; round < ROUNDS; round++) {
		struct store_call c;
		struct pr_claim claim = { .size = sizeof claim };

		store_call_init(&c, store, 0);
		pthread_barrier_wait(&crowd->start);
		bool won = store->ops->claim(&c.call, pr_str(crowd->id), &claim) == PR_OK;
		if (won)
			atomic_fetch_add(&crowd->winners, 1);
		pthread_barrier_wait(&crowd->start);
		if (won)
			store->ops->release(&c.call, &claim);
		store_call_fini(&c);
	}
	return NULL;
}

static void one_of_many(struct suite *s)
{
	struct crowd *crowd = pr_alloc(sizeof *crowd);
	pthread_t threads[THREADS];

	crowd->s = s;
	store_put(s, crowd->id);
	pthread_barrier_init(&crowd->start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK(s, pthread_create(&threads[i], NULL, want, crowd) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	int winners = crowd->winners, rounds = ROUNDS;
	CHECK(s, winners == rounds);
	pthread_barrier_destroy(&crowd->start);
	pr_free(crowd);
}

/* the hammer ------------------------------------------------------------ */

static void *accept_many(void *context)
{
	struct crowd *crowd = context;
	struct store_mail mail;
	char bytes[700], id[STORE_ID];

	store_mail_plain(&mail);
	store_fill(bytes, sizeof bytes, 21);
	for (int i = 0; i < EACH; i++) {
		if (store_submit(crowd->s, &crowd->s->main, &mail.envelope, (struct pr_str){ bytes, (size_t)i * 15 }, id) != PR_COMMIT_DURABLE)
			continue;
		pthread_mutex_lock(&crowd->lock);
		memcpy(crowd->ids[crowd->accepted++], id, sizeof id);
		pthread_mutex_unlock(&crowd->lock);
	}
	return NULL;
}

/* It may be finished before its sender has noted it, so the id is kept and matched in the end. */
static void note_finished(struct crowd *crowd, char ids[][STORE_ID], struct pr_str id)
{
	pthread_mutex_lock(&crowd->lock);
	if (crowd->finished < THREADS * EACH)
		snprintf(ids[crowd->finished], STORE_ID, "%.*s", PR_PRINT(id));
	crowd->finished++;
	pthread_mutex_unlock(&crowd->lock);
}

static char (*finished_ids)[STORE_ID]; /* of the one hammer that runs */

/* Once deferred, once released, once updated, then finished. */
static void work_on(struct crowd *crowd, struct store_call *c, struct pr_claim *claim)
{
	const struct pr_store_ops *ops = crowd->s->main.ops;
	char id[STORE_ID];

	snprintf(id, sizeof id, "%.*s", PR_PRINT(claim->id));
	switch (claim->envelope->tries++) {
	case 0:
		CHECK(crowd->s, ops->defer(&c->call, claim, claim->envelope) == PR_OK);
		break;
	case 1:
		CHECK(crowd->s, ops->update(&c->call, claim, claim->envelope) == PR_OK);
		ops->release(&c->call, claim);
		break;
	default:
		if (CHECK(crowd->s, ops->finish(&c->call, claim) == PR_OK))
			note_finished(crowd, finished_ids, pr_str(id));
	}
}

static void *deliver_many(void *context)
{
	struct crowd *crowd = context;
	const struct store *store = &crowd->s->main;
	int64_t until = store_clock() + 20000;
	bool over = false;

	while (!over && store_clock() < until) {
		struct store_call c;
		struct pr_entry entry = { .size = sizeof entry };
		struct pr_claim claim = { .size = sizeof claim };
		void *cursor = NULL;

		store_call_init(&c, store, 0);
		while (store->ops->next(&c.call, &cursor, &entry) == PR_OK)
			if (store->ops->claim(&c.call, entry.id, &claim) == PR_OK)
				work_on(crowd, &c, &claim);
		store_call_fini(&c);
		pthread_mutex_lock(&crowd->lock);
		over = crowd->finished >= THREADS * EACH;
		pthread_mutex_unlock(&crowd->lock);
	}
	return NULL;
}

static void check_account(struct suite *s, struct crowd *crowd)
{
	int expected = THREADS * EACH, twice = 0, unknown = 0;

	CHECK(s, crowd->accepted == expected);
	CHECK(s, crowd->finished == expected);
	for (int i = 0; i < crowd->finished && i < expected; i++) {
		int k = 0;
		while (k < crowd->accepted && strcmp(finished_ids[i], crowd->ids[k]) != 0)
			k++;
		unknown += k == crowd->accepted;
		twice += k < crowd->accepted && crowd->times[k]++ > 0;
	}
	CHECK(s, twice == 0 && unknown == 0);
	CHECK(s, store_count(&s->main) == 0);
	if (store_reopen(s))
		CHECK(s, store_count(&s->main) == 0);
}

static void hammer(struct suite *s)
{
	struct crowd *crowd = pr_alloc(sizeof *crowd);
	pthread_t threads[2 * THREADS];

	crowd->s = s;
	pthread_mutex_init(&crowd->lock, NULL);
	finished_ids = pr_alloc(THREADS * EACH * sizeof *finished_ids);
	for (int i = 0; i < 2 * THREADS; i++)
		CHECK(s, pthread_create(&threads[i], NULL, i % 2 == 0 ? accept_many : deliver_many, crowd) == 0);
	for (int i = 0; i < 2 * THREADS; i++)
		pthread_join(threads[i], NULL);
	check_account(s, crowd);
	pthread_mutex_destroy(&crowd->lock);
	pr_free(finished_ids);
	pr_free(crowd);
}

/* another process ------------------------------------------------------- */

/* "claim": is it to be had?  "die": claims it and is killed.  "finish".  Exit 0 yes, 1 no, above: something else. */
int tool_store_child(char **words)
{
	struct suite s = { .lock = PTHREAD_MUTEX_INITIALIZER, .file = words[0] };
	struct store store;
	struct pr_claim claim = { .size = sizeof claim };

	for (size_t i = 0; words[i + 3] != NULL && i + 1 < STORE_SETTINGS; i++)
		s.settings[i] = words[i + 3];
	if (!store_open(&s, &store, STORE_BOTH))
		return EX_CONFIG;
	struct pr_call *call = &store.loaded.call;
	enum pr_status status = store.ops->claim(call, pr_str(words[2]), &claim);
	if (status == PR_OK && strcmp(words[1], "die") == 0)
		kill(getpid(), SIGKILL);
	if (status == PR_OK && strcmp(words[1], "finish") == 0)
		status = store.ops->finish(call, &claim);
	else if (status == PR_OK)
		store.ops->release(call, &claim);
	store_close(&store);
	return status == PR_OK ? 0 : status == PR_TEMPFAIL || status == PR_NOTFOUND ? 1 : EX_SOFTWARE;
}

static int in_another_process(const struct suite *s, const char *what, const char *id)
{
	char *words[STORE_SETTINGS + 8] = { "postrider-module", "store-child", (char *)(uintptr_t)s->file, (char *)(uintptr_t)what,
		                                (char *)(uintptr_t)id };
	int status = 0;

	for (size_t i = 0; s->settings[i] != NULL; i++)
		words[5 + i] = s->settings[i];
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execv("/proc/self/exe", words);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 99;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void processes(struct suite *s)
{
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };
	char one[STORE_ID], two[STORE_ID];

	if (s->forgets) {
		store_skip(s, "-v: another process has a queue of its own");
		return;
	}
	store_put(s, one);
	store_put(s, two);
	store_call_init(&c, &s->main, 0);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(one), &claim) == PR_OK);
	CHECK(s, in_another_process(s, "claim", one) == 1);
	CHECK(s, in_another_process(s, "finish", one) == 1);
	CHECK(s, s->main.ops->renew(&c.call, &claim) == PR_OK);
	int64_t lease = claim.lease_ms;
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
	store_close(&s->main);
	CHECK(s, in_another_process(s, "finish", one) == 0);
	CHECK(s, in_another_process(s, "die", two) == 1000 + SIGKILL);
	if (lease > 0 && lease <= 3000)
		store_sleep(lease + 100);
	if (lease <= 3000)
		CHECK(s, in_another_process(s, "finish", two) == 0); /* whose holder died is free again */
	if (CHECK(s, store_open(s, &s->main, STORE_BOTH)))
		CHECK(s, store_count(&s->main) == (lease <= 3000 ? 0 : 1));
}

const struct store_case store_many_cases[] = {
	{ "eight threads want one message", one_of_many },
	{ "sixteen threads, every message once", hammer },
	{ "another process, and one that dies", processes },
	{ NULL, NULL },
};
