/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The walk behind `explain`: the same expansion as at RCPT, with a clock at each question and a form that is told.  Whatever the expansion
 * keeps it copies, so the arena is emptied at each question and a long list costs the memory of one member.
 */
#include "kernel/command/explain.h"

#include "kernel/command/lookups.h"
#include "kernel/route/expand.h"
#include <postrider/address.h>

#include <time.h>

#define STEPS_MAX 10000u
#define MEMBERS_MAX 1000000u

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct module_scope *fresh_scope(struct explain_ask *ask)
{
	pr_arena_reset(&ask->tool->arena);
	ask->last = PR_NONE;
	return &ask->tool->scope;
}

/* A table that cannot be read leaves no answer of the rules: the reason, which the log has too, stands for it. */
static void tell_routed(const struct explain_ask *ask, enum pr_status status, const struct pr_route *route)
{
	const struct module_scope *scope = &ask->tool->scope;
	struct pr_route told = *route;
	bool hard = status == PR_PERMFAIL || status == PR_NOTFOUND;

	if (status != PR_OK && route->code == 0) {
		told.code = hard ? 550 : 451;
		told.enhanced = hard ? PR_STR("5.1.2") : PR_STR("4.3.0");
		told.text = status != PR_NOTFOUND && scope->reason.len > 0 ? scope->reason : hard ? PR_STR("Cannot route to this address") : PR_STR("no reason given");
	}
	ask->out->form->routed(ask->out, status, &told);
}

/* With its steps, or - of an engine that does not know them - without. */
static enum pr_status explained(struct explain_ask *ask, struct pr_str address, struct pr_route *route)
{
	struct module_scope *scope = fresh_scope(ask);
	const struct pr_step *steps = NULL;
	size_t count = 0;

	if (ask->out == NULL)
		return rules_resolve(scope, address, ask->sender, route);
	enum pr_status status = rules_explain(scope, address, ask->sender, STEPS_MAX, route, &steps, &count);
	if (status == PR_MISUSE) {
		count = 0;
		status = rules_resolve(scope, address, ask->sender, route);
	}
	ask->out->form->route(ask->out, address, steps, count, count >= STEPS_MAX);
	tell_routed(ask, status, route);
	return status;
}

static enum pr_status resolve(void *context, struct pr_str address, struct pr_route *route_out)
{
	struct explain_ask *ask = context;

	enum pr_status status = explained(ask, address, route_out);
	if (status == PR_OK) {
		ask->last = pr_arena_copy(&ask->tool->arena, address);
		ask->route = *route_out;
	}
	ask->is_unsure |= status != PR_OK && status != PR_PERMFAIL && status != PR_NOTFOUND;
	return status;
}

static bool has_flag(void *context, struct pr_str mailer, char flag)
{
	struct explain_ask *ask = context;

	return lookup_mailer_flag(ask->tool, mailer, flag);
}

static void tell(struct explain_ask *ask, struct explain_lookup lookup, int64_t began)
{
	bool is_answer = lookup.status == PR_OK || lookup.status == PR_NOTFOUND;

	ask->is_unsure |= !is_answer && lookup.status != PR_PERMFAIL;
	lookup.nanoseconds = now() - began;
	if (ask->out != NULL)
		ask->out->form->lookup(ask->out, &lookup);
}

static enum pr_status alias(void *context, struct pr_str key, struct pr_str *value_out)
{
	struct explain_ask *ask = context;
	const struct pr_list *maps = &ask->tool->config->options.alias_files;
	enum pr_status status = PR_NOTFOUND;

	for (size_t i = 0; status == PR_NOTFOUND && i < maps->count; i++) {
		struct module_scope *scope = fresh_scope(ask);
		int64_t began = now();
		status = map_lookup(scope, maps->items[i], key, NULL, value_out);
		tell(ask, (struct explain_lookup){.kind = "map", .name = maps->items[i], .key = key, .status = status,
		              .answer = status == PR_OK ? *value_out : status == PR_NOTFOUND ? PR_NONE : explain_why(maps->items[i], scope->reason)}, began);
	}
	return status;
}

static enum pr_status user(void *context, struct pr_str name)
{
	int64_t began = now();
	enum pr_status status = lookup_account(name);

	tell(context, (struct explain_lookup){.kind = "account", .key = name, .status = status}, began);
	return status;
}

static enum pr_status include(void *context, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out)
{
	struct explain_ask *ask = context;
	int64_t began = now();

	enum pr_status status = lookup_include(&ask->tool->config->options, fresh_scope(ask)->arena, path, contents_out, why_out);
	tell(ask, (struct explain_lookup){.kind = "file", .key = path, .status = status, .answer = status == PR_OK ? PR_NONE : *why_out}, began);
	return status;
}

static enum pr_status include_owner(void *context, struct pr_str path, struct pr_str *user_out)
{
	struct explain_ask *ask = context;

