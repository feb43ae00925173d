/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A list in the order of arrival, short enough to be walked: a walk costs nothing beside the handshake that it spares.
 */
#include "kernel/net/tls/sessions.h"

#include <postrider/text.h>

#include <openssl/x509.h>
#include <string.h>

void net_tls_sessions_init(struct net_tls_sessions *sessions)
{
	memset(sessions, 0, sizeof *sessions);
	pthread_mutex_init(&sessions->lock, NULL);
}

static void drop(struct net_tls_sessions *sessions, size_t index)
{
	pr_free(sessions->kept[index].key);
	SSL_SESSION_free(sessions->kept[index].session);
	memmove(&sessions->kept[index], &sessions->kept[index + 1], (sessions->count - index - 1) * sizeof sessions->kept[0]);
	sessions->count--;
}

static void drop_all(struct net_tls_sessions *sessions)
{
	while (sessions->count > 0)
		drop(sessions, sessions->count - 1);
}

void net_tls_sessions_fini(struct net_tls_sessions *sessions)
{
	drop_all(sessions);
	pthread_mutex_destroy(&sessions->lock);
}

void net_tls_sessions_forget(struct net_tls_sessions *sessions)
{
	pthread_mutex_lock(&sessions->lock);
	drop_all(sessions);
	sessions->generation++;
	pthread_mutex_unlock(&sessions->lock);
}

uint32_t net_tls_sessions_generation(struct net_tls_sessions *sessions)
{
	pthread_mutex_lock(&sessions->lock);
	uint32_t generation = sessions->generation;
	pthread_mutex_unlock(&sessions->lock);
	return generation;
}

/* What the host itself says of its lifetime counts, too. */
static bool is_fresh(const struct net_tls_kept_session *kept, int64_t now)
{
	X509 *certificate = SSL_SESSION_get0_peer(kept->session);
	bool is_sure = kept->is_believed && certificate != NULL && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
	int64_t most = is_sure ? NET_TLS_SESSION_SECONDS : NET_TLS_SESSION_DOUBT_SECONDS;
	int64_t said = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(kept->session);

	if (said > 0 && said < most)
		most = said;
	return now - kept->since < most && (is_sure || !kept->is_believed);
}

bool net_tls_sessions_take(struct net_tls_sessions *sessions, const char *key, int64_t now, struct net_tls_kept_session *kept_out)
{
	bool found = false;

	pthread_mutex_lock(&sessions->lock);
	for (size_t i = sessions->count; i-- > 0 && !found;) {
		struct net_tls_kept_session *kept = &sessions->kept[i];
		if (strcmp(kept->key, key) != 0)
			continue;
		found = is_fresh(kept, now);
		if (found) {
			*kept_out = (struct net_tls_kept_session){.session = kept->session, .since = kept->since, .is_believed = kept->is_believed};
			kept->session = NULL;
		}
		drop(sessions, i);
	}
	pthread_mutex_unlock(&sessions->lock);
	return found;
}

/* The oldest of a host that has its share already goes, else the oldest of all. */
static void make_room(struct net_tls_sessions *sessions, const char *key)
{
	size_t same = 0, oldest = 0;

	for (size_t i = sessions->count; i-- > 0;)
		if (strcmp(sessions->kept[i].key, key) == 0) {
			same++;
			oldest = i;
		}
	if (same >= NET_TLS_SESSIONS_OF_HOST)
		drop(sessions, oldest);
	else if (sessions->count == NET_TLS_SESSIONS)
		drop(sessions, 0);
}

bool net_tls_sessions_put(struct net_tls_sessions *sessions, const char *key, uint32_t generation, const struct net_tls_kept_session *kept)
{
	pthread_mutex_lock(&sessions->lock);
	bool keep = generation == sessions->generation && SSL_SESSION_is_resumable(kept->session);
	if (keep) {
		make_room(sessions, key);
		sessions->kept[sessions->count] = *kept;
		sessions->kept[sessions->count++].key = pr_copy_c(key);
	}
	pthread_mutex_unlock(&sessions->lock);
	return keep;
}
