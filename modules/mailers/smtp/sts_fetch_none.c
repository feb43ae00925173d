/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Without libcurl there is nobody to fetch a policy.
 * Who asks for MTA-STS is told so when the configuration is read, since mail that was to be protected must not go unprotected in silence.
 */
#include "sts_fetch.h"

bool sts_fetch_can(struct pr_text *why)
{
	pr_text_add_c(why, "this build has no libcurl (Debian: libcurl4-openssl-dev)");
	return false;
}

enum sts_fetched sts_fetch(const struct sts_fetch *what, struct pr_text *body, struct pr_text *why)
{
	(void)what;
	(void)body;
	sts_fetch_can(why);
	return STS_NOT_REACHED;
}
