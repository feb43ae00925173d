/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Built without libidn2: only names that are ASCII already lead anywhere.
 */
#include "idn.h"

struct pr_str idn_to_ascii(struct pr_call *call, struct pr_str name)
{
	if (pr_str_is_ascii(name))
		return name;
	(void)pr_fail(call, PR_PERMFAIL, "this postrider was built without libidn2");
	return PR_NONE;
}
