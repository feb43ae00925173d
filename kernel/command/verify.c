/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -bv: what would happen to an address, said without sending anything.
 * Verification expands exactly as reception does, through kernel/route, so what it prints is what a message would do.
 */
#include "kernel/command/lookups.h"
#include "kernel/command/modes.h"

#include "kernel/command/sendmail/recipients.h"
#include "kernel/route/expand.h"
#include <postrider/address.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct verification {
	struct tool *tool;
	bool verbose;
	struct pr_str address; /* the one being asked about */
};

static enum pr_status resolve(void *context, struct pr_str address, struct pr_route *route_out)
{
	struct verification *verification = context;

	return rules_resolve(&verification->tool->scope, address, PR_STR(""), route_out);
}

static enum pr_status local(void *context, struct pr_str mailer, struct pr_str host, struct pr_str name, struct pr_route *route_out)
{
	struct verification *verification = context;

	return rules_local(&verification->tool->scope, mailer, host, name, route_out);
}

static bool has_flag(void *context, struct pr_str mailer, char flag)
{
	struct verification *verification = context;

	return lookup_mailer_flag(verification->tool, mailer, flag);
}

static enum pr_status alias(void *context, struct pr_str key, struct pr_str *value_out)
{
	struct verification *verification = context;
	const struct pr_list *maps = &verification->tool->config->options.alias_files;

	for (size_t i = 0; i < maps->count; i++) {
		enum pr_status status = map_lookup(&verification->tool->scope, maps->items[i], key, NULL, value_out);
		if (status == PR_OK && verification->verbose)
			printf("%.*s... aliased to %.*s\n", PR_PRINT(key), PR_PRINT(*value_out));
		if (status != PR_NOTFOUND)
			return status;
	}
	return PR_NOTFOUND;
}

static enum pr_status user(void *context, struct pr_str name)
{
	(void)context;
	return lookup_account(name);
}

static enum pr_status include(void *context, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out)
{
	struct verification *verification = context;

	return lookup_include(&verification->tool->config->options, &verification->tool->arena, path, contents_out, why_out);
}

static enum pr_status include_owner(void *context, struct pr_str path, struct pr_str *user_out)
{
	struct verification *verification = context;

	return lookup_include_owner(&verification->tool->arena, path, user_out);
}

static int failure_status(const struct expand_result *result)
{
	int status = pr_str_equal(result->enhanced, PR_STR("5.1.2")) ? EX_NOHOST : EX_UNAVAILABLE;
	if (pr_str_equal(result->enhanced, PR_STR("5.1.1")))
		status = EX_NOUSER;
	else if (result->code < 500)
		status = EX_TEMPFAIL;
	else if (pr_str_has_prefix_nocase(result->text, PR_STR("Cannot mail directly")))
		status = EX_USAGE;
	else if (pr_str_has_prefix_nocase(result->enhanced, PR_STR("5.7.")))
		status = EX_DATAERR;
	return status;
}

/* The status of one final recipient, told in one line. */
static int print_route(struct verification *verification, struct pr_str address)
{
	struct pr_route route = {.size = sizeof route};

	if (address.len > 0 && (address.data[0] == '|' || address.data[0] == '/')) {
		printf("%.*s... deliverable: mailer %s, user %.*s\n", PR_PRINT(address),
		    address.data[0] == '|' ? "prog" : "*file*", PR_PRINT(address));
		return EX_OK;
	}
	if (rules_destination(&verification->tool->scope, address, PR_STR(""), &route) != PR_OK) {
		printf("%.*s... %.*s\n", PR_PRINT(address), PR_PRINT(route.text));
		return EX_UNAVAILABLE;
	}
	/* a backslash says that the name is no alias any more */
	struct pr_str name = pr_str_slice(route.user, route.user.len > 1 && route.user.data[0] == '\\', route.user.len);
	if (has_flag(verification, route.mailer, 'w') && user(verification, name) == PR_NOTFOUND) {
		printf("%.*s... User unknown\n", PR_PRINT(address));
		return EX_NOUSER;
	}
	printf("%.*s... deliverable: mailer %.*s, %s%.*s%suser %.*s\n", PR_PRINT(address), PR_PRINT(route.mailer),
	    route.host.len > 0 ? "host " : "", PR_PRINT(route.host), route.host.len > 0 ? ", " : "",
	    PR_PRINT(route.user));
	return EX_OK;
}

