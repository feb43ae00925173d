/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sysexit of `$#error $@ CODE`, with which the test mode ends.  A code is an enhanced one ("5.1.1"), a name or a number; all else, and none, is
 * EX_UNAVAILABLE.
 */
#include "address.h"

#include <stdlib.h>

enum { DETAILS = 10 };

/* By subject and detail of 5.x.y; 0: it may pass. */
static const uint8_t statuses[][DETAILS] = {
	{ 69, 69, 69, 69, 69, 69, 69, 69, 69, 69 },
	{ 65, 67, 68, 64, 69, 78, 67, 64, 68, 69 }, /* the address */
	{ 69, 69, 69, 65, 69, 69, 69, 69, 69, 69 }, /* the mailbox */
	{ 71, 71, 71, 71, 71, 71, 71, 71, 71, 71 }, /* the system */
	{ 74, 0, 74, 0, 76, 0, 78, 69, 69, 69 },    /* the network */
	{ 76, 76, 76, 76, 76, 76, 76, 76, 76, 76 }, /* the protocol */
	{ 69, 69, 69, 69, 69, 69, 69, 69, 69, 69 },
	{ 65, 65, 65, 65, 65, 65, 65, 65, 65, 65 }, /* policy */
};

static const struct {
	const char *name;
	uint32_t status;
} names[] = { { "usage", CF_USAGE }, { "nouser", CF_NOUSER }, { "nohost", CF_NOHOST }, { "unavailable", CF_UNAVAILABLE }, { "software", CF_SOFTWARE },
	{ "tempfail", CF_OK }, { "protocol", 76 }, { "config", CF_CONFIG } };

static uint32_t of_enhanced(struct pr_str code)
{
	size_t dot = pr_str_find(code, '.');
	uint64_t subject = 0, detail = 0;
	struct pr_str rest = pr_str_slice(code, dot + 1, code.len);

	if (code.data[0] != '5')
		return CF_OK;
	dot = pr_str_find(rest, '.');
	pr_str_number(pr_str_slice(rest, 0, dot), 1000, &subject);
	pr_str_number(pr_str_slice(rest, dot + 1, rest.len), 1000, &detail);
	if (subject >= sizeof statuses / sizeof statuses[0])
		return CF_UNAVAILABLE;
	return statuses[subject][detail < DETAILS ? detail : DETAILS - 1];
}

uint32_t cf_error_status(struct pr_str code)
{
	if (code.len > 0 && code.data[0] >= '0' && code.data[0] <= '9') {
		if (pr_str_find(code, '.') < code.len)
			return of_enhanced(code);
		long number = strtol(code.data, NULL, 10);
		return number == CF_TEMPFAIL || number > 255 ? CF_OK : (uint32_t)number;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (pr_str_equal_nocase(code, pr_str(names[i].name)))
			return names[i].status;
	return CF_UNAVAILABLE;
}
