/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Failing with a reason, the time that is left, and telling who watches.
 * The reason is cut at 1,000 bytes on the stack first: it may be made of what a
 * stranger sent, and it must not fail because the arena is what ran out.
 */
#include <postrider/host.h>
#include <postrider/verdict.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define REASON_MAX 1000

enum pr_status pr_fail(struct pr_call *call, enum pr_status status, const char *format, ...)
{
	char reason[REASON_MAX + 1] = "";
	va_list args;

	va_start(args, format);
	if (vsnprintf(reason, sizeof reason, format, args) < 0)
		reason[0] = '\0';
	va_end(args);
	call->reason = call->arena != NULL ? pr_arena_copy(call->arena, pr_str(reason)) : PR_NONE;
	if (call->reason.data == NULL)
		call->reason = PR_STR("failed, and the memory of the call is used up: no room for the reason");
	return status;
}

int64_t pr_call_remaining(const struct pr_call *call, int64_t most)
{
	struct timespec now;

	if (call->deadline_ms == 0)
		return most;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t left = call->deadline_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	if (left < 0)
		left = 0;
	return left < most ? left : most;
}

/* An older kernel's table ends before it. */
#define HAS(host, field) ((host)->size >= offsetof(struct pr_host, field) + sizeof(host)->field && (host)->field != NULL)

bool pr_is_watched(const struct pr_call *call)
{
	return HAS(call->host, progress);
}

void pr_progress(struct pr_call *call, uint32_t what, struct pr_str text)
{
	if (pr_is_watched(call))
		call->host->progress(call, what, text);
}

bool pr_host_is_dead(struct pr_call *call, struct pr_str host, struct pr_str *reason_out)
{
	return HAS(call->host, host_is_dead) && call->host->host_is_dead(call, host, reason_out);
}

void pr_host_failed(struct pr_call *call, struct pr_str host, struct pr_str reason)
{
	if (HAS(call->host, host_failed))
		call->host->host_failed(call, host, reason);
}

struct pr_str pr_own_name(struct pr_call *call)
{
	return HAS(call->host, own_name) ? call->host->own_name(call) : PR_STR("");
}

enum pr_status pr_dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out)
{
	if (!HAS(call->host, dns_records))
		return pr_fail(call, PR_TEMPFAIL, "%.*s: nobody here asks DNS for records", PR_PRINT(name));
	return call->host->dns_records(call, name, type, records_out, count_out);
}

bool pr_macro_set(struct pr_call *call, struct pr_str name, struct pr_str value)
{
	return HAS(call->host, macro_set) && call->host->macro_set(call, name, value);
}

enum pr_status pr_map_ask(struct pr_call *call, struct pr_str class_name, struct pr_str name, struct pr_str arguments, struct pr_str key,
    struct pr_str *value_out)
{
	if (!HAS(call->host, map_ask))
		return pr_fail(call, PR_MISUSE, "this kernel asks no map that was not declared");
	return call->host->map_ask(call, class_name, name, arguments, key, value_out);
}

bool pr_has_tls(const struct pr_call *call)
{
	return HAS(call->host, tls_start) && HAS(call->host, tls_end);
}

void pr_talks_to(struct pr_call *call, const struct pr_peer *peer)
{
	if (HAS(call->host, talks_to))
		call->host->talks_to(call, peer);
}

enum pr_status pr_rules_check(struct pr_call *call, uint32_t check, const struct pr_list *arguments, struct pr_verdict *verdict)
{
	*verdict = (struct pr_verdict){.action = PR_CONTINUE};
	return HAS(call->host, rules_check) ? call->host->rules_check(call, check, arguments, verdict) : PR_OK;
}

enum pr_status pr_content_fit(struct pr_call *call, uint32_t offers, uint32_t *form_out)
{
	return HAS(call->host, content_fit) ? call->host->content_fit(call, offers, form_out) : PR_MISUSE;
}

bool pr_tells_tls(const struct pr_call *call)
{
	return HAS(call->host, tls_result);
}

void pr_tls_tell(struct pr_call *call, const struct pr_tls_result *result)
{
	if (HAS(call->host, tls_result))
		call->host->tls_result(call, result);
}

enum pr_status pr_rules_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	return HAS(call->host, rules_feature) ? call->host->rules_feature(call, name, arguments, value_out) : PR_NOTFOUND;
}

enum pr_status pr_dane_find(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out)
{
	static const struct pr_dane none = {.size = sizeof none, .state = PR_DANE_NONE};

	*dane_out = &none;
	return HAS(call->host, dane_find) ? call->host->dane_find(call, host, port, dane_out) : PR_OK;
}

enum pr_status pr_tls_start_with(struct pr_call *call, int32_t socket, const struct pr_tls_wish *wish, int64_t milliseconds, struct pr_tls **tls_out)
{
	if (HAS(call->host, tls_start_with))
		return call->host->tls_start_with(call, socket, wish, milliseconds, tls_out);
	return call->host->tls_start(call, socket, wish->name, milliseconds, tls_out);
}