/* What is wrong with a list is told of its file: ":include:/list... Cannot open /list: Group writable file". */
static void print_refusal(struct pr_str address, const struct expand_result *result)
{
	static const struct pr_str mark = PR_STR_INIT(": :include:");

	for (size_t i = 0; i + mark.len < result->reason.len; i++) {
		struct pr_str rest = pr_str_slice(result->reason, i, result->reason.len);
		if (!pr_str_has_prefix_nocase(rest, mark))
			continue;
		struct pr_str file = pr_str_slice(rest, 2, rest.len);
		size_t colon = mark.len - 2 + pr_str_find(pr_str_slice(file, mark.len - 2, file.len), ':');
		printf("%.*s... %.*s\n", PR_PRINT(pr_str_slice(file, 0, colon)), PR_PRINT(pr_str_trim(pr_str_slice(file, colon + 1, file.len))));
		return;
	}
	printf("%.*s... %.*s\n", PR_PRINT(address), PR_PRINT(result->text));
}

/* All addresses of one command line are one envelope: a recipient that comes twice is told once. */
static int verify_all(struct verification *verification, const struct recipients *recipients)
{
	const struct options *options = &verification->tool->config->options;
	const struct expand_source source = {.context = verification,
	    .resolve = resolve,
	    .mailer_has_flag = has_flag,
	    .local = local,
	    .alias = alias,
	    .user = user,
	    .include = include,
	    .include_owner = include_owner,
	    .rules_take_details = rules_take_any_address(verification->tool->set)};
	const struct expand_limits limits = {
	    .depth = (uint32_t)options->max_alias_recursion, .members = RECIPIENTS_MAX};
	const struct pr_recipient model = {.flags = PR_RECIPIENT_PRIMARY};
	struct expansion *expansion = expansion_new(&source, &limits);
	size_t count = 0;
	int worst = EX_OK;

	for (size_t i = 0; i < recipients->count; i++) {
		struct expand_result result = {.code = 0};
		struct pr_str address = recipients->items[i].address;
		if (expansion_add(expansion, address, &model, true, &result) == PR_OK)
			continue;
		print_refusal(address, &result);
		int status = failure_status(&result);
		worst = worst == EX_OK || status != EX_NOUSER ? status : worst;
	}
	const struct pr_recipient *found = expansion_recipients(expansion, &count);
	for (size_t i = 0; i < count; i++) {
		int status = print_route(verification, pr_address_inner(found[i].address));
		worst = worst == EX_OK ? status : worst;
	}
	expansion_free(expansion);
	return worst;
}

int verify_mode(const struct arguments *arguments)
{
	struct tool tool;
	struct recipients recipients;
	struct pr_text error;

	if (arguments->address_count == 0) {
		fprintf(stderr, "Recipient names must be specified\n");
		return EX_USAGE;
	}
	int status = tool_open_lenient(arguments, &tool, stderr);
	if (status != EX_OK)
		return status;
	if (tool.config->exit_status != 0) { /* sendmail goes on with half a file in its test mode only */
		status = (int)tool.config->exit_status;
		tool_close(&tool);
		return status;
	}
	identity_show(arguments, &tool);
	pr_text_init(&error, 65536);
	recipients_init(&recipients);
	struct verification verification = {.tool = &tool, .verbose = arguments->verbose};
	for (size_t i = 0; i < arguments->address_count; i++) {
		int bad =
		    recipients_add_list(&recipients, pr_str(arguments->addresses[i]), true, RECIPIENT_WAITING, &error);
		status = bad != EX_OK ? bad : status;
	}
	if (error.len > 0)
		printf("%s\n", error.data);
	int verified = verify_all(&verification, &recipients);
	recipients_fini(&recipients);
	pr_text_fini(&error);
	tool_close(&tool);
	return status != EX_OK ? status : verified;
}
