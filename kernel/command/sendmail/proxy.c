/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -bs: bytes from standard input to the daemon's submission socket and back, unchanged, until the daemon hangs up.
 * The daemon sees who we are by the socket; without a daemon nothing is accepted, so nothing can be lost.
 */
#include "kernel/command/sendmail/submit.h"

#include "kernel/command/sendmail/dialogue.h"
#include "kernel/command/sendmail/places.h"

#include <errno.h>
#include <poll.h>
#include <postrider/file.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

/* 1 moved some, 0 the end, -1 failed */
static int move(int from, int to, struct traced *traced, const char *side)
{
	char buffer[32768];
	ssize_t got;

	do {
		got = read(from, buffer, sizeof buffer);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (int)got;
	traced_bytes(traced, side, (struct pr_str){buffer, (size_t)got});
	return pr_write_all(to, buffer, (size_t)got) ? 1 : -1;
}

static int relay(int fd, struct traced *traced)
{
	struct pollfd watch[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};

	for (;;) {
		if (poll(watch, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return EX_OSERR;
		}
		if (watch[0].revents != 0) {
			int moved = move(fd, STDOUT_FILENO, traced, TRACED_SAID);
			if (moved <= 0)
				return moved == 0 ? EX_OK : EX_IOERR;
		}
		if (watch[1].revents != 0 && move(STDIN_FILENO, fd, traced, TRACED_HEARD) <= 0) {
			shutdown(fd, SHUT_WR);
			watch[1].fd = -1; /* what the daemon still says is for our caller */
		}
	}
}

int proxy_main(const struct arguments *arguments)
{
	struct places places;
	struct pr_text error;
	struct traced traced;
	int fd;

	pr_text_init(&error, 4096);
	int status = places_find(arguments->config, &places, &error);
	if (status != EX_OK)
		fprintf(stderr, "%s\n", error.data);
	pr_text_fini(&error);
	if (status != EX_OK)
		return status;
	if (!traced_open(&traced, arguments->trace)) {
		fprintf(stderr, "cannot open %s: %s\n", arguments->trace, strerror(errno));
		return EX_CANTCREAT;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (!dialogue_connect(places.submit_socket, &fd)) {
		printf("421 4.3.2 The mail system is not running; please try again later\r\n");
		(void)fflush(stdout);
		traced_close(&traced);
		return EX_TEMPFAIL;
	}
	struct timeval none = {0, 0};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
	status = relay(fd, &traced);
	traced_close(&traced);
	close(fd);
	return status;
}
