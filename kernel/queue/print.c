/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of mailq, column for column as sendmail prints it.
 * Everything is in the rows by now, so printing is one walk over them in order, directory by directory.
 */
#include "kernel/queue/listing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLUSH_AT 32768
#define SENDER_WIDTH 39 /* and what -v has room for */
#define SENDER_WIDTH_V 78
#define RECIPIENT_WIDTH 38
#define RECIPIENT_WIDTH_V 71
#define REASON_WIDTH 60
#define REASON_WIDTH_V 100

/* What is not printable shows as '?': a terminal reads this. */
static void add_visible(struct pr_text *out, struct pr_str text, size_t max)
{
	for (size_t i = 0; i < text.len && i < max; i++) {
		unsigned char c = (unsigned char)text.data[i];

		pr_text_add_byte(out, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
}

/* "Fri Nov 20 13:02 ", without the weekday when short of room; the minute before is remembered, a queue comes in bursts */
static void add_time(struct pr_text *out, int64_t when, bool weekday)
{
	static _Thread_local int64_t last = INT64_MIN;
	static _Thread_local char text[64];
	time_t t = when;
	struct tm tm;

	if (last == INT64_MIN || when / 60 != last) {
		last = when / 60;
		if (localtime_r(&t, &tm) == NULL || strftime(text, sizeof text, "%a %b %e %H:%M ", &tm) == 0)
			text[0] = text[4] = '\0';
	}
	pr_text_add_c(out, weekday ? text : text + 4);
}

static void print_reason(const struct plan_index_row *row, bool verbose, struct pr_text *out)
{
	if (row->quarantine.data != NULL) {
		pr_text_add_c(out, "\n     QUARANTINE: ");
		add_visible(out, row->quarantine, verbose ? REASON_WIDTH_V : REASON_WIDTH);
	}
	if (row->body_type.len == 0 && row->message.len == 0)
		return;
	pr_text_addf(out, "\n%14.*s", PR_PRINT(row->body_type.data == NULL ? PR_STR("") : pr_str_slice(row->body_type, 0, 10)));
	if (row->message.len > 0) {
		pr_text_add_c(out, "   (");
		add_visible(out, row->message, verbose ? REASON_WIDTH_V : REASON_WIDTH);
		pr_text_add_byte(out, ')');
	}
}

static void print_recipient(const struct plan_index_recipient *recipient, bool verbose, struct pr_text *out)
{
	pr_text_add_c(out, verbose ? "\n\t\t\t\t\t\t" : "\n\t\t\t\t\t ");
	add_visible(out, recipient->address, verbose ? RECIPIENT_WIDTH_V : RECIPIENT_WIDTH);
	if (verbose && recipient->status.len > 0) {
		pr_text_add_c(out, "\n\t\t (");
		add_visible(out, recipient->status, REASON_WIDTH_V);
		pr_text_add_byte(out, ')');
	}
}

/* pr_text_addf costs more than the rest of the line together */
static void add_number(struct pr_text *out, int64_t number, size_t width)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (number < 0)
		digits[--at] = '-';
	for (size_t i = sizeof digits - at; i < width; i++)
		pr_text_add_byte(out, ' ');
	pr_text_add(out, digits + at, sizeof digits - at);
}

static void print_head(const struct plan_index_row *row, bool verbose, struct pr_text *out)
{
	add_number(out, row->size, 8);
	pr_text_add_byte(out, ' ');
	if (verbose) {
		add_number(out, row->priority, 10);
		pr_text_add_byte(out, (row->flags & PR_ENVELOPE_WARNED) != 0 ? '+' : ' ');
	}
	add_time(out, row->created, !verbose);
	add_visible(out, row->sender, verbose ? SENDER_WIDTH_V : SENDER_WIDTH);
	print_reason(row, verbose, out);
}

static char mark_of(const struct listing *listing, const struct plan_index_row *row)
{
	if (row->state == PR_ENTRY_LOST)
		return '?';
	bool running = row->running || row->state == PR_ENTRY_CLAIMED;
	if (running || row->last_try > listing->tried_after)
		return running ? '*' : '-';
	return plan_load_queues(&listing->limits, listing->load, row->priority) ? 'X' : ' ';
}

void listing_print_row(const struct listing *listing, const struct plan_index_row *row, struct pr_text *out)
{
	struct plan_index_recipient recipient;
	struct plan_index_row rest = *row;

	pr_text_add_str(out, row->id);
	pr_text_add_byte(out, mark_of(listing, row));
	if (row->unreadable) {
		pr_text_add_c(out, " (no control file)");
	} else if (!row->complete) {
		pr_text_add_c(out, " (job completed)");
	} else {
		print_head(row, listing->verbose, out);
		while (row_next(&rest, &recipient))
			print_recipient(&recipient, listing->verbose, out);
	}
	pr_text_add_byte(out, '\n');
}

static int compare(const void *a, const void *b)
{
	const struct listed *x = *(struct listed *const *)a, *y = *(struct listed *const *)b;
	struct plan_index_row first, second;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	if (!row_read((struct pr_str){x->bytes, x->length}, &first) || !row_read((struct pr_str){y->bytes, y->length}, &second))
		return 0;
	int order = memcmp(first.id.data, second.id.data, first.id.len < second.id.len ? first.id.len : second.id.len);
	return order != 0 ? order : (first.id.len > second.id.len) - (first.id.len < second.id.len);
}

struct page {
	struct pr_text text;
	listing_print_line *print;
	void *context;
};

static void flush(struct page *page)
{
	if (page->text.len > 0)
		page->print(page->context, pr_text_str(&page->text));
	pr_text_clear(&page->text);
}

static void print_rows(const struct listing *listing, size_t from, size_t to, struct page *page)
{
	struct plan_index_row row;

	for (size_t i = from; i < to; i++) {
		if (row_read((struct pr_str){listing->rows[i]->bytes, listing->rows[i]->length}, &row))
			listing_print_row(listing, &row, &page->text);
		if (page->text.len > FLUSH_AT)
			flush(page);
	}
}

static void print_place(const struct listing *listing, const char *path, size_t from, size_t to, struct page *page)
{
	size_t count = to - from;

	if (count == 0) {
		pr_text_addf(&page->text, "%s is empty\n", path);
		return;
	}
	pr_text_addf(&page->text, "\t\t%s (%zu request%s)\n", path, count, count == 1 ? "" : "s");
	pr_text_add_c(&page->text, listing->verbose
	                               ? "-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------\n"
	                               : "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n");
	print_rows(listing, from, to, page);
}

static bool is_shown(const struct listing *listing, size_t place)
{
	const char *group = listing->places.items[place].group;

	return listing->group.len == 0 || (group != NULL && pr_str_equal_nocase(pr_str(group), listing->group));
}

/* Calls for each directory in turn, with the rows that lie there. */
static void each_place(struct listing *listing, struct page *page,
                       void (*print)(const struct listing *, const char *, size_t, size_t, struct page *))
{
	size_t from = 0, to;

	if (listing->count > 1)
		qsort(listing->rows, listing->count, sizeof *listing->rows, compare);
	for (size_t place = 0; place < listing->places.count; place++) {
		for (to = from; to < listing->count && listing->rows[to]->place == place; to++)
			;
		if (is_shown(listing, place))
			print(listing, listing->places.items[place].path, from, to, page);
		from = to;
	}
}

void listing_print(struct listing *listing, listing_print_line *print, void *context)
{
	struct page page = {.print = print, .context = context};

	pr_text_init(&page.text, 2 * (size_t)ROW_MAX);
	each_place(listing, &page, print_place);
	if (!listing->no_total)
		pr_text_addf(&page.text, "\t\tTotal requests: %zu\n", listing->count);
	flush(&page);
	pr_text_fini(&page.text);
}

static void print_count(const struct listing *listing, const char *path, size_t from, size_t to, struct page *page)
{
	(void)listing;
	if (from == to)
		pr_text_addf(&page->text, "%s is empty\n", path);
	else
		pr_text_addf(&page->text, "%s: entries=%zu\n", path, to - from);
}

static bool has_groups(const struct listing *listing)
{
	for (size_t i = 1; i < listing->places.count; i++) {
		const char *group = listing->places.items[i].group, *first = listing->places.items[0].group;
		if (group != NULL && first != NULL && strcmp(group, first) != 0)
			return true;
	}
	return false;
}

void listing_print_counts(struct listing *listing, listing_print_line *print, void *context)
{
	struct page page = {.print = print, .context = context};

	pr_text_init(&page.text, 1u << 20);
	each_place(listing, &page, print_count);
	if (has_groups(listing) || listing->count > 0)
		pr_text_addf(&page.text, "\t\tTotal requests: %zu\n", listing->count);
	flush(&page);
	pr_text_fini(&page.text);
}
