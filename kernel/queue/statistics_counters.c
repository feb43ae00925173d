/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Atomic counters in anonymous memory that the master makes before its children: a role that is killed takes nothing with it, and
 * two generations count in one place.  The memory is sealed against shrinking, so that no role can make the master stumble over it.
 */
#include "kernel/queue/statistics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define KILOBYTE 1024

struct statistics_counters {
	_Atomic int64_t connections[CONNECTION_KINDS];
	_Atomic int64_t messages[STATISTICS_KINDS][STATISTICS_MAILERS];
};

struct statistics_counters *counters_map(int descriptor)
{
	void *memory;

	if (descriptor < 0)
		return NULL;
	memory = mmap(NULL, sizeof(struct statistics_counters), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

struct statistics_counters *counters_new(int *descriptor_out)
{
	int fd = memfd_create("postrider-statistics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct statistics_counters *counters = NULL;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof *counters) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		counters = counters_map(fd);
	if (counters == NULL) {
		int error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	*descriptor_out = fd;
	return counters;
}

void counters_free(struct statistics_counters *counters)
{
	if (counters != NULL)
		(void)munmap(counters, sizeof *counters);
}

static void add(_Atomic int64_t *counter, int64_t more)
{
	(void)atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

void counters_connection(struct statistics_counters *counters, enum statistics_connection kind)
{
	if (counters != NULL)
		add(&counters->connections[kind], 1);
}

void counters_message(struct statistics_counters *counters, enum statistics_kind kind, int mailer, uint64_t size)
{
	if (counters == NULL || mailer < 0 || mailer >= STATISTICS_MAILERS)
		return;
	add(&counters->messages[kind][mailer], 1);
	if (kind == MESSAGES_FROM || kind == MESSAGES_TO) /* the row behind it is its size */
		add(&counters->messages[kind + 1][mailer], (int64_t)(size / KILOBYTE + (size % KILOBYTE != 0)));
}

void counters_take(struct statistics_counters *counters, struct statistics *statistics_out)
{
	*statistics_out = (struct statistics){.since = 0};
	for (size_t i = 0; i < CONNECTION_KINDS; i++)
		statistics_out->connections[i] = atomic_exchange_explicit(&counters->connections[i], 0, memory_order_relaxed);
	for (size_t kind = 0; kind < STATISTICS_KINDS; kind++)
		for (size_t i = 0; i < STATISTICS_MAILERS; i++)
			statistics_out->messages[kind][i] = atomic_exchange_explicit(&counters->messages[kind][i], 0, memory_order_relaxed);
}

void counters_give_back(struct statistics_counters *counters, const struct statistics *statistics)
{
	for (size_t i = 0; i < CONNECTION_KINDS; i++)
		add(&counters->connections[i], statistics->connections[i]);
	for (size_t kind = 0; kind < STATISTICS_KINDS; kind++)
		for (size_t i = 0; i < STATISTICS_MAILERS; i++)
			add(&counters->messages[kind][i], statistics->messages[kind][i]);
}
