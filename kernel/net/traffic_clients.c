/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A name leads to a bucket; whoever looks for a name in it, or writes one, holds the bucket's lock.  Connections that end are taken off without it,
 * for an entry that has some is never given to another name.
 */
#include "kernel/net/traffic_internal.h"

#include <errno.h>
#include <string.h>

/* The last owner may have died in the middle: every order of steps in here leaves something that can be gone on with. */
static bool lock(pthread_mutex_t *mutex)
{
	int error = pthread_mutex_lock(mutex);

	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(mutex);
	return error == 0;
}

static uint64_t hash_of(const struct traffic *traffic, struct pr_str name)
{
	uint64_t hash = traffic->seed;

	for (size_t i = 0; i < name.len; i++) {
		hash = (hash ^ (unsigned char)name.data[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash ^ hash >> 32;
}

static uint32_t open_of(struct traffic_entry *entry)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < TRAFFIC_COLUMNS; i++)
		sum += atomic_load_explicit(&entry->open[i], memory_order_relaxed);
	return sum;
}

static bool is_named(struct traffic_entry *entry, struct pr_str name)
{
	return atomic_load_explicit(&entry->length, memory_order_relaxed) == name.len && memcmp(entry->name, name.data, name.len) == 0;
}

/* Free ones first, then who has no connection and was away for the longest time. */
static struct traffic_entry *better(struct traffic_entry *best, struct traffic_entry *entry)
{
	bool is_free = atomic_load_explicit(&entry->length, memory_order_relaxed) == 0;

	if (best != NULL && atomic_load_explicit(&best->length, memory_order_relaxed) == 0)
		return best;
	if (is_free)
		return entry;
	if (open_of(entry) != 0 || (best != NULL && best->last <= entry->last))
		return best;
	return entry;
}

static void name_it(struct traffic_entry *entry, struct pr_str name)
{
	atomic_store_explicit(&entry->length, 0, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst); /* a kill sees the steps in this order */
	for (size_t i = 0; i < TRAFFIC_COLUMNS; i++)
		atomic_store_explicit(&entry->open[i], 0, memory_order_relaxed);
	memset(&entry->rate, 0, sizeof entry->rate);
	entry->last = 0;
	memcpy(entry->name, name.data, name.len);
	atomic_store_explicit(&entry->length, (uint32_t)name.len, memory_order_release);
}

/* With the bucket's lock.  NULL: the bucket is full of clients that have connections. */
static struct traffic_entry *entry_of(struct traffic *traffic, size_t bucket, struct pr_str name)
{
	struct traffic_entry *entries = &traffic->entries[bucket * TRAFFIC_WAYS], *best = NULL;

	atomic_store_explicit(&traffic->used[bucket], 1, memory_order_relaxed);
	for (size_t i = 0; i < TRAFFIC_WAYS; i++) {
		if (is_named(&entries[i], name))
			return &entries[i];
		best = better(best, &entries[i]);
	}
	if (best != NULL)
		name_it(best, name);
	return best;
}

/* Forgets the pieces between the latest and this one; a clock that lags a little adds to the latest. */
static void turn(struct traffic_rate *rate, int64_t window, int64_t piece)
{
	int64_t ahead = piece - rate->piece;

	if (rate->window != window || ahead >= TRAFFIC_PIECES || ahead <= -TRAFFIC_PIECES) {
		*rate = (struct traffic_rate){.window = window, .piece = piece};
		return;
	}
	for (; ahead > 0; ahead--)
		rate->count[(uint64_t)++rate->piece % TRAFFIC_PIECES] = 0;
}

static uint32_t sum_of(const struct traffic_rate *rate)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < TRAFFIC_PIECES; i++)
		sum += rate->count[i];
	return sum;
}

static uint32_t count(struct traffic_rate *rate, int64_t window, int64_t now)
{
	turn(rate, window, now * TRAFFIC_PIECES / window);
	rate->count[(uint64_t)rate->piece % TRAFFIC_PIECES]++;
	return sum_of(rate);
}

static struct pr_str cut(struct pr_str name)
{
	return name.len == 0 ? PR_STR("?") : pr_str_slice(name, 0, name.len < TRAFFIC_NAME_MAX ? name.len : TRAFFIC_NAME_MAX);
}

static bool enter_entry(struct traffic_entry *entry, uint32_t column, uint64_t most, struct traffic_client *client_out)
{
	uint32_t open = open_of(entry);

	if (most > 0 && open >= most)
		return false;
	(void)atomic_fetch_add_explicit(&entry->open[column], 1, memory_order_relaxed);
	client_out->connections = open + 1;
	return true;
}

