/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of the five answers; a table, so that logs and tools agree on the words.
 */
#include <postrider/status.h>

const char *pr_status_name(enum pr_status status)
{
	static const char *const names[] = {
	    [PR_OK] = "ok", [PR_NOTFOUND] = "notfound", [PR_TEMPFAIL] = "tempfail", [PR_PERMFAIL] = "permfail", [PR_MISUSE] = "misuse",
	};

	return (unsigned int)status < sizeof names / sizeof names[0] ? names[status] : "?";
}
