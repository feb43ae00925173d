/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How busy the machine is, and what the options make of it.
 */
#ifndef KERNEL_QUEUE_LOAD_H
#define KERNEL_QUEUE_LOAD_H

#include "kernel/config/options.h"
#include "kernel/plan/load.h"

struct plan_load load_limits(const struct options *options);
/* ${load_avg}: from LoadAverageFile, 0 when it cannot be read. */
int64_t load_average(const struct options *options);
/* From LoadAverageFile; 0 when it cannot be read: mail is not held up by that. */
int64_t load_read(const struct options *options);

#endif
