/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One look into passwd for each question; the system's own cache is the cache.  The answer is copied, so that the buffer can be on the stack.
 */
#include "kernel/session/account.h"

#include <pwd.h>
#include <string.h>

#define ACCOUNT_MAX 16384
#define NAME_MAX_BYTES 256

/* The part before the first comma; an ampersand stands for the account's name with a capital, since the 1970s. */
static struct pr_str full_name(const struct passwd *found, struct pr_arena *arena)
{
	if (found == NULL || found->pw_gecos == NULL)
		return PR_NONE;
	struct pr_str name = pr_str(found->pw_gecos);
	name = pr_str_trim(pr_str_slice(name, 0, pr_str_find(name, ',')));
	if (name.len == 0)
		return PR_NONE;
	size_t at = pr_str_find(name, '&');
	if (at == name.len)
		return pr_arena_copy(arena, name);
	char first = found->pw_name[0];
	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	return pr_arena_printf(arena, "%.*s%c%s%.*s", (int)at, name.data, first, found->pw_name + (first != '\0'),
	    (int)(name.len - at - 1), name.data + at + 1);
}

struct pr_str account_full_name(struct pr_str user, struct pr_arena *arena)
{
	char buffer[ACCOUNT_MAX], name[NAME_MAX_BYTES];
	struct passwd entry, *found = NULL;

	if (user.len == 0 || user.len >= sizeof name || memchr(user.data, '\0', user.len) != NULL)
		return PR_NONE;
	memcpy(name, user.data, user.len);
	name[user.len] = '\0';
	return getpwnam_r(name, &entry, buffer, sizeof buffer, &found) == 0 ? full_name(found, arena) : PR_NONE;
}

struct pr_str account_full_name_of(uint32_t uid, struct pr_arena *arena)
{
	char buffer[ACCOUNT_MAX];
	struct passwd entry, *found = NULL;

	return getpwuid_r((uid_t)uid, &entry, buffer, sizeof buffer, &found) == 0 ? full_name(found, arena) : PR_NONE;
}
