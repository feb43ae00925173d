/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Records of any type for modules, as text.
 * What a stranger put into DNS is text only: a module that wants an address or a host name checks what it gets.
 */
#include "kernel/net/dns_query.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <string.h>
#include <sys/socket.h>

static bool is_known(uint32_t type)
{
	static const uint32_t types[] = {ns_t_a, ns_t_aaaa, ns_t_mx, ns_t_txt, ns_t_ptr, ns_t_cname, ns_t_ns, ns_t_srv, ns_t_afsdb};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i] == type)
			return true;
	return false;
}

static struct pr_str text_of(struct pr_call *call, const struct dns_record *record, uint32_t type)
{
	char address[INET6_ADDRSTRLEN] = "";

	if (type == ns_t_txt)
		return pr_arena_copy(call->arena, pr_str(record->text));
	if (type != ns_t_a && type != ns_t_aaaa)
		return pr_arena_copy(call->arena, pr_str(record->name));
	inet_ntop(type == ns_t_a ? AF_INET : AF_INET6, record->data, address, sizeof address);
	return pr_arena_copy(call->arena, pr_str(address));
}

enum pr_status dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out)
{
	const struct dns_answer *answer = NULL;

	if (!is_known(type))
		return pr_fail(call, PR_MISUSE, "DNS records of type %u are not read here", (unsigned int)type);
	enum pr_status status = dns_query(call, name, (int)type, &answer);
	if (status != PR_OK)
		return status;
	struct pr_dns_record *records = pr_arena_alloc(call->arena, answer->count * sizeof *records);
	struct pr_str owner = pr_arena_copy(call->arena, pr_str(answer->owner));
	if (records == NULL || owner.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "out of memory");
	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->records[i];
		records[i] = (struct pr_dns_record){.type = type, .preference = record->preference, .ttl = record->ttl, .name = owner, .flags = answer->secure ? PR_DNS_SECURE : 0,
		    .text = text_of(call, record, type)};
		if (records[i].text.data == NULL)
			return pr_fail(call, PR_TEMPFAIL, "out of memory");
	}
	*records_out = records;
	*count_out = answer->count;
	return PR_OK;
}
