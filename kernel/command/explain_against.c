/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl explain --against: the same address followed in two configurations, and told only when it ends elsewhere.
 * A fate is the sorted list of its ends as text: two orders of one list are the same mail.
 */
#include "kernel/command/explain.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define FATE_MAX ((size_t)512 << 20)
#define LINE_MAX_SHOWN 4096
#define PROGRESS_EACH 10000

/* Where one address ends in one configuration. */
struct fate {
	struct pr_arena arena;
	struct pr_str *items;
	size_t count, room;
	bool is_cut; /* out of memory: no comparison is possible */
};

struct side {
	struct tool tool;
	struct explain_ask ask;
	struct fate fate;
};

struct comparison {
	struct side before, after;
	struct pr_text line;
	uint64_t asked, different, unsure;
	bool progress;
	time_t told; /* when progress was shown last */
};

static struct pr_str refusal_text(struct pr_arena *arena, const struct explain_end *end, bool named)
{
	return pr_arena_printf(arena, "%.*s%s%u %.*s %.*s", PR_PRINT(named ? end->address : PR_STR("")), named ? ": " : "", end->code,
	    PR_PRINT(end->enhanced), PR_PRINT(end->text));
}

static struct pr_str way_text(struct pr_arena *arena, const struct explain_end *end)
{
	return pr_arena_printf(arena, "mailer %.*s%s%.*s, user %.*s%s%.*s%s", PR_PRINT(end->mailer), end->host.len > 0 ? ", host " : "",
	    PR_PRINT(end->host), PR_PRINT(end->user), end->owner.len > 0 ? ", as " : "", PR_PRINT(end->owner),
	    end->no_mailer ? " (no such mailer)" : "");
}

static void note(void *context, const struct explain_end *end)
{
	struct fate *fate = context;
	struct pr_str text = end->code != 0 ? refusal_text(&fate->arena, end, end->alias.len > 0) : way_text(&fate->arena, end);

	if (fate->count == fate->room) {
		fate->room = fate->room == 0 ? 16 : 2 * fate->room;
		fate->items = pr_resize(fate->items, fate->room * sizeof *fate->items);
	}
	if (text.data == NULL)
		fate->is_cut = true;
	else
		fate->items[fate->count++] = text;
}

static int compare(const void *a, const void *b)
{
	const struct pr_str *x = a, *y = b;
	size_t shared = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, shared);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void follow(struct side *side, struct pr_str address)
{
	struct fate *fate = &side->fate;

	pr_arena_reset(&fate->arena);
	fate->count = 0;
	fate->is_cut = side->ask.is_unsure = false;
	explain_follow(&side->ask, address, note, fate);
	if (fate->count > 1)
		qsort(fate->items, fate->count, sizeof *fate->items, compare);
}

static bool is_same(const struct fate *a, const struct fate *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!pr_str_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

/* The ends that `fate` has and `other` has not; both are sorted.  How many they share. */
static size_t add_own(struct pr_text *line, const struct fate *fate, const struct fate *other)
{
	size_t j = 0, shared = 0, shown = 0;

	for (size_t i = 0; i < fate->count; i++) {
		while (j < other->count && compare(&other->items[j], &fate->items[i]) < 0)
			j++;
		if (j < other->count && pr_str_equal(other->items[j], fate->items[i])) {
			j++;
			shared++;
			continue;
		}
		pr_text_add_c(line, shown++ > 0 ? "; " : "");
		pr_text_add_escaped(line, fate->items[i], LINE_MAX_SHOWN);
	}
	if (shown == 0)
		pr_text_add_c(line, "nobody");
	return shared;
}

static void tell(struct comparison *comparison, struct pr_str address)
{
	struct pr_text *line = &comparison->line;

	pr_text_clear(line);
	pr_text_add_escaped(line, address, LINE_MAX_SHOWN);
	pr_text_add_c(line, ": ");
	add_own(line, &comparison->before.fate, &comparison->after.fate);
	pr_text_add_c(line, " -> ");
	size_t shared = add_own(line, &comparison->after.fate, &comparison->before.fate);
	if (shared > 0)
		pr_text_addf(line, " (and %zu as before)", shared);
	pr_text_add_byte(line, '\n');
	(void)fwrite(line->data, 1, line->len, stdout);
}

static void show_progress(struct comparison *comparison)
{
	time_t now = comparison->progress ? time(NULL) : 0;

	if (!comparison->progress || (now == comparison->told && comparison->asked % PROGRESS_EACH != 0))
		return;
	comparison->told = now;
	fprintf(stderr, "%" PRIu64 " addresses, %" PRIu64 " differ\n", comparison->asked, comparison->different);
}

static void compare_one(struct comparison *comparison, struct pr_str address)
{
	struct side *before = &comparison->before, *after = &comparison->after;

	follow(before, address);
	follow(after, address);
	comparison->asked++;
	comparison->unsure += before->ask.is_unsure || after->ask.is_unsure || before->fate.is_cut || after->fate.is_cut;
	if (!is_same(&before->fate, &after->fate)) {
		comparison->different++;
		tell(comparison, address);
	}
	show_progress(comparison);
}

static int summarise(const struct comparison *comparison, int status)
{
	printf("%" PRIu64 " addresses, %" PRIu64 " differ", comparison->asked, comparison->different);
	if (comparison->unsure > 0)
		printf(", %" PRIu64 " met a temporary failure and may end elsewhere another time", comparison->unsure);
	putchar('\n');
	if (fflush(stdout) != 0 || ferror(stdout))
		return EX_IOERR;
	if (status == EX_OK && comparison->unsure > 0)
		return EX_TEMPFAIL;
	return status != EX_OK ? status : comparison->different > 0 ? 1 : 0;
}

static int compare_all(struct comparison *comparison, const char *name)
{
	struct explain_list list;
	struct pr_str address;

	if (!explain_list_open(&list, name))
		return EX_NOINPUT;
	pr_text_init(&comparison->line, FATE_MAX);
	comparison->told = time(NULL);
	while (!ferror(stdout) && explain_list_next(&list, &address))
		compare_one(comparison, address);
	int status = summarise(comparison, explain_list_close(&list));
	pr_text_fini(&comparison->line);
	return status;
}

static int side_open(struct side *side, const struct arguments *arguments, struct pr_str sender)
{
	int status = tool_open_tables(arguments, &side->tool);

	if (status != EX_OK)
		return status;
	side->ask = (struct explain_ask){.tool = &side->tool, .sender = sender};
	explain_prepare(&side->ask);
	pr_arena_init(&side->fate.arena, FATE_MAX);
	return EX_OK;
}

static void side_close(struct side *side)
{
	pr_free(side->fate.items);
	pr_arena_fini(&side->fate.arena);
	tool_close(&side->tool);
}

/* `against` as it is seen from here: the path of a sendmail.cf has to be absolute.  What cannot be found is told when it is opened. */
static const char *absolute(const char *against, char *room)
{
	return realpath(against, room) != NULL ? room : against;
}

int explain_against(const struct arguments *arguments, const char *against, const char *list, struct pr_str sender, bool progress)
{
	struct comparison comparison = {.progress = progress};
	struct arguments others = *arguments;
	char room[PATH_MAX];

	others.config = absolute(against, room);
	int status = side_open(&comparison.before, arguments, sender);
	if (status != EX_OK)
		return status;
	status = side_open(&comparison.after, &others, sender);
	if (status == EX_OK) {
		status = compare_all(&comparison, list);
		side_close(&comparison.after);
	}
	side_close(&comparison.before);
	return status;
}
