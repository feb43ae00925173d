/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailq: rows gathered in one pass, sorted, printed directory by directory as sendmail prints them.
 *
 * The rows come from the courier's index (listing_receive) or from the store (listing_gather).  Each is kept as the bytes of row.h
 * until all are there, because the first line of a listing counts them: 300 bytes for a message between ordinary addresses.
 */
#ifndef KERNEL_QUEUE_LISTING_H
#define KERNEL_QUEUE_LISTING_H

#include "kernel/config/config.h"
#include "kernel/module/module.h"
#include "kernel/plan/load.h"
#include "kernel/plan/order.h"
#include "kernel/queue/row.h"

struct queue_place {
	char *path, *group; /* group NULL: unknown */
};

struct queue_places {
	struct queue_place *items;
	size_t count;
};

void places_add(struct queue_places *places, struct pr_str path, struct pr_str group);
void places_from_config(struct queue_places *places, const struct config *config);
void places_fini(struct queue_places *places);

enum queue_kind { QUEUE_WAITING = 0, QUEUE_QUARANTINED = 1, QUEUE_LOST = 2 };

/* Which rows; NULL: all of the kind. */
typedef bool listing_filter(void *context, const struct plan_index_row *row);

struct listed;
struct listing {
	/* set by the caller */
	enum queue_kind kind;
	enum plan_sort sort;
	bool verbose;
	bool no_total;            /* one group was asked for: sendmail then prints no total */
	int64_t tried_after;      /* who was tried later than this is not due: '-' */
	struct plan_load limits;  /* with the load now: who would wait for it has an 'X' */
	int64_t load;
	int64_t recipient_factor; /* RecipientFactor, for what has no priority yet */
	listing_filter *filter;
	void *filter_context;
	struct pr_str group;      /* only this one's directories; absent: all */
	/* its own */
	struct queue_places places;
	struct listed **rows;
	size_t count, room;
};

void listing_fini(struct listing *listing);
/* False: damaged bytes. */
bool listing_add(struct listing *listing, struct pr_str bytes);
/* From the store, one pass; the reason stands in the scope. */
enum pr_status listing_gather(struct listing *listing, struct module_scope *scope);

/* What waits in the drop directory; one that does not exist is empty.  False with errno: it cannot be read. */
bool listing_gather_drop(struct listing *listing, const char *directory);

enum listing_answer {
	LISTING_WHOLE = 1,
	LISTING_DENIED,  /* the daemon says: not for you */
	LISTING_OTHER,   /* it works on another queue */
	LISTING_NONE     /* nothing usable came */
};
/* What the courier sends to `fd`; `queue` is the QueueDirectory that is meant. */
enum listing_answer listing_receive(struct listing *listing, int fd, struct pr_str queue);

typedef void listing_print_line(void *context, struct pr_str text);
void listing_print(struct listing *listing, listing_print_line *print, void *context);
/* -bP: how many there are in each directory */
void listing_print_counts(struct listing *listing, listing_print_line *print, void *context);

/* One entry of the listing, without the order of things around it. */
void listing_print_row(const struct listing *listing, const struct plan_index_row *row, struct pr_text *out);

struct listed {
	int64_t key, created;
	uint32_t length, place;
	char bytes[];
};

#endif
