/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connected, non-blocking socket as a stream of bytes, with or without TLS.
 *
 * The owner reads and writes until NET_AGAIN, then waits for what net_stream_wants() says (a TLS write may have to
 * wait for readability, and the other way round) and calls again.  Nothing in here blocks or logs.
 */
#ifndef KERNEL_NET_STREAM_H
#define KERNEL_NET_STREAM_H

#include <postrider/text.h>

#include <sys/types.h>

struct net_tls; /* one TLS connection, kernel/net/tls/tls.h */

struct net_stream {
	int fd;              /* -1: none */
	uint32_t wants;      /* NET_WANT_...: what the last NET_AGAIN waits for */
	struct net_tls *tls; /* NULL: plain */
};

enum net_result {
	NET_DONE = 0,   /* something moved */
	NET_AGAIN = 1,  /* would block */
	NET_CLOSED = 2, /* the peer has closed its side in good order */
	NET_BROKEN = 3  /* errno says why */
};

enum { NET_WANT_READ = 1, NET_WANT_WRITE = 2 };

void net_stream_init(struct net_stream *stream, int fd);
/* Up to `room` bytes; *length_out only with NET_DONE, and then at least 1. */
enum net_result net_stream_read(struct net_stream *stream, void *buffer, size_t room, size_t *length_out);
/* May take less than `len`. */
enum net_result net_stream_write(struct net_stream *stream, const void *data, size_t len, size_t *length_out);
/* Writes what `text` holds and consumes it; NET_DONE when it is empty. */
enum net_result net_stream_flush(struct net_stream *stream, struct pr_text *text);
/* Says goodbye (TLS close_notify).  True when bytes of the peer lie unread, or - when he does not `expect` the end - may come
 * yet: a plain close would then be a reset that may destroy our last reply on its way, so the FIN is sent and the owner should wait for the
 * peer's close for a moment. */
bool net_stream_shutdown(struct net_stream *stream, bool expected);
void net_stream_close(struct net_stream *stream);

#endif
