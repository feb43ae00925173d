/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An address field is cut into mailboxes at the commas outside quotes, comments and brackets; in each the address alone is
 * replaced and every other byte is copied.  A mailbox that cannot be read is copied too: a relay that cannot
 * understand a field must not damage it.
 */
#include "kernel/mail/header.h"

#include <string.h>

#define GROWTH_MAX ((size_t)1 << 20)

struct mailbox {
	size_t begin, end;       /* up to the separator */
	size_t open, close;      /* '<' and its '>'; SIZE_MAX when there is none */
	bool readable;
};

struct rewriting {
	struct pr_str value;
	header_rewrite *rewrite;
	void *context;
	struct pr_arena *arena;
	struct pr_text out;
	bool failed;
	bool bare; /* only the addresses */
};

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t skip_comment(struct pr_str text, size_t at)
{
	size_t depth = 0;

	for (; at < text.len; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == '(')
			depth++;
		else if (text.data[at] == ')' && --depth == 0)
			return at + 1;
	}
	return text.len + 1;
}

/* The end of what begins at `at`: a quoted string, a comment, a literal, an escaped byte, or one byte.  Past the end of the text when
 * it is not closed. */
static size_t skip_unit(struct pr_str text, size_t at)
{
	char first = text.data[at], last = first == '[' ? ']' : first;

	if (first == '\\')
		return at + 2;
	if (first == '(')
		return skip_comment(text, at);
	if (first != '"' && first != '[')
		return at + 1;
	for (at++; at < text.len; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == last)
			return at + 1;
	}
	return text.len + 1;
}

/* The mailbox that begins at `begin`; a group's "name:" counts as one that cannot be read. */
static struct mailbox find_mailbox(struct pr_str value, size_t begin)
{
	struct mailbox box = {.begin = begin, .open = SIZE_MAX, .close = SIZE_MAX, .readable = true};
	size_t at = begin;
	char first = 0;

	while (at < value.len) {
		char byte = value.data[at];
		bool inside = box.open != SIZE_MAX && box.close == SIZE_MAX;
		if (first == 0 && !is_space(byte) && byte != '(')
			first = byte;
		if (!inside && (byte == ',' || byte == ';' || (byte == ':' && first != '@')))
			break;
		if (byte == '<') {
			box.readable = box.readable && box.open == SIZE_MAX;
			box.open = at;
		} else if (byte == '>') {
			box.readable = box.readable && inside;
			box.close = at;
		}
		at = skip_unit(value, at);
	}
	box.readable = box.readable && at <= value.len && (box.open == SIZE_MAX) == (box.close == SIZE_MAX);
	box.end = at < value.len ? at : value.len;
	if (box.end < value.len && value.data[box.end] == ':')
		box.readable = false;
	return box;
}

static bool joins(char byte)
{
	return byte == '@' || byte == '.' || byte == ':' || byte == ',';
}

/* The address of [begin, end) without blanks and comments.  Two words side by side are joined by a dot, sendmail's BlankSub. */
static struct pr_str compact(struct rewriting *work, size_t begin, size_t end)
{
	struct pr_str text = pr_str_slice(work->value, 0, end);
	char *address = pr_arena_alloc(work->arena, 2 * (end - begin) + 1);
	size_t len = 0;
	bool gap = false;

	if (address == NULL)
		return PR_NONE;
	for (size_t at = begin, next; at < end; at = next) {
		next = skip_unit(text, at);
		if (next > end)
			next = end;
		if (is_space(text.data[at]) || text.data[at] == '(') {
			gap = len > 0;
			continue;
		}
		if (gap && !joins(address[len - 1]) && !joins(text.data[at]))
			address[len++] = '.';
		gap = false;
		memcpy(address + len, text.data + at, next - at);
		len += next - at;
	}
	return (struct pr_str){address, len};
}

static void copy(struct rewriting *work, size_t begin, size_t end)
{
	if (!pr_text_add_str(&work->out, pr_str_slice(work->value, begin, end)))
		work->failed = true;
}

