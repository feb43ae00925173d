/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Durable commits per second: store_commit MODULE DIRECTORY THREADS SECONDS.
 * Each thread submits messages of 1 KiB one after the other and waits for each answer, as SMTP clients do; then all are claimed and finished.
 */
#include "tests/unit/store_harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct harness store;
static atomic_long commits, failures;
static atomic_bool over;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void *client(void *context)
{
	struct harness_envelope e;
	char body[1024], id[64];

	(void)context;
	memset(body, 'x', sizeof body);
	harness_envelope(&e);
	while (!atomic_load(&over))
		if (harness_submit(&store, &e.envelope, body, sizeof body, id, NULL) == PR_COMMIT_DURABLE)
			atomic_fetch_add(&commits, 1);
		else
			atomic_fetch_add(&failures, 1);
	return NULL;
}

static long deliver_all(void)
{
	struct harness_call c;
	struct pr_entry entry;
	struct pr_claim claim;
	void *cursor = NULL;
	long count = 0;

	harness_call_init(&c, &store);
	while (store.ops->next(&c.call, &cursor, &entry) == PR_OK) {
		if (store.ops->claim(&c.call, entry.id, &claim) == PR_OK && store.ops->finish(&c.call, &claim) == PR_OK)
			count++;
		pr_arena_reset(&c.arena);
	}
	harness_call_fini(&c);
	return count;
}

int main(int argc, char **argv)
{
	pthread_t threads[256];
	uint64_t count, seconds;

	if (argc != 5 || !pr_str_number(pr_str(argv[3]), 256, &count) || !pr_str_number(pr_str(argv[4]), 3600, &seconds) ||
	    !harness_open(&store, argv[1], argv[2], NULL, PR_STORE_INTAKE | PR_STORE_DELIVERY)) {
		fprintf(stderr, "usage: %s MODULE.so DIRECTORY THREADS SECONDS\n", argv[0]);
		return EXIT_FAILURE;
	}

	double start = now(), start_cpu = cpu();
	struct timespec pause = { (time_t)seconds, 0 };

	for (uint64_t i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, client, NULL) != 0)
			return EXIT_FAILURE;
	nanosleep(&pause, NULL);
	atomic_store(&over, true);
	for (uint64_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);

	double elapsed = now() - start, used = cpu() - start_cpu;

	printf("%3d threads: %7.0f commits/s, %.3f ms CPU each, %ld failed\n", (int)count, (double)atomic_load(&commits) / elapsed,
	       used * 1000 / (double)atomic_load(&commits), atomic_load(&failures));
	start = now();
	count = (uint64_t)deliver_all();
	printf("             %7.0f claim+finish/s (%d)\n", (double)count / (now() - start), (int)count);
	harness_close(&store);
	return EXIT_SUCCESS;
}
