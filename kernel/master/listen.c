/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Listening sockets are bound once and handed from generation to generation, so a reload never closes a port that both
 * generations name.  A Unix socket is bound under a temporary name and renamed over the old one: there is no moment without it.
 */
#include "kernel/master/state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static int new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool bind_inet(int fd, const struct table_listener *spec)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)spec->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)spec->port)};
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (inet_pton(AF_INET, spec->address, &v4.sin_addr) == 1)
		return bind(fd, (const struct sockaddr *)&v4, sizeof v4) == 0;
	(void)inet_pton(AF_INET6, spec->address, &v6.sin6_addr);
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	return bind(fd, (const struct sockaddr *)&v6, sizeof v6) == 0;
}

/* What the system thinks too much it cuts by itself.  Again for a socket of the generation before, which may have had others. */
static bool begin_listening(int fd, const struct table_listener *spec)
{
	const int *sizes = spec->sizes;

	if (sizes[TABLE_SEND_BUFFER] > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sizes[TABLE_SEND_BUFFER], sizeof(int));
	if (sizes[TABLE_RECEIVE_BUFFER] > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[TABLE_RECEIVE_BUFFER], sizeof(int));
	return listen(fd, sizes[TABLE_BACKLOG] > 0 ? sizes[TABLE_BACKLOG] : BACKLOG) == 0;
}

static int listen_tcp(const struct table_listener *spec, struct pr_text *why)
{
	int fd = new_socket(strchr(spec->address, ':') != NULL ? AF_INET6 : AF_INET);

	if (fd >= 0 && bind_inet(fd, spec) && begin_listening(fd, spec))
		return fd;
	pr_text_addf(why, "listener %s: cannot listen on %s port %u: %s", spec->name, spec->address, spec->port,
	             strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int listen_unix(const char *path, uint32_t mode, struct pr_text *why)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct pr_text name;
	int fd = new_socket(AF_UNIX);
	bool done = false;

	pr_text_init(&name, sizeof address.sun_path - 1);
	if (fd >= 0 && pr_text_addf(&name, "%s.n", path)) {
		memcpy(address.sun_path, name.data, name.len);
		(void)unlink(name.data);
		done = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
		       chmod(name.data, (mode_t)mode) == 0 && listen(fd, BACKLOG) == 0 && rename(name.data, path) == 0;
	} else if (fd >= 0) {
		errno = ENAMETOOLONG;
	}
	if (!done) {
		pr_text_addf(why, "cannot listen on %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	pr_text_fini(&name);
	return fd;
}

static const struct listener *find_listener(const struct generation *generation, const struct table_listener *spec)
{
	for (size_t i = 0; generation != NULL && i < generation->listener_count; i++)
		if (table_listener_equal(&generation->listeners[i].spec, spec))
			return &generation->listeners[i];
	return NULL;
}

static bool is_wanted(const struct master *master, const struct table_listener *spec)
{
	return !master->settings->queue_only || spec->submission;
}

/* Modifier O */
static void leave_out(struct generation *generation, struct pr_text *why)
{
	(void)pr_print(generation->left_out, sizeof generation->left_out, "%.*s", PR_PRINT(pr_text_str(why)));
	pr_text_clear(why);
}

bool listen_all(struct master *master, struct generation *generation, const struct generation *before, struct pr_text *why)
{
	generation->left_out[0] = '\0';
	for (size_t i = 0; i < generation->table.listener_count; i++) {
		const struct table_listener *spec = &generation->table.listeners[i];
		if (!is_wanted(master, spec))
			continue;
		const struct listener *shared = find_listener(before, spec);
		struct listener *listener = &generation->listeners[generation->listener_count];
		listener->spec = *spec;
		if (shared != NULL && spec->is_unix)
			(void)chmod(spec->path, (mode_t)spec->mode);
		listener->fd = shared != NULL  ? shared->fd
		               : spec->is_unix ? listen_unix(spec->path, spec->mode, why)
		                               : listen_tcp(spec, why);
		if (listener->fd >= 0 && (shared != NULL || spec->is_unix))
			(void)begin_listening(listener->fd, spec);
		if (listener->fd < 0 && !spec->optional)
			return false;
		if (listener->fd >= 0)
			generation->listener_count++;
		else
			leave_out(generation, why);
	}
	return true;
}

void listen_close(struct generation *generation, const struct generation *keeper)
{
	for (size_t i = 0; i < generation->listener_count; i++) {
		struct listener *listener = &generation->listeners[i];
		if (find_listener(keeper, &listener->spec) != NULL)
			continue;
		if (listener->spec.is_unix)
			(void)unlink(listener->spec.path);
		close(listener->fd);
	}
	generation->listener_count = 0;
}
