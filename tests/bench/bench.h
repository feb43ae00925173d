/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A load generator and a sink that checks every body.
 *
 * Message number N is the same bytes every time it is made, so the sink verifies by making it again: lost, doubled and
 * changed messages are told apart.  Clients and sink connections are blocking threads; no timers but TCP's.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MESSAGES_MAX 4000000

struct bench {
	int port, sink_port;      /* sink_port 0: no sink */
	int connections;
	long messages;            /* most to send */
	double seconds;           /* longest time of sending, 0: no limit */
	size_t size;              /* of a body in bytes */
	long per_connection;      /* messages per connection, 0: all on one */
	const char *domain;
	/* shared counters */
	atomic_long next;         /* next message number */
	atomic_long accepted, refused, errors;
	atomic_long delivered, doubled, changed, unknown, sink_connections;
	_Atomic uint8_t *seen;    /* 1: delivered, 2: accepted, bits */
	atomic_bool stop;
	double started, last_accepted;
	_Atomic double last_delivered;
	char *filler;             /* LF lines, with lone and leading dots */
	size_t filler_length;
	char *filler_wire;        /* CRLF, dots stuffed */
	size_t filler_wire_length;
};

double bench_now(void);
void bench_make_filler(struct bench *bench);
void *bench_client(void *bench);
/* Listens and serves in threads of its own; false when the port is taken. */
bool bench_sink_start(struct bench *bench);
int bench_connect(int port);
bool bench_write(int fd, const char *data, size_t len);

#endif
