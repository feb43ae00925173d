/* SPDX-License-Identifier: BSD-2-Clause
 *
 * By libidn2, which knows Unicode; the name is lower-cased and brought into its one form before (RFC 5895).
 */
#include "idn.h"

#include <idn2.h>

struct pr_str idn_to_ascii(struct pr_call *call, struct pr_str name)
{
	uint8_t *ascii = NULL;

	if (pr_str_is_ascii(name))
		return name;
	struct pr_str copy = pr_arena_copy(call->arena, name);
	if (copy.data == NULL) {
		(void)pr_fail(call, PR_TEMPFAIL, "no memory left for the name of a host");
		return PR_NONE;
	}
	int status = idn2_lookup_u8((const uint8_t *)copy.data, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (status != IDN2_OK) {
		(void)pr_fail(call, PR_PERMFAIL, "%s", idn2_strerror(status));
		return PR_NONE;
	}
	struct pr_str result = pr_arena_copy(call->arena, pr_str((const char *)ascii));
	idn2_free(ascii);
	return result;
}
