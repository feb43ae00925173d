/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory, and what is counted in it without a lock.  It is sealed against shrinking, so that no receiver can make the master stumble over
 * it, and pages that no client needed are never there.
 */
#include "kernel/net/traffic_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct traffic *traffic_map(int descriptor)
{
	struct stat info;
	void *memory;

	/* a master of before an upgrade may have made another table */
	if (descriptor < 0 || fstat(descriptor, &info) != 0 || info.st_size != (off_t)sizeof(struct traffic))
		return NULL;
	memory = mmap(NULL, sizeof(struct traffic), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static bool make_locks(struct traffic *traffic)
{
	pthread_mutexattr_t kind;

	if (pthread_mutexattr_init(&kind) != 0)
		return false;
	bool good = pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 &&
	            pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 && pthread_mutex_init(&traffic->all_lock, &kind) == 0;
	for (size_t i = 0; good && i < TRAFFIC_LOCKS; i++)
		good = pthread_mutex_init(&traffic->locks[i], &kind) == 0;
	pthread_mutexattr_destroy(&kind);
	return good;
}

/* A seed that is not to be had is no reason to do without limits. */
static void make_seed(struct traffic *traffic)
{
	if (getrandom(&traffic->seed, sizeof traffic->seed, GRND_NONBLOCK) != (ssize_t)sizeof traffic->seed)
		traffic->seed = (uint64_t)(uintptr_t)traffic;
}

struct traffic *traffic_new(int *descriptor_out)
{
	int fd = memfd_create("postrider-traffic", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct traffic *traffic = NULL;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof *traffic) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		traffic = traffic_map(fd);
	if (traffic == NULL || !make_locks(traffic) || !net_tickets_init(&traffic->tickets)) {
		int error = errno;
		traffic_free(traffic);
		close(fd);
		errno = error;
		return NULL;
	}
	make_seed(traffic);
	*descriptor_out = fd;
	return traffic;
}

void traffic_free(struct traffic *traffic)
{
	if (traffic != NULL)
		(void)munmap(traffic, sizeof *traffic);
}

void traffic_forget(struct traffic *traffic, uint32_t column)
{
	if (column >= TRAFFIC_COLUMNS)
		return;
	atomic_store_explicit(&traffic->sessions[column], 0, memory_order_relaxed);
	for (size_t i = 0; i < TRAFFIC_CLIENTS; i++)
		if (atomic_load_explicit(&traffic->used[i / TRAFFIC_WAYS], memory_order_relaxed) != 0)
			atomic_store_explicit(&traffic->entries[i].open[column], 0, memory_order_relaxed);
}

struct net_tickets *traffic_tickets(struct traffic *traffic)
{
	return &traffic->tickets;
}

uint64_t traffic_sessions(struct traffic *traffic)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < TRAFFIC_COLUMNS; i++)
		sum += atomic_load_explicit(&traffic->sessions[i], memory_order_seq_cst);
	return sum;
}

/* Counted first and looked at then, so that two that come at once are never both the last. */
bool traffic_begin(struct traffic *traffic, uint32_t column, uint64_t most)
{
	(void)atomic_fetch_add(&traffic->sessions[column], 1);
	if (most == 0 || traffic_sessions(traffic) <= most)
		return true;
	traffic_end(traffic, column);
	return false;
}

void traffic_end(struct traffic *traffic, uint32_t column)
{
	(void)atomic_fetch_sub(&traffic->sessions[column], 1);
}
