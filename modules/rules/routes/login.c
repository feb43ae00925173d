/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who has proved who he is: whether that lets him relay, and whose name he may pass on.
 */
#include "routes.h"

/* "joe", "joe@example.org", "@example.org" for all of a domain, "*" for all. */
static bool names(struct pr_list list, struct pr_str name)
{
	struct pr_str domain = pr_str_slice(name, pr_str_find_last(name, '@'), name.len);

	for (size_t i = 0; i < list.count; i++) {
		struct pr_str item = list.items[i];
		bool is_domain = item.len > 1 && item.data[0] == '@';
		if (pr_str_equal(item, PR_STR("*")) || pr_str_equal_nocase(item, is_domain ? domain : name))
			return true;
	}
	return false;
}

bool routes_login_relays(struct pr_call *call, const struct pr_check_context *context)
{
	const struct routes *routes = call->instance;

	return context->auth_name.len > 0 && names(routes->relay_authenticated, context->auth_name) &&
	       names(routes->relay_mechanisms, call->host->macro(call, PR_STR("auth_type")));
}

/* RFC 4954 section 5: of the client itself, and of nobody else, since there is no table of who may speak for whom. */
enum pr_status routes_check_author(struct pr_call *call, const struct pr_check_context *context, struct pr_str author, struct pr_verdict *verdict)
{
	struct pr_str decoded = author; /* it came as ${auth_author} is written */

	(void)pr_xtext_decode(author, call->arena, &decoded);
	if (context->auth_name.len > 0 && pr_str_equal_nocase(pr_address_inner(decoded), context->auth_name))
		return PR_OK;
	return routes_reject(verdict, 550, "5.7.1", context->auth_name.len > 0 ? PR_STR("not allowed to act as another") : PR_STR("not authenticated"));
}
