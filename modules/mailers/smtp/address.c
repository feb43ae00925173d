/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the host part of a destination to the list of hosts to try, in order.
 * "a:b" is a rising list, "a,b" hosts of equal rank, "[x]" means no MX lookup, ":25" behind a host is its port; MX
 * records are cut at our own name, because a host behind us would send the message back (RFC 5321 5.1).
 */
#include "idn.h"
#include "smtp.h"

#include <postrider/address.h>

#include <stdlib.h>
#include <sys/random.h>

struct item {
	struct pr_str name;
	uint32_t port;
	uint32_t order;
	bool bracketed;
};

static void fail(struct smtp_outcome *outcome, enum pr_status status, uint32_t code, struct pr_str enhanced, struct pr_str text)
{
	*outcome = (struct smtp_outcome){status, code, enhanced, text, PR_NONE};
}

/* Takes "name", "[name]" or either with ":port" off the front. */
static bool take_item(struct pr_str *rest, struct item *item, uint32_t default_port, uint32_t *order)
{
	struct pr_str text = *rest;
	uint64_t port = 0;
	size_t end = 0;

	if (text.len == 0)
		return false;
	*item = (struct item){.port = default_port, .order = *order, .bracketed = text.data[0] == '['};
	if (item->bracketed)
		end = pr_str_find(text, ']');
	while (end < text.len && text.data[end] != ':' && text.data[end] != ',')
		end++;
	item->name = pr_str_slice(text, 0, end);
	text = pr_str_slice(text, end, text.len);
	if (text.len > 0 && text.data[0] == ':') {
		size_t stop = 1;
		while (stop < text.len && text.data[stop] != ':' && text.data[stop] != ',')
			stop++;
		if (pr_str_number(pr_str_slice(text, 1, stop), 65535, &port) && port > 0) {
			item->port = (uint32_t)port;
			text = pr_str_slice(text, stop, text.len);
		}
	}
	if (text.len > 0) {
		*order += text.data[0] == ':';
		text = pr_str_slice(text, 1, text.len);
	}
	*rest = text;
	return true;
}

void smtp_add_target(struct smtp_run *run, const struct smtp_target *target)
{
	struct smtp_route *route = &run->route;
	uint32_t lot = 0;

	if (route->count == SMTP_CANDIDATES)
		return;
	if (getrandom(&lot, sizeof lot, GRND_NONBLOCK) != (ssize_t)sizeof lot)
		lot = (uint32_t)smtp_now_ms() * 2654435761u;
	route->targets[route->count] = *target;
	route->targets[route->count++].lot = lot;
}

static void add_target(struct smtp_run *run, struct pr_str name, uint32_t port, bool by_name, uint32_t order)
{
	smtp_add_target(run, &(struct smtp_target){.name = name, .port = port, .by_name = by_name, .order = order});
}

static int by_order_then_lot(const void *a, const void *b)
{
	const struct smtp_target *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->lot < y->lot ? -1 : x->lot > y->lot;
}

/* Is it us?  The best preference of a name of ours, or UINT32_MAX. */
static uint32_t own_preference(struct smtp_run *run, const struct pr_mx *mx, size_t count)
{
	uint32_t best = UINT32_MAX;

	for (size_t i = 0; i < count; i++)
		if (run->smtp->loop_check && mx[i].preference < best && mx[i].name.len > 0 && smtp_is_own_name(run, mx[i].name))
			best = mx[i].preference;
	return best;
}

/* Our own record is the best there is.  TryNullMXList: then the domain's own address, if it has one, is where the mail goes. */
static enum pr_status points_back(struct smtp_run *run, const struct item *item, struct smtp_outcome *outcome)
{
	struct pr_call *call = run->call;
	struct pr_list addresses = {NULL, 0};
	bool tries = pr_str_equal_nocase(call->host->option(call, PR_STR("TryNullMXList")), PR_STR("true"));
	enum pr_status status = tries && !smtp_is_own_name(run, item->name) ? call->host->dns_addresses(call, item->name, &addresses) : PR_NOTFOUND;

	if (status == PR_OK && addresses.count > 0) {
		add_target(run, item->name, item->port, true, item->order << 16);
		return PR_OK;
	}
	if (status == PR_TEMPFAIL) {
		fail(outcome, PR_TEMPFAIL, 0, PR_STR("4.4.3"), pr_arena_printf(call->arena, "Deferred: Name server: %.*s: host name lookup failure", PR_PRINT(item->name)));
		return PR_TEMPFAIL;
	}
	run->route.is_final = 1;
	fail(outcome, PR_PERMFAIL, 554, PR_STR("5.3.5"), pr_arena_printf(call->arena, "554 5.3.5 MX list for %.*s points back to %.*s",
	     PR_PRINT(item->name), PR_PRINT(smtp_identity(call, run->smtp, run->destination))));
	return PR_PERMFAIL;
}

