/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many sessions each client address has (MaxSessionsPerClient).
 */
#ifndef KERNEL_SESSION_CLIENTS_H
#define KERNEL_SESSION_CLIENTS_H

#include <postrider/text.h>

#include <pthread.h>

struct client_count;

struct clients {
	pthread_mutex_t lock;
	struct client_count **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
};

void clients_init(struct clients *clients);
void clients_fini(struct clients *clients);
/* False, and nothing counted, when the address has `most` already (0: no limit). */
bool clients_enter(struct clients *clients, struct pr_str address, uint64_t most);
/* How many it has now. */
uint64_t clients_count(struct clients *clients, struct pr_str address);
void clients_leave(struct clients *clients, struct pr_str address);

#endif