static void put(struct rewriting *work, size_t begin, size_t end)
{
	struct pr_str address = compact(work, begin, end);
	struct pr_str changed = address.len > 0 ? work->rewrite(work->context, address) : PR_NONE;

	if (changed.data == NULL || pr_str_equal(changed, address))
		copy(work, begin, end);
	else if (!pr_text_add_str(&work->out, changed))
		work->failed = true;
}

/* Comments between the words of an address without brackets: they move behind it. */
static void put_comments(struct rewriting *work, size_t begin, size_t end)
{
	struct pr_str text = pr_str_slice(work->value, 0, end);

	for (size_t at = begin, next; at < end; at = next) {
		next = skip_unit(text, at);
		if (text.data[at] != '(')
			continue;
		pr_text_add_byte(&work->out, ' ');
		copy(work, at, next);
	}
}

/* Moves begin behind blanks and comments, end before them. */
static void trim(struct pr_str value, size_t *begin, size_t *end)
{
	size_t last = *begin, at = *begin;
	bool any = false;

	while (at < *end) {
		size_t next = skip_unit(value, at);
		if (next > *end)
			next = *end;
		if (!is_space(value.data[at]) && value.data[at] != '(') {
			if (!any)
				*begin = at;
			any = true;
			last = next;
		}
		at = next;
	}
	if (!any)
		*begin = *end;
	*end = any ? last : *end;
}

/* The address without names and comments; one blank behind what separates it from the last. */
static void put_bare(struct rewriting *work, size_t begin, size_t end)
{
	struct pr_str address = compact(work, begin, end);
	struct pr_str changed = address.len > 0 ? work->rewrite(work->context, address) : PR_NONE;

	if (work->out.len > 0 && work->out.data[work->out.len - 1] != ':')
		pr_text_add_byte(&work->out, ' ');
	if (!pr_text_add_str(&work->out, changed.data == NULL ? address : changed))
		work->failed = true;
}

static void rewrite_mailbox(struct rewriting *work, const struct mailbox *box)
{
	bool bracket = box->readable && box->open != SIZE_MAX;
	size_t begin = bracket ? box->open + 1 : box->begin, end = bracket ? box->close : box->end;

	if (box->readable)
		trim(work->value, &begin, &end);
	if (!box->readable || begin >= end) {
		copy(work, box->begin, box->end);
		return;
	}
	if (work->bare) {
		put_bare(work, begin, end);
		return;
	}
	size_t before = work->out.len;
	copy(work, box->begin, begin);
	put(work, begin, end);
	struct pr_str same = pr_str_slice(work->value, box->begin, end);
	if (!pr_str_equal(pr_str_slice(pr_text_str(&work->out), before, work->out.len), same))
		put_comments(work, begin, end);
	copy(work, end, box->end);
}

static enum pr_status rewrite_all(struct rewriting *given, struct pr_str *value_out)
{
	struct rewriting work = *given;
	struct pr_str value = work.value;

	pr_text_init(&work.out, value.len + GROWTH_MAX);
	for (size_t at = 0; at < value.len && !work.failed;) {
		struct mailbox box = find_mailbox(value, at);
		rewrite_mailbox(&work, &box);
		copy(&work, box.end, box.end + 1);
		at = box.end + 1;
	}
	struct pr_str result = work.failed ? PR_NONE : pr_arena_copy(work.arena, pr_text_str(&work.out));
	pr_text_fini(&work.out);
	if (result.data == NULL)
		return PR_TEMPFAIL;
	*value_out = result;
	return PR_OK;
}

enum pr_status header_rewrite_addresses(struct pr_str value, header_rewrite *rewrite, void *context,
    struct pr_arena *arena, struct pr_str *value_out)
{
	struct rewriting work = {.value = value, .rewrite = rewrite, .context = context, .arena = arena};

	return rewrite_all(&work, value_out);
}

enum pr_status header_bare_addresses(struct pr_str value, header_rewrite *rewrite, void *context,
    struct pr_arena *arena, struct pr_str *value_out)
{
	struct rewriting work = {.value = pr_str_trim(value), .rewrite = rewrite, .context = context, .arena = arena, .bare = true};

	return rewrite_all(&work, value_out);
}
