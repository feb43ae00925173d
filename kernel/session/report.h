/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The receiver's log lines, in sendmail's words.
 */
#ifndef KERNEL_SESSION_REPORT_H
#define KERNEL_SESSION_REPORT_H

#include "kernel/session/transaction.h"

/* "from=<a>, size=, class=, nrcpts=, msgid=, proto=, daemon=, relay=" of one stored part. */
void report_received(struct session *session, struct bench *bench, const struct part *part);
/* The same for a message that ended with nothing accepted. */
void report_nothing(struct session *session, struct bench *bench);
/* VRFY, EXPN, ETRN. */
void report_asked(struct session *session, struct bench *bench, const char *verb, struct pr_str argument);
/* With all arguments of the set: arg1=, arg2=. */
void report_rejected_by(struct session *session, struct bench *bench, struct pr_str ruleset, const struct pr_list *arguments,
    const struct pr_verdict *verdict);
/* "ruleset=check_rcpt, arg1=<a>, relay=..., reject=550 5.7.1 <a>... Relaying denied" */
void report_rejected(struct session *session, struct bench *bench, const char *ruleset, struct pr_str argument,
                     const struct pr_verdict *verdict);
/* "Milter (NAME): to=<a>, reject=..." */
void report_filter(struct session *session, struct bench *bench, struct pr_str filter, const char *hook,
                   struct pr_str argument, const struct pr_verdict *verdict);
/* A failure that the client sees as 4xx only. */
/* The queue takes nothing: of many in a row one line a minute says so. */
void report_no_room(const struct session *session, struct pr_str reason);
/* It took a message and could not write it: the same. */
void report_not_written(const struct session *session, struct pr_str reason);
/* An auth module that cannot say what it offers; at most once a minute. */
void report_no_auth(const struct session *session, struct pr_str reason);
void report_room(const struct session *session); /* it does */
void report_failure(const struct session *session, const char *what, struct pr_str reason);
/* XCLIENT: by whom, for whom; one for each enum smtp_attribute */
void report_introduced(struct session *session, struct bench *bench, const struct pr_str *said);

#endif
