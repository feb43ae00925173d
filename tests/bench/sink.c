/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The next host: takes everything, undoes dot-stuffing, and compares each body with the one that was sent.
 */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct session {
	struct bench *bench;
	int fd;
	bool in_data, in_body;
	long number;          /* of the message that is coming, -1 unknown */
	size_t position;      /* in the filler */
	bool differs;
	size_t out_used;
	char out[4096];
};

static void say(struct session *session, const char *text)
{
	size_t len = strlen(text);

	if (session->out_used + len <= sizeof session->out) {
		memcpy(session->out + session->out_used, text, len);
		session->out_used += len;
	}
}

static bool flush(struct session *session)
{
	size_t len = session->out_used;

	session->out_used = 0;
	return len == 0 || bench_write(session->fd, session->out, len);
}

static void message_end(struct session *session)
{
	struct bench *bench = session->bench;

	if (session->number < 0 || session->number >= bench->messages) {
		bench->unknown++;
	} else if (session->differs || session->position != bench->filler_length) {
		bench->changed++;
	} else {
		uint8_t before = atomic_fetch_or(&bench->seen[session->number], 1);
		if ((before & 1) != 0)
			bench->doubled++;
		else
			bench->delivered++;
	}
	bench->last_delivered = bench_now();
	session->in_data = false;
	say(session, "250 2.0.0 taken\r\n");
}

static void data_line(struct session *session, const char *line, size_t len)
{
	const struct bench *bench = session->bench;

	if (len == 1 && line[0] == '.') {
		message_end(session);
		return;
	}
	if (len > 0 && line[0] == '.') {
		line++;
		len--;
	}
	if (!session->in_body) {
		if (len == 0)
			session->in_body = true;
		else if (len > 9 && memcmp(line, "X-Bench: ", 9) == 0)
			session->number = strtol(line + 9, NULL, 10);
		return;
	}
	if (session->position + len + 1 > bench->filler_length || memcmp(bench->filler + session->position, line, len) != 0 ||
	    bench->filler[session->position + len] != '\n')
		session->differs = true;
	session->position += len + 1;
}

static bool command_line(struct session *session, const char *line, size_t len)
{
	if (len >= 4 && strncasecmp(line, "EHLO", 4) == 0) {
		say(session, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n");
	} else if (len >= 4 && strncasecmp(line, "DATA", 4) == 0) {
		session->in_data = true;
		session->in_body = false;
		session->differs = false;
		session->position = 0;
		session->number = -1;
		say(session, "354 go\r\n");
	} else if (len >= 4 && strncasecmp(line, "QUIT", 4) == 0) {
		say(session, "221 bye\r\n");
		flush(session);
		return false;
	} else {
		say(session, "250 2.0.0 ok\r\n");
	}
	return true;
}

static bool line_came(struct session *session, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	else if (session->in_data)
		session->differs = true;
	if (!session->in_data)
		return command_line(session, line, len);
	data_line(session, line, len);
	return true;
}

static void *serve(void *argument)
{
	struct session *session = argument;
	size_t room = 262144, used = 0;
	char *buffer = malloc(room);

	say(session, "220 sink ESMTP\r\n");
	while (buffer != NULL && flush(session)) {
		ssize_t got = recv(session->fd, buffer + used, room - used, 0);
		size_t from = 0;
		char *end;
		if (got <= 0)
			break;
		used += (size_t)got;
		bool go_on = true;
		while (go_on && (end = memchr(buffer + from, '\n', used - from)) != NULL) {
			go_on = line_came(session, buffer + from, (size_t)(end - buffer) - from);
			from = (size_t)(end - buffer) + 1;
		}
		memmove(buffer, buffer + from, used - from);
		used -= from;
		if (!go_on || used == room)
			break;
	}
	free(buffer);
	close(session->fd);
	free(session);
	return NULL;
}

static void *accept_loop(void *argument)
{
	struct bench *bench = ((struct session *)argument)->bench;
	int listener = ((struct session *)argument)->fd;

	free(argument);
	while (!bench->stop) {
		int on = 1;
		pthread_t thread;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		struct session *session = calloc(1, sizeof *session);
		session->bench = bench;
		session->fd = fd;
		bench->sink_connections++;
		if (pthread_create(&thread, NULL, serve, session) == 0)
			pthread_detach(thread);
	}
	return NULL;
}

bool bench_sink_start(struct bench *bench)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench->sink_port)};
	struct session *start = calloc(1, sizeof *start);
	pthread_t thread;
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	start->bench = bench;
	start->fd = fd;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1024) == 0 &&
	    pthread_create(&thread, NULL, accept_loop, start) == 0) {
		pthread_detach(thread);
		return true;
	}
	free(start);
	return false;
}
