/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the maps dns and bestmx share: questions with a time limit, and values of one or many records.
 */
#ifndef MODULES_MAPS_DNS_RECORDS_H
#define MODULES_MAPS_DNS_RECORDS_H

#include <postrider/mapflags.h>

enum { RECORD_A = 1, RECORD_NS = 2, RECORD_CNAME = 5, RECORD_PTR = 12, RECORD_MX = 15, RECORD_TXT = 16, RECORD_AFSDB = 18, RECORD_AAAA = 28,
       RECORD_SRV = 33 };

struct records_map {
	struct pr_map_flags flags;
	struct pr_str separator;  /* -z; absent: the first record only */
	struct pr_str type_name, base;
	int64_t timeout, retries; /* -d, -r; how often is the resolver's affair */
	int64_t most;             /* -Z: this many records at most; 0: all */
	uint32_t type;
};

enum pr_status records_ask(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out);
/* One value of `count` texts; bytes that are not printable ASCII become X, because anybody may have put them into DNS. */
struct pr_str records_join(struct pr_call *call, const struct pr_str *texts, size_t count);

#endif
