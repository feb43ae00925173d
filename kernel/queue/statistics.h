/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What mailstats shows: how much mail came and went, by mailer (option StatusFile).
 *
 * A message is taken: the receiver adds one to a counter in memory that it shares with the courier and the master, and that is
 * all; no system call.  Every few seconds, and at its end, the master takes what has come together and adds it to the file
 * (doc/decisions/0011).  The file is sendmail's own: its mailstats reads ours, ours reads its.
 *
 *   statistics_counters.c  the shared memory            statistics_file.c   the file
 *   statistics_names.c     numbers of mailers           statistics_cf.c     the same from a sendmail.cf
 *
 * Always true: the file is never made, only filled; one that is something else is never written to.
 */
#ifndef KERNEL_QUEUE_STATISTICS_H
#define KERNEL_QUEUE_STATISTICS_H

#include "kernel/config/config.h"

#include <postrider/status.h>

#define STATISTICS_MAILERS 25 /* rows of the file */
#define STATISTICS_NO_MAILER (-1)

enum statistics_connection { CONNECTION_FROM = 0, CONNECTION_TO = 1, CONNECTION_REJECTED = 2, CONNECTION_KINDS = 3 };
/* In the order of the file.  Of each size a message is rounded up to a KiB. */
enum statistics_kind { MESSAGES_FROM, KBYTES_FROM, MESSAGES_TO, KBYTES_TO, MESSAGES_REJECTED, MESSAGES_DISCARDED, MESSAGES_QUARANTINED,
                       STATISTICS_KINDS };

struct statistics {
	int64_t since; /* unix seconds */
	int64_t connections[CONNECTION_KINDS];
	int64_t messages[STATISTICS_KINDS][STATISTICS_MAILERS];
};

/* statistics_file.c: PR_OK; PR_NOTFOUND: there is no such file; PR_TEMPFAIL: somebody holds it, or the disk is full;
 * PR_PERMFAIL: it is not a file of statistics.  A failure is a sentence that names the file. */
enum pr_status statistics_read(const char *path, int64_t now, struct statistics *statistics_out, struct pr_text *why);
/* Adds; an empty file begins now. */
enum pr_status statistics_add(const char *path, const struct statistics *more, int64_t now, struct pr_text *why);
/* Reads and empties it in one step: nothing that was counted is lost between. */
enum pr_status statistics_take(const char *path, int64_t now, struct statistics *statistics_out, struct pr_text *why);
bool statistics_is_zero(const struct statistics *statistics);

/* statistics_counters.c.  Functions that count take NULL: nobody wants to know. */
struct statistics_counters;
/* The master's; *descriptor_out is for its children.  NULL with errno. */
struct statistics_counters *counters_new(int *descriptor_out);
/* A role's view of the same; NULL when it cannot be had. */
struct statistics_counters *counters_map(int descriptor);
void counters_free(struct statistics_counters *counters);
void counters_connection(struct statistics_counters *counters, enum statistics_connection kind);
/* STATISTICS_NO_MAILER is counted nowhere.  `size` is for FROM and TO: bytes. */
void counters_message(struct statistics_counters *counters, enum statistics_kind kind, int mailer, uint64_t size);
/* What has come together since; it starts again at 0. */
void counters_take(struct statistics_counters *counters, struct statistics *statistics_out);
/* It could not be written: it is for the next time. */
void counters_give_back(struct statistics_counters *counters, const struct statistics *statistics);

/* statistics_names.c: prog is 0, file 1; the others count from 3 as sendmail's do: those of a sendmail.cf in its order, then those
 * of postrider.conf, then those that nobody declares. */
struct statistics_names {
	struct pr_str names[STATISTICS_MAILERS]; /* absent: no such mailer */
	size_t next;
};
void statistics_names_init(struct statistics_names *names);
/* False: there is no row left for it.  The name is borrowed. */
bool statistics_names_add(struct statistics_names *names, struct pr_str name);
/* Behind those that are there already. */
void statistics_names_add_all(const struct config *config, struct statistics_names *names);
void statistics_names_of(const struct config *config, struct statistics_names *names_out);
int statistics_number(const struct statistics_names *names, struct pr_str name); /* STATISTICS_NO_MAILER: it has no row */

/* statistics_cf.c: mailers and StatusFile of a sendmail.cf; borrows from `text`.  False: this is no sendmail.cf. */
bool statistics_cf_parse(struct pr_str text, struct statistics_names *names_out, struct pr_str *file_out);

#endif
