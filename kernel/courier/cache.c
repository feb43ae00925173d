/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Idle sessions of mailers, kept in the slot of their destination, the newest taken first.
 * The newest is the one least likely to have been closed by the other side; old ones are closed by a worker
 * that has nothing else to do.
 */
#include "kernel/courier/internal.h"

#define IDLE_DEFAULT_SECONDS 300
#define IDLE_MOST_SECONDS 300
#define SURELY_ALIVE_SECONDS 2 /* a mailer survives a session that died since */

struct cached_session *cache_take(struct courier *courier, struct plan_destination *destination)
{
	struct cached_session **slot = (struct cached_session **)plan_destination_slot(destination);
	struct cached_session *session = *slot;

	if (session == NULL)
		return NULL;
	*slot = session->next;
	session->next = NULL;
	courier->cached--;
	return session;
}

static int64_t idle_limit(const struct courier *courier)
{
	int64_t seconds = courier->options->connection_cache_timeout;

	if (seconds <= 0)
		seconds = IDLE_DEFAULT_SECONDS;
	return seconds < IDLE_MOST_SECONDS ? seconds : IDLE_MOST_SECONDS;
}

struct cached_session *cache_take_old(struct courier *courier, int64_t now)
{
	int64_t limit = idle_limit(courier);

	if (courier->cached == 0)
		return NULL;
	for (struct plan_destination *at = plan_destination_next(courier->plan, NULL); at != NULL; at = plan_destination_next(courier->plan, at)) {
		struct cached_session **link = (struct cached_session **)plan_destination_slot(at);
		for (; *link != NULL; link = &(*link)->next) {
			struct cached_session *session = *link;
			if (now != PLAN_NEVER && now - session->since < limit)
				continue;
			*link = session->next;
			session->next = NULL;
			courier->cached--;
			return session;
		}
	}
	return NULL;
}

struct cached_session *cache_open(struct job *job, struct module_instance *instance, struct plan_destination *destination,
                                  const struct pr_destination *where)
{
	struct courier *courier = job->courier;
	struct cached_session *session;

	for (;;) {
		pthread_mutex_lock(&courier->lock);
		session = cache_take(courier, destination);
		pthread_mutex_unlock(&courier->lock);
		if (session == NULL)
			break;
		if (courier_now() - session->since < SURELY_ALIVE_SECONDS || mailer_alive(&job->scope, &session->session))
			return session;
		cache_close(session, &job->scope);
	}
	session = pr_alloc(sizeof *session);
	session->destination = destination;
	if (module_session_init(&session->session, instance)) {
		if (mailer_open(&job->scope, &session->session, where) == PR_OK)
			return session;
		module_session_fini(&session->session);
	}
	pr_free(session);
	return NULL;
}

void cache_close(struct cached_session *session, struct module_scope *scope)
{
	mailer_close(scope, &session->session);
	module_session_fini(&session->session);
	pr_free(session);
}

/* Kept while the mailer can re-use it and there is room; the mailer is asked outside the lock. */
void cache_put(struct courier *courier, struct cached_session *session, struct module_scope *scope)
{
	const struct config_instance *config = module_config(session->session.instance);
	size_t most = courier->options->connection_cache_size > (int64_t)courier->threads ?
	              (size_t)courier->options->connection_cache_size : courier->threads;
	bool keep = config->messages <= 0 || session->served < (uint64_t)config->messages;

	if (keep && mailer_alive(scope, &session->session)) {
		pthread_mutex_lock(&courier->lock);
		keep = courier->cached < most && !courier->draining;
		if (keep) {
			struct cached_session **slot = (struct cached_session **)plan_destination_slot(session->destination);
			session->since = courier_now();
			session->next = *slot;
			*slot = session;
			courier->cached++;
		}
		pthread_mutex_unlock(&courier->lock);
		if (keep)
			return;
	}
	cache_close(session, scope);
}
