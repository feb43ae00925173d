/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A V8 control file as an envelope; one function per letter, chosen by a table, after a first pass that counts.
 * The file is taken for hostile: every length comes from the bytes at hand, lists are allocated once from what was
 * counted, and a file that is cut short, changed in its addresses or holds a line of unknown letter is refused whole.
 *
 * Read from sendmail's files: V T K N P B q M F $ S Z A ! C Q r R H and the final dot.  Read and forgotten,
 * because sendmail itself finds them anew: I (inode), d (where df lies), L (content length).
 */
#include "qf_reader.h"

#include <postrider/address.h>

#include <stdlib.h>
#include <string.h>

static bool read_version(struct reader *r, struct pr_str value)
{
	int64_t version;

	r->has_version = qf_take_number(value, &version) && version >= 2 && version <= 8;
	return r->has_version;
}

static bool read_created(struct reader *r, struct pr_str value)
{
	r->has_created = true;
	return qf_take_number(value, &r->e->created) && r->e->created >= 0;
}

static bool read_last_try(struct reader *r, struct pr_str value)
{
	return qf_take_number(value, &r->e->last_try) && r->e->last_try >= 0;
}

static bool read_tries(struct reader *r, struct pr_str value)
{
	return qf_take_number(value, &r->e->tries) && r->e->tries >= 0;
}

static bool read_priority(struct reader *r, struct pr_str value)
{
	return qf_take_number(value, &r->e->priority);
}

static bool read_body_type(struct reader *r, struct pr_str value)
{
	return qf_take_shown(r, value, &r->e->body_type);
}

static bool read_quarantine(struct reader *r, struct pr_str value)
{
	return qf_take_shown(r, value, &r->e->quarantine);
}

/* Before the sender it is the whole message's, after it the next recipient's. */
static bool read_message(struct reader *r, struct pr_str value)
{
	return qf_take_shown(r, value, r->has_sender ? &r->next.status : &r->e->message);
}

static bool read_flags(struct reader *r, struct pr_str value)
{
	static const struct {
		char letter;
		uint32_t flag;
	} letters[] = {
		{ '8', PR_ENVELOPE_EIGHT_BIT }, { 'b', PR_ENVELOPE_DELETE_BCC }, { 'd', PR_ENVELOPE_RET_GIVEN }, { 'e', PR_ENVELOPE_UTF8 },
		{ 'n', PR_ENVELOPE_RET_HEADERS }, { 'r', PR_ENVELOPE_RESPONSE }, { 's', PR_ENVELOPE_SPLIT },
		{ 'w', PR_ENVELOPE_WARNED },
	};

	for (size_t i = 0; i < value.len; i++)
		for (size_t k = 0; k < sizeof letters / sizeof letters[0]; k++)
			if (value.data[i] == letters[k].letter)
				r->e->flags |= letters[k].flag;
	return true;
}

static bool read_sum(struct reader *r, struct pr_str value)
{
	char text[17] = "";
	char *end;

	if (value.len != 16 || r->has_sum)
		return false;
	memcpy(text, value.data, 16);
	r->stated_sum = strtoull(text, &end, 16);
	r->has_sum = end == text + 16;
	return r->has_sum;
}

static bool read_own(struct reader *r, struct pr_str name, struct pr_str value)
{
	if (pr_str_equal(name, PR_STR("postrider_done")))
		return qf_read_done(r, value);
	if (pr_str_equal(name, PR_STR("postrider_rcpt")))
		return qf_read_result(r, value);
	if (pr_str_equal(name, PR_STR("postrider_summed"))) {
		r->needs_sum = true;
		return value.len == 0;
	}
	if (pr_str_equal(name, PR_STR("postrider_body")))
		return qf_take_number(value, &r->e->body_size) && r->e->body_size > 0;
	return pr_str_equal(name, PR_STR("postrider_sum")) && read_sum(r, value);
}

static bool add_macro(struct reader *r, struct pr_str name, struct pr_str value)
{
	struct pr_macro *macro = &r->e->macros[r->e->macro_count++];

	return qf_take_exact(r, name, &macro->name) && qf_take_shown(r, value, &macro->value);
}

static bool read_macro(struct reader *r, struct pr_str value)
{
	size_t end;
	struct pr_str name;

	if (value.len == 0)
		return false;
	if (value.data[0] != '{')
		return add_macro(r, pr_str_slice(value, 0, 1), pr_str_slice(value, 1, value.len));
	end = pr_str_find(value, '}');
	if (end == value.len || end == 1 || end > 65)
		return false;
	name = pr_str_slice(value, 1, end);
	value = pr_str_slice(value, end + 1, value.len);
	return pr_str_has_prefix_nocase(name, PR_STR("postrider_")) ? read_own(r, name, value) : add_macro(r, name, value);
}

