/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS through the C library's resolver, with "no such name" and "could not ask" kept apart.
 */
#ifndef KERNEL_NET_DNS_H
#define KERNEL_NET_DNS_H

#include <postrider/call.h>
#include <postrider/host.h>

/* servers: "127.0.0.1:5353" items; empty: /etc/resolv.conf.  Once per process. */
void dns_init(const struct pr_list *servers);
enum pr_status dns_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out);
enum pr_status dns_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out);
enum pr_status dns_name(struct pr_call *call, struct pr_str address, struct pr_str *name_out);

#endif
