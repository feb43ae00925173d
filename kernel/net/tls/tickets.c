/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys under one lock, which is held for the time of a copy.
 * Random bytes come from the system and not from the TLS library, so that the master, which makes the memory, has nothing to do with that.
 */
#include "kernel/net/tls/tickets.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool net_tickets_init(struct net_tickets *tickets)
{
	pthread_mutexattr_t kind;

	if (pthread_mutexattr_init(&kind) != 0)
		return false;
	bool good = pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 && pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 &&
	            pthread_mutex_init(&tickets->lock, &kind) == 0;
	pthread_mutexattr_destroy(&kind);
	return good;
}

/* After a death in here nothing is believed. */
static bool lock(struct net_tickets *tickets)
{
	int error = pthread_mutex_lock(&tickets->lock);

	if (error == EOWNERDEAD) {
		explicit_bzero(tickets->keys, sizeof tickets->keys);
		error = pthread_mutex_consistent(&tickets->lock);
	}
	return error == 0;
}

static bool is_younger(const struct net_ticket_key *key, int64_t now, int64_t age)
{
	return key->made != 0 && now - key->made < age && key->made <= now;
}

static bool make(struct net_ticket_key *key, int64_t now)
{
	unsigned char bytes[80];
	bool good = getrandom(bytes, sizeof bytes, GRND_NONBLOCK) == (ssize_t)sizeof bytes;

	if (good) {
		memcpy(key->name, bytes, 16);
		memcpy(key->cipher, bytes + 16, 32);
		memcpy(key->mac, bytes + 48, 32);
		key->made = now;
	}
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

bool net_tickets_newest(struct net_tickets *tickets, int64_t now, struct net_ticket_key *key_out)
{
	struct net_ticket_key *newest = &tickets->keys[0], *oldest = &tickets->keys[0];

	if (!lock(tickets))
		return false;
	for (size_t i = 1; i < NET_TICKET_KEYS; i++) {
		newest = tickets->keys[i].made > newest->made ? &tickets->keys[i] : newest;
		oldest = tickets->keys[i].made < oldest->made ? &tickets->keys[i] : oldest;
	}
	bool good = is_younger(newest, now, NET_TICKET_SECONDS);
	if (!good) {
		newest = oldest;
		good = make(newest, now);
	}
	if (good)
		*key_out = *newest;
	pthread_mutex_unlock(&tickets->lock);
	return good;
}

bool net_tickets_find(struct net_tickets *tickets, const unsigned char name[16], int64_t now, struct net_ticket_key *key_out, bool *fresh_out)
{
	bool found = false;

	if (!lock(tickets))
		return false;
	for (size_t i = 0; !found && i < NET_TICKET_KEYS; i++) {
		const struct net_ticket_key *key = &tickets->keys[i];
		found = is_younger(key, now, NET_TICKET_KEYS * NET_TICKET_SECONDS) && memcmp(key->name, name, sizeof key->name) == 0;
		if (found) {
			*key_out = *key;
			*fresh_out = is_younger(key, now, NET_TICKET_SECONDS);
		}
	}
	pthread_mutex_unlock(&tickets->lock);
	return found;
}

void net_tickets_tend(struct net_tickets *tickets, int64_t now)
{
	if (!lock(tickets))
		return;
	for (size_t i = 0; i < NET_TICKET_KEYS; i++)
		if (!is_younger(&tickets->keys[i], now, NET_TICKET_KEYS * NET_TICKET_SECONDS))
			explicit_bzero(&tickets->keys[i], sizeof tickets->keys[i]);
	pthread_mutex_unlock(&tickets->lock);
}
