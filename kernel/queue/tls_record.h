/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How TLS with next hosts fared, kept day by day for the reports of RFC 8460.
 *
 *     a mailer tells a result --> tally in memory --some seconds later--> DIRECTORY/2026-11-26 --> postriderctl tlsrpt
 *
 * A record is a result without its time: the same one again makes a count grow.  A day, which begins and ends in UTC, is one file of lines, each a count
 * and the fields of a record with tabs between; the same record may be there several times.  When a file has grown it is written anew with each record once.
 *
 * Bounds: TLS_RECORDS_MAX different records a day, after which only known ones are counted; TLS_DAYS days.
 */
#ifndef KERNEL_QUEUE_TLS_RECORD_H
#define KERNEL_QUEUE_TLS_RECORD_H

#include <postrider/arena.h>
#include <postrider/host.h>
#include <postrider/status.h>

#define TLS_RECORDS_MAX 20000
#define TLS_RECORD_LINE 8192 /* bytes of a record; what is longer is cut, field by field */
#define TLS_DAYS 14

struct tls_record {
	struct pr_str policy;  /* "sts", "tlsa", "no-policy-found" */
	struct pr_str domain;
	struct pr_str failure; /* empty: a success */
	struct pr_str host, address, source, reason;
	struct pr_str strings; /* of the policy, lines with LF */
	struct pr_str hosts;   /* patterns, likewise */
};

/* As in the file, without the count and the end of the line: what is equal here is the same record. */
void tls_record_print(const struct pr_tls_result *result, struct pr_text *out);
/* False: no line of ours. */
bool tls_record_parse(struct pr_str line, struct pr_arena *arena, struct tls_record *record_out);

struct tls_tally;
struct tls_tally *tls_tally_new(size_t most);
void tls_tally_free(struct tls_tally *tally);
/* False: it is full, and this is a new one. */
bool tls_tally_add(struct tls_tally *tally, struct pr_str record, uint64_t count);
size_t tls_tally_size(const struct tls_tally *tally);
void tls_tally_clear(struct tls_tally *tally);
typedef void tls_tally_each(void *context, struct pr_str record, uint64_t count);
void tls_tally_walk(const struct tls_tally *tally, tls_tally_each *each, void *context);

/* "2026-11-26" of unix seconds; and back: false when it is no day. */
#define TLS_DAY_ROOM 16
void tls_day_print(int64_t when, char day[TLS_DAY_ROOM]);
bool tls_day_parse(struct pr_str text, int64_t *begin_out);

/* What the file of a day is known to hold, for who adds to it again and again; zeroed at first. */
struct tls_book {
	size_t compacted; /* bytes after it was last written anew */
};
/* Adds all of the tally; makes the directory, but not those above it.  False, and a sentence. */
bool tls_book_add(struct tls_book *book, const char *directory, const char *day, const struct tls_tally *tally, struct pr_text *why);
/* PR_NOTFOUND: nothing was counted on that day. */
enum pr_status tls_book_read(const char *directory, const char *day, struct tls_tally *tally, struct pr_text *why);
/* Removes the days that are older than TLS_DAYS. */
void tls_book_sweep(const char *directory, int64_t now);

#endif
