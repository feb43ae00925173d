/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Is the machine too busy for a message?  sendmail's rule: at a load average of QueueLA and above those wait whose priority is greater than
 * QueueFactor divided by how far above it is, so with growing load fewer and fewer are tried, the cheapest last.
 */
#ifndef KERNEL_PLAN_LOAD_H
#define KERNEL_PLAN_LOAD_H

#include <postrider/text.h>

struct plan_load {
	int64_t queue_la; /* QueueLA, 0: load is no matter */
	int64_t factor;   /* QueueFactor */
};

/* The first number of /proc/loadavg, rounded; false: there is none. */
bool plan_load_parse(struct pr_str text, int64_t *load_out);
bool plan_load_queues(const struct plan_load *limits, int64_t load, int64_t priority);

#endif
