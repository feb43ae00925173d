/* SPDX-License-Identifier: BSD-2-Clause
 *
 * May this client name this recipient?  What ends here is for everybody; anything else needs a client we trust by its address, an
 * entry in the access table, a login, or a certificate.  The address is judged after everything that could hide a second destination has been
 * taken off, so a%b@us is a recipient at b.
 */
#include "routes.h"

static const struct refusal disabled = { 550, { "5.2.1", 5 }, { "Mailbox disabled for this recipient", 35 } };

/* To: entries that shut a recipient out. */
static enum pr_status check_blocked(struct pr_call *call, const struct canonical *address, struct pr_verdict *verdict)
{
	const struct routes *routes = call->instance;
	struct pr_str value = PR_NONE;
	struct pr_str domain = address->domain.len > 0 ? address->domain : routes_own_name(call);

	if (!routes->blocklist_recipients)
		return PR_OK;
	enum pr_status status = access_address(call, "To", address->local, domain, &value);
	if (status == PR_NOTFOUND || (status == PR_OK && access_is_accept(value)))
		return PR_OK;
	if (status != PR_OK)
		return PR_TEMPFAIL;
	if (!pr_str_has_prefix_nocase(value, PR_STR("QUARANTINE:"))) /* quarantine is for whole messages */
		access_verdict(call, value, &disabled, verdict);
	return PR_OK;
}

/* Does mail for this domain end here, or do we pass it on for everybody?  PR_OK, PR_NOTFOUND, PR_TEMPFAIL */
static enum pr_status is_ours(struct pr_call *call, const struct canonical *address)
{
	const struct routes *routes = call->instance;
	struct pr_str value = PR_NONE;

	if (address->is_local || names_covers(&routes->virtuals, address->domain) || names_covers(&routes->relay, address->domain))
		return PR_OK;
	enum pr_status status = access_domain(call, "To", address->domain, &value);
	return status == PR_OK && !access_is_relay(value) ? PR_NOTFOUND : status;
}

/* relay_based_on_mx: does the domain itself name us, as one of the hosts that take its mail? */
static enum pr_status names_us(struct pr_call *call, struct pr_str domain)
{
	const struct routes *routes = call->instance;
	const struct pr_mx *mx = NULL;
	size_t count = 0;

	if (!routes->relay_based_on_mx || domain.len == 0 || domain.data[0] == '[')
		return PR_NOTFOUND;
	enum pr_status status = call->host->dns_mx(call, domain, &mx, &count);
	for (size_t i = 0; status == PR_OK && i < count; i++)
		if (mx[i].name.len > 0 && routes_is_local_domain(call, pr_arena_lower(call->arena, mx[i].name)))
			return PR_OK;
	return status == PR_TEMPFAIL ? PR_TEMPFAIL : PR_NOTFOUND;
}

/* Something like user%elsewhere behind a domain we only relay for: the next host would take it apart. */
static bool hides_another(struct pr_call *call, const struct canonical *address)
{
	struct pr_str plain = routes_unquote(call, address->local);

	return !address->is_local && (pr_str_find(plain, '%') < plain.len || pr_str_find(plain, '!') < plain.len ||
	                              pr_str_find(plain, '@') < plain.len);
}

/* Is the client one of ours?  By address only, or by an entry that somebody wrote for it. */
static enum pr_status is_trusted_client(struct pr_call *call, const struct pr_client *client)
{
	const struct routes *routes = call->instance;
	struct pr_str value = PR_NONE;

	if (networks_has(&routes->clients, client->address))
		return PR_OK;
	enum pr_status status = access_network(call, "Connect", client->address, &value);
	if (status == PR_OK && access_is_relay(value))
		return PR_OK;
	if (status != PR_TEMPFAIL && client->resolve == 0 && client->name.len > 0 && client->name.data[0] != '[') {
		status = access_domain(call, "Connect", client->name, &value);
		if (status == PR_OK && access_is_relay(value))
			return PR_OK;
	}
	return status == PR_OK ? PR_NOTFOUND : status;
}

/* An address that leads nowhere is refused as that; otherwise the text tells the client's administrator what is wrong with its name. */
static enum pr_status deny(struct pr_call *call, const struct pr_client *client, struct pr_str recipient, struct pr_verdict *verdict)
{
	struct pr_str where = client->address;
	struct pr_route route = { .size = sizeof route };

	if (routes_resolve(call, recipient, PR_STR(""), &route) != PR_OK) {
		struct refusal nowhere = { .code = route.code, .enhanced = route.enhanced, .text = route.text };
		call->reason = PR_NONE;
		return routes_refuse(&nowhere, verdict);
	}

	if (client->resolve == 3)
		return routes_reject(verdict, 450, "4.7.1",
		                     pr_arena_printf(call->arena, "Relaying temporarily denied. Cannot resolve PTR record for %.*s", PR_PRINT(where)));
	if (client->resolve == 2)
		return routes_reject(verdict, 550, "5.7.1",
		                     pr_arena_printf(call->arena, "Relaying denied. IP name possibly forged [%.*s]", PR_PRINT(where)));
	if (client->resolve == 1)
		return routes_reject(verdict, 550, "5.7.1",
		                     pr_arena_printf(call->arena, "Relaying denied. IP name lookup failed [%.*s]", PR_PRINT(where)));
	return routes_reject(verdict, 550, "5.7.1", PR_STR("Relaying denied"));
}

enum pr_status routes_check_recipient(struct pr_call *call, const struct pr_check_context *context, struct pr_str recipient,
                                      struct pr_verdict *verdict)
{
	struct canonical address;
	struct refusal refusal;

	enum pr_status status = routes_canonical(call, pr_address_inner(recipient), &address, &refusal);
	if (status == PR_TEMPFAIL && call->reason.data != NULL)
		return status; /* domaintable cannot be read: the log is to say why */
	if (status != PR_OK)
		return routes_refuse(&refusal, verdict);
	status = check_blocked(call, &address, verdict);
	if (status != PR_OK || verdict->action != PR_CONTINUE)
		return status;
	status = hides_another(call, &address) ? PR_NOTFOUND : is_ours(call, &address);
	if (status == PR_NOTFOUND && routes_login_relays(call, context))
		status = PR_OK;
	if (status == PR_NOTFOUND)
		status = is_trusted_client(call, context->client);
	if (status == PR_NOTFOUND && !hides_another(call, &address))
		status = names_us(call, address.domain);
	if (status == PR_NOTFOUND)
		status = routes_certificate_relays(call);
	if (status == PR_NOTFOUND)
		return deny(call, context->client, pr_address_inner(recipient), verdict);
	return status == PR_OK ? PR_OK : PR_TEMPFAIL;
}
