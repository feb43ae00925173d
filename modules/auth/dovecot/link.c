/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A blocking Unix socket whose calls end by the socket's own limits.  A line that does not end is an error before it costs memory.
 */
#include "dovecot.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool set_limits(int fd, int64_t timeout_ms)
{
	struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

bool link_open(struct link *link, struct pr_str path, int64_t timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (path.len >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path, path.data, path.len);
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return false;
	pr_text_init(&link->input, LINK_LINE_MAX);
	link->taken = 0;
	link->is_open = 1;
	return set_limits(link->fd, timeout_ms) && connect(link->fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0;
}

void link_close(struct link *link)
{
	if (link->is_open == 0)
		return;
	close(link->fd);
	pr_text_fini(&link->input);
	link->is_open = 0;
}

bool link_send(struct link *link, struct pr_str bytes)
{
	for (size_t sent = 0; sent < bytes.len;) {
		ssize_t count = send(link->fd, bytes.data + sent, bytes.len - sent, MSG_NOSIGNAL);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		sent += (size_t)count;
	}
	return true;
}

static bool fill(struct link *link)
{
	char buffer[4096];
	ssize_t count;

	do
		count = recv(link->fd, buffer, sizeof buffer, 0);
	while (count < 0 && errno == EINTR);
	if (count == 0)
		errno = ECONNRESET;
	if (count <= 0)
		return false;
	if (pr_text_add(&link->input, buffer, (size_t)count))
		return true;
	errno = EMSGSIZE;
	return false;
}

bool link_read(struct link *link, struct pr_str *line_out)
{
	pr_text_consume(&link->input, link->taken); /* the line of before */
	link->taken = 0;
	for (;;) {
		struct pr_str all = pr_text_str(&link->input);
		size_t end = pr_str_find(all, '\n');
		if (end < all.len) {
			*line_out = pr_str_slice(all, 0, end);
			link->taken = end + 1;
			return true;
		}
		if (!fill(link))
			return false;
	}
}
