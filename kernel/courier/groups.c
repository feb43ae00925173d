/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queue groups as the courier sees them: a name, how often a message of it is tried, how many at once.
 * The first group is the default one, "mqueue"; a name that nobody declared - a plain directory of the store - counts as it.
 */
#include "kernel/courier/internal.h"

bool groups_add(struct courier *courier, struct pr_str name, int64_t interval, int64_t runners)
{
	const struct options *options = courier->options;
	size_t number = courier->group_count;

	if (number >= PLAN_GROUPS_MAX)
		return false;
	courier->groups[number] = (struct courier_group){.name = name, .retry = courier->retry};
	struct plan_retry *retry = &courier->groups[number].retry;
	if (interval > 0) {
		retry->interval = interval;
		retry->runs = true;
	}
	if (runners <= 0)
		runners = options->max_runners_per_queue;
	plan_set_group(courier->plan, (uint8_t)number, runners > 0 ? (uint32_t)runners : 0, retry);
	courier->group_count++;
	return true;
}

void groups_open(struct courier *courier)
{
	const struct config *config = courier->config;
	const struct queue_group *mqueue = config != NULL ? config_group(config, PR_STR("mqueue")) : NULL;

	groups_add(courier, PR_STR("mqueue"), mqueue != NULL ? mqueue->interval : 0, mqueue != NULL ? mqueue->runners : 0);
	for (size_t i = 0; config != NULL && i < config->group_count; i++)
		if (&config->groups[i] != mqueue)
			groups_add(courier, config->groups[i].name, config->groups[i].interval, config->groups[i].runners);
}

uint8_t groups_find(const struct courier *courier, struct pr_str name)
{
	for (size_t i = 1; i < courier->group_count; i++)
		if (pr_str_equal(courier->groups[i].name, name))
			return (uint8_t)i;
	return 0;
}

const struct plan_retry *groups_retry(const struct courier *courier, uint8_t number)
{
	return &courier->groups[number < courier->group_count ? number : 0].retry;
}

void job_find_group(struct job *job)
{
	struct courier *courier = job->courier;
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *ignored = NULL;

	if (courier->group_count < 2 || job->entry->group != PLAN_GROUP_UNKNOWN)
		return;
	/* a wake-up carries the id only: the store is asked once, before the message waits */
	if (store_peek(&job->scope, job->claim.id, &ignored, &entry) != PR_OK)
		return;
	pthread_mutex_lock(&courier->lock);
	plan_regroup(courier->plan, job->entry, groups_find(courier, entry.queue));
	pthread_mutex_unlock(&courier->lock);
}
