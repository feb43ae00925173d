/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DANE for SMTP (RFC 7672) in the client: whom it is asked of, and what follows before there is a connection.
 * It is asked of hosts that were found by proven means only - the configuration, the domain itself, an MX record that DNSSEC proves - and for each
 * address anew, since the rules may say D (clt_features) for one and the answer is remembered by the resolver.
 */
#include "smtp.h"

#include <arpa/inet.h>
#include <string.h>

bool smtp_is_number(struct pr_str text)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char ignored[16];

	if (pr_str_has_prefix_nocase(text, PR_STR("IPv6:")))
		return true;
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET, copy, ignored) == 1 || inet_pton(AF_INET6, copy, ignored) == 1;
}

static struct pr_str without_dot(struct pr_str name)
{
	return name.len > 1 && name.data[name.len - 1] == '.' ? pr_str_slice(name, 0, name.len - 1) : name;
}

/* "[mx.example.org]" is a name that the configuration gives, as good as a proven one. */
struct pr_str smtp_host_name(const struct smtp_target *target)
{
	struct pr_str name = target->name;

	if (name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']')
		name = pr_str_slice(name, 1, name.len - 1);
	return without_dot(name);
}

struct pr_str smtp_policy_domain(const struct smtp_target *target)
{
	return target->domain.data != NULL ? without_dot(target->domain) : smtp_host_name(target);
}

enum pr_status smtp_dane_find(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	static const struct pr_dane unknown = {.size = sizeof unknown};
	struct pr_str name = smtp_host_name(target);

	run->dane = NULL;
	if (!run->smtp->dane_use || run->without_dane || target->is_unproven || run->smtp->path.len > 0 || name.len == 0 || name.data[0] == '/' || smtp_is_number(name))
		return PR_OK;
	if (pr_dane_find(run->call, name, target->port, &run->dane) != PR_OK) {
		*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.7.0"),
			pr_arena_printf(run->call->arena, "Deferred: DANE of %.*s cannot be told: %.*s", PR_PRINT(name), PR_PRINT(run->call->reason)), PR_NONE};
		run->dane = &unknown;
		smtp_report(run, PR_STR("dnssec-invalid"), run->call->reason);
		run->dane = NULL;
		return PR_TEMPFAIL;
	}
	if (run->dane->state == PR_DANE_NONE)
		run->dane = NULL;
	run->dane_names[0] = smtp_policy_domain(target);
	run->dane_names[1] = name;
	return PR_OK;
}

enum pr_status smtp_start_tls(struct smtp_run *run, int64_t patience)
{
	struct smtp_session *session = run->session;
	struct pr_tls_wish wish = {.size = sizeof wish, .name = pr_str(session->server), .dane = run->dane};

	if (run->sts != NULL) /* by which the policy is asked whether it may be called */
		wish.name = smtp_host_name(run->target);
	if (run->dane != NULL)
		wish.names = (struct pr_list){run->dane_names, 2};
	return pr_tls_start_with(run->call, session->fd, &wish, patience, &session->tls);
}

bool smtp_dane_failed(struct smtp_run *run)
{
	if (run->dane == NULL || run->dane->state != PR_DANE_VERIFY)
		return false;
	return !pr_str_equal(run->call->host->macro(run->call, PR_STR("verify")), PR_STR("TRUSTED"));
}