static bool read_sender(struct reader *r, struct pr_str value)
{
	if (r->has_sender)
		return false;
	r->has_sender = true;
	return qf_take_exact(r, value, &r->e->sender);
}

static bool read_envelope_id(struct reader *r, struct pr_str value)
{
	return qf_take_xtext(r, value, &r->e->envelope_id);
}

static bool read_auth(struct reader *r, struct pr_str value)
{
	return qf_take_exact(r, value, &r->e->auth);
}

static bool read_deliver_by(struct reader *r, struct pr_str value)
{
	return add_macro(r, PR_STR("!"), value);
}

static bool read_header(struct reader *r, struct pr_str value)
{
	struct pr_header *header = &r->e->headers[r->e->header_count++];
	struct pr_str condition = PR_STR("");
	size_t colon;

	if (value.len > 0 && value.data[0] == '?') {
		size_t end = 1 + pr_str_find(pr_str_slice(value, 1, value.len), '?');

		if (end >= value.len)
			return false;
		condition = pr_str_slice(value, 1, end);
		value = pr_str_slice(value, end + 1, value.len);
	}
	colon = pr_str_find(value, ':');
	if (colon == value.len || colon == 0 || !qf_take_exact(r, condition, &header->condition) ||
	    !qf_take_exact(r, pr_str_slice(value, 0, colon), &header->name))
		return false;
	header->value = pr_arena_copy(r->call->arena, pr_str_slice(value, colon + 1, value.len));
	if (pr_str_equal_nocase(header->name, PR_STR("Received")))
		r->e->hops++;
	return header->value.data != NULL;
}

static bool read_nothing(struct reader *r, struct pr_str value)
{
	(void)r;
	return !qf_has_control(value);
}

static line_reader *const readers[128] = {
	['V'] = read_version, ['T'] = read_created, ['K'] = read_last_try, ['N'] = read_tries, ['P'] = read_priority,
	['I'] = read_nothing, ['d'] = read_nothing, ['L'] = read_nothing, ['B'] = read_body_type, ['q'] = read_quarantine,
	['M'] = read_message, ['F'] = read_flags, ['$'] = read_macro, ['S'] = read_sender, ['Z'] = read_envelope_id,
	['A'] = read_auth, ['!'] = read_deliver_by, ['C'] = qf_read_owner, ['Q'] = qf_read_original, ['r'] = qf_read_final,
	['R'] = qf_read_recipient, ['H'] = read_header,
};

/* One line with its continuations, without the final line end; false at the end or when the last line is cut. */
static bool next_line(struct pr_str *rest, struct pr_str *line_out)
{
	size_t at = 0;

	for (;;) {
		size_t len = pr_str_find(pr_str_slice(*rest, at, rest->len), '\n');

		if (at + len >= rest->len)
			return false;
		at += len + 1;
		if (at >= rest->len || (rest->data[at] != ' ' && rest->data[at] != '\t'))
			break;
	}
	*line_out = pr_str_slice(*rest, 0, at - 1);
	*rest = pr_str_slice(*rest, at, rest->len);
	return true;
}

static bool allocate(struct reader *r, struct pr_str bytes)
{
	size_t headers = 0, recipients = 0, macros = 0;
	struct pr_arena *arena = r->call->arena;

	/* a line more than needed is counted, never one less */
	for (size_t i = 0; i < bytes.len; i++) {
		if (i > 0 && bytes.data[i - 1] != '\n')
			continue;
		headers += bytes.data[i] == 'H';
		recipients += bytes.data[i] == 'R' || bytes.data[i] == '$';
		macros += bytes.data[i] == '$' || bytes.data[i] == '!';
	}
	r->e = pr_arena_alloc(arena, sizeof *r->e);
	if (r->e == NULL)
		return false;
	r->e->size = sizeof *r->e;
	r->e->headers = pr_arena_alloc(arena, (headers + 1) * sizeof *r->e->headers);
	r->e->recipients = pr_arena_alloc(arena, (recipients + 1) * sizeof *r->e->recipients);
	r->e->macros = pr_arena_alloc(arena, (macros + 1) * sizeof *r->e->macros);
	return r->e->headers != NULL && r->e->recipients != NULL && r->e->macros != NULL;
}

