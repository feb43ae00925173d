/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks in the configuration: whom we believe what he says of others (PROXY, XCLIENT, XFORWARD).
 *
 *   "192.0.2.0/24"   "2001:db8::/32"   "192.0.2.7"   "local": who comes by a Unix socket
 *
 * An IPv4 address is the same in the clothes of IPv6.
 */
#ifndef KERNEL_SMTP_NETWORKS_H
#define KERNEL_SMTP_NETWORKS_H

#include <postrider/text.h>

bool smtp_network_is_valid(struct pr_str text);
/* `address` as a peer's: "192.0.2.7", "IPv6:2001:db8::1", "local". */
bool smtp_networks_have(const struct pr_list *networks, struct pr_str address);

#endif
