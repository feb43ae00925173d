/* SPDX-License-Identifier: BSD-2-Clause
 *
 * genericstable: the address an account shows to the world.  Keys from the most to the least specific, with +detail handed to the value
 * as %1; a value without a domain stays an account of ours.
 */
#include "routes.h"

static bool applies(const struct routes *routes, struct pr_str domain, bool is_local)
{
	if (is_local && domain.len == 0)
		return true;
	return routes->generics_entire_domain ? names_covers(&routes->generics, domain) : names_has(&routes->generics, domain);
}

static enum pr_status ask(struct pr_call *call, const char *mark, struct pr_str user, struct pr_str domain, struct pr_str *value_out)
{
	const struct routes *routes = call->instance;
	struct pr_str key = domain.len > 0 ? pr_arena_printf(call->arena, "%.*s%s@%.*s", PR_PRINT(user), mark, PR_PRINT(domain))
	                                   : pr_arena_printf(call->arena, "%.*s%s", PR_PRINT(user), mark);

	return routes_lookup(call, routes->genericstable, key, value_out);
}

enum pr_status routes_generics(struct pr_call *call, struct pr_str local, struct pr_str domain, bool is_local, struct pr_str *address_out)
{
	const struct routes *routes = call->instance;
	struct pr_str plain = routes_unquote(call, local), value = PR_NONE;
	size_t plus = pr_str_find(plain, '+');
	bool has_plus = plus > 0 && plus < plain.len;
	struct pr_str bare = pr_str_slice(plain, 0, has_plus ? plus : plain.len);
	struct pr_str args[2] = { plain, has_plus ? pr_str_slice(plain, plus + 1, plain.len) : PR_STR("") };
	enum pr_status status = PR_NOTFOUND;

	if (!applies(routes, domain, is_local))
		return PR_NOTFOUND;
	struct pr_str places[2] = { domain.len > 0 ? domain : routes_own_name(call), PR_STR("") };
	for (size_t i = 0; i < 2 && status == PR_NOTFOUND; i++) {
		status = ask(call, "", plain, places[i], &value);
		if (status == PR_NOTFOUND && has_plus)
			status = ask(call, "+*", bare, places[i], &value);
		if (status == PR_NOTFOUND && has_plus)
			status = ask(call, "", bare, places[i], &value);
	}
	if (status != PR_OK)
		return status;
	*address_out = routes_fill(call, value, args, 2);
	return address_out->len > 0 ? PR_OK : PR_NOTFOUND;
}
