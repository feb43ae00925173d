/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One group of recipients to one destination: a session, the mailer in pieces of at most so many recipients, the results.
 * The mailer sees the envelope as it shall look there: addresses rewritten, the body behind a reader (body.h).
 */
#include "kernel/courier/body.h"
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <postrider/address.h>

#define RECIPIENTS_DEFAULT 100

static struct parcel *next_parcel(const struct job *job, const struct group *group, size_t *at)
{
	uint32_t number = (uint32_t)(group - job->groups) + 1;

	while (*at < job->parcel_count) {
		struct parcel *parcel = &job->parcels[(*at)++];
		if (parcel->group == number)
			return parcel;
	}
	return NULL;
}

void group_fail(struct job *job, struct group *group, enum pr_status status, struct pr_str enhanced, struct pr_str reply)
{
	struct parcel *parcel;
	size_t at = 0;

	while ((parcel = next_parcel(job, group, &at)) != NULL) {
		if (parcel->status != PR_MISUSE)
			continue;
		parcel->status = status;
		parcel->enhanced = enhanced;
		parcel->reply = reply;
	}
}

static struct pr_str rewritten(struct job *job, enum pr_rewrite which, const struct group *group, struct pr_str address)
{
	struct pr_str result = address;
	/* a mailer may want a name for the null sender: the rules that read addresses themselves are asked for it */
	bool is_asked = address.len > 0 || (which == PR_REWRITE_ENVELOPE_SENDER && rules_take_any_address(job->courier->set));

	if (!is_asked || rules_rewrite(&job->scope, which, group->mailer, address, &result) != PR_OK || result.data == NULL)
		return address;
	return result;
}

/* A shallow copy with the sender this mailer shows. */
static struct pr_envelope dressed(struct job *job, const struct group *group)
{
	struct pr_envelope envelope = *job->envelope;
	struct pr_str sender = pr_address_inner(envelope.sender);
	struct pr_str shown = rewritten(job, PR_REWRITE_ENVELOPE_SENDER, group, sender);

	if (!pr_str_equal(sender, shown))
		envelope.sender = pr_arena_printf(&job->arena, "<%.*s>", PR_PRINT(shown));
	return envelope;
}

static void take_result(struct parcel *parcel, const struct pr_delivery *delivery, struct pr_str command)
{
	parcel->status = delivery->status;
	if (delivery->status == PR_NOTFOUND)
		parcel->status = PR_PERMFAIL; /* "no such user" of a local mailer */
	else if (delivery->status == PR_MISUSE)
		parcel->status = PR_TEMPFAIL; /* our own mistake must not cost mail */
	parcel->code = delivery->code;
	parcel->enhanced = delivery->enhanced;
	parcel->reply = delivery->reply;
	parcel->remote = delivery->remote;
	parcel->flags = delivery->flags;
	parcel->command = command;
}

/* The next so many recipients; how many it were. */
static size_t deliver_some(struct job *job, struct group *group, struct cached_session *session, const struct pr_destination *where,
                           const struct pr_envelope *envelope, struct pr_body *body, size_t *at)
{
	const struct config_instance *config = module_config(group->instance);
	size_t most = config->recipients > 0 ? (size_t)config->recipients : RECIPIENTS_DEFAULT, count = 0;
	bool local = module_mailer_has_flag(group->instance, 'l');

	if (!module_mailer_has_flag(group->instance, 'm'))
		most = 1;
	most = most < group->count ? most : group->count;
	struct pr_delivery *deliveries = pr_arena_alloc(&job->arena, most * sizeof *deliveries);
	struct parcel **parcels = pr_arena_alloc(&job->arena, most * sizeof *parcels);
	if (deliveries == NULL || parcels == NULL)
		return 0;
	while (count < most && (parcels[count] = next_parcel(job, group, at)) != NULL) {
		struct pr_str user = parcels[count]->user;
		if (!local)
			user = rewritten(job, PR_REWRITE_ENVELOPE_RECIPIENT, group, user);
		deliveries[count] = (struct pr_delivery){.recipient = parcels[count]->recipient, .user = user, .status = PR_MISUSE};
		count++;
	}
	if (count == 0)
		return 0;
	mailer_deliver(&job->scope, &session->session, where, envelope, body, deliveries, count);
	courier_count_delivery(job, group, session->served == 0, deliveries, count);
	session->served++;
	for (size_t i = 0; i < count; i++)
		take_result(parcels[i], &deliveries[i], job->scope.commands != NULL ? job->scope.commands[i] : PR_NONE);
	return count;
}

static bool is_too_large(struct job *job, struct group *group)
{
	int64_t limit = module_config(group->instance)->size_limit;

	if (limit <= 0 || courier_message_size(job->envelope) <= (uint64_t)limit)
		return false;
	group_fail(job, group, PR_PERMFAIL, PR_STR("5.3.4"),
	           pr_arena_printf(&job->arena, "552 5.3.4 Message is too large; %lld bytes max", (long long)limit));
	return true;
}

static void deliver_all(struct job *job, struct group *group, struct pr_body *body)
{
	struct pr_destination where = {.size = sizeof where, .mailer = group->mailer, .host = group->host,
	                               .identity = job->courier->options->host_name};
	struct cached_session *session = cache_open(job, group->instance, group->destination, &where);
	size_t at = 0;

	if (session == NULL) {
		group_fail(job, group, PR_TEMPFAIL, PR_STR("4.3.0"), job->scope.reason);
		return;
	}
	struct pr_envelope envelope = dressed(job, group);
	while (deliver_some(job, group, session, &where, &envelope, body, &at) > 0)
		continue;
	cache_put(job->courier, session, &job->scope);
}

void group_deliver(struct job *job, struct group *group)
{
	struct pr_body inner = {.size = sizeof inner};
	struct body_reader reader;

	if (is_too_large(job, group))
		return;
	if (store_body_open(&job->scope, &job->claim, &inner) != PR_OK) {
		group_fail(job, group, PR_TEMPFAIL, PR_STR("4.3.0"), job->scope.reason);
		return;
	}
	if (job->envelope->body_size <= 0)
		job->envelope->body_size = inner.length;
	body_reader_init(&reader, &job->scope, &inner, group->instance, job->envelope);
	job->scope.content = &reader.content;
	if (body_reader_begin(&reader) == PR_OK)
		deliver_all(job, group, &reader.body);
	else
		group_fail(job, group, PR_TEMPFAIL, PR_STR("4.3.0"), job->scope.reason);
	job->scope.content = NULL;
	/* whatever a mailer forgot is not delivered */
	group_fail(job, group, PR_TEMPFAIL, PR_STR("4.3.0"), PR_STR("Deferred: no result from the mailer"));
	body_reader_fini(&reader);
	store_body_close(&job->scope, &inner);
}
