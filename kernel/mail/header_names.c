/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the names of header fields mean to a router: which hold sender addresses, which recipients, which count a hop.
 * The lists are sendmail's.
 */
#include "kernel/mail/header.h"

static bool is_one_of(struct pr_str name, const struct pr_str *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pr_str_equal_nocase(name, names[i]))
			return true;
	return false;
}

bool header_is_sender(struct pr_str name)
{
	static const struct pr_str names[] = {
	    {"from", 4},
	    {"sender", 6},
	    {"reply-to", 8},
	    {"errors-to", 9},
	    {"resent-from", 11},
	    {"resent-sender", 13},
	    {"resent-reply-to", 15},
	    {"disposition-notification-to", 27},
	};

	return is_one_of(name, names, sizeof names / sizeof names[0]);
}

bool header_is_recipient(struct pr_str name)
{
	static const struct pr_str names[] = {
	    {"to", 2},
	    {"cc", 2},
	    {"bcc", 3},
	    {"resent-to", 9},
	    {"resent-cc", 9},
	    {"resent-bcc", 10},
	    {"apparently-to", 13},
	};

	return is_one_of(name, names, sizeof names / sizeof names[0]);
}

uint32_t header_hops(const struct pr_header *fields, size_t count)
{
	uint32_t hops = 0;

	for (size_t i = 0; i < count; i++)
		hops += pr_str_equal_nocase(fields[i].name, PR_STR("Received"));
	return hops;
}
