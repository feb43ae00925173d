/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An answer of a name server.  The first byte chooses what was asked, the rest is the packet, and the same packet answers whatever is asked next (an
 * alias).  What comes out keeps its bounds, and records read as text are those that were read as records.
 */
#include "kernel/net/dns_ask.h"
#include "kernel/net/dns_query.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/nameser.h>

static const uint8_t *packet_bytes;
static size_t packet_size;

enum pr_status dns_ask(struct pr_call *call, const char *name, int type, struct dns_packet *packet)
{
	(void)type;
	FUZZ_CHECK(strlen(name) < DNS_NAME_MAX);
	packet->rcode = packet_size > 3 ? packet_bytes[3] & 15u : 0;
	packet->secure = packet_size > 3 && (packet_bytes[3] & 32u) != 0;
	packet->len = packet_size;
	memcpy(packet->bytes, packet_bytes, packet_size);
	if (packet->rcode == ns_r_nxdomain)
		return pr_fail(call, PR_NOTFOUND, "no such name");
	return packet->rcode == 0 ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no answer");
}

static void check(const struct dns_answer *answer, int type)
{
	FUZZ_CHECK(answer->count > 0 && answer->count <= DNS_RECORDS_MAX);
	FUZZ_CHECK(memchr(answer->owner, '\0', sizeof answer->owner) != NULL);
	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->records[i];
		FUZZ_CHECK(memchr(record->name, '\0', sizeof record->name) != NULL && memchr(record->text, '\0', sizeof record->text) != NULL);
		FUZZ_CHECK(record->data_len == (type == ns_t_a ? 4u : type == ns_t_aaaa ? 16u : 0u));
		FUZZ_CHECK(type != DNS_TYPE_TLSA || (record->rdata_len > 3 && record->rdata_len <= packet_size));
		FUZZ_CHECK(type != DNS_TYPE_TLSA || memmem(packet_bytes, packet_size, record->rdata, record->rdata_len) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int types[] = {ns_t_a, ns_t_aaaa, ns_t_mx, ns_t_txt, ns_t_ptr, ns_t_cname, ns_t_ns, ns_t_srv, ns_t_afsdb, DNS_TYPE_TLSA};
	const struct pr_dns_record *records = NULL;
	const struct dns_answer *answer = NULL;
	struct pr_arena arena;
	size_t count = 0;

	if (size < 1 || size > DNS_PACKET_MAX)
		return 0;
	int type = types[data[0] % (sizeof types / sizeof types[0])];
	packet_bytes = data + 1;
	packet_size = size - 1;
	pr_arena_init(&arena, 1u << 22);
	struct pr_call call = {.size = sizeof call, .arena = &arena};
	enum pr_status status = dns_query(&call, PR_STR("far.example"), type, &answer);
	FUZZ_CHECK(status == PR_OK || status == PR_NOTFOUND || status == PR_TEMPFAIL || status == PR_PERMFAIL);
	FUZZ_CHECK(status == PR_OK || call.reason.len > 0);
	if (status == PR_OK) {
		check(answer, type);
		size_t before = answer->count;
		status = dns_records(&call, PR_STR("far.example"), (uint32_t)type, &records, &count);
		FUZZ_CHECK(type == DNS_TYPE_TLSA ? status == PR_MISUSE : status == PR_OK && count == before);
	}
	pr_arena_fini(&arena);
	return 0;
}
