/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Claims that last for a time only are renewed when half of it has passed, by a thread that exists once there is one.
 * A thread of its own, since a store far away may take its time; whoever ends a claim waits until no renewal of it is on its way.
 * A refusal means that somebody else has the message: what this job still finds out, the store refuses by the epoch.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void unlink_job(struct courier_leases *leases, struct job *job)
{
	struct job **link = &leases->first;

	while (*link != NULL && *link != job)
		link = &(*link)->lease_next;
	if (*link == job)
		*link = job->lease_next;
	job->lease_next = NULL;
	job->leased = false;
}

static struct job *earliest(const struct courier_leases *leases)
{
	struct job *found = leases->first;

	for (struct job *job = leases->first; job != NULL; job = job->lease_next)
		if (job->renew_at < found->renew_at)
			found = job;
	return found;
}

/* With the lock of the leases, which is free while the store is asked. */
static void renew(struct courier *courier, struct job *job, struct module_scope *scope)
{
	struct courier_leases *leases = &courier->leases;

	leases->renewing = job;
	pthread_mutex_unlock(&leases->lock);
	scope->deadline_ms = job->lease_end;
	enum pr_status status = store_renew(scope, &job->claim);
	if (status == PR_OK || status == PR_TEMPFAIL)
		log_at(19, LOGP_DEBUG, job->claim.id.data, "lease %s", status == PR_OK ? "renewed" : "not renewed yet");
	else
		log_line(LOGP_WARNING, job->claim.id.data, "lost its lease: %.*s", PR_PRINT(scope->reason));
	pthread_mutex_lock(&leases->lock);
	leases->renewing = NULL;
	pthread_cond_broadcast(&leases->changed);
	int64_t now = now_ms();
	if (status == PR_OK) {
		job->lease_end = now + job->claim.lease_ms;
		job->renew_at = now + job->claim.lease_ms / 2;
	} else if (status == PR_TEMPFAIL && job->lease_end > now) {
		job->renew_at = now + (job->lease_end - now) / 4 + 1;
	} else {
		unlink_job(leases, job);
	}
}

static void wait_until(struct courier_leases *leases, int64_t at_ms)
{
	struct timespec end = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};

	if (at_ms == PLAN_NEVER)
		pthread_cond_wait(&leases->changed, &leases->lock);
	else
		pthread_cond_timedwait(&leases->changed, &leases->lock, &end);
}

static void *lease_main(void *argument)
{
	struct courier *courier = argument;
	struct courier_leases *leases = &courier->leases;
	struct module_thread *thread = module_thread_new(courier->set);
	struct module_scope scope;
	struct pr_arena arena;

	pr_arena_init(&arena, 1u << 20);
	pthread_mutex_lock(&leases->lock);
	while (!leases->closing) {
		struct job *job = earliest(leases);
		if (job == NULL || job->renew_at > now_ms()) {
			wait_until(leases, job != NULL ? job->renew_at : PLAN_NEVER);
			continue;
		}
		module_scope_init(&scope, thread, &arena);
		renew(courier, job, &scope);
		pr_arena_reset(&arena);
	}
	pthread_mutex_unlock(&leases->lock);
	pr_arena_fini(&arena);
	module_thread_free(thread);
	return NULL;
}

void leases_open(struct courier *courier)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&courier->leases.lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&courier->leases.changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void leases_close(struct courier *courier)
{
	struct courier_leases *leases = &courier->leases;

	pthread_mutex_lock(&leases->lock);
	leases->closing = true;
	pthread_cond_broadcast(&leases->changed);
	pthread_mutex_unlock(&leases->lock);
	if (leases->running)
		pthread_join(leases->thread, NULL);
	pthread_cond_destroy(&leases->changed);
	pthread_mutex_destroy(&leases->lock);
}

void lease_begin(struct job *job)
{
	job->lease_end = now_ms() + job->claim.lease_ms;
	job->renew_at = now_ms() + job->claim.lease_ms / 2;
	lease_goes_on(job);
}

void lease_goes_on(struct job *job)
{
	struct courier *courier = job->courier;
	struct courier_leases *leases = &courier->leases;
	int error = 0;

	if (job->claim.lease_ms <= 0)
		return;
	pthread_mutex_lock(&leases->lock);
	job->leased = true;
	job->lease_next = leases->first;
	leases->first = job;
	if (!leases->running) {
		error = pthread_create(&leases->thread, NULL, lease_main, courier);
		leases->running = error == 0;
	}
	pthread_cond_broadcast(&leases->changed);
	pthread_mutex_unlock(&leases->lock);
	if (error != 0)
		log_line(LOGP_ERR, NULL, "courier: cannot start a thread, leases will end: %s", strerror(error));
}

void lease_end(struct job *job)
{
	struct courier_leases *leases = &job->courier->leases;

	if (job->claim.lease_ms <= 0)
		return;
	pthread_mutex_lock(&leases->lock);
	while (leases->renewing == job)
		pthread_cond_wait(&leases->changed, &leases->lock);
	if (job->leased)
		unlink_job(leases, job);
	pthread_mutex_unlock(&leases->lock);
}
