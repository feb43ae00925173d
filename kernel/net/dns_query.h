/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One question to DNS, and its answer as a list of records with aliases already followed.
 */
#ifndef KERNEL_NET_DNS_QUERY_H
#define KERNEL_NET_DNS_QUERY_H

#include "kernel/net/dns.h"

#define DNS_NAME_MAX 256
#define DNS_RECORDS_MAX 50
#define DNS_ALIASES_MAX 10
#define DNS_TEXT_MAX 512
#define DNS_TYPE_TLSA 52

struct dns_record {
	uint32_t preference;      /* MX, SRV, AFSDB */
	uint32_t ttl;
	uint32_t data_len;        /* A, AAAA */
	unsigned char data[16];
	const unsigned char *rdata; /* TLSA: all of it, in the thread's packet */
	size_t rdata_len;
	char name[DNS_NAME_MAX];  /* MX, PTR, CNAME, NS, SRV, AFSDB; "" for the root */
	char text[DNS_TEXT_MAX];  /* TXT, its strings in one, cut when longer */
};

struct dns_answer {
	size_t count;
	bool secure;              /* proven by DNSSEC, with every alias on the way */
	char owner[DNS_NAME_MAX]; /* where the aliases led: whose records these are */
	struct dns_record records[DNS_RECORDS_MAX];
};

/* type: ns_t_mx ...  The answer is the thread's and stays until its next question. */
enum pr_status dns_query(struct pr_call *call, struct pr_str name, int type, const struct dns_answer **answer_out);

#endif
