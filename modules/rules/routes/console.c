/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A console for administrators: "address" shows the route, "check_mail address", "check_rcpt address [client]" the verdict,
 * "rewrite address" how it looks outside.  It calls exactly what mail calls, so what it shows is what happens.
 */
#include "routes.h"

static void show_route(struct pr_call *call, struct pr_str address, struct pr_text *out)
{
	struct pr_route route = { .size = sizeof route };

	if (routes_resolve(call, address, PR_STR(""), &route) == PR_OK) {
		pr_text_addf(out, "mailer %.*s, ", PR_PRINT(route.mailer));
		if (route.host.len > 0)
			pr_text_addf(out, "host %.*s, ", PR_PRINT(route.host));
		pr_text_addf(out, "user %.*s\n", PR_PRINT(route.user));
	} else {
		pr_text_addf(out, "%u %.*s %.*s\n", (unsigned)route.code, PR_PRINT(route.enhanced), PR_PRINT(route.text));
	}
}

static void show_verdict(struct pr_call *call, uint32_t check, struct pr_str address, struct pr_str client_address, struct pr_text *out)
{
	static const char *const names[] = { "continue", "accept", "reject", "defer", "discard", "quarantine" };
	struct pr_client client = { .size = sizeof client, .name = PR_STR("[client]"), .address = client_address };
	struct pr_check_context context = { .size = sizeof context, .client = &client };
	struct pr_list arguments = { .items = &address, .count = 1 };
	struct pr_verdict verdict = {0};

	if (routes_check(call, check, &context, &arguments, &verdict) != PR_OK)
		pr_text_addf(out, "cannot tell: %.*s\n", PR_PRINT(call->reason));
	else if (verdict.code == 0)
		pr_text_addf(out, "%s %.*s\n", names[verdict.action % 6], PR_PRINT(verdict.text));
	else
		pr_text_addf(out, "%s %u %.*s %.*s\n", names[verdict.action % 6], (unsigned)verdict.code, PR_PRINT(verdict.enhanced),
		             PR_PRINT(verdict.text));
}

static void show_rewriting(struct pr_call *call, struct pr_str address, struct pr_text *out)
{
	static const char *const labels[] = { "", "envelope sender", "envelope recipient", "header sender", "header recipient" };
	const struct routes *routes = call->instance;
	struct pr_str result = PR_NONE;

	for (uint32_t which = PR_REWRITE_ENVELOPE_SENDER; which <= PR_REWRITE_HEADER_RECIPIENT; which++)
		if (routes_rewrite(call, which, routes->remote_mailer, address, &result) == PR_OK)
			pr_text_addf(out, "%s %.*s\n", labels[which], PR_PRINT(result));
}

enum pr_status routes_console(struct pr_call *call, struct pr_str line, struct pr_text *out)
{
	struct pr_str rest = pr_str_trim(line), word = PR_NONE, address = PR_NONE, client = PR_NONE;

	if (pr_str_equal(rest, PR_STR("/quit")))
		return PR_NOTFOUND;
	if (rest.len == 0 || rest.data[0] == '#')
		return PR_OK;
	pr_str_next(&rest, ' ', &word);
	rest = pr_str_trim(rest.data == NULL ? PR_STR("") : rest);
	if (rest.len == 0) {
		show_route(call, word, out);
		return PR_OK;
	}
	pr_str_next(&rest, ' ', &address);
	client = pr_str_trim(rest.data == NULL ? PR_STR("") : rest);
	if (client.len == 0)
		client = PR_STR("192.0.2.1");
	if (pr_str_equal(word, PR_STR("check_mail")))
		show_verdict(call, PR_CHECK_MAIL, address, client, out);
	else if (pr_str_equal(word, PR_STR("check_rcpt")))
		show_verdict(call, PR_CHECK_RCPT, address, client, out);
	else if (pr_str_equal(word, PR_STR("check_relay")))
		show_verdict(call, PR_CHECK_RELAY, PR_STR(""), address, out);
	else if (pr_str_equal(word, PR_STR("rewrite")))
		show_rewriting(call, address, out);
	else
		pr_text_addf(out, "say: ADDRESS, check_mail ADDRESS [CLIENT], check_rcpt ADDRESS [CLIENT], check_relay CLIENT, rewrite ADDRESS, /quit\n");
	return PR_OK;
}
