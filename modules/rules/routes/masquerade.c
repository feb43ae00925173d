/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How addresses look from outside.  Recipients only get a domain where they have none; senders also go through genericstable and
 * masquerade_as, in the envelope only when the administrator says so.  A table that cannot answer fails the rewriting: the mail waits
 * rather than going out under the wrong name.
 */
#include "routes.h"

static struct pr_str join(struct pr_call *call, struct pr_str local, struct pr_str domain)
{
	return pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(local), PR_PRINT(domain));
}

static bool in_set(const struct routes *routes, const struct names *names, struct pr_str domain)
{
	return routes->masquerade_entire_domain ? names_covers(names, domain) : names_has(names, domain);
}

static bool is_masqueraded(struct pr_call *call, const struct canonical *address)
{
	const struct routes *routes = call->instance;

	if (routes->masquerade_as.len == 0 || in_set(routes, &routes->exceptions, address->domain))
		return false;
	return address->is_local || in_set(routes, &routes->masquerade, address->domain);
}

/* sendmail: generics first, then exposed users keep the host's own name, the rest gets the common one. */
static enum pr_status masquerade(struct pr_call *call, struct canonical address, struct pr_str *address_out)
{
	const struct routes *routes = call->instance;
	struct pr_str generic = PR_NONE;
	struct refusal refusal;

	if (address.domain.len > 0 && in_set(routes, &routes->exceptions, address.domain)) {
		*address_out = join(call, address.local, address.shown);
		return PR_OK;
	}
	enum pr_status status = routes_generics(call, address.local, address.domain, address.is_local, &generic);
	if (status == PR_TEMPFAIL)
		return status;
	if (status == PR_OK) { /* with a domain it is what the administrator wants to be seen */
		if (routes_split(call, generic, &address, &refusal) != PR_OK)
			return pr_fail(call, PR_PERMFAIL, "genericstable: \"%.*s\" is no address", PR_PRINT(generic));
		if (address.domain.len > 0) {
			*address_out = join(call, address.local, address.shown);
			return PR_OK;
		}
	}
	struct pr_str shown = address.domain.len > 0 ? address.shown : routes_own_name(call);
	bool exposed = names_has(&routes->exposed, routes_unquote(call, address.local));
	if (!exposed && is_masqueraded(call, &address))
		shown = routes->masquerade_as;
	*address_out = join(call, address.local, shown);
	return PR_OK;
}

static bool is_local_mailer(const struct routes *routes, struct pr_str mailer)
{
	return pr_str_equal(mailer, routes->local_mailer) || pr_str_equal(mailer, PR_STR("prog")) || pr_str_equal(mailer, PR_STR("file"));
}

/* The form of an address for a mailer that stays in the house: a mailbox in the envelope, in the header as little as possible. */
static struct pr_str inside(struct pr_call *call, uint32_t which, const struct canonical *address)
{
	const struct routes *routes = call->instance;

	if (which == PR_REWRITE_ENVELOPE_RECIPIENT || (address->domain.len == 0 && !routes->always_add_domain))
		return address->local;
	return join(call, address->local, address->domain.len > 0 ? address->shown : routes_own_name(call));
}

/* "localhost" and our own numbers mean nothing outside. */
static void forget_localhost(struct canonical *address)
{
	if (address->is_local && (address->domain.data[0] == '[' || pr_str_equal(address->domain, PR_STR("localhost"))))
		address->domain = address->shown = PR_STR("");
}

enum pr_status routes_rewrite(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address,
                              struct pr_str *address_out)
{
	const struct routes *routes = call->instance;
	struct canonical canonical;
	struct refusal refusal = {0};
	bool sender = which == PR_REWRITE_ENVELOPE_SENDER || which == PR_REWRITE_HEADER_SENDER;
	bool masked = which == PR_REWRITE_HEADER_SENDER || (which == PR_REWRITE_ENVELOPE_SENDER && routes->masquerade_envelope) ||
	              (which == PR_REWRITE_HEADER_RECIPIENT && routes->all_masquerade);

	if (address.len == 0 || routes_split(call, address, &canonical, &refusal) != PR_OK) {
		*address_out = address; /* <> and what is no address stay as they are */
		return refusal.code / 100 == 4 && address.len > 0 ? PR_TEMPFAIL : PR_OK;
	}
	forget_localhost(&canonical);
	bool stays = is_local_mailer(routes, mailer) && (which == PR_REWRITE_ENVELOPE_RECIPIENT || (!sender && !routes->all_masquerade) ||
	                                                 (canonical.domain.len == 0 && !routes->always_add_domain));
	enum pr_status status = PR_OK;
	if (stays)
		*address_out = inside(call, which, &canonical);
	else if (masked)
		status = masquerade(call, canonical, address_out);
	else
		*address_out = join(call, canonical.local, canonical.domain.len > 0 ? canonical.shown : routes_own_name(call));
	if (status == PR_OK && address_out->data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for an address");
	return status;
}
