/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is told of each connection that was to have TLS, for the reports of RFC 8460.
 * One result for each: the first thing that is wrong, and by the policy that decided - TLSA records, MTA-STS, or none.
 */
#include "smtp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static bool by_dane(const struct smtp_run *run)
{
	return run->dane != NULL;
}

/* "3 1 1 0123abcd..." */
static struct pr_str tlsa_text(struct pr_arena *arena, const struct pr_tlsa *record)
{
	static const char digits[] = "0123456789abcdef";
	char *data = pr_arena_alloc(arena, 2 * record->data.len + 1);

	for (size_t i = 0; data != NULL && i < record->data.len; i++) {
		unsigned char byte = (unsigned char)record->data.data[i];
		data[2 * i] = digits[byte >> 4];
		data[2 * i + 1] = digits[byte & 15];
	}
	return data != NULL ? pr_arena_printf(arena, "%u %u %u %s", record->usage, record->selector, record->matching, data) : PR_NONE;
}

static struct pr_list tlsa_lines(struct smtp_run *run)
{
	struct pr_str *lines = pr_arena_alloc(run->call->arena, (run->dane->count + 1) * sizeof *lines);
	size_t count = 0;

	for (size_t i = 0; lines != NULL && i < run->dane->count; i++) {
		lines[count] = tlsa_text(run->call->arena, &run->dane->records[i]);
		count += lines[count].data != NULL;
	}
	return (struct pr_list){lines, count};
}

static struct pr_list sts_lines(struct smtp_run *run)
{
	struct pr_str *lines = pr_arena_alloc(run->call->arena, (run->sts->count + 3) * sizeof *lines), rest, line;
	struct pr_text text;
	size_t count = 0;

	pr_text_init(&text, STS_POLICY_BYTES);
	sts_policy_print(run->sts, &text);
	rest = pr_arena_copy(run->call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	while (lines != NULL && rest.data != NULL && count < run->sts->count + 3 && pr_str_next(&rest, '\n', &line))
		lines[count++] = line;
	return (struct pr_list){lines, count};
}

static void add_policy(struct smtp_run *run, struct pr_tls_result *result)
{
	if (by_dane(run)) {
		result->policy = PR_TLS_POLICY_TLSA;
		result->strings = tlsa_lines(run);
	} else if (run->sts != NULL) {
		result->policy = PR_TLS_POLICY_STS;
		result->strings = sts_lines(run);
		result->hosts = (struct pr_list){run->sts->mx, run->sts->count};
	} else if (run->sts_failure.len > 0)
		result->policy = PR_TLS_POLICY_STS;
}

/* Where we call from. */
static struct pr_str source_of(struct smtp_run *run)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_storage room;
	} address;
	socklen_t length = sizeof address;
	char *text = pr_arena_alloc(run->call->arena, INET6_ADDRSTRLEN);

	if (text == NULL || !run->session->open || getsockname(run->session->fd, &address.any, &length) != 0)
		return PR_NONE;
	if (address.any.sa_family == AF_INET)
		return pr_str(inet_ntop(AF_INET, &address.four.sin_addr, text, INET6_ADDRSTRLEN));
	if (address.any.sa_family == AF_INET6)
		return pr_str(inet_ntop(AF_INET6, &address.six.sin6_addr, text, INET6_ADDRSTRLEN));
	return PR_NONE;
}

static bool is_of_interest(const struct smtp_run *run)
{
	if (run->is_reported || run->in_clear || run->smtp->lmtp || run->smtp->path.len > 0 || run->smtp->tls_use == SMTP_TLS_NEVER || run->target == NULL)
		return false;
	struct pr_str name = smtp_host_name(run->target);
	return name.len > 0 && name.data[0] != '/' && !smtp_is_number(name) && pr_tells_tls(run->call) && pr_has_tls(run->call);
}

void smtp_report(struct smtp_run *run, struct pr_str failure, struct pr_str reason)
{
	if (!is_of_interest(run))
		return;
	struct pr_tls_result result = {.size = sizeof result, .domain = smtp_policy_domain(run->target), .host = smtp_host_name(run->target), .failure = failure,
	                               .reason = reason, .source = source_of(run)};
	if (run->session->open)
		result.address = pr_str(run->session->address);
	add_policy(run, &result);
	pr_tls_tell(run->call, &result);
	run->is_reported = true;
}

static void report_sts(struct smtp_run *run)
{
	const struct pr_host *host = run->call->host;
	struct pr_str judged = host->macro(run->call, PR_STR("webpki"));

	if (pr_str_equal(judged, PR_STR("OK")))
		smtp_report(run, PR_NONE, PR_NONE);
	else
		smtp_report(run, judged, pr_arena_printf(run->call->arena, "%.*s, %.*s", PR_PRINT(host->macro(run->call, PR_STR("tls_version"))),
		                                         PR_PRINT(host->macro(run->call, PR_STR("verify_message")))));
}

void smtp_report_secured(struct smtp_run *run)
{
	if (!is_of_interest(run))
		return;
	if (by_dane(run) && run->dane->state != PR_DANE_VERIFY)
		smtp_report(run, PR_STR("tlsa-invalid"), PR_STR("none of the TLSA records can be used"));
	else if (smtp_dane_failed(run))
		smtp_report(run, PR_STR("validation-failure"), PR_STR("no TLSA record matches"));
	else if (!by_dane(run) && run->sts != NULL)
		report_sts(run);
	else if (!by_dane(run) && run->sts_failure.len > 0)
		smtp_report(run, run->sts_failure, run->sts_answer.reason);
	else
		smtp_report(run, PR_NONE, PR_NONE);
}
