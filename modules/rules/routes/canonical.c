/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes an address apart the way sendmail's first rulesets do: routes, %-hacks and bang paths behind a domain of ours are peeled off
 * until what is left is either ours or somebody else's.  Peeling is a loop with a bound, since the sender chooses how often.
 */
#include "routes.h"

#include <string.h>

#define PEELS 50

static enum pr_status refuse(struct refusal *refusal_out, const char *enhanced, const char *text)
{
	*refusal_out = (struct refusal){ .code = 553, .enhanced = pr_str(enhanced), .text = pr_str(text) };
	return PR_PERMFAIL;
}

bool routes_is_local_domain(struct pr_call *call, struct pr_str domain)
{
	const struct routes *routes = call->instance;

	return names_has(&routes->local, domain) || pr_str_equal_nocase(domain, routes_own_name(call));
}

struct pr_str routes_unquote(struct pr_call *call, struct pr_str local)
{
	struct pr_text text;
	bool inside = false;

	pr_text_init(&text, local.len);
	for (size_t i = 0; i < local.len; i++) {
		if (local.data[i] == '"')
			inside = !inside;
		else if (local.data[i] == '\\' && inside && i + 1 < local.len)
			pr_text_add_byte(&text, local.data[++i]);
		else
			pr_text_add_byte(&text, local.data[i]);
	}
	struct pr_str plain = pr_arena_copy(call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return plain.data == NULL ? PR_STR("") : plain;
}

/* Where the bytes are, outside quotes, that make an address more than a word; text.len when absent. */
struct marks {
	size_t at, last_at, comma, bang, last_percent;
	bool balanced;
};

static struct marks find_marks(struct pr_str text)
{
	struct marks marks = { text.len, text.len, text.len, text.len, text.len, true };
	bool inside = false;

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		if (byte > '@' && byte != '\\') /* letters: nearly all of it */
			continue;
		if (byte == '\\')
			i++;
		else if (byte == '"')
			inside = !inside;
		else if (inside)
			continue;
		else if (byte == '@')
			marks.at = marks.at < text.len ? marks.at : i;
		else if (byte == ',')
			marks.comma = marks.comma < text.len ? marks.comma : i;
		else if (byte == '!')
			marks.bang = marks.bang < text.len ? marks.bang : i;
		else if (byte == '%')
			marks.last_percent = i;
		if (byte == '@')
			marks.last_at = i;
	}
	marks.balanced = !inside;
	return marks;
}

/* "@a,@b:user@domain" -> "user@domain" */
static bool take_route(struct pr_str *address)
{
	while (address->len > 0 && address->data[0] == '@') {
		size_t colon = pr_str_find(*address, ':');
		if (colon == address->len)
			return address->len == 1 || pr_str_find(*address, ',') == address->len;
		*address = pr_str_trim(pr_str_slice(*address, colon + 1, address->len));
	}
	return true;
}

static bool is_host_byte(unsigned char byte)
{
	if ((byte >= 'a' && byte <= 'z') || byte == '.')
		return true;
	return byte > ' ' && byte != 127 && memchr("\"<>()\\,;:|/", byte, 11) == NULL;
}

static enum pr_status check_domain(struct pr_str domain, struct refusal *refusal_out)
{
	if (domain.len == 0)
		return refuse(refusal_out, "5.1.3", "Hostname required");
	if (domain.data[0] == '[')
		return PR_OK;
	if (domain.data[0] == '.' || memmem(domain.data, domain.len, "..", 2) != NULL || domain.len > 255)
		return refuse(refusal_out, "5.1.2", "Invalid host name");
	for (size_t i = 0; i < domain.len; i++) /* it becomes part of commands, keys and log lines */
		if (!is_host_byte((unsigned char)domain.data[i]))
			return refuse(refusal_out, "5.1.2", "Invalid host name");
	return PR_OK;
}

/* domaintable: the name a domain goes by here. */
static enum pr_status map_domain(struct pr_call *call, struct canonical *canonical)
{
	const struct routes *routes = call->instance;
	struct pr_str value = PR_NONE;
	enum pr_status status = routes_lookup(call, routes->domaintable, canonical->domain, &value);

	if (status == PR_OK && value.len > 0) {
		canonical->shown = value;
		canonical->domain = pr_arena_lower(call->arena, value);
	}
	return status == PR_NOTFOUND ? PR_OK : status;
}

static enum pr_status set_domain(struct pr_call *call, struct pr_str domain, struct canonical *canonical, struct refusal *refusal_out)
{
	domain = pr_str_trim(domain);
	while (domain.len > 1 && domain.data[domain.len - 1] == '.')
		domain.len--;
	canonical->shown = domain;
	canonical->domain = pr_arena_lower(call->arena, domain);
	enum pr_status status = check_domain(canonical->domain, refusal_out);
	if (status != PR_OK)
		return status;
	status = map_domain(call, canonical);
	if (status != PR_OK)
		*refusal_out = (struct refusal){ .code = 451, .enhanced = PR_STR("4.3.0"), .text = PR_STR("Temporary lookup failure") };
	return status;
}

