/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table of rings.  Its size is fixed, for it is bounded anyway; each look into a bucket throws out what is old there.
 */
#include "kernel/session/rates.h"

#define BUCKETS 4096u

struct rate_entry {
	struct rate_entry *next;
	uint64_t hash;
	int64_t last; /* piece of time of the latest connection */
	struct rate rate;
	struct pr_str address;
};

void rates_init(struct rates *rates, int64_t window)
{
	*rates = (struct rates){.window = window > 0 ? window : 1};
	pthread_mutex_init(&rates->lock, NULL);
	rates->buckets = pr_alloc(BUCKETS * sizeof *rates->buckets);
}

static void drop(struct rates *rates, struct rate_entry **link)
{
	struct rate_entry *entry = *link;

	*link = entry->next;
	pr_free((void *)(uintptr_t)entry->address.data);
	pr_free(entry);
	rates->entries--;
}

void rates_fini(struct rates *rates)
{
	for (size_t i = 0; rates->buckets != NULL && i < BUCKETS; i++)
		while (rates->buckets[i] != NULL)
			drop(rates, &rates->buckets[i]);
	pr_free(rates->buckets);
	rates->buckets = NULL;
	pthread_mutex_destroy(&rates->lock);
}

/* Counts one in this piece of time, and returns the sum of those that are within the window. */
static uint32_t count(struct rate *rate, int64_t piece)
{
	size_t slot = (size_t)((uint64_t)piece % RATES_PIECES);
	uint32_t sum = 0;

	if (rate->piece[slot] != piece)
		rate->count[slot] = 0;
	rate->piece[slot] = piece;
	rate->count[slot]++;
	for (size_t i = 0; i < RATES_PIECES; i++)
		if (piece - rate->piece[i] < RATES_PIECES)
			sum += rate->count[i];
	return sum;
}

/* The entry, made when there is room; old neighbours leave on the way. */
static struct rate_entry *entry_of(struct rates *rates, struct pr_str address, int64_t piece)
{
	uint64_t hash = pr_str_hash_nocase(address);
	struct rate_entry **link = &rates->buckets[hash % BUCKETS], *found = NULL;

	while (*link != NULL) {
		if ((*link)->hash == hash && pr_str_equal((*link)->address, address))
			found = *link;
		if (*link != found && piece - (*link)->last >= RATES_PIECES)
			drop(rates, link);
		else
			link = &(*link)->next;
	}
	if (found != NULL || rates->entries >= RATES_MOST)
		return found;
	found = pr_alloc(sizeof *found);
	found->hash = hash;
	found->address = (struct pr_str){pr_copy_str(address), address.len};
	*link = found;
	rates->entries++;
	return found;
}

void rates_enter(struct rates *rates, struct pr_str address, int64_t now, uint32_t *own_out, uint32_t *all_out)
{
	int64_t piece = now * RATES_PIECES / rates->window;

	pthread_mutex_lock(&rates->lock);
	struct rate_entry *entry = entry_of(rates, address, piece);
	*own_out = entry != NULL ? count(&entry->rate, piece) : 1;
	*all_out = count(&rates->all, piece);
	if (entry != NULL)
		entry->last = piece;
	pthread_mutex_unlock(&rates->lock);
}
