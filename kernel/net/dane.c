/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses first, then TLSA at the name that aliases led to, then at the host's own (RFC 7672 2.2.2).
 * Of usages 0 and 1 this protocol makes no use (RFC 7672 3.1.3): a host that has only those is one that speaks TLS, and no more is known of it.
 */
#include "kernel/net/dane.h"

#include "kernel/net/dns_query.h"

#include <arpa/nameser.h>
#include <string.h>

static struct pr_str without_dot(struct pr_str name)
{
	return name.len > 1 && name.data[name.len - 1] == '.' ? pr_str_slice(name, 0, name.len - 1) : name;
}

/* Whose addresses these are, when all that came is proven; absent: they are not, or there are none. */
static enum pr_status find_owner(struct pr_call *call, struct pr_str host, struct pr_str *owner_out)
{
	static const int types[] = {ns_t_a, ns_t_aaaa};
	enum pr_status worst = PR_NOTFOUND;
	struct pr_str owner = PR_NONE;

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct dns_answer *answer = NULL;
		enum pr_status status = dns_query(call, host, types[i], &answer);
		if (status == PR_OK && !answer->secure)
			return PR_OK;
		if (status == PR_OK)
			owner = pr_arena_copy(call->arena, pr_str(answer->owner));
		else if (status != PR_NOTFOUND)
			worst = PR_TEMPFAIL;
	}
	if (owner.data == NULL && worst == PR_TEMPFAIL)
		return PR_TEMPFAIL;
	call->reason = PR_NONE;
	*owner_out = owner;
	return PR_OK;
}

/* What can be compared with: RFC 6698 2.1 and 7.2 to 7.4. */
static bool is_usable(const struct pr_tlsa *record)
{
	static const size_t lengths[] = {0, 32, 64};

	return (record->usage == 2 || record->usage == 3) && record->selector <= 1 && record->matching <= 2 &&
	       (record->matching == 0 || record->data.len == lengths[record->matching]);
}

static enum pr_status take_records(struct pr_call *call, const struct dns_answer *answer, struct pr_dane *dane)
{
	struct pr_tlsa *records = pr_arena_alloc(call->arena, answer->count * sizeof *records);

	if (records == NULL)
		return pr_fail(call, PR_TEMPFAIL, "out of memory");
	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *from = &answer->records[i];
		struct pr_tlsa record = {.usage = from->rdata[0], .selector = from->rdata[1], .matching = from->rdata[2],
		    .data = {(const char *)from->rdata + 3, from->rdata_len - 3}};
		if (!is_usable(&record))
			continue;
		record.data = pr_arena_copy(call->arena, record.data);
		if (record.data.data == NULL)
			return pr_fail(call, PR_TEMPFAIL, "out of memory");
		records[dane->count++] = record;
	}
	dane->records = records;
	dane->state = dane->count > 0 ? PR_DANE_VERIFY : PR_DANE_ENCRYPT;
	return PR_OK;
}

/* PR_NOTFOUND: nothing that is proven is there. */
static enum pr_status ask_base(struct pr_call *call, struct pr_str base, uint32_t port, struct pr_dane *dane)
{
	const struct dns_answer *answer = NULL;
	struct pr_str name = pr_arena_printf(call->arena, "_%u._tcp.%.*s", port, PR_PRINT(base));
	enum pr_status status = name.data != NULL ? dns_query(call, name, DNS_TYPE_TLSA, &answer) : PR_TEMPFAIL;

	if (status != PR_OK)
		return status == PR_NOTFOUND ? PR_NOTFOUND : PR_TEMPFAIL;
	if (!answer->secure)
		return PR_NOTFOUND;
	dane->base = base;
	return take_records(call, answer, dane);
}

enum pr_status dane_find(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out)
{
	struct pr_dane *dane = pr_arena_alloc(call->arena, sizeof *dane);
	struct pr_str owner = PR_NONE, name = pr_arena_copy(call->arena, without_dot(host));

	if (dane == NULL || name.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "out of memory");
	*dane = (struct pr_dane){.size = sizeof *dane, .state = PR_DANE_NONE};
	enum pr_status status = dns_is_validating() ? find_owner(call, name, &owner) : PR_OK;
	if (status == PR_OK && owner.data != NULL) {
		status = ask_base(call, owner, port, dane);
		if (status == PR_NOTFOUND && !pr_str_equal_nocase(owner, name))
			status = ask_base(call, name, port, dane);
		if (status == PR_NOTFOUND) {
			call->reason = PR_NONE;
			status = PR_OK;
		}
	}
	if (status == PR_OK)
		*dane_out = dane;
	return status;
}
