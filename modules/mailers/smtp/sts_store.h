/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Policies on disk: one file for each domain, by its name, for who comes after this process.
 *
 *     V1
 *     fetched: 1790000000
 *     id: 20260101T0000
 *
 *     version: STSv1 ...
 *
 * A file is replaced in one step.  The whole directory may be removed at any time: then the next policy is the first one that was ever seen (RFC 8461
 * section 10.2 tells what that is worth to an attacker).
 */
#ifndef MODULES_MAILERS_SMTP_STS_STORE_H
#define MODULES_MAILERS_SMTP_STS_STORE_H

#include "sts_policy.h"

#include <postrider/status.h>

#define STS_FILES_MAX 50000 /* beyond that none is kept */

struct sts_stored {
	int64_t fetched;          /* unix seconds */
	char id[STS_ID_MAX + 1];
	struct pr_text *text;     /* the policy; what parse() takes */
};

/* PR_NOTFOUND: there is none, or none that can be used; text is then empty. */
enum pr_status sts_store_read(struct pr_str directory, struct pr_str domain, struct sts_stored *stored);
/* Makes the directory, but not those above it.  False, and a sentence. */
bool sts_store_write(struct pr_str directory, struct pr_str domain, const struct sts_stored *stored, struct pr_text *why);
/* Removes what has ended by then. */
void sts_store_sweep(struct pr_str directory, int64_t now);

#endif
