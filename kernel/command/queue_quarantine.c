/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail -Q: sets chosen messages aside with a reason, or gives them back.  All that is meant is gathered before the first is touched, because
 * a message changes its file name on the way.  Silent without -v, as sendmail is.
 */
#include "kernel/command/modes.h"
#include "kernel/queue/listing.h"

#include <errno.h>
#include <postrider/store.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MESSAGE_ARENA (40u << 20) /* more than the largest envelope a store reads */

struct chosen {
	char *id;
	size_t place; /* of the queue's directories */
};

struct change {
	struct module_scope *scope;
	const struct queue_selection *selection;
	struct pr_str reason, directory;
	bool verbose;
	struct queue_places places;
	struct chosen *chosen;
	size_t count, room, changed;
};

static void say(const struct change *change, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct change *change, const char *format, ...)
{
	struct pr_text line;
	va_list args;

	if (!change->verbose)
		return;
	pr_text_init(&line, 8192);
	va_start(args, format);
	pr_text_addv(&line, format, args);
	va_end(args);
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.data[i] < ' ' || line.data[i] == 0x7f)
			line.data[i] = '?'; /* a terminal reads this */
	printf("%s\n", line.data);
	pr_text_fini(&line);
}

static size_t place_of(struct change *change, struct pr_str directory)
{
	for (size_t i = 0; i < change->places.count; i++)
		if (pr_str_equal(pr_str(change->places.items[i].path), directory))
			return i;
	return 0;
}

static void keep(struct change *change, const struct pr_entry *entry)
{
	if (change->count == change->room) {
		change->room = change->room == 0 ? 64 : 2 * change->room;
		change->chosen = pr_resize(change->chosen, change->room * sizeof *change->chosen);
	}
	change->chosen[change->count++] = (struct chosen){pr_copy_str(entry->id), place_of(change, entry->directory)};
}

static int gather(struct change *change)
{
	struct pr_entry entry = {.size = sizeof entry}, now;
	struct pr_envelope *envelope;
	void *cursor = NULL;
	enum pr_status status;

	while ((status = store_next(change->scope, &cursor, &entry)) == PR_OK) {
		bool meant = selection_is_kind(change->selection, &entry);
		envelope = NULL;
		now = (struct pr_entry){.size = sizeof now};
		if (meant && selection_needs_envelope(change->selection) && store_peek(change->scope, entry.id, &envelope, &now) != PR_OK)
			envelope = NULL;
		if (meant && selection_matches(change->selection, &entry, envelope))
			keep(change, &entry);
		pr_arena_reset(change->scope->arena);
		entry = (struct pr_entry){.size = sizeof entry};
	}
	if (status == PR_NOTFOUND)
		return EX_OK;
	fprintf(stderr, "%.*s: %.*s\n", PR_PRINT(change->directory), PR_PRINT(change->scope->reason));
	return EX_TEMPFAIL;
}

/* A store without quarantine() holds with a reason, which is the same file in sendmail's layout. */
static enum pr_status set_aside(struct change *change, struct pr_str id)
{
	enum pr_status status = store_quarantine(change->scope, id, change->reason);

	return status == PR_MISUSE ? store_hold(change->scope, id, change->reason) : status;
}

static enum pr_status carry_out(struct change *change, struct pr_str id, struct pr_str before)
{
	enum pr_status status = change->reason.len > 0 ? set_aside(change, id) : store_unhold(change->scope, id);

	if (status != PR_OK)
		return status;
	change->changed++;
	if (change->reason.len == 0)
		say(change, "%.*s: Removed quarantine of \"%.*s\"", PR_PRINT(id), PR_PRINT(before));
	else if (before.len > 0)
		say(change, "%.*s: Quarantine changed from \"%.*s\" to \"%.*s\"", PR_PRINT(id), PR_PRINT(before), PR_PRINT(change->reason));
	else
		say(change, "%.*s: Quarantined with \"%.*s\"", PR_PRINT(id), PR_PRINT(change->reason));
	return PR_OK;
}