static enum pr_status add_mx(struct smtp_run *run, const struct item *item, struct smtp_outcome *outcome)
{
	struct pr_call *call = run->call;
	const struct pr_mx *mx = NULL;
	size_t count = 0, before = run->route.count;
	enum pr_status status = call->host->dns_mx(call, item->name, &mx, &count);

	if (status == PR_NOTFOUND || (status == PR_OK && count == 0)) {
		add_target(run, item->name, item->port, true, item->order << 16);
		return PR_OK;
	}
	if (status == PR_PERMFAIL) {
		fail(outcome, PR_PERMFAIL, 554, PR_STR("5.4.6"), pr_arena_printf(call->arena, "554 5.4.6 %.*s", PR_PRINT(call->reason)));
		return status;
	}
	if (status != PR_OK) {
		fail(outcome, PR_TEMPFAIL, 0, PR_STR("4.4.3"), pr_arena_printf(call->arena, "Deferred: Name server: %.*s: host name lookup failure", PR_PRINT(item->name)));
		return PR_TEMPFAIL;
	}
	if (count == 1 && mx[0].name.len == 0) { /* RFC 7505 */
		run->route.is_final = 1;
		fail(outcome, PR_PERMFAIL, 556, PR_STR("5.1.10"), PR_STR("556 5.1.10 Host does not accept mail: MX 0 ."));
		return PR_PERMFAIL;
	}
	uint32_t own = own_preference(run, mx, count);
	run->route.is_cut |= own != UINT32_MAX;
	for (size_t i = 0; i < count; i++)
		if (mx[i].preference < own && mx[i].name.len > 0)
			smtp_add_target(run, &(struct smtp_target){.name = mx[i].name, .port = item->port, .by_name = true, .order = (item->order << 16) + mx[i].preference,
				.is_unproven = (mx[i].flags & PR_DNS_SECURE) == 0, .domain = item->name});
	if (run->route.count > before)
		return PR_OK;
	if (own != UINT32_MAX)
		return points_back(run, item, outcome);
	fail(outcome, PR_PERMFAIL, 550, PR_STR("5.1.2"), PR_STR("550 5.1.2 Host has no usable MX record"));
	return PR_PERMFAIL;
}

/* A-labels in the place of what is not ASCII; absent: there is no such name. */
static struct pr_str ascii_host(struct smtp_run *run, struct pr_str host, struct smtp_outcome *outcome)
{
	struct pr_str name = idn_to_ascii(run->call, host);

	if (name.data == NULL)
		fail(outcome, PR_PERMFAIL, 553, PR_STR("5.1.2"), pr_arena_printf(run->call->arena, "553 5.1.2 Host name is not valid: %.*s", PR_PRINT(run->call->reason)));
	return name;
}

enum pr_status smtp_route_find(struct smtp_run *run, struct smtp_outcome *outcome)
{
	struct pr_str rest = pr_str_trim(run->smtp->host.len > 0 ? run->smtp->host : run->destination->host);
	struct item item;
	uint32_t order = 0;
	size_t items = 0;

	run->route.ready = 1;
	rest = ascii_host(run, rest, outcome);
	if (rest.data == NULL)
		return PR_PERMFAIL;
	if (run->smtp->path.len > 0) { /* a program goes by the name of its mailer, or of the host that it leads to */
		bool has_host = !run->smtp->lmtp && run->destination->host.len > 0;
		add_target(run, has_host ? run->destination->host : run->destination->mailer, 0, false, 0);
		return PR_OK;
	}
	if (rest.len > 0 && rest.data[0] == '/') { /* a Unix socket */
		add_target(run, rest, 0, false, 0);
		return PR_OK;
	}
	while (items++ < SMTP_CANDIDATES && take_item(&rest, &item, (uint32_t)run->smtp->port, &order)) {
		enum pr_status status = PR_OK;
		if (item.bracketed)
			add_target(run, item.name, item.port, false, item.order << 16);
		else if (!run->smtp->mx)
			add_target(run, item.name, item.port, true, item.order << 16);
		else if (pr_domain_is_valid(item.name))
			status = add_mx(run, &item, outcome);
		else
			fail(outcome, status = PR_PERMFAIL, 553, PR_STR("5.1.2"), PR_STR("553 5.1.2 Host name is not valid"));
		if (status != PR_OK && run->route.failed.status != PR_TEMPFAIL)
			run->route.failed = *outcome;
	}
	if (items == 1)
		fail(&run->route.failed, PR_PERMFAIL, 553, PR_STR("5.1.2"), PR_STR("553 5.1.2 No host name"));
	else
		smtp_add_fallbacks(run);
	if (run->route.count == 0) {
		*outcome = run->route.failed;
		return outcome->status;
	}
	qsort(run->route.targets, run->route.count, sizeof run->route.targets[0], by_order_then_lot);
	return PR_OK;
}
