/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data transparency (RFC 5321 4.5.2) over a buffer: every LF of the message becomes CR LF, a dot at a line's start is
 * doubled. The message holds no CR at all by then, so nothing in it can look like the end.
 */
#include "kernel/command/sendmail/dialogue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTLET_ROOM 65536u

void outlet_init(struct outlet *outlet, int fd)
{
	*outlet = (struct outlet){.fd = fd, .line_start = true};
	pr_text_init(&outlet->buffer, OUTLET_ROOM);
}

/* A daemon that hangs up must not kill us by a signal: send() first, write() for what is no socket. */
static ssize_t write_some(int fd, const char *data, size_t len)
{
	ssize_t put = send(fd, data, len, MSG_NOSIGNAL);

	return put < 0 && errno == ENOTSOCK ? write(fd, data, len) : put;
}

bool outlet_flush(struct outlet *outlet)
{
	size_t at = 0;

	while (!outlet->failed && at < outlet->buffer.len) {
		ssize_t put = write_some(outlet->fd, outlet->buffer.data + at, outlet->buffer.len - at);
		if (put > 0)
			at += (size_t)put;
		else if (put == 0 || errno != EINTR)
			outlet->failed = true;
	}
	pr_text_clear(&outlet->buffer);
	return !outlet->failed;
}

bool outlet_fini(struct outlet *outlet)
{
	bool good = outlet_flush(outlet);

	pr_text_fini(&outlet->buffer);
	return good;
}

static void add(struct outlet *outlet, const char *data, size_t len)
{
	while (len > 0 && !outlet->failed) {
		size_t piece = len < OUTLET_ROOM / 2 ? len : OUTLET_ROOM / 2;
		if (outlet->buffer.len + piece > OUTLET_ROOM)
			outlet_flush(outlet);
		pr_text_add(&outlet->buffer, data, piece);
		data += piece;
		len -= piece;
	}
}

void outlet_line(struct outlet *outlet, struct pr_str line)
{
	add(outlet, line.data, line.len);
	add(outlet, "\r\n", 2);
}

static bool add_data(void *context, const char *data, size_t len)
{
	struct outlet *outlet = context;
	struct pr_str rest = {data, len};

	while (rest.len > 0) {
		size_t end = pr_str_find(rest, '\n');
		if (outlet->line_start && !outlet->plain && rest.data[0] == '.')
			add(outlet, ".", 1);
		if (outlet->line_start && outlet->plain && pr_str_has_prefix_nocase(rest, PR_STR("From ")))
			add(outlet, ">", 1);
		add(outlet, rest.data, end);
		outlet->line_start = end < rest.len;
		if (outlet->line_start)
			add(outlet, outlet->plain ? "\n" : "\r\n", outlet->plain ? 1 : 2);
		rest = pr_str_slice(rest, end < rest.len ? end + 1 : end, rest.len);
	}
	return !outlet->failed;
}

void outlet_message(struct outlet *outlet, const struct message *message)
{
	outlet->line_start = true;
	add_data(outlet, message->header.data, message->header.len);
	add_data(outlet, "\n", 1);
	if (!spool_replay(&message->body, add_data, outlet))
		outlet->failed = true;
}
