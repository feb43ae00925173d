/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The set of final recipients: it copies what a walk finds into its own memory and undoes a walk that failed by cutting
 * back to the counts it had before.  Undoing is cheap because everything is appended, so a refused recipient costs only its walk.
 */
#include "kernel/route/expand.h"
#include "kernel/route/walk.h"

#include <string.h>

#define KEEP_MAX ((size_t)256 << 20)    /* all recipients of one message */
#define SCRATCH_MAX ((size_t)256 << 20) /* all lists read for one RCPT */

struct expansion {
	struct expand_source source;
	struct expand_limits limits;
	struct seen seen;
	struct pr_arena keep;
	struct pr_arena reply; /* the texts of the last result */
	struct pr_recipient *recipients;
	struct pr_str *owners; /* beside recipients */
	size_t count, room;
};

struct expansion *expansion_new(const struct expand_source *source, const struct expand_limits *limits)
{
	struct expansion *expansion = pr_alloc(sizeof *expansion);

	expansion->source = *source;
	expansion->limits = *limits;
	pr_arena_init(&expansion->keep, KEEP_MAX);
	pr_arena_init(&expansion->reply, 8192);
	return expansion;
}

void expansion_free(struct expansion *expansion)
{
	if (expansion == NULL)
		return;
	seen_fini(&expansion->seen);
	pr_arena_fini(&expansion->keep);
	pr_arena_fini(&expansion->reply);
	pr_free(expansion->recipients);
	pr_free(expansion->owners);
	pr_free(expansion);
}

void expansion_clear(struct expansion *expansion)
{
	seen_fini(&expansion->seen);
	pr_arena_reset(&expansion->keep);
	expansion->count = 0;
}

struct seen *expansion_seen(struct expansion *expansion)
{
	return &expansion->seen;
}

const struct expand_limits *expansion_limits(const struct expansion *expansion)
{
	return &expansion->limits;
}

static void make_room(struct expansion *expansion)
{
	if (expansion->count < expansion->room)
		return;
	expansion->room = expansion->room == 0 ? 16 : expansion->room * 2;
	expansion->recipients = pr_resize(expansion->recipients, expansion->room * sizeof *expansion->recipients);
	expansion->owners = pr_resize(expansion->owners, expansion->room * sizeof *expansion->owners);
}

/* Neighbours mostly share their strings (one alias, one owner): then the copy is shared too. */
static struct pr_str keep_like(struct expansion *expansion, struct pr_str text, struct pr_str last)
{
	if (text.data == NULL || (last.data != NULL && pr_str_equal(text, last)))
		return text.data == NULL ? PR_NONE : last;
	return pr_arena_copy(&expansion->keep, text);
}

bool expansion_append(struct expansion *expansion, const struct pr_recipient *recipient, struct pr_str owner)
{
	struct pr_recipient last = {0};
	struct pr_str last_owner = PR_NONE;

	if (expansion->count >= expansion->limits.members)
		return false;
	make_room(expansion);
	if (expansion->count > 0) {
		last = expansion->recipients[expansion->count - 1];
		last_owner = expansion->owners[expansion->count - 1];
	}
	struct pr_recipient copy = *recipient;
	copy.address = pr_arena_copy(&expansion->keep, recipient->address);
	copy.original = keep_like(expansion, recipient->original, last.original);
	copy.final = keep_like(expansion, recipient->final, last.final);
	copy.owner = keep_like(expansion, recipient->owner, last.owner);
	copy.alias = keep_like(expansion, recipient->alias, last.alias);
	copy.status = keep_like(expansion, recipient->status, last.status);
	copy.enhanced = keep_like(expansion, recipient->enhanced, last.enhanced);
	copy.remote = PR_NONE;
	if (copy.address.data == NULL)
		return false;
	expansion->recipients[expansion->count] = copy;
	expansion->owners[expansion->count] = keep_like(expansion, owner, last_owner);
	expansion->count++;
	return true;
}

