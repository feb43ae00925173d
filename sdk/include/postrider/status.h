/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The five answers.
 *
 * Everything that can fail in the handling of mail answers with one of these.
 * "Not found" and "could not look" are never confused: a map that says
 * PR_NOTFOUND makes a user unknown (5xx); one that says PR_TEMPFAIL makes the
 * mail wait (4xx).  The reason travels with the answer, see pr_fail().
 */
#ifndef POSTRIDER_STATUS_H
#define POSTRIDER_STATUS_H

enum pr_status {
	PR_OK = 0,       /* done; the outputs are filled */
	PR_NOTFOUND = 1, /* looked, and it is not there */
	PR_TEMPFAIL = 2, /* could not look or do it now; try again later */
	PR_PERMFAIL = 3, /* will never work; bounce or reject */
	PR_MISUSE = 4    /* the caller or the configuration is wrong */
};

/* "ok", "notfound", "tempfail", "permfail", "misuse"; "?" for anything else. */
const char *pr_status_name(enum pr_status status);

#endif