static bool change_one(struct change *change, struct pr_str id)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *envelope = NULL;
	enum pr_status status = store_peek(change->scope, id, &envelope, &entry);

	if (status != PR_OK)
		return status == PR_NOTFOUND;
	if (change->reason.len == 0 && change->selection->kind != SELECTION_QUARANTINED)
		return true; /* there is nothing to remove */
	if (change->reason.len > 0 && pr_str_equal(envelope->quarantine, change->reason)) {
		say(change, "%.*s: Already quarantined with \"%.*s\"", PR_PRINT(id), PR_PRINT(change->reason));
		return true;
	}
	status = carry_out(change, id, envelope->quarantine);
	if (status == PR_TEMPFAIL) {
		say(change, "%.*s: locked", PR_PRINT(id));
		say(change, "Skipping %.*s", PR_PRINT(id));
	} else if (status != PR_OK && status != PR_NOTFOUND) {
		fprintf(stderr, "%.*s: %.*s\n", PR_PRINT(id), PR_PRINT(change->scope->reason));
	}
	return status == PR_OK || status == PR_NOTFOUND || status == PR_TEMPFAIL;
}

static size_t count_in(const struct change *change, size_t place)
{
	size_t count = 0;

	for (size_t i = 0; i < change->count; i++)
		count += change->chosen[i].place == place;
	return count;
}

static int change_place(struct change *change, size_t place)
{
	const char *path = change->places.items[place].path;
	int status = EX_OK;

	if (count_in(change, place) == 0)
		say(change, "%s: no matches", path);
	else
		say(change, "Processing %s:", path);
	for (size_t i = 0; i < change->count; i++) {
		if (change->chosen[i].place == place && !change_one(change, pr_str(change->chosen[i].id)))
			status = EX_SOFTWARE;
		pr_arena_reset(change->scope->arena);
	}
	return status;
}

static bool is_meant(const struct change *change, size_t place)
{
	const char *group = change->places.items[place].group;
	struct pr_str wanted = change->selection->group;

	return wanted.len == 0 || count_in(change, place) > 0 || (group != NULL && pr_str_equal_nocase(pr_str(group), wanted));
}

/* Directory by directory, as sendmail does. */
static int change_all(struct change *change)
{
	int status = EX_OK;

	for (size_t place = 0; place < change->places.count; place++)
		if (is_meant(change, place) && change_place(change, place) != EX_OK)
			status = EX_SOFTWARE;
	if (change->changed == 0)
		say(change, "No changes");
	else
		say(change, "%zu change%s", change->changed, change->changed == 1 ? "" : "s");
	return status;
}

static int with_store(struct change *change, struct tool *tool)
{
	struct pr_arena arena;

	pr_arena_init(&arena, MESSAGE_ARENA);
	change->scope = &tool->scope;
	tool->scope.arena = &arena;
	int status = EX_TEMPFAIL;
	if (store_role(&tool->scope, PR_STORE_DELIVERY))
		status = gather(change);
	else
		fprintf(stderr, "%.*s\n", PR_PRINT(tool->scope.reason));
	if (status == EX_OK)
		status = change_all(change);
	tool->scope.arena = &tool->arena;
	pr_arena_fini(&arena);
	return status;
}

static bool is_one_line(struct pr_str reason)
{
	for (size_t i = 0; i < reason.len; i++)
		if ((unsigned char)reason.data[i] < ' ' || reason.data[i] == 0x7f)
			return false;
	return reason.len <= 1000;
}

int quarantine_mode(const struct arguments *arguments, const struct queue_selection *selection)
{
	struct change change = {.selection = selection, .reason = pr_str_trim(pr_str(arguments->quarantine)), .verbose = arguments->verbose};
	struct tool tool;

	if (selection->kind == SELECTION_LOST) {
		fprintf(stderr, "Can not use -Q with -qL\n");
		return EX_USAGE;
	}
	if (!is_one_line(change.reason)) {
		fprintf(stderr, "-Q wants one line of text, at most 1000 bytes\n");
		return EX_USAGE;
	}
	int status = tool_open_store(arguments, &tool);
	if (status != EX_OK)
		return status;
	change.directory = tool.config->options.queue_directory;
	places_from_config(&change.places, tool.config);
	if (change.places.count == 0) /* no directory of the pattern is there */
		places_add(&change.places, change.directory, PR_NONE);
	if (access(change.directory.data, R_OK | W_OK | X_OK) != 0 && errno == EACCES) {
		fprintf(stderr, "You do not have permission to process the queue\n");
		status = EX_NOPERM;
	} else {
		status = with_store(&change, &tool);
	}
	/* so that its list is right at once; without a daemon there is nobody to tell */
	if (change.changed > 0 && geteuid() == 0)
		(void)control_tell(arguments->config, "rescan");
	tool_close(&tool);
	for (size_t i = 0; i < change.count; i++)
		pr_free(change.chosen[i].id);
	pr_free(change.chosen);
	places_fini(&change.places);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
