/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is at the other end of a socket, and the few socket options we set.
 */
#ifndef KERNEL_NET_PEER_H
#define KERNEL_NET_PEER_H

#include <postrider/text.h>
#include <sys/socket.h>

#define NET_ADDRESS_MAX 64 /* "IPv6:" and the longest textual address */

struct net_peer {
	char address[NET_ADDRESS_MAX]; /* "192.0.2.1", "IPv6:2001:db8::1", "local" */
	uint32_t port;
	uint32_t uid;   /* Unix sockets: SO_PEERCRED; else 0xffffffff */
	uint32_t local; /* 1: a Unix socket */
};

/* From what accept() said; false when the kernel does not know who it is. */
bool net_peer_of(int fd, const struct sockaddr_storage *from, struct net_peer *peer_out);
/* The address as the C library and DNS write it: without "IPv6:". */
struct pr_str net_address_plain(struct pr_str address);
/* One write, one segment: replies go out at once.  On a listening socket: for those it accepts. */
void net_no_delay(int fd);

#endif
