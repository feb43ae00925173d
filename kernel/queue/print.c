/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of mailq, column for column as sendmail prints it.
 * One pass over the store gathers id, priority and time of what is to be listed (48 bytes a message), the list is
 * sorted by priority, and only then each envelope is read, printed and forgotten.
 */
#include "kernel/queue/queue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENTRY_ARENA (40u << 20) /* more than the largest envelope a store reads */
#define ID_MAX 23

struct row {
	int64_t priority;
	int64_t created;
	char id[ID_MAX + 1];
	bool claimed, waiting;
};

struct listing {
	struct module_scope *scope;
	struct row *rows;
	size_t count, room;
	struct pr_text out;
	bool verbose;
	void (*print)(void *context, struct pr_str text);
	void *context;
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

static void add_row(struct listing *l, const struct pr_entry *entry, int64_t due_before)
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
	row->waiting = entry->last_try > due_before;
	memcpy(row->id, entry->id.data, entry->id.len);
}

static enum pr_status gather(struct listing *l, enum queue_kind kind)
{
	struct module_set *set = module_thread_set(l->scope->thread);
	int64_t due_before = time(NULL) - module_set_config(set)->options.min_queue_age;
	struct pr_entry entry;
	void *cursor = NULL;
	enum pr_status status;

	while ((status = store_next(l->scope, &cursor, &entry)) == PR_OK) {
		if (is_kind(&entry, kind) && entry.id.len <= ID_MAX)
			add_row(l, &entry, due_before);
		pr_arena_reset(l->scope->arena);
	}
	return status == PR_NOTFOUND ? PR_OK : status;
}

/* sendmail's default order: priority, then age */
static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

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

static void print_reason(struct listing *l, const struct pr_envelope *e)
{
	if (e->quarantine.data != NULL) {
		pr_text_add_c(&l->out, "\n     QUARANTINE: ");
		add_visible(&l->out, e->quarantine, l->verbose ? 100 : 60);
	}
	if (e->body_type.len == 0 && e->message.len == 0)
		return;
	pr_text_addf(&l->out, "\n%14.*s", PR_PRINT(e->body_type.data == NULL ? PR_STR("") : pr_str_slice(e->body_type, 0, 10)));
	if (e->message.len > 0) {
		pr_text_add_c(&l->out, "   (");
		add_visible(&l->out, e->message, l->verbose ? 100 : 60);
		pr_text_add_byte(&l->out, ')');
	}
}

static void print_recipient(struct listing *l, const struct pr_recipient *r)
{
	if (r->state == PR_RECIPIENT_DELIVERED)
		return;
	pr_text_add_c(&l->out, l->verbose ? "\n\t\t\t\t\t\t" : "\n\t\t\t\t\t ");
	add_visible(&l->out, r->address, 1000);
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

static void print_envelope(struct listing *l, const struct row *row, const struct pr_envelope *e)
{
	pr_text_addf(&l->out, "%8" PRId64 " ", e->body_size);
	if (l->verbose) {
		pr_text_addf(&l->out, "%10" PRId64 "%c", row->priority, (e->flags & PR_ENVELOPE_WARNED) != 0 ? '+' : ' ');
		add_time(&l->out, e->created, false);
	} else {
		add_time(&l->out, e->created, true);
	}
	add_visible(&l->out, e->sender, 1000);
	print_reason(l, e);
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
	enum pr_status status = store_peek(l->scope, pr_str(row->id), &envelope, &entry);

	pr_text_addf(&l->out, "%s%c", row->id, row->claimed ? '*' : row->waiting ? '-' : ' ');
	if (status == PR_OK)
		print_envelope(l, row, envelope);
	else
		pr_text_add_c(&l->out, status == PR_NOTFOUND ? " (job completed)" : " (no control file)");
	pr_text_add_byte(&l->out, '\n');
	flush(l);
	pr_arena_reset(l->scope->arena);
}

static void print_all(struct listing *l, struct pr_str name)
{
	if (l->count == 0) {
		pr_text_addf(&l->out, "%.*s is empty\n", PR_PRINT(name));
	} else {
		pr_text_addf(&l->out, "\t\t%.*s (%zu request%s)\n", PR_PRINT(name), l->count, l->count == 1 ? "" : "s");
		pr_text_add_c(&l->out, l->verbose
		                           ? "-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------\n"
		                           : "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n");
		qsort(l->rows, l->count, sizeof *l->rows, compare);
	}
	for (size_t i = 0; i < l->count; i++)
		print_row(l, &l->rows[i]);
	pr_text_addf(&l->out, "\t\tTotal requests: %zu\n", l->count);
	flush(l);
}

enum pr_status queue_print_kind(struct module_scope *scope, enum queue_kind kind, bool verbose, struct pr_str name,
                                void (*print)(void *context, struct pr_str text), void *context, size_t *count_out)
{
	struct listing l = { .scope = scope, .verbose = verbose, .print = print, .context = context };
	struct pr_arena *callers = scope->arena, arena;
	enum pr_status status;

	/* an arena of our own, emptied after every message */
	pr_arena_init(&arena, ENTRY_ARENA);
	scope->arena = &arena;
	pr_text_init(&l.out, 1u << 20);
	status = gather(&l, kind);
	if (status == PR_OK) {
		print_all(&l, name);
		*count_out = l.count;
	}
	scope->arena = callers;
	if (status != PR_OK)
		scope->reason = pr_arena_copy(callers, scope->reason);
	pr_text_fini(&l.out);
	pr_free(l.rows);
	pr_arena_fini(&arena);
	return status;
}

enum pr_status queue_print(struct module_scope *scope, bool verbose, struct pr_str name,
                           void (*print)(void *context, struct pr_str text), void *context, size_t *count_out)
{
	return queue_print_kind(scope, QUEUE_WAITING, verbose, name, print, context, count_out);
}