	return lookup_include_owner(ask->tool->scope.arena, path, user_out);
}

static void refuse(struct explain_end *end, enum pr_status status, const struct pr_route *route)
{
	bool hard = status == PR_PERMFAIL || status == PR_NOTFOUND;

	end->code = route->code != 0 ? route->code : hard ? 550 : 451;
	end->enhanced = route->enhanced.len > 0 ? route->enhanced : hard ? PR_STR("5.1.2") : PR_STR("4.3.0");
	end->text = route->text.len > 0 ? route->text : hard ? PR_STR("Cannot route to this address") : PR_STR("Temporary lookup failure");
}

/* "550 5.1.1 User unknown", as the expansion notes it for a member of a list. */
static void take_status(struct explain_end *end, const struct pr_recipient *recipient)
{
	struct pr_str rest = recipient->status;
	uint64_t code = 0;

	(void)pr_str_number(pr_str_slice(rest, 0, 3), 999, &code);
	end->code = (uint32_t)code;
	end->enhanced = recipient->enhanced;
	end->text = pr_str_trim(pr_str_slice(rest, 4 + recipient->enhanced.len, rest.len));
}

static void dress(struct explain_ask *ask, struct explain_end *end, struct pr_str sender)
{
	end->sender = sender;
	end->recipient = end->user;
	if (ask->out == NULL)
		return;
	if (sender.len > 0)
		(void)rules_rewrite(&ask->tool->scope, PR_REWRITE_ENVELOPE_SENDER, end->mailer, sender, &end->sender);
	if (!lookup_mailer_flag(ask->tool, end->mailer, 'l')) /* as the courier does */
		(void)rules_rewrite(&ask->tool->scope, PR_REWRITE_ENVELOPE_RECIPIENT, end->mailer, end->user, &end->recipient);
}

static void take_route(struct explain_ask *ask, struct explain_end *end, struct pr_str sender)
{
	struct pr_route route = {.size = sizeof route};

	/* Mostly it is the address that was resolved a moment ago, and name servers were asked for it. */
	if (ask->last.data != NULL && pr_str_equal(ask->last, end->address)) {
		route = ask->route;
	} else {
		enum pr_status status = rules_resolve(fresh_scope(ask), end->address, ask->sender, &route);
		if (status != PR_OK) {
			refuse(end, status, &route);
			return;
		}
	}
	end->mailer = route.mailer;
	end->host = route.host;
	end->user = route.user;
	end->no_mailer = module_find(ask->tool->set, PR_KIND_MAILER, route.mailer) == NULL;
	dress(ask, end, sender);
}

static struct explain_end end_of(struct explain_ask *ask, const struct pr_recipient *recipient, struct pr_str owner)
{
	struct explain_end end = {.address = pr_address_inner(recipient->address), .alias = recipient->alias};
	struct pr_str sender = owner.data != NULL && ask->sender.len > 0 ? owner : ask->sender;
	char first = recipient->address.len > 0 ? recipient->address.data[0] : '\0';

	if (recipient->status.len > 0) {
		take_status(&end, recipient);
	} else if (first == '|' || first == '/') { /* from an alias: the courier knows them by their first byte */
		end.address = end.user = end.recipient = recipient->address;
		end.mailer = first == '|' ? PR_STR("prog") : PR_STR("file");
		end.owner = recipient->owner;
		end.sender = sender;
	} else {
		take_route(ask, &end, sender);
	}
	return end;
}

static void each_end(struct explain_ask *ask, struct expansion *expansion, void (*each)(void *context, const struct explain_end *end),
                     void *context)
{
	size_t count = 0;
	const struct pr_recipient *found = expansion_recipients(expansion, &count);

	for (size_t i = 0; i < count; i++) {
		struct explain_end end = end_of(ask, &found[i], expansion_recipient_owner(expansion, i));
		each(context, &end);
	}
}

void explain_follow(struct explain_ask *ask, struct pr_str address, void (*each)(void *context, const struct explain_end *end), void *context)
{
	const struct expand_source source = {.context = ask, .resolve = resolve, .mailer_has_flag = has_flag, .alias = alias, .user = user,
	    .include = include, .include_owner = include_owner,
	    .rules_take_details = rules_take_any_address(ask->tool->set)};
	const struct expand_limits limits = {
	    .depth = (uint32_t)ask->tool->config->options.max_alias_recursion, .members = MEMBERS_MAX};
	const struct pr_recipient model = {.flags = PR_RECIPIENT_PRIMARY};
	struct expansion *expansion = expansion_new(&source, &limits);
	struct expand_result result = {.code = 0};

	if (expansion_add(expansion, address, &model, true, &result) == PR_OK)
		each_end(ask, expansion, each, context);
	else
		each(context, &(struct explain_end){.address = address, .code = result.code, .enhanced = result.enhanced, .text = result.text,
		                  .reason = result.reason});
	expansion_free(expansion);
}
