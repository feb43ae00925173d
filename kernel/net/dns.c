/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The three questions the kernel asks DNS, and what of the answers it believes.
 * Whether the system's own resolver (hosts file included) or only the configured servers are asked is decided here, in
 * one place, so that a test with its own servers sees nothing else.
 */
#include "kernel/net/dns.h"

#include "kernel/config/server.h"
#include "kernel/net/dns_ask.h"
#include "kernel/net/dns_query.h"
#include "kernel/net/hosts.h"
#include "kernel/net/peer.h"
#include <postrider/address.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 32

/* Both roles of a single process set them, to the same. */
static atomic_bool has_servers, is_validating;

bool dns_init(const struct pr_list *servers, struct pr_str anchors, struct pr_text *why)
{
	struct dns_settings settings = {.anchors = anchors};
	char address[INET6_ADDRSTRLEN];
	uint32_t port;

	for (size_t i = 0; i < servers->count && settings.server_count < DNS_SERVERS_MAX; i++)
		if (config_server_parse(servers->items[i], address, &port))
			pr_print(settings.servers[settings.server_count++], sizeof settings.servers[0], "%s@%u", address, port);
	if (!dns_ask_init(&settings, why))
		return false;
	has_servers = settings.server_count > 0;
	is_validating = anchors.len > 0;
	return true;
}

bool dns_is_validating(void)
{
	return is_validating;
}

static bool is_localhost(struct pr_str name)
{
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	return pr_str_equal_nocase(name, PR_STR("localhost"));
}

static int by_preference(const void *a, const void *b)
{
	const struct pr_mx *x = a, *y = b;

	return x->preference < y->preference ? -1 : x->preference > y->preference;
}

enum pr_status dns_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out)
{
	const struct dns_answer *answer = NULL;
	size_t count = 0;
	bool null_mx = false;

	if (is_localhost(domain))
		return pr_fail(call, PR_NOTFOUND, "localhost: no such record");
	enum pr_status status = dns_query(call, domain, ns_t_mx, &answer);
	if (status != PR_OK)
		return status;
	struct pr_mx *list = pr_arena_alloc(call->arena, answer->count * sizeof *list);
	if (list == NULL)
		return pr_fail(call, PR_TEMPFAIL, "out of memory");
	for (size_t i = 0; i < answer->count; i++) {
		struct pr_str name = pr_str(answer->records[i].name);
		null_mx |= name.len == 0;
		if (name.len == 0 || !pr_domain_is_valid(name))
			continue;
		list[count].name = pr_arena_copy(call->arena, name);
		list[count].flags = answer->secure ? PR_DNS_SECURE : 0;
		list[count++].preference = answer->records[i].preference;
	}
	if (count == 0 && null_mx)
		list[count++] = (struct pr_mx){.name = PR_STR("")};
	if (count == 0)
		return pr_fail(call, PR_TEMPFAIL, "%.*s: no MX record with a usable name", PR_PRINT(domain));
	qsort(list, count, sizeof *list, by_preference);
	*mx_out = list;
	*count_out = count;
	return PR_OK;
}

struct addresses {
	struct pr_arena *arena;
	struct pr_str *items;
	size_t count;
};

static void add_address(void *context, const char *text)
{
	struct addresses *found = context;
	struct pr_str address = pr_str(text);

	for (size_t i = 0; i < found->count; i++)
		if (pr_str_equal(found->items[i], address))
			return;
	if (found->count < ADDRESSES_MAX)
		found->items[found->count++] = pr_arena_copy(found->arena, address);
}

/* gai_strerror's words hide which is which: only "no name" is no; all else is "could not ask". */
static enum pr_status system_failure(struct pr_call *call, struct pr_str name, int error)
{
	bool absent = error == EAI_NONAME;
#ifdef EAI_NODATA
	absent = absent || error == EAI_NODATA;
#endif
	return pr_fail(call, absent ? PR_NOTFOUND : PR_TEMPFAIL, "%.*s: %s", PR_PRINT(name), gai_strerror(error));
}

static enum pr_status ask_system(struct pr_call *call, struct pr_str name, struct addresses *found)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
	struct pr_str copy = pr_arena_copy(call->arena, name);
	char text[INET6_ADDRSTRLEN];

	if (copy.data == NULL || memchr(copy.data, '\0', copy.len) != NULL)
		return pr_fail(call, PR_NOTFOUND, "not a host name");
	int error = getaddrinfo(copy.data, NULL, &hints, &list);
	/* the file of hosts has names without the dot that ends a full one, as mailers give them */
	if (error != 0 && copy.len > 0 && copy.data[copy.len - 1] == '.' && hosts_addresses(name, add_address, found))
		return PR_OK;
	if (error != 0)
		return system_failure(call, name, error);
	for (struct addrinfo *item = list; item != NULL; item = item->ai_next)
		if (getnameinfo(item->ai_addr, item->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 && strchr(text, '%') == NULL)
			add_address(found, text);
	freeaddrinfo(list);
	return PR_OK;
}

