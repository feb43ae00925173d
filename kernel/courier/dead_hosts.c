/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Next hosts that could not be reached a moment ago, where no HostStatusDirectory remembers them: of a domain with two of them, of which the first is down, not
 * each message is to wait for it.
 * For Timeout.hoststatus, and never beyond the next queue run, which asks anew as it does for destinations.  A short list: a host is in it while it is down.
 */
#include "kernel/courier/internal.h"

void dead_hosts_init(struct courier_dead_hosts *hosts)
{
	*hosts = (struct courier_dead_hosts){.count = 0};
	pthread_mutex_init(&hosts->lock, NULL);
}

static void drop(struct courier_dead_hosts *hosts, size_t index)
{
	pr_free(hosts->list[index].name);
	pr_free(hosts->list[index].reason);
	hosts->list[index] = hosts->list[--hosts->count];
}

void dead_hosts_clear(struct courier_dead_hosts *hosts)
{
	pthread_mutex_lock(&hosts->lock);
	while (hosts->count > 0)
		drop(hosts, hosts->count - 1);
	pthread_mutex_unlock(&hosts->lock);
}

void dead_hosts_fini(struct courier_dead_hosts *hosts)
{
	dead_hosts_clear(hosts);
	pthread_mutex_destroy(&hosts->lock);
}

static size_t find(const struct courier_dead_hosts *hosts, struct pr_str name)
{
	size_t at = 0;

	while (at < hosts->count && !pr_str_equal_nocase(pr_str(hosts->list[at].name), name))
		at++;
	return at;
}

/* What is over goes first, else what is over soonest. */
static void make_room(struct courier_dead_hosts *hosts)
{
	size_t first = 0;

	for (size_t i = 1; i < hosts->count; i++)
		if (hosts->list[i].until < hosts->list[first].until)
			first = i;
	drop(hosts, first);
}

void dead_hosts_note(struct courier_dead_hosts *hosts, struct pr_str name, struct pr_str reason, int64_t until)
{
	pthread_mutex_lock(&hosts->lock);
	size_t at = find(hosts, name);
	if (at < hosts->count)
		drop(hosts, at);
	else if (hosts->count == COURIER_DEAD_HOSTS)
		make_room(hosts);
	hosts->list[hosts->count++] = (struct courier_dead_host){pr_copy_str(name), pr_copy_str(reason.data != NULL ? reason : PR_STR("Deferred")), until};
	pthread_mutex_unlock(&hosts->lock);
}

void dead_hosts_forget(struct courier_dead_hosts *hosts, struct pr_str name)
{
	pthread_mutex_lock(&hosts->lock);
	size_t at = find(hosts, name);
	if (at < hosts->count)
		drop(hosts, at);
	pthread_mutex_unlock(&hosts->lock);
}

bool dead_hosts_find(struct courier_dead_hosts *hosts, struct pr_str name, int64_t now, struct pr_arena *arena, struct pr_str *reason_out)
{
	bool dead = false;

	pthread_mutex_lock(&hosts->lock);
	size_t at = find(hosts, name);
	if (at < hosts->count && hosts->list[at].until <= now) {
		drop(hosts, at);
	} else if (at < hosts->count) {
		*reason_out = pr_arena_copy(arena, pr_str(hosts->list[at].reason));
		dead = true;
	}
	pthread_mutex_unlock(&hosts->lock);
	return dead;
}
