/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arithmetic in whole numbers, as sendmail does it: a load of 8.5 is 9.
 */
#include "kernel/plan/load.h"

#define LOAD_MAX 1000000

bool plan_load_parse(struct pr_str text, int64_t *load_out)
{
	size_t end = pr_str_find(text, '.');
	uint64_t whole;

	if (!pr_str_number(pr_str_slice(text, 0, end), LOAD_MAX, &whole) || end + 1 >= text.len)
		return false;
	char tenth = text.data[end + 1];
	if (tenth < '0' || tenth > '9')
		return false;
	*load_out = (int64_t)whole + (tenth >= '5');
	return true;
}

bool plan_load_queues(const struct plan_load *limits, int64_t load, int64_t priority)
{
	if (limits->queue_la <= 0 || load < limits->queue_la)
		return false;
	return priority > limits->factor / (load - limits->queue_la + 1);
}
