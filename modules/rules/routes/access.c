/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The access table: keys from the most to the least specific, each with its tag and then without.
 * A SKIP ends the search as if nothing had been found, so parents can be shut out.
 */
#include "routes.h"

static const struct refusal access_denied = { 550, { "5.7.1", 5 }, { "Access denied", 13 } };

bool access_is_relay(struct pr_str value)
{
	return pr_str_equal_nocase(value, PR_STR("RELAY"));
}

bool access_is_accept(struct pr_str value)
{
	return pr_str_equal_nocase(value, PR_STR("OK")) || access_is_relay(value);
}

static bool is_skip(struct pr_str value)
{
	return pr_str_equal_nocase(value, PR_STR("SKIP"));
}

/* "Tag:key", then "key". */
static enum pr_status ask(struct pr_call *call, const char *tag, struct pr_str key, struct pr_str *value_out)
{
	const struct routes *routes = call->instance;
	enum pr_status status = routes_lookup(call, routes->access, pr_arena_printf(call->arena, "%s:%.*s", tag, PR_PRINT(key)), value_out);

	if (status == PR_NOTFOUND)
		status = routes_lookup(call, routes->access, pr_arena_copy(call->arena, key), value_out);
	return status;
}

/* "Tag:key" and nothing else: what is no word about clients, senders and recipients must not be found among theirs. */
static enum pr_status ask_tagged(struct pr_call *call, const char *tag, struct pr_str key, struct pr_str *value_out)
{
	const struct routes *routes = call->instance;

	return routes_lookup(call, routes->access, pr_arena_printf(call->arena, "%s:%.*s", tag, PR_PRINT(key)), value_out);
}

/* Most sites ask dozens of keys per message of a table they do not have. */
bool access_has_table(struct pr_call *call)
{
	const struct routes *routes = call->instance;

	return routes->access.len > 0 && call->host->map_exists(call, routes->access);
}

static enum pr_status settle(enum pr_status status, struct pr_str value)
{
	return status == PR_OK && is_skip(value) ? PR_NOTFOUND : status;
}

static enum pr_status search_domain(struct pr_call *call, const char *tag, struct pr_str domain, struct pr_str *value_out)
{
	enum pr_status status = PR_NOTFOUND;

	while (status == PR_NOTFOUND && domain.len > 0) {
		status = ask(call, tag, domain, value_out);
		if (status == PR_NOTFOUND && domain.data[0] != '[') /* also in the older form with a dot in front */
			status = ask(call, tag, pr_arena_printf(call->arena, ".%.*s", PR_PRINT(domain)), value_out);
		if (domain.data[0] == '[')
			break;
		domain = pr_str_slice(domain, pr_str_find(domain, '.') + 1, domain.len);
	}
	return status;
}

enum pr_status access_domain(struct pr_call *call, const char *tag, struct pr_str domain, struct pr_str *value_out)
{
	return access_has_table(call) ? settle(search_domain(call, tag, domain, value_out), *value_out) : PR_NOTFOUND;
}

/* user+detail@domain, user@domain, user+detail@, user@, domain and its parents. */
enum pr_status access_address(struct pr_call *call, const char *tag, struct pr_str local, struct pr_str domain, struct pr_str *value_out)
{
	size_t plus = pr_str_find(local, '+');
	struct pr_str users[2] = { local, plus > 0 ? pr_str_slice(local, 0, plus) : local };
	size_t count = users[1].len < local.len ? 2 : 1;
	enum pr_status status = PR_NOTFOUND;

	if (!access_has_table(call))
		return status;
	for (size_t i = 0; status == PR_NOTFOUND && domain.len > 0 && i < count; i++)
		status = ask(call, tag, pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(users[i]), PR_PRINT(domain)), value_out);
	for (size_t i = 0; status == PR_NOTFOUND && i < count; i++)
		status = ask(call, tag, pr_arena_printf(call->arena, "%.*s@", PR_PRINT(users[i])), value_out);
	if (status == PR_NOTFOUND)
		status = search_domain(call, tag, domain, value_out);
	return settle(status, *value_out);
}

/* "192.0.2.1", "192.0.2", "192.0.2.", "192.0" ...; "IPv6:2001:db8:..." likewise by colons.  "::" is written out by nobody, so an IPv6
 * address is searched in the form the kernel gives it. */
enum pr_status access_network(struct pr_call *call, const char *tag, struct pr_str address, struct pr_str *value_out)
{
	bool six = pr_str_find(address, ':') < address.len;
	char mark = six ? ':' : '.';
	enum pr_status status = PR_NOTFOUND;

