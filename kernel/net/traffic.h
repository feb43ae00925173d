/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is connected, and how often each came lately: one table for all receivers, in memory that the master makes (doc/decisions/0013).
 *
 * A client connects.  traffic_begin() asks whether there is room for one more session at all (MaxDaemonChildren); then traffic_enter()
 * counts it under its name: how many connections that client has (${client_connections}, MaxSessionsPerClient), how many it opened within
 * the window (${client_rate}) and how many all opened (${total_rate}).  When it goes, traffic_leave() and traffic_end() take it off.
 *
 *     a client's entry     open:  [receiver of generation 7: 3] [that of generation 8: 1] [ ] [ ] ...     the sum is what a limit sees
 *                          rate:  ten pieces of the window, used again as time goes on
 *
 * A receiver counts open connections in a column of its own.  When it is gone, however it ended, the master clears the column; what it
 * counted of the window stays.  So a reload neither resets nor doubles a limit, and nobody's connections are counted for ever.
 *
 * Always true: the size is fixed.  There are no pointers in it.  A receiver that dies with a lock leaves it to the next one (robust mutexes);
 * whatever it was doing, the entry is good or free.  The master never takes a lock.  In a full bucket the client that has no connection and
 * was away for the longest time is forgotten; where all have connections, a new one is let in and not counted.
 *
 * Names are addresses, whole ones: sendmail too counts each IPv6 address by itself.  Seconds come from the caller; any clock of the machine
 * that all processes share.
 */
#ifndef KERNEL_NET_TRAFFIC_H
#define KERNEL_NET_TRAFFIC_H

#include <postrider/text.h>

#define TRAFFIC_COLUMNS 8
#define TRAFFIC_CLIENTS 65536 /* at most; further ones are as new each time */
#define TRAFFIC_NAME_MAX 48   /* bytes of a name that count */

struct traffic;
struct net_tickets;

/* traffic.c.  The master's; *descriptor_out is for its children.  NULL with errno. */
struct traffic *traffic_new(int *descriptor_out);
/* A receiver's view of the same; NULL when it cannot be had. */
struct traffic *traffic_map(int descriptor);
void traffic_free(struct traffic *traffic);
/* Whose column this was is gone. */
void traffic_forget(struct traffic *traffic, uint32_t column);
/* One more session.  False, and nothing counted, when there are `most` in all processes (0: no limit). */
bool traffic_begin(struct traffic *traffic, uint32_t column, uint64_t most);
void traffic_end(struct traffic *traffic, uint32_t column);
uint64_t traffic_sessions(struct traffic *traffic);
/* The keys of TLS session tickets, which all receivers share as well. */
struct net_tickets *traffic_tickets(struct traffic *traffic);

struct traffic_client {
	uint32_t place;       /* for traffic_leave; 0: there was no room to count it */
	uint32_t connections; /* of this client, with this one */
	uint32_t rate, total; /* within the window, with this one */
};

/* traffic_clients.c.  The rates count it in any case.  False: this client has `most` connections already (0: no limit), this one is not among them. */
bool traffic_enter(struct traffic *traffic, uint32_t column, struct pr_str name, uint64_t most, int64_t window, int64_t now,
                   struct traffic_client *client_out);
void traffic_leave(struct traffic *traffic, uint32_t column, uint32_t place);
/* ConnectionRateThrottle: may one more come in by this listener within this second?  One that may not is not counted. */
bool traffic_may_come(struct traffic *traffic, struct pr_str listener, int64_t now, uint64_t most);
/* Failed AUTH of a client, whatever connections it came by: `more` of them now (0: it is only asked), or `less` taken back; how many there are within
 * the last TRAFFIC_FAILURES_WINDOW seconds. */
#define TRAFFIC_FAILURES_WINDOW 600
uint32_t traffic_failures(struct traffic *traffic, struct pr_str name, int64_t now, uint32_t more, uint32_t less);

#endif
