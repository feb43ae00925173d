/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl tlsrpt, in two steps: what was counted on a day, domain by domain (tlsrpt.c), and a domain's report as RFC 8460 section 4.4 has it
 * (tlsrpt_json.c).  Whoever is to send reports one day finds both here, and to whom.
 */
#ifndef KERNEL_COMMAND_TLSRPT_H
#define KERNEL_COMMAND_TLSRPT_H

#include "kernel/queue/tls_record.h"

struct tlsrpt_row {
	struct tls_record record;
	uint64_t count;
};

/* All of one domain, and equal policies side by side. */
struct tlsrpt_report {
	struct pr_str day;          /* "2026-11-26" */
	struct pr_str organization; /* who reports: the name of this host */
	const struct tlsrpt_row *rows;
	size_t count;
};

bool tlsrpt_same_policy(const struct tls_record *a, const struct tls_record *b);
/* Several lines, none of them empty. */
void tlsrpt_print(const struct tlsrpt_report *report, struct pr_text *out);

/* The addresses in a domain's TXT records at _smtp._tls (RFC 8460 section 3), with commas; false: it wants no reports. */
bool tlsrpt_addresses(const struct pr_str *texts, size_t count, struct pr_str *addresses_out);

#endif
