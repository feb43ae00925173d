/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message has gone out when one call of a mailer brought it to at least one recipient: several in one transaction are one message.
 * A connection is counted with the first reply of the other side; whether a mailer has another side, its results say.
 */
#include "kernel/courier/internal.h"

#include <postrider/address.h>

void courier_statistics_open(struct courier *courier)
{
	if (courier->options->status_file.len == 0)
		return;
	courier->statistics = counters_map(courier->role->statistics);
	statistics_names_of(courier->config, &courier->statistics_names);
}

void courier_statistics_close(struct courier *courier)
{
	counters_free(courier->statistics);
	courier->statistics = NULL;
}

static uint64_t header_size(const struct pr_envelope *envelope)
{
	uint64_t size = 0;

	for (size_t i = 0; i < envelope->header_count; i++)
		size += envelope->headers[i].name.len + envelope->headers[i].value.len + 2; /* the colon and the end of the line */
	return size;
}

uint64_t courier_message_size(const struct pr_envelope *envelope)
{
	return header_size(envelope) + (envelope->body_size > 0 ? (uint64_t)envelope->body_size : 0);
}

void courier_count_delivery(const struct job *job, const struct group *group, bool first, const struct pr_delivery *deliveries, size_t count)
{
	const struct courier *courier = job->courier;
	bool sent = false, answered = false;

	if (courier->statistics == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		sent = sent || deliveries[i].status == PR_OK;
		answered = answered || (deliveries[i].code != 0 && deliveries[i].remote.len > 0);
	}
	if (first && answered)
		counters_connection(courier->statistics, CONNECTION_TO);
	if (sent)
		counters_message(courier->statistics, MESSAGES_TO, statistics_number(&courier->statistics_names, group->mailer),
		                 courier_message_size(job->envelope));
}

/* As the receiver does: the row is the mailer of the sender, and a message counts once. */
void courier_count_refusal(struct job *job)
{
	const struct courier *courier = job->courier;
	struct pr_str sender = pr_address_inner(job->envelope->sender), mailer = PR_STR("local"), reason = job->scope.reason;
	struct pr_route route = {.size = sizeof route};

	if (courier->statistics == NULL || job->refusal_counted)
		return;
	job->refusal_counted = true;
	if (sender.len > 0)
		mailer = rules_resolve(&job->scope, sender, PR_STR(""), &route) == PR_OK ? route.mailer : PR_NONE;
	job->scope.reason = reason;
	counters_message(courier->statistics, MESSAGES_REJECTED, statistics_number(&courier->statistics_names, mailer), 0);
	counters_connection(courier->statistics, CONNECTION_REJECTED);
}

/* Its sender is the null one: a local one. */
void courier_count_notice(const struct courier *courier, const struct pr_envelope *envelope)
{
	if (courier->statistics != NULL)
		counters_message(courier->statistics, MESSAGES_FROM, statistics_number(&courier->statistics_names, PR_STR("local")),
		                 courier_message_size(envelope));
}
