/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mailers, accounts and :include: files for the commands that follow an address.  A command has one thread, so the accounts are asked
 * by the plain functions.
 */
#include "kernel/config/rights.h"
#include "kernel/command/lookups.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#define INCLUDE_MAX (16u << 20)

bool lookup_mailer_flag(struct tool *tool, struct pr_str mailer, char flag)
{
	const struct module_instance *instance = module_find(tool->set, PR_KIND_MAILER, mailer);

	return instance != NULL && module_mailer_has_flag(instance, flag);
}

enum pr_status lookup_account(struct pr_str name)
{
	if (name.len == 0 || memchr(name.data, '\0', name.len) != NULL)
		return PR_NOTFOUND;
	char *copy = pr_copy_str(name);
	errno = 0;
	const struct passwd *entry = getpwnam(copy);
	int why = errno;
	pr_free(copy);
	if (entry != NULL)
		return PR_OK;
	return why == 0 || why == ENOENT || why == ESRCH ? PR_NOTFOUND : PR_TEMPFAIL;
}

enum pr_status lookup_include(const struct options *options, struct pr_arena *arena, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out)
{
	return rights_read_include(options, arena, path, INCLUDE_MAX, contents_out, why_out);
}

enum pr_status lookup_include_owner(struct pr_arena *arena, struct pr_str path, struct pr_str *user_out)
{
	struct pr_str name = pr_arena_copy(arena, path);
	struct stat file;
	const struct passwd *entry = name.data != NULL && stat(name.data, &file) == 0 ? getpwuid(file.st_uid) : NULL;

	if (entry == NULL)
		return PR_NOTFOUND;
	*user_out = pr_arena_copy(arena, pr_str(entry->pw_name));
	return PR_OK;
}
