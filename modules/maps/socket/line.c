/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Non-blocking sockets and poll, so that a silent server costs the map's time and no more.
 * The length in front is judged before memory is asked for.
 */
#include "line.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct endpoint {
	int family;
	struct pr_str path, port, host;
};

static const struct {
	const char *prefix;
	int family;
} kinds[] = { { "unix:", AF_UNIX }, { "local:", AF_UNIX }, { "inet6:", AF_INET6 }, { "inet:", AF_INET } };

static bool parse(struct pr_str text, struct endpoint *end)
{
	*end = (struct endpoint){ .family = AF_UNIX, .path = text };
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (pr_str_has_prefix_nocase(text, pr_str(kinds[i].prefix))) {
			end->family = kinds[i].family;
			end->path = pr_str_slice(text, strlen(kinds[i].prefix), text.len);
			break;
		}
	size_t at = pr_str_find(end->path, '@');
	end->port = pr_str_slice(end->path, 0, at);
	end->host = pr_str_slice(end->path, at + 1, end->path.len);
	if (end->family == AF_UNIX)
		return end->path.len > 0 && end->path.data[0] == '/' && end->path.len < sizeof ((struct sockaddr_un *)0)->sun_path;
	return end->port.len > 0 && end->port.len < 32 && at < end->path.len && end->host.len > 0 && end->host.len < 256;
}

bool line_is_endpoint(struct pr_str text)
{
	struct endpoint end;

	return parse(text, &end);
}

void line_close(struct line *line)
{
	if (line->fd >= 0)
		close(line->fd);
	line->fd = -1;
}

static bool wait_for(const struct line *line, short events)
{
	struct pollfd wait = { .fd = line->fd, .events = events };
	struct timespec now;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		int64_t left = line->until_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
		int ready = left <= 0 ? 0 : poll(&wait, 1, (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno == EINTR)
			continue;
		errno = ready == 0 ? ETIMEDOUT : errno;
		return false;
	}
}

static bool try_address(struct line *line, const struct sockaddr *address, socklen_t length)
{
	int error = 0;
	socklen_t size = sizeof error;

	line->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->fd < 0)
		return false;
	if (connect(line->fd, address, length) == 0)
		return true;
	error = errno;
	if ((error == EINPROGRESS || error == EINTR) && wait_for(line, POLLOUT) && getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
	    error == 0)
		return true;
	if (error == EINPROGRESS)
		error = errno;
	line_close(line);
	errno = error;
	return false;
}

static bool connect_path(struct line *line, struct pr_str path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path.data, path.len);
	return try_address(line, (const struct sockaddr *)(const void *)&address, sizeof address);
}

static bool connect_host(struct line *line, const struct endpoint *end)
{
	struct addrinfo hints = { .ai_family = end->family, .ai_socktype = SOCK_STREAM }, *list = NULL;
	char *host = pr_copy_str(end->host), *port = pr_copy_str(end->port);
	bool good = false;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		errno = EHOSTUNREACH;
	for (const struct addrinfo *item = list; !good && item != NULL; item = item->ai_next)
		good = try_address(line, item->ai_addr, item->ai_addrlen);
	int error = errno;
	if (list != NULL)
		freeaddrinfo(list);
	pr_free(host);
	pr_free(port);
	errno = error;
	return good;
}

bool line_connect(struct line *line, struct pr_str text)
{
	struct endpoint end;

	if (parse(text, &end))
		return end.family == AF_UNIX ? connect_path(line, end.path) : connect_host(line, &end);
	errno = EINVAL;
	return false;
}

bool line_send(struct line *line, struct pr_str bytes)
{
	while (bytes.len > 0) {
		ssize_t sent = send(line->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN && wait_for(line, POLLOUT))
			continue;
		if (sent < 0)
			return false;
		bytes = pr_str_slice(bytes, (size_t)sent, bytes.len);
	}
	return true;
}

/* Reads exactly this much; a server that closes is ECONNRESET. */
static bool read_exactly(const struct line *line, char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t got = recv(line->fd, bytes, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN && wait_for(line, POLLIN))
			continue;
		if (got == 0)
			errno = ECONNRESET;
		if (got <= 0)
			return false;
		bytes += got;
		length -= (size_t)got;
	}
	return true;
}

static bool protocol_error(void)
{
	errno = EPROTO;
	return false;
}

static bool read_length(const struct line *line, size_t *length_out)
{
	size_t length = 0;
	char byte = '\0';

	for (int digits = 0; digits <= 6; digits++) {
		if (!read_exactly(line, &byte, 1))
			return false;
		if (byte == ':' && digits > 0) {
			*length_out = length;
			return length <= LINE_ANSWER_MAX || protocol_error();
		}
		if (byte < '0' || byte > '9')
			break;
		length = length * 10 + (size_t)(byte - '0');
	}
	return protocol_error();
}

bool line_receive(struct line *line, struct pr_text *out)
{
	size_t length = 0;
	char comma = '\0';

	if (!read_length(line, &length))
		return false;
	char *bytes = pr_alloc(length + 1);
	bool good = read_exactly(line, bytes, length) && read_exactly(line, &comma, 1);
	if (good && (comma != ',' || !pr_text_add(out, bytes, length)))
		good = protocol_error();
	int error = errno;
	pr_free(bytes);
	errno = error;
	return good;
}
