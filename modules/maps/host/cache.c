/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys are compared without regard to case, as names of hosts are.
 * The memory is bounded by the number of places: names have at most 255 bytes.
 */
#include "cache.h"

static struct cache_place *place_of(const struct cache *cache, struct pr_str key)
{
	return &cache->places[pr_str_hash_nocase(key) % CACHE_PLACES];
}

enum pr_status cache_find(const struct cache *cache, struct pr_str key, int64_t now_ms, struct pr_str *name_out)
{
	if (cache->places == NULL)
		return PR_TEMPFAIL;
	const struct cache_place *place = place_of(cache, key);
	if (place->key == NULL || place->until_ms <= now_ms || !pr_str_equal_nocase(pr_str(place->key), key))
		return PR_TEMPFAIL;
	*name_out = pr_str(place->name);
	return place->name != NULL ? PR_OK : PR_NOTFOUND;
}

void cache_put(struct cache *cache, struct pr_str key, struct pr_str name, int64_t until_ms)
{
	if (cache->places == NULL)
		cache->places = pr_alloc(CACHE_PLACES * sizeof *cache->places);
	struct cache_place *place = place_of(cache, key);
	pr_free(place->key);
	pr_free(place->name);
	*place = (struct cache_place){ .key = pr_copy_str(key), .name = name.data == NULL ? NULL : pr_copy_str(name), .until_ms = until_ms };
}

void cache_fini(struct cache *cache)
{
	for (size_t i = 0; cache->places != NULL && i < CACHE_PLACES; i++) {
		pr_free(cache->places[i].key);
		pr_free(cache->places[i].name);
	}
	pr_free(cache->places);
	cache->places = NULL;
}
