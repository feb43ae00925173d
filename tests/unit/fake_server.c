/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plays a script step by step over a blocking socket; a step that is not as expected ends it, and stop() tells.
 * The input is read as it arrives, so that a test can count the segments a client needed.
 */
#include "tests/unit/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM 4000000

struct fake_server {
	const char *const *script;
	pthread_t thread;
	int listener, fd;
	unsigned int port, reads;
	bool good;
	char input[65536];
	size_t begin, end;
	char *data;
	size_t data_length;
	char lines[65536];
};

static bool fill(struct fake_server *server)
{
	ssize_t got = recv(server->fd, server->input, sizeof server->input, 0);

	if (got <= 0)
		return false;
	server->begin = 0;
	server->end = (size_t)got;
	server->reads++;
	return true;
}

static bool read_line(struct fake_server *server, char *line, size_t room)
{
	size_t length = 0;

	for (;;) {
		if (server->begin == server->end && !fill(server))
			return false;
		char byte = server->input[server->begin++];
		if (length + 1 < room)
			line[length++] = byte;
		line[length] = '\0';
		if (byte == '\n')
			return length >= 2 && line[length - 2] == '\r';
	}
}

static bool read_message(struct fake_server *server)
{
	size_t start = server->data_length;

	for (;;) {
		if (server->begin == server->end && !fill(server))
			return false;
		if (server->data_length == ROOM)
			return false;
		server->data[server->data_length++] = server->input[server->begin++];
		size_t length = server->data_length - start;
		const char *tail = server->data + server->data_length;
		if ((length == 3 && memcmp(tail - 3, ".\r\n", 3) == 0) || (length >= 5 && memcmp(tail - 5, "\r\n.\r\n", 5) == 0))
			return true;
	}
}

static bool send_all(struct fake_server *server, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(server->fd, data, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		data += sent;
		length -= (size_t)sent;
	}
	return true;
}

static bool flood(struct fake_server *server, size_t bytes)
{
	char line[128];

	memset(line, 'x', sizeof line);
	memcpy(line, "250-", 4);
	line[sizeof line - 2] = '\r';
	line[sizeof line - 1] = '\n';
	for (size_t sent = 0; sent < bytes; sent += sizeof line)
		if (!send_all(server, line, sizeof line))
			return true; /* the client had enough */
	return true;
}

static void hang_up(struct fake_server *server, bool reset)
{
	struct linger now = {1, 0};

	if (server->fd < 0)
		return;
	if (reset)
		setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(server->fd);
	server->fd = -1;
	server->begin = server->end = 0;
}

static bool expect(struct fake_server *server, const char *prefix)
{
	char line[4096];

	if (!read_line(server, line, sizeof line)) {
		fprintf(stderr, "fake server: no line where \"%s\" was expected\n", prefix);
		return false;
	}
	size_t used = strlen(server->lines);
	snprintf(server->lines + used, sizeof server->lines - used, "%s", line);
	if (strncmp(line, prefix, strlen(prefix)) == 0)
		return true;
	fprintf(stderr, "fake server: expected \"%s\", got \"%s\"\n", prefix, line);
	return false;
}

static bool read_bytes(struct fake_server *server, size_t count)
{
	for (; count > 0; count--) {
		if (server->begin == server->end && !fill(server))
			return false;
		server->begin++;
	}
	return true;
}

static bool play(struct fake_server *server, const char *step)
{
	switch (step[0]) {
	case '<':
		return send_all(server, step + 1, strlen(step + 1));
	case '>':
		return expect(server, step + 1);
	case '.':
		return read_message(server);
	case '#':
		return flood(server, (size_t)strtoul(step + 1, NULL, 10));
	case '~':
	case '$':
		hang_up(server, step[0] == '~');
		return true;
	case '%':
		return read_bytes(server, (size_t)strtoul(step + 1, NULL, 10));
	case 'z':
		usleep((useconds_t)strtoul(step + 1, NULL, 10) * 100000);
		return true;
	case '+':
		hang_up(server, false);
		server->fd = accept(server->listener, NULL, NULL);
		return server->fd >= 0;
	default:
		return false;
	}
}

static void *run(void *argument)
{
	struct fake_server *server = argument;

	server->fd = accept(server->listener, NULL, NULL);
	server->good = server->fd >= 0;
	for (const char *const *step = server->script; server->good && *step != NULL; step++)
		server->good = play(server, *step);
	hang_up(server, false);
	return NULL;
}

struct fake_server *fake_server_start(const char *const *script)
{
	struct fake_server *server = calloc(1, sizeof *server);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	server->data = malloc(ROOM);
	server->script = script;
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = 10}; /* a script that waits for ever fails instead */
	setsockopt(server->listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (bind(server->listener, (struct sockaddr *)&address, size) != 0 || listen(server->listener, 16) != 0 ||
	    getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
		abort();
	server->port = ntohs(address.sin_port);
	if (pthread_create(&server->thread, NULL, run, server) != 0)
		abort();
	return server;
}

unsigned int fake_server_port(const struct fake_server *server)
{
	return server->port;
}

bool fake_server_stop(struct fake_server *server)
{
	pthread_join(server->thread, NULL);
	close(server->listener);
	return server->good;
}

const char *fake_server_data(const struct fake_server *server, size_t *length_out)
{
	*length_out = server->data_length;
	return server->data;
}

const char *fake_server_lines(const struct fake_server *server)
{
	return server->lines;
}

unsigned int fake_server_reads(const struct fake_server *server)
{
	return server->reads;
}

void fake_server_free(struct fake_server *server)
{
	free(server->data);
	free(server);
}
