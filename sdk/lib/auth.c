/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a site wants of mechanisms against what one of them is: a table of both.
 */
#include <postrider/auth.h>

static const struct {
	uint32_t flag, property;
	bool wanted; /* else: refused */
} rows[] = {
    {PR_AUTH_NO_PLAINTEXT, PR_AUTH_IS_PLAINTEXT, false},
    {PR_AUTH_NO_ACTIVE, PR_AUTH_IS_ACTIVE, false},
    {PR_AUTH_NO_DICTIONARY, PR_AUTH_IS_DICTIONARY, false},
    {PR_AUTH_FORWARD_SECRECY, PR_AUTH_HAS_FORWARD_SECRECY, true},
    {PR_AUTH_CREDENTIALS, PR_AUTH_HAS_CREDENTIALS, true},
    {PR_AUTH_MUTUAL, PR_AUTH_IS_MUTUAL, true},
    {PR_AUTH_NO_ANONYMOUS, PR_AUTH_IS_ANONYMOUS, false},
};

bool pr_auth_is_wanted(uint32_t flags, uint32_t properties)
{
	/* over TLS nobody listens */
	uint32_t wanted = (flags & PR_AUTH_TLS) != 0 ? flags & ~(uint32_t)PR_AUTH_NO_PLAINTEXT : flags;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((wanted & rows[i].flag) != 0 && ((properties & rows[i].property) != 0) != rows[i].wanted)
			return false;
	return true;
}
