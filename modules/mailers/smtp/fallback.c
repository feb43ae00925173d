/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hosts of last resort, FallbackMXhost and FallbackSmartHost, behind all that the destination itself names.
 * The first counts as one more MX: it takes what nobody else could be reached for, a name that is not there or not known just now included.  A list
 * that was cut at our own name has none, because such mail would come back here.  The second is for sites whose own DNS does not know the world; it
 * comes last of all, but not where the mail was found to go in a circle.
 */
#include "smtp.h"

#include <postrider/rules.h>

/* Later than any item of a list with any preference. */
#define ORDER_FALLBACK 0x40000000u
#define ORDER_SMART 0x50000000u

static struct pr_str option(struct smtp_run *run, const char *name)
{
	struct pr_str value = run->call->host->option(run->call, pr_str(name));

	return value.data != NULL ? pr_str_trim(value) : PR_STR("");
}

bool smtp_is_own_name(struct smtp_run *run, struct pr_str name)
{
	struct pr_list arguments = {&name, 1};
	struct pr_str ignored;

	if (pr_str_equal_nocase(name, smtp_identity(run->call, run->smtp, run->destination)))
		return true;
	return pr_rules_feature(run->call, PR_STR("local_host_name"), &arguments, &ignored) == PR_OK;
}

static bool is_bracketed(struct pr_str name)
{
	return name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']';
}

/* Its MX records count as for any other host; without an answer it is itself. */
static void add_host(struct smtp_run *run, struct pr_str name, uint32_t order)
{
	const struct pr_mx *mx = NULL;
	size_t count = 0, before = run->route.count;
	uint32_t port = (uint32_t)run->smtp->port;

	if (is_bracketed(name)) {
		smtp_add_target(run, &(struct smtp_target){.name = name, .port = port, .order = order});
		return;
	}
	if (run->call->host->dns_mx(run->call, name, &mx, &count) == PR_OK)
		for (size_t i = 0; i < count && mx[i].name.len > 0 && !smtp_is_own_name(run, mx[i].name); i++)
			smtp_add_target(run, &(struct smtp_target){.name = mx[i].name, .port = port, .by_name = true, .order = order + mx[i].preference,
				.is_unproven = (mx[i].flags & PR_DNS_SECURE) == 0, .domain = name});
	if (run->route.count == before)
		smtp_add_target(run, &(struct smtp_target){.name = name, .port = port, .by_name = true, .order = order});
	run->call->reason = PR_NONE;
}

void smtp_add_fallbacks(struct smtp_run *run)
{
	struct pr_str mx = option(run, "FallbackMXhost"), smart = option(run, "FallbackSmartHost");

	if (run->smtp->lmtp || run->route.is_final)
		return;
	size_t before = run->route.count;
	if (mx.len > 0 && run->smtp->mx && !run->route.is_cut && !smtp_is_own_name(run, mx))
		add_host(run, mx, ORDER_FALLBACK);
	for (size_t i = before; i < run->route.count; i++)
		run->route.targets[i].is_fallback = 1;
	if (smart.len == 0 || smtp_is_own_name(run, smart))
		return;
	before = run->route.count;
	add_host(run, smart, ORDER_SMART);
	for (size_t i = before; i < run->route.count; i++)
		run->route.targets[i].is_last_resort = 1;
}
