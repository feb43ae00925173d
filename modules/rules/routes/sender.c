/* SPDX-License-Identifier: BSD-2-Clause
 *
 * May this address send?  First the access table, whose OK overrules everything else; then the domain must exist in DNS unless
 * it is ours.  A name server that does not answer defers, it does not refuse.
 */
#include "routes.h"

/* PR_OK, PR_NOTFOUND (does not exist), PR_PERMFAIL (takes no mail, RFC 7505) or PR_TEMPFAIL. */
static enum pr_status domain_exists(struct pr_call *call, struct pr_str domain)
{
	const struct pr_mx *mx = NULL;
	struct pr_list addresses = {0};
	struct pr_str name = PR_NONE;
	size_t count = 0;

	if (domain.data[0] == '[' && domain.data[domain.len - 1] == ']')
		return call->host->dns_name(call, pr_arena_copy(call->arena, pr_str_slice(domain, 1, domain.len - 1)), &name);
	enum pr_status status = call->host->dns_mx(call, domain, &mx, &count);
	if (status == PR_OK && count == 1 && mx[0].name.len == 0)
		return PR_PERMFAIL;
	if (status == PR_PERMFAIL) /* aliases without end lead nowhere */
		return PR_NOTFOUND;
	return status == PR_NOTFOUND ? call->host->dns_addresses(call, domain, &addresses) : status;
}

static enum pr_status check_domain(struct pr_call *call, const struct canonical *address, struct pr_str shown, struct pr_verdict *verdict)
{
	const struct routes *routes = call->instance;

	if (pr_str_find(shown, '@') < shown.len) /* domaintable may have another name for it */
		shown = pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(address->local), PR_PRINT(address->shown));

	if (address->is_local || routes->accept_unresolvable_domains || names_covers(&routes->virtuals, address->domain))
		return PR_OK;
	enum pr_status status = domain_exists(call, address->domain);
	if (status == PR_OK)
		return PR_OK;
	if (status == PR_TEMPFAIL)
		return routes_reject(verdict, 451, "4.1.8",
		                     pr_arena_printf(call->arena, "Domain of sender address %.*s does not resolve", PR_PRINT(shown)));
	if (status == PR_PERMFAIL && routes->accept_null_mx_senders)
		return PR_OK;
	if (status == PR_PERMFAIL)
		return routes_reject(verdict, 550, "5.7.27", pr_arena_printf(call->arena, "Domain of sender address %.*s does not accept mail: MX 0 .", PR_PRINT(shown)));
	return routes_reject(verdict, 553, "5.1.8",
	                     pr_arena_printf(call->arena, "Domain of sender address %.*s does not exist", PR_PRINT(shown)));
}

static bool is_localhost(struct pr_str domain)
{
	return pr_str_equal(domain, PR_STR("localhost")) || pr_str_equal(domain, PR_STR("localhost.localdomain"));
}

/* A modifier of the listener, where small ones stand apart from large ones (${daemon_flags}). */
static bool has_modifier(struct pr_call *call, char letter)
{
	struct pr_str flags = call->host->macro(call, PR_STR("daemon_flags"));

	return pr_str_find(flags, letter) < flags.len;
}

/* A machine of our own may leave the domain out, or name only itself; its name must be verified and in our list.  The listener may allow that to all
 * or to none; with both letters the first one counts, which is in m4's rules u for a name alone, f for localhost. */
static bool may_be_short(struct pr_call *call, const struct pr_check_context *context, const char *letters)
{
	const struct routes *routes = call->instance;
	const struct pr_client *client = context->client;

	for (; *letters != '\0'; letters++)
		if (has_modifier(call, *letters))
			return *letters == 'u';
	return routes->accept_unqualified_senders ||
	       (client->resolve == 0 && !is_localhost(client->name) && routes_is_local_domain(call, client->name));
}

/* A bounce must be able to go somewhere: an address that our own tables refuse is no sender. */
static enum pr_status check_route(struct pr_call *call, struct pr_str sender, struct pr_verdict *verdict)
{
	struct pr_route route = { .size = sizeof route };
	enum pr_status status = routes_resolve(call, sender, PR_STR(""), &route);

	if (status == PR_OK)
		return PR_OK;
	struct refusal nowhere = { .code = route.code, .enhanced = route.enhanced, .text = route.text };
	if (status == PR_PERMFAIL)
		call->reason = PR_NONE;
	return status == PR_PERMFAIL ? routes_refuse(&nowhere, verdict) : status;
}

enum pr_status routes_check_sender(struct pr_call *call, const struct pr_check_context *context, struct pr_str sender,
                                   struct pr_verdict *verdict)
{
	struct canonical address;
	struct refusal refusal;
	struct pr_str value = PR_NONE, inner = pr_address_inner(sender);

	if (inner.len == 0)
		return PR_OK; /* a bounce */
	enum pr_status status = routes_canonical(call, inner, &address, &refusal);
	if (status != PR_OK)
		return routes_refuse(&refusal, verdict);
	status = access_address(call, "From", address.local, address.domain, &value);
	if (status == PR_TEMPFAIL)
		return PR_TEMPFAIL;
	if (status == PR_OK && !access_is_accept(value)) {
		access_verdict(call, value, NULL, verdict);
		return PR_OK;
	}
	if (status == PR_OK)
		return check_route(call, inner, verdict);
	if (address.domain.len == 0)
		return may_be_short(call, context, "uf") ? PR_OK
		                                   : routes_reject(verdict, 553, "5.5.4",
		                                                   pr_arena_printf(call->arena, "Domain name required for sender address %.*s",
		                                                                   PR_PRINT(inner)));
	if (is_localhost(address.domain) && !may_be_short(call, context, "fu"))
		return routes_reject(verdict, 553, "5.5.4", PR_STR("Real domain name required for sender address"));
	status = check_domain(call, &address, inner, verdict);
	return status == PR_OK && verdict->action == PR_CONTINUE ? check_route(call, inner, verdict) : status;
}
