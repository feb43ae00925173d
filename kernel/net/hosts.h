/* SPDX-License-Identifier: BSD-2-Clause
 *
 * /etc/hosts, and what nsswitch.conf(5) says of it.
 *
 * On most servers the line is "hosts: files dns", and then the file is read here and DNS is asked by our own resolver.  On any other (mDNS,
 * NIS, systemd's) names of hosts are the C library's affair.
 */
#ifndef KERNEL_NET_HOSTS_H
#define KERNEL_NET_HOSTS_H

#include <postrider/text.h>

/* Is it first the file, then DNS, and nothing else? */
bool hosts_are_simple(void);
/* Each address of `name`; false: it is not in the file. */
bool hosts_addresses(struct pr_str name, void (*take)(void *context, const char *address), void *context);
/* The first name of `address` ("192.0.2.1", "2001:db8::1"); false: it is not there, or there is no room. */
bool hosts_name(struct pr_str address, char *name, size_t room);

#endif
