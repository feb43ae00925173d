/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Aliases for notices: mail of our own did not come through the receiver, which expands everybody else's.
 * What cannot be expanded stays as it is; its delivery then says why.
 */
#include "kernel/config/rights.h"
#include "kernel/courier/internal.h"
#include "kernel/route/expand.h"

#include <postrider/address.h>

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#define MEMBERS_MAX 100000
#define INCLUDE_MAX (1u << 20)
#define ACCOUNT_MAX 16384

static enum pr_status resolve(void *context, struct pr_str address, struct pr_route *route_out)
{
	struct job *job = context;

	return rules_resolve(&job->scope, address, PR_STR(""), route_out);
}

static enum pr_status local(void *context, struct pr_str mailer, struct pr_str host, struct pr_str name, struct pr_route *route_out)
{
	struct job *job = context;

	return rules_local(&job->scope, mailer, host, name, route_out);
}

static bool mailer_has_flag(void *context, struct pr_str mailer, char flag)
{
	const struct job *job = context;
	const struct module_instance *instance = module_find(job->courier->set, PR_KIND_MAILER, mailer);

	return instance != NULL && module_mailer_has_flag(instance, flag);
}

static enum pr_status alias(void *context, struct pr_str key, struct pr_str *value_out)
{
	struct job *job = context;
	const struct pr_list *files = &job->courier->options->alias_files;

	for (size_t i = 0; i < files->count; i++) {
		enum pr_status status = map_lookup(&job->scope, files->items[i], key, NULL, value_out);
		if (status != PR_NOTFOUND)
			return status;
	}
	return PR_NOTFOUND;
}

static enum pr_status user(void *context, struct pr_str name)
{
	struct job *job = context;
	struct passwd entry, *found = NULL;
	char *buffer = pr_arena_alloc(&job->arena, ACCOUNT_MAX);
	struct pr_str account = pr_arena_copy(&job->arena, name);

	if (buffer == NULL || account.len == 0 || memchr(account.data, '\0', account.len) != NULL)
		return PR_NOTFOUND;
	int error = getpwnam_r(account.data, &entry, buffer, ACCOUNT_MAX, &found);
	return found != NULL ? PR_OK : error == 0 ? PR_NOTFOUND : PR_TEMPFAIL;
}

/* As for everybody's mail: read only what nobody but its owner can have written. */
static enum pr_status include(void *context, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out)
{
	struct job *job = context;

	return rights_read_include(job->courier->options, &job->arena, path, INCLUDE_MAX, contents_out, why_out);
}

static enum pr_status include_owner(void *context, struct pr_str path, struct pr_str *user_out)
{
	struct job *job = context;
	struct pr_str name = pr_arena_copy(&job->arena, path);
	char *buffer = pr_arena_alloc(&job->arena, ACCOUNT_MAX);
	struct passwd entry, *found = NULL;
	struct stat file;

	if (name.data == NULL || buffer == NULL || stat(name.data, &file) != 0 ||
	    getpwuid_r(file.st_uid, &entry, buffer, ACCOUNT_MAX, &found) != 0 || found == NULL)
		return PR_NOTFOUND;
	*user_out = pr_arena_copy(&job->arena, pr_str(found->pw_name));
	return PR_OK;
}

/* An address that stayed itself is written as its sender wrote it, with or without <>, as sendmail does. */
static void keep_form(struct pr_recipient *recipient, const struct pr_envelope *given)
{
	for (size_t i = 0; i < given->recipient_count; i++)
		if (pr_str_equal(pr_address_inner(recipient->address), pr_address_inner(given->recipients[i].address)))
			recipient->address = given->recipients[i].address;
}

void notice_expand(struct job *job, struct pr_envelope *envelope)
{
	const struct expand_source source = {job, resolve, mailer_has_flag, local, alias, user, include, include_owner, rules_take_any_address(job->courier->set)};
	const struct expand_limits limits = {.depth = (uint32_t)job->courier->options->max_alias_recursion, .members = MEMBERS_MAX};
	struct expansion *expansion = expansion_new(&source, &limits);
	struct expand_result result;
	bool good = true;

	for (size_t i = 0; i < envelope->recipient_count && good; i++) {
		struct pr_str address = pr_address_inner(envelope->recipients[i].address);
		/* the sender we report to is a stranger's word: no program, file or list by its own name */
		good = expansion_add(expansion, address, &envelope->recipients[i], true, &result) == PR_OK;
	}
	struct pr_envelope expanded = *envelope;
	expanded.recipients = expansion_recipients(expansion, &expanded.recipient_count);
	struct pr_envelope *copy = good && expanded.recipient_count > 0 ? pr_envelope_copy(&expanded, &job->arena) : NULL;
	for (size_t i = 0; copy != NULL && i < copy->recipient_count; i++)
		keep_form(&copy->recipients[i], envelope);
	if (copy != NULL) {
		envelope->recipients = copy->recipients;
		envelope->recipient_count = copy->recipient_count;
	}
	expansion_free(expansion);
}

struct pr_str notice_group(struct job *job, struct pr_str to)
{
	struct pr_recipient recipient = {.address = to, .flags = PR_RECIPIENT_PRIMARY};
	struct pr_envelope envelope = {.size = sizeof envelope, .sender = PR_STR("<>"), .recipients = &recipient, .recipient_count = 1};

	if (job->courier->config == NULL || job->courier->config->group_count == 0)
		return PR_NONE;
	notice_expand(job, &envelope);
	return module_queue_group(&job->scope, pr_address_inner(envelope.recipients[0].address), PR_STR(""));
}
