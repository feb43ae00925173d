/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Read anew at each look: lists are short, and looked into once in a session at most.
 */
#include "kernel/smtp/networks.h"

#include <arpa/inet.h>
#include <string.h>

struct network {
	unsigned char bytes[16];
	uint32_t bits;
};

static bool parse_address(struct pr_str text, unsigned char bytes[16], uint32_t *width_out)
{
	char copy[INET6_ADDRSTRLEN];

	if (pr_str_has_prefix_nocase(text, PR_STR("IPv6:")))
		text = pr_str_slice(text, 5, text.len);
	if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	*width_out = 128;
	if (inet_pton(AF_INET6, copy, bytes) == 1)
		return true;
	memcpy(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	*width_out = 32;
	return inet_pton(AF_INET, copy, bytes + 12) == 1;
}

static bool parse_network(struct pr_str text, struct network *network)
{
	size_t slash = pr_str_find(text, '/');
	uint32_t width = 0;
	uint64_t bits = 0;

	if (!parse_address(pr_str_slice(text, 0, slash), network->bytes, &width))
		return false;
	if (slash < text.len && !pr_str_number(pr_str_slice(text, slash + 1, text.len), width, &bits))
		return false;
	network->bits = 128 - width + (slash < text.len ? (uint32_t)bits : width);
	return true;
}

static bool holds(const struct network *network, const unsigned char bytes[16])
{
	uint32_t whole = network->bits / 8, rest = network->bits % 8;
	uint32_t mask = 0xff00u >> rest & 0xff;

	return memcmp(network->bytes, bytes, whole) == 0 && (rest == 0 || ((uint32_t)(network->bytes[whole] ^ bytes[whole]) & mask) == 0);
}

bool smtp_network_is_valid(struct pr_str text)
{
	struct network network;

	return pr_str_equal(text, PR_STR("local")) || parse_network(text, &network);
}

bool smtp_networks_have(const struct pr_list *networks, struct pr_str address)
{
	struct network network;
	unsigned char bytes[16];
	uint32_t width;
	bool numeric = parse_address(address, bytes, &width);

	for (size_t i = 0; i < networks->count; i++) {
		struct pr_str item = networks->items[i];
		if (numeric ? parse_network(item, &network) && holds(&network, bytes) : pr_str_equal(item, PR_STR("local")) && pr_str_equal(item, address))
			return true;
	}
	return false;
}