static bool read_line(struct reader *r, struct pr_str line)
{
	unsigned char letter = line.len > 0 ? (unsigned char)line.data[0] : 0;

	if (letter >= 128 || readers[letter] == NULL || (!r->has_version && letter != 'V'))
		return false;
	if (!pr_str_has_prefix_nocase(line, PR_STR("${postrider_sum}")))
		r->sum = qf_sum(r->sum, line);
	return readers[letter](r, pr_str_slice(line, 1, line.len));
}

static enum pr_status verdict(struct reader *r)
{
	struct pr_call *call = r->call;

	if (!r->has_end)
		return pr_fail(call, PR_PERMFAIL, "the control file is cut short");
	if (!r->has_version || !r->has_created || !r->has_sender)
		return pr_fail(call, PR_PERMFAIL, "the control file lacks a V, T or S line");
	if ((r->has_sum || r->needs_sum) && (!r->has_sum || r->sum != r->stated_sum))
		return pr_fail(call, PR_PERMFAIL, "the addresses in the control file are not those that were written");
	if (r->e->recipient_count == 0)
		return pr_fail(call, PR_PERMFAIL, "the control file names no recipient");
	return PR_OK;
}

/* A notice goes out from nobody; in the file sendmail says which name its $n had, and that has no domain. */
static bool is_own_name(const struct pr_envelope *e)
{
	struct pr_str name = pr_address_inner(e->sender);

	return (e->flags & PR_ENVELOPE_RESPONSE) != 0 && name.len > 0 && pr_str_find(name, '@') == name.len;
}

enum pr_status qf_read(struct pr_call *call, struct pr_str bytes, struct pr_envelope **envelope_out)
{
	struct reader r = { .call = call, .rest = bytes, .sum = QF_SUM_START };
	struct pr_str line;
	unsigned number = 0;
	enum pr_status status;

	if (!allocate(&r, bytes))
		return pr_fail(call, PR_TEMPFAIL, "no memory for the control file");
	while (next_line(&r.rest, &line)) {
		number++;
		if (pr_str_equal(line, PR_STR("."))) {
			r.has_end = true;
			break;
		}
		if (read_line(&r, line))
			continue;
		/* an honest file must not be set aside because memory ran out */
		if (pr_arena_alloc(call->arena, line.len + 1024) == NULL)
			return pr_fail(call, PR_TEMPFAIL, "no memory for the control file");
		return pr_fail(call, PR_PERMFAIL, "line %u of the control file cannot be understood", number);
	}
	status = verdict(&r);
	if (status == PR_OK && is_own_name(r.e))
		r.e->sender = PR_STR("<>");
	if (status == PR_OK)
		*envelope_out = r.e;
	return status;
}

/* What an index shows of a message; a recipient that is delivered stands in no R line. */
struct head {
	struct pr_entry *entry;
	struct pr_arena *arena;
	struct reader reader;
	bool has_sender;
};

static void take_shown_line(struct head *head, struct pr_str line)
{
	struct pr_str value = pr_str_slice(line, 1, line.len);
	struct pr_entry *entry = head->entry;

	switch (line.data[0]) {
	case 'q':
		entry->state = PR_ENTRY_QUARANTINED;
		break;
	case 'M':
		if (!head->has_sender)
			entry->message = pr_arena_copy(head->arena, value);
		break;
	case 'S':
		head->has_sender = true;
		entry->sender = pr_arena_copy(head->arena, value);
		break;
	case 'R':
		if (entry->recipients++ == 0)
			entry->recipient = pr_arena_copy(head->arena, pr_str_slice(value, pr_str_find(value, ':') + 1, value.len));
		break;
	default:
		break;
	}
}

bool qf_read_head(struct pr_str bytes, struct pr_arena *arena, struct pr_entry *entry_out)
{
	struct pr_envelope envelope = { .size = sizeof envelope };
	struct head head = { .entry = entry_out, .arena = arena, .reader = { .e = &envelope } };
	struct pr_str line;

	/* up to the header, or to what was read of the file */
	while (next_line(&bytes, &line) && line.len > 0 && line.data[0] != 'H' && line.data[0] != '.') {
		if (strchr("VTKNPF", line.data[0]) != NULL && !read_line(&head.reader, line))
			return false;
		take_shown_line(&head, line);
	}
	entry_out->created = envelope.created;
	entry_out->last_try = envelope.last_try;
	entry_out->tries = envelope.tries;
	entry_out->priority = envelope.priority;
	entry_out->flags = envelope.flags;
	return head.reader.has_version && head.reader.has_created;
}
