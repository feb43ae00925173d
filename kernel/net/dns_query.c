/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks with res_nquery and reads the answer with ns_parserr, one resolver state and buffer per thread.
 * Aliases are followed here, with a count, because an answer may hold a chain, a part of one or a loop.
 */
#include "kernel/net/dns_query.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <string.h>

#define ANSWER_MAX 65536
#define SERVERS_MAX MAXNS

static struct sockaddr_in servers[SERVERS_MAX];
static int server_count;

struct resolver {
	struct __res_state state;
	struct dns_answer answer;
	unsigned char packet[ANSWER_MAX];
};

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void resolver_free(void *memory)
{
	struct resolver *resolver = memory;

	res_nclose(&resolver->state);
	pr_free(resolver);
}

static void key_make(void)
{
	if (pthread_key_create(&key, resolver_free) != 0)
		server_count = -1;
}

void dns_init(const struct pr_list *items)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct sockaddr_in given[SERVERS_MAX];
	int count = 0;
	char text[64];

	for (size_t i = 0; items != NULL && i < items->count && count < SERVERS_MAX; i++) {
		struct pr_str item = pr_str_trim(items->items[i]);
		size_t colon = pr_str_find(item, ':');
		struct sockaddr_in *server = &given[count];
		uint64_t port = 53;
		if (colon < item.len && !pr_str_number(pr_str_slice(item, colon + 1, item.len), 65535, &port))
			continue;
		if (colon == 0 || colon >= sizeof text)
			continue;
		memcpy(text, item.data, colon);
		text[colon] = '\0';
		memset(server, 0, sizeof *server);
		server->sin_family = AF_INET;
		server->sin_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, text, &server->sin_addr) == 1)
			count++;
	}
	/* in one process all roles come here with the same, and the first is at work already */
	pthread_mutex_lock(&lock);
	if (server_count != count || (count > 0 && memcmp(servers, given, (size_t)count * sizeof *given) != 0)) {
		memcpy(servers, given, (size_t)count * sizeof *given);
		server_count = count;
	}
	pthread_mutex_unlock(&lock);
}

bool dns_has_servers(void)
{
	return server_count > 0;
}

static struct resolver *resolver_get(void)
{
	pthread_once(&key_once, key_make);
	if (server_count < 0)
		return NULL;
	struct resolver *resolver = pthread_getspecific(key);
	if (resolver != NULL)
		return resolver;
	resolver = pr_alloc(sizeof *resolver);
	if (res_ninit(&resolver->state) != 0 || pthread_setspecific(key, resolver) != 0) {
		pr_free(resolver);
		return NULL;
	}
	/* names are complete, and an unknown option must not cost an answer */
	resolver->state.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES | RES_USE_EDNS0 | RES_USE_DNSSEC);
	if (server_count > 0) {
		resolver->state.nscount = server_count;
		memcpy(resolver->state.nsaddr_list, servers, (size_t)server_count * sizeof servers[0]);
	}
	return resolver;
}

static void set_patience(struct pr_call *call, struct resolver *resolver)
{
	int64_t each = pr_call_remaining(call, 20000) / 4000;

	resolver->state.retrans = each < 1 ? 1 : (int)each;
	resolver->state.retry = 2;
}

static bool read_name(const ns_msg *message, const unsigned char *at, char *name)
{
	if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), at, name, DNS_NAME_MAX) < 0)
		return false;
	size_t length = strlen(name);
	if (length > 0 && name[length - 1] == '.')
		name[length - 1] = '\0';
	return true;
}

/* The strings of a TXT record, one behind the other. */
static bool read_text(const unsigned char *data, size_t length, char *text)
{
	size_t used = 0;

	while (length > 0) {
		size_t piece = data[0];
		if (piece + 1 > length)
			return false;
		size_t room = DNS_TEXT_MAX - 1 - used;
		memcpy(text + used, data + 1, piece < room ? piece : room);
		used += piece < room ? piece : room;
		data += piece + 1;
		length -= piece + 1;
	}
	text[used] = '\0';
	return true;
}

static bool read_record(const ns_msg *message, const ns_rr *rr, struct dns_record *record)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	size_t length = ns_rr_rdlen(*rr);

	record->ttl = ns_rr_ttl(*rr);
	switch (ns_rr_type(*rr)) {
	case ns_t_mx:
	case ns_t_afsdb:
		if (length < 3)
			return false;
		record->preference = ns_get16(data);
		return read_name(message, data + 2, record->name);
	case ns_t_srv:
		if (length < 7)
			return false;
		record->preference = ns_get16(data);
		return read_name(message, data + 6, record->name);
	case ns_t_txt:
		return read_text(data, length, record->text);
	case ns_t_ns:
	case ns_t_ptr:
	case ns_t_cname:
		return read_name(message, data, record->name);
	case ns_t_a:
	case ns_t_aaaa:
		if (length != (ns_rr_type(*rr) == ns_t_a ? 4u : 16u))
			return false;
		record->data_len = (uint32_t)length;
		memcpy(record->data, data, length);
		return true;
	default:
		return false;
	}
}

