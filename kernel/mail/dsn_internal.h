/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shared by the parts of a delivery status notification.
 */
#ifndef KERNEL_MAIL_DSN_INTERNAL_H
#define KERNEL_MAIL_DSN_INTERNAL_H

#include "kernel/mail/dsn.h"

#define DSN_LINE_MAX 600 /* with what stands before it, a line stays below the 998 bytes of RFC 5322 */
#define DSN_HOSTS_MAX 100 /* hosts whose words are put together in the transcript */

struct dsn {
	const struct dsn_facts *facts;
	const struct pr_envelope *original;
	const bool *report;
	struct pr_arena *arena;
	struct pr_str boundary;
	struct pr_text line;   /* the line being composed */
	dsn_write *write;
	void *write_context;
	enum pr_status status; /* of the first write that failed */
	int64_t bytes;
};

/* Composes and writes; after the first failure nothing more is written. */
void dsn_put(struct dsn *dsn, const void *data, size_t len);
void dsn_putf(struct dsn *dsn, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "Name: value" with a value from outside, made one line of visible text. */
void dsn_field(struct dsn *dsn, const char *name, struct pr_str value);

/* One line of visible text in the arena: line ends and other controls become '?', at most `max` bytes. */
struct pr_str dsn_clean(struct pr_arena *arena, struct pr_str text, size_t max);
/* "1 hour", "5 days", "1 day 12 hours" */
struct pr_str dsn_interval(struct pr_arena *arena, int64_t seconds);
/* The address for people: brackets off, programs and files in quotes. */
struct pr_str dsn_address(struct pr_arena *arena, struct pr_str address);
bool dsn_is_program(struct pr_str address);
/* The original goes back whole, or only its header. */
bool dsn_headers_only(const struct dsn *dsn);

void dsn_text_part(struct dsn *dsn);
void dsn_status_part(struct dsn *dsn);
enum pr_status dsn_original_part(struct dsn *dsn, dsn_read *read, void *read_context);

#endif
