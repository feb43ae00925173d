/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Large bodies may be in memory too, on their way into the journal and out of it, while all of them together stay below a bound: what
 * does not fit in it is a file.  One bound for the process, however many stores it has.
 */
#include "spool.h"

#define LARGE_TOGETHER ((size_t)64 << 20)

static atomic_size_t held;

bool spool_large_take(size_t len)
{
	if (atomic_fetch_add_explicit(&held, len, memory_order_relaxed) + len <= LARGE_TOGETHER)
		return true;
	spool_large_give(len);
	return false;
}

void spool_large_give(size_t len)
{
	if (len > 0)
		atomic_fetch_sub_explicit(&held, len, memory_order_relaxed);
}
