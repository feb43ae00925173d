/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The gate: which check asks which table.  Whoever submits on this machine (the local socket) is not checked here; the
 * kernel already knows who it is.
 */
#include "routes.h"

enum pr_status routes_refuse(const struct refusal *refusal, struct pr_verdict *verdict)
{
	verdict->action = refusal->code >= 500 ? PR_REJECT : PR_DEFER;
	verdict->code = refusal->code;
	verdict->enhanced = refusal->enhanced;
	verdict->text = refusal->text;
	return PR_OK;
}

enum pr_status routes_reject(struct pr_verdict *verdict, uint32_t code, const char *enhanced, struct pr_str text)
{
	struct refusal refusal = { .code = code, .enhanced = pr_str(enhanced), .text = text };

	return routes_refuse(&refusal, verdict);
}

/* A connection: by its verified name, then by its address. */
static enum pr_status check_client(struct pr_call *call, const struct pr_client *client, struct pr_verdict *verdict)
{
	struct pr_str value = PR_NONE;
	enum pr_status status = access_domain(call, "Connect", client->name, &value);

	if (status == PR_NOTFOUND)
		status = access_network(call, "Connect", client->address, &value);
	if (status == PR_NOTFOUND || (status == PR_OK && access_is_accept(value)))
		return PR_OK;
	if (status != PR_OK)
		return PR_TEMPFAIL;
	access_verdict(call, value, NULL, verdict);
	return PR_OK;
}

static bool is_submission(const struct pr_check_context *context)
{
	return context->client != NULL && pr_str_equal(context->client->address, PR_STR("local"));
}

/* How it came counts before what it says. */
static enum pr_status check_mail(struct pr_call *call, const struct pr_check_context *context, struct pr_str sender, struct pr_verdict *verdict)
{
	struct pr_str verify = call->host->macro(call, PR_STR("verify"));
	enum pr_status status = routes_check_client_tls(call, context->client, verify, verdict);

	return status != PR_OK || verdict->action != PR_CONTINUE ? status : routes_check_sender(call, context, sender, verdict);
}

enum pr_status routes_check(struct pr_call *call, uint32_t check, const struct pr_check_context *context,
                            const struct pr_list *arguments, struct pr_verdict *verdict)
{
	struct pr_str argument = arguments != NULL && arguments->count > 0 ? arguments->items[0] : PR_STR("");

	if (check == PR_CHECK_TRY_TLS || check == PR_CHECK_TLS_SERVER || check == PR_CHECK_TLS_RCPT)
		return routes_check_server(call, check, argument, verdict);
	if (context == NULL || context->client == NULL)
		return PR_OK;
	switch (check) {
	case PR_CHECK_RELAY:
		return is_submission(context) ? PR_OK : check_client(call, context->client, verdict);
	case PR_CHECK_TLS_CLIENT:
		return routes_check_client_tls(call, context->client, argument, verdict);
	case PR_CHECK_MAIL:
		return is_submission(context) ? PR_OK : check_mail(call, context, argument, verdict);
	case PR_CHECK_TRUST_AUTH:
		return routes_check_author(call, context, argument, verdict);
	case PR_CHECK_RCPT:
		return is_submission(context) ? PR_OK : routes_check_recipient(call, context, argument, verdict);
	default:
		return PR_OK;
	}
}