static enum pr_status ask_servers(struct pr_call *call, struct pr_str name, struct addresses *found)
{
	static const int types[] = {ns_t_a, ns_t_aaaa};
	enum pr_status worst = PR_NOTFOUND;
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct dns_answer *answer = NULL;
		enum pr_status status = dns_query(call, name, types[i], &answer);
		if (status != PR_OK) {
			if (status > worst)
				worst = status;
			continue;
		}
		for (size_t k = 0; k < answer->count; k++)
			if (inet_ntop(types[i] == ns_t_a ? AF_INET : AF_INET6, answer->records[k].data, text, sizeof text) != NULL)
				add_address(found, text);
	}
	return found->count > 0 ? PR_OK : worst;
}

/* As nsswitch.conf has it, or of the configured servers alone. */
static enum pr_status find_addresses(struct pr_call *call, struct pr_str name, struct addresses *found)
{
	if (has_servers)
		return ask_servers(call, name, found);
	if (!hosts_are_simple())
		return ask_system(call, name, found);
	return hosts_addresses(name, add_address, found) ? PR_OK : ask_servers(call, name, found);
}

enum pr_status dns_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out)
{
	struct addresses found = {.arena = call->arena, .items = pr_arena_alloc(call->arena, ADDRESSES_MAX * sizeof *found.items)};
	enum pr_status status = PR_OK;

	if (found.items == NULL)
		return pr_fail(call, PR_TEMPFAIL, "out of memory");
	if (is_localhost(name)) {
		add_address(&found, "127.0.0.1");
		add_address(&found, "::1");
	} else {
		status = find_addresses(call, name, &found);
	}
	if (status != PR_OK)
		return status;
	if (found.count == 0)
		return pr_fail(call, PR_NOTFOUND, "%.*s: no such record", PR_PRINT(name));
	*addresses_out = (struct pr_list){found.items, found.count};
	return PR_OK;
}

union any_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t parse_address(struct pr_str text, union any_address *address)
{
	char copy[INET6_ADDRSTRLEN + 1];

	text = net_address_plain(text);
	if (text.len == 0 || text.len >= sizeof copy)
		return 0;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, copy, &address->four.sin_addr) == 1) {
		address->any.sa_family = AF_INET;
		return sizeof address->four;
	}
	if (inet_pton(AF_INET6, copy, &address->six.sin6_addr) == 1) {
		address->any.sa_family = AF_INET6;
		return sizeof address->six;
	}
	return 0;
}

static enum pr_status ask_pointer(struct pr_call *call, const union any_address *address, char *name, size_t room)
{
	const struct dns_answer *answer = NULL;
	char question[80];
	size_t length = 0;

	if (address->any.sa_family == AF_INET) {
		const unsigned char *b = (const unsigned char *)&address->four.sin_addr;
		snprintf(question, sizeof question, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
	} else {
		const unsigned char *b = address->six.sin6_addr.s6_addr;
		for (int i = 15; i >= 0; i--)
			length += (size_t)snprintf(question + length, sizeof question - length, "%x.%x.", b[i] & 15u, b[i] >> 4);
		snprintf(question + length, sizeof question - length, "ip6.arpa");
	}
	enum pr_status status = dns_query(call, pr_str(question), ns_t_ptr, &answer);
	if (status != PR_OK)
		return status == PR_PERMFAIL ? PR_NOTFOUND : status;
	snprintf(name, room, "%s", answer->records[0].name);
	return PR_OK;
}

enum pr_status dns_name(struct pr_call *call, struct pr_str text, struct pr_str *name_out)
{
	union any_address address;
	socklen_t length = parse_address(text, &address);
	char name[NI_MAXHOST];
	enum pr_status status = PR_OK;

	if (length == 0)
		return pr_fail(call, PR_NOTFOUND, "not an address");
	if (!has_servers && !hosts_are_simple()) {
		int error = getnameinfo(&address.any, length, name, sizeof name, NULL, 0, NI_NAMEREQD);
		if (error != 0)
			status = system_failure(call, text, error);
	} else if (has_servers || !hosts_name(net_address_plain(text), name, sizeof name)) {
		status = ask_pointer(call, &address, name, sizeof name);
	}
	bool loopback = pr_str_equal(text, PR_STR("127.0.0.1")) || pr_str_equal(text, PR_STR("::1"));
	if (status != PR_OK && loopback)
		snprintf(name, sizeof name, "localhost");
	else if (status != PR_OK)
		return status;
	/* the owner of an address may put anything into its PTR record */
	if (!pr_domain_is_valid(pr_str(name)))
		return pr_fail(call, PR_NOTFOUND, "%.*s: its name is not a host name", PR_PRINT(text));
	*name_out = pr_arena_copy(call->arena, pr_str(name));
	return name_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "out of memory");
}
