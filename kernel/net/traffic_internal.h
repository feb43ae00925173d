/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table itself, as its two files see it: buckets of a few entries each, and locks that many buckets share.
 */
#ifndef KERNEL_NET_TRAFFIC_INTERNAL_H
#define KERNEL_NET_TRAFFIC_INTERNAL_H

#include "kernel/net/tls/tickets.h"
#include "kernel/net/traffic.h"

#include <pthread.h>
#include <stdatomic.h>

#define TRAFFIC_WAYS 16u
#define TRAFFIC_BUCKETS (TRAFFIC_CLIENTS / TRAFFIC_WAYS)
#define TRAFFIC_LOCKS 64u
#define TRAFFIC_PIECES 10

/* Counts of pieces of time; only the ten up to `piece` are there. */
struct traffic_rate {
	int64_t window; /* the piece's length times ten, in seconds; another one begins anew */
	int64_t piece;  /* number of the latest */
	uint32_t count[TRAFFIC_PIECES];
};

struct traffic_entry {
	_Atomic uint32_t length; /* of the name; 0: free.  Written last */
	_Atomic uint32_t open[TRAFFIC_COLUMNS]; /* without the lock: taken off, and cleared by the master */
	char name[TRAFFIC_NAME_MAX];
	int64_t last; /* second of the latest connection */
	struct traffic_rate rate;
};

struct traffic {
	uint64_t seed; /* nobody outside can choose names that meet in one bucket */
	pthread_mutex_t locks[TRAFFIC_LOCKS]; /* bucket i: lock i modulo that */
	pthread_mutex_t all_lock;
	struct traffic_rate all;
	_Atomic uint32_t sessions[TRAFFIC_COLUMNS];
	_Atomic uint8_t used[TRAFFIC_BUCKETS]; /* 1: it had an entry once.  The others are looked at by nobody, so they have no memory yet */
	struct traffic_entry entries[TRAFFIC_CLIENTS];
	struct net_tickets tickets;
};

#endif
