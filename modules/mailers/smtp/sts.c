/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MTA-STS (RFC 8461) in the client: whose policy counts for a host, and what it wants of it.
 *
 *     DANE with records that can be used? --yes--> that judges, and nothing else (section 2)
 *     policy none, or there is none -------------> TLS as with anybody
 *     the host is not in it ---------------------> enforce: not called; testing: called, and reported
 *     STARTTLS, TLS 1.2, certificate and name ---> enforce: or nothing is sent; testing: reported
 *
 * The domain is the one whose MX records led here, or the name of a host that the configuration gives: a smart host is its own domain
 * (section 3.4).  Addresses, sockets and programs have none, and LMTP is not for hosts of MX records.
 */
#include "smtp.h"

#include "sts_fetch.h"

/* A name without a leading / is below the queue, beside its groups. */
static struct pr_str directory_of(struct pr_call *call)
{
	struct pr_str name = call->host->option(call, PR_STR("TLSPolicyDirectory")), queue = call->host->option(call, PR_STR("QueueDirectory"));

	if (name.len == 0)
		return PR_STR("");
	if (name.data[0] == '/')
		return name;
	if (pr_str_find(queue, '*') < queue.len)
		queue = pr_str_slice(queue, 0, pr_str_find_last(queue, '/'));
	return pr_arena_printf(call->arena, "%.*s/%.*s", PR_PRINT(queue), PR_PRINT(name));
}

bool smtp_sts_is_possible(struct pr_call *call)
{
	const struct pr_host *host = call->host;
	struct pr_text why;

	pr_text_init(&why, 400);
	bool can = sts_fetch_can(&why);
	if (!can)
		pr_fail(call, PR_MISUSE, "MTA-STS: %s", why.data);
	else if (host->option(call, PR_STR("CACertFile")).len == 0 && host->option(call, PR_STR("CACertPath")).len == 0) {
		pr_fail(call, PR_MISUSE, "MTA-STS: CACertPath is needed, on Debian /etc/ssl/certs of the package ca-certificates");
		can = false;
	}
	pr_text_fini(&why);
	return can;
}

enum pr_status smtp_sts_open(struct pr_call *call)
{
	struct smtp *smtp = call->instance;
	struct sts_settings settings = {.ca_file = call->host->option(call, PR_STR("CACertFile")), .ca_path = call->host->option(call, PR_STR("CACertPath")),
	                                .directory = directory_of(call), .port = (uint32_t)smtp->sts_port};

	if (settings.directory.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the path of a directory");
	smtp->policies = sts_cache_new(&settings);
	smtp->sts_use = 1;
	return PR_OK;
}

void smtp_sts_close(struct smtp *smtp)
{
	sts_cache_free(smtp->policies);
	smtp->policies = NULL;
}

static enum pr_status ask(struct smtp_run *run, struct pr_str domain, struct smtp_outcome *outcome)
{
	if (pr_str_equal_nocase(run->sts_domain, domain))
		return PR_OK; /* for another address, or another host of the same domain */
	if (sts_cache_ask(run->smtp->policies, run->call, domain, &run->sts_answer) != PR_OK) {
		*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.3.0"), run->call->reason, PR_NONE};
		return PR_TEMPFAIL;
	}
	run->sts_domain = domain;
	return PR_OK;
}

static enum pr_status refuse_host(struct smtp_run *run, struct pr_str name, struct smtp_outcome *outcome)
{
	struct pr_str text = pr_arena_printf(run->call->arena, "Deferred: MTA-STS: the policy of %.*s does not name %.*s", PR_PRINT(run->sts_domain), PR_PRINT(name));

	if (run->unnamed != run->target)
		smtp_report(run, PR_STR("validation-failure"), PR_STR("the policy does not name this host"));
	run->unnamed = run->target;
	run->is_reported = true; /* for each of its addresses it is the same */
	if (!smtp_sts_is_enforced(run))
		return PR_OK;
	*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.7.0"), text, PR_NONE}; /* it has not answered */
	return PR_TEMPFAIL;
}

enum pr_status smtp_sts_find(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	struct pr_str name = smtp_host_name(target), domain = smtp_policy_domain(target);

	run->sts = NULL;
	run->sts_failure = PR_NONE;
	if (!run->smtp->sts_use || run->without_sts || run->smtp->lmtp || run->smtp->path.len > 0 || name.len == 0 || name.data[0] == '/' || smtp_is_number(name))
		return PR_OK;
	if (run->dane != NULL && run->dane->state == PR_DANE_VERIFY)
		return PR_OK;
	if (ask(run, domain, outcome) != PR_OK)
		return PR_TEMPFAIL;
	const struct sts_policy *policy = run->sts_answer.policy;
	if (policy == NULL)
		run->sts_failure = run->sts_answer.failure;
	if (policy == NULL || policy->mode == STS_NONE)
		return PR_OK;
	run->sts = policy;
	return sts_policy_has(policy, name) ? PR_OK : refuse_host(run, name, outcome);
}

bool smtp_sts_is_enforced(const struct smtp_run *run)
{
	return run->sts != NULL && run->sts->mode == STS_ENFORCE;
}

bool smtp_sts_failed(struct smtp_run *run, struct smtp_outcome *outcome)
{
	const struct pr_host *host = run->call->host;
	struct pr_str judged = smtp_sts_is_enforced(run) ? host->macro(run->call, PR_STR("webpki")) : PR_STR("OK");

	if (pr_str_equal(judged, PR_STR("OK")))
		return false;
	struct pr_str text = pr_arena_printf(run->call->arena, "454 4.7.0 MTA-STS check failed: %.*s", PR_PRINT(judged));
	*outcome = (struct smtp_outcome){PR_TEMPFAIL, 454, PR_STR("4.7.0"), text, PR_NONE};
	return true;
}
