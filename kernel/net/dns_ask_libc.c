/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks with res_nquery, one resolver state per thread, where libunbound was not there at build time.
 * Nothing is remembered and nothing is proven, so a trust anchor is refused: who asks for DNSSEC must not get less without a word.
 */
#include "kernel/net/dns_ask.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <string.h>

static struct sockaddr_in servers[MAXNS];
static int server_count;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static bool has_key;

static void state_free(void *memory)
{
	res_nclose(memory);
	pr_free(memory);
}

static void key_make(void)
{
	has_key = pthread_key_create(&key, state_free) == 0;
}

/* "192.0.2.53@5353" */
static bool read_server(const char *text, struct sockaddr_in *server)
{
	const char *at = strchr(text, '@');
	char address[INET_ADDRSTRLEN] = "";
	uint64_t port = 53;

	if (at == NULL || (size_t)(at - text) >= sizeof address || !pr_str_number(pr_str(at + 1), 65535, &port))
		return false;
	memcpy(address, text, (size_t)(at - text));
	memset(server, 0, sizeof *server);
	server->sin_family = AF_INET;
	server->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, address, &server->sin_addr) == 1;
}

bool dns_ask_init(const struct dns_settings *settings, struct pr_text *why)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct sockaddr_in given[MAXNS];
	int count = 0;

	if (settings->anchors.len > 0) {
		pr_text_add_c(why, "option TrustAnchorFile: this program was built without libunbound and knows nothing of DNSSEC");
		return false;
	}
	for (size_t i = 0; i < settings->server_count && count < MAXNS; i++) {
		if (read_server(settings->servers[i], &given[count])) {
			count++;
			continue;
		}
		pr_text_addf(why, "option Resolver: %s: this program was built without libunbound and asks servers with IPv4 addresses only", settings->servers[i]);
		return false;
	}
	/* in one process all roles come here with the same, and the first is at work already */
	pthread_mutex_lock(&lock);
	if (server_count != count || (count > 0 && memcmp(servers, given, (size_t)count * sizeof *given) != 0)) {
		memcpy(servers, given, (size_t)count * sizeof *given);
		server_count = count;
	}
	pthread_mutex_unlock(&lock);
	return true;
}

static struct __res_state *state_get(void)
{
	pthread_once(&key_once, key_make);
	if (!has_key)
		return NULL;
	struct __res_state *state = pthread_getspecific(key);
	if (state != NULL)
		return state;
	state = pr_alloc(sizeof *state);
	if (res_ninit(state) != 0 || pthread_setspecific(key, state) != 0) {
		pr_free(state);
		return NULL;
	}
	/* names are complete, and an unknown option must not cost an answer */
	state->options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES | RES_USE_EDNS0 | RES_USE_DNSSEC);
	if (server_count > 0) {
		state->nscount = server_count;
		memcpy(state->nsaddr_list, servers, (size_t)server_count * sizeof servers[0]);
	}
	return state;
}

static void set_patience(struct pr_call *call, struct __res_state *state)
{
	int64_t each = pr_call_remaining(call, DNS_PATIENCE_MS) / 4000;

	state->retrans = each < 1 ? 1 : (int)each;
	state->retry = 2;
}

enum pr_status dns_ask(struct pr_call *call, const char *name, int type, struct dns_packet *packet)
{
	struct __res_state *state = state_get();

	packet->len = 0;
	packet->rcode = 0;
	packet->secure = false;
	if (state == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no resolver");
	set_patience(call, state);
	int length = res_nquery(state, name, ns_c_in, type, packet->bytes, sizeof packet->bytes);
	if (length > (int)sizeof packet->bytes)
		return pr_fail(call, PR_TEMPFAIL, "%s: answer too long", name);
	if (length >= 0) {
		packet->len = (size_t)length;
		return PR_OK;
	}
	if (state->res_h_errno == HOST_NOT_FOUND)
		return pr_fail(call, PR_NOTFOUND, "%s: no such name", name);
	if (state->res_h_errno == NO_DATA)
		return pr_fail(call, PR_NOTFOUND, "%s: no such record", name);
	return pr_fail(call, PR_TEMPFAIL, "%s: name server failure", name);
}
