/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one lookup in a table file costs: `map_lookup FILE.db SIZE ROUNDS [present|absent]`, to be run under `perf stat`.
 * Keys are key0 ... key(SIZE-1); those that are not there have another beginning.  The time is printed, the count of instructions is perf's.
 */
#include "tests/unit/fake_host.h"

#include <postrider/map.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct pr_module hash_LTX_pr_module;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool build(struct fake_instance *map, unsigned long size)
{
	const struct pr_map_ops *ops = hash_LTX_pr_module.ops;
	char key[64], value[64];

	if (ops->begin(fake_call(map)) != PR_OK)
		return false;
	for (unsigned long i = 0; i < size; i++) {
		snprintf(key, sizeof key, "key%lu@example.org", i);
		snprintf(value, sizeof value, "value %lu", i);
		if (ops->store(fake_call(map), pr_str(key), pr_str(value)) != PR_OK)
			return false;
	}
	return ops->commit(fake_call(map)) == PR_OK;
}

static unsigned long look(struct fake_instance *map, unsigned long size, unsigned long rounds, const char *front)
{
	const struct pr_map_ops *ops = hash_LTX_pr_module.ops;
	unsigned long found = 0, place = 1;
	struct pr_str value;
	char key[64];

	for (unsigned long i = 0; i < rounds; i++) {
		place = (place * 2862933555777941757u + 3037000493u);
		int length = pr_print(key, sizeof key, "%s%lu@example.org", front, (place >> 20) % size);
		found += ops->lookup(fake_call(map), (struct pr_str){ key, (size_t)length }, NULL, &value) == PR_OK;
	}
	return found;
}

int main(int argc, char **argv)
{
	struct fake_world world;
	struct fake_instance map;

	if (argc != 5) {
		fprintf(stderr, "usage: map_lookup FILE.db SIZE ROUNDS present|absent|build\n");
		return 64;
	}
	unsigned long size = strtoul(argv[2], NULL, 10), rounds = strtoul(argv[3], NULL, 10);
	fake_world_init(&world);
	if (!fake_open(&map, &world, &hash_LTX_pr_module, (const char *const[]){ "file", argv[1], "unsafe", "true", NULL }) || size == 0)
		return 70;
	if (strcmp(argv[4], "build") == 0)
		return build(&map, size) ? 0 : 74;
	double start = now();
	look(&map, size, 1, "key");
	double loaded = now();
	unsigned long found = look(&map, size, rounds, strcmp(argv[4], "present") == 0 ? "key" : "no");
	printf("%s: %lu of %lu found, first %.1f ms, then %.0f ns each\n", argv[4], found, rounds, (loaded - start) * 1e3, (now() - loaded) * 1e9 / (double)rounds);
	fake_close(&map);
	fake_world_fini(&world);
	return 0;
}