bool traffic_enter(struct traffic *traffic, uint32_t column, struct pr_str name, uint64_t most, int64_t window, int64_t now,
                   struct traffic_client *client_out)
{
	struct pr_str key = cut(name);
	size_t bucket = hash_of(traffic, key) % TRAFFIC_BUCKETS;
	pthread_mutex_t *mutex = &traffic->locks[bucket % TRAFFIC_LOCKS];
	bool entered = true;

	window = window > 0 ? window : 1;
	*client_out = (struct traffic_client){.connections = 1, .rate = 1, .total = 1};
	if (lock(mutex)) {
		struct traffic_entry *entry = entry_of(traffic, bucket, key);
		if (entry != NULL) {
			entered = enter_entry(entry, column, most, client_out);
			client_out->place = entered ? (uint32_t)(entry - traffic->entries) + 1 : 0;
			client_out->rate = count(&entry->rate, window, now);
			entry->last = now;
		}
		(void)pthread_mutex_unlock(mutex);
	}
	if (lock(&traffic->all_lock)) {
		client_out->total = count(&traffic->all, window, now);
		(void)pthread_mutex_unlock(&traffic->all_lock);
	}
	return entered;
}

void traffic_leave(struct traffic *traffic, uint32_t column, uint32_t place)
{
	if (place > 0 && place <= TRAFFIC_CLIENTS)
		(void)atomic_fetch_sub_explicit(&traffic->entries[place - 1].open[column], 1, memory_order_relaxed);
}

bool traffic_may_come(struct traffic *traffic, struct pr_str listener, int64_t now, uint64_t most)
{
	char room[TRAFFIC_NAME_MAX + 1];
	int len = pr_print(room, sizeof room, "daemon %.*s", PR_PRINT(listener));
	struct pr_str key = cut((struct pr_str){room, len > 0 ? (size_t)len : 0});
	size_t bucket = hash_of(traffic, key) % TRAFFIC_BUCKETS;
	pthread_mutex_t *mutex = &traffic->locks[bucket % TRAFFIC_LOCKS];
	bool may = true;

	if (!lock(mutex))
		return true;
	struct traffic_entry *entry = entry_of(traffic, bucket, key);
	if (entry != NULL) {
		turn(&entry->rate, TRAFFIC_PIECES, now); /* pieces of one second */
		uint32_t *seen = &entry->rate.count[(uint64_t)entry->rate.piece % TRAFFIC_PIECES];
		may = *seen < most;
		*seen += may;
		entry->last = now;
	}
	(void)pthread_mutex_unlock(mutex);
	return may;
}

/* NULL: nothing was counted under that name, or it was forgotten. */
static struct traffic_entry *find(struct traffic *traffic, size_t bucket, struct pr_str name)
{
	struct traffic_entry *entries = &traffic->entries[bucket * TRAFFIC_WAYS];

	if (atomic_load_explicit(&traffic->used[bucket], memory_order_relaxed) == 0)
		return NULL;
	for (size_t i = 0; i < TRAFFIC_WAYS; i++)
		if (is_named(&entries[i], name))
			return &entries[i];
	return NULL;
}

/* From the latest piece backwards. */
static void take_back(struct traffic_rate *rate, uint32_t less)
{
	for (uint64_t i = 0; less > 0 && i < TRAFFIC_PIECES; i++) {
		uint32_t *piece = &rate->count[((uint64_t)rate->piece - i) % TRAFFIC_PIECES], part = *piece < less ? *piece : less;
		*piece -= part;
		less -= part;
	}
}

/* An entry of its own: whose connections are many must not lose his failures, nor the other way round. */
uint32_t traffic_failures(struct traffic *traffic, struct pr_str name, int64_t now, uint32_t more, uint32_t less)
{
	char room[TRAFFIC_NAME_MAX + 1];
	int len = pr_print(room, sizeof room, "a %.*s", PR_PRINT(name));
	struct pr_str key = cut((struct pr_str){room, len > 0 ? (size_t)len : 0});
	size_t bucket = hash_of(traffic, key) % TRAFFIC_BUCKETS;
	pthread_mutex_t *mutex = &traffic->locks[bucket % TRAFFIC_LOCKS];
	uint32_t sum = 0;

	if (!lock(mutex))
		return 0;
	struct traffic_entry *entry = more > 0 ? entry_of(traffic, bucket, key) : find(traffic, bucket, key);
	if (entry != NULL) {
		turn(&entry->rate, TRAFFIC_FAILURES_WINDOW, now * TRAFFIC_PIECES / TRAFFIC_FAILURES_WINDOW);
		entry->rate.count[(uint64_t)entry->rate.piece % TRAFFIC_PIECES] += more;
		take_back(&entry->rate, less);
		entry->last = now;
		sum = sum_of(&entry->rate);
	}
	(void)pthread_mutex_unlock(mutex);
	return sum;
}
