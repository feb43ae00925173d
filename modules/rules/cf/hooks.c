/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the kernel's questions to rule sets and back.
 */
#include "hooks.h"

enum pr_status cf_rewrite_op(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address, struct pr_str *address_out)
{
	struct cf_run run;
	struct pr_str result;

	cf_run_begin(&run, call);
	const struct cf_mailer *known = cf_mailer_find(run.cf, mailer);
	if (known == NULL)
		return PR_OK;
	int status = cf_remote(&run, address, known, which, true, &result);
	if (status == CF_TEMPFAIL)
		return pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(run.complaint));
	*address_out = result;
	return PR_OK;
}

enum pr_status cf_resolve(struct cf_run *run, struct pr_str text, struct pr_str sender, struct pr_route *route_out)
{
	struct cf_address address;

	(void)sender;
	if (!cf_parse(run, text, true, &address) || address.is_refused) {
		address = (struct cf_address){ .is_error = true, .code = PR_STR("5.1.3"), .text = run->complaint };
		cf_error_of(run, &address, &route_out->code, &route_out->enhanced, &route_out->text);
		return PR_PERMFAIL;
	}
	if (address.is_deferred)
		return pr_fail(run->call, PR_TEMPFAIL, "%.*s", PR_PRINT(run->complaint));
	if (address.mailer != NULL) {
		route_out->mailer = address.mailer->name;
		route_out->host = address.host.data == NULL ? PR_STR("") : address.host;
		route_out->user = address.user;
		return PR_OK;
	}
	cf_error_of(run, &address, &route_out->code, &route_out->enhanced, &route_out->text);
	return route_out->code / 100 == 4 ? PR_TEMPFAIL : PR_PERMFAIL;
}

enum pr_status cf_resolve_op(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out)
{
	struct cf_run run;

	cf_run_begin(&run, call);
	return cf_resolve(&run, address, sender, route_out);
}