/* One step: splits `address` at its @; without one at the last %, or at the first ! */
static enum pr_status split(struct pr_call *call, struct pr_str address, struct canonical *canonical, struct refusal *refusal_out)
{
	struct marks marks = find_marks(address);
	size_t at = marks.at, percent = marks.last_percent, bang = marks.bang;

	if (!marks.balanced)
		return refuse(refusal_out, "5.1.3", "Unbalanced '\"'");
	if (marks.comma < address.len)
		return refuse(refusal_out, "5.1.3", "Invalid route address");

	*canonical = (struct canonical){ .local = address, .domain = PR_STR(""), .shown = PR_STR("") };
	if (at < address.len) {
		if (marks.last_at != at)
			return refuse(refusal_out, "5.1.3", "Invalid route address");
		canonical->local = pr_str_trim(pr_str_slice(address, 0, at));
		if (canonical->local.len == 0)
			return refuse(refusal_out, "5.1.3", "User address required");
		return set_domain(call, pr_str_slice(address, at + 1, address.len), canonical, refusal_out);
	}
	if (bang > 0 && bang + 1 < address.len) {
		struct pr_str host = pr_str_slice(address, 0, bang);
		canonical->local = pr_str_slice(address, bang + 1, address.len);
		/* a bare word in front is a UUCP neighbour: there are none here, the name says so */
		if (pr_str_find(host, '.') == host.len && !routes_is_local_domain(call, host))
			host = pr_arena_printf(call->arena, "%.*s.uucp", PR_PRINT(host));
		return set_domain(call, host, canonical, refusal_out);
	}
	if (percent < address.len) {
		canonical->local = pr_str_slice(address, 0, percent);
		if (canonical->local.len == 0)
			return refuse(refusal_out, "5.1.3", "User address required");
		return set_domain(call, pr_str_slice(address, percent + 1, address.len), canonical, refusal_out);
	}
	return PR_OK;
}

enum pr_status routes_split(struct pr_call *call, struct pr_str address, struct canonical *canonical_out, struct refusal *refusal_out)
{
	address = pr_str_trim(pr_address_inner(pr_str_trim(address)));
	if (!take_route(&address) || address.len == 0)
		return refuse(refusal_out, "5.1.3", "Invalid route address");
	enum pr_status status = split(call, address, canonical_out, refusal_out);
	canonical_out->is_local = status == PR_OK &&
	                          (canonical_out->domain.len == 0 || routes_is_local_domain(call, canonical_out->domain));
	return status;
}

/* Is there another address inside a local part behind a domain of ours? */
static bool has_inner(struct pr_str local)
{
	struct marks marks = find_marks(local);

	return marks.last_percent < local.len || (marks.bang > 0 && marks.bang + 1 < local.len) || marks.at < local.len;
}

/* A domain that is ours, or a name without one. */
static bool is_ours(struct pr_call *call, const struct canonical *canonical)
{
	const struct routes *routes = call->instance;

	if (canonical->domain.len == 0)
		return true;
	if (!routes_is_local_domain(call, canonical->domain))
		return false;
	routes_step_list(call, names_has(&routes->local, canonical->domain) ? "local_domains" : "HostName", canonical->domain, PR_STR("is ours"));
	return true;
}

enum pr_status routes_canonical(struct pr_call *call, struct pr_str address, struct canonical *canonical_out,
                                struct refusal *refusal_out)
{
	struct canonical canonical = {0};
	uint32_t stripped = 0;
	enum pr_status status = PR_OK;

	*refusal_out = (struct refusal){0};
	address = pr_str_trim(pr_address_inner(pr_str_trim(address)));
	for (int peels = 0; peels < PEELS; peels++) {
		if (!take_route(&address))
			return refuse(refusal_out, "5.1.3", "Invalid route address");
		if (address.len == 0)
			return refuse(refusal_out, "5.1.3", "User address required");
		status = split(call, address, &canonical, refusal_out);
		if (status != PR_OK)
			return status;
		canonical.is_local = is_ours(call, &canonical);
		/* "a@b"@us and "a%b"@us mean a@b: the quotes do not hide a relay */
		struct pr_str plain = canonical.is_local ? routes_unquote(call, canonical.local) : canonical.local;
		if (!canonical.is_local || !has_inner(plain)) {
			canonical.was_stripped = stripped;
			*canonical_out = canonical;
			return PR_OK;
		}
		if (plain.len == address.len && canonical.domain.len == 0)
			break; /* nothing came off: no progress */
		routes_step_list(call, "inner address", address, plain);
		address = plain;
		stripped = 1;
	}
	return refuse(refusal_out, "5.1.3", "Invalid route address");
}
