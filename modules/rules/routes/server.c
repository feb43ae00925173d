/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The access table about next hosts: Try_TLS:, TLS_Srv:, TLS_Rcpt:, Clt_Features:, AuthInfo:, by the keys that sendmail.cf asks for.
 * The host is the one that the mailer says it talks to; a mailer that says nothing asks about nobody.
 */
#include "routes.h"

static struct pr_str server_name(struct pr_call *call)
{
	struct pr_str name = call->host->macro(call, PR_STR("server_name"));

	return name.data != NULL ? pr_arena_lower(call->arena, name) : PR_STR("");
}

static struct pr_str server_address(struct pr_call *call)
{
	struct pr_str address = call->host->macro(call, PR_STR("server_addr"));

	return address.data != NULL ? address : PR_STR("");
}

static enum pr_status ask_about_server(struct pr_call *call, const char *tag, struct pr_str *value_out)
{
	return access_has_table(call) ? access_server(call, tag, server_name(call), server_address(call), value_out) : PR_NOTFOUND;
}

static enum pr_status check_try(struct pr_call *call, struct pr_verdict *verdict)
{
	struct pr_str value = PR_NONE;
	enum pr_status status = ask_about_server(call, "Try_TLS", &value);

	if (status != PR_OK)
		return status == PR_NOTFOUND ? PR_OK : status;
	if (!pr_str_equal_nocase(value, PR_STR("NO")))
		return PR_OK;
	struct pr_str text = pr_arena_printf(call->arena, "do not try TLS with %.*s [%.*s]", PR_PRINT(server_name(call)), PR_PRINT(server_address(call)));
	return routes_reject(verdict, 550, "5.7.1", text);
}

static enum pr_status check_recipient(struct pr_call *call, struct pr_str address, struct pr_verdict *verdict)
{
	struct canonical recipient;
	struct refusal ignored;
	struct pr_str value = PR_NONE;

	if (!access_has_table(call) || routes_split(call, pr_address_inner(address), &recipient, &ignored) != PR_OK)
		return PR_OK;
	enum pr_status status = access_mailbox(call, "TLS_Rcpt", recipient.local, recipient.domain, &value);
	if (status != PR_OK)
		return status == PR_NOTFOUND ? PR_OK : status;
	struct pr_str verify = call->host->macro(call, PR_STR("verify"));
	routes_judge_tls(call, verify, value, verdict);
	return PR_OK;
}

enum pr_status routes_check_server(struct pr_call *call, uint32_t check, struct pr_str argument, struct pr_verdict *verdict)
{
	struct pr_str value = PR_NONE;

	if (check == PR_CHECK_TRY_TLS)
		return check_try(call, verdict);
	if (check == PR_CHECK_TLS_RCPT)
		return check_recipient(call, argument, verdict);
	enum pr_status status = ask_about_server(call, "TLS_Srv", &value);
	if (status != PR_OK && status != PR_NOTFOUND)
		return status;
	routes_judge_tls(call, argument, status == PR_OK ? value : PR_NONE, verdict);
	return PR_OK;
}

enum pr_status routes_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	if (pr_str_equal(name, PR_STR("local_host_name")))
		return arguments->count > 0 && routes_is_local_domain(call, pr_arena_lower(call->arena, arguments->items[0])) ? PR_OK : PR_NOTFOUND;
	if (pr_str_equal(name, PR_STR("authinfo")))
		return ask_about_server(call, "AuthInfo", value_out);
	if (!pr_str_equal(name, PR_STR("clt_features")) || !access_has_table(call))
		return PR_NOTFOUND;
	struct pr_str host = arguments->count > 0 ? pr_arena_lower(call->arena, arguments->items[0]) : PR_STR("");
	return access_server(call, "Clt_Features", host, PR_STR(""), value_out); /* asked before there is a connection */
}
