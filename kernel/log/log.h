/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log: one failure, one line, complete.
 *
 * Lines go to syslog (facility mail), to stderr, or to a file, as the process was told; the text
 * is sendmail's: "QUEUEID: from=<a>, size=..., ...".  Everything that came from outside is escaped by the caller
 * with pr_text_add_escaped or by log_line itself (controls become \ooo), so a line is one line.
 */
#ifndef KERNEL_LOG_LOG_H
#define KERNEL_LOG_LOG_H

#include <postrider/text.h>

/* syslog's numbers; LogLevel of the option table filters by sendmail's levels in log_at(). */
enum log_priority { LOGP_ERR = 3, LOGP_WARNING = 4, LOGP_NOTICE = 5, LOGP_INFO = 6, LOGP_DEBUG = 7 };

/* target: "syslog", "stderr" or an absolute file name (opened for append, close-on-exec).  False: cannot open. */
bool log_open(const char *target, const char *identity);
void log_set_level(int level); /* sendmail's LogLevel, default 9 */
int log_level(void);
/* The queue id, or NULL for NOQUEUE-less daemon lines.  Thread-safe; at most 4 KiB a line. */
void log_line(enum log_priority priority, const char *queue_id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Only when LogLevel is at least `level`. */
void log_at(int level, enum log_priority priority, const char *queue_id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Ends the process with a report; for start-up and impossible states only. */
void log_fatal(int exit_status, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
