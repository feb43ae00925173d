/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread is one lock-step SMTP client, as smtp-source of Postfix is: every reply is awaited.  A message leaves in
 * one writev, so the client costs little beside the server that is measured.
 */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct link {
	int fd;
	size_t used;
	char buffer[4096];
};

int bench_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct timeval patience = {.tv_sec = 30};
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool bench_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t done = send(fd, data, len, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
		data += done;
		len -= (size_t)done;
	}
	return true;
}

/* The code of the next complete reply, or 0. */
static int reply(struct link *link)
{
	for (;;) {
		char *end;
		while ((end = memchr(link->buffer, '\n', link->used)) != NULL) {
			size_t line = (size_t)(end - link->buffer) + 1;
			bool last = line < 4 || link->buffer[3] != '-';
			int code = line < 4 ? 0
			    : (link->buffer[0] - '0') * 100 + (link->buffer[1] - '0') * 10 + (link->buffer[2] - '0');
			memmove(link->buffer, link->buffer + line, link->used - line);
			link->used -= line;
			if (last)
				return code;
		}
		if (link->used == sizeof link->buffer)
			return 0;
		ssize_t got = recv(link->fd, link->buffer + link->used, sizeof link->buffer - link->used, 0);
		if (got <= 0)
			return 0;
		link->used += (size_t)got;
	}
}

static int command(struct link *link, const char *text)
{
	return bench_write(link->fd, text, strlen(text)) ? reply(link) : 0;
}

static bool open_link(struct bench *bench, struct link *link)
{
	link->used = 0;
	link->fd = bench_connect(bench->port);
	if (link->fd < 0)
		return false;
	if (reply(link) == 220 && command(link, "EHLO bench.example\r\n") == 250)
		return true;
	close(link->fd);
	link->fd = -1;
	return false;
}

/* 250 and it counts, 0 lost the connection, anything else refused. */
static int send_message(struct bench *bench, struct link *link, long number)
{
	char text[512];
	int code;

	code = command(link, "MAIL FROM:<sender@bench.example>\r\n");
	if (code != 250)
		return code;
	snprintf(text, sizeof text, "RCPT TO:<r%ld@%s>\r\n", number, bench->domain);
	code = command(link, text);
	if (code != 250)
		return code;
	code = command(link, "DATA\r\n");
	if (code != 354)
		return code == 250 ? 0 : code;
	int head = snprintf(text, sizeof text,
	    "From: <sender@bench.example>\r\nTo: <r%ld@%s>\r\nSubject: bench\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
	    "Message-Id: <%ld@bench.example>\r\nX-Bench: %ld\r\n\r\n",
	    number, bench->domain, number, number);
	struct iovec parts[] = {{text, (size_t)head}, {bench->filler_wire, bench->filler_wire_length}, {(char *)(uintptr_t)".\r\n", 3}};
	size_t total = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len;
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
	ssize_t done = sendmsg(link->fd, &message, MSG_NOSIGNAL);
	for (size_t i = 0, skipped = 0; done >= 0 && (size_t)done < total && i < 3; i++) {
		size_t from = (size_t)done > skipped ? (size_t)done - skipped : 0;
		if (from < parts[i].iov_len &&
		    !bench_write(link->fd, (const char *)parts[i].iov_base + from, parts[i].iov_len - from))
			return 0;
		skipped += parts[i].iov_len;
	}
	return done < 0 ? 0 : reply(link);
}

static void count(struct bench *bench, long number, int code)
{
	if (code == 250) {
		bench->accepted++;
		bench->seen[number] |= 2;
		bench->last_accepted = bench_now();
	} else if (code == 0) {
		bench->errors++;
	} else {
		bench->refused++;
	}
}

void *bench_client(void *argument)
{
	struct bench *bench = argument;
	struct link link = {.fd = -1};
	long on_this = 0;

	while (!bench->stop && (bench->seconds <= 0 || bench_now() - bench->started < bench->seconds)) {
		if (link.fd < 0 && !open_link(bench, &link)) {
			bench->errors++;
			usleep(20000);
			continue;
		}
		long number = bench->next++;
		if (number >= bench->messages)
			break;
		int code = send_message(bench, &link, number);
		count(bench, number, code);
		on_this++;
		if (code == 0 || (bench->per_connection > 0 && on_this >= bench->per_connection)) {
			if (code != 0)
				command(&link, "QUIT\r\n");
			close(link.fd);
			link.fd = -1;
			on_this = 0;
		} else if (code != 250) {
			command(&link, "RSET\r\n");
		}
	}
	if (link.fd >= 0) {
		command(&link, "QUIT\r\n");
		close(link.fd);
	}
	return NULL;
}
