/* SPDX-License-Identifier: BSD-2-Clause
 *
 * QueueLA: the load is looked at once a second by whoever keeps time, and only compared by those who work.
 */
#include "kernel/courier/internal.h"

#include "kernel/log/log.h"
#include "kernel/queue/load.h"

void load_look(struct courier *courier)
{
	courier->load = load_read(courier->options);
}

bool load_is_too_high(const struct courier *courier, int64_t priority)
{
	const struct plan_load limits = load_limits(courier->options);

	return plan_load_queues(&limits, courier->load, priority);
}

bool load_skips_run(struct courier *courier)
{
	load_look(courier);
	/* no message costs less than its one recipient */
	if (!load_is_too_high(courier, courier->options->recipient_factor))
		return false;
	log_at(8, LOGP_INFO, NULL, "runqueue: Skipping queue run -- load average too high");
	verbose_no_run(courier);
	return true;
}
