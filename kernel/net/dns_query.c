/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks through dns_ask.h and reads the answer with ns_parserr, one packet and one list of records per thread.
 * Aliases are followed here, with a count, because an answer may hold a chain, a part of one or a loop.
 */
#include "kernel/net/dns_query.h"

#include "kernel/net/dns_ask.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct resolver {
	struct dns_answer answer;
	struct dns_packet packet;
};

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static bool has_key;

static void key_make(void)
{
	has_key = pthread_key_create(&key, pr_free) == 0;
}

static struct resolver *resolver_get(void)
{
	pthread_once(&key_once, key_make);
	if (!has_key)
		return NULL;
	struct resolver *resolver = pthread_getspecific(key);
	if (resolver != NULL)
		return resolver;
	resolver = pr_alloc(sizeof *resolver);
	if (pthread_setspecific(key, resolver) == 0)
		return resolver;
	pr_free(resolver);
	return NULL;
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
	case DNS_TYPE_TLSA: /* RFC 6698 2.1; the bytes stay in the packet */
		record->rdata = data;
		record->rdata_len = length;
		return length > 3;
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
static bool read_answer(struct resolver *resolver, int type, char *name, unsigned int *aliases, bool *more_out)
{
	ns_msg message;
	char alias[DNS_NAME_MAX];

	*more_out = false;
	if (ns_initparse(resolver->packet.bytes, (int)resolver->packet.len, &message) != 0)
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

/* A name that can be asked, without its final dot. */
static bool take_name(struct pr_str text, char *name)
{
	if (text.len > 0 && text.data[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len >= DNS_NAME_MAX - 1 || memchr(text.data, '\0', text.len) != NULL || !has_sound_labels(text))
		return false;
	memcpy(name, text.data, text.len);
	name[text.len] = '\0';
	return true;
}

static enum pr_status endless(struct pr_call *call, const char *name)
{
	return pr_fail(call, PR_PERMFAIL, "DNS failure: CNAME loop for %s", name);
}

/* A server that follows aliases itself says SERVFAIL when they never end, as it does when it cannot reach somebody.  `name` goes along. */
static bool is_endless(struct pr_call *call, struct resolver *resolver, char *name)
{
	unsigned int aliases = 0;
	bool more;

	while (aliases <= DNS_ALIASES_MAX) {
		resolver->answer.count = 0;
		if (dns_ask(call, name, ns_t_cname, &resolver->packet) != PR_OK || !read_answer(resolver, ns_t_cname, name, &aliases, &more) ||
		    resolver->answer.count == 0)
			return false;
		memcpy(name, resolver->answer.records[0].name, DNS_NAME_MAX);
		aliases++;
	}
	return true;
}

/* One question for what the aliases have led to so far. */
static enum pr_status ask(struct pr_call *call, struct resolver *resolver, char *name, int type)
{
	enum pr_status status = dns_ask(call, name, type, &resolver->packet);

	if (status != PR_TEMPFAIL || resolver->packet.rcode != ns_r_servfail || type == ns_t_cname)
		return status;
	struct pr_str reason = call->reason;
	if (is_endless(call, resolver, name))
		return endless(call, name);
	call->reason = reason;
	return status;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum pr_status query(struct pr_call *call, struct resolver *resolver, char *name, int type)
{
	unsigned int aliases = 0;
	bool more = true;

	resolver->answer.count = 0;
	resolver->answer.secure = true;
	while (more) {
		enum pr_status status = ask(call, resolver, name, type);
		if (status != PR_OK)
			return status;
		resolver->answer.secure = resolver->answer.secure && resolver->packet.secure;
		if (!read_answer(resolver, type, name, &aliases, &more))
			return pr_fail(call, PR_TEMPFAIL, "%s: answer cannot be read", name);
		if (aliases > DNS_ALIASES_MAX)
			return endless(call, name);
	}
	if (resolver->answer.count == 0)
		return pr_fail(call, PR_NOTFOUND, "%s: no such record", name);
	return PR_OK;
}

enum pr_status dns_query(struct pr_call *call, struct pr_str text, int type, const struct dns_answer **answer_out)
{
	struct resolver *resolver = resolver_get();
	struct pr_call limited = *call;
	char name[DNS_NAME_MAX];

	if (resolver == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no resolver");
	if (!take_name(text, name))
		return pr_fail(call, PR_NOTFOUND, "not a host name");
	limited.deadline_ms = now_ms() + pr_call_remaining(call, DNS_PATIENCE_MS); /* for all questions that come of this one */
	enum pr_status status = query(&limited, resolver, name, type);
	call->reason = limited.reason;
	if (status != PR_OK)
		return status;
	memcpy(resolver->answer.owner, name, sizeof name);
	*answer_out = &resolver->answer;
	return PR_OK;
}
