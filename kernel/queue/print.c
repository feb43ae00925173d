/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of mailq, column for column as sendmail prints it.
 * One pass gathers what is to be listed - from the daemon's index, or from the store - and already prints what the pass knows: a
 * message with one recipient need not be read again.  The list is sorted by queue directory and priority, and then goes out row by row.
 */
#include "kernel/queue/queue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENTRY_ARENA (40u << 20) /* more than the largest envelope a store reads */
#define ID_MAX 23
#define LINE_MAX_BYTES (64u << 20)

struct row {
	int64_t priority;
	int64_t created;
	char *text;  /* what stands behind id and flag; NULL: the envelope is read when its turn comes */
	char *queue; /* shared: the listing's */
	char id[ID_MAX + 1];
	bool claimed, waiting;
};

struct listing {
	struct module_scope *scope;
	struct row *rows;
	size_t count, room;
	char **queues; /* names of directories, each once */
	size_t queue_count;
	struct pr_text out;
	bool verbose;
	int64_t due_before; /* tried later than this: not due yet */
	void (*print)(void *context, struct pr_str text);
	void *context;
};

/* What a row shows besides id and flag. */
struct shown {
	int64_t size, priority, created;
	uint32_t flags;
	struct pr_str sender, body_type, message, quarantine;
};

static bool is_kind(const struct pr_entry *entry, enum queue_kind kind)
{
	switch (entry->state) {
	case PR_ENTRY_LOST:
		return kind == QUEUE_LOST;
	case PR_ENTRY_HELD:
	case PR_ENTRY_QUARANTINED:
		return kind == QUEUE_QUARANTINED;
	default:
		return kind == QUEUE_WAITING;
	}
}

static char *queue_name(struct listing *l, struct pr_str name)
{
	for (size_t i = 0; i < l->queue_count; i++)
		if (pr_str_equal(pr_str(l->queues[i]), name))
			return l->queues[i];
	l->queues = pr_resize(l->queues, (l->queue_count + 1) * sizeof *l->queues);
	l->queues[l->queue_count] = pr_copy_str(name.data != NULL ? name : PR_STR(""));
	return l->queues[l->queue_count++];
}

static struct row *add_row(struct listing *l, const struct pr_entry *entry)
{
	struct row *row;

	if (l->count == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room;
		l->rows = pr_resize(l->rows, l->room * sizeof *l->rows);
	}
	row = &l->rows[l->count++];
	memset(row, 0, sizeof *row);
	row->priority = entry->priority;
	row->created = entry->created;
	row->claimed = entry->state == PR_ENTRY_CLAIMED;
	row->waiting = entry->last_try > l->due_before;
	row->queue = queue_name(l, entry->queue);
	memcpy(row->id, entry->id.data, entry->id.len);
	return row;
}

/* By directory, then sendmail's default order: priority, then age. */
static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int by_queue = x->queue == y->queue ? 0 : strcmp(x->queue, y->queue);

	if (by_queue != 0)
		return by_queue;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* What is not printable shows as '?': a terminal reads this. */
static void add_visible(struct pr_text *out, struct pr_str text, size_t max)
{
	for (size_t i = 0; i < text.len && i < max; i++) {
		unsigned char c = (unsigned char)text.data[i];

		pr_text_add_byte(out, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
}

/* "Fri Nov 20 13:02 ", without the weekday when short of room */
static void add_time(struct pr_text *out, int64_t when, bool weekday)
{
	time_t t = when;
	struct tm tm;
	char text[64];

	if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof text, "%a %b %e %H:%M ", &tm) > 0)
		pr_text_add_c(out, weekday ? text : text + 4);
}

static void print_reason(struct pr_text *out, bool verbose, const struct shown *shown)
{
	if (shown->quarantine.data != NULL) {
		pr_text_add_c(out, "\n     QUARANTINE: ");
		add_visible(out, shown->quarantine, verbose ? 100 : 60);
	}
	if (shown->body_type.len == 0 && shown->message.len == 0)
		return;
	pr_text_addf(out, "\n%14.*s", PR_PRINT(shown->body_type.data == NULL ? PR_STR("") : pr_str_slice(shown->body_type, 0, 10)));
	if (shown->message.len > 0) {
		pr_text_add_c(out, "   (");
		add_visible(out, shown->message, verbose ? 100 : 60);
		pr_text_add_byte(out, ')');
	}
}

static void print_address(struct pr_text *out, bool verbose, struct pr_str address)
{
	pr_text_add_c(out, verbose ? "\n\t\t\t\t\t\t" : "\n\t\t\t\t\t ");
	add_visible(out, address, 1000);
}

static void print_recipient(struct listing *l, const struct pr_recipient *r)
{
	if (r->state == PR_RECIPIENT_DELIVERED)
		return;
	print_address(&l->out, l->verbose, r->address);
	if (l->verbose && r->status.len > 0) {
		pr_text_add_c(&l->out, "\n\t\t (");
		add_visible(&l->out, r->status, 100);
		pr_text_add_byte(&l->out, ')');
	}
}

