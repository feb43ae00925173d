/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailertable, and the "mailer:host" form that smart_host and luser_relay share with it.
 * A domain is looked up whole, then as ".parent" for each parent, then as "."; %1 is what stood before the matched part.
 */
#include "routes.h"

static enum pr_status find(struct pr_call *call, struct pr_str domain, struct pr_str *value_out, struct pr_str args[2])
{
	const struct routes *routes = call->instance;
	enum pr_status status = routes_lookup(call, routes->mailertable, domain, value_out);
	size_t dot = 0;

	args[0] = domain;
	args[1] = PR_STR("");
	while (status == PR_NOTFOUND && domain.data[0] != '[') {
		struct pr_str rest = pr_str_slice(domain, dot + (dot > 0), domain.len);
		dot += (dot > 0) + pr_str_find(rest, '.');
		if (dot >= domain.len)
			break;
		args[0] = pr_arena_copy(call->arena, pr_str_slice(domain, dot, domain.len));
		args[1] = pr_str_slice(domain, 0, dot);
		status = routes_lookup(call, routes->mailertable, args[0], value_out);
	}
	if (status == PR_NOTFOUND) {
		args[0] = PR_STR(".");
		args[1] = domain;
		status = routes_lookup(call, routes->mailertable, args[0], value_out);
	}
	return status;
}

/* smtp, smtp8 ... in old tables all mean our one SMTP mailer. */
static struct pr_str mailer_name(const struct routes *routes, struct pr_str name)
{
	for (size_t i = 0; i < routes->remote_names.count; i++)
		if (pr_str_equal_nocase(routes->remote_names.items[i], name))
			return routes->remote_mailer;
	return name;
}

/* Where "mailer:" ends; 0 when the value is a bare host: "[1.2.3.4]:25", "gate.example.org:587". */
static size_t mailer_length(struct pr_str value)
{
	size_t colon = pr_str_find(value, ':');
	uint64_t port;

	if (colon == value.len || value.data[0] == '[' || pr_str_number(pr_str_slice(value, colon + 1, value.len), 65535, &port))
		return 0;
	return colon;
}

static enum pr_status local_triple(struct pr_call *call, struct pr_str user, const struct canonical *address, struct pr_route *route)
{
	const struct routes *routes = call->instance;

	route->mailer = routes->local_mailer;
	route->host = PR_STR("");
	route->user = pr_arena_lower(call->arena, user.len > 0 ? user : address->local);
	return PR_OK;
}

struct pr_str routes_triple_mailer(const struct routes *routes, struct pr_str value)
{
	size_t length = value.len > 0 ? mailer_length(value) : 0;
	struct pr_str mailer = length > 0 ? pr_str_slice(value, 0, length) : routes->relay_mailer;

	if (value.len == 0 || pr_str_equal_nocase(mailer, PR_STR("error")))
		return PR_NONE;
	return pr_str_equal_nocase(mailer, PR_STR("local")) ? routes->local_mailer : mailer_name(routes, mailer);
}

enum pr_status routes_triple(struct pr_call *call, struct pr_str value, const struct canonical *address,
                             struct pr_route *route, struct refusal *refusal)
{
	const struct routes *routes = call->instance;
	size_t length = mailer_length(value);
	struct pr_str mailer = length > 0 ? pr_str_slice(value, 0, length) : routes->relay_mailer;
	struct pr_str host = pr_str_trim(length > 0 ? pr_str_slice(value, length + 1, value.len) : value);
	size_t at = pr_str_find_last(host, '@');

	if (pr_str_equal_nocase(mailer, PR_STR("error"))) {
		routes_parse_error(host, refusal);
		return refusal->code >= 500 ? PR_PERMFAIL : PR_TEMPFAIL;
	}
	if (pr_str_equal_nocase(mailer, PR_STR("local")))
		return local_triple(call, host, address, route);
	route->mailer = pr_arena_copy(call->arena, mailer_name(routes, mailer));
	route->user = at < host.len ? pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(pr_str_slice(host, 0, at)),
	                                              PR_PRINT(pr_str_slice(host, at + 1, host.len)))
	              : address->domain.len == 0 ? pr_arena_copy(call->arena, address->local)
	                                         : pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(address->local), PR_PRINT(address->shown));
	route->host = at < host.len ? pr_str_slice(host, at + 1, host.len) : host;
	route->host = pr_arena_lower(call->arena, route->host);
	return PR_OK;
}

enum pr_status routes_mailertable(struct pr_call *call, const struct canonical *address, struct pr_route *route,
                                  struct refusal *refusal)
{
	struct pr_str value = PR_NONE, args[2];
	enum pr_status status = find(call, address->domain, &value, args);

	if (status != PR_OK)
		return status;
	value = routes_fill(call, value, args, 2);
	routes_step_list(call, "mailertable", address->domain, value);
	if (value.len == 0) {
		*refusal = (struct refusal){ .code = 553, .enhanced = PR_STR("5.3.5"), .text = PR_STR("Empty mailertable entry") };
		return PR_PERMFAIL;
	}
	return routes_triple(call, value, address, route, refusal);
}
