/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop that reads the topmost list, one member a turn, until no list is left.  It is a loop over an explicit stack
 * because the depth of aliases is chosen by whoever writes the tables.
 */
#include "kernel/route/walk.h"

#include <postrider/address.h>

enum pr_status walk_refuse(struct expand_result *result_out, uint32_t code, const char *enhanced, const char *text)
{
	result_out->code = code;
	result_out->enhanced = pr_str(enhanced);
	result_out->text = pr_str(text);
	return code >= 500 ? PR_PERMFAIL : PR_TEMPFAIL;
}

struct frame *walk_push(struct walk *walk)
{
	if (walk->depth == walk->room) {
		walk->room = walk->room == 0 ? 16 : walk->room * 2;
		walk->frames = pr_resize(walk->frames, walk->room * sizeof *walk->frames);
	}
	walk->frames[walk->depth] = (struct frame){0};
	return &walk->frames[walk->depth++];
}

static void pop(struct walk *walk)
{
	struct frame *frame = &walk->frames[--walk->depth];

	if (frame->entry != NULL)
		frame->entry->open = 0;
}

/* The next line of an :include: file that says something becomes the text to split; false at the end of the file. */
static bool next_line(struct frame *frame)
{
	struct pr_str line;

	while (frame->lines.len > 0) {
		size_t end = pr_str_find(frame->lines, '\n');
		line = pr_str_trim(pr_str_slice(frame->lines, 0, end));
		frame->lines = pr_str_slice(frame->lines, end + 1, frame->lines.len);
		if (line.len > 0 && line.data[0] != '#') {
			frame->rest = line;
			return true;
		}
	}
	return false;
}

/* PR_OK with a member; PR_NOTFOUND when the list is done; PR_PERMFAIL for a piece that is no address. */
static enum pr_status next_member(struct walk *walk, struct pr_str *address_out, struct expand_result *result_out)
{
	struct frame *frame = &walk->frames[walk->depth - 1];
	struct pr_str why = PR_NONE;

	for (;;) {
		enum pr_status status = pr_address_next(&frame->rest, true, &walk->arena, address_out, &why);
		if (status == PR_OK && address_out->data == NULL)
			return walk_refuse(result_out, 452, "4.3.0", "Mailing list is too long");
		if (status == PR_OK)
			return PR_OK;
		if (status == PR_NOTFOUND && frame->is_include && next_line(frame))
			continue;
		if (status == PR_NOTFOUND)
			return PR_NOTFOUND;
		walk_refuse(result_out, 550, "5.2.4", "Mailing list has a bad address");
		result_out->reason = pr_arena_printf(&walk->arena, "alias %.*s: %.*s", PR_PRINT(frame->alias), PR_PRINT(why));
		return PR_PERMFAIL;
	}
}

/* Nobody was found: which of the reasons is told? */
static enum pr_status nobody(struct walk *walk, struct expand_result *result_out)
{
	if (walk->problem.code != 0) {
		*result_out = walk->problem;
		return PR_PERMFAIL;
	}
	if (walk->loop)
		return walk_refuse(result_out, 554, "5.4.6", "aliasing/forwarding loop broken");
	return walk_refuse(result_out, 550, "5.2.4", "Mailing list is empty");
}

enum pr_status walk_run(struct walk *walk, struct expand_result *result_out)
{
	struct pr_str address = PR_NONE;
	enum pr_status status = walk_address(walk, walk->named, result_out);

	while (status == PR_OK && walk->depth > 0) {
		status = next_member(walk, &address, result_out);
		if (status == PR_NOTFOUND) {
			pop(walk);
			status = PR_OK;
		} else if (status == PR_OK) {
			status = walk_address(walk, address, result_out);
		}
	}
	if (status == PR_OK && walk->reached == 0)
		return nobody(walk, result_out);
	return status;
}
