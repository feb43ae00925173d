/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The runner: one line for each case, and an exit status that a Makefile can use.
 * Each case starts with the module opened anew, so none depends on what another left.
 */
#include "store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

bool store_check(struct suite *s, bool holds, const char *condition, const char *file, int line)
{
	const char *slash = strrchr(file, '/');

	if (holds)
		return true;
	atomic_fetch_add(&s->failures, 1);
	printf("     %s:%d: not so: %s\n", slash == NULL ? file : slash + 1, line, condition);
	return false;
}

void store_skip(struct suite *s, const char *why)
{
	snprintf(s->skipped, sizeof s->skipped, "%s", why);
}

int64_t store_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void store_sleep(int64_t milliseconds)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000 * 1000000) }, NULL);
}

void store_call_init(struct store_call *c, const struct store *store, int64_t milliseconds)
{
	*c = (struct store_call){ .call = store->loaded.call };
	pr_arena_init(&c->arena, (size_t)64 << 20);
	c->call.arena = &c->arena;
	c->call.reason = PR_NONE;
	c->call.deadline_ms = milliseconds == 0 ? 0 : store_clock() + milliseconds;
}

void store_call_fini(struct store_call *c)
{
	pr_arena_fini(&c->arena);
}

/* opening and closing --------------------------------------------------- */

bool store_open(struct suite *s, struct store *store, uint32_t role)
{
	*store = (struct store){ .open = false };
	store->open = tool_load(&store->loaded, s->file, s->settings, true);
	if (!store->open) {
		tool_unload(&store->loaded);
		return false;
	}
	store->ops = store->loaded.module->ops;
	if (store->ops->role == NULL || store->ops->role(&store->loaded.call, role) == PR_OK)
		return true;
	tool_complain("role: %.*s", PR_PRINT(store->loaded.call.reason));
	store_close(store);
	return false;
}

void store_close(struct store *store)
{
	if (store->open)
		tool_unload(&store->loaded);
	store->open = false;
}

bool store_reopen(struct suite *s)
{
	store_close(&s->main);
	return CHECK(s, store_open(s, &s->main, STORE_BOTH));
}

static void remove_tree(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *found;
	char below[1000];

	while (directory != NULL && (found = readdir(directory)) != NULL) {
		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, found->d_name);
		if (unlink(below) != 0)
			remove_tree(below);
	}
	if (directory != NULL)
		closedir(directory);
	rmdir(path);
}

/* A fresh directory as the last of the settings. */
static bool make_scratch(struct suite *s)
{
	const char *tmp = getenv("TMPDIR");
	size_t last = 0;

	if (!s->has_directory)
		return true;
	while (s->settings[last] != NULL)
		last++;
	if (last == 0 || strncmp(s->settings[last - 1], "directory=", 10) != 0)
		last++;
	snprintf(s->scratch, sizeof s->scratch, "directory=%.200s/postrider-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	s->settings[last - 1] = s->scratch;
	return CHECK(s, mkdtemp(s->scratch + strlen("directory=")) != NULL);
}

/* So that the next case finds nothing. */
static void empty(struct store *store)
{
	struct store_call c;
	struct pr_entry entry;
	void *cursor = NULL;

	store_call_init(&c, store, 0);
	while (store->ops->next(&c.call, &cursor, &entry) == PR_OK)
		store->ops->remove(&c.call, entry.id);
	store_call_fini(&c);
}

/* the cases ------------------------------------------------------------- */

static void check_answers(struct suite *s)
{
	while (s->answers != NULL) {
		struct store_answer *answer = s->answers;
		bool commit_was_answered_once = answer->times <= 1;

		CHECK(s, commit_was_answered_once);
		s->answers = answer->next;
		pr_free(answer);
	}
}

static bool run_case(struct suite *s, const struct store_case *one)
{
	atomic_store(&s->failures, 0);
	s->skipped[0] = '\0';
	if (make_scratch(s) && CHECK(s, store_open(s, &s->main, STORE_BOTH))) {
		bool the_store_is_empty = store_count(&s->main) == 0;
		if (CHECK(s, the_store_is_empty))
			one->run(s);
		if (!s->has_directory && s->main.open)
			empty(&s->main);
		store_close(&s->main);
	}
	check_answers(s);
	if (s->has_directory)
		remove_tree(s->scratch + strlen("directory="));
	bool good = atomic_load(&s->failures) == 0;
	printf("%-4s %s%s%s\n", !good ? "FAIL" : s->skipped[0] != '\0' ? "skip" : "ok", one->name, s->skipped[0] != '\0' ? ": " : "", s->skipped);
	fflush(stdout);
	return good;
}

/* Does the module want a directory, and has none been given? */
static bool wants_directory(struct suite *s)
{
	const struct pr_option *options = tool_options(s->file);

	for (size_t i = 0; s->settings[i] != NULL; i++)
		if (strncmp(s->settings[i], "directory=", 10) == 0)
			return false;
	return options != NULL && pr_option_find(options, PR_STR("directory")) != NULL;
}

int tool_store(char **words)
{
	static const struct store_case *const tables[] = { store_accept_cases, store_claim_cases, store_hands_cases, store_look_cases,
		                                               store_many_cases };
	struct suite s = { .lock = PTHREAD_MUTEX_INITIALIZER, .forgets = strcmp(words[0], "-v") == 0 };
	unsigned int cases = 0, bad = 0, skipped = 0;

	words += s.forgets;
	if (words[0] == NULL)
		return EX_USAGE;
	s.file = words[0];
	for (size_t i = 0; words[i + 1] != NULL; i++) {
		if (i + 3 > STORE_SETTINGS) {
			tool_complain("too many options");
			return EX_USAGE;
		}
		s.settings[i] = words[i + 1];
	}
	s.has_directory = wants_directory(&s);
	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
		for (const struct store_case *one = tables[t]; one->name != NULL; one++) {
			cases++;
			bad += !run_case(&s, one);
			skipped += s.skipped[0] != '\0';
		}
	printf("%s: %u cases, %u failed, %u skipped\n", s.file, cases, bad, skipped);
	return bad == 0 ? EX_OK : EX_SOFTWARE;
}
