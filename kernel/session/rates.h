/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many connections each client address has opened lately: ${client_rate} and, for all of them, ${total_rate}.
 *
 * The window (ConnectionRateWindowSize) is cut into ten pieces, each a count; as time goes on a piece is used again.  So a client costs
 * the same however often it comes, and nothing has to be taken out.  Addresses that did not come within the window are forgotten
 * when something is put beside them.  This is the count of one receiver; another generation begins with none.
 * Seconds come from the caller: there is no clock in here.
 */
#ifndef KERNEL_SESSION_RATES_H
#define KERNEL_SESSION_RATES_H

#include <postrider/text.h>

#include <pthread.h>

#define RATES_PIECES 10
#define RATES_MOST 65536 /* addresses; further ones count as new each time */

struct rate {
	int64_t piece[RATES_PIECES];   /* number of the piece of time that is counted there */
	uint32_t count[RATES_PIECES];
};

struct rate_entry;

struct rates {
	pthread_mutex_t lock;
	struct rate all;
	struct rate_entry **buckets;
	size_t entries;
	int64_t window; /* seconds */
};

void rates_init(struct rates *rates, int64_t window);
void rates_fini(struct rates *rates);
/* One more connection; how many there were within the window, with this one. */
void rates_enter(struct rates *rates, struct pr_str address, int64_t now, uint32_t *own_out, uint32_t *all_out);

#endif
