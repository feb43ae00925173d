/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS through the C library's resolver, with "no such name" and "could not ask" kept apart.
 *
 *   PR_OK        there is an answer
 *   PR_NOTFOUND  the name does not exist, or has no record of that type
 *   PR_TEMPFAIL  SERVFAIL, REFUSED, no answer in time, or an answer that makes no sense: mail waits
 *   PR_PERMFAIL  aliases (CNAME) that never end
 *
 * MX records are always asked of DNS.  Addresses and names of addresses go through getaddrinfo and getnameinfo, so that
 * /etc/hosts and nsswitch.conf count as they do for every other program - unless the Resolver option names servers:
 * then only those are asked.  "localhost" is 127.0.0.1 and ::1 in any case, and nobody is asked.
 *
 * Bounds: 50 MX records, 32 addresses, 10 aliases; names that are no host names are left out.
 */
#ifndef KERNEL_NET_DNS_H
#define KERNEL_NET_DNS_H

#include <postrider/call.h>
#include <postrider/host.h>

/* servers: "127.0.0.1:5353" items (IPv4); empty: /etc/resolv.conf.  Once per process. */
void dns_init(const struct pr_list *servers);
enum pr_status dns_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out);
enum pr_status dns_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out);
enum pr_status dns_name(struct pr_call *call, struct pr_str address, struct pr_str *name_out);

/* Records of one type; pr_host.dns_records. */
enum pr_status dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out);

#endif
