/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a recipient goes.  virtusertable may give another address, so the steps run in a loop with a bound; everything else
 * is settled in one pass: ours, mailertable, smart host, the domain itself.
 */
#include "routes.h"

#define HOPS 10 /* virtusertable entries that point at each other */

static enum pr_status fail(const struct refusal *refusal, struct pr_route *route)
{
	route->code = refusal->code;
	route->enhanced = refusal->enhanced;
	route->text = refusal->text;
	return refusal->code >= 500 ? PR_PERMFAIL : PR_TEMPFAIL;
}

static struct pr_str whole(struct pr_call *call, const struct canonical *address)
{
	return pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(address->local), PR_PRINT(address->shown));
}

static bool is_plain(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == '@' || text.data[i] == '"' || text.data[i] == ',' || text.data[i] == '\\' ||
		    text.data[i] == '(' || text.data[i] == ')' || text.data[i] == '<' || text.data[i] == '>')
			return false;
	return text.len > 0;
}

/* Quotes stay only where they are needed; a backslash in front only says "no aliases", which is the kernel's business. */
static struct pr_str local_user(struct pr_call *call, struct pr_str local)
{
	struct pr_str plain = routes_unquote(call, local);

	if (local.len > 1 && local.data[0] == '\\')
		plain = pr_str_slice(plain, 1, plain.len);
	return pr_arena_lower(call->arena, is_plain(plain) ? plain : local);
}

static enum pr_status resolve_local(struct pr_call *call, const struct canonical *address, struct pr_route *route, struct refusal *refusal)
{
	const struct routes *routes = call->instance;
	enum pr_status status = PR_NOTFOUND;

	if (routes->luser_relay.len > 0)
		status = routes_luser(call, address, route, refusal);
	if (status != PR_NOTFOUND)
		return status;
	route->mailer = routes->local_mailer;
	route->host = PR_STR("");
	route->user = local_user(call, address->local);
	routes_step_list(call, "local_mailer", address->local, route->mailer);
	return PR_OK;
}

/* "user@dom.redirect" tells the world where somebody went. */
static bool has_moved(struct pr_call *call, const struct canonical *address, struct refusal *refusal)
{
	const struct pr_str mark = PR_STR(".redirect");

	if (!pr_str_has_suffix_nocase(address->domain, mark) || address->domain.len <= mark.len)
		return false;
	struct pr_str domain = pr_str_slice(address->shown, 0, address->shown.len - mark.len);
	*refusal = (struct refusal){ .code = 551, .enhanced = PR_STR("5.1.1"),
		.text = pr_arena_printf(call->arena, "User has moved; please try <%.*s@%.*s>", PR_PRINT(address->local), PR_PRINT(domain)) };
	return true;
}

static enum pr_status resolve_remote(struct pr_call *call, const struct canonical *address, struct pr_route *route, struct refusal *refusal)
{
	const struct routes *routes = call->instance;

	if (has_moved(call, address, refusal))
		return PR_PERMFAIL;
	enum pr_status status = routes_mailertable(call, address, route, refusal);
	if (status != PR_NOTFOUND)
		return status;
	if (routes->smart_host.len > 0) {
		routes_step_list(call, "smart_host", address->domain, routes->smart_host);
		return routes_triple(call, routes->smart_host, address, route, refusal);
	}
	routes_step_list(call, "remote_mailer", address->domain, routes->remote_mailer);
	route->mailer = routes->remote_mailer;
	route->host = address->domain;
	route->user = whole(call, address);
	return PR_OK;
}

/* Is virtusertable asked about this domain? */
static bool is_virtual(struct pr_call *call, const struct canonical *address)
{
	const struct routes *routes = call->instance;

	if (address->domain.len == 0 || address->is_local)
		return address->domain.len > 0;
	if (!names_covers(&routes->virtuals, address->domain))
		return false;
	routes_step_list(call, "virtual_domains", address->domain, PR_STR("is virtual"));
	return true;
}

static enum pr_status resolve(struct pr_call *call, struct pr_str address, struct pr_route *route, struct refusal *refusal)
{
	struct canonical canonical;

	for (int hop = 0; hop < HOPS; hop++) {
		struct pr_str asked = address;
		enum pr_status status = routes_canonical(call, address, &canonical, refusal);
		if (status != PR_OK)
			return status;
		status = is_virtual(call, &canonical) ? routes_virtual(call, &canonical, &address, refusal) : PR_NOTFOUND;
		if (status == PR_NOTFOUND)
			return canonical.is_local ? resolve_local(call, &canonical, route, refusal)
			                          : resolve_remote(call, &canonical, route, refusal);
		if (status != PR_OK)
			return status;
		routes_step_list(call, "virtusertable", asked, address);
	}
	*refusal = (struct refusal){ .code = 554, .enhanced = PR_STR("5.4.6"), .text = PR_STR("Virtual user entries point at each other") };
	return PR_PERMFAIL;
}

enum pr_status routes_resolve(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out)
{
	struct pr_route route = { .size = route_out->size };
	struct refusal refusal = {0};

	(void)sender;
	enum pr_status status = resolve(call, address, &route, &refusal);
	if (status == PR_OK && (route.mailer.data == NULL || route.user.data == NULL))
		return pr_fail(call, PR_TEMPFAIL, "%.*s: no memory for the route", PR_PRINT(pr_str_slice(address, 0, 200)));
	if (status != PR_OK) {
		if (refusal.code == 0)
			refusal = (struct refusal){ .code = 451, .enhanced = PR_STR("4.3.0"), .text = PR_STR("Temporary lookup failure") };
		status = fail(&refusal, &route);
		if (call->reason.data == NULL)
			pr_fail(call, status, "%.*s: %.*s", PR_PRINT(pr_str_slice(address, 0, 200)), PR_PRINT(refusal.text));
	}
	*route_out = route;
	return status;
}