static void flush(struct listing *l)
{
	l->print(l->context, pr_text_str(&l->out));
	pr_text_clear(&l->out);
}

static void print_shown(struct pr_text *out, bool verbose, const struct shown *shown)
{
	pr_text_addf(out, "%8" PRId64 " ", shown->size);
	if (verbose)
		pr_text_addf(out, "%10" PRId64 "%c", shown->priority, (shown->flags & PR_ENVELOPE_WARNED) != 0 ? '+' : ' ');
	add_time(out, shown->created, !verbose);
	add_visible(out, shown->sender, 1000);
	print_reason(out, verbose, shown);
}

static void print_envelope(struct listing *l, const struct row *row, const struct pr_envelope *e)
{
	const struct shown shown = {e->body_size, row->priority, e->created, e->flags, e->sender, e->body_type, e->message, e->quarantine};

	print_shown(&l->out, l->verbose, &shown);
	for (size_t i = 0; i < e->recipient_count; i++) {
		print_recipient(l, &e->recipients[i]);
		if (l->out.len > 32768)
			flush(l);
	}
}

static void print_row(struct listing *l, const struct row *row)
{
	struct pr_envelope *envelope;
	struct pr_entry entry;

	pr_text_addf(&l->out, "%s%c", row->id, row->claimed ? '*' : row->waiting ? '-' : ' ');
	if (row->text != NULL) {
		pr_text_add_c(&l->out, row->text);
	} else {
		enum pr_status status = store_peek(l->scope, pr_str(row->id), &envelope, &entry);
		if (status == PR_OK)
			print_envelope(l, row, envelope);
		else
			pr_text_add_c(&l->out, status == PR_NOTFOUND ? " (job completed)" : " (no control file)");
		pr_arena_reset(l->scope->arena);
	}
	pr_text_add_byte(&l->out, '\n');
	if (l->out.len > 16384)
		flush(l);
}

static void print_heading(struct listing *l, struct pr_str name, struct pr_str directory, size_t count)
{
	pr_text_addf(&l->out, "\t\t%.*s%s%.*s (%zu request%s)\n", PR_PRINT(name), directory.len > 0 ? "/" : "", PR_PRINT(directory), count,
	             count == 1 ? "" : "s");
	pr_text_add_c(&l->out, l->verbose
	                           ? "-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------\n"
	                           : "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n");
}

/* One directory, or with "q*" each that holds something. */
static void print_all(struct listing *l, struct pr_str name)
{
	size_t star = pr_str_find(name, '*');
	bool several = star != name.len || module_set_config(module_thread_set(l->scope->thread))->group_count > 0;
	struct pr_str base = star != name.len ? pr_str_slice(name, 0, pr_str_find_last(name, '/')) : name;

	if (l->count == 0)
		pr_text_addf(&l->out, "%.*s is empty\n", PR_PRINT(name));
	else
		qsort(l->rows, l->count, sizeof *l->rows, compare);
	for (size_t i = 0, end; i < l->count; i = end) {
		for (end = i + 1; end < l->count && (!several || l->rows[end].queue == l->rows[i].queue); end++)
			continue;
		print_heading(l, base, several ? pr_str(l->rows[i].queue) : PR_STR(""), end - i);
		for (size_t at = i; at < end; at++)
			print_row(l, &l->rows[at]);
	}
	pr_text_addf(&l->out, "\t\tTotal requests: %zu\n", l->count);
	flush(l);
}

/* What the pass over the store knows is enough when there is one recipient, and nothing of -v is asked for. */
static void add_entry(struct listing *l, const struct pr_entry *entry)
{
	struct row *row = add_row(l, entry);
	const struct shown shown = {entry->body_size, entry->priority, entry->created, entry->flags, entry->sender, entry->body_type,
	                            entry->message, PR_NONE};

	if (l->verbose || entry->recipients != 1 || entry->recipient.len == 0 || entry->state == PR_ENTRY_QUARANTINED)
		return;
	pr_text_clear(&l->out);
	print_shown(&l->out, false, &shown);
	print_address(&l->out, false, entry->recipient);
	row->text = pr_copy_str(pr_text_str(&l->out));
	pr_text_clear(&l->out);
}

static enum pr_status gather(struct listing *l, enum queue_kind kind, const struct queue_selection *selection)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *envelope;
	void *cursor = NULL;
	enum pr_status status;

	while ((status = store_next(l->scope, &cursor, &entry)) == PR_OK) {
		bool wanted = is_kind(&entry, kind) && entry.id.len <= ID_MAX;
		if (wanted && selection != NULL && selection->count > 0) {
			envelope = NULL;
			if (selection_needs_envelope(selection))
				(void)store_peek(l->scope, entry.id, &envelope, NULL);
			wanted = selection_matches(selection, &entry, envelope);
		}
		if (wanted)
			add_entry(l, &entry);
		pr_arena_reset(l->scope->arena);
		entry = (struct pr_entry){.size = sizeof entry};
	}
	return status == PR_NOTFOUND ? PR_OK : status;
}

