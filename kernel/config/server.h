/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An item of the Resolver option: "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353".
 */
#ifndef KERNEL_CONFIG_SERVER_H
#define KERNEL_CONFIG_SERVER_H

#include <postrider/text.h>

/* address: room for INET6_ADDRSTRLEN bytes.  False: it is none. */
bool config_server_parse(struct pr_str item, char *address, uint32_t *port_out);

#endif