/* The walk's texts live in its scratch memory; the caller reads them after it is gone. */
static void keep_result(struct expansion *expansion, struct expand_result *result)
{
	pr_arena_reset(&expansion->reply);
	result->enhanced = pr_arena_copy(&expansion->reply, pr_str_slice(result->enhanced, 0, 16));
	result->text = pr_arena_copy(&expansion->reply, pr_str_slice(result->text, 0, 1000));
	result->reason = pr_arena_copy(&expansion->reply, pr_str_slice(result->reason, 0, 1000));
}

#define NOTIFY_ALL (PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_FAILURE | PR_RECIPIENT_NOTIFY_DELAY)

/* Members of a list are their owner's affair, those of an alias have no success of their own. */
static void ask_members(struct expansion *expansion, size_t first, bool expanded)
{
	for (size_t i = first; i < expansion->count; i++) {
		if (expansion->owners[i].data != NULL)
			expansion->recipients[i].flags &= ~NOTIFY_ALL;
		else if (expanded)
			expansion->recipients[i].flags &= ~PR_RECIPIENT_NOTIFY_SUCCESS;
	}
}

/* The address meant several, or a list: see expand.h.  A list among the members of an alias makes no list of it. */
static bool tell_expanded(struct walk *walk, size_t first)
{
	struct expansion *expansion = walk->expansion;
	const struct pr_recipient *model = walk->model;
	size_t found = expansion->count - first;
	bool list = found > 0 && walk->is_list, expanded = found > 1 || list;

	ask_members(expansion, first, expanded);
	if ((model->flags & PR_RECIPIENT_NOTIFY_SUCCESS) == 0 || !expanded)
		return true;
	struct pr_recipient named = { .address = pr_arena_printf(&walk->arena, "<%.*s>", PR_PRINT(walk->named)), .original = model->original,
		.final = model->final, .flags = model->flags, .state = PR_RECIPIENT_DELIVERED, .enhanced = PR_STR("2.0.0"),
		.status = list ? PR_STR(PR_STATUS_LIST) : PR_STR(PR_STATUS_EXPANDED) };
	return expansion_append(expansion, &named, PR_NONE);
}

enum pr_status expansion_add(struct expansion *expansion, struct pr_str address, const struct pr_recipient *model,
                             bool from_wire, struct expand_result *result_out)
{
	size_t before = expansion->count, seen_before = expansion->seen.count;
	struct walk walk = { .expansion = expansion, .source = &expansion->source, .model = model, .named = address,
		.seen_before = seen_before, .from_wire = from_wire };

	*result_out = (struct expand_result){0};
	pr_arena_init(&walk.arena, SCRATCH_MAX);
	enum pr_status status = walk_run(&walk, result_out);
	size_t found = expansion->count - before;
	if (status == PR_OK && !tell_expanded(&walk, before))
		status = walk_refuse(result_out, 452, "4.5.3", "Too many recipients");
	if (status != PR_OK) {
		seen_undo(&expansion->seen, seen_before);
		expansion->count = before;
	} else {
		result_out->added = (uint32_t)found;
	}
	keep_result(expansion, result_out);
	pr_free(walk.frames);
	pr_arena_fini(&walk.arena);
	return status;
}

struct pr_str expansion_recipient_owner(const struct expansion *expansion, size_t index)
{
	return index < expansion->count ? expansion->owners[index] : PR_NONE;
}

struct pr_str expansion_owner(const struct expansion *expansion)
{
	for (size_t i = 1; i < expansion->count; i++)
		if (!pr_str_equal(expansion->owners[i], expansion->owners[0]))
			return PR_NONE;
	return expansion->count > 0 ? expansion->owners[0] : PR_NONE;
}

struct pr_recipient *expansion_recipients(struct expansion *expansion, size_t *count_out)
{
	*count_out = expansion->count;
	return expansion->recipients;
}
