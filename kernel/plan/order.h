/* SPDX-License-Identifier: BSD-2-Clause
 *
 * QueueSortOrder: in which order a queue run takes its messages, as one number per message; the smallest goes first.
 *
 *   priority      the envelope's priority (the default)
 *   host          messages to one host together, by priority among them; hosts in no particular order
 *   filename      the queue id
 *   time          when it was submitted
 *   modification  when it was tried last
 *   random, none
 */
#ifndef KERNEL_PLAN_ORDER_H
#define KERNEL_PLAN_ORDER_H

#include <postrider/text.h>

enum plan_sort { PLAN_BY_PRIORITY = 0, PLAN_BY_HOST, PLAN_BY_FILENAME, PLAN_BY_TIME, PLAN_BY_MODIFICATION, PLAN_BY_CHANCE, PLAN_UNSORTED };

struct plan_facts {
	struct pr_str id;
	struct pr_str recipient; /* the first one */
	int64_t priority, created, last_try;
	int64_t seed;            /* for random */
};

/* The first letter counts, as in sendmail.  False: there is no such order. */
bool plan_sort_parse(struct pr_str text, enum plan_sort *sort_out);
int64_t plan_sort_key(enum plan_sort sort, const struct plan_facts *facts);

#endif
