/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier's index from inside: the table with a lock of its own, so that a listing never keeps deliveries waiting.
 * The lock of the courier may be held when this one is taken, never the other way round.
 */
#ifndef KERNEL_COURIER_INDEX_INTERNAL_H
#define KERNEL_COURIER_INDEX_INTERNAL_H

#include "kernel/courier/internal.h"
#include "kernel/plan/index.h"
#include "kernel/queue/listing.h"

#define INDEX_CLIENTS_MAX 8 /* listings at once */

struct courier_index {
	pthread_mutex_t lock;
	struct plan_index *table;
	uint16_t scan;       /* number of the scan that runs, or of the last one */
	bool filled;         /* a scan has met everything */
	bool elsewhere;      /* some row may be PR_ENTRY_CLAIMED: another process delivers it, and does not say when that is over */
	struct queue_places places;
	int waiting[INDEX_CLIENTS_MAX]; /* connections no thread has taken yet */
	size_t waiting_count, serving;
};

#endif
