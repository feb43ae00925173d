/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS, with "no such name" and "could not ask" kept apart.  dns_ask.h: who it is that asks.
 *
 *   PR_OK        there is an answer
 *   PR_NOTFOUND  the name does not exist, or has no record of that type
 *   PR_TEMPFAIL  SERVFAIL, REFUSED, no answer in time, an answer that makes no sense or that DNSSEC proves false: mail waits
 *   PR_PERMFAIL  aliases (CNAME) that never end
 *
 * MX records are always asked of DNS.  Addresses and names of addresses are looked for as nsswitch.conf(5) says it, so that /etc/hosts counts
 * as it does for every other program - unless the Resolver option names servers: then only those are asked.  "localhost" is 127.0.0.1 and ::1
 * in any case, and nobody is asked.
 *
 * With a trust anchor (RFC 4033) every answer is secure - proven -, insecure - its zone is not signed, and that is proven -, or bogus, which is a
 * failure.  Without one, all are insecure.
 *
 * Bounds: 50 MX records, 32 addresses, 10 aliases; names that are no host names are left out.
 */
#ifndef KERNEL_NET_DNS_H
#define KERNEL_NET_DNS_H

#include <postrider/call.h>
#include <postrider/host.h>
#include <postrider/text.h>

#define DNS_SERVERS_MAX 8

struct dns_settings {
	char servers[DNS_SERVERS_MAX][64]; /* "192.0.2.53@5353"; none: those of /etc/resolv.conf */
	size_t server_count;
	struct pr_str anchors;             /* a file of DS or DNSKEY records, as text; empty: DNSSEC is no matter */
};

/* servers: items of the Resolver option; anchors: TrustAnchorFile.  Once per process, both stay until its end.  False, with a sentence. */
bool dns_init(const struct pr_list *servers, struct pr_str anchors, struct pr_text *why);
/* Are answers proven? */
bool dns_is_validating(void);
enum pr_status dns_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out);
enum pr_status dns_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out);
enum pr_status dns_name(struct pr_call *call, struct pr_str address, struct pr_str *name_out);

/* Records of one type; pr_host.dns_records. */
enum pr_status dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out);

#endif
