/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys of session tickets (RFC 5077; RFC 8446 4.6.1), in memory that all receivers share, so that a client may come back to any of them and after
 * a reload.
 *
 *     age of a key    0 ........ 1 h           1 h ........ 3 h            after that
 *                     tickets are made with it tickets are still taken    it is erased: what it protected cannot be opened any more
 *
 * Whoever finds the newest key too old makes the next one in the place of the oldest.  The keys never leave the memory; they are on no disk, and
 * a restart of the daemon begins with new ones.
 */
#ifndef KERNEL_NET_TLS_TICKETS_H
#define KERNEL_NET_TLS_TICKETS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define NET_TICKET_KEYS 3
#define NET_TICKET_SECONDS 3600 /* how long tickets are made with one key */

struct net_ticket_key {
	unsigned char name[16];   /* what a ticket says of its key */
	unsigned char cipher[32]; /* AES-256-CBC */
	unsigned char mac[32];    /* HMAC-SHA-256 */
	int64_t made;             /* second of the monotonic clock; 0: there is none here */
};

struct net_tickets {
	pthread_mutex_t lock; /* robust: a process that dies with it leaves no half a key */
	struct net_ticket_key keys[NET_TICKET_KEYS];
};

/* In zeroed memory that may be shared between processes.  False with errno. */
bool net_tickets_init(struct net_tickets *tickets);
/* The key to make tickets with.  False: the system has no random bytes. */
bool net_tickets_newest(struct net_tickets *tickets, int64_t now, struct net_ticket_key *key_out);
/* The key of a ticket that somebody shows.  False: none of ours, or too old.  *fresh_out: it is the one that tickets are made with. */
bool net_tickets_find(struct net_tickets *tickets, const unsigned char name[16], int64_t now, struct net_ticket_key *key_out, bool *fresh_out);
/* Now and then: erases what is too old, though nobody comes. */
void net_tickets_tend(struct net_tickets *tickets, int64_t now);

#endif
