/* SPDX-License-Identifier: BSD-2-Clause
 *
 * luser_relay: mail for a local name that is neither an account nor an alias goes elsewhere.  The question is asked here and not by
 * the kernel, because the courier, which resolves again, must come to the same answer.
 */
#include "routes.h"

/* PR_OK: the name is known as it is, or without its +detail. */
static enum pr_status is_alias(struct pr_call *call, struct pr_str key)
{
	const struct routes *routes = call->instance;
	struct pr_str value;
	enum pr_status status = PR_NOTFOUND;

	for (size_t i = 0; status == PR_NOTFOUND && i < routes->aliases.count; i++)
		status = routes_lookup(call, routes->aliases.items[i], key, &value);
	return status;
}

static enum pr_status is_account(struct pr_call *call, struct pr_str name)
{
	struct pr_str home;
	uint32_t uid;
	int64_t began = routes_step_clock(call);
	enum pr_status status = call->host->user_find(call, name, &uid, &home);

	routes_step_map(call, PR_STR("accounts"), name, status, PR_STR("known"), began);
	return status;
}

static enum pr_status is_known(struct pr_call *call, struct pr_str name)
{
	size_t plus = pr_str_find(name, '+');
	struct pr_str bare = pr_arena_copy(call->arena, pr_str_slice(name, 0, plus));
	enum pr_status status = is_alias(call, name);

	if (status == PR_NOTFOUND && plus > 0 && plus < name.len) {
		status = is_alias(call, pr_arena_printf(call->arena, "%.*s+*", PR_PRINT(bare)));
		if (status == PR_NOTFOUND)
			status = is_alias(call, bare);
	}
	if (status == PR_NOTFOUND)
		status = is_account(call, name);
	if (status == PR_NOTFOUND && plus > 0 && plus < name.len)
		status = is_account(call, bare);
	return status;
}

enum pr_status routes_luser(struct pr_call *call, const struct canonical *address, struct pr_route *route, struct refusal *refusal)
{
	const struct routes *routes = call->instance;
	struct canonical known = *address;
	enum pr_status status = is_known(call, pr_arena_lower(call->arena, routes_unquote(call, address->local)));

	if (status == PR_OK)
		return PR_NOTFOUND; /* the ordinary way */
	if (status != PR_NOTFOUND)
		return PR_TEMPFAIL;
	routes_step_list(call, "luser_relay", address->local, routes->luser_relay);
	if (known.domain.len == 0)
		known.domain = known.shown = routes_own_name(call);
	return routes_triple(call, routes->luser_relay, &known, route, refusal);
}