static void listing_open(struct listing *l, struct module_scope *scope)
{
	struct module_set *set = module_thread_set(scope->thread);

	l->due_before = time(NULL) - module_set_config(set)->options.min_queue_age;
	pr_text_init(&l->out, 1u << 20);
}

static void listing_close(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		pr_free(l->rows[i].text);
	for (size_t i = 0; i < l->queue_count; i++)
		pr_free(l->queues[i]);
	pr_free(l->queues);
	pr_free(l->rows);
	pr_text_fini(&l->out);
}

enum pr_status queue_print_kind(struct module_scope *scope, const struct queue_selection *selection, enum queue_kind kind, bool verbose, struct pr_str name,
                                void (*print)(void *context, struct pr_str text), void *context, size_t *count_out)
{
	struct listing l = { .scope = scope, .verbose = verbose, .print = print, .context = context };
	struct pr_arena *callers = scope->arena, arena;
	enum pr_status status;

	/* an arena of our own, emptied after every message */
	pr_arena_init(&arena, ENTRY_ARENA);
	scope->arena = &arena;
	listing_open(&l, scope);
	status = gather(&l, kind, selection);
	if (status == PR_OK) {
		print_all(&l, name);
		*count_out = l.count;
	}
	scope->arena = callers;
	if (status != PR_OK)
		scope->reason = pr_arena_copy(callers, scope->reason);
	listing_close(&l);
	pr_arena_fini(&arena);
	return status;
}

/* the daemon's rows -------------------------------------------------------- */

static bool take_number(struct pr_str *rest, int64_t *number_out)
{
	struct pr_str field;
	uint64_t number;

	if (!pr_str_next(rest, '\t', &field))
		return false;
	bool negative = field.len > 0 && field.data[0] == '-';
	if (!pr_str_number(pr_str_slice(field, negative ? 1 : 0, field.len), INT64_MAX, &number))
		return false;
	*number_out = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

/* One line of kernel/courier/index.c; false: it is none. */
static bool add_line(struct listing *l, struct pr_str line, enum queue_kind kind)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct shown shown = {.size = 0};
	struct pr_str recipient;
	int64_t state, flags, running;

	if (!pr_str_next(&line, '\t', &entry.id) || entry.id.len > ID_MAX || !pr_str_next(&line, '\t', &entry.queue) ||
	    !take_number(&line, &state) || !take_number(&line, &flags) || !take_number(&line, &running) || !take_number(&line, &shown.created) ||
	    !take_number(&line, &entry.last_try) || !take_number(&line, &shown.priority) || !take_number(&line, &shown.size) ||
	    !pr_str_next(&line, '\t', &shown.sender) || !pr_str_next(&line, '\t', &shown.body_type))
		return false;
	(void)pr_str_next(&line, '\t', &shown.message);
	entry.state = running != 0 ? PR_ENTRY_CLAIMED : (uint32_t)state;
	entry.created = shown.created;
	entry.priority = shown.priority;
	shown.flags = (uint32_t)flags;
	if (!is_kind(&entry, kind))
		return true;
	struct row *row = add_row(l, &entry);
	pr_text_clear(&l->out);
	print_shown(&l->out, false, &shown);
	while (pr_str_next(&line, '\t', &recipient))
		print_address(&l->out, false, recipient);
	row->text = l->out.overflow != 0 ? NULL : pr_copy_str(pr_text_str(&l->out));
	pr_text_clear(&l->out);
	return true;
}

/* Up to the line with a dot; false: it never came, so nothing was whole. */
static bool read_lines(struct listing *l, int fd, enum queue_kind kind)
{
	char *buffer = pr_alloc(1u << 17);
	struct pr_text held; /* the beginning of a line */
	bool whole = false, good = true;

	pr_text_init(&held, LINE_MAX_BYTES);
	while (good && !whole) {
		ssize_t got = read(fd, buffer, 1u << 17);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		struct pr_str rest = {buffer, (size_t)got};
		while (good && !whole && rest.len > 0) {
			size_t end = pr_str_find(rest, '\n');
			struct pr_str line = pr_str_slice(rest, 0, end);
			if (held.len > 0 || end == rest.len) {
				good = pr_text_add_str(&held, line);
				line = pr_text_str(&held);
			}
			if (end == rest.len)
				break;
			whole = pr_str_equal(line, PR_STR("."));
			good = good && (whole || add_line(l, line, kind));
			pr_text_clear(&held);
			rest = pr_str_slice(rest, end + 1, rest.len);
		}
	}
	pr_text_fini(&held);
	pr_free(buffer);
	return good && whole;
}

enum pr_status queue_print_rows(struct module_scope *scope, int fd, enum queue_kind kind, struct pr_str name,
                                void (*print)(void *context, struct pr_str text), void *context, size_t *count_out)
{
	struct listing l = { .scope = scope, .print = print, .context = context };
	enum pr_status status = PR_TEMPFAIL;

	listing_open(&l, scope);
	if (read_lines(&l, fd, kind)) {
		print_all(&l, name);
		*count_out = l.count;
		status = PR_OK;
	}
	listing_close(&l);
	return status;
}
