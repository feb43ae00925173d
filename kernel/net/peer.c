/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The address of accept() and SO_PEERCRED turned into text once, at accept.  An IPv4 client of a dual-stack socket is written as
 * IPv4, because access tables name it that way.
 */
#include "kernel/net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union peer_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_storage room;
};

static bool get_credentials(int fd, struct net_peer *peer)
{
	struct ucred who;
	socklen_t len = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	peer->uid = (uint32_t)who.uid;
	peer->local = 1;
	snprintf(peer->address, sizeof peer->address, "local");
	return true;
}

static void print_six(const struct sockaddr_in6 *six, struct net_peer *peer)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, peer->address, sizeof peer->address);
		return;
	}
	inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
	snprintf(peer->address, sizeof peer->address, "IPv6:%s", text);
}

bool net_peer_of(int fd, const struct sockaddr_storage *storage, struct net_peer *peer_out)
{
	struct net_peer peer = {.uid = UINT32_MAX};
	union peer_address from = {.room = *storage};

	if (from.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &from.four.sin_addr, peer.address, sizeof peer.address);
		peer.port = ntohs(from.four.sin_port);
	} else if (from.any.sa_family == AF_INET6) {
		print_six(&from.six, &peer);
		peer.port = ntohs(from.six.sin6_port);
	} else if (!get_credentials(fd, &peer)) {
		return false;
	}
	*peer_out = peer;
	return true;
}

struct pr_str net_address_plain(struct pr_str address)
{
	return pr_str_has_prefix_nocase(address, PR_STR("IPv6:")) ? pr_str_slice(address, 5, address.len) : address;
}

void net_no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}
