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
/* The same for an address, in which UTF-8 stays when the original had it (RFC 6533 section 3). */
struct pr_str dsn_clean_address(const struct dsn *dsn, struct pr_str text);
bool dsn_is_utf8(const struct dsn *dsn); /* the original is SMTPUTF8 mail */
/* The address for people: in brackets as the client gave it, bare when an alias named it, programs and files in quotes. */
struct pr_str dsn_address(const struct dsn *dsn, const struct pr_recipient *recipient);
bool dsn_is_program(struct pr_str address);

/* dsn_word.c: what is known of one recipient */
bool dsn_is_reported(const struct dsn *dsn, size_t index);
/* DSN_FAILURE, DSN_DELAY or DSN_SUCCESS */
enum dsn_kind dsn_kind_of(const struct dsn *dsn, const struct pr_recipient *recipient);
const struct dsn_word *dsn_word_of(const struct dsn *dsn, const struct pr_recipient *recipient);
/* The reply, if it is one of SMTP ("550 5.1.1 no"); absent otherwise.  May have several lines. */
struct pr_str dsn_reply_of(const struct dsn *dsn, const struct pr_recipient *recipient);
/* The failure of a program or of our own: a reason without codes, then what was printed. */
bool dsn_is_own_result(const struct dsn *dsn, const struct pr_recipient *recipient);
struct pr_str dsn_reason_of(const struct dsn *dsn, const struct pr_recipient *recipient); /* one line, or absent */
struct pr_str dsn_first_line(struct pr_str text);
/* "mx1.example.org" of "mx1.example.org. [192.0.2.1]"; empty: no host answered */
struct pr_str dsn_host_of(const struct pr_recipient *recipient);
/* It stands for an alias of several: PR_STATUS_LIST or PR_STATUS_EXPANDED. */
bool dsn_is_expanded(const struct pr_recipient *recipient, const char *word);
/* The original goes back whole, or only its header. */
bool dsn_headers_only(const struct dsn *dsn);

void dsn_text_part(struct dsn *dsn);
void dsn_transcript(struct dsn *dsn); /* the end of it */
void dsn_status_part(struct dsn *dsn);
enum pr_status dsn_original_part(struct dsn *dsn, dsn_read *read, void *read_context);

#endif