	if (!access_has_table(call))
		return status;
	if (six && !pr_str_has_prefix_nocase(address, PR_STR("IPv6:")))
		address = pr_arena_printf(call->arena, "IPv6:%.*s", PR_PRINT(address));
	while (status == PR_NOTFOUND && address.len > 0) {
		status = ask(call, tag, address, value_out);
		size_t end = pr_str_find_last(address, mark);
		if (end >= address.len)
			break;
		if (status == PR_NOTFOUND)
			status = ask(call, tag, pr_str_slice(address, 0, end + 1), value_out);
		address = pr_str_slice(address, 0, end);
		while (address.len > 0 && address.data[address.len - 1] == mark) /* "2001:db8::" */
			address.len--;
	}
	return settle(status, *value_out);
}

static enum pr_status tagged_parents(struct pr_call *call, const char *tag, struct pr_str key, struct pr_str *value_out)
{
	enum pr_status status = PR_NOTFOUND;

	while (status == PR_NOTFOUND && key.len > 0) {
		status = ask_tagged(call, tag, key, value_out);
		size_t cut = key.data[0] != '[' ? pr_str_find(key, '.') : key.len;
		key = cut < key.len ? pr_str_slice(key, cut + 1, key.len) : PR_STR("");
	}
	return status;
}

/* The front of an address, shorter and shorter: "192.0.2.1", "192.0.2", "192.0" ... */
static enum pr_status tagged_fronts(struct pr_call *call, const char *tag, struct pr_str address, struct pr_str *value_out)
{
	bool six = pr_str_find(address, ':') < address.len;
	enum pr_status status = PR_NOTFOUND;

	if (six && !pr_str_has_prefix_nocase(address, PR_STR("IPv6:")))
		address = pr_arena_printf(call->arena, "IPv6:%.*s", PR_PRINT(address));
	while (status == PR_NOTFOUND && address.len > 0) {
		status = ask_tagged(call, tag, address, value_out);
		size_t end = pr_str_find_last(address, six ? ':' : '.');
		address = end < address.len ? pr_str_slice(address, 0, end) : PR_STR("");
	}
	return status;
}

enum pr_status access_server(struct pr_call *call, const char *tag, struct pr_str name, struct pr_str address, struct pr_str *value_out)
{
	enum pr_status status = tagged_parents(call, tag, name, value_out);
	if (status == PR_NOTFOUND)
		status = tagged_fronts(call, tag, address, value_out);
	if (status == PR_NOTFOUND)
		status = ask_tagged(call, tag, PR_STR(""), value_out);
	return settle(status, *value_out);
}

enum pr_status access_mailbox(struct pr_call *call, const char *tag, struct pr_str local, struct pr_str domain, struct pr_str *value_out)
{
	enum pr_status status = PR_NOTFOUND;

	if (domain.len > 0)
		status = ask_tagged(call, tag, pr_arena_printf(call->arena, "%.*s@%.*s", PR_PRINT(local), PR_PRINT(domain)), value_out);
	if (status == PR_NOTFOUND)
		status = ask_tagged(call, tag, pr_arena_printf(call->arena, "%.*s@", PR_PRINT(local)), value_out);
	if (status == PR_NOTFOUND)
		status = tagged_parents(call, tag, domain, value_out);
	if (status == PR_NOTFOUND)
		status = ask_tagged(call, tag, PR_STR(""), value_out);
	return settle(status, *value_out);
}

void access_verdict(struct pr_call *call, struct pr_str value, const struct refusal *denied, struct pr_verdict *verdict)
{
	struct refusal refusal = {0};

	if (pr_str_equal_nocase(value, PR_STR("DISCARD"))) {
		verdict->action = PR_DISCARD;
	} else if (pr_str_has_prefix_nocase(value, PR_STR("QUARANTINE:"))) {
		verdict->action = PR_QUARANTINE;
		verdict->text = pr_arena_copy(call->arena, pr_str_slice(value, 11, value.len));
	} else if (pr_str_equal_nocase(value, PR_STR("REJECT"))) {
		routes_refuse(denied == NULL ? &access_denied : denied, verdict);
	} else {
		if (pr_str_has_prefix_nocase(value, PR_STR("ERROR:")))
			routes_parse_error(pr_str_slice(value, 6, value.len), &refusal);
		else
			routes_parse_text(value, &refusal);
		routes_refuse(&refusal, verdict);
	}
}
