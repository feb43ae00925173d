/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two numbers, and whoever moves the first one says the line: of many threads that is exactly one.
 */
#include "kernel/log/repeat.h"

bool log_repeat_begin(struct log_repeat *repeat, int64_t now, uint64_t *kept_back_out)
{
	int64_t next = atomic_load(&repeat->next);

	if (next <= now && atomic_compare_exchange_strong(&repeat->next, &next, now + LOG_REPEAT_SECONDS)) {
		*kept_back_out = atomic_exchange(&repeat->kept_back, 0);
		return true;
	}
	atomic_fetch_add(&repeat->kept_back, 1);
	return false;
}

bool log_repeat_end(struct log_repeat *repeat, uint64_t *kept_back_out)
{
	if (atomic_load_explicit(&repeat->next, memory_order_relaxed) == 0 || atomic_exchange(&repeat->next, 0) == 0)
		return false;
	*kept_back_out = atomic_exchange(&repeat->kept_back, 0);
	return true;
}
