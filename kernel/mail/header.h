/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header of a message (RFC 5322): parsed, completed, printed.
 */
#ifndef KERNEL_MAIL_HEADER_H
#define KERNEL_MAIL_HEADER_H

#include <postrider/envelope.h>
#include <postrider/status.h>

/* Reads header bytes as they come (LF line ends, any chunks).  A line that is no header field ends the header and
 * belongs to the body ("From " as very first line is skipped). */
struct header_reader;
struct header_reader *header_reader_new(size_t max_bytes); /* MaxHeadersLength */
void header_reader_free(struct header_reader *reader);
/* Takes bytes while in the header; returns how many were header.  *done_out when the header is over (the empty line is taken). */
size_t header_reader_input(struct header_reader *reader, const char *data, size_t len, bool *done_out);
/* The end of the message came first. */
void header_reader_end(struct header_reader *reader);
bool header_reader_too_large(const struct header_reader *reader);
/* Bytes that were taken by header_reader_input but turned out to be body (the front of a line without a colon); they come before
 * whatever was not taken.  PR_NONE usually. */
struct pr_str header_reader_rest(const struct header_reader *reader);
/* Fields in order; they live as long as the reader.  To be called when the header is over, not before. */
const struct pr_header *header_reader_fields(const struct header_reader *reader, size_t *count_out);

/* What a message lacks, in the order sendmail adds it. */
struct header_facts {
	struct pr_str id;          /* queue id */
	struct pr_str host_name;   /* $j */
	struct pr_str helo;        /* $s, absent for local submission */
	struct pr_str client;      /* $_ : "name [addr]" or "user@localhost" */
	struct pr_str authenticated; /* "authenticated bits=0", or absent */
	struct pr_str secured;       /* "version=TLSv1.3 cipher=... bits=256 verify=NOT", or absent */
	struct pr_str protocol;    /* $r, absent for local submission */
	struct pr_str version;     /* $v */
	struct pr_str only_recipient; /* "for <...>", absent unless there is exactly one */
	struct pr_str sender;      /* without brackets, qualified; for From: when missing */
	struct pr_str full_name;   /* or absent */
	int64_t now;               /* unix seconds */
	int32_t zone;              /* seconds east of UTC */
	uint32_t utf8;             /* the sender may be UTF-8: mail with SMTPUTF8 (RFC 6531) */
	uint32_t add_missing;      /* Date, From, Message-Id too (0: gateway, -G) */
	const struct pr_header *templates; /* the engine's H lines with their values, in order; NULL: Received, Date, From, Message-Id as below */
	size_t template_count;
	const struct pr_header *last; /* behind all others, when no To, Cc, Bcc or Apparently-To came (NoRecipientAction) */
	size_t last_count;
};
/* With templates: those that the message lacks, a trace field (Received) always, Resent-... ones only when there is one already.
 * New list in the arena: Received first; missing Date, From, Message-Id, for which an empty field is none; then the input's fields in
 * order without Bcc (unless it is the only recipient field, then emptied), Full-Name, Return-Path, Content-Length.  A template of
 * Return-Path that is not the first keeps its place: MAIL_RETURN_PATH stands there, as in sendmail's queue files, until a mailer prints it. */
#define MAIL_RETURN_PATH " <\201g>"
enum pr_status header_complete(const struct header_facts *facts, const struct pr_header *fields, size_t count,
                               struct pr_arena *arena, struct pr_header **fields_out, size_t *count_out);
/* "Fri, 20 Nov 2026 12:32:14 GMT" / "+0100" (sendmail's form: GMT for offset 0). */
struct pr_str mail_date(struct pr_arena *arena, int64_t unix_seconds, int32_t zone);
struct pr_str mail_ctime(struct pr_arena *arena, int64_t unix_seconds, int32_t zone); /* "Fri Nov 20 12:32:14 2026" */
/* A moment as a date; month and weekday from 0 (January, Sunday). */
struct mail_time {
	uint32_t year, month, day, hour, minute, second, weekday;
};
struct mail_time mail_time_split(int64_t unix_seconds, int32_t zone);
/* Number of Received: fields. */
uint32_t header_hops(const struct pr_header *fields, size_t count);
/* Addresses of the header field `name` rewritten one by one, comments and display names kept, and the field folded anew (header_fold.h);
 * `rewrite` gets an address without brackets and returns the new one. */
typedef struct pr_str header_rewrite(void *context, struct pr_str address);
enum pr_status header_rewrite_addresses(struct pr_str name, struct pr_str value, header_rewrite *rewrite, void *context,
                                        struct pr_arena *arena, struct pr_str *value_out);
/* The addresses alone, without names and comments: `Joe <joe@example.org>` is joe@example.org. */
enum pr_status header_bare_addresses(struct pr_str name, struct pr_str value, header_rewrite *rewrite, void *context,
                                     struct pr_arena *arena, struct pr_str *value_out);
/* True for From Sender Reply-To Errors-To Resent-...; recipients: To Cc Resent-To ... */
bool header_is_sender(struct pr_str name);
bool header_is_recipient(struct pr_str name);

#endif
