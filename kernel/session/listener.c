/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the socket for its own address.  A Unix socket was bound under the name with ".n" and then renamed (kernel/master/listen.c), and
 * remembers the first.
 */
#include "kernel/session/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

union place {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un path;
	struct sockaddr_storage room;
};

static bool is_inet(const struct config_listener *declared, int family, const void *address, size_t size, uint16_t port)
{
	unsigned char binary[16];

	return declared->address.data != NULL && declared->port == ntohs(port) && inet_pton(family, declared->address.data, binary) == 1 &&
	       memcmp(binary, address, size) == 0;
}

static bool is_at(const struct config_listener *declared, const union place *place)
{
	if (place->any.sa_family == AF_INET)
		return is_inet(declared, AF_INET, &place->four.sin_addr, sizeof place->four.sin_addr, place->four.sin_port);
	if (place->any.sa_family == AF_INET6)
		return is_inet(declared, AF_INET6, &place->six.sin6_addr, sizeof place->six.sin6_addr, place->six.sin6_port);
	struct pr_str path = pr_str(place->path.sun_path);
	if (pr_str_has_suffix_nocase(path, PR_STR(".n")))
		path.len -= 2;
	return place->any.sa_family == AF_UNIX && pr_str_equal(declared->path, path);
}

const struct config_listener *listener_declared(const struct config *config, struct pr_str name, int fd)
{
	union place place = {.room = {0}};
	socklen_t length = sizeof place;

	if (getsockname(fd, &place.any, &length) != 0)
		return NULL;
	for (size_t i = 0; i < config->listener_count; i++)
		if (pr_str_equal(config->listeners[i].name, name) && is_at(&config->listeners[i], &place))
			return &config->listeners[i];
	return NULL;
}
