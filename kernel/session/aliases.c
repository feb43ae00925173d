/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The expansion's questions, each answered within the scope of the command that is running.  A table that cannot be
 * read is never "no such user".
 */
#include "kernel/config/rights.h"
#include "kernel/session/aliases.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#define MEMBERS_MAX 1000000
#define INCLUDE_MAX (16u * 1024 * 1024)
#define ACCOUNT_NAME_MAX 256
#define ACCOUNT_MAX 16384

static enum pr_status resolve(void *context, struct pr_str address, struct pr_route *route_out)
{
	const struct transaction *transaction = context;

	return rules_resolve(transaction->scope, address, pr_address_inner(transaction->sender), route_out);
}

static enum pr_status local(void *context, struct pr_str mailer, struct pr_str host, struct pr_str name, struct pr_route *route_out)
{
	const struct transaction *transaction = context;

	return rules_local(transaction->scope, mailer, host, name, route_out);
}

static bool mailer_has_flag(void *context, struct pr_str mailer, char flag)
{
	const struct transaction *transaction = context;
	const struct module_instance *instance = module_find(transaction->session->receiver->modules, PR_KIND_MAILER, mailer);

	return instance != NULL && module_mailer_has_flag(instance, flag);
}

static enum pr_status alias(void *context, struct pr_str key, struct pr_str *value_out)
{
	const struct transaction *transaction = context;
	const struct pr_list *files = &transaction->session->receiver->options->alias_files;

	for (size_t i = 0; i < files->count; i++) {
		enum pr_status status = map_lookup(transaction->scope, files->items[i], key, NULL, value_out);
		if (status != PR_NOTFOUND)
			return status;
	}
	return PR_NOTFOUND;
}

/* On the stack, not in the arena: a list may have thousands of local members. */
static enum pr_status user(void *context, struct pr_str name)
{
	char buffer[ACCOUNT_MAX];
	char account[ACCOUNT_NAME_MAX];
	struct passwd entry;
	struct passwd *found = NULL;

	(void)context;
	if (name.len == 0 || name.len >= sizeof account || memchr(name.data, '\0', name.len) != NULL)
		return PR_NOTFOUND;
	memcpy(account, name.data, name.len);
	account[name.len] = '\0';
	int error = getpwnam_r(account, &entry, buffer, sizeof buffer, &found);
	if (found != NULL)
		return PR_OK;
	return error == 0 || error == ENOENT || error == ESRCH ? PR_NOTFOUND : PR_TEMPFAIL;
}

static enum pr_status include(void *context, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out)
{
	const struct transaction *transaction = context;

	return rights_read_include(transaction->session->receiver->options, transaction->scope->arena, path, INCLUDE_MAX, contents_out, why_out);
}

static enum pr_status include_owner(void *context, struct pr_str path, struct pr_str *user_out)
{
	const struct transaction *transaction = context;
	struct pr_arena *arena = transaction->scope->arena;
	struct pr_str name = pr_arena_copy(arena, path);
	char *buffer = pr_arena_alloc(arena, ACCOUNT_MAX);
	struct passwd entry;
	struct passwd *found = NULL;
	struct stat file;

	if (name.data == NULL || buffer == NULL || stat(name.data, &file) != 0 ||
	    getpwuid_r(file.st_uid, &entry, buffer, ACCOUNT_MAX, &found) != 0 || found == NULL)
		return PR_NOTFOUND;
	*user_out = pr_arena_copy(arena, pr_str(found->pw_name));
	return PR_OK;
}

struct expansion *aliases_expansion(struct transaction *transaction)
{
	struct expand_source source = {
	    .context = transaction,
	    .resolve = resolve,
	    .mailer_has_flag = mailer_has_flag,
	    .local = local,
	    .alias = alias,
	    .user = user,
	    .include = include,
	    .include_owner = include_owner,
	    .rules_take_details = rules_take_any_address(transaction->session->receiver->modules),
	};
	struct expand_limits limits = {
	    .depth = (uint32_t)transaction->session->receiver->options->max_alias_recursion,
	    .members = MEMBERS_MAX,
	};

	return expansion_new(&source, &limits);
}
