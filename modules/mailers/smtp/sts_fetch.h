/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One policy by HTTPS (RFC 8461 section 3.3), as far as this build can: with libcurl (sts_fetch_curl.c), or not at all (sts_fetch_none.c).
 *
 * It blocks, in the thread of the delivery that needs it, for at most as long as is said; nothing is followed that leads elsewhere, and no more than a
 * policy's bytes are taken.
 */
#ifndef MODULES_MAILERS_SMTP_STS_FETCH_H
#define MODULES_MAILERS_SMTP_STS_FETCH_H

#include <postrider/text.h>

struct sts_fetch {
	struct pr_str host;         /* "mta-sts.example.org": whose certificate it must be, by an authority of ca_file or ca_path */
	uint32_t port;
	uint32_t reserved;
	struct pr_list addresses;   /* of the host, in the order in which they are tried */
	struct pr_str ca_file, ca_path;
	int64_t milliseconds;
};

enum sts_fetched {
	STS_FETCHED,       /* here is what it said */
	STS_NOT_REACHED,   /* "sts-policy-fetch-error" (RFC 8460 section 4.3.2.2) */
	STS_NOT_TRUSTED    /* "sts-webpki-invalid": its certificate */
};

/* False, and a sentence: this process cannot. */
bool sts_fetch_can(struct pr_text *why);
enum sts_fetched sts_fetch(const struct sts_fetch *what, struct pr_text *body, struct pr_text *why);

#endif
