/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table from address to count; an address without sessions has no entry, so the table is bounded by the number
 * of sessions and a scanner of many addresses leaves nothing behind.
 */
#include "kernel/session/clients.h"

#define BUCKETS_FIRST 64

struct client_count {
	struct client_count *next;
	uint64_t hash;
	uint64_t count;
	struct pr_str address;
};

void clients_init(struct clients *clients)
{
	pthread_mutex_init(&clients->lock, NULL);
	clients->bucket_count = BUCKETS_FIRST;
	clients->count = 0;
	clients->buckets = pr_alloc(BUCKETS_FIRST * sizeof *clients->buckets);
}

static void entry_free(struct client_count *entry)
{
	pr_free((void *)(uintptr_t)entry->address.data);
	pr_free(entry);
}

void clients_fini(struct clients *clients)
{
	for (size_t i = 0; i < clients->bucket_count; i++) {
		while (clients->buckets[i] != NULL) {
			struct client_count *entry = clients->buckets[i];
			clients->buckets[i] = entry->next;
			entry_free(entry);
		}
	}
	pr_free(clients->buckets);
	pthread_mutex_destroy(&clients->lock);
}

/* The link that points at the entry, or at the NULL where it would stand. */
static struct client_count **find(struct clients *clients, struct pr_str address, uint64_t hash)
{
	struct client_count **link = &clients->buckets[hash & (clients->bucket_count - 1)];

	while (*link != NULL && ((*link)->hash != hash || !pr_str_equal((*link)->address, address)))
		link = &(*link)->next;
	return link;
}

static void grow(struct clients *clients)
{
	size_t count = clients->bucket_count * 2;
	struct client_count **buckets = pr_alloc(count * sizeof *buckets);

	for (size_t i = 0; i < clients->bucket_count; i++) {
		while (clients->buckets[i] != NULL) {
			struct client_count *entry = clients->buckets[i];
			clients->buckets[i] = entry->next;
			entry->next = buckets[entry->hash & (count - 1)];
			buckets[entry->hash & (count - 1)] = entry;
		}
	}
	pr_free(clients->buckets);
	clients->buckets = buckets;
	clients->bucket_count = count;
}

bool clients_enter(struct clients *clients, struct pr_str address, uint64_t most)
{
	uint64_t hash = pr_str_hash_nocase(address);
	bool entered = true;

	pthread_mutex_lock(&clients->lock);
	struct client_count **link = find(clients, address, hash);
	if (*link != NULL && most > 0 && (*link)->count >= most) {
		entered = false;
	} else if (*link != NULL) {
		(*link)->count++;
	} else {
		struct client_count *entry = pr_alloc(sizeof *entry);
		entry->hash = hash;
		entry->count = 1;
		entry->address = (struct pr_str){pr_copy_str(address), address.len};
		*link = entry;
		if (++clients->count > clients->bucket_count)
			grow(clients);
	}
	pthread_mutex_unlock(&clients->lock);
	return entered;
}

uint64_t clients_count(struct clients *clients, struct pr_str address)
{
	pthread_mutex_lock(&clients->lock);
	const struct client_count *entry = *find(clients, address, pr_str_hash_nocase(address));
	uint64_t count = entry != NULL ? entry->count : 0;
	pthread_mutex_unlock(&clients->lock);
	return count;
}

void clients_leave(struct clients *clients, struct pr_str address)
{
	pthread_mutex_lock(&clients->lock);
	struct client_count **link = find(clients, address, pr_str_hash_nocase(address));
	struct client_count *entry = *link;
	if (entry != NULL && --entry->count == 0) {
		*link = entry->next;
		entry_free(entry);
		clients->count--;
	}
	pthread_mutex_unlock(&clients->lock);
}
