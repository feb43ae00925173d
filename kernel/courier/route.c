/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where each recipient goes: the rules are asked once more at delivery, as sendmail does, and recipients that go the same
 * way are put together.  What the rules refuse gets its result here and is never tried.
 */
#include "kernel/courier/internal.h"

#include <postrider/address.h>

#include <stdlib.h>

static void set_result(struct parcel *parcel, enum pr_status status, uint32_t code, struct pr_str enhanced, struct pr_str reply)
{
	parcel->status = status;
	parcel->code = code;
	parcel->enhanced = enhanced;
	parcel->reply = reply;
}

static void refuse(struct job *job, struct parcel *parcel, enum pr_status status, const struct pr_route *route)
{
	bool later = status != PR_PERMFAIL;
	uint32_t code = route->code != 0 ? route->code : later ? 451 : 550;
	struct pr_str enhanced = route->enhanced.len > 0 ? route->enhanced : later ? PR_STR("4.3.0") : PR_STR("5.1.1");
	struct pr_str text = route->text.len > 0 ? route->text : job->scope.reason;

	if (text.len == 0)
		text = later ? PR_STR("Temporary failure") : PR_STR("User unknown");
	struct pr_str reply = pr_arena_printf(&job->arena, "%u %.*s %.*s", code, PR_PRINT(enhanced), PR_PRINT(text));
	set_result(parcel, later ? PR_TEMPFAIL : PR_PERMFAIL, code, enhanced, reply);
}

/* The backslash of "\joe" said that he is no alias, and has been heard; one that goes elsewhere is not ours to take off. */
static struct pr_str without_backslash(const struct job *job, struct pr_str mailer, struct pr_str user)
{
	if (user.len < 2 || user.data[0] != '\\')
		return user;
	const struct module_instance *instance = module_find(job->courier->set, PR_KIND_MAILER, mailer);

	return instance != NULL && module_mailer_has_flag(instance, 'A') ? pr_str_slice(user, 1, user.len) : user;
}

static void route_parcel(struct job *job, struct parcel *parcel)
{
	struct pr_str given = parcel->recipient->address, address = pr_address_inner(given);
	struct pr_route route = {.size = sizeof route};

	/* What an alias named stands here without brackets.  "<|touch${IFS}x@relayed.example>" is a stranger's address: his bar is a letter
	 * of the local part, and that address goes where the rules say, like any other. */
	if (given.len > 0 && given.data[0] == '|') {
		parcel->mailer = PR_STR("prog");
		parcel->user = given;
	} else if (given.len > 0 && given.data[0] == '/') {
		parcel->mailer = PR_STR("file");
		parcel->user = given;
	} else {
		struct pr_str sender = pr_address_inner(job->envelope->sender);
		enum pr_status status = rules_destination(&job->scope, address, sender, &route);
		if (status != PR_OK) {
			refuse(job, parcel, status, &route);
			return;
		}
		parcel->mailer = route.mailer;
		parcel->host = route.host.data != NULL ? route.host : PR_STR("");
		parcel->user = without_backslash(job, route.mailer, route.user);
	}
	if (parcel->host.data == NULL)
		parcel->host = PR_STR("");
}

static int by_destination(const void *a, const void *b)
{
	const struct parcel *const *x = a, *const *y = b;
	struct pr_str xs[] = {(*x)->mailer, (*x)->host}, ys[] = {(*y)->mailer, (*y)->host};

	for (int i = 0; i < 2; i++) {
		size_t shorter = xs[i].len < ys[i].len ? xs[i].len : ys[i].len;
		for (size_t k = 0; k < shorter; k++)
			if (xs[i].data[k] != ys[i].data[k])
				return xs[i].data[k] < ys[i].data[k] ? -1 : 1;
		if (xs[i].len != ys[i].len)
			return xs[i].len < ys[i].len ? -1 : 1;
	}
	return *x < *y ? -1 : *x > *y;
}

static bool begins_group(const struct group *group, const struct parcel *parcel)
{
	return group == NULL || !pr_str_equal(group->mailer, parcel->mailer) || !pr_str_equal(group->host, parcel->host);
}

static void make_groups(struct job *job)
{
	struct parcel **sorted = pr_alloc((job->parcel_count + 1) * sizeof *sorted);
	struct group *group = NULL;
	size_t count = 0;

	for (size_t i = 0; i < job->parcel_count; i++)
		if (job->parcels[i].status == PR_MISUSE)
			sorted[count++] = &job->parcels[i];
	if (count > 1)
		qsort(sorted, count, sizeof *sorted, by_destination);
	job->groups = pr_arena_alloc(&job->arena, (count + 1) * sizeof *job->groups);
	for (size_t i = 0; job->groups != NULL && i < count; i++) {
		if (begins_group(group, sorted[i])) {
			group = &job->groups[job->group_count++];
			group->mailer = sorted[i]->mailer;
			group->host = sorted[i]->host;
			group->instance = module_find(job->courier->set, PR_KIND_MAILER, group->mailer);
		}
		group->count++;
		sorted[i]->group = (uint32_t)job->group_count;
	}
	pr_free(sorted);
}

static void stop_loop(struct job *job)
{
	int64_t most = job->courier->options->max_hop_count;

	if (most <= 0 || (int64_t)job->envelope->hops <= most)
		return;
	struct pr_str reply = pr_arena_printf(&job->arena, "554 5.4.6 Too many hops %u (%lld max): from %.*s", job->envelope->hops,
	                                      (long long)most, PR_PRINT(job->envelope->sender));
	for (size_t i = 0; i < job->parcel_count; i++)
		set_result(&job->parcels[i], PR_PERMFAIL, 554, PR_STR("5.4.6"), reply);
}

enum pr_status job_route(struct job *job)
{
	struct pr_envelope *envelope = job->envelope;

	job->parcels = pr_arena_alloc(&job->arena, (envelope->recipient_count + 1) * sizeof *job->parcels);
	if (job->parcels == NULL)
		return PR_TEMPFAIL;
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		struct pr_recipient *recipient = &envelope->recipients[i];
		/* FAILED is a bounce that could not be queued last time: it is due now, nothing is tried */
		if (recipient->state == PR_RECIPIENT_DELIVERED || recipient->state == PR_RECIPIENT_FAILED)
			continue;
		job->parcels[job->parcel_count++] = (struct parcel){.recipient = recipient, .status = PR_MISUSE};
	}
	stop_loop(job);
	by_return(job);
	for (size_t i = 0; i < job->parcel_count; i++) {
		struct parcel *parcel = &job->parcels[i];
		if (parcel->status == PR_MISUSE)
			route_parcel(job, parcel);
		if (parcel->status == PR_MISUSE)
			compat_check(job, parcel);
	}
	make_groups(job);
	return job->groups != NULL ? PR_OK : PR_TEMPFAIL;
}
