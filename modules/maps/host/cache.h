/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one thread has found out about hosts lately.
 *
 * A place for each of some hundred hashes; a newer name takes the place of an older one.  No lock, because it is one thread's.
 */
#ifndef MODULES_MAPS_HOST_CACHE_H
#define MODULES_MAPS_HOST_CACHE_H

#include <postrider/status.h>
#include <postrider/text.h>

#define CACHE_PLACES 512

struct cache_place {
	char *key;  /* NULL: free */
	char *name; /* NULL: there is no such host */
	int64_t until_ms;
};

struct cache {
	struct cache_place *places; /* CACHE_PLACES, made at the first use */
};

/* PR_OK with a name in the cache's memory, PR_NOTFOUND (known not to exist), or PR_TEMPFAIL: nothing is known. */
enum pr_status cache_find(const struct cache *cache, struct pr_str key, int64_t now_ms, struct pr_str *name_out);
/* name absent: the host does not exist */
void cache_put(struct cache *cache, struct pr_str key, struct pr_str name, int64_t until_ms);
void cache_fini(struct cache *cache);

#endif
