/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client's certificate is worth, by the access table: CERTISSUER: and CERTSUBJECT: let its owner relay, TLS_Clt: says what a client must show.
 * That an authority is known is not enough to relay: its own name must stand in the table, for authorities sign for strangers, too.
 */
#include "routes.h"

static struct pr_str macro(struct pr_call *call, const char *name)
{
	struct pr_str value = call->host->macro(call, pr_str(name));

	return value.data != NULL ? value : PR_STR("");
}

static enum pr_status look_up(struct pr_call *call, const char *tag, struct pr_str name, struct pr_str *value_out)
{
	const struct routes *routes = call->instance;

	if (name.len == 0 || routes->access.len == 0 || !call->host->map_exists(call, routes->access))
		return PR_NOTFOUND;
	return routes_lookup(call, routes->access, pr_arena_printf(call->arena, "%s:%.*s", tag, PR_PRINT(name)), value_out);
}

enum pr_status routes_certificate_relays(struct pr_call *call)
{
	struct pr_str value = PR_NONE;

	if (!pr_str_equal(macro(call, "verify"), PR_STR("OK")))
		return PR_NOTFOUND;
	enum pr_status status = look_up(call, "CERTISSUER", macro(call, "cert_issuer"), &value);
	if (status == PR_OK && pr_str_equal_nocase(value, PR_STR("SUBJECT")))
		status = look_up(call, "CERTSUBJECT", macro(call, "cert_subject"), &value);
	return status == PR_OK && !access_is_relay(value) ? PR_NOTFOUND : status;
}

enum pr_status routes_check_client_tls(struct pr_call *call, const struct pr_client *client, struct pr_str verify, struct pr_verdict *verdict)
{
	bool has_name = client->resolve == 0 && client->name.len > 0 && client->name.data[0] != '[';
	struct pr_str name = has_name ? pr_arena_lower(call->arena, client->name) : PR_STR(""), value = PR_NONE;
	enum pr_status status = access_server(call, "TLS_Clt", name, client->address, &value);

	if (status == PR_OK)
		routes_judge_tls(call, verify, value, verdict);
	return status == PR_NOTFOUND ? PR_OK : status;
}