static bool same_name(const char *a, const char *b)
{
	return pr_str_equal_nocase(pr_str(a), pr_str(b));
}

/* One pass over the answer: records of `owner`, and where its alias leads ("" in alias: nowhere). */
static bool scan(ns_msg *message, int type, const char *owner, struct dns_answer *answer, char *alias)
{
	struct dns_record record;
	ns_rr rr;

	alias[0] = '\0';
	for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
		if (ns_parserr(message, ns_s_an, i, &rr) != 0)
			return false;
		if (ns_rr_class(rr) != ns_c_in || !same_name(ns_rr_name(rr), owner))
			continue;
		memset(&record, 0, sizeof record);
		int found = ns_rr_type(rr);
		if ((found != type && found != ns_t_cname) || !read_record(message, &rr, &record))
			continue;
		if (found == type && answer->count < DNS_RECORDS_MAX)
			answer->records[answer->count++] = record;
		else if (found == ns_t_cname)
			memcpy(alias, record.name, DNS_NAME_MAX);
	}
	return true;
}

/* Follows the aliases the packet holds; `name` is then the name to ask next. */
static bool read_answer(struct resolver *resolver, int length, int type, char *name, unsigned int *aliases, bool *more_out)
{
	ns_msg message;
	char alias[DNS_NAME_MAX];

	*more_out = false;
	if (ns_initparse(resolver->packet, length, &message) != 0)
		return false;
	for (;;) {
		if (!scan(&message, type, name, &resolver->answer, alias))
			return false;
		if (resolver->answer.count > 0 || alias[0] == '\0')
			return true;
		*more_out = true;
		memcpy(name, alias, DNS_NAME_MAX);
		if (++*aliases > DNS_ALIASES_MAX)
			return true;
		/* is there anything about it in this packet?  If not, it is asked for. */
		struct dns_answer kept = {.count = 0};
		if (!scan(&message, type, name, &kept, alias))
			return false;
		if (kept.count == 0 && alias[0] == '\0')
			return true;
		*more_out = false;
	}
}

static enum pr_status failure(struct pr_call *call, const char *name, int error)
{
	if (error == HOST_NOT_FOUND)
		return pr_fail(call, PR_NOTFOUND, "%s: no such name", name);
	if (error == NO_DATA)
		return pr_fail(call, PR_NOTFOUND, "%s: no such record", name);
	return pr_fail(call, PR_TEMPFAIL, "%s: name server failure", name);
}

/* RFC 1035 section 2.3.4: a label has 1 to 63 bytes; what cannot be asked does not exist, which is not a failure of the name server. */
static bool has_sound_labels(struct pr_str name)
{
	struct pr_str rest = name, label;

	if (name.len > 0 && name.data[name.len - 1] == '.')
		return false;
	while (rest.len > 0 && pr_str_next(&rest, '.', &label))
		if (label.len == 0 || label.len > 63)
			return false;
	return true;
}

enum pr_status dns_query(struct pr_call *call, struct pr_str text, int type, const struct dns_answer **answer_out)
{
	struct resolver *resolver = resolver_get();
	char name[DNS_NAME_MAX];
	unsigned int aliases = 0;
	bool more = true;

	if (resolver == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no resolver");
	if (text.len > 0 && text.data[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len >= sizeof name - 1 || memchr(text.data, '\0', text.len) != NULL || !has_sound_labels(text))
		return pr_fail(call, PR_NOTFOUND, "not a host name");
	memcpy(name, text.data, text.len);
	name[text.len] = '\0';
	set_patience(call, resolver);
	resolver->answer.count = 0;
	while (more) {
		int length = res_nquery(&resolver->state, name, ns_c_in, type, resolver->packet, sizeof resolver->packet);
		if (length < 0)
			return failure(call, name, resolver->state.res_h_errno);
		if (length > (int)sizeof resolver->packet)
			return pr_fail(call, PR_TEMPFAIL, "%s: answer too long", name);
		if (!read_answer(resolver, length, type, name, &aliases, &more))
			return pr_fail(call, PR_TEMPFAIL, "%s: answer cannot be read", name);
		if (aliases > DNS_ALIASES_MAX)
			return pr_fail(call, PR_PERMFAIL, "DNS failure: CNAME loop for %s", name);
	}
	if (resolver->answer.count == 0)
		return pr_fail(call, PR_NOTFOUND, "%s: no such record", name);
	memcpy(resolver->answer.owner, name, sizeof name);
	*answer_out = &resolver->answer;
	return PR_OK;
}
