/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One message is one SOCK_SEQPACKET packet: a fixed head, then the text; at most one descriptor rides along.
 * The packet socket keeps the borders for us, so a half-written message of a killed process can never be read as a whole one.
 */
#include "kernel/net/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct channel_head {
	uint32_t kind;
	uint32_t serial;
	int64_t number;
};

union channel_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

bool channel_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;
}

static void attach_descriptor(struct msghdr *message, union channel_control *control, int fd)
{
	memset(control, 0, sizeof *control);
	message->msg_control = control->space;
	message->msg_controllen = sizeof control->space;
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
}

bool channel_send(int channel, uint32_t kind, uint32_t serial, int64_t number, struct pr_str text, int fd)
{
	struct channel_head head = {.kind = kind, .serial = serial, .number = number};
	struct iovec parts[2] = {
	    {.iov_base = &head, .iov_len = sizeof head},
	    {.iov_base = (void *)(uintptr_t)text.data, .iov_len = text.len},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = text.len > 0 ? 2 : 1};
	union channel_control control;
	ssize_t sent;

	if (text.len >= CHANNEL_TEXT_MAX) {
		errno = EMSGSIZE;
		return false;
	}
	if (fd >= 0)
		attach_descriptor(&message, &control, fd);
	do
		sent = sendmsg(channel, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent >= 0;
}

/* The first descriptor of the packet; any further one is closed, for nobody asked for it. */
static int take_descriptor(struct msghdr *message)
{
	int taken = -1;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL; head = CMSG_NXTHDR(message, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
			if (taken < 0)
				taken = fd;
			else
				close(fd);
		}
	}
	return taken;
}

static bool wait_readable(int channel, int timeout_ms)
{
	struct pollfd one = {.fd = channel, .events = POLLIN};
	int ready;

	do
		ready = poll(&one, 1, timeout_ms);
	while (ready < 0 && errno == EINTR && timeout_ms < 0);
	return ready > 0;
}

int channel_receive(int channel, struct channel_message *message, int *fd_out, int timeout_ms)
{
	struct channel_head head;
	struct iovec parts[2] = {
	    {.iov_base = &head, .iov_len = sizeof head},
	    {.iov_base = message->text, .iov_len = sizeof message->text - 1},
	};
	union channel_control control;
	struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = control.space,
	                        .msg_controllen = sizeof control.space};
	ssize_t got;

	*fd_out = -1;
	if (!wait_readable(channel, timeout_ms))
		return -1;
	do
		got = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET || errno == EPIPE ? 0 : -1;
	int fd = take_descriptor(&packet);
	if (got == 0)
		return 0;
	if ((size_t)got < sizeof head || (packet.msg_flags & MSG_TRUNC) != 0) {
		if (fd >= 0)
			close(fd);
		errno = EBADMSG;
		return -1;
	}
	message->kind = head.kind;
	message->serial = head.serial;
	message->number = head.number;
	message->length = (size_t)got - sizeof head;
	message->text[message->length] = '\0';
	*fd_out = fd;
	return 1;
}
