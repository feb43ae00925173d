/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is remembered of hosts for the next handshake: used once, by the same host only, not for long, never more than there is room for.
 */
#include "kernel/net/tls/sessions.h"
#include "tests/unit/unit.h"

#include <postrider/text.h>

#include <stdio.h>

static struct net_tls_sessions sessions;

static SSL_SESSION *make(unsigned char number)
{
	SSL_SESSION *session = SSL_SESSION_new();
	unsigned char id[4] = {number, 1, 2, 3};

	CU_ASSERT_PTR_NOT_NULL_FATAL(session);
	CU_ASSERT_EQUAL_FATAL(SSL_SESSION_set1_id(session, id, sizeof id), 1);
	return session;
}

static bool put(const char *key, unsigned char number, int64_t since)
{
	struct net_tls_kept_session kept = {.session = make(number), .since = since};
	bool is_kept = net_tls_sessions_put(&sessions, key, sessions.generation, &kept);

	if (!is_kept)
		SSL_SESSION_free(kept.session);
	return is_kept;
}

/* Its number, or -1. */
static int take(const char *key, int64_t now)
{
	struct net_tls_kept_session kept;
	unsigned int length;

	if (!net_tls_sessions_take(&sessions, key, now, &kept))
		return -1;
	int number = SSL_SESSION_get_id(kept.session, &length)[0];
	SSL_SESSION_free(kept.session);
	return number;
}

static void test_once(void)
{
	net_tls_sessions_init(&sessions);
	CU_ASSERT_TRUE(put("a", 1, 1000) && put("b", 2, 1000) && put("a", 3, 1001));
	CU_ASSERT_EQUAL(take("c", 1002), -1);
	CU_ASSERT_EQUAL(take("a", 1002), 3);
	CU_ASSERT_EQUAL(take("a", 1002), 1);
	CU_ASSERT_EQUAL(take("a", 1002), -1);
	CU_ASSERT_EQUAL(take("b", 1002), 2);
	net_tls_sessions_fini(&sessions);
}

static void test_age(void)
{
	net_tls_sessions_init(&sessions);
	CU_ASSERT_TRUE(put("a", 1, 1000) && put("a", 2, 1000));
	CU_ASSERT_EQUAL(take("a", 1000 + NET_TLS_SESSION_DOUBT_SECONDS - 1), 2);
	CU_ASSERT_EQUAL(take("a", 1000 + NET_TLS_SESSION_DOUBT_SECONDS), -1);
	CU_ASSERT_EQUAL(sessions.count, 0);
	net_tls_sessions_fini(&sessions);
}

static void test_room(void)
{
	char key[20];

	net_tls_sessions_init(&sessions);
	for (int i = 0; i < 3 * NET_TLS_SESSIONS_OF_HOST; i++)
		CU_ASSERT_TRUE(put("a", (unsigned char)i, 1000));
	CU_ASSERT_EQUAL(sessions.count, NET_TLS_SESSIONS_OF_HOST);
	CU_ASSERT_EQUAL(take("a", 1001), 3 * NET_TLS_SESSIONS_OF_HOST - 1);
	for (int i = 0; i < 2 * NET_TLS_SESSIONS; i++) {
		snprintf(key, sizeof key, "host%d", i);
		CU_ASSERT_TRUE(put(key, 7, 1000));
	}
	CU_ASSERT_EQUAL(sessions.count, NET_TLS_SESSIONS);
	CU_ASSERT_EQUAL(take("a", 1001), -1);
	CU_ASSERT_EQUAL(take("host511", 1001), 7);
	net_tls_sessions_fini(&sessions);
}

static void test_forgotten(void)
{
	net_tls_sessions_init(&sessions);
	struct net_tls_kept_session late = {.session = make(9), .since = 1000};
	uint32_t before = net_tls_sessions_generation(&sessions);
	CU_ASSERT_TRUE(put("a", 1, 1000));
	net_tls_sessions_forget(&sessions);
	CU_ASSERT_EQUAL(take("a", 1000), -1);
	CU_ASSERT_FALSE(net_tls_sessions_put(&sessions, "a", before, &late)); /* its connection began before */
	SSL_SESSION_free(late.session);
	late.session = SSL_SESSION_new(); /* of a host that gave none */
	CU_ASSERT_FALSE(net_tls_sessions_put(&sessions, "a", net_tls_sessions_generation(&sessions), &late));
	SSL_SESSION_free(late.session);
	net_tls_sessions_fini(&sessions);
}

static const struct unit_case cases[] = {{"once", test_once}, {"age", test_age}, {"room", test_room}, {"forgotten", test_forgotten}, {NULL, NULL}};

UNIT_MAIN("tls sessions", cases)
