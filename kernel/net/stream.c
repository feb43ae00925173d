/* SPDX-License-Identifier: BSD-2-Clause
 *
 * recv and send with one meaning per result, and the same calls through TLS when the stream has been secured.
 * MSG_NOSIGNAL instead of a process-wide SIGPIPE setting, because with --single other roles live in this process.
 */
#include "kernel/net/stream.h"

#include "kernel/net/tls/tls.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Most bytes thrown away when a connection is closed with input unread. */
#define UNREAD_MAX (256 * 1024)

void net_stream_init(struct net_stream *stream, int fd)
{
	stream->fd = fd;
	stream->wants = NET_WANT_READ;
	stream->tls = NULL;
}

static enum net_result failed(struct net_stream *stream, uint32_t wants)
{
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return NET_BROKEN;
	stream->wants = wants;
	return NET_AGAIN;
}

enum net_result net_stream_read(struct net_stream *stream, void *buffer, size_t room, size_t *length_out)
{
	ssize_t got;

	if (stream->tls != NULL)
		return net_tls_read(stream->tls, buffer, room, length_out, &stream->wants);
	do
		got = recv(stream->fd, buffer, room, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return failed(stream, NET_WANT_READ);
	if (got == 0)
		return NET_CLOSED;
	*length_out = (size_t)got;
	return NET_DONE;
}

enum net_result net_stream_write(struct net_stream *stream, const void *data, size_t len, size_t *length_out)
{
	ssize_t sent;

	if (stream->tls != NULL)
		return net_tls_write(stream->tls, data, len, length_out, &stream->wants);
	do
		sent = send(stream->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return failed(stream, NET_WANT_WRITE);
	*length_out = (size_t)sent;
	return NET_DONE;
}

enum net_result net_stream_flush(struct net_stream *stream, struct pr_text *text)
{
	size_t done = 0;
	enum net_result result = NET_DONE;

	while (done < text->len) {
		size_t sent = 0;
		result = net_stream_write(stream, text->data + done, text->len - done, &sent);
		if (result != NET_DONE)
			break;
		done += sent;
	}
	pr_text_consume(text, done);
	return result;
}

bool net_stream_shutdown(struct net_stream *stream, bool expected)
{
	char waste[4096];
	size_t total = 0;
	ssize_t got;

	if (stream->tls != NULL)
		net_tls_shutdown(stream->tls);
	do {
		got = recv(stream->fd, waste, sizeof waste, MSG_DONTWAIT);
		if (got > 0)
			total += (size_t)got;
	} while (got > 0 && total < UNREAD_MAX);
	if ((total == 0 && expected) || got == 0)
		return false; /* close() sends the FIN */
	shutdown(stream->fd, SHUT_WR);
	return true;
}

void net_stream_close(struct net_stream *stream)
{
	net_tls_free(stream->tls);
	stream->tls = NULL;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}
